// Text that grows: INFO, CLIENT LIST and other long strings are composed here, then sent as one bulk string.
//
// Interface   begin() ... end() brackets one composition; only one is open at a time, for commands run one
//             after another. Between them the put functions append; address() and length() are valid until
//             the next put.
// Invariants  TEXT-1  By construction: the buffer is the only owner of its block; end() frees it if it has
//                     grown large.
// Constants   A string literal is static UTF-16 data; ascii() narrows it on the way out. Only ASCII literals.

import { COLON, CR, DOT, LF, MINUS, ZERO } from './ascii.ts';
import * as heap from './heap.ts';
import { CHECKED, broken } from './checked.ts';

const FIRST_BYTES: u32 = 16384; // INFO with every section fits
const KEPT_BYTES: u32 = 65536;
const BYTES_MAX: u64 = 1 << 30;

let base: u32 = 0;
let used: u32 = 0;
let room: u32 = 0;
let hasFailed: bool = false;

export function begin(): void {
  used = 0;
  hasFailed = false;
  if (base == 0) {
    base = heap.alloc(FIRST_BYTES);
    room = base == 0 ? 0 : FIRST_BYTES;
  }
}

export function end(): void {
  if (CHECKED && used > room) broken('TEXT-1: the text is longer than its buffer');
  used = 0;
  if (room > KEPT_BYTES) {
    heap.free(base, room);
    base = 0;
    room = 0;
  }
}


@inline
export function address(): u32 {
  return base;
}


@inline
export function length(): u32 {
  return used;
}

/** False when memory ran out for a part of the text, or it would have been longer than BYTES_MAX. */
export function isWhole(): bool {
  return !hasFailed;
}

/** Makes room for `bytes` more and returns where they go, or 0 when memory is exhausted. */
function reserve(bytes: u32): u32 {
  if (<u64>used + bytes > BYTES_MAX) {
    hasFailed = true;
    return 0;
  }
  if (used + bytes > room) {
    let wanted = room == 0 ? FIRST_BYTES : room;
    while (wanted < used + bytes) wanted <<= 1; // at most 17 turns, up to BYTES_MAX
    const moved = heap.alloc(wanted);
    if (moved == 0) {
      hasFailed = true;
      return 0;
    }
    memory.copy(moved, base, used);
    if (base != 0) heap.free(base, room);
    base = moved;
    room = wanted;
  }
  const at = base + used;
  used += bytes;
  return at;
}

export function byte(value: u32): void {
  const at = reserve(1);
  if (at != 0) store<u8>(at, <u8>value);
}

export function bytes(from: u32, count: u32): void {
  const at = reserve(count);
  if (at != 0) memory.copy(at, from, count);
}

export function ascii(literal: string): void {
  const count = <u32>literal.length;
  const at = reserve(count);
  if (at == 0) return;
  const from = changetype<u32>(literal);
  for (let i: u32 = 0; i < count; i++) store<u8>(at + i, <u8>load<u16>(from + (i << 1)));
}

export function unsigned(value: u64): void {
  let count: u32 = 1;
  for (let rest = value; rest > 9; rest /= 10) count++; // at most 20 digits
  const at = reserve(count);
  if (at == 0) return;
  let rest = value;
  for (let i = count; i > 0; i--) {
    store<u8>(at + i - 1, <u8>(ZERO + <u32>(rest % 10)));
    rest /= 10;
  }
}

/** Appends a number with at least `digits` digits. */
export function padded(value: u64, digits: u32): void {
  for (let unit: u64 = 10; --digits > 0; unit *= 10) if (value < unit) byte(ZERO);
  unsigned(value);
}

export function integer(value: i64): void {
  if (value < 0) {
    byte(MINUS);
    unsigned(0 - <u64>value);
  } else unsigned(<u64>value);
}

/** Appends a number, rounded, with `digits` digits after the point, 0 to 6. */
export function decimal(value: f64, digits: u32): void {
  let unit: u64 = 1;
  for (let i: u32 = 0; i < digits; i++) unit *= 10;
  const scaled = <u64>nearest(abs(value) * <f64>unit);
  if (value < 0 && scaled != 0) byte(MINUS);
  unsigned(scaled / unit);
  if (digits == 0) return;
  byte(DOT);
  for (let place = unit / 10; place > 0; place /= 10) byte(ZERO + <u32>((scaled / place) % 10));
}

/** Appends a count of bytes with a unit, two digits after the point: 1.50M. */
export function human(value: f64): void {
  if (value < 1024) {
    unsigned(<u64>value);
    byte(66);
    return;
  }
  let unit: u32 = 0;
  let scaled = value / 1024;
  while (scaled >= 1024 && unit < 3) {
    scaled /= 1024;
    unit++;
  }
  decimal(scaled, 2);
  byte(load<u16>(changetype<u32>('KMGT') + (unit << 1)));
}

/** Appends the low digits of a number in base 16. */
export function hex(value: u64, digits: u32): void {
  for (let i = digits; i > 0; i--) {
    const nibble = (<u32>(value >> ((<u64>(i - 1)) << 2))) & 15;
    byte(nibble < 10 ? ZERO + nibble : 87 + nibble);
  }
}

// One line of INFO each: name, colon, value, CR LF.

export function line(name: string, value: string): void {
  ascii(name);
  byte(COLON);
  ascii(value);
  crlf();
}

export function count(name: string, value: u64): void {
  ascii(name);
  byte(COLON);
  unsigned(value);
  crlf();
}

export function signed(name: string, value: i64): void {
  ascii(name);
  byte(COLON);
  integer(value);
  crlf();
}

export function ratio(name: string, value: f64): void {
  ascii(name);
  byte(COLON);
  decimal(value, 2);
  crlf();
}

/** The same count of bytes twice: exact, and under name_human with a unit. */
export function size(name: string, value: f64): void {
  count(name, <u64>value);
  ascii(name);
  ascii('_human:');
  human(value);
  crlf();
}

export function crlf(): void {
  byte(CR);
  byte(LF);
}
