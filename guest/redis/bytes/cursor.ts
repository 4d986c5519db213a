// Cursors of SCAN and its like: read as clients send them back (unsigned, 64 bits, as strtoul does), and
// moved on.

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

/**
 * The cursor behind this one: its bits under the mask are counted up from the highest to the lowest; 0 at the
 * end. A table that has doubled or halved in between only splits or joins buckets that have all been visited,
 * or all not.
 */
export function next(cursor: u64, mask: u64): u64 {
  return reverse(reverse(cursor | ~mask) + 1);
}

/** The bits of a word in the opposite order. */
function reverse(word: u64): u64 {
  word = ((word >> 1) & 0x5555555555555555) | ((word & 0x5555555555555555) << 1);
  word = ((word >> 2) & 0x3333333333333333) | ((word & 0x3333333333333333) << 2);
  word = ((word >> 4) & 0x0f0f0f0f0f0f0f0f) | ((word & 0x0f0f0f0f0f0f0f0f) << 4);
  return bswap<u64>(word);
}
