// Integers as text, by Redis's rules: no blanks, no plus sign, no leading zero, 64 bits.

import * as ascii from './ascii.ts';

/** Reads a whole text as a number; false if it is not exactly the form that format() writes. */
export function parse(at: u32, bytes: u32): bool {
  if (bytes - 1 >= 20) return false; // empty or too long
  let i: u32 = 0;
  const minus = load<u8>(at) == ascii.MINUS;
  if (minus) i = 1;
  let digit: u32 = i < bytes ? <u32>load<u8>(at + i) - ascii.ZERO : 10;
  if (digit - 1 > 8) {
    if (digit == 0 && bytes == 1) {
      parsed = 0;
      return true;
    }
    return false;
  }
  let value: u64 = digit;
  for (i++; i < bytes; i++) {
    digit = <u32>load<u8>(at + i) - ascii.ZERO;
    if (digit > 9) return false;
    if (value > 1844674407370955161) return false;
    value = value * 10;
    if (value > u64.MAX_VALUE - digit) return false;
    value += digit;
  }
  if (minus) {
    if (value > <u64>i64.MAX_VALUE + 1) return false;
    parsed = <i64>(0 - value);
  } else {
    if (value > <u64>i64.MAX_VALUE) return false;
    parsed = <i64>value;
  }
  return true;
}

/** The number that it read. Set by parse() when it returns true, valid until its next call. */
export let parsed: i64 = 0;

/** Digits of an unsigned number. */
export function digits(value: u64): u32 {
  let count: u32 = 1;
  while (value >= 10) {
    // at most 20 turns
    value /= 10;
    count++;
  }
  return count;
}

/** Bytes that format() will write. */
@inline
export function width(value: i64): u32 {
  return value < 0 ? digits(<u64>0 - <u64>value) + 1 : digits(<u64>value);
}

/** Writes a number as text, at most 20 bytes; how many it wrote. */
export function format(at: u32, value: i64): u32 {
  let rest = <u64>value;
  let sign: u32 = 0;
  if (value < 0) {
    store<u8>(at, 45);
    rest = <u64>0 - rest;
    sign = 1;
  }
  if (rest < 10) {
    store<u8>(at + sign, <u8>(ascii.ZERO + <u32>rest));
    return sign + 1;
  }
  const bytes = sign + digits(rest);
  let end = at + bytes;
  while (rest > 0xffffffff) {
    const next = rest / 10;
    store<u8>(--end, <u8>(ascii.ZERO + <u32>(rest - next * 10)));
    rest = next;
  }
  let small = <u32>rest;
  do {
    const next = small / 10;
    store<u8>(--end, <u8>(ascii.ZERO + (small - next * 10)));
    small = next;
  } while (small != 0);
  return bytes;
}
