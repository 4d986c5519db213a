// The reply writer: RESP2 or RESP3, element by element.
//
// Interface   The functions append one element each, in the protocol of the current client. An aggregate's
//             header is written before its elements; where their number is not known, deferArray() leaves
//             room and endArray() fills it in. errorBegin() text... errorEnd() composes an error. Literals
//             are ASCII, without CR LF. Out of memory they append nothing (REPLY-2 of reply-block.ts).
// Cost        A store per 8 bytes of framing; values are copied once.

import * as ascii from '../bytes/ascii.ts';
import * as number from '../bytes/number.ts';
import { address, advance, at, fail, hasFailed, length, reserve } from './reply-block.ts';
import { copy } from '../bytes/copy.ts';

let resp: u32 = 2;

/** 2 or 3: the protocol of what follows. */
export function setProtocol(version: u32): void {
  resp = version;
}


@inline
export function protocol(): u32 {
  return resp;
}

// --- Pieces ----------------------------------------------------------------------------------------------

/** Appends bytes as they are. */
export function raw(from: u32, bytes: u32): void {
  if (!reserve(bytes)) return;
  copy(at, from, bytes);
  advance(bytes);
}

/** Appends an ASCII literal as it is. */
export function text(literal: string): void {
  const bytes = <u32>literal.length;
  if (!reserve(bytes)) return;
  const from = changetype<u32>(literal);
  for (let i: u32 = 0; i < bytes; i++) store<u8>(at + i, <u8>load<u16>(from + (i << 1)));
  advance(bytes);
}

export function character(code: u32): void {
  if (!reserve(1)) return;
  store<u8>(at, <u8>code);
  advance(1);
}

export function crlf(): void {
  if (!reserve(2)) return;
  store<u16>(at, 0x0a0d);
  advance(2);
}

/** Appends bytes for an error text: up to the first zero, with blanks for CR and LF, as Redis does. */
export function plain(from: u32, bytes: u32): void {
  if (!reserve(bytes)) return;
  let i: u32 = 0;
  for (; i < bytes; i++) {
    const c = load<u8>(from + i);
    if (c == 0) break;
    store<u8>(at + i, <u8>(c == ascii.CR || c == ascii.LF ? ascii.SPACE : c));
  }
  advance(i);
}

/** Appends a number as text. */
export function decimal(value: i64): void {
  if (!reserve(20)) return;
  advance(number.format(at, value));
}

/** Appends a type byte, a count and CR LF. */
function header(type: u32, count: u32): void {
  if (!reserve(16)) return;
  if (count < 10) {
    store<u32>(at, type | ((ascii.ZERO + count) << 8) | 0x0a0d0000);
    advance(4);
    return;
  }
  store<u8>(at, <u8>type);
  const bytes = number.format(at + 1, <i64>count) + 1;
  store<u16>(at + bytes, 0x0a0d);
  advance(bytes + 2);
}

// --- Simple elements -------------------------------------------------------------------------------------

/** +OK */
export function ok(): void {
  if (!reserve(8)) return;
  store<u64>(at, 0x0a0d4b4f2b); // one store; the 3 bytes behind it are overwritten by what follows
  advance(5);
}

/** +QUEUED */
export function queued(): void {
  status('QUEUED');
}

/** A simple string. */
export function status(literal: string): void {
  text('+');
  text(literal);
  crlf();
}

/** An error. The literal begins with its code: 'ERR no such key'. */
export function error(literal: string): void {
  text('-');
  text(literal);
  crlf();
}

export function errorBegin(literal: string): void {
  text('-');
  text(literal);
}

export function errorEnd(): void {
  crlf();
}

export function integer(value: i64): void {
  if (!reserve(24)) return;
  if (<u64>value < 10) {
    store<u32>(at, 0x0a0d303a + ((<u32>value) << 8));
    advance(4);
    return;
  }
  store<u8>(at, 58);
  const bytes = number.format(at + 1, value) + 1;
  store<u16>(at + bytes, 0x0a0d);
  advance(bytes + 2);
}

export function boolean(value: bool): void {
  if (resp < 3) return integer(value ? 1 : 0);
  text(value ? '#t' : '#f');
  crlf();
}

// --- Strings ---------------------------------------------------------------------------------------------

