// Extendible hash tables for the tests and the bench, and what their invariants say, looked at.

import { extendibleHash, hashBucket } from '../../../assembly/linked';

export function hashTableBytes(depthMax: u32): u32 {
  return extendibleHash.tableBytes(depthMax);
}

export function hashCreate(table: u32, depthMax: u32): i32 {
  return extendibleHash.create(table, depthMax);
}

export function hashFree(table: u32): void {
  extendibleHash.free(table);
}

export function hashPut(table: u32, key: u64, value: u64): i32 {
  return extendibleHash.put(table, key, value);
}

/** The value, or -1. */
export function hashGet(table: u32, key: u64): i64 {
  const found = extendibleHash.get(table, key);
  return found == 0 ? -1 : load<i64>(found);
}

export function hashRemove(table: u32, key: u64): bool {
  return extendibleHash.remove(table, key);
}

export function hashDepth(table: u32): u32 {
  return extendibleHash.depth(table);
}

export function hashDouble(table: u32): bool {
  return extendibleHash.double(table);
}

/**
 * Keys of EXTENDIBLE-1 and BUCKET-2 as they should be: how many there are in all buckets, or -1 - the
 * directory entry that is wrong.
 */
export function hashCheck(table: u32): i32 {
  const entries: u32 = 1 << extendibleHash.depth(table);
  let keys: i32 = 0;
  for (let i: u32 = 0; i < entries; i++) {
    const bucket = extendibleHash.entryOf(table, i);
    const depth = hashBucket.depthOf(bucket);
    const mask: u32 = (1 << depth) - 1;
    if (mask > entries - 1 || extendibleHash.entryOf(table, i & mask) != bucket) return -1 - i;
    if (i > mask) continue;
    for (let lane: u32 = 1; lane <= 15; lane++) {
      if (load<u8>(bucket + lane) == 0) continue;
      const hash = hashBucket.hashOf(load<u64>(bucket + (lane << 4)));
      if (((<u32>hash) & mask) != i) return -1 - i;
      keys += 1;
    }
  }
  return keys;
}

/** Keys first, first + 1, ... with themselves as values: 0 or what put() failed with. */
export function hashFill(table: u32, first: u64, count: u64): i32 {
  for (let key = first; key < first + count; key++) {
    const failure = extendibleHash.put(table, key, key);
    if (failure != 0) return failure;
  }
  return 0;
}

/** Looks up `count` random keys below `keys`: the sum of their values. */
export function hashLookUp(table: u32, keys: u64, count: u32): u64 {
  let sum: u64 = 0;
  let random: u64 = 1;
  for (let i: u32 = 0; i < count; i++) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const found = extendibleHash.get(table, (random >> 33) % keys);
    sum += found == 0 ? 0 : load<u64>(found);
  }
  return sum;
}
