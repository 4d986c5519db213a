// The paper's first scheme: the page table is copied and write-protected, but not counted.
// A page that the parent replaces is remembered with its end epoch, and is free when no snapshot is older
// (paper, 4.1).
//
// Cost        take: two table writes a page. Fault: a copy, and an entry of the limbo list.

import * as pt from './page-table';

let child: u32 = 0;
let limbo: u32 = 0;
let limboCount: u32 = 0;
let epoch: u32 = 1;

export function setup(pageCount: u32, endPage: u32): void {
  pt.layout(pageCount, (pageCount << 3) + (pageCount << 3) + 3 * pt.PAGE_BYTES, endPage);
  child = pt.reserve(pageCount << 3);
  limbo = pt.reserve(pageCount << 3);
  limboCount = 0;
}

export function take(): void {
  for (let page: u32 = 0; page < pt.pages; page++) {
    const value = pt.entry(pt.table, page) & ~pt.WRITABLE;
    pt.setEntry(pt.table, page, value);
    pt.setEntry(child, page, value);
  }
  epoch += 1;
}

export function fault(page: u32): void {
  const value = pt.entry(pt.table, page);
  if (value & pt.WRITABLE) return;
  const frame = pt.frameOf(value);
  const copy = pt.copyFrame(frame);
  pt.setEntry(pt.table, page, ((<u64>copy) << 12) | pt.PRESENT | pt.WRITABLE);
  store<u64>(limbo + (limboCount++ << 3), ((<u64>epoch) << 32) | (<u64>frame));
}

/** The only snapshot ends: everything in the limbo list is freed. */
export function release(): void {
  while (limboCount != 0) pt.releaseFrame(<u32>load<u64>(limbo + (--limboCount << 3)));
}

export function frameSeen(page: u32, byChild: bool): u32 {
  return pt.frameOf(pt.entry(byChild ? child : pt.table, page));
}