export function bulk(from: u32, bytes: u32): void {
  if (bytes > 0xefffff00 || !reserve(bytes + 24)) {
    fail();
    return;
  }
  const start = at;
  let width: u32;
  if (bytes < 10) {
    store<u32>(start, 0x0a0d3024 + (bytes << 8));
    width = 4;
  } else {
    store<u8>(start, 36);
    width = number.format(start + 1, <i64>bytes) + 1;
    store<u16>(start + width, 0x0a0d);
    width += 2;
  }
  copy(start + width, from, bytes);
  store<u16>(start + width + bytes, 0x0a0d);
  advance(width + bytes + 2);
}

/** Strings from this length on may be sent without a copy. */
export const LOAN_MIN: u32 = 131072;

let loanAt: u32 = 0;
let loanBytes: u32 = 0;

/**
 * A bulk string whose bytes stay where they are: only its head is appended. They must stay as they are
 * until session.ts has shown them to the host, so this is for the last element of a command that changes
 * nothing.
 */
export function bulkLoan(from: u32, bytes: u32): void {
  header(ascii.DOLLAR, bytes);
  loanAt = from;
  loanBytes = bytes;
}


@inline
export function loanedBytes(): u32 {
  return loanBytes;
}


@inline
export function loaned(): u32 {
  return loanAt;
}

export function endLoan(): void {
  loanBytes = 0;
}

/** A bulk string that is an ASCII literal. */
export function bulkText(literal: string): void {
  header(ascii.DOLLAR, <u32>literal.length);
  text(literal);
  crlf();
}

/** A number as a bulk string. */
export function bulkInteger(value: i64): void {
  if (!reserve(32)) return;
  header(ascii.DOLLAR, number.width(value));
  advance(number.format(at, value));
  crlf();
}

/** Room for a bulk string of known length that the caller writes in place: where to, or 0. */
export function bulkSpace(bytes: u32): u32 {
  if (bytes > 0xefffff00 || !reserve(bytes + 24)) {
    fail();
    return 0;
  }
  header(ascii.DOLLAR, bytes);
  const to = at;
  store<u16>(at + bytes, 0x0a0d);
  advance(bytes + 2);
  return to;
}

/** A text for people, such as INFO: verbatim in RESP3, a bulk string in RESP2. */
export function verbatim(from: u32, bytes: u32): void {
  if (resp < 3) return bulk(from, bytes);
  header(ascii.EQUALS, bytes + 4);
  text('txt:');
  raw(from, bytes);
  crlf();
}

/** A floating-point number whose text the caller has: a bulk string in RESP2. */
export function double(from: u32, bytes: u32): void {
  if (resp < 3) return bulk(from, bytes);
  text(',');
  raw(from, bytes);
  crlf();
}

/** The missing value. */
export function none(): void {
  if (!reserve(8)) return;
  if (resp < 3) {
    store<u64>(at, 0x0a0d312d24); // $-1
    advance(5);
  } else {
    store<u32>(at, 0x000a0d5f); // _
    advance(3);
  }
}

/** The missing array. */
export function noneArray(): void {
  if (resp < 3) {
    text('*-1');
    crlf();
  } else none();
}

// --- Aggregates ------------------------------------------------------------------------------------------

@inline
export function array(count: u32): void {
  header(ascii.ASTERISK, count);
}

/** Header of `pairs` key-value pairs: a flat array of twice the length in RESP2. */
export function map(pairs: u32): void {
  if (resp < 3) header(ascii.ASTERISK, pairs << 1);
  else header(ascii.PERCENT, pairs);
}

export function set(count: u32): void {
  header(resp < 3 ? ascii.ASTERISK : ascii.TILDE, count);
}

/** Leaves room for the header of an array whose length is not known yet; the mark is for endArray(). */
export function deferArray(): u32 {
  const mark = length();
  if (reserve(16)) advance(4);
  return mark;
}

/** Sets the length of a deferred array; moves its elements if the number is a long one. */
export function endArray(mark: u32, count: u32): void {
  endAggregate(ascii.ASTERISK, mark, count);
}

export function endMap(mark: u32, pairs: u32): void {
  if (resp < 3) endAggregate(ascii.ASTERISK, mark, pairs << 1);
  else endAggregate(ascii.PERCENT, mark, pairs);
}

function endAggregate(type: u32, mark: u32, count: u32): void {
  if (hasFailed()) return;
  const wider = number.digits(count) - 1;
  if (wider != 0) {
    if (!reserve(wider)) return;
    const elements = address() + mark + 4;
    memory.copy(elements + wider, elements, at - elements);
    advance(wider);
  }
  const start = address() + mark;
  store<u8>(start, <u8>type);
  number.format(start + 1, <i64>count);
  store<u16>(start + 2 + wider, 0x0a0d);
}
