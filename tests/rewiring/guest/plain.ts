// What the rewired structures are compared with: an array that doubles by copying, and an extendible hash
// table with a flat directory that doubles by copying. Both have their memory beforehand, so that a growth is
// a copy and nothing else.

import { ENOMEM, ENOSPC } from '../../../assembly/abi/errno';
import { hashBucket, linkage } from '../../../assembly/linked';

//   array:   0  u32  length     4  u32  capacity     8  u32  elements     12  u32  where the next larger ones go
export function plainCreate(array: u32, elements: u32, capacity: u32): void {
  store<u32>(array, 0);
  store<u32>(array, capacity, 4);
  store<u32>(array, elements, 8);
  store<u32>(array, elements + (capacity << 3), 12);
}

export function plainPush(array: u32, value: u64): void {
  const length = load<u32>(array);
  if (length == load<u32>(array, 4)) plainDouble(array);
  store<u64>(load<u32>(array, 8) + (length << 3), value);
  store<u32>(array, length + 1);
}

/** Twice the capacity, in memory behind all that was used so far. */
export function plainDouble(array: u32): void {
  const capacity = load<u32>(array, 4);
  const target = load<u32>(array, 12);
  memory.copy(target, load<u32>(array, 8), load<u32>(array) << 3);
  store<u32>(array, capacity << 1, 4);
  store<u32>(array, target, 8);
  store<u32>(array, target + (capacity << 4), 12);
}

export function plainProduce(array: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) plainPush(array, i);
}

export function plainSum(array: u32): u64 {
  const elements = load<u32>(array, 8);
  const length = load<u32>(array);
  let total: u64 = 0;
  for (let i: u32 = 0; i < length; i++) total += load<u64>(elements + (i << 3));
  return total;
}

/** Sum of `count` random elements. */
export function plainLookUp(array: u32, count: u32): u64 {
  const elements = load<u32>(array, 8);
  const length = load<u32>(array);
  let total: u64 = 0;
  let random: u32 = 1;
  for (let i: u32 = 0; i < count; i++) {
    random = random * 1664525 + 1013904223;
    total += load<u64>(elements + (((random >> 4) % length) << 3));
  }
  return total;
}

//   table:   0  u32  entries of the directory - 1     4  u32  depthMax     8  u32  next free bucket     64  u32 x entries: bucket
export function plainHashBytes(depthMax: u32): u32 {
  return 64 + (4 << depthMax);
}

export function plainHashCreate(table: u32, depthMax: u32): i32 {
  store<u32>(table, 0);
  store<u32>(table, depthMax, 4);
  store<u32>(table, 0, 8);
  const first = allocBucket(table);
  if (first == 0) return -ENOMEM;
  hashBucket.clear(first, 0);
  store<u32>(table, first, 64);
  return 0;
}


@inline
function bucketOf(table: u32, hash: u64): u32 {
  return load<u32>(table + (((<u32>hash) & load<u32>(table)) << 2), 64);
}

function plainPut(table: u32, key: u64, value: u64): i32 {
  const hash = hashBucket.hashOf(key);
  const found = hashBucket.find(bucketOf(table, hash), hash, key);
  if (found != 0) {
    store<u64>(found, value);
    return 0;
  }
  while (!hashBucket.insert(bucketOf(table, hash), hash, key, value)) {
    const failure = plainSplit(table, hash);
    if (failure != 0) return failure;
  }
  return 0;
}

function plainSplit(table: u32, hash: u64): i32 {
  const old = bucketOf(table, hash);
  const bit = hashBucket.depthOf(old);
  if (bit == popcnt(load<u32>(table)) && !plainHashDouble(table)) return -ENOSPC;
  const fresh = allocBucket(table);
  if (fresh == 0) return -ENOMEM;
  hashBucket.split(old, fresh);
  const entries = load<u32>(table) + 1;
  const first = ((<u32>hash) & ((1 << bit) - 1)) | (1 << bit);
  for (let i = first; i < entries; i += 2 << bit) store<u32>(table + (i << 2), fresh, 64);
  return 0;
}

export function plainHashDouble(table: u32): bool {
  if (popcnt(load<u32>(table)) == load<u32>(table, 4)) return false;
  const entries = load<u32>(table) + 1;
  memory.copy(table + 64 + (entries << 2), table + 64, entries << 2);
  store<u32>(table, (entries << 1) - 1);
  return true;
}

export function plainHashFill(table: u32, first: u64, count: u64): i32 {
  for (let key = first; key < first + count; key++) {
    const failure = plainPut(table, key, key);
    if (failure != 0) return failure;
  }
  return 0;
}

export function plainHashLookUp(table: u32, keys: u64, count: u32): u64 {
  let sum: u64 = 0;
  let random: u64 = 1;
  for (let i: u32 = 0; i < count; i++) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const key = (random >> 33) % keys;
    const hash = hashBucket.hashOf(key);
    const found = hashBucket.find(bucketOf(table, hash), hash, key);
    sum += found == 0 ? 0 : load<u64>(found);
  }
  return sum;
}

/** Its frames stay: what is measured is one table after the other. */
function allocBucket(table: u32): u32 {
  let next = load<u32>(table, 8);
  if (next == 0) {
    next = linkage.allocFrame();
    if (next == 0) return 0;
  }
  const after = next + hashBucket.BUCKET_BYTES;
  store<u32>(table, (after & 4095) == 0 ? 0 : after, 8);
  return next;
}
