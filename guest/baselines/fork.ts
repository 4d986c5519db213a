// Linux's fork: the page table is copied, both copies lose write permission, and every page's reference count
// goes up by one (paper, figure 2). A count lives in a descriptor of 64 bytes, as struct page does.
//
// Cost        take: one atomic add in a cache line of its own per page, two table writes. Fault: a copy,
//             unless the count says that the page has become private.

import * as pt from './page-table';

const DESCRIPTOR_BYTES: u32 = 64;

let descriptors: u32 = 0;
let child: u32 = 0;

export function setup(pageCount: u32, endPage: u32): void {
  const bytes = endPage * DESCRIPTOR_BYTES;
  pt.layout(pageCount, bytes + (pageCount << 3) + 2 * pt.PAGE_BYTES, endPage);
  descriptors = pt.reserve(bytes);
  child = pt.reserve(pageCount << 3);
  for (let page: u32 = 0; page < pageCount; page++)
    atomic.store<u32>(descriptors + page * DESCRIPTOR_BYTES, 1);
}

function count(frame: u32): u32 {
  return descriptors + frame * DESCRIPTOR_BYTES;
}

export function take(): void {
  for (let page: u32 = 0; page < pt.pages; page++) {
    const value = pt.entry(pt.table, page) & ~pt.WRITABLE;
    pt.setEntry(pt.table, page, value);
    pt.setEntry(child, page, value);
    atomic.add<u32>(count(pt.frameOf(value)), 1);
  }
}

/** First store of the parent to a page after take(). */
export function fault(page: u32): void {
  const value = pt.entry(pt.table, page);
  if (value & pt.WRITABLE) return;
  const frame = pt.frameOf(value);
  if (atomic.load<u32>(count(frame)) == 1) {
    pt.setEntry(pt.table, page, value | pt.WRITABLE);
    return;
  }
  const copy = pt.copyFrame(frame);
  atomic.store<u32>(count(copy), 1);
  atomic.sub<u32>(count(frame), 1);
  pt.setEntry(pt.table, page, ((<u64>copy) << 12) | pt.PRESENT | pt.WRITABLE);
}

export function release(): void {
  for (let page: u32 = 0; page < pt.pages; page++) {
    const frame = pt.frameOf(pt.entry(child, page));
    if (atomic.sub<u32>(count(frame), 1) == 1) pt.releaseFrame(frame);
  }
}

/** Frame of a page in the parent or the child, to check the scheme. */
export function frameSeen(page: u32, byChild: bool): u32 {
  return pt.frameOf(pt.entry(byChild ? child : pt.table, page));
}
