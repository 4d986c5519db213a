// The dictionary of a database: from key names to entries.
//
// Interface   A dictionary is a block of DICT_BYTES, zeroed at first. find(), insert(), remove(), replace();
//             random(); scan() by cursor; step() moves one bucket while the table is being resized. insert()
//             may fail for lack of memory, and has then changed nothing.
// Structure   A table is 2^bits buckets of 64 bytes, one cache line:
//
//              0                    12       14     16                                          60      64
//             [12 fingerprints     |present |       |12 entry addresses                         |last  ]
//
//             present  bit per place; bit 12 = the last place holds the address of another bucket of the
//             chain A fingerprint is the top byte of the key's hash; the bucket's number is the low bits.
// Resizing    Two tables, of which `moved` buckets of the first have been emptied into the second. A key is
//             in the second table if the first's bucket for it is below `moved`, else in the first: each
//             look-up reads one chain. A bucket of the second is cleared when the first of its keys' buckets
//             is moved, so that no step takes long.
// Invariants  DICT-1  Only the last bucket of a chain has free places, when no removal is going on.
//             DICT-2  A key present during a whole scan is reported: cursors count with their bits reversed,
//                     so a resize only splits or joins buckets that the scan has not reached, or has.
// Cost        find: one bucket line and one entry, two cache misses. 64 / 12 bytes a key at full tables: 5.9
//             to 11.9.

import * as entry from './entry.ts';
import * as heap from '../bytes/heap.ts';
import * as siphash from '../bytes/siphash.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { slab } from '../../../assembly/index.ts';
import { equal } from '../bytes/copy.ts';

const DICT_BYTES: u32 = 32;
const TABLE: u32 = 0; // u32, 0 = no table yet
const BITS: u32 = 4; // u32
const USED: u32 = 8; // u32, keys in both tables
const NEXT_TABLE: u32 = 12; // u32, 0 = not resizing
const NEXT_BITS: u32 = 16; // u32
const MOVED: u32 = 20; // u32
const CHAINED: u32 = 24; // u32, buckets outside the tables

const BUCKET_SHIFT: u32 = 6;
const PLACES: u32 = 12;
const PRESENT: u32 = 12;
const ENTRIES: u32 = 16;
const LAST: u32 = 60;
const ALL: u32 = 0xfff;
const CHAIN: u32 = 0x1000;
const BITS_MAX: u32 = 25; // 2 GiB of table
const EXPAND_PER_BUCKET: u32 = 10; // keys; above it chains grow
const CHAINED_PER_BUCKET: u32 = 16; // keys; above it a table grows whatever maxmemory says
const SHRINK_PER_BUCKET: u32 = 1;


@inline
export function used(dict: u32): u32 {
  return load<u32>(dict, USED);
}


@inline
export function isResizing(dict: u32): bool {
  return load<u32>(dict, NEXT_TABLE) != 0;
}

/** Buckets of both tables and of the chains. */
export function buckets(dict: u32): u32 {
  let count = load<u32>(dict, CHAINED);
  if (load<u32>(dict, TABLE) != 0) count += 1 << load<u32>(dict, BITS);
  if (isResizing(dict)) count += 1 << load<u32>(dict, NEXT_BITS);
  return count;
}

/** Bytes of the tables and chains. */
export function bytes(dict: u32): u64 {
  return (<u64>buckets(dict)) << BUCKET_SHIFT;
}

/** The first bucket of the chain that a hash belongs to. */
@inline
function chainOf(dict: u32, hash: u64): u32 {
  const index = (<u32>hash) & ((1 << load<u32>(dict, BITS)) - 1);
  if (index < load<u32>(dict, MOVED)) {
    const next = (<u32>hash) & ((1 << load<u32>(dict, NEXT_BITS)) - 1);
    return load<u32>(dict, NEXT_TABLE) + (next << BUCKET_SHIFT);
  }
  return load<u32>(dict, TABLE) + (index << BUCKET_SHIFT);
}

/** Where a key's place is, after locate(). */
let foundBucket: u32 = 0;
let foundPlace: u32 = 0;

