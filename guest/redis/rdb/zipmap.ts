// Zipmaps: what redis-server before 2.6 keeps small hashes in. Read only.
//
// Format      [count u8, 254 and more = not known] (length, bytes of the field, length, unused u8, bytes of
//             the value, unused bytes)... 0xff. A length is one byte up to 253, or 0xfe and a u32.
// Interface   open() checks the frame; next() gives fields and values by turns until done() or failed.

let cursor: u32 = 0;
let end: u32 = 0; // the closing byte
let isValue: bool = false;

/** True when the frame is right. */
export function open(at: u32, bytes: u32): bool {
  if (bytes < 2) return false;
  end = at + bytes - 1;
  cursor = at + 1;
  isValue = false;
  return load<u8>(end) == 0xff;
}

/** True at the end; a value must not be missing there. */
@inline
export function done(): bool {
  return cursor == end && !isValue;
}

/** Reads a field or a value; false when the data are not a zipmap. */
export function next(): bool {
  if (cursor >= end) return false;
  let length: u32 = load<u8>(cursor);
  let header: u32 = 1;
  if (length == 0xff) return false;
  if (length == 0xfe) {
    header = 5;
    if (end - cursor < 5) return false;
    length = load<u32>(cursor, 1);
  }
  cursor += header;
  let unused: u32 = 0;
  if (isValue) {
    if (cursor == end) return false;
    unused = load<u8>(cursor++);
  }
  if (<u64>length + unused > <u64>(end - cursor)) return false;
  elementAt = cursor;
  elementBytes = length;
  cursor += length + unused;
  isValue = !isValue;
  return true;
}

/** The element. Set by next(), valid until its next call. */
export let elementAt: u32 = 0;
export let elementBytes: u32 = 0;
