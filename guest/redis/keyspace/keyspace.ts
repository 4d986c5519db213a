// The keys of the selected database (space.ts).
//
// Interface   Commands use lookupRead() and lookupWrite(), which delete an expired key. add() links an
//             entry made with entry.reserve() and filled; resizeValue() makes room for another value of a
//             key. signalModified() after each change of a key, addDirty() for each change that a save
//             should count.
// Invariants  KEYS-1  A function that returns 0 or false for lack of memory has changed nothing.
//             KEYS-2  By construction (blocks do not move): entry addresses hold until the next call that
//                     adds, resizes or removes the same key.

import * as clock from '../border/clock.ts';
import * as bucket from './bucket.ts';
import * as dict from './dict.ts';
import * as entry from './entry.ts';
import * as lazyfree from './lazyfree.ts';
import * as lru from './lru.ts';
import * as option from '../config/option.ts';
import * as siphash from '../bytes/siphash.ts';
import * as space from './space.ts';
import * as stats from '../stats/stats.ts';
import * as volatile from './volatile.ts';
import * as watch from './watch.ts';
import { copy } from '../bytes/copy.ts';
import { slab } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

let dirtyCount: u64 = 0;
let childActive: bool = false;

// --- Dirty -----------------------------------------------------------------------------------------------

/** Changes since the last save. */
export function dirty(): u64 {
  return dirtyCount;
}


@inline
export function addDirty(changes: u64): void {
  dirtyCount += changes;
}

export function setDirty(changes: u64): void {
  dirtyCount = changes;
}

/** While a child saves, nothing is written that is not asked for: each first store to a page copies it. */
export function setChildActive(active: bool): void {
  childActive = active;
}


@inline
export function isChildActive(): bool {
  return childActive;
}

/** A key of the selected database has changed: transactions that watch it fail. */
@inline
export function signalModified(key: u32, keyBytes: u32): void {
  if (watch.isAnything()) watch.touch(space.selected(), key, keyBytes);
}

// --- Look-up ---------------------------------------------------------------------------------------------

/** The entry of a key, even an expired one, or 0. Nothing is changed. */
@inline
export function find(key: u32, keyBytes: u32): u32 {
  return dict.find(space.current, key, keyBytes, siphash.hash(key, keyBytes));
}

/** For commands that read: counts a hit or a miss, and notes the access. */
export function lookupRead(key: u32, keyBytes: u32): u32 {
  const found = find(key, keyBytes);
  if (found == 0 || dropIfExpired(found)) {
    stats.add(stats.MISSES, 1);
    return 0;
  }
  stats.add(stats.HITS, 1);
  if (!childActive) lru.touch(found);
  return found;
}

/** For commands that write. */
export function lookupWrite(key: u32, keyBytes: u32): u32 {
  const found = find(key, keyBytes);
  if (found == 0 || dropIfExpired(found)) return 0;
  if (!childActive) lru.touch(found);
  return found;
}

/**
 * For commands that ask about a key without using it, OBJECT or TTL: lookupRead() without noting the
 * access.
 */
export function peek(key: u32, keyBytes: u32): u32 {
  const found = find(key, keyBytes);
  if (found == 0 || dropIfExpired(found)) {
    stats.add(stats.MISSES, 1);
    return 0;
  }
  stats.add(stats.HITS, 1);
  return found;
}

function dropIfExpired(found: u32): bool {
  if (!entry.isExpired(found)) return false;
  expire(found);
  return true;
}

/** Deletes an expired key of the selected database. */
export function expire(found: u32): void {
  stats.add(stats.EXPIRED, 1);
  signalModified(entry.key(found), entry.keyBytes(found));
  removeEntry(found, option.LAZYFREE_LAZY_EXPIRE);
}

// --- Change ----------------------------------------------------------------------------------------------

/**
 * Links an entry from entry.reserve() under the key in it, which is not there yet; it has no expiry. Its
 * value is filled, or follows before the command ends. False if out of memory: the entry is still the
 * caller's.
 */
export function add(made: u32, type: u32, encoding: u32): bool {
  const hash = siphash.hash(entry.key(made), entry.keyBytes(made));
  if (CHECKED && entry.isKey(made) && space.databaseOf(made) != -1)
    broken('ENTRY-1: an entry that is added belongs to a database');
  if (CHECKED && dict.find(space.current, entry.key(made), entry.keyBytes(made), hash) != 0)
    broken('KEYS: a key is added twice');
  entry.setKeyspaceId(made, space.idOf(space.current));
  if (!dict.insert(space.current, made, hash)) return false;
  store<u8>(made, 0, 1);
  entry.setAccess(made, lru.initial());
  entry.setTypeEncoding(made, type, encoding);
  return true;
}

/** A new key with room for a value, linked; 0 if out of memory. */
export function insert(key: u32, keyBytes: u32, type: u32, encoding: u32, valueBytes: u32): u32 {
  const made = entry.reserve(keyBytes, valueBytes);
  if (made == 0) return 0;
  copy(entry.key(made), key, keyBytes);
  if (add(made, type, encoding)) return made;
  slab.free(made);
  return 0;
}

