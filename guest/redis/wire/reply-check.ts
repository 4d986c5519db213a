// For the checked build: a command's reply is one whole RESP value.

import * as ascii from '../bytes/ascii.ts';

let at: u32 = 0; // where countedLine() stopped

/**
 * Whether the bytes are one value, with pushes and attributes before it. With a loan, the `loan` bytes of its
 * last string follow, and are not among them.
 */
export function isOne(from: u32, end: u32, loan: u32): bool {
  let wanted: u64 = 1;
  at = from;
  for (; wanted > 0; wanted--) {
    if (at >= end) return false;
    const kind: u32 = load<u8>(at++);
    if (!isCounted(kind)) {
      if (!skipLine(end)) return false;
      continue;
    }
    const count = countedLine(end);
    if (count < -1) return false;
    if (count == -1) continue;
    if (isString(kind)) {
      if (loan != 0 && at == end) return wanted == 1 && <u64>count == <u64>loan;
      if (<u64>at + <u64>count + 2 > <u64>end) return false;
      at += <u32>count;
      if (load<u16>(at) != CR_LF) return false;
      at += 2;
    } else if (kind == ascii.PERCENT) wanted += (<u64>count) << 1;
    else if (kind == ascii.BAR) wanted += ((<u64>count) << 1) + 1;
    else wanted += <u64>count + (kind == GREATER ? 1 : 0);
  }
  return at == end;
}

const CR_LF: u32 = 0x0a0d;
const GREATER: u32 = 62;


@inline
function isString(kind: u32): bool {
  return kind == ascii.DOLLAR || kind == ascii.EQUALS;
}

/** Whether a length or a number of elements follows. */
function isCounted(kind: u32): bool {
  return (
    isString(kind) ||
    kind == ascii.ASTERISK ||
    kind == ascii.TILDE ||
    kind == ascii.PERCENT ||
    kind == GREATER ||
    kind == ascii.BAR
  );
}

/** Steps behind the next line end. */
function skipLine(end: u32): bool {
  for (; at + 2 <= end; at++) {
    if (load<u16>(at) != CR_LF) continue;
    at += 2;
    return true;
  }
  return false;
}

/** The number up to the line's end; -2 for any other text. */
function countedLine(end: u32): i64 {
  const first = at;
  if (!skipLine(end)) return -2;
  if (load<u8>(first) == ascii.MINUS) return at - first == 4 && load<u8>(first, 1) == 49 ? -1 : -2;
  let value: i64 = 0;
  for (let i = first; i < at - 2; i++) {
    const digit = <u32>load<u8>(i) - ascii.ZERO;
    if (digit > 9) return -2;
    value = value * 10 + digit;
  }
  return value;
}
