// The page table that the three comparison designs share: flat, 8-byte entries, as the last level of
// x86-64's.
//
//   bits 63..12  frame number      bit 1  writable      bit 0  present
//
// Interface   `table` is the main table; copies are in the table area, one after the other. The contents of a
//             frame are at frame number * PAGE_BYTES. Everything is private to this module's own memory.

export const PAGE_BYTES: u32 = 4096;
export const PRESENT: u64 = 1;
export const WRITABLE: u64 = 2;

/** Pages of the main image; set by layout(). */
export let pages: u32 = 0;
export let table: u32 = 0;
let tablesEnd: u32 = 0;
let nextFrame: u32 = 0;
let framesEnd: u32 = 0;
let freeFrame: u32 = 0;

/** A region for `bytes` bytes of bookkeeping, aligned to a page. */
export function reserve(bytes: u32): u32 {
  const at = tablesEnd;
  tablesEnd += (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  return at;
}

/** Lays out `count` pages at the bottom of memory, then bookkeeping, then frames for copies up to `end`. */
export function layout(count: u32, bookkeepingBytes: u32, endPage: u32): void {
  pages = count;
  tablesEnd = count * PAGE_BYTES;
  table = reserve(count << 3);
  nextFrame = (tablesEnd + bookkeepingBytes + PAGE_BYTES - 1) / PAGE_BYTES;
  framesEnd = endPage;
  freeFrame = 0;
  for (let page: u32 = 0; page < count; page++)
    setEntry(table, page, ((<u64>page) << 12) | PRESENT | WRITABLE);
}


@inline
export function entry(base: u32, page: u32): u64 {
  return load<u64>(base + (page << 3));
}


@inline
export function setEntry(base: u32, page: u32, value: u64): void {
  store<u64>(base + (page << 3), value);
}


@inline
export function frameOf(value: u64): u32 {
  return <u32>(value >> 12);
}

export function allocFrame(): u32 {
  if (freeFrame != 0) {
    const frame = freeFrame;
    freeFrame = load<u32>(frame * PAGE_BYTES);
    return frame;
  }
  if (nextFrame == framesEnd) unreachable();
  return nextFrame++;
}

export function releaseFrame(frame: u32): void {
  store<u32>(frame * PAGE_BYTES, freeFrame);
  freeFrame = frame;
}

export function copyFrame(from: u32): u32 {
  const to = allocFrame();
  memory.copy(to * PAGE_BYTES, from * PAGE_BYTES, PAGE_BYTES);
  return to;
}
