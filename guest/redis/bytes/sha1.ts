// SHA-1 (FIPS 180-4). DEBUG DIGEST identifies contents with it; nothing here relies on it for secrecy.
//
// Interface   digest() hashes a text into DIGEST_BYTES bytes, which may be where the text is.

import { copy } from './copy.ts';

export const DIGEST_BYTES: u32 = 20;

const BLOCK_BYTES: u32 = 64;
const STATE: usize = memory.data(20, 8);
const TAIL: usize = memory.data(128, 8); // the end of the text with its padding: two blocks at most
const WORDS: usize = memory.data(320, 8);

/** Writes the digest of a text. */
export function digest(from: u32, bytes: u32, to: u32): void {
  store<u32>(STATE, 0x67452301);
  store<u32>(STATE, 0xefcdab89, 4);
  store<u32>(STATE, 0x98badcfe, 8);
  store<u32>(STATE, 0x10325476, 12);
  store<u32>(STATE, 0xc3d2e1f0, 16);
  const whole = bytes & ~(BLOCK_BYTES - 1);
  for (let at: u32 = 0; at < whole; at += BLOCK_BYTES) addBlock(from + at);
  addTail(from + whole, bytes - whole, bytes);
  for (let i: u32 = 0; i < DIGEST_BYTES; i += 4) store<u32>(to + i, bswap(load<u32>(STATE + i)));
}

/** Adds what is left behind the last whole block, a one bit, zeros, and the bits of the text as a number. */
function addTail(from: u32, left: u32, bytes: u32): void {
  const padded = left + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
  memory.fill(TAIL, 0, padded);
  copy(<u32>TAIL, from, left);
  store<u8>(TAIL + left, 0x80);
  store<u64>(TAIL + padded - 8, bswap((<u64>bytes) << 3));
  for (let at: u32 = 0; at < padded; at += BLOCK_BYTES) addBlock(<u32>TAIL + at);
}

function addBlock(from: u32): void {
  for (let i: u32 = 0; i < 16; i++) store<u32>(WORDS + (i << 2), bswap(load<u32>(from + (i << 2))));
  for (let i: u32 = 16; i < 80; i++) {
    const at = WORDS + (i << 2);
    const mixed = load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64);
    store<u32>(at, rotl<u32>(mixed, 1));
  }
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  let e = load<u32>(STATE, 16);
  for (let i: u32 = 0; i < 80; i++) {
    const next = rotl<u32>(a, 5) + mix(i, b, c, d) + e + load<u32>(WORDS + (i << 2));
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  store<u32>(STATE, load<u32>(STATE) + a);
  store<u32>(STATE, load<u32>(STATE, 4) + b, 4);
  store<u32>(STATE, load<u32>(STATE, 8) + c, 8);
  store<u32>(STATE, load<u32>(STATE, 12) + d, 12);
  store<u32>(STATE, load<u32>(STATE, 16) + e, 16);
}

/** The function of a round and its constant. */
function mix(round: u32, b: u32, c: u32, d: u32): u32 {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}
