// Page-table entries: 8 bytes, in the last level and in the levels above.
//
//   bits 63..28  slot: position of the page in storage, present or not     bit 4  DIRTY
//   bits 27..8   pfn, if present                                           bit 3  ACCESSED
//   bits 7..5    free for software                                         bit 2  WRITABLE
//                                                                          bit 1  LOCKED: fault in progress
//                                                                          bit 0  PRESENT
//
// Interface   Pure functions on the value. Zero is a page that was never mapped.
// Concurrency An entry changes only by 64-bit atomics, and only as its owner specifies: page-table.ts,
//             tabby/fault.ts.

export const PRESENT: u64 = 1;
export const LOCKED: u64 = 2;
export const WRITABLE: u64 = 4;
export const ACCESSED: u64 = 8;
export const DIRTY: u64 = 16;
const SLOT_SHIFT: u64 = 28;

const FRAME_MASK: u32 = 0x0fffff00;
const FRAME_SHIFT_LEFT: u32 = 4; // pfn at bit 8, address at bit 12

/** A present entry; `frame` is an address. */
@inline
export function present(slot: u64, frame: u32, flags: u64): u64 {
  return (slot << SLOT_SHIFT) | (<u64>(frame >> FRAME_SHIFT_LEFT)) | flags | PRESENT;
}

/** The entry of a page that is only in storage. */
@inline
export function absent(slot: u64): u64 {
  return slot << SLOT_SHIFT;
}

/** Address of the frame of a present entry. */
@inline
export function frameOf(entry: u64): u32 {
  return ((<u32>entry) & FRAME_MASK) << FRAME_SHIFT_LEFT;
}


@inline
export function slotOf(entry: u64): u64 {
  return entry >> SLOT_SHIFT;
}