function locate(dict: u32, key: u32, keyBytes: u32, hash: u64): u32 {
  if (load<u32>(dict, TABLE) == 0) return 0;
  const print = i8x16.splat(<i8>(hash >> 56));
  let bucket = chainOf(dict, hash);
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

/** The entry of a key, or 0. */
export function find(dict: u32, key: u32, keyBytes: u32, hash: u64): u32 {
  return locate(dict, key, keyBytes, hash);
}

/** Puts another entry with the same key in the place of the one that find() or the like has just met. */
export function replaceFound(by: u32): void {
  store<u32>(foundBucket + (foundPlace << 2), by, ENTRIES);
}

/** Adds an entry whose key is not there. False if out of memory. */
export function insert(dict: u32, added: u32, hash: u64): bool {
  if (load<u32>(dict, TABLE) == 0 && !start(dict)) return false;
  if (isResizing(dict)) step(dict);
  else if (used(dict) >= EXPAND_PER_BUCKET << load<u32>(dict, BITS)) resize(dict);
  if (!put(dict, chainOf(dict, hash), added, hash)) return false;
  store<u32>(dict, used(dict) + 1, USED);
  if (CHECKED && find(dict, entry.key(added), entry.keyBytes(added), hash) != added)
    broken('DICT: an entry that was inserted is not found');
  return true;
}

function start(dict: u32): bool {
  const table = heap.alloc(1 << BUCKET_SHIFT);
  if (table == 0) return false;
  memory.fill(table, 0, 1 << BUCKET_SHIFT);
  store<u32>(dict, table, TABLE);
  store<u32>(dict, 0, BITS);
  return true;
}

function put(dict: u32, first: u32, added: u32, hash: u64): bool {
  let bucket = first;
  let present: u32 = load<u16>(bucket, PRESENT);
  while (present & CHAIN) {
    bucket = load<u32>(bucket, LAST);
    present = load<u16>(bucket, PRESENT);
  }
  if (present == ALL) {
    const child = heap.alloc(1 << BUCKET_SHIFT);
    if (child == 0) return false;
    memory.fill(child, 0, 1 << BUCKET_SHIFT);
    // The last place becomes the link, so what was there moves on.
    store<u8>(child, load<u8>(bucket, PLACES - 1));
    store<u32>(child, load<u32>(bucket, LAST), ENTRIES);
    store<u32>(bucket, child, LAST);
    store<u16>(bucket, <u16>((present & (ALL >> 1)) | CHAIN), PRESENT);
    store<u32>(dict, load<u32>(dict, CHAINED) + 1, CHAINED);
    bucket = child;
    present = 1;
  }
  const place = <u32>ctz(~present);
  store<u8>(bucket + place, <u8>(hash >> 56));
  store<u32>(bucket + (place << 2), added, ENTRIES);
  store<u16>(bucket, <u16>(present | (1 << place)), PRESENT);
  return true;
}

/** Takes a key's entry out and returns it, or 0. The entry itself stays as it is. */
export function remove(dict: u32, key: u32, keyBytes: u32, hash: u64): u32 {
  const removed = locate(dict, key, keyBytes, hash);
  if (removed == 0) return 0;
  const bucket = foundBucket;
  const place = foundPlace;
  clear(dict, chainOf(dict, hash), bucket, place);
  store<u32>(dict, used(dict) - 1, USED);
  if (isResizing(dict)) step(dict);
  return removed;
}

/** Empties a place, and fills it from the end of its chain (DICT-1). */
function clear(dict: u32, first: u32, bucket: u32, place: u32): void {
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
    heap.free(last, 1 << BUCKET_SHIFT);
    store<u32>(dict, load<u32>(dict, CHAINED) - 1, CHAINED);
  }
}

// --- Resizing ----------------------------------------------------------------------------------------------

