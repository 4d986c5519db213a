// Floating-point numbers as INCRBYFLOAT and HINCRBYFLOAT of Redis on x86-64 have them: 64 bits of mantissa,
// read by strtold, added with round to nearest even, written by "%.17Lf" without trailing zeros. Integer
// arithmetic only, so that every result is the same to the byte.
//
// Interface   parse(text, number), add(sum, number), format(to, number). A number is a LongDouble in static
//             memory.
// Format      value = (-1)^sign * mantissa * 2^exponent. Bit 63 of the mantissa is set, unless the number is
//             zero or denormal: then the exponent is EXPONENT_MIN.
// Cost        About 1 us for short texts; a text of 5000 digits takes a millisecond.

import * as big from './big.ts';


@unmanaged
@final
class LongDouble {
  mantissa: u64;
  exponent: i32;
  sign: u32;
}

const EXPONENT_MIN: i32 = -16445; // of the last bit of a mantissa: 2^-16382 / 2^63
const EXPONENT_MAX: i32 = 16320; // 2^16383 / 2^63
/** A longer text is not a number. */
export const TEXT_MAX: u32 = 5119;
/** Bytes that format() may write: sign, 4933 digits, point, 17 digits. */
const FORMAT_MAX: u32 = 4960;

// What parse() and add() return.
export const INVALID: u32 = 0;
export const FINITE: u32 = 1;
export const INFINITE: u32 = 2;

const PLACES: usize = memory.data(32, 8);
const DIGITS: usize = memory.data(4960, 8);
export const FIRST: u32 = <u32>PLACES;
export const SECOND: u32 = <u32>PLACES + 16;

const EXPONENT_CLAMP: i32 = 100000;

let cursor: u32 = 0;
let end: u32 = 0;


@inline
function peek(): u32 {
  return cursor < end ? <u32>load<u8>(cursor) : 0;
}

/**
 * Reads a whole text: INVALID, FINITE, or INFINITE for an infinity spelled out. What overflows or vanishes is
 * invalid.
 */
export function parse(from: u32, bytes: u32, to: u32): u32 {
  if (bytes - 1 >= TEXT_MAX) return INVALID;
  cursor = from;
  end = from + bytes;
  const number = changetype<LongDouble>(to);
  number.sign = 0;
  if (peek() == 45) {
    number.sign = 1;
    cursor++;
  } else if (peek() == 43) cursor++;
  const first = peek();
  if ((first | 32) == 105) return isInfinity() ? INFINITE : INVALID;
  if (first == 48 && cursor + 1 < end && (load<u8>(cursor, 1) | 32) == 120) {
    cursor += 2;
    return parseHexadecimal(number);
  }
  return parseDecimal(number);
}

function isInfinity(): bool {
  const bytes = end - cursor;
  if (bytes != 3 && bytes != 8) return false;
  const word = changetype<u32>('infinity');
  for (let i: u32 = 0; i < bytes; i++) {
    if ((load<u8>(cursor + i) | 32) != <u8>load<u16>(word + (i << 1))) return false;
  }
  return true;
}

/** Reads what may follow the letter of an exponent, to the end of the text; false if that is not a number. */
function parseExponent(): bool {
  exponentRead = 0;
  if (cursor == end) return true;
  cursor++; // the letter
  const minus = peek() == 45;
  if (minus || peek() == 43) cursor++;
  if (cursor == end) return false;
  for (; cursor < end; cursor++) {
    const digit = peek() - 48;
    if (digit > 9) return false;
    if (exponentRead < EXPONENT_CLAMP) exponentRead = exponentRead * 10 + <i32>digit;
  }
  if (minus) exponentRead = -exponentRead;
  return true;
}

let exponentRead: i32 = 0;

function parseDecimal(number: LongDouble): u32 {
  // 1. The digits, as one integer in A and a power of ten.
  let significant: i32 = 0;
  let scale: i32 = 0;
  let pending: u32 = 0;
  let pendingUnit: u32 = 1;
  let hasDigit = false;
  let hasPoint = false;
  big.set(big.A, 0);
  for (; cursor < end; cursor++) {
    const c = peek();
    if (c == 46 && !hasPoint) {
      hasPoint = true;
      continue;
    }
    const digit = c - 48;
    if (digit > 9) break;
    hasDigit = true;
    if (hasPoint) scale--;
    if (significant == 0 && digit == 0) continue;
    significant++;
    pending = pending * 10 + digit;
    pendingUnit *= 10;
    if (pendingUnit == 1000000000) {
      big.multiplyAdd(big.A, pendingUnit, pending);
      pending = 0;
      pendingUnit = 1;
    }
  }
  if (!hasDigit || (cursor < end && (peek() | 32) != 101) || !parseExponent()) return INVALID;
  if (significant == 0) return toZero(number);
  if (pendingUnit != 1) big.multiplyAdd(big.A, pendingUnit, pending);
  scale += exponentRead;
  // 2. Bounds, so that the arithmetic below is bounded too. 10^4932 is the largest power, 10^-4951 the
  //    smallest.
  const magnitude = significant + scale;
  if (magnitude > 4934 || magnitude < -4952) return INVALID;
  return scale < 0 ? quotient(number, <u32>-scale) : product(number, <u32>scale);
}

