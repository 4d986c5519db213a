// Cursors of SCAN and its like, as clients send them back: unsigned numbers of 64 bits, read as strtoul does.

import * as ascii from './ascii.ts';

/** Reads a text as a cursor; false when it is none. As in C, it ends at a zero byte. */
export function read(at: u32, length: u32): bool {
  let bytes: u32 = 0;
  while (bytes < length && load<u8>(at + bytes) != 0) bytes++;
  let i: u32 = 0;
  const isNegative = bytes != 0 && load<u8>(at) == ascii.MINUS;
  if (isNegative || (bytes != 0 && load<u8>(at) == ascii.PLUS)) i++;
  const first = i;
  let value: u64 = 0;
  for (; i < bytes; i++) {
    const digit = <u64>load<u8>(at + i) - ascii.ZERO;
    if (digit > 9 || value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  parsed = isNegative ? 0 - value : value;
  return first < bytes || bytes == 0;
}

/** The cursor. Set by read() when it returns true, valid until its next call. */
export let parsed: u64 = 0;
