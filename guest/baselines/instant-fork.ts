// The paper's "instant" scheme: the snapshot's page table is copied in the background in advance, and every
// change of the main table until then is repeated in it. Taking the snapshot is then a swap of tables.
//
// Cost        take: a swap, and write-protecting what was written since the last one (kept in a list).
//             prepare: one table copy, in the background. Fault: a copy; the old content goes to the
//             snapshot, the main mapping stays.

import * as pt from './page-table';

let child: u32 = 0;
let prepared: u32 = 0;
let written: u32 = 0;
let writtenCount: u32 = 0;

export function setup(pageCount: u32, endPage: u32): void {
  pt.layout(pageCount, 3 * (pageCount << 3) + 4 * pt.PAGE_BYTES, endPage);
  child = pt.reserve(pageCount << 3);
  prepared = pt.reserve(pageCount << 3);
  written = pt.reserve(pageCount << 3);
  writtenCount = 0;
  for (let page: u32 = 0; page < pageCount; page++) {
    pt.setEntry(pt.table, page, pt.entry(pt.table, page) & ~pt.WRITABLE);
  }
  prepare();
}

/** In the background: a fresh copy of the main table for the next snapshot. */
export function prepare(): void {
  memory.copy(prepared, pt.table, pt.pages << 3);
}

export function take(): void {
  const spare = child;
  child = prepared;
  prepared = spare;
  while (writtenCount != 0) {
    const page = load<u32>(written + (--writtenCount << 2));
    pt.setEntry(pt.table, page, pt.entry(pt.table, page) & ~pt.WRITABLE);
  }
}

/** Prioritised copy-on-write: the snapshot gets the copy, the main mapping stays. */
export function fault(page: u32): void {
  const value = pt.entry(pt.table, page);
  if (value & pt.WRITABLE) return;
  pt.setEntry(child, page, ((<u64>pt.copyFrame(pt.frameOf(value))) << 12) | pt.PRESENT);
  pt.setEntry(pt.table, page, value | pt.WRITABLE);
  store<u32>(written + (writtenCount++ << 2), page);
}

export function release(): void {
  for (let page: u32 = 0; page < pt.pages; page++) {
    const frame = pt.frameOf(pt.entry(child, page));
    if (frame != pt.frameOf(pt.entry(pt.table, page))) pt.releaseFrame(frame);
  }
}

export function frameSeen(page: u32, byChild: bool): u32 {
  return pt.frameOf(pt.entry(byChild ? child : pt.table, page));
}