/** Makes a number zero. */
export function setZero(to: u32): void {
  const number = changetype<LongDouble>(to);
  number.sign = 0;
  toZero(number);
}

function toZero(number: LongDouble): u32 {
  number.mantissa = 0;
  number.exponent = EXPONENT_MIN;
  return FINITE;
}

/** A * 10^power, rounded. */
function product(number: LongDouble, power: u32): u32 {
  big.multiplyPower10(big.A, power);
  big.set(big.B, 1);
  return roundRatio(number);
}

/** A / 10^power, rounded. */
function quotient(number: LongDouble, power: u32): u32 {
  big.set(big.B, 1);
  big.multiplyPower10(big.B, power);
  return roundRatio(number);
}

/** A / B, rounded: long division for 66 bits, and whether anything is left. */
function roundRatio(number: LongDouble): u32 {
  let exponent = <i32>big.bits(big.A) - <i32>big.bits(big.B);
  if (exponent > 0) big.shiftLeft(big.B, <u32>exponent);
  else big.shiftLeft(big.A, <u32>-exponent);
  if (big.compare(big.A, big.B) < 0) {
    big.shiftLeft(big.A, 1);
    exponent--;
  }
  let high: u64 = 0;
  let low: u64 = 0;
  for (let bit: u32 = 0; bit < 66 && !big.isZero(big.A); bit++) {
    if (big.compare(big.A, big.B) >= 0) {
      big.subtract(big.A, big.B);
      if (bit < 64) high |= (<u64>1) << (63 - <u64>bit);
      else low |= (<u64>1) << (127 - <u64>bit);
    }
    big.shiftLeft(big.A, 1);
  }
  if (!big.isZero(big.A)) low |= 1;
  return round(number, high, low, exponent - 127);
}

/** Hexadecimal digits: the first 16 that count, the one behind them, and whether anything follows. */
function parseHexadecimal(number: LongDouble): u32 {
  let high: u64 = 0;
  let low: u64 = 0;
  let significant: u32 = 0;
  let scale: i32 = 0;
  let hasDigit = false;
  let hasPoint = false;
  for (; cursor < end; cursor++) {
    const c = peek();
    if (c == 46 && !hasPoint) {
      hasPoint = true;
      continue;
    }
    const digit = hexadecimal(c);
    if (digit > 15) break;
    hasDigit = true;
    if (hasPoint) scale -= 4;
    if (significant == 0 && digit == 0) continue;
    significant++;
    if (significant <= 16) high = (high << 4) | digit;
    else {
      scale += 4;
      if (significant == 17) low = (<u64>digit) << 60;
      else if (digit != 0) low |= 1;
    }
  }
  if (!hasDigit || (cursor < end && (peek() | 32) != 112) || !parseExponent()) return INVALID;
  if (significant == 0) return toZero(number);
  return round(number, high, low, scale + exponentRead - 64);
}

function hexadecimal(c: u32): u32 {
  if (c - 48 < 10) return c - 48;
  const letter = (c | 32) - 97;
  return letter < 6 ? letter + 10 : 16;
}

/**
 * Rounds (high:low) * 2^exponent to nearest even. The lowest bit of `low` may stand for all bits below
 * it.
 */
function round(number: LongDouble, high: u64, low: u64, exponent: i32): u32 {
  if (high == 0) {
    if (low == 0) return toZero(number);
    high = low;
    low = 0;
    exponent -= 64;
  }
  const up: u64 = clz(high);
  if (up != 0) {
    high = (high << up) | (low >> (64 - up));
    low <<= up;
    exponent -= <i32>up;
  }
  exponent += 64; // of the last bit of `high`
  if (exponent < EXPONENT_MIN) {
    const down = EXPONENT_MIN - exponent;
    if (down > 64) return INVALID;
    const lost: u64 = low != 0 ? 1 : 0;
    if (down == 64) {
      low = high | lost;
      high = 0;
    } else {
      low = (high << (64 - <u64>down)) | lost;
      high >>= <u64>down;
    }
    exponent = EXPONENT_MIN;
  }
  const half: u64 = 0x8000000000000000;
  if (low > half || (low == half && (high & 1) != 0)) {
    if (++high == 0) {
      high = half;
      exponent++;
    }
  }
  if (high == 0 || exponent > EXPONENT_MAX) return INVALID;
  number.mantissa = high;
  number.exponent = exponent;
  return FINITE;
}

