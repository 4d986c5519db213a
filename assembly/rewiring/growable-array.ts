// A growable array that never copies: its pages are frames anywhere, and one flat page table leads to them,
// so that it grows by mapping frames behind its last page. After Schuhknecht, Dittrich, Sharma: RUMA has it,
// PVLDB 9(10), 2016.
//
// Interface   tableBytes() of memory of the caller's hold an array: create(), and free() before the memory is
//             used for something else. An element has 1 << shift bytes, shift <= 12; the caller says the same
//             `shift` in every call, as a constant. at() is the address of an element; elements up to the end
//             of its page are neighbours, so a scan asks once a page: inPage(). push(), pop(), resize();
//             append() and move() rewire pages. Elements are not zeroed.
// Invariants  ARRAY-1  Page i is in use if and only if an element below the length lies in it; only those
//                      have frames.
//             ARRAY-2  A call that fails has changed nothing.
// Concurrency One vCPU calls what changes the array. Others may use at() of an element that was published
//             after it was stored (barrier.publish32), as long as nobody shrinks below it, moves or frees:
//             its page stays where it is.
// Cost        at(): one load more than base + offset. A page more: 10 ns, where doubling copies 4 KiB for it
//             in 400. The table:
//             4 bytes a page of the largest size.
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

/**
 * Memory that an array of at most so many pages needs for its table, at an address that is a multiple of 4.
 */
export function tableBytes(pagesMax: u32): u32 {
  return FRAMES + (pagesMax << 2);
}

/** Makes an empty array at `array`, an address with tableBytes(pagesMax). */
export function create(array: u32, pagesMax: u32, shift: u32): void {
  store<u32>(array, 0, LENGTH);
  store<u32>(array, 0, PAGES);
  store<u32>(array, pagesMax, PAGES_MAX);
  store<u32>(array, shift, SHIFT);
}

/** All frames go back. What is left is an empty array. */
export function free(array: u32): void {
  store<u32>(array, 0, LENGTH);
  release(array, 0);
}


@inline
export function length(array: u32): u32 {
  return load<u32>(array, LENGTH);
}

/** Address of the element, which is below the length. */
@inline
export function at(array: u32, index: u32, shift: u32): u32 {
  if (CHECKED && (index >= length(array) || shift != load<u32>(array, SHIFT))) panic(PANIC_ELEMENT);
  const frame = load<u32>(array + ((index >> (FRAME_SHIFT - shift)) << 2), FRAMES);
  return frame + ((index << shift) & (FRAME_BYTES - 1));
}

/** How many elements, from this one on, are neighbours in memory. Some may be beyond the length. */
@inline
export function inPage(index: u32, shift: u32): u32 {
  const count: u32 = FRAME_BYTES >> shift;
  return count - (index & (count - 1));
}

/** Address of a new last element; 0 when there is no frame for it, or the table is full. */
@inline
export function push(array: u32, shift: u32): u32 {
  const index = load<u32>(array, LENGTH);
  const offset = (index << shift) & (FRAME_BYTES - 1);
  if (offset == 0 && addPage(array) != 0) return 0;
  store<u32>(array, index + 1, LENGTH);
  return load<u32>(array + ((index >> (FRAME_SHIFT - shift)) << 2), FRAMES) + offset;
}

/** The last element is gone; false when there was none. */
export function pop(array: u32, shift: u32): bool {
  const count = length(array);
  if (count == 0) return false;
  resize(array, count - 1, shift);
  return true;
}

/**
 * Gives the array so many elements, of which new ones hold anything: 0, -ENOMEM, or -ENOSPC when the table
 * ends before.
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
 * The elements of `other` come behind those of `array`, without a copy: its pages do, and it is empty then.
 * 0; -ENOSPC; -EINVAL when the last page of `array` is not full, or `other` is `array` or has elements of
 * another size.
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
 * The array is at `to` from now on, with a table of another size: 0, or -ENOSPC when its pages are too many
 * for that.
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

/** Maps a frame behind the last page: 0, -ENOMEM or -ENOSPC. */
function addPage(array: u32): i32 {
  const pages = load<u32>(array, PAGES);
  if (pages == load<u32>(array, PAGES_MAX)) return -ENOSPC;
  const frame = linkage.allocFrame();
  if (frame == 0) return -ENOMEM;
  store<u32>(array + (pages << 2), frame, FRAMES);
  store<u32>(array, pages + 1, PAGES);
  return 0;
}

/** Gives back the frames of all but the first pages. */
function release(array: u32, pages: u32): void {
  for (let page = load<u32>(array, PAGES); page > pages; page--)
    linkage.freeFrame(load<u32>(array + ((page - 1) << 2), FRAMES));
  store<u32>(array, min(pages, load<u32>(array, PAGES)), PAGES);
}
