// The options: their rows and the values in force. Every reader asks here; this file knows none of them.
//
// Interface   number() and text() work on any path: a number is one load from a constant address. find()
//             names a row. whenChanged() registers what must be done when an option changes; assign.ts, the
//             only code that changes values, calls it. option-rows.ts fills the rows at boot, before anything
//             reads an option.
// Format      A value is an i64; of a string it is the address of a block [bytes u32][bytes...], 0 when
//             empty.
// Invariants  CONF-1  A value passed check() when it was assigned; readers need no bounds of their own.
//             CONF-2  A failed CONFIG SET changes nothing: all values are checked before the first is
//                     assigned.

import * as ascii from '../bytes/ascii.ts';

const ROWS_MAX: u32 = 192;
const ROWS: usize = memory.data(9216, 8); // ROWS_MAX * offsetof<Row>()
const VALUES: usize = memory.data(1536, 8); // ROWS_MAX * 8

/** What find() returns for a name that no option has. */
export const NONE: u32 = 0xffffffff;


@unmanaged
@final
export class Row {
  min: i64;
  max: i64;
  name: u32;
  /** UTF-16: what an enumeration accepts, by value; 0 for other kinds. */
  words: u32;
  /** UTF-16: the default as text. */
  initial: u32;
  initialUnits: u32;
  /** Row of the option that this one is another name of; its own index if it is none. */
  original: u32;
  /** Table index of the function to call after a change, 0 = none. */
  changed: u32;
  nameBytes: u16;
  wordsUnits: u16;
  kind: u8;
  flags: u8;
  /** A byte that a command may use to mark rows; zero between commands. */
  mark: u8;
  /** The argument that named a marked row, if it fits a byte, else 0. */
  asked: u8;
}

let rows: u32 = 0;

export function count(): u32 {
  return rows;
}


@inline
export function at(index: u32): Row {
  return changetype<Row>(<u32>ROWS + index * offsetof<Row>());
}

/** Adds a row; its index. */
export function add(): u32 {
  if (rows == ROWS_MAX) unreachable();
  at(rows).original = rows;
  return rows++;
}

/** The row of a name in any case, or NONE. */
export function find(name: u32, bytes: u32): u32 {
  for (let i: u32 = 0; i < rows; i++) {
    const row = at(i);
    if (row.nameBytes == bytes && ascii.isSameWord(name, row.name, bytes)) return i;
  }
  return NONE;
}

/** The row of an option that has no constant in option.ts; it is there. */
export function named(name: string): u32 {
  for (let i: u32 = 0; i < rows; i++) if (ascii.isWord(at(i).name, at(i).nameBytes, name)) return i;
  return unreachable();
}

/** Calls a function after each change of an option. An option has one such function. */
export function whenChanged(index: u32, changed: () => void): void {
  if (at(index).changed != 0) unreachable();
  at(index).changed = <u32>changed.index;
}

/** The value of an option that is a number, a bool (0 or 1) or an enumeration (position of its word). */
@inline
export function number(index: u32): i64 {
  return load<i64>(VALUES + (index << 3));
}


@inline
export function textBytes(index: u32): u32 {
  const block = load<u32>(VALUES + (index << 3));
  return block == 0 ? 0 : load<u32>(block);
}

/** Where the bytes of a string option are; valid until it is assigned again. */
@inline
export function textAddress(index: u32): u32 {
  return load<u32>(VALUES + (index << 3)) + 4;
}

/** Puts a value in force without a check and without a word to anyone: assign.ts alone calls it. */
@inline
export function setNumber(index: u32, value: i64): void {
  store<i64>(VALUES + (index << 3), value);
}
