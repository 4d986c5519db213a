// The arguments of the command that runs. Argument 0 is its name.
//
// They point into the receive window, into the client's input block, or into a queued transaction: valid while the
// command runs, read-only.

import * as number from './number.ts';

/** Pairs of u32: address, bytes. */
let vector: u32 = 0;
let total: u32 = 0;

export function set(at: u32, count: u32): void {
  vector = at;
  total = count;
}

// @ts-ignore: decorator
@inline
export function vectorAt(): u32 {
  return vector;
}

// @ts-ignore: decorator
@inline
export function count(): u32 {
  return total;
}

// @ts-ignore: decorator
@inline
export function ptr(index: u32): u32 {
  return load<u32>(vector + (index << 3));
}

// @ts-ignore: decorator
@inline
export function len(index: u32): u32 {
  return load<u32>(vector + (index << 3), 4);
}

/** Replaces an argument. */
export function put(index: u32, at: u32, bytes: u32): void {
  store<u32>(vector + (index << 3), at);
  store<u32>(vector + (index << 3), bytes, 4);
}

/** True when an argument is this upper-case or lower-case ASCII word, in any case. */
export function is(index: u32, word: string): bool {
  return textIs(ptr(index), len(index), word);
}

export function textIs(at: u32, bytes: u32, word: string): bool {
  if (bytes != <u32>word.length) return false;
  const literal = changetype<u32>(word);
  for (let i: u32 = 0; i < bytes; i++) {
    let a: u32 = load<u8>(at + i);
    let b: u32 = load<u16>(literal + (i << 1));
    if (a - 65 < 26) a |= 32;
    if (b - 65 < 26) b |= 32;
    if (a != b) return false;
  }
  return true;
}

/** Reads an argument as an integer of 64 bits; its value is number.parsed(). */
// @ts-ignore: decorator
@inline
export function isInteger(index: u32): bool {
  return number.parse(ptr(index), len(index));
}
