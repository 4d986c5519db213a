// Buckets of a dictionary, and chains of them: the keys whose hashes have the same low bits.
//
// Interface   A chain is named by its first bucket, which is zeroed at first; find(), put(), clear(),
//             visit(), drain(). put() and clear() count the buckets behind the first ones in the word at
//             `counter`.
// Structure   A bucket is 64 bytes, one cache line:
//
//              0                    12       14     16                                          60      64
//             [12 fingerprints     |present |       |12 entry addresses                         |last  ]
//
//             present  bit per place; bit 12 = the last place holds the address of the chain's next bucket.
//             A fingerprint is the top byte of the key's hash.
// Invariants  DICT-1  Only the last bucket of a chain has free places.

import * as entry from './entry.ts';
import * as heap from '../bytes/heap.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { equal } from '../bytes/copy.ts';

export const SHIFT: u32 = 6;
const BYTES: u32 = 1 << SHIFT;
export const PLACES: u32 = 12;
const PRESENT: u32 = 12;
const ENTRIES: u32 = 16;
const LAST: u32 = 60;
const ALL: u32 = 0xfff;
const CHAIN: u32 = 0x1000;

/** Makes a chain without keys. */
@inline
export function init(first: u32): void {
  memory.fill(first, 0, BYTES);
}

/** Where a key's place is: set by find() when it returns an entry, and valid until the dictionary changes. */
export let foundBucket: u32 = 0;
export let foundPlace: u32 = 0;

/** The entry of a key, or 0. */
@inline
export function find(first: u32, key: u32, keyBytes: u32, hash: u64): u32 {
  const print = i8x16.splat(<i8>(hash >> 56));
  let bucket = first;
  while (true) {
    const present: u32 = load<u16>(bucket, PRESENT);
    let match = (<u32>i8x16.bitmask(i8x16.eq(v128.load(bucket), print))) & present;
    if (present & CHAIN) match &= ALL >> 1;
    else match &= ALL;
    while (match != 0) {
      const place = <u32>ctz(match);
      const found = load<u32>(bucket + (place << 2), ENTRIES);
      if (entry.keyBytes(found) == keyBytes && equal(entry.key(found), key, keyBytes)) {
        foundBucket = bucket;
        foundPlace = place;
        return found;
      }
      match &= match - 1;
    }
    if (!(present & CHAIN)) return 0;
    bucket = load<u32>(bucket, LAST);
  }
}

/** Puts another entry with the same key in the place of the one that find() has just met. */
export function replaceFound(by: u32): void {
  store<u32>(foundBucket + (foundPlace << 2), by, ENTRIES);
}

/** Adds an entry; false if out of memory. */
export function put(first: u32, added: u32, hash: u64, counter: u32): bool {
  let bucket = first;
  let present: u32 = load<u16>(bucket, PRESENT);
  while (present & CHAIN) {
    bucket = load<u32>(bucket, LAST);
    present = load<u16>(bucket, PRESENT);
  }
  if (present == ALL) {
    const child = heap.alloc(BYTES);
    if (child == 0) return false;
    memory.fill(child, 0, BYTES);
    // The last place becomes the link, so what was there moves on.
    store<u8>(child, load<u8>(bucket, PLACES - 1));
    store<u32>(child, load<u32>(bucket, LAST), ENTRIES);
    store<u32>(bucket, child, LAST);
    store<u16>(bucket, <u16>((present & (ALL >> 1)) | CHAIN), PRESENT);
    store<u32>(counter, load<u32>(counter) + 1);
    bucket = child;
    present = 1;
  }
  const place = <u32>ctz(~present);
  store<u8>(bucket + place, <u8>(hash >> 56));
  store<u32>(bucket + (place << 2), added, ENTRIES);
  store<u16>(bucket, <u16>(present | (1 << place)), PRESENT);
  if (CHECKED) check(first);
  return true;
}

