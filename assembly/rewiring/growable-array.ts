// A growable array that never copies: its pages are frames anywhere, found by one flat page table, so it
// grows by mapping frames after its last page. After Schuhknecht, Dittrich, Sharma: RUMA has it, PVLDB 9(10),
// 2016.
//
// Interface   The caller provides tableBytes() of memory for an array: create(), and free() before the memory
//             is used for something else. An element has 1 << shift bytes, shift <= 12; the caller passes the
//             same constant `shift` in every call. at() is the address of an element. Elements are contiguous
//             up to the end of its page, so a scan translates once per page: inPage(). push(), pop(),
//             resize(); append() and move() rewire pages. Elements are not zeroed.
// Invariants  ARRAY-1  Page i is in use if and only if it contains an element below the length; only pages in
//                      use have frames.
//             ARRAY-2  A call that fails has changed nothing.
// Concurrency One vCPU calls functions that change the array. Others may use at() of an element that was
//             published after it was stored (barrier.publish32), unless a vCPU shrinks below it, moves or
//             frees: its page does not move.
// Cost        at(): one load more than base + offset. Another page: 10 ns, where doubling copies 4 KiB for it
//             in 400. The table: 4 bytes per page of the largest size.
//
//   table:   0  u32  length     4  u32  pages in use     8  u32  pages at most     12  u32  shift     64  u32 x pages: frame

import { EINVAL, ENOMEM, ENOSPC } from '../abi/errno';
import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { PANIC_ELEMENT } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as linkage from '../mmu/linkage';

const LENGTH: u32 = 0;
const PAGES: u32 = 4;
const PAGES_MAX: u32 = 8;
const SHIFT: u32 = 12;
const FRAMES: u32 = 64;

/** Bytes of the table of an array of at most `pagesMax` pages; its address is a multiple of 4. */
export function tableBytes(pagesMax: u32): u32 {
  return FRAMES + (pagesMax << 2);
}

/** Creates an empty array at `array`, an address with tableBytes(pagesMax). */
export function create(array: u32, pagesMax: u32, shift: u32): void {
  store<u32>(array, 0, LENGTH);
  store<u32>(array, 0, PAGES);
  store<u32>(array, pagesMax, PAGES_MAX);
  store<u32>(array, shift, SHIFT);
}

/** Frees all frames. The array is then empty. */
export function free(array: u32): void {
  store<u32>(array, 0, LENGTH);
  release(array, 0);
}


@inline
export function length(array: u32): u32 {
  return load<u32>(array, LENGTH);
}

/** Address of the element, which must be below the length. */
@inline
export function at(array: u32, index: u32, shift: u32): u32 {
  if (CHECKED && (index >= length(array) || shift != load<u32>(array, SHIFT))) panic(PANIC_ELEMENT);
  const frame = load<u32>(array + ((index >> (FRAME_SHIFT - shift)) << 2), FRAMES);
  return frame + ((index << shift) & (FRAME_BYTES - 1));
}

/** Number of elements, from this one on, that are contiguous in memory. Some may be beyond the length. */
@inline
export function inPage(index: u32, shift: u32): u32 {
  const count: u32 = FRAME_BYTES >> shift;
  return count - (index & (count - 1));
}

/** Appends an element: its address; 0 if no frame is free for it, or the table is full. */
@inline
export function push(array: u32, shift: u32): u32 {
  const index = load<u32>(array, LENGTH);
  const offset = (index << shift) & (FRAME_BYTES - 1);
  if (offset == 0 && addPage(array) != 0) return 0;
  store<u32>(array, index + 1, LENGTH);
  return load<u32>(array + ((index >> (FRAME_SHIFT - shift)) << 2), FRAMES) + offset;
}

/** Removes the last element; false if there was none. */
export function pop(array: u32, shift: u32): bool {
  const count = length(array);
  if (count == 0) return false;
  resize(array, count - 1, shift);
  return true;
}

/**
 * Sets the number of elements; new ones have undefined content: 0, -ENOMEM, or -ENOSPC if the table is too
 * small.
 */
export function resize(array: u32, count: u32, shift: u32): i32 {
  const before = load<u32>(array, PAGES);
  const pages = pagesOf(count, shift);
  while (load<u32>(array, PAGES) < pages) {
    const failure = addPage(array);
    if (failure == 0) continue;
    release(array, before);
    return failure;
  }
  store<u32>(array, count, LENGTH);
  release(array, pages);
  return 0;
}

/**
 * Appends the elements of `other` without a copy: its pages move to `array`, which leaves it empty. 0;
 * -ENOSPC; -EINVAL if the last page of `array` is not full, or `other` is `array` or has elements of another
 * size.
 */
export function append(array: u32, other: u32): i32 {
  const shift = load<u32>(array, SHIFT);
  const count = length(array);
  const isSame = array == other || load<u32>(other, SHIFT) != shift;
  if (isSame || ((count << shift) & (FRAME_BYTES - 1)) != 0) return -EINVAL;
  const pages = load<u32>(array, PAGES);
  const more = load<u32>(other, PAGES);
  if (more > load<u32>(array, PAGES_MAX) - pages) return -ENOSPC;
  remap(array, pages, other, more);
  store<u32>(array, pages + more, PAGES);
  store<u32>(array, count + length(other), LENGTH);
  store<u32>(other, 0, PAGES);
  store<u32>(other, 0, LENGTH);
  return 0;
}

/**
 * Moves the array to `to`, with a table of another size: 0, or -ENOSPC if its pages do not fit into that
 * table.
 */
export function move(array: u32, to: u32, pagesMax: u32): i32 {
  const pages = load<u32>(array, PAGES);
  if (pages > pagesMax) return -ENOSPC;
  memory.copy(to, array, tableBytes(pages));
  store<u32>(to, pagesMax, PAGES_MAX);
  return 0;
}

function remap(array: u32, page: u32, other: u32, count: u32): void {
  memory.copy(array + FRAMES + (page << 2), other + FRAMES, count << 2);
}

function pagesOf(count: u32, shift: u32): u32 {
  const last: u32 = (FRAME_BYTES >> shift) - 1;
  return (count >> (FRAME_SHIFT - shift)) + <u32>((count & last) != 0);
}

/** Maps a frame after the last page: 0, -ENOMEM or -ENOSPC. */
function addPage(array: u32): i32 {
  const pages = load<u32>(array, PAGES);
  if (pages == load<u32>(array, PAGES_MAX)) return -ENOSPC;
  const frame = linkage.allocFrame();
  if (frame == 0) return -ENOMEM;
  store<u32>(array + (pages << 2), frame, FRAMES);
  store<u32>(array, pages + 1, PAGES);
  return 0;
}

/** Frees the frames of all but the first pages. */
function release(array: u32, pages: u32): void {
  for (let page = load<u32>(array, PAGES); page > pages; page--)
    linkage.freeFrame(load<u32>(array + ((page - 1) << 2), FRAMES));
  store<u32>(array, min(pages, load<u32>(array, PAGES)), PAGES);
}
