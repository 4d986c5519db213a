// Swizzled pointers (LeanStore): a parent's child pointer holds the child's frame while the child is hot.
//
// Interface   A swip is the address of a u32 cell in a resident page. The cell holds a page number below
//             2^31, or SWIZZLED | pfn. Readers pass the cell's value to pool.optimistic(), which follows it,
//             and with the cell's address swizzles it; the value counts once the page is validated. found(),
//             cool() and restore() change cells; isLoose() is checked before a page leaves.
// Invariants  SWIP-1  A swizzled cell leads to a frame that holds its child: the cell is unswizzled before
//                     the child leaves.
//             SWIP-2  A page with swizzled children stays: they cool first. So an eviction never writes a
//                     frame address to storage; a flush restores the page first.
//             SWIP-3  A page pinned exclusively has no swizzled children: code that changes it sees page
//                     numbers only.
//             SWIP-4  Each change of a cell advances its page's version, so that an earlier optimistic reader
//                     fails validation.
// Concurrency Cells and lists of a page change under its exclusive latch. Swizzling also holds the child's
//             latch, so the holder of a loose child may evict it. Nothing here waits for a latch.
// Cost        a swizzled step is one load and a test; no look-up. 16 bytes per frame. Differences to
//             LeanStore: every resident page is in the hash table, not only cooling ones; a page that is
//             changed loses its children's swips, which return one by one (splits below a node); there is no
//             cooling stage apart from the clock, which takes a hot page's swip in one round, and the page in
//             the next. The root is found by a hint that the header must confirm.
//
//   links of a frame, 16 bytes:
//     u32 swip that leads here, 0 = none   u32 first swizzled child   u32 next, u32 previous sibling

import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import * as linkage from '../mmu/linkage';
import * as area from '../tabby/area';
import * as header from '../tabby/header';
import * as latch from '../tabby/latch';
import * as operation from '../tabby/operation';

const SWIZZLED: u32 = 0x80000000;
const OFFSET_MASK: u32 = FRAME_BYTES - 1;

const SWIP: u32 = 0;
const FIRST: u32 = 4;
const NEXT: u32 = 8;
const PREVIOUS: u32 = 12;

let links: u32 = 0;
/** Frame of the page that was last found without a cell: a hint. */
let last: u32 = 0;

/** Claims the links of this many frames: their address, or 0 without room. */
export function layout(frames: u32): u32 {
  return linkage.claimFrames(((frames << 4) + FRAME_BYTES - 1) >> FRAME_SHIFT);
}

export function attach(address: u32): void {
  links = address;
  last = 0;
}


@inline
function linksOf(frame: u32): u32 {
  return links + ((frame - area.first) >> (FRAME_SHIFT - 4));
}


@inline
export function isSwizzled(value: u64): bool {
  return value >> 31 == 1;
}


@inline
export function frameOf(value: u64): u32 {
  return (<u32>value) << FRAME_SHIFT;
}

/** Whether no swip leads to the frame, and none from it to others. */
export function isLoose(frame: u32): bool {
  const at = linksOf(frame);
  return (atomic.load<u32>(at, SWIP) | atomic.load<u32>(at, FIRST)) == 0;
}

/** The cell that leads to a frame, 0 = none; for audits in tests. */
export function swipOf(frame: u32): u32 {
  return atomic.load<u32>(linksOf(frame), SWIP);
}

/**
 * The frame to which a cell's value leads, 0 = none. Without a cell, the frame of the last page that was
 * found without one: usually the root of a tree.
 */
@inline
export function follow(value: u64, swip: u32): u32 {
  if (isSwizzled(value)) return frameOf(value);
  return swip == 0 ? last : 0;
}

/** A page was found by its number: swizzles the cell for its next reader. */
export function found(swip: u32, over: u64, frame: u32, seen: u64): void {
  if (swip == 0) last = frame;
  else swizzle(swip, over, frame, seen);
}

/**
 * Tries to make the cell, read while its page's header was `over`, lead to its child's frame, whose header is
 * `seen`.
 */
function swizzle(swip: u32, over: u64, frame: u32, seen: u64): void {
  const parent = swip & ~OFFSET_MASK;
  const now = load<u64>(parent);
  if (now >> header.VERSION_SHIFT != over >> header.VERSION_SHIFT) return;
  if (((now | seen) & header.STATE_MASK) != 0 || operation.isBroken()) return;
  if (!header.swap(parent, now, now | header.EXCLUSIVE)) return;
  if (header.swap(frame, seen, seen | header.EXCLUSIVE)) {
    if (load<u32>(linksOf(frame), SWIP) == 0) {
      store<u32>(swip, SWIZZLED | (frame >> FRAME_SHIFT));
      link(frame, parent, swip);
      bumpVersion(parent);
    }
    latch.release(frame);
  }
  latch.release(parent);
}

/** One step of the clock: a swizzled page without swizzled children becomes loose. Whether it already was. */
export function cool(frame: u32): bool {
  const at = linksOf(frame);
  const swip = atomic.load<u32>(at, SWIP);
  if (atomic.load<u32>(at, FIRST) != 0) return false;
  if (swip == 0) return true;
  const parent = swip & ~OFFSET_MASK;
  if (!latch.tryExclusive(parent)) return false;
  if (load<u32>(at, SWIP) == swip) {
    unlink(frame, parent);
    bumpVersion(parent);
  }
  latch.release(parent);
  return false;
}

/** Turns the cells of a page, held exclusively, back into page numbers. Whether any was swizzled. */
export function restore(frame: u32): bool {
  const at = linksOf(frame);
  if (load<u32>(at, FIRST) == 0) return false;
  while (load<u32>(at, FIRST) != 0) unlink(load<u32>(at, FIRST), frame);
  bumpVersion(frame);
  return true;
}

/** SWIP-4: the holder of the page advances its version. */
function bumpVersion(frame: u32): void {
  const now = load<u64>(frame);
  header.put(frame, now, operation.advance(now));
}

function link(frame: u32, parent: u32, swip: u32): void {
  const at = linksOf(frame);
  const next = load<u32>(linksOf(parent), FIRST);
  store<u32>(at, next, NEXT);
  store<u32>(at, 0, PREVIOUS);
  if (next != 0) store<u32>(linksOf(next), frame, PREVIOUS);
  atomic.store<u32>(linksOf(parent), frame, FIRST);
  atomic.store<u32>(at, swip, SWIP);
}

/** SWIP-1: the child is still in its frame, so its header has the number for the cell. */
function unlink(frame: u32, parent: u32): void {
  const at = linksOf(frame);
  const next = load<u32>(at, NEXT);
  const previous = load<u32>(at, PREVIOUS);
  store<u32>(load<u32>(at, SWIP), <u32>header.pageOf(load<u64>(frame)));
  if (next != 0) store<u32>(linksOf(next), previous, PREVIOUS);
  if (previous != 0) store<u32>(linksOf(previous), next, NEXT);
  else atomic.store<u32>(linksOf(parent), next, FIRST);
  atomic.store<u32>(at, 0, SWIP);
}
