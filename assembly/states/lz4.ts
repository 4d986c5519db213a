// LZ4's block format: sequences of literals and a match.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
//
// Interface   compress() fails when the result does not fit, decompress() when the input is damaged. Neither
//             reads or writes outside the ranges that it is given, whatever they contain, except that
//             decompress() may read SLACK bytes behind its input and write as many behind its result.
// Cost        measured on pages of heaps: some 2 ns a byte to compress, 0.5 ns to decompress.

const MATCH_MIN: u32 = 4;
/** The last match begins at least this many bytes before the end, and ends LAST_LITERALS before it. */
const MATCH_DISTANCE: u32 = 12;
const LAST_LITERALS: u32 = 5;
const OFFSET_MAX: u32 = 65535;
const HASH_BITS: u32 = 14;
const RUN_MASK: u32 = 15;
/** Bytes behind the input of decompress() that it may read, and behind its result that it may overwrite. */
export const SLACK: u32 = 16;
/** The most literals that are copied by a loop. */
const SHORT: u32 = 128;
/** Result of decompress() for damaged input. */
const DAMAGED: u32 = 0xffffffff;

/** Compresses into `room` bytes; `table` is scratch of 64 KiB. Returns the bytes written, or 0. */
export function compress(from: u32, bytes: u32, to: u32, room: u32, table: u32): u32 {
  memory.fill(table, 0, 4 << HASH_BITS);
  const end = from + bytes;
  const roof = to + room;
  let pending = from; // literals not yet written
  let out = to;
  if (bytes > MATCH_DISTANCE) {
    const last = end - MATCH_DISTANCE;
    let at = from;
    let misses: u32 = 0;
    while (at <= last) {
      const word = load<u32>(at);
      const cell = table + (((word * 2654435761) >> (32 - HASH_BITS)) << 2);
      const seen = load<u32>(cell);
      store<u32>(cell, at);
      if (seen == 0 || at - seen > OFFSET_MAX || load<u32>(seen) != word) {
        at += 1 + (misses++ >> 6);
        continue;
      }
      misses = 0;
      const back = backwards(at, seen, pending, from);
      const match = MATCH_MIN + same(at + MATCH_MIN, seen + MATCH_MIN, end - LAST_LITERALS);
      out = sequence(pending, at - back, at - seen, match + back, out, roof);
      if (out == 0) return 0;
      at += match;
      pending = at;
    }
  }
  out = literals(pending, end, 0, out, roof);
  return out == 0 ? 0 : out - to;
}

/** Equal bytes before two positions. */
function backwards(at: u32, seen: u32, pending: u32, from: u32): u32 {
  let count: u32 = 0;
  while (
    at - count > pending &&
    seen - count > from &&
    load<u8>(at - count - 1) == load<u8>(seen - count - 1)
  )
    count++;
  return count;
}

/** Equal bytes from two positions on, the first up to `end`. */
function same(at: u32, seen: u32, end: u32): u32 {
  const start = at;
  while (at + 8 <= end) {
    const difference = load<u64>(at) ^ load<u64>(seen);
    if (difference != 0) return at - start + ((<u32>ctz(difference)) >> 3);
    at += 8;
    seen += 8;
  }
  while (at < end && load<u8>(at) == load<u8>(seen)) {
    at++;
    seen++;
  }
  return at - start;
}

/** Writes literals [from, to) and a match; returns the new end, or 0 beyond `roof`. */
function sequence(from: u32, to: u32, offset: u32, bytes: u32, out: u32, roof: u32): u32 {
  const more = bytes - MATCH_MIN;
  const at = literals(from, to, min<u32>(more, RUN_MASK), out, roof);
  if (at == 0 || at + 3 + more / 255 > roof) return 0;
  store<u16>(at, <u16>offset);
  return more < RUN_MASK ? at + 2 : length(more - RUN_MASK, at + 2);
}

/** Writes a token with the low bits `low`, and literals; returns the new end, or 0 beyond `roof`. */
function literals(from: u32, to: u32, low: u32, out: u32, roof: u32): u32 {
  const count = to - from;
  if (out + 2 + count / 255 + count > roof) return 0;
  store<u8>(out, <u8>((min<u32>(count, RUN_MASK) << 4) | low));
  let at = out + 1;
  if (count >= RUN_MASK) at = length(count - RUN_MASK, at);
  memory.copy(at, from, count);
  return at + count;
}

function length(rest: u32, out: u32): u32 {
  while (rest >= 255) {
    store<u8>(out++, 255);
    rest -= 255;
  }
  store<u8>(out++, <u8>rest);
  return out;
}

/** Set by extended(): where the length ended. */
let next: u32 = 0;

/** A length of which the token has `first`; DAMAGED when the input ends in it. */
function extended(first: u32, at: u32, end: u32): u32 {
  let sum = first;
  if (first == RUN_MASK) {
    let byte: u32 = 255;
    while (byte == 255) {
      if (at >= end) return DAMAGED;
      byte = load<u8>(at++);
      sum += byte;
    }
  }
  next = at;
  return sum;
}

/** Decompresses into `room` bytes; returns the bytes written, or DAMAGED. */
export function decompress(from: u32, bytes: u32, to: u32, room: u32): u32 {
  const end = from + bytes;
  const roof = to + room;
  let at = from;
  let out = to;
  while (at < end) {
    const token = <u32>load<u8>(at++);
    const count = extended(token >> 4, at, end);
    if (count == DAMAGED || count > end - next || count > roof - out) return DAMAGED;
    at = next;
    copyLiterals(out, at, count);
    at += count;
    out += count;
    if (at == end) return out - to; // the last sequence has no match
    if (end - at < 2) return DAMAGED;
    const offset = <u32>load<u16>(at);
    const rest = extended(token & RUN_MASK, at + 2, end);
    if (rest == DAMAGED || offset == 0 || offset > out - to) return DAMAGED;
    if (rest > roof - out || rest + MATCH_MIN > roof - out) return DAMAGED;
    at = next;
    repeat(out, offset, rest + MATCH_MIN);
    out += rest + MATCH_MIN;
  }
  return DAMAGED; // not even a token, or a match at the end
}

/** May read and write up to SLACK bytes more. A short loop is faster than a call of memory.copy. */
function copyLiterals(to: u32, from: u32, bytes: u32): void {
  if (bytes > SHORT) return memory.copy(to, from, bytes);
  for (let done: u32 = 0; done < bytes; done += 16) v128.store(to + done, v128.load(from + done));
}

/** Copies `bytes` from `offset` bytes back, which may overlap; may write up to SLACK bytes more. */
function repeat(out: u32, offset: u32, bytes: u32): void {
  const end = out + bytes;
  let at = out;
  if (offset >= 16) {
    while (at < end) {
      v128.store(at, v128.load(at - offset));
      at += 16;
    }
  } else if (offset >= 8) {
    while (at < end) {
      store<u64>(at, load<u64>(at - offset));
      at += 8;
    }
  } else if (offset == 1) memory.fill(at, load<u8>(at - 1), bytes);
  else {
    while (at < end) {
      store<u8>(at, load<u8>(at - offset));
      at++;
    }
  }
}