/** Starts a resize when the table is too small or far too large. Nothing happens for lack of memory. */
export function resize(dict: u32): void {
  if (isResizing(dict) || load<u32>(dict, TABLE) == 0) return;
  const bits = load<u32>(dict, BITS);
  const keys = used(dict);
  let wanted = bits;
  if (keys >= EXPAND_PER_BUCKET << bits) {
    while (wanted < BITS_MAX && keys >= (EXPAND_PER_BUCKET - 2) << wanted) wanted++;
  } else if (keys < SHRINK_PER_BUCKET << bits) {
    while (wanted > 0 && keys < (EXPAND_PER_BUCKET >> 1) << (wanted - 1)) wanted--;
  }
  if (wanted == bits) return;
  // As Redis: a table does not grow beyond maxmemory, unless its chains have become long.
  const isLong = keys >= CHAINED_PER_BUCKET << bits;
  if (wanted > bits && !isLong && !heap.fits((<u64>1) << (<u64>wanted + BUCKET_SHIFT))) return;
  const table = heap.alloc((<u32>1) << (wanted + BUCKET_SHIFT));
  if (table == 0) return;
  store<u32>(dict, table, NEXT_TABLE);
  store<u32>(dict, wanted, NEXT_BITS);
  store<u32>(dict, 0, MOVED);
}

/**
 * Moves one bucket to the new table. False when no resize is going on, or if out of memory.
 */
export function step(dict: u32): bool {
  // One free span holds the chains of a thousand buckets, so that put() below cannot fail half-way.
  if (!isResizing(dict) || !slab.ensureSpans(1)) return false;
  const bits = load<u32>(dict, BITS);
  const nextTable = load<u32>(dict, NEXT_TABLE);
  const nextMask: u32 = (1 << load<u32>(dict, NEXT_BITS)) - 1;
  const moved = load<u32>(dict, MOVED);
  const first = load<u32>(dict, TABLE) + (moved << BUCKET_SHIFT);
  for (let index = moved; index <= nextMask; index += 1 << bits)
    memory.fill(nextTable + (index << BUCKET_SHIFT), 0, 1 << BUCKET_SHIFT);
  while (true) {
    // From the end of the chain, one key after the other.
    let last = first;
    while (load<u16>(last, PRESENT) & CHAIN) last = load<u32>(last, LAST);
    const present: u32 = load<u16>(last, PRESENT);
    if (present == 0) break;
    const top: u32 = 31 - clz(present);
    const key = load<u32>(last + (top << 2), ENTRIES);
    const hash = siphash.hash(entry.key(key), entry.keyBytes(key));
    put(dict, nextTable + (((<u32>hash) & nextMask) << BUCKET_SHIFT), key, hash);
    clear(dict, first, last, top);
  }
  store<u32>(dict, moved + 1, MOVED);
  if (moved + 1 == (<u32>1) << bits) finish(dict);
  return true;
}

function finish(dict: u32): void {
  heap.free(load<u32>(dict, TABLE), 0);
  store<u32>(dict, load<u32>(dict, NEXT_TABLE), TABLE);
  store<u32>(dict, load<u32>(dict, NEXT_BITS), BITS);
  store<u32>(dict, 0, NEXT_TABLE);
  store<u32>(dict, 0, MOVED);
}

// --- Walking -----------------------------------------------------------------------------------------------

/**
 * A key's entry, each with nearly the same chance; 0 when there is none. `random` gives 32 bits at a call.
 */
export function random(dict: u32, random: () => u32): u32 {
  if (used(dict) == 0) return 0;
  // A place number up to twice the size of a bucket, and again if the chain is shorter: no key is favoured.
  for (let turn: u32 = 0; turn < 512; turn++) {
    const bits = <u64>random();
    const found = placeOf(chainOf(dict, bits), random() % (PLACES << 1));
    if (found != 0) return found;
  }
  return firstFrom(dict, random());
}

