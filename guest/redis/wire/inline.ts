// Inline commands: one line, words between blanks, quotes as in a shell.

import * as ascii from '../bytes/ascii.ts';
import * as heap from '../bytes/heap.ts';

/** The words of a line are never longer than the line itself. */
const TEXT_BYTES: u32 = 65600;
const FIRST_WORDS: u32 = 512;

let text: u32 = 0;
let vector: u32 = 0; // pairs of address and bytes
let room: u32 = 0;

export function boot(): void {
  text = heap.alloc(TEXT_BYTES);
  vector = heap.alloc(FIRST_WORDS << 3);
  room = FIRST_WORDS;
}

export function vectorAt(): u32 {
  return vector;
}

function grow(): bool {
  const moved = heap.alloc(room << 4);
  if (moved == 0) return false;
  memory.copy(moved, vector, room << 3);
  heap.free(vector, room << 3);
  vector = moved;
  room <<= 1;
  return true;
}

/**
 * Splits a line; the number of words, or -1 when a quote is not closed, something follows it, or memory is
 * short.
 */
export function split(line: u32, bytes: u32): i32 {
  let to = text;
  const end = line + bytes;
  let words: u32 = 0;
  let from = line;
  while (from < end) {
    if (isBlank(load<u8>(from))) {
      from++;
      continue;
    }
    const word = to;
    while (from < end && !endsWord(load<u8>(from))) {
      const c: u32 = load<u8>(from);
      if (c == ascii.QUOTE || c == ascii.APOSTROPHE) {
        to = unquote(from, end, to);
        if (to == 0) return -1;
        from = unquoted;
        if (from < end && !isBlank(load<u8>(from))) return -1;
        break;
      }
      store<u8>(to++, <u8>c);
      from++;
    }
    if (words == room && !grow()) return -1;
    store<u32>(vector + (words << 3), word);
    store<u32>(vector + (words << 3), to - word, 4);
    words++;
  }
  return words;
}


@inline
function isBlank(c: u32): bool {
  return c == ascii.SPACE || c - 9 < 5;
}

/** Of the blanks, vertical tabs and form feeds do not end a word that has begun without a quote. */
@inline
function endsWord(c: u32): bool {
  return c == ascii.SPACE || c == ascii.LF || c == ascii.CR || c == ascii.TAB;
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
    if (c == ascii.BACKSLASH && from < end) {
      if (quote == ascii.QUOTE) {
        c = load<u8>(from++);
        if (c == 120 && end - from >= 2 && hex(from) < 16 && hex(from + 1) < 16) {
          c = (hex(from) << 4) | hex(from + 1);
          from += 2;
        } else c = escaped(c);
      } else if (load<u8>(from) == ascii.APOSTROPHE) {
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
  if (c - ascii.ZERO < 10) return c - ascii.ZERO;
  const letter = (c | 32) - ascii.LOWER_A;
  return letter < 6 ? letter + 10 : 16;
}

function escaped(c: u32): u32 {
  if (c == 110) return 10;
  if (c == 114) return 13;
  if (c == 116) return 9;
  if (c == 98) return 8;
  return c == ascii.LOWER_A ? 7 : c;
}
