// Large natural numbers in fixed places: exact decimal conversion of long doubles needs up to 34,000 bits.
//
// Interface   A number is an address of [words u32][word 0 u32]...[word n-1 u32], least significant first,
//             without zero words on top; zero has no words. A, B are the two work places.
// Invariants  BIG-1  The caller of a product or shift has bounded the result below BITS_MAX: nothing here
//                    checks.

import { CHECKED, broken } from './checked.ts';

/**
 * 5119 digits over 10^10079 is the largest that the reader of long-double.ts asks for: 33,483 bits, and a
 * shift.
 */
export const BITS_MAX: u32 = 34304;

const PLACE_A: usize = memory.data(4320, 8); // 4 + BITS_MAX / 8, and a word to spare
const PLACE_B: usize = memory.data(4320, 8);

export const A: u32 = <u32>PLACE_A;
export const B: u32 = <u32>PLACE_B;


@inline
function words(at: u32): u32 {
  return load<u32>(at);
}

/** Sets a number of 64 bits. */
export function set(at: u32, value: u64): void {
  store<u32>(at, <u32>value, 4);
  store<u32>(at, <u32>(value >> 32), 8);
  store<u32>(at, value == 0 ? 0 : value >> 32 == 0 ? 1 : 2);
}

export function isZero(at: u32): bool {
  return words(at) == 0;
}

/** at = at * factor + addend. */
export function multiplyAdd(at: u32, factor: u32, addend: u32): void {
  const count = words(at);
  let carry: u64 = addend;
  for (let i: u32 = 0; i < count; i++) {
    const cell = at + 4 + (i << 2);
    carry += <u64>load<u32>(cell) * <u64>factor;
    store<u32>(cell, <u32>carry);
    carry >>= 32;
  }
  if (carry == 0) return;
  store<u32>(at + 4 + (count << 2), <u32>carry);
  if (CHECKED && count + 1 > BITS_MAX >> 5) broken('BIG-1: a number is too large');
  store<u32>(at, count + 1);
}

/** at = at * 10^power. */
export function multiplyPower10(at: u32, power: u32): void {
  for (; power >= 9; power -= 9) multiplyAdd(at, 1000000000, 0); // at most 1120 turns
  for (; power > 0; power--) multiplyAdd(at, 10, 0);
}

/** at = at / divisor; the remainder. */
export function divide(at: u32, divisor: u32): u32 {
  let count = words(at);
  let rest: u64 = 0;
  for (let i = count; i > 0; i--) {
    const cell = at + (i << 2);
    rest = (rest << 32) | load<u32>(cell);
    store<u32>(cell, <u32>(rest / divisor));
    rest %= divisor;
  }
  while (count > 0 && load<u32>(at + (count << 2)) == 0) count--;
  store<u32>(at, count);
  return <u32>rest;
}

/** Position of the highest bit that is set, plus one. */
export function bits(at: u32): u32 {
  const count = words(at);
  return count == 0 ? 0 : (count << 5) - clz(load<u32>(at + (count << 2)));
}

/** at = at << places. */
export function shiftLeft(at: u32, places: u32): void {
  const count = words(at);
  if (count == 0 || places == 0) return;
  const whole = places >> 5;
  const part: u64 = places & 31;
  const last = at + 4 + ((count + whole) << 2);
  store<u32>(last, 0);
  for (let i = count; i > 0; i--) {
    const value = (<u64>load<u32>(at + (i << 2))) << part;
    const to = at + ((i + whole) << 2);
    store<u32>(to + 4, load<u32>(to + 4) | (<u32>(value >> 32)));
    store<u32>(to, <u32>value);
  }
  memory.fill(at + 4, 0, whole << 2);
  store<u32>(at, count + whole + (load<u32>(last) != 0 ? 1 : 0));
}

/** -1, 0 or 1 as a is less than, equal to or greater than b. */
export function compare(a: u32, b: u32): i32 {
  const count = words(a);
  if (count != words(b)) return count < words(b) ? -1 : 1;
  for (let i = count; i > 0; i--) {
    const x = load<u32>(a + (i << 2));
    const y = load<u32>(b + (i << 2));
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/** a = a - b; a is not less than b. */
export function subtract(a: u32, b: u32): void {
  let count = words(a);
  const other = words(b);
  let borrow: i64 = 0;
  for (let i: u32 = 1; i <= count; i++) {
    const y: i64 = i <= other ? <i64>load<u32>(b + (i << 2)) : 0;
    const value = <i64>load<u32>(a + (i << 2)) - y + borrow;
    store<u32>(a + (i << 2), <u32>value);
    borrow = value >> 32;
  }
  while (count > 0 && load<u32>(a + (count << 2)) == 0) count--;
  store<u32>(a, count);
}