/** Entry number `index` of a chain, or 0 when it is shorter. */
function placeOf(first: u32, index: u32): u32 {
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

/** The first entry in any bucket from a number on: the way out when the table is nearly empty. */
function firstFrom(dict: u32, start: u32): u32 {
  const larger = max<u32>(load<u32>(dict, BITS), load<u32>(dict, NEXT_BITS));
  const count: u32 = 1 << larger;
  for (let i: u32 = 0; i < count; i++) {
    const bucket = chainOf(dict, <u64>((start + i) & (count - 1)));
    const present: u32 = load<u16>(bucket, PRESENT) & ALL;
    if (present != 0) return load<u32>(bucket + ((<u32>ctz(present)) << 2), ENTRIES);
  }
  return 0;
}

/**
 * Calls `visit` for the keys of the cursor's bucket, in both tables; returns the next cursor, 0 at the end.
 */
export function scan(dict: u32, cursor: u64, visit: (entry: u32) => void): u64 {
  if (used(dict) == 0) return 0;
  const table = load<u32>(dict, TABLE);
  const mask: u64 = ((<u64>1) << (<u64>load<u32>(dict, BITS))) - 1;
  if (!isResizing(dict)) {
    visitChain(table + ((<u32>(cursor & mask)) << BUCKET_SHIFT), visit);
    return following(cursor, mask);
  }
  const next = load<u32>(dict, NEXT_TABLE);
  const nextMask: u64 = ((<u64>1) << (<u64>load<u32>(dict, NEXT_BITS))) - 1;
  const moved = <u64>load<u32>(dict, MOVED);
  const small = min(mask, nextMask);
  const large = max(mask, nextMask);
  const index = cursor & small;
  // The buckets of both tables that share the cursor's low bits; those without content are left out.
  for (let i = index; i <= mask; i += small + 1) {
    if (i >= moved) visitChain(table + ((<u32>i) << BUCKET_SHIFT), visit);
  }
  for (let i = index; i <= nextMask; i += small + 1) {
    if ((i & mask) < moved) visitChain(next + ((<u32>i) << BUCKET_SHIFT), visit);
  }
  return following(cursor, small);
}

/** The cursor behind this one: its bits under the mask are counted up from the highest to the lowest. */
function following(cursor: u64, mask: u64): u64 {
  return reverse(reverse(cursor | ~mask) + 1);
}

/** The bits of a word in the opposite order. */
function reverse(word: u64): u64 {
  word = ((word >> 1) & 0x5555555555555555) | ((word & 0x5555555555555555) << 1);
  word = ((word >> 2) & 0x3333333333333333) | ((word & 0x3333333333333333) << 2);
  word = ((word >> 4) & 0x0f0f0f0f0f0f0f0f) | ((word & 0x0f0f0f0f0f0f0f0f) << 4);
  return bswap<u64>(word);
}

function visitChain(first: u32, visit: (entry: u32) => void): void {
  let bucket = first;
  while (true) {
    const present: u32 = load<u16>(bucket, PRESENT);
    for (
      let places = present & (present & CHAIN ? ALL >> 1 : ALL);
      places != 0;
      places &= places - 1
    )
      visit(load<u32>(bucket + ((<u32>ctz(places)) << 2), ENTRIES));
    if (!(present & CHAIN)) return;
    bucket = load<u32>(bucket, LAST);
  }
}

/**
 * Empties a dictionary bucket by bucket: calls `visit` for each key and forgets it, at most `count` buckets
 * from bucket `from` on. Returns where to go on; frees the tables and returns 0 when all is done.
 */
export function drain(dict: u32, from: u32, count: u32, visit: (entry: u32) => void): u32 {
  if (load<u32>(dict, TABLE) == 0) return 0;
  const size: u32 = 1 << load<u32>(dict, BITS);
  const nextSize: u32 = isResizing(dict) ? 1 << load<u32>(dict, NEXT_BITS) : 0;
  const moved = load<u32>(dict, MOVED);
  let at = from;
  for (let i: u32 = 0; i < count && at < size + nextSize; i++, at++) {
    if (at < size) {
      if (at >= moved) drainChain(load<u32>(dict, TABLE) + (at << BUCKET_SHIFT), visit);
    } else if (((at - size) & (size - 1)) < moved) {
      drainChain(load<u32>(dict, NEXT_TABLE) + ((at - size) << BUCKET_SHIFT), visit);
    }
  }
  if (at < size + nextSize) return at;
  heap.free(load<u32>(dict, TABLE), 0);
  if (nextSize != 0) heap.free(load<u32>(dict, NEXT_TABLE), 0);
  memory.fill(dict, 0, DICT_BYTES);
  return 0;
}

function drainChain(first: u32, visit: (entry: u32) => void): void {
  visitChain(first, visit);
  let chained = load<u16>(first, PRESENT) & CHAIN ? load<u32>(first, LAST) : 0;
  store<u16>(first, 0, PRESENT);
  while (chained != 0) {
    const next = load<u16>(chained, PRESENT) & CHAIN ? load<u32>(chained, LAST) : 0;
    heap.free(chained, 1 << BUCKET_SHIFT);
    chained = next;
  }
}
