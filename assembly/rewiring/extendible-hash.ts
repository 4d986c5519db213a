// An extendible hash table whose directory is rewired: when it doubles, its upper half gets the frames of its
// lower half, so that 4 bytes are copied for each 4 KiB of directory. A page of it is copied when a split
// makes its two uses differ. The table: Fagin, Nievergelt, Pippenger, Strong, TODS 4(3), 1979; rewired
// directories: Schuhknecht et al., PVLDB 9(10), 2016.
//
// Interface   The caller provides tableBytes() of memory for a table: create(), free(). get(), put() and
//             remove() of u64 keys with u64 values. Buckets split and never merge. `depthMax` bounds the
//             directory to 2^depthMax entries.
// Invariants  EXTENDIBLE-1  Directory entry i leads to the bucket of all keys whose hash ends in the last d
//                           bits of i, where d is the depth of the bucket; entries that agree in these bits
//                           are equal.
//             EXTENDIBLE-2  Pages of the directory that agree in the last d bits of their number, where d is
//                           the depth of the page, are one frame, and have the same depth.
//             EXTENDIBLE-3  A call that fails has changed no key.
// Concurrency One vCPU at a time.
// Cost        get(): one load more than with a flat directory, of a page table that is in the cache (4 bytes
//             per 1024 buckets). A doubling: 5 bytes per page of the directory, where copying costs 4096. A
//             page is copied each time that it becomes two, and not before: the copies of a doubling are
//             spread over the splits after it.
//
//   table:   0  u32  entries of the directory - 1     4  u32  depthMax     8  u32  next free bucket, 0: its frame is full
//           64  u32 x pages: frame     then  u8 x pages: depth of the page

import { ENOMEM, ENOSPC } from '../abi/errno';
import { FRAME_BYTES } from '../abi/limits';
import * as linkage from '../mmu/linkage';
import * as bucket from './hash-bucket';

const MASK: u32 = 0;
const DEPTH_MAX: u32 = 4;
const NEXT: u32 = 8;
const FRAMES: u32 = 64;

const PAGE_SHIFT: u32 = 10; // entries of 4 bytes in a page
const IN_PAGE: u32 = 1023;


@inline
function pagesMax(depthMax: u32): u32 {
  return depthMax <= PAGE_SHIFT ? 1 : 1 << (depthMax - PAGE_SHIFT);
}

/**
 * Memory that a table of at most 2^depthMax directory entries needs, at an address that is a multiple of 4.
 * depthMax <= 30.
 */
export function tableBytes(depthMax: u32): u32 {
  return FRAMES + pagesMax(depthMax) * 5;
}

/** Creates an empty table: 0 or -ENOMEM. */
export function create(table: u32, depthMax: u32): i32 {
  store<u32>(table, 0, MASK);
  store<u32>(table, depthMax, DEPTH_MAX);
  store<u32>(table, 0, NEXT);
  const page = linkage.allocFrame();
  if (page == 0) return -ENOMEM;
  const first = allocBucket(table);
  if (first == 0) {
    linkage.freeFrame(page);
    return -ENOMEM;
  }
  bucket.clear(first, 0);
  store<u32>(page, first);
  store<u32>(table, page, FRAMES);
  store<u8>(pageDepthAt(table, 0), 0);
  return 0;
}

/** Frees all frames; the table can be created again. */
export function free(table: u32): void {
  const entries = load<u32>(table, MASK) + 1;
  // Of all entries that lead to a bucket, the first has no bit above its depth; the first bucket of a frame
  // represents the frame.
  let buckets: u32 = 0;
  for (let i: u32 = 0; i < entries; i++) {
    const found = entryOf(table, i);
    if (i >> bucket.depthOf(found) != 0 || (found & (FRAME_BYTES - 1)) != 0) continue;
    store<u32>(found, buckets, 16);
    buckets = found;
  }
  const pages = ((entries - 1) >> PAGE_SHIFT) + 1;
  for (let page: u32 = 0; page < pages; page++)
    if (page >> load<u8>(pageDepthAt(table, page)) == 0) linkage.freeFrame(frameOf(table, page));
  while (buckets != 0) {
    const next = load<u32>(buckets, 16);
    linkage.freeFrame(buckets);
    buckets = next;
  }
}


@inline
function frameOf(table: u32, page: u32): u32 {
  return load<u32>(table + (page << 2), FRAMES);
}


@inline
function pageDepthAt(table: u32, page: u32): u32 {
  return table + FRAMES + (pagesMax(load<u32>(table, DEPTH_MAX)) << 2) + page;
}

/** The bucket to which directory entry `index` leads. */
@inline
export function entryOf(table: u32, index: u32): u32 {
  return load<u32>(frameOf(table, index >> PAGE_SHIFT) + ((index & IN_PAGE) << 2));
}