/**
 * Gives a key's entry room for a value of `valueBytes` bytes, keeping what fits of the old one. The entry
 * may move: its address is returned, or 0 if out of memory, and then nothing has changed.
 */
export function resizeValue(old: u32, valueBytes: u32): u32 {
  const total = <u64>entry.HEADER_BYTES + entry.keyBytes(old) + valueBytes;
  if (total > 0xf0000000) return 0;
  if (slab.roundUp(<u32>total) == slab.usable(old) || slab.resize(old, <u32>total)) {
    entry.setValueBytes(old, valueBytes);
    return old;
  }
  const moved = entry.reserve(entry.keyBytes(old), valueBytes);
  if (moved == 0) return 0;
  const kept = min(entry.valueBytes(old), valueBytes);
  copy(moved, old, entry.HEADER_BYTES + entry.keyBytes(old) + kept);
  entry.setValueBytes(moved, valueBytes);
  relink(old, moved);
  slab.free(old);
  return moved;
}

/**
 * Puts an entry with the same key, header filled, in the place of another, which is freed with its value.
 */
export function replace(old: u32, by: u32): void {
  relink(old, by);
  entry.setKeyspaceId(old, entry.NO_KEYSPACE);
  lazyfree.discard(old, option.LAZYFREE_LAZY_SERVER_DEL);
}

function relink(old: u32, by: u32): void {
  const key = entry.key(old);
  const keyBytes = entry.keyBytes(old);
  const found = dict.find(space.current, key, keyBytes, siphash.hash(key, keyBytes));
  if (CHECKED && found != old) broken('KEYS: an entry to replace is not in the dictionary');
  bucket.replaceFound(by);
  if (entry.hasExpiry(by)) volatile.repoint(space.expiring(space.current), by);
}

/**
 * Deletes a key; false when it is not there. An expired key counts as not there, and is deleted too. `why`:
 * see lazyfree.discard().
 */
export function remove(key: u32, keyBytes: u32, why: u32): bool {
  const found = find(key, keyBytes);
  if (found == 0) return false;
  if (dropIfExpired(found)) return false;
  removeEntry(found, why);
  return true;
}

/**
 * Takes a key out of the selected database and frees it, a long value in the background where the option
 * `why` allows that.
 */
export function removeEntry(found: u32, why: u32): void {
  unlink(found);
  lazyfree.discard(found, why);
}

/** Takes a key out of the selected database; the entry is the caller's, without expiry. */
export function unlink(found: u32): void {
  const key = entry.key(found);
  const keyBytes = entry.keyBytes(found);
  const removed = dict.remove(space.current, key, keyBytes, siphash.hash(key, keyBytes));
  if (CHECKED && removed != found) broken('KEYS: another entry was unlinked');
  clearExpiry(found);
  entry.setKeyspaceId(found, entry.NO_KEYSPACE);
}

/** Sets when a key of the selected database ends, Unix time in ms; false if out of memory. */
export function setExpiry(found: u32, ms: i64): bool {
  if (!entry.hasExpiry(found)) {
    if (!volatile.push(space.expiring(space.current), found)) return false;
    store<u8>(found, load<u8>(found, 1) | (<u8>entry.EXPIRES), 1);
  }
  if (CHECKED && !volatile.has(space.expiring(space.current), found))
    broken('KEYS: a key that expires is not among those');
  store<i64>(found, ms, 16);
  return true;
}

/** Makes a key last; false when it had no expiry. */
export function clearExpiry(found: u32): bool {
  if (!entry.hasExpiry(found)) return false;
  volatile.remove(space.expiring(space.current), found);
  store<u8>(found, load<u8>(found, 1) & ~(<u8>entry.EXPIRES), 1);
  return true;
}

// --- Whole databases -------------------------------------------------------------------------------------

/**
 * Empties a database; the keys are freed in the background. How many there were, or -1 if out of
 * memory.
 */
export function flush(database: u32): i64 {
  const old = space.dictOf(database);
  const keys = dict.used(old);
  if (keys == 0) return 0;
  const fresh = space.create(database);
  if (fresh == 0) return -1;
  watch.touchDatabase(database, old, 0);
  space.replace(database, fresh);
  if (CHECKED && volatile.count(space.expiring(old)) > <u32>keys)
    broken('KEYS: more keys expire than there are');
  volatile.clear(space.expiring(old));
  lazyfree.drainKeyspace(old);
  return keys;
}

/** Exchanges the contents of two databases. */
export function swap(a: u32, b: u32): void {
  if (a == b) return;
  const first = space.dictOf(a);
  const second = space.dictOf(b);
  watch.touchDatabase(a, first, second);
  watch.touchDatabase(b, second, first);
  space.exchange(a, b);
}

/** Bytes of memory that one key takes, bucket included. */
export function bytesOf(found: u32): u32 {
  return slab.usable(found) + 6 + (entry.hasExpiry(found) ? 4 : 0);
}

/** Now, for callers that compare expiries. */
@inline
export function now(): i64 {
  return clock.ms();
}
