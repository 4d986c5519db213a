// Ziplists: what redis-server before 7.0 keeps small hashes in. Read only.
//
// Format      [bytes u32 | offset of the last entry u32 | count u16] entry... 0xff
//             entry: length of the one before (1 byte, or 0xfe and u32), then 00LLLLLL | 01LLLLLL L |
//             10...... u32 big-endian and that many bytes; or c0 i16 | d0 i32 | e0 i64 | f0 i24 | fe i8 |
//             f1..fd the number 0..12.
// Interface   open() checks the frame; next() gives entry after entry until done() or failed.

import * as number from '../bytes/number.ts';

const HEADER_BYTES: u32 = 10;
/** Bytes that an integer takes as text, at most. */
export const DIGITS_MAX: u32 = 24;

let cursor: u32 = 0;
let end: u32 = 0; // the closing byte

/** Entries of a ziplist, or -1 when its frame is wrong; 65535 = not known. */
export function open(at: u32, bytes: u32): i32 {
  if (bytes < HEADER_BYTES + 1 || load<u32>(at) != bytes) return -1;
  end = at + bytes - 1;
  if (load<u8>(end) != 0xff) return -1;
  cursor = at + HEADER_BYTES;
  return <i32>load<u16>(at, 8);
}


@inline
export function done(): bool {
  return cursor == end;
}


@inline
function has(bytes: u32): bool {
  return end - cursor >= bytes;
}

/**
 * Reads an element, an integer's digits to `digits` (DIGITS_MAX bytes); false when the data are not a
 * ziplist.
 */
export function next(digits: u32): bool {
  if (!has(1)) return false;
  const before: u32 = load<u8>(cursor) == 0xfe ? 5 : 1;
  if (load<u8>(cursor) == 0xff || !has(before + 1)) return false;
  cursor += before;
  const first: u32 = load<u8>(cursor);
  if (first >= 0xc0) return nextInteger(first, digits);
  let header: u32 = 1;
  let length = first & 63;
  if (first >= 0x80) {
    header = 5;
    if (!has(5)) return false;
    length = bswap<u32>(load<u32>(cursor, 1));
  } else if (first >= 0x40) {
    header = 2;
    if (!has(2)) return false;
    length = (length << 8) | load<u8>(cursor, 1);
  }
  cursor += header;
  if (!has(length)) return false;
  elementAt = cursor;
  elementBytes = length;
  cursor += length;
  return true;
}

/** The element. Set by next(), valid until its next call. */
export let elementAt: u32 = 0;
export let elementBytes: u32 = 0;

function nextInteger(first: u32, digits: u32): bool {
  let bytes: u32 = 0;
  if (first == 0xc0) bytes = 2;
  else if (first == 0xd0) bytes = 4;
  else if (first == 0xe0) bytes = 8;
  else if (first == 0xf0) bytes = 3;
  else if (first == 0xfe) bytes = 1;
  else if (first < 0xf1 || first > 0xfd) return false;
  cursor++;
  if (!has(bytes)) return false;
  let value: i64 = 0;
  if (bytes == 0) value = <i64>(first - 0xf1);
  else for (let i: u32 = 0; i < bytes; i++) value |= (<i64>load<u8>(cursor + i)) << (i << 3);
  cursor += bytes;
  if (bytes != 0) {
    const unused: i64 = 64 - (bytes << 3);
    value = (value << unused) >> unused;
  }
  elementAt = digits;
  elementBytes = number.format(digits, value);
  return true;
}
