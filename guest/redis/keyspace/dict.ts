// The dictionary of a database: from key names to entries.
//
// Interface   A dictionary is a block of DICT_BYTES, zeroed at first. find(), insert(), remove(), replace();
//             random(); scan() by cursor; step() moves one bucket while the table is being resized. insert()
//             may fail for lack of memory, and has then changed nothing.
// Structure   A table is 2^bits chains of buckets (bucket.ts); a key's is that of the low bits of its hash.
// Resizing    Two tables, of which `moved` buckets of the first have been emptied into the second. A key is
//             in the second table if the first's bucket for it is below `moved`, else in the first: each
//             look-up reads one chain. A bucket of the second is cleared when the first of its keys' buckets
//             is moved, so that no step takes long.
// Invariants  DICT-2  A key present during a whole scan is reported: cursors count with their bits reversed,
//                     so a resize only splits or joins buckets that the scan has not reached, or has.
// Cost        find: one bucket line and one entry, two cache misses. 64 / 12 bytes a key at full tables: 5.9
//             to 11.9.

import * as cursors from '../bytes/cursor.ts';
import * as bucket from './bucket.ts';
import * as entry from './entry.ts';
import * as heap from '../bytes/heap.ts';
import * as siphash from '../bytes/siphash.ts';
import { CHECKED, broken } from '../bytes/checked.ts';
import { slab } from '../../../assembly/index.ts';

const DICT_BYTES: u32 = 32;
const TABLE: u32 = 0; // u32, 0 = no table yet
const BITS: u32 = 4; // u32
const USED: u32 = 8; // u32, keys in both tables
const NEXT_TABLE: u32 = 12; // u32, 0 = not resizing
const NEXT_BITS: u32 = 16; // u32
const MOVED: u32 = 20; // u32
const CHAINED: u32 = 24; // u32, buckets outside the tables

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
  return (<u64>buckets(dict)) << bucket.SHIFT;
}

/** The first bucket of the chain that a hash belongs to. */
@inline
function chainOf(dict: u32, hash: u64): u32 {
  const index = (<u32>hash) & ((1 << load<u32>(dict, BITS)) - 1);
  if (index < load<u32>(dict, MOVED)) {
    const next = (<u32>hash) & ((1 << load<u32>(dict, NEXT_BITS)) - 1);
    return load<u32>(dict, NEXT_TABLE) + (next << bucket.SHIFT);
  }
  return load<u32>(dict, TABLE) + (index << bucket.SHIFT);
}

/** The entry of a key, or 0. */
export function find(dict: u32, key: u32, keyBytes: u32, hash: u64): u32 {
  if (load<u32>(dict, TABLE) == 0) return 0;
  return bucket.find(chainOf(dict, hash), key, keyBytes, hash);
}

/** Adds an entry whose key is not there. False if out of memory. */
export function insert(dict: u32, added: u32, hash: u64): bool {
  if (load<u32>(dict, TABLE) == 0 && !start(dict)) return false;
  if (isResizing(dict)) step(dict);
  else if (used(dict) >= EXPAND_PER_BUCKET << load<u32>(dict, BITS)) resize(dict);
  if (!bucket.put(chainOf(dict, hash), added, hash, dict + CHAINED)) return false;
  store<u32>(dict, used(dict) + 1, USED);
  if (CHECKED && find(dict, entry.key(added), entry.keyBytes(added), hash) != added)
    broken('DICT: an entry that was inserted is not found');
  return true;
}

function start(dict: u32): bool {
  const table = heap.alloc(1 << bucket.SHIFT);
  if (table == 0) return false;
  bucket.init(table);
  store<u32>(dict, table, TABLE);
  store<u32>(dict, 0, BITS);
  return true;
}