/** Number of bits of a hash that select a directory entry. */
export function depth(table: u32): u32 {
  return popcnt(load<u32>(table, MASK));
}


@inline
function bucketOf(table: u32, hash: u64): u32 {
  return entryOf(table, (<u32>hash) & load<u32>(table, MASK));
}

/** Address of the key's value, 0 if the key is absent. */
@inline
export function get(table: u32, key: u64): u32 {
  const hash = bucket.hashOf(key);
  return bucket.find(bucketOf(table, hash), hash, key);
}

/** 0; -ENOMEM; -ENOSPC if more than 15 keys agree in the last depthMax bits of their hash. */
export function put(table: u32, key: u64, value: u64): i32 {
  const hash = bucket.hashOf(key);
  const found = bucket.find(bucketOf(table, hash), hash, key);
  if (found != 0) {
    store<u64>(found, value);
    return 0;
  }
  while (!bucket.insert(bucketOf(table, hash), hash, key, value)) {
    const failure = split(table, hash);
    if (failure != 0) return failure;
  }
  return 0;
}

/** False if the key was absent. */
export function remove(table: u32, key: u64): bool {
  const hash = bucket.hashOf(key);
  const home = bucketOf(table, hash);
  const found = bucket.find(home, hash, key);
  if (found != 0) bucket.remove(home, found);
  return found != 0;
}

/** Splits the bucket of that hash. */
function split(table: u32, hash: u64): i32 {
  const old = bucketOf(table, hash);
  const bit = bucket.depthOf(old);
  if (bit == depth(table) && !double(table)) return -ENOSPC;
  const own = (<u32>hash) & ((1 << bit) - 1);
  const failure = separate(table, own, bit);
  if (failure != 0) return failure;
  const fresh = allocBucket(table);
  if (fresh == 0) return -ENOMEM;
  bucket.split(old, fresh);
  link(table, own | (1 << bit), bit + 1, fresh);
  return 0;
}

/**
 * Doubles the directory: its upper half gets the entries (within one page) or the frames of its lower half.
 * False if it has its maximum size.
 */
export function double(table: u32): bool {
  if (depth(table) == load<u32>(table, DEPTH_MAX)) return false;
  const entries = load<u32>(table, MASK) + 1;
  store<u32>(table, (entries << 1) - 1, MASK);
  if (entries <= IN_PAGE) {
    const page = frameOf(table, 0);
    memory.copy(page + (entries << 2), page, entries << 2);
    return true;
  }
  const pages = entries >> PAGE_SHIFT;
  memory.copy(table + FRAMES + (pages << 2), table + FRAMES, pages << 2);
  memory.copy(pageDepthAt(table, pages), pageDepthAt(table, 0), pages);
  return true;
}

/**
 * Copies pages of the directory until the entries that end in `own` share none with those that also have
 * `bit`.
 */
function separate(table: u32, own: u32, bit: u32): i32 {
  if (bit < PAGE_SHIFT) return 0; // both kinds are in the same pages, at different entries
  const page = own >> PAGE_SHIFT;
  while (true) {
    const deep = <u32>load<u8>(pageDepthAt(table, page));
    if (deep > bit - PAGE_SHIFT) return 0;
    const copy = linkage.allocFrame();
    if (copy == 0) return -ENOMEM;
    memory.copy(copy, frameOf(table, page), FRAME_BYTES);
    const pages = (load<u32>(table, MASK) >> PAGE_SHIFT) + 1;
    const step: u32 = 1 << deep;
    for (let i: u32 = page & (step - 1); i < pages; i += step) {
      store<u8>(pageDepthAt(table, i), deep + 1);
      if (i & step) store<u32>(table + (i << 2), copy, FRAMES);
    }
  }
}

/** Makes every entry that ends in the `bits` bits of `low` lead to that bucket. */
function link(table: u32, low: u32, bits: u32, to: u32): void {
  const step: u32 = 1 << bits;
  const entries = load<u32>(table, MASK) + 1;
  for (let i = low; i < entries;) {
    const page = i >> PAGE_SHIFT;
    const isFirst = page >> load<u8>(pageDepthAt(table, page)) == 0;
    if (isFirst || step > IN_PAGE) {
      store<u32>(frameOf(table, page) + ((i & IN_PAGE) << 2), to);
      i += step;
    } else i = ((page + 1) << PAGE_SHIFT) + (low & (min(step, IN_PAGE + 1) - 1)); // by another name
  }
}

/** A bucket of 256 bytes; 0 if no frame is free. */
function allocBucket(table: u32): u32 {
  let next = load<u32>(table, NEXT);
  if (next == 0) {
    next = linkage.allocFrame();
    if (next == 0) return 0;
  }
  const after = next + bucket.BUCKET_BYTES;
  store<u32>(table, (after & (FRAME_BYTES - 1)) == 0 ? 0 : after, NEXT);
  return next;
}
