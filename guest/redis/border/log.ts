// Messages to the host's log, composed in a small static buffer.
//
// Interface   begin(), pieces, end(level). What does not fit is cut off. Works on any vCPU, a saving child
//             included.

import { ZERO } from '../bytes/ascii.ts';
import { SYS_LOG } from '../../../assembly/abi/syscall.ts';
import { syscall } from '../../../assembly/index.ts';
import * as number from '../bytes/number.ts';

export const DEBUG: i32 = 0;
export const NOTICE: i32 = 2;
export const WARNING: i32 = 3;

const TEXT_MAX: u32 = 480;
const TEXT: usize = memory.data(512, 8); // TEXT_MAX, and room for a number behind it

let used: u32 = 0;

export function begin(literal: string): void {
  used = 0;
  ascii(literal);
}

export function ascii(literal: string): void {
  const from = changetype<u32>(literal);
  const count = min<u32>(<u32>literal.length, TEXT_MAX - used);
  for (let i: u32 = 0; i < count; i++) store<u8>(TEXT + used + i, <u8>load<u16>(from + (i << 1)));
  used += count;
}

/** Appends bytes; what does not print becomes a question mark. */
export function bytes(from: u32, length: u32): void {
  const count = min<u32>(length, TEXT_MAX - used);
  for (let i: u32 = 0; i < count; i++) {
    const c: u32 = load<u8>(from + i);
    store<u8>(TEXT + used + i, <u8>(c - 32 < 95 ? c : 63));
  }
  used += count;
}

export function integer(value: i64): void {
  used = min<u32>(used + number.format(<u32>TEXT + used, value), TEXT_MAX);
}

/** Appends a number with three digits behind the point. */
export function decimal(value: f64): void {
  const scaled = <u64>nearest(value * 1000);
  integer(<i64>(scaled / 1000));
  ascii('.');
  const rest = scaled % 1000;
  if (rest < 100) ascii('0');
  if (rest < 10) ascii('0');
  integer(<i64>rest);
}

/** Appends 64 bits in base 16, without leading zeros. */
export function hexadecimal(value: u64): void {
  let shift: i32 = 60;
  while (shift > 0 && value >> (<u64>shift) == 0) shift -= 4;
  for (; shift >= 0 && used < TEXT_MAX; shift -= 4) {
    const nibble = (<u32>(value >> (<u64>shift))) & 15;
    store<u8>(TEXT + used++, <u8>(nibble < 10 ? ZERO + nibble : 87 + nibble));
  }
}

export function end(level: i32): void {
  syscall(SYS_LOG, level, <i32>TEXT, <i32>used, 0, 0);
}

/** A whole message. */
export function line(level: i32, literal: string): void {
  begin(literal);
  end(level);
}
