// Inline commands: one line, words between blanks, quotes as in a shell.

import * as heap from './heap.ts';

/** A line has at most 64 KiB, so at most half as many words; the words' bytes are never more than the line's. */
const WORDS_BYTES: u32 = 262144;
const TEXT_BYTES: u32 = 65600;

let vector: u32 = 0;

export function vectorAt(): u32 {
  return vector;
}

/** Splits a line; the number of words, or -1 when a quote is not closed or something follows it. */
export function split(line: u32, bytes: u32): i32 {
  if (vector == 0) {
    vector = heap.alloc(WORDS_BYTES + TEXT_BYTES);
    if (vector == 0) return -1;
  }
  let to = vector + WORDS_BYTES;
  const end = line + bytes;
  let words: u32 = 0;
  let from = line;
  while (from < end) {
    if (isBlank(load<u8>(from))) {
      from++;
      continue;
    }
    const word = to;
    while (from < end && !isBlank(load<u8>(from))) {
      const c: u32 = load<u8>(from);
      if (c == 34 || c == 39) {
        to = unquote(from, end, to);
        if (to == 0) return -1;
        from = unquoted;
        if (from < end && !isBlank(load<u8>(from))) return -1;
        break;
      }
      store<u8>(to++, <u8>c);
      from++;
    }
    store<u32>(vector + (words << 3), word);
    store<u32>(vector + (words << 3), to - word, 4);
    words++;
  }
  return words;
}

// @ts-ignore: decorator
@inline
function isBlank(c: u32): bool {
  return c == 32 || c - 9 < 5 || c == 0;
}

let unquoted: u32 = 0; // behind the closing quote

/** Copies a quoted stretch without its quotes; where the copy ends, or 0 when the quote is not closed. */
function unquote(from: u32, end: u32, to: u32): u32 {
  const quote: u32 = load<u8>(from++);
  while (from < end) {
    let c: u32 = load<u8>(from++);
    if (c == quote) {
      unquoted = from;
      return to;
    }
    if (c == 92 && from < end) {
      if (quote == 34) {
        c = load<u8>(from++);
        if (c == 120 && end - from >= 2 && hex(from) < 16 && hex(from + 1) < 16) {
          c = (hex(from) << 4) | hex(from + 1);
          from += 2;
        } else c = escaped(c);
      } else if (load<u8>(from) == 39) {
        c = 39;
        from++;
      }
    }
    store<u8>(to++, <u8>c);
  }
  return 0;
}

function hex(at: u32): u32 {
  const c: u32 = load<u8>(at);
  if (c - 48 < 10) return c - 48;
  const letter = (c | 32) - 97;
  return letter < 6 ? letter + 10 : 16;
}

function escaped(c: u32): u32 {
  if (c == 110) return 10;
  if (c == 114) return 13;
  if (c == 116) return 9;
  if (c == 98) return 8;
  return c == 97 ? 7 : c;
}
