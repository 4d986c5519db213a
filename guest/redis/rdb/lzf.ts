// LZF, the compression of strings in RDB files: literals and back references, bounds checked on both sides.
//
// Format      000LLLLL + L+1 literal bytes | LLLooooo oooooooo: L+2 bytes from o+1 bytes back, L in 1..6 |
//             111ooooo LLLLLLLL oooooooo: L+9 bytes.
// Concurrency The table of positions is scratch: what it holds from before is checked, never trusted.
// Cost        Data without repeats is passed over in growing steps, so that it costs little to find out.

import { copy } from '../bytes/copy.ts';

const HASH_BITS: u32 = 13;
/** What compress() works in: a u32 for each hash. */
export const POSITIONS_BYTES: u32 = 32768;
const OFFSET_MAX: u32 = 8191;
const MATCH_MAX: u32 = 264;
const LITERALS_MAX: u32 = 32;

let positions: u32 = 0;

/** Tells compress() where it may work; before the first call. */
export function attach(at: u32): void {
  positions = at;
}


@inline
function hashAt(at: u32): u32 {
  return ((load<u32>(at) << 8) * 2654435761) >> (32 - HASH_BITS);
}

/** Compresses into `room` bytes; how many were written, or 0 when they do not suffice. */
export function compress(from: u32, bytes: u32, to: u32, room: u32): u32 {
  if (bytes < 8) return 0;
  const end = from + bytes;
  const last = end - 4; // a position where four bytes can be read
  const roof = to + room;
  let at = from;
  let pending = from; // literals not yet written
  let out = to;
  let misses: u32 = 0;
  const table = positions;
  while (at < last) {
    const cell = table + (hashAt(at) << 2);
    const seen = load<u32>(cell);
    store<u32>(cell, at);
    const back = at - seen - 1;
    if (
      seen < from ||
      seen >= at ||
      back > OFFSET_MAX ||
      (load<u32>(seen) ^ load<u32>(at)) << 8 != 0
    ) {
      at += 1 + (misses++ >> 4);
      continue;
    }
    misses = 0;
    const most = min<u32>(end - at, MATCH_MAX);
    const match = same(seen, at, most);
    out = literals(pending, at, out, roof);
    if (out == 0 || out + 3 > roof) return 0;
    if (match < 9) store<u8>(out++, <u8>(((match - 2) << 5) | (back >> 8)));
    else {
      store<u8>(out++, <u8>(0xe0 | (back >> 8)));
      store<u8>(out++, <u8>(match - 9));
    }
    store<u8>(out++, <u8>back);
    at += match;
    pending = at;
  }
  out = literals(pending, end, out, roof);
  return out == 0 ? 0 : out - to;
}

/** How many bytes are equal at two places, at most `most`; the first three are. */
@inline
function same(a: u32, b: u32, most: u32): u32 {
  let count: u32 = 3;
  while (count + 16 <= most) {
    const unequal = i8x16.bitmask(i8x16.ne(v128.load(a + count), v128.load(b + count)));
    if (unequal != 0) return count + ctz(unequal);
    count += 16;
  }
  while (count < most && load<u8>(a + count) == load<u8>(b + count)) count++;
  return count;
}

/** Writes literal runs; where they end, or 0 when the room is too small. */
function literals(from: u32, until: u32, out: u32, roof: u32): u32 {
  const count = until - from;
  // Before anything is copied: most data that cannot be packed fails this test.
  if (count + ((count + LITERALS_MAX - 1) >> 5) > roof - out) return 0;
  while (until - from >= LITERALS_MAX) {
    store<u8>(out, <u8>(LITERALS_MAX - 1));
    v128.store(out + 1, v128.load(from));
    v128.store(out + 17, v128.load(from + 16));
    out += LITERALS_MAX + 1;
    from += LITERALS_MAX;
  }
  if (from == until) return out;
  store<u8>(out, <u8>(until - from - 1));
  copy(out + 1, from, until - from);
  return out + 1 + until - from;
}

/** Decompresses to exactly `outBytes` bytes; false when the data are not that. */
export function decompress(from: u32, bytes: u32, to: u32, outBytes: u32): bool {
  const end = from + bytes;
  const roof = to + outBytes;
  let at = from;
  let out = to;
  while (at < end) {
    const control: u32 = load<u8>(at++);
    if (control < 32) {
      const run = control + 1;
      if (run > end - at || run > roof - out) return false;
      memory.copy(out, at, run);
      at += run;
      out += run;
      continue;
    }
    let run = control >> 5;
    if (run == 7) {
      if (at == end) return false;
      run += load<u8>(at++);
    }
    if (at == end) return false;
    const back = (((control & 31) << 8) | (<u32>load<u8>(at++))) + 1;
    run += 2;
    if (back > out - to || run > roof - out) return false;
    // Byte by byte: source and target may overlap, and then the pattern repeats.
    for (let i: u32 = 0; i < run; i++) store<u8>(out + i, load<u8>(out + i - back));
    out += run;
  }
  return out == roof;
}
