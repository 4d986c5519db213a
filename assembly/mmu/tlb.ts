// TLB: a direct-mapped cache of translations, per vCPU.
//
// Interface   attach(address): TLB_BYTES of this vCPU's own. at(page) is the cell for a page; the fast paths
//             of tabby/pool.ts load it themselves. fill(), invlpg(), flush().
// Invariants  TLB-1  An entry may be stale. Code that uses one either validates what it leads to (Tabby: the
//                    page header), or makes all vCPUs flush before a translation ends (shootdown.ts).
// Concurrency This vCPU alone.
//
//   entry:   bits 63..28  page number     bits 27..8  pfn     bits 7..0  0        empty: EMPTY_*
//
// The layout matches page headers and PTEs, so that one shift compares, and one mask extracts the frame.

import { FRAME_BYTES } from '../abi/limits';
import { PANIC_PAGE_TABLE } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as pte from './pte';

const TLB_ENTRIES: u32 = 4096;
export const TLB_BYTES: u32 = TLB_ENTRIES * 8;
export const PAGE_SHIFT: u64 = 28;

// An empty cell names a page that belongs to the neighbouring cell, so it never matches.
const EMPTY_EVEN: u64 = 1 << 28;
const EMPTY_ODD: u64 = 0;

let tlb: u32 = 0;

export function attach(address: u32): void {
  tlb = address;
  flush();
}

/** Address of the page's cell. */
@inline
export function at(page: u64): u32 {
  return tlb + (((<u32>page) & (TLB_ENTRIES - 1)) << 3);
}

/** Address of the page's frame, or 0 on a miss. */
@inline
export function lookup(page: u64): u32 {
  const entry = load<u64>(at(page));
  return entry >> PAGE_SHIFT == page ? pte.frameOf(entry) : 0;
}


@inline
export function fill(page: u64, frame: u32): void {
  if (CHECKED && (page >> 36 != 0 || (frame & (FRAME_BYTES - 1)) != 0)) panic(PANIC_PAGE_TABLE);
  store<u64>(at(page), pte.present(page, frame, 0) ^ pte.PRESENT);
}

export function invlpg(page: u64): void {
  const cell = at(page);
  if (load<u64>(cell) >> PAGE_SHIFT == page) store<u64>(cell, (page ^ 1) << PAGE_SHIFT);
}

export function flush(): void {
  const empty = i64x2(EMPTY_EVEN, EMPTY_ODD);
  for (let cell = tlb; cell < tlb + TLB_BYTES; cell += 32) {
    v128.store(cell, empty);
    v128.store(cell, empty, 16);
  }
}
