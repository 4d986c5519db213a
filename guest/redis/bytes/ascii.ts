// ASCII: the codes that protocol, numbers and patterns are made of, and words in any case.

export const BELL: u32 = 7;
export const BACKSPACE: u32 = 8;
export const TAB: u32 = 9;
export const LF: u32 = 10;
export const CR: u32 = 13;
export const SPACE: u32 = 32;
export const EXCLAMATION: u32 = 33;
export const QUOTE: u32 = 34;
export const HASH: u32 = 35;
export const DOLLAR: u32 = 36;
export const PERCENT: u32 = 37;
export const APOSTROPHE: u32 = 39;
export const ASTERISK: u32 = 42;
export const PLUS: u32 = 43;
export const COMMA: u32 = 44;
export const MINUS: u32 = 45;
export const DOT: u32 = 46;
export const SLASH: u32 = 47;
export const ZERO: u32 = 48;
export const COLON: u32 = 58;
export const EQUALS: u32 = 61;
export const QUESTION: u32 = 63;
export const UPPER_A: u32 = 65;
export const BRACKET_OPEN: u32 = 91;
export const BACKSLASH: u32 = 92;
export const BRACKET_CLOSE: u32 = 93;
export const CARET: u32 = 94;
export const LOWER_A: u32 = 97;
export const BRACE_OPEN: u32 = 123;
export const BAR: u32 = 124;
export const BRACE_CLOSE: u32 = 125;
export const TILDE: u32 = 126;

/** CR LF as one u16. */
export const CRLF: u16 = 0x0a0d;

const LETTERS: u32 = 26;
const CASE: u32 = 32; // the bit that tells a lower-case letter from its capital


@inline
export function isDigit(c: u32): bool {
  return c - ZERO < 10;
}

/** Whether a character has a shape, or is a blank. */
@inline
export function isPrinted(c: u32): bool {
  return c - SPACE < 95;
}


@inline
export function isUpper(c: u32): bool {
  return c - UPPER_A < LETTERS;
}


@inline
export function lower(c: u32): u32 {
  return isUpper(c) ? c | CASE : c;
}

/** Whether a text is a word, in any case. */
export function isWord(at: u32, bytes: u32, word: string): bool {
  if (bytes != <u32>word.length) return false;
  const literal = changetype<u32>(word);
  // Most words differ in their first letter already. (The test also makes this too long to be inlined
  // everywhere.)
  if (bytes != 0 && ((load<u8>(at) ^ load<u16>(literal)) & ~CASE) != 0) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (lower(load<u8>(at + i)) != lower(load<u16>(literal + (i << 1)))) return false;
  }
  return true;
}

/** Whether two texts of the same length are the same word, in any case. */
export function isSameWord(a: u32, b: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (lower(load<u8>(a + i)) != lower(load<u8>(b + i))) return false;
  }
  return true;
}

/** Narrows static UTF-16 text to bytes at `to`. */
export function narrow(from: u32, units: u32, to: u32): void {
  for (let i: u32 = 0; i < units; i++) store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
}
