// Signatures of values, the same numbers that redis-server computes: SHA1 over what has an order, xor over
// what has none.

import * as sha1 from './sha1.ts';

export const BYTES: u32 = sha1.DIGEST_BYTES;

const HASHED: usize = memory.data(20, 4);
const NUMBER: usize = memory.data(4, 4);

export function clear(digest: u32): void {
  memory.fill(digest, 0, BYTES);
}

/** Adds a text whose place does not matter: digest = digest xor SHA1(text). */
export function combine(digest: u32, from: u32, bytes: u32): void {
  sha1.digest(from, bytes, <u32>HASHED);
  for (let i: u32 = 0; i < BYTES; i += 4)
    store<u32>(digest + i, load<u32>(digest + i) ^ load<u32>(HASHED + i));
}

/** Adds a text whose place matters: digest = SHA1(digest xor SHA1(text)). */
export function mix(digest: u32, from: u32, bytes: u32): void {
  combine(digest, from, bytes);
  sha1.digest(digest, BYTES, digest);
}

export function mixNumber(digest: u32, number: u32): void {
  store<u32>(NUMBER, bswap(number));
  mix(digest, <u32>NUMBER, 4);
}
