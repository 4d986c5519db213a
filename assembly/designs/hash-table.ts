// The page table of the traditional pool: a chained hash table of the resident pages, with a latch per
// bucket.
//
// Interface   find(page) returns the frame or 0; insert() returns 0, or the frame of another vCPU that was
//             faster; remove(). layout() once, attach() per vCPU.
// Concurrency A bucket's latch is a spin lock, held while its chain is walked.
// Cost        two cache misses and two atomic stores in addition to the page's own.
//
//   bucket, 8 bytes:  u32 latch, u32 first frame      node, 16 bytes per frame:  u64 page, u32 next frame

import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import * as spinlock from '../machine/spinlock';
import * as linkage from '../mmu/linkage';
import * as area from '../tabby/area';

const HEAD: u32 = 4;
const NEXT: u32 = 8;

let buckets: u32 = 0;
let shift: u64 = 0;
let nodes: u32 = 0;

/** Claims a table for this many frames: its address, or 0 without room. */
export function layout(frames: u32): u32 {
  const bytes = (bucketCount(frames) << 3) + (frames << 4);
  return linkage.claimFrames((bytes + FRAME_BYTES - 1) >> FRAME_SHIFT);
}

/** A power of two, at least the number of frames. */
function bucketCount(frames: u32): u32 {
  return 1 << (32 - clz<u32>(frames - 1));
}

export function attach(table: u32): void {
  const count = bucketCount(area.frames);
  buckets = table;
  nodes = table + (count << 3);
  shift = 64 - ctz<u64>(count);
}


@inline
export function bucketOf(page: u64): u32 {
  return buckets + ((<u32>((page * 0x9e3779b97f4a7c15) >> shift)) << 3);
}


@inline
function nodeOf(frame: u32): u32 {
  return nodes + ((frame - area.first) >> (FRAME_SHIFT - 4));
}

function latch(bucket: u32): void {
  let turn: u32 = 0;
  while (atomic.cmpxchg<u32>(bucket, 0, 1) != 0) spinlock.pause(turn++, bucket);
}


@inline
function unlatch(bucket: u32): void {
  atomic.store<u32>(bucket, 0);
}


@inline
function search(bucket: u32, page: u64): u32 {
  let frame = load<u32>(bucket, HEAD);
  while (frame != 0 && load<u64>(nodeOf(frame)) != page) frame = load<u32>(nodeOf(frame), NEXT);
  return frame;
}

export function find(page: u64): u32 {
  return findIn(bucketOf(page), page);
}

/** find() in the page's bucket. */
export function findIn(bucket: u32, page: u64): u32 {
  latch(bucket);
  const frame = search(bucket, page);
  unlatch(bucket);
  return frame;
}

export function insert(page: u64, frame: u32): u32 {
  const bucket = bucketOf(page);
  latch(bucket);
  const other = search(bucket, page);
  if (other == 0) {
    store<u64>(nodeOf(frame), page);
    store<u32>(nodeOf(frame), load<u32>(bucket, HEAD), NEXT);
    store<u32>(bucket, frame, HEAD);
  }
  unlatch(bucket);
  return other;
}

/** Removes the page, which must be in the table, at `frame`. */
export function remove(page: u64, frame: u32): void {
  const bucket = bucketOf(page);
  latch(bucket);
  let link = bucket + HEAD;
  while (load<u32>(link) != frame) link = nodeOf(load<u32>(link)) + NEXT;
  store<u32>(link, load<u32>(nodeOf(frame), NEXT));
  unlatch(bucket);
}
