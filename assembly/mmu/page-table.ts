// The page table: four levels of 512 entries over 36-bit page numbers, in kernel frames.
//
// Interface   create() returns a root. entry() finds the address of a page's PTE; ensure() also creates
//             missing tables. map, unmap, protect and remap work on ranges; translate() is what the hardware
//             does for one access. Tables live as long as the root: the address of an entry stays valid.
// Invariants  PT-1  A table is zeroed before it is linked, and linked once: the loser of a race frees its
//                   own. By construction.
// Concurrency Any vCPU may call entry() and ensure() at any time. In ranges each entry changes atomically,
//             the range does not; vCPUs that edit one range concurrently use a lock of their own. Code that
//             unmaps or protects flushes TLBs (tlb.ts; other vCPUs': shootdown.ts).
// Cost        a walk is four dependent loads; walk-cache.ts makes it one.

import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { PANIC_PAGE_TABLE } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as linkage from './linkage';
import * as pte from './pte';

const LEVEL_BITS: u32 = 9;
const ENTRIES: u32 = 512;
const TOP_SHIFT: u32 = 27;

/** Page numbers are below this. */
export const PAGES_MAX: u64 = 1 << 36;

/** A new, empty table; 0 if no frame is free. */
export function create(): u32 {
  const table = linkage.allocFrame();
  if (table != 0) memory.fill(table, 0, FRAME_BYTES);
  return table;
}


@inline
function cell(table: u32, page: u64, shift: u32): u32 {
  return table + (((<u32>(page >> shift)) & (ENTRIES - 1)) << 3);
}

/** Address of the page's last-level table, 0 if it has none. */
export function tableOf(root: u32, page: u64): u32 {
  let table = root;
  for (let shift = TOP_SHIFT; shift != 0; shift -= LEVEL_BITS) {
    const entry = atomic.load<u64>(cell(table, page, shift));
    if (entry == 0) return 0;
    if (CHECKED && (entry & pte.PRESENT) == 0) panic(PANIC_PAGE_TABLE);
    table = pte.frameOf(entry);
  }
  return table;
}

/** Like tableOf(), but creates missing tables; 0 if no frame is free for one. */
export function ensureTable(root: u32, page: u64): u32 {
  let table = root;
  for (let shift = TOP_SHIFT; shift != 0; shift -= LEVEL_BITS) {
    const at = cell(table, page, shift);
    let entry = atomic.load<u64>(at);
    if (entry == 0) {
      const fresh = create();
      if (fresh == 0) return 0;
      const linked = pte.present(0, fresh, pte.WRITABLE);
      entry = atomic.cmpxchg<u64>(at, 0, linked);
      if (entry == 0) entry = linked;
      else linkage.freeFrame(fresh);
    }
    table = pte.frameOf(entry);
  }
  return table;
}

/** Address of the page's PTE in its last-level table. */
@inline
export function entryIn(table: u32, page: u64): u32 {
  return cell(table, page, 0);
}

/** Address of the page's PTE, 0 if its table does not exist. */
export function entry(root: u32, page: u64): u32 {
  const table = tableOf(root, page);
  return table == 0 ? 0 : cell(table, page, 0);
}

/** Address of the page's PTE, 0 if no frame is free for a table. */
export function ensure(root: u32, page: u64): u32 {
  const table = ensureTable(root, page);
  return table == 0 ? 0 : cell(table, page, 0);
}

/** Number of pages of [page, end) in the last-level table of the first one. */
function span(page: u64, end: u64): u64 {
  return min<u64>(end, (page | (ENTRIES - 1)) + 1) - page;
}

/**
 * Maps `count` pages to adjacent frames, slot = page number. False if no frame is free for a missing table.
 */
export function map(root: u32, page: u64, count: u64, frame: u32, flags: u64): bool {
  if (CHECKED && (page + count > PAGES_MAX || (frame & (FRAME_BYTES - 1)) != 0))
    panic(PANIC_PAGE_TABLE);
  for (let i: u64 = 0; i < count; i++) {
    const at = ensure(root, page + i);
    if (at == 0) return false;
    atomic.store<u64>(at, pte.present(page + i, frame + ((<u32>i) << FRAME_SHIFT), flags));
  }
  return true;
}

/** Clears the entries of the pages; returns how many were present. */
export function unmap(root: u32, page: u64, count: u64): u64 {
  let gone: u64 = 0;
  const end = page + count;
  while (page < end) {
    const some = span(page, end);
    const table = tableOf(root, page);
    for (let i: u64 = 0; table != 0 && i < some; i++)
      gone += atomic.xchg<u64>(cell(table, page + i, 0), 0) & pte.PRESENT;
    page += some;
  }
  return gone;
}

/** Allows or forbids stores to the present pages of the range. */
export function protect(root: u32, page: u64, count: u64, writable: bool): void {
  const end = page + count;
  while (page < end) {
    const some = span(page, end);
    const table = tableOf(root, page);
    for (let i: u64 = 0; table != 0 && i < some; i++) {
      const at = cell(table, page + i, 0);
      if ((atomic.load<u64>(at) & pte.PRESENT) == 0) continue;
      if (writable) atomic.or<u64>(at, pte.WRITABLE);
      else atomic.and<u64>(at, ~pte.WRITABLE);
    }
    page += some;
  }
}

/**
 * Moves the entries of a range, with their frames, to other page numbers; previous entries at `to` are lost.
 * The ranges must not overlap. False if no frame is free for a missing table; then the entries before it
 * have moved.
 */
export function remap(root: u32, from: u64, to: u64, count: u64): bool {
  for (let i: u64 = 0; i < count; i++) {
    const source = entry(root, from + i);
    const value = source == 0 ? 0 : atomic.xchg<u64>(source, 0);
    const target = value == 0 ? entry(root, to + i) : ensure(root, to + i);
    if (target != 0) atomic.store<u64>(target, value);
    else if (value != 0) {
      atomic.store<u64>(source, value);
      return false;
    }
  }
  return true;
}

/** The access of the hardware: the frame's address, after setting ACCESSED (and DIRTY), or 0 = page fault. */
export function translate(root: u32, page: u64, isWrite: bool): u32 {
  const at = entry(root, page);
  if (at == 0) return 0;
  const wanted = isWrite ? pte.PRESENT | pte.WRITABLE : pte.PRESENT;
  const marks = isWrite ? pte.ACCESSED | pte.DIRTY : pte.ACCESSED;
  while (true) {
    const value = atomic.load<u64>(at);
    if ((value & wanted) != wanted) return 0;
    if ((value & marks) == marks || atomic.cmpxchg<u64>(at, value, value | marks) == value)
      return pte.frameOf(value);
  }
}
