// Reading the text of option values: numbers, sizes, words, and fields separated by blanks.

import * as ascii from '../bytes/ascii.ts';
import * as config from './config.ts';
import * as number from '../bytes/number.ts';

/** Set by each read...() that returns true, valid until the next one. */
export let parsed: i64 = 0;

function isDigits(at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) if (!ascii.isDigit(load<u8>(at + i))) return false;
  return bytes != 0;
}

/** Reads digits; false for anything else, and for a number above 64 bits. */
function readUnsigned(at: u32, bytes: u32): bool {
  if (!isDigits(at, bytes)) return false;
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const digit = <u64>(load<u8>(at + i) - ascii.ZERO);
    if (value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  parsed = <i64>value;
  return true;
}

export function readInteger(at: u32, bytes: u32): bool {
  if (!number.parse(at, bytes)) return false;
  parsed = number.parsed;
  return true;
}

/** Reads a number of bytes with an optional unit, b k kb m mb g gb; an empty text is 0. */
export function readBytes(at: u32, bytes: u32): bool {
  if (bytes == 0) {
    parsed = 0;
    return true;
  }
  let digits: u32 = 0;
  while (digits < bytes && ascii.isDigit(load<u8>(at + digits))) digits++;
  if (!readUnsigned(at, digits)) return false;
  const unit = unitOf(at + digits, bytes - digits);
  if (unit == 0 || <u64>parsed > u64.MAX_VALUE / unit) return false;
  parsed = <i64>(<u64>parsed * unit);
  return true;
}

/** What a unit multiplies by; 0 for an unknown one. k is 1000, kb is 1024. */
function unitOf(at: u32, bytes: u32): u64 {
  if (bytes == 0 || ascii.isWord(at, bytes, 'b')) return 1;
  if (ascii.isWord(at, bytes, 'k')) return 1000;
  if (ascii.isWord(at, bytes, 'kb')) return 1024;
  if (ascii.isWord(at, bytes, 'm')) return 1000000;
  if (ascii.isWord(at, bytes, 'mb')) return 1048576;
  if (ascii.isWord(at, bytes, 'g')) return 1000000000;
  return ascii.isWord(at, bytes, 'gb') ? 1073741824 : 0;
}

/** Reads a share in percent, which is kept as a negative number. */
export function readPercent(at: u32, bytes: u32): bool {
  if (bytes < 2 || load<u8>(at + bytes - 1) != ascii.PERCENT) return false;
  if (!readUnsigned(at, bytes - 1) || parsed < 0 || parsed > 100) return false;
  parsed = -parsed;
  return true;
}

export function readOctal(at: u32, bytes: u32): bool {
  let value: i64 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const digit = <u32>load<u8>(at + i) - ascii.ZERO;
    if (digit > 7 || i > 6) return false;
    value = (value << 3) | (<i64>digit);
  }
  parsed = value;
  return bytes != 0;
}

/** Finds which of the option's words the text is: its position. */
export function readWord(index: u32, at: u32, bytes: u32): bool {
  const words = config.at(index).words;
  const units: u32 = config.at(index).wordsUnits;
  let position: i64 = 0;
  let start: u32 = 0;
  for (let i: u32 = 0; i <= units; i++) {
    if (i != units && !isSeparator(load<u16>(words + (i << 1)))) continue;
    if (i - start == bytes && isAt(words + (start << 1), at, bytes)) {
      parsed = position;
      return true;
    }
    position++;
    start = i + 1;
  }
  return false;
}

/** Words of a list are separated by blanks, line feeds or commas. */
export function isSeparator(c: u32): bool {
  return c == ascii.SPACE || c == ascii.COMMA || c == ascii.LF;
}

function isAt(word: u32, at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (ascii.lower(load<u8>(at + i)) != load<u16>(word + (i << 1))) return false;
  }
  return true;
}

// --- Fields, separated by blanks ---------------------------------------------------------------------------

/** Finds the field at or behind `from`; false when there is none before `end`. */
export function nextField(from: u32, end: u32): bool {
  while (from < end && load<u8>(from) == ascii.SPACE) from++;
  fieldAt = from;
  while (from < end && load<u8>(from) != ascii.SPACE) from++;
  fieldBytes = from - fieldAt;
  return fieldBytes != 0;
}

/** Set by nextField(), valid until its next call. */
export let fieldAt: u32 = 0;
export let fieldBytes: u32 = 0;

/** Redis splits at each blank, so that one blank too many makes an empty field. */
export function hasEmptyField(at: u32, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const isEdge = i == 0 || i == bytes - 1 || load<u8>(at + i - 1) == ascii.SPACE;
    if (isEdge && load<u8>(at + i) == ascii.SPACE) return true;
  }
  return false;
}