/** Takes a key's entry out and returns it, or 0. The entry itself stays as it is. */
export function remove(dict: u32, key: u32, keyBytes: u32, hash: u64): u32 {
  const removed = find(dict, key, keyBytes, hash);
  if (removed == 0) return 0;
  bucket.clear(chainOf(dict, hash), bucket.foundBucket, bucket.foundPlace, dict + CHAINED);
  if (CHECKED && used(dict) == 0) broken('DICT: a key was removed from an empty dictionary');
  store<u32>(dict, used(dict) - 1, USED);
  if (isResizing(dict)) step(dict);
  return removed;
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
  if (wanted > bits && !isLong && !heap.fits((<u64>1) << (<u64>wanted + bucket.SHIFT))) return;
  const table = heap.alloc((<u32>1) << (wanted + bucket.SHIFT));
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
  const first = load<u32>(dict, TABLE) + (moved << bucket.SHIFT);
  for (let index = moved; index <= nextMask; index += 1 << bits)
    bucket.init(nextTable + (index << bucket.SHIFT));
  // From the end of the chain, one key after the other.
  for (let key = bucket.findLast(first); key != 0; key = bucket.findLast(first)) {
    const from = bucket.foundBucket;
    const place = bucket.foundPlace;
    const hash = siphash.hash(entry.key(key), entry.keyBytes(key));
    const to = nextTable + (((<u32>hash) & nextMask) << bucket.SHIFT);
    bucket.put(to, key, hash, dict + CHAINED);
    bucket.clear(first, from, place, dict + CHAINED);
  }
  store<u32>(dict, moved + 1, MOVED);
  if (moved + 1 == (<u32>1) << bits) finish(dict);
  return true;
}

function finish(dict: u32): void {
  if (CHECKED) check(dict);
  heap.free(load<u32>(dict, TABLE), 0);
  store<u32>(dict, load<u32>(dict, NEXT_TABLE), TABLE);
  store<u32>(dict, load<u32>(dict, NEXT_BITS), BITS);
  store<u32>(dict, 0, NEXT_TABLE);
  store<u32>(dict, 0, MOVED);
}

let met: u32 = 0;

/** For the checked build, when the second table has all keys: each is found, and all are counted. */
function check(dict: u32): void {
  met = 0;
  const count: u32 = 1 << load<u32>(dict, NEXT_BITS);
  for (let i: u32 = 0; i < count; i++)
    bucket.visit(load<u32>(dict, NEXT_TABLE) + (i << bucket.SHIFT), meet);
  if (met != used(dict)) broken('DICT: the keys do not add up');
}

function meet(found: u32): void {
  met++;
  if (!entry.isKey(found)) broken('ENTRY-1: an entry of a dictionary has no type');
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
    const found = bucket.at(chainOf(dict, bits), random() % (bucket.PLACES << 1));
    if (found != 0) return found;
  }
  return firstFrom(dict, random());
}

/** The first entry in any bucket from a number on: the way out when the table is nearly empty. */
function firstFrom(dict: u32, start: u32): u32 {
  const larger = max<u32>(load<u32>(dict, BITS), load<u32>(dict, NEXT_BITS));
  const count: u32 = 1 << larger;
  for (let i: u32 = 0; i < count; i++) {
    const found = bucket.any(chainOf(dict, <u64>((start + i) & (count - 1))));
    if (found != 0) return found;
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
    bucket.visit(table + ((<u32>(cursor & mask)) << bucket.SHIFT), visit);
    return cursors.next(cursor, mask);
  }
  const next = load<u32>(dict, NEXT_TABLE);
  const nextMask: u64 = ((<u64>1) << (<u64>load<u32>(dict, NEXT_BITS))) - 1;
  const moved = <u64>load<u32>(dict, MOVED);
  const small = min(mask, nextMask);
  const large = max(mask, nextMask);
  const index = cursor & small;
  // The buckets of both tables that share the cursor's low bits; those without content are left out.
  for (let i = index; i <= mask; i += small + 1) {
    if (i >= moved) bucket.visit(table + ((<u32>i) << bucket.SHIFT), visit);
  }
  for (let i = index; i <= nextMask; i += small + 1) {
    if ((i & mask) < moved) bucket.visit(next + ((<u32>i) << bucket.SHIFT), visit);
  }
  return cursors.next(cursor, small);
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
      if (at >= moved) bucket.drain(load<u32>(dict, TABLE) + (at << bucket.SHIFT), visit);
    } else if (((at - size) & (size - 1)) < moved) {
      bucket.drain(load<u32>(dict, NEXT_TABLE) + ((at - size) << bucket.SHIFT), visit);
    }
  }
  if (at < size + nextSize) return at;
  heap.free(load<u32>(dict, TABLE), 0);
  if (nextSize != 0) heap.free(load<u32>(dict, NEXT_TABLE), 0);
  memory.fill(dict, 0, DICT_BYTES);
  return 0;
}
