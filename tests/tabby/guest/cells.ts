// Pages with pointers to other pages in them, for stress: parents, whose cells name children. Beside each
// cell stands, as a label that is never swizzled, the number that it must lead to. In the designs without
// swips the cells are numbers all the time.
//
//   parent:  CELLS entries of 13 bytes from byte 17 on: u32 label, u32 cell

import { pool } from '../../../assembly/linked';

const PARENTS: u32 = 4;
const CELLS: u32 = 24;
const ENTRIES: u32 = 17;
const ENTRY_BYTES: u32 = 13;
const CELL: u32 = 4;
const SWIZZLED: u32 = 0x80000000;

/**
 * A pointer that did not lead where its label says; a cell that is not a number in a page that is pinned
 * exclusively.
 */
const MISLED: i32 = -1006;
export const NO_NUMBER: i32 = -1007;

/** The last follow() got there: the child's frame, and header; its number. */
export let child: u32 = 0;
export let childSeen: u64 = 0;
export let label: u32 = 0;


@inline
function entryAt(frame: u32, i: u32): u32 {
  return frame + ENTRIES + i * ENTRY_BYTES;
}

function point(frame: u32, i: u32, page: u32): void {
  store<u32>(entryAt(frame, i), page);
  store<u32>(entryAt(frame, i), page, CELL);
}

/** Parents from page `first` on, with children below `pages`. */
export function make(first: u32, pages: u32): i32 {
  for (let parent: u32 = 0; parent < PARENTS; parent++) {
    const frame = pool.createPage(first + parent);
    if (frame == 0) return -pool.failure;
    for (let i: u32 = 0; i < CELLS; i++) point(frame, i, (parent * CELLS + i) % pages);
    pool.release(frame);
  }
  return 0;
}

/**
 * Goes along a pointer: 1 if `child` is what it led to when `childSeen` was its header, 0 if something came
 * in between. Pauses on the way.
 */
export function follow(first: u32, dice: u32, turns: u32): i32 {
  const parent = pool.optimistic(first + (dice % PARENTS));
  if (parent == 0) return -pool.failure;
  const over = pool.seen;
  const entry = entryAt(parent, (dice >> 8) % CELLS);
  label = load<u32>(entry);
  const value = load<u32>(entry, CELL);
  if (!pool.isUnchanged(parent, over)) return 0;
  for (let i: u32 = 0; i < turns; i++) atomic.load<i32>(0);
  child = pool.optimistic(value, entry + CELL, over);
  if (child == 0) return pool.isUnchanged(parent, over) ? -pool.failure : 0;
  childSeen = pool.seen;
  const number = pool.numberIn(value);
  if (!pool.isUnchanged(parent, over)) return 0;
  return childSeen >> 28 == label && number == label ? 1 : MISLED;
}

/**
 * Looks at all cells of a pinned parent, and may let two of them change places and a third name another page.
 */
export function rewrite(first: u32, dice: u32, pages: u32): i32 {
  const frame = pool.exclusive(first + (dice % PARENTS));
  if (frame == 0) return -pool.failure;
  let result: i32 = 0;
  for (let i: u32 = 0; i < CELLS; i++)
    if (load<u32>(entryAt(frame, i)) != load<u32>(entryAt(frame, i), CELL)) result = NO_NUMBER;
  if ((dice & 0x80) != 0) {
    pool.releaseUnchanged(frame);
    return result;
  }
  const a = (dice >> 8) % CELLS;
  const b = (dice >> 13) % CELLS;
  const page = load<u32>(entryAt(frame, a));
  point(frame, a, load<u32>(entryAt(frame, b)));
  point(frame, b, page);
  point(frame, (dice >> 18) % CELLS, dice % pages);
  pool.release(frame);
  return result;
}

/** Cells that hold no number now. */
export function swizzled(first: u32): i32 {
  let count: i32 = 0;
  for (let parent: u32 = 0; parent < PARENTS; parent++) {
    const frame = pool.shared(first + parent);
    if (frame == 0) return -pool.failure;
    for (let i: u32 = 0; i < CELLS; i++)
      count += i32((load<u32>(entryAt(frame, i), CELL) & SWIZZLED) != 0);
    pool.releaseShared(frame);
  }
  return count;
}
