// Swizzled pointers (LeanStore): a parent's child pointer holds the child's frame while the child is hot.
//
// Interface   A swip is the address of a u32 cell in a page that is in a frame: a page number below 2^31, or
//             SWIZZLED | pfn. Readers take what is in the cell to pool.optimistic(), which follows it, and
//             with the cell's address swizzles it; what a cell says counts once its page is validated.
//             found(), cool(), restore() change cells; isLoose() before a page leaves.
// Invariants  SWIP-1  A swizzled cell leads to a frame that holds its child: the cell changes back before the
//                     child leaves.
//             SWIP-2  A page with swizzled children stays: they cool first. So no frame address is ever
//                     written to storage by an eviction; a flush restores the page first.
//             SWIP-3  A page that is pinned exclusively has no swizzled children: who changes it moves page
//                     numbers.
//             SWIP-4  Each change of a cell moves its page's version on, so a reader of before finds out.
// Concurrency Cells and lists of a page change under its exclusive latch. A child becomes swizzled with its
//             own latch held too, so who holds a loose child may let it go. Nobody waits for a latch here.
// Cost        a swizzled step is a load and a test less than nothing: no look-up. 16 bytes a frame. Where it
//             is not LeanStore: every resident page is in the hash table, not cooling ones alone; a page that
//             is changed loses its children's swips, which come back one by one (splits below a node); there
//             is no cooling stage beside the clock: it takes a hot page's swip on one round, and the page on
//             the next. The root is found by a hint that the header must confirm.
//
//   links of a frame, 16 bytes:  u32 swip that leads here, 0 = none     u32 first swizzled child     u32 next, u32 previous sibling

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
/** A hint. */
let last: u32 = 0;

/** Address of the links for so many frames, 0 if there is no room. */
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

/** Whether nothing leads to the frame, and nothing from it to others. */
export function isLoose(frame: u32): bool {
  const at = linksOf(frame);
  return (atomic.load<u32>(at, SWIP) | atomic.load<u32>(at, FIRST)) == 0;
}

/** The cell that leads to a frame, 0 = none; for audits. */
export function swipOf(frame: u32): u32 {
  return atomic.load<u32>(linksOf(frame), SWIP);
}

/**
 * The frame that a cell's value leads to, 0 = none. Without a cell, where the last page was that was found
 * without one: the root of a tree, most often.
 */
@inline
export function follow(value: u64, swip: u32): u32 {
  if (isSwizzled(value)) return frameOf(value);
  return swip == 0 ? last : 0;
}

/** A page was found by its number: the next reader of the cell has less to do. */
export function found(swip: u32, over: u64, frame: u32, seen: u64): void {
  if (swip == 0) last = frame;
  else swizzle(swip, over, frame, seen);
}

/**
 * Makes the cell, read when its page's header was `over`, lead to its child's frame, whose header is `seen`;
 * or not.
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

/**
 * One step of the clock: a swizzled page without swizzled children becomes loose. Whether it was loose
 * already.
 */
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

/** The cells of a page, held exclusively, are page numbers again. Whether any was not. */
export function restore(frame: u32): bool {
  const at = linksOf(frame);
  if (load<u32>(at, FIRST) == 0) return false;
  while (load<u32>(at, FIRST) != 0) unlink(load<u32>(at, FIRST), frame);
  bumpVersion(frame);
  return true;
}

/** SWIP-4: the holder of the page changes its version. */
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

/** SWIP-1: the child is in its frame still, so its header says what the cell gets. */
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
