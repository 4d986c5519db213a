// Key entries: one allocation per key, with its header, its name and, for strings, its value.
//
// Structure   0 type u8   1 flags u8   2 keyspace u16   4 access u32   8 key bytes u32   12 value bytes u32
//             16 expiry ms i64   24 position in volatile u32   28 key, then value
//             type      low half: the type (type.ts); high half: its encoding. The whole byte is 0 in an
//                       allocation that is not a key yet. A saver skips those.
//             keyspace  id of the keyspace, which is not the number of a database: SWAPDB and FLUSHDB
//                       reassign it (keyspace.ts). A saver asks space.databaseOf(), and skips entries that
//                       have none.
//             access    LRU: seconds in 24 bits; LFU: minutes in 16 bits, then 8 bits of counter
//             expiry    Unix time in ms; valid only with EXPIRES
//             volatile  position in the database's list of keys that expire; valid only with EXPIRES
// Invariants  ENTRY-1  An entry of a dictionary has a type and the id of its keyspace; they change with the
//                      dictionary, with no safepoint between. Another one has no type while it is filled, and
//                      no keyspace while it waits to be freed.
//             ENTRY-2  The value of an integer is an i64 of 8 bytes, not aligned.

import * as clock from '../border/clock.ts';
import { slab } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { KIND_ENTRY } from '../bytes/heap.ts';

/** Keyspace id of an entry in no keyspace. */
export const NO_KEYSPACE: u32 = 0xffff;

/**
 * A type's number is the one that Redis has for it, plus this: string 1, list 2, set 3, sorted set 4, hash 5,
 * stream 7.
 */
export const TYPE_FIRST: u32 = 1;

/** Flag: the entry has an expiry. */
export const EXPIRES: u32 = 1;

export const HEADER_BYTES: u32 = 28;


@inline
export function type(entry: u32): u32 {
  return load<u8>(entry) & 15;
}


@inline
export function encoding(entry: u32): u32 {
  return load<u8>(entry) >> 4;
}


@inline
export function setTypeEncoding(entry: u32, type: u32, encoding: u32): void {
  if (CHECKED && (type == 0 || type > 15 || encoding > 15)) broken('ENTRY-1: no such type');
  if (CHECKED && bytesFor(keyBytes(entry), valueBytes(entry)) > slab.usable(entry))
    broken('ENTRY: key and value are longer than their allocation');
  store<u8>(entry, <u8>(type | (encoding << 4)));
}

/** True when an allocation of KIND_ENTRY is a key. */
@inline
export function isKey(entry: u32): bool {
  return load<u8>(entry) != 0;
}


@inline
export function keyspaceId(entry: u32): u32 {
  return load<u16>(entry, 2);
}


@inline
export function setKeyspaceId(entry: u32, id: u32): void {
  store<u16>(entry, <u16>id, 2);
}


@inline
export function access(entry: u32): u32 {
  return load<u32>(entry, 4);
}


@inline
export function setAccess(entry: u32, value: u32): void {
  store<u32>(entry, value, 4);
}


@inline
export function keyBytes(entry: u32): u32 {
  return load<u32>(entry, 8);
}


@inline
export function key(entry: u32): u32 {
  return entry + HEADER_BYTES;
}


@inline
export function valueBytes(entry: u32): u32 {
  return load<u32>(entry, 12);
}


@inline
export function setValueBytes(entry: u32, bytes: u32): void {
  if (CHECKED && bytesFor(keyBytes(entry), bytes) > slab.usable(entry))
    broken('ENTRY: key and value are longer than their allocation');
  store<u32>(entry, bytes, 12);
}

/** Where the value begins: a string's bytes, an integer's i64, or what another type keeps there. */
@inline
export function value(entry: u32): u32 {
  return entry + HEADER_BYTES + load<u32>(entry, 8);
}


@inline
export function hasExpiry(entry: u32): bool {
  return (load<u8>(entry, 1) & EXPIRES) != 0;
}

/** Unix time in ms at which the key ends, or -1. */
@inline
export function expiry(entry: u32): i64 {
  return hasExpiry(entry) ? load<i64>(entry, 16) : -1;
}


@inline
export function isExpired(entry: u32): bool {
  return hasExpiry(entry) && load<i64>(entry, 16) < clock.ms();
}

/** Bytes of an entry with such a key and value. */
@inline
export function bytesFor(keyBytes: u32, valueBytes: u32): u32 {
  return HEADER_BYTES + keyBytes + valueBytes;
}

/** An allocation for an entry that is not a key yet, its header clear; 0 if out of memory. */
export function reserve(keyBytes: u32, valueBytes: u32): u32 {
  const total = <u64>keyBytes + valueBytes + HEADER_BYTES;
  if (total > 0xf0000000) return 0;
  const entry = slab.alloc(KIND_ENTRY, <u32>total);
  if (entry == 0) return 0;
  store<u32>(entry, 0);
  store<u32>(entry, keyBytes, 8);
  store<u32>(entry, valueBytes, 12);
  return entry;
}

/**
 * The first key entry at or behind an address, in address order, or 0; keys of flushed databases included.
 */
export function next(from: u32): u32 {
  let entry = slab.nextLive(KIND_ENTRY, from);
  while (entry != 0 && !isKey(entry)) entry = slab.nextLive(KIND_ENTRY, entry + 1);
  return entry;
}