/** a = a + b; INFINITE when that is too large. */
export function add(toA: u32, ofB: u32): u32 {
  const a = changetype<LongDouble>(toA);
  const b = changetype<LongDouble>(ofB);
  const swap = b.exponent > a.exponent || (b.exponent == a.exponent && b.mantissa > a.mantissa);
  const large = swap ? b : a;
  const small = swap ? a : b;
  const sign = large.sign;
  const exponent = large.exponent - 64;
  // Two bits of room on top, so that a sum cannot overflow.
  let high = large.mantissa >> 2;
  let low = large.mantissa << 62;
  let otherHigh = small.mantissa >> 2;
  let otherLow = small.mantissa << 62;
  const apart: u64 = <u64>(large.exponent - small.exponent);
  if (apart >= 128) {
    otherLow = otherHigh | otherLow ? 1 : 0;
    otherHigh = 0;
  } else if (apart >= 64) {
    const lost = otherLow | (apart == 64 ? 0 : otherHigh << (128 - apart));
    otherLow = (otherHigh >> (apart - 64)) | (lost != 0 ? 1 : 0);
    otherHigh = 0;
  } else if (apart != 0) {
    const lost = otherLow << (64 - apart);
    otherLow = (otherLow >> apart) | (otherHigh << (64 - apart)) | (lost != 0 ? 1 : 0);
    otherHigh >>= apart;
  }
  if (large.sign == small.sign) {
    low += otherLow;
    high += otherHigh + (low < otherLow ? 1 : 0);
  } else {
    high -= otherHigh + (low < otherLow ? 1 : 0);
    low -= otherLow;
  }
  a.sign = sign;
  return round(a, high, low, exponent + 2) == FINITE ? FINITE : INFINITE;
}

const POWER17: u64 = 100000000000000000;
let productHigh: u64 = 0;

/** Low half of a * b; the high half is left in productHigh. */
function multiply(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const p00 = a0 * b0;
  const middle = a1 * b0 + (p00 >> 32);
  const middle2 = a0 * b1 + (middle & 0xffffffff);
  productHigh = a1 * b1 + (middle >> 32) + (middle2 >> 32);
  return (middle2 << 32) | (p00 & 0xffffffff);
}

/** Writes a number as Redis does, at most FORMAT_MAX bytes; how many it wrote. */
export function format(to: u32, from: u32): u32 {
  const number = changetype<LongDouble>(from);
  let at = to;
  if (number.sign != 0) store<u8>(at++, 45);
  if (number.exponent >= 0) {
    big.set(big.A, number.mantissa);
    big.shiftLeft(big.A, <u32>number.exponent);
    return formatInteger(at) - to;
  }
  const places = <u32>-number.exponent;
  let whole: u64 = places < 64 ? number.mantissa >> (<u64>places) : 0;
  let fraction = fractionOf(number.mantissa, places);
  if (fraction == POWER17) {
    whole++;
    fraction = 0;
  }
  if (whole == 0 && fraction == 0) {
    store<u8>(to, 48);
    return 1;
  }
  big.set(big.A, whole);
  at = formatInteger(at);
  if (fraction != 0) {
    store<u8>(at++, 46);
    for (let unit = POWER17 / 10; fraction != 0; unit /= 10) {
      store<u8>(at++, <u8>(48 + fraction / unit));
      fraction %= unit;
    }
  }
  return at - to;
}

/** The fraction, in units of 10^-17, rounded to nearest even; POWER17 when that carries. */
function fractionOf(mantissa: u64, places: u32): u64 {
  if (places > 124) return 0;
  const part = places < 64 ? mantissa & (((<u64>1) << (<u64>places)) - 1) : mantissa;
  const low = multiply(part, POWER17);
  const high = productHigh;
  const half: u64 = 0x8000000000000000;
  let result: u64;
  let rest: u64; // the bits shifted out, at the top; the lowest stands for all below it
  if (places <= 64) {
    result = places == 64 ? high : (high << (64 - <u64>places)) | (low >> (<u64>places));
    rest = places == 64 ? low : low << (64 - <u64>places);
  } else {
    const down: u64 = places - 64;
    result = high >> down;
    rest = (high << (64 - down)) | (low != 0 ? 1 : 0);
  }
  if (rest > half || (rest == half && (result & 1) != 0)) result++;
  return result;
}

/** Writes A in decimal at `to`, and leaves it zero; where it ended. */
function formatInteger(to: u32): u32 {
  if (big.isZero(big.A)) {
    store<u8>(to, 48);
    return to + 1;
  }
  // Groups of nine digits from the right, then the whole text moves to its place.
  let first = <u32>DIGITS + FORMAT_MAX;
  const last = first;
  while (!big.isZero(big.A)) {
    let group = big.divide(big.A, 1000000000);
    for (let i = 0; i < 9 && (group != 0 || !big.isZero(big.A)); i++) {
      store<u8>(--first, <u8>(48 + (group % 10)));
      group /= 10;
    }
  }
  memory.copy(to, first, last - first);
  return to + (last - first);
}