/** Empties a place, and fills it from the end of its chain (DICT-1). */
export function clear(first: u32, bucket: u32, place: u32, counter: u32): void {
  let last = first;
  let before: u32 = 0;
  while (load<u16>(last, PRESENT) & CHAIN) {
    before = last;
    last = load<u32>(last, LAST);
  }
  const present: u32 = load<u16>(last, PRESENT);
  const top: u32 = 31 - clz(present);
  if (last != bucket || place != top) {
    store<u8>(bucket + place, load<u8>(last + top));
    store<u32>(bucket + (place << 2), load<u32>(last + (top << 2), ENTRIES), ENTRIES);
  }
  const left = present & ~(1 << top);
  store<u16>(last, <u16>left, PRESENT);
  if (left == 0 && before != 0) {
    store<u16>(before, <u16>(load<u16>(before, PRESENT) & (ALL >> 1)), PRESENT);
    heap.free(last, BYTES);
    if (CHECKED && load<u32>(counter) == 0) broken('DICT: chained buckets do not add up');
    store<u32>(counter, load<u32>(counter) - 1);
  }
  if (CHECKED) check(first);
}

/** Chooses the last entry of a chain, as find() does, and returns it; 0 when the chain is empty. */
@inline
export function findLast(first: u32): u32 {
  let last = first;
  while (load<u16>(last, PRESENT) & CHAIN) last = load<u32>(last, LAST);
  const present: u32 = load<u16>(last, PRESENT);
  if (present == 0) return 0;
  foundBucket = last;
  foundPlace = 31 - clz(present);
  return load<u32>(last + (foundPlace << 2), ENTRIES);
}

/** Entry number `index` of a chain, or 0 when it is shorter. */
export function at(first: u32, index: u32): u32 {
  let bucket = first;
  while (true) {
    const present: u32 = load<u16>(bucket, PRESENT);
    const places: u32 = present & CHAIN ? PLACES - 1 : PLACES;
    if (index < places) {
      return present & (1 << index) ? load<u32>(bucket + (index << 2), ENTRIES) : 0;
    }
    if (!(present & CHAIN)) return 0;
    index -= places;
    bucket = load<u32>(bucket, LAST);
  }
}

/** Some entry of a chain's first bucket, or 0 when it is empty. */
export function any(first: u32): u32 {
  const present: u32 = load<u16>(first, PRESENT) & ALL;
  return present == 0 ? 0 : load<u32>(first + ((<u32>ctz(present)) << 2), ENTRIES);
}

/** Calls `visit` for each entry. */
export function visit(first: u32, reader: (entry: u32) => void): void {
  let bucket = first;
  while (true) {
    const present: u32 = load<u16>(bucket, PRESENT);
    for (
      let places = present & (present & CHAIN ? ALL >> 1 : ALL);
      places != 0;
      places &= places - 1
    )
      reader(load<u32>(bucket + ((<u32>ctz(places)) << 2), ENTRIES));
    if (!(present & CHAIN)) return;
    bucket = load<u32>(bucket, LAST);
  }
}

/** Calls `visit` for each entry, forgets it, and frees the buckets behind the first. */
export function drain(first: u32, reader: (entry: u32) => void): void {
  visit(first, reader);
  let chained = load<u16>(first, PRESENT) & CHAIN ? load<u32>(first, LAST) : 0;
  store<u16>(first, 0, PRESENT);
  while (chained != 0) {
    const next = load<u16>(chained, PRESENT) & CHAIN ? load<u32>(chained, LAST) : 0;
    heap.free(chained, BYTES);
    chained = next;
  }
}

/** For the checked build: DICT-1, and each place in use has an entry. */
function check(first: u32): void {
  let bucket = first;
  while (true) {
    const present: u32 = load<u16>(bucket, PRESENT);
    const isChained = (present & CHAIN) != 0;
    if (isChained && (present & ALL) != ALL >> 1)
      broken('DICT-1: a free place before the last bucket');
    if (present & ~(ALL | CHAIN)) broken('DICT: a bucket has bits of no place');
    if (!isChained && present == 0 && bucket != first) broken('DICT-1: an empty bucket in a chain');
    for (let places = present & ALL; places != 0; places &= places - 1)
      if (load<u32>(bucket + ((<u32>ctz(places)) << 2), ENTRIES) == 0)
        broken('DICT: a place without an entry');
    if (!isChained) return;
    bucket = load<u32>(bucket, LAST);
  }
}
