// The values of the options, and the only code that changes them: the host's start options and CONFIG SET alike.
//
// Interface   boot() once, before anything reads an option. number() and text() read on any path: a number is one load
//             from a constant address. check() then assign() change a value; find() names an option.
// Format      A row, ROW_BYTES:  0 name u32 | 4 name bytes u16 | 6 kind u8 | 7 flags u8 | 8 words u32 | 12 words units u16
//             | 14 mark u8 | 15 asked u8 | 16 original u32 (of an alias, else itself) | 24 min i64 | 32 max i64
//             | 40 default u32 | 44 its units u32.
//             A value is an i64; of a string it is the address of a block [bytes u32][bytes...], 0 when empty.
// Invariants  CONF-1  A value passed check() when it was assigned; readers need no bounds of their own.
//             CONF-2  A failed CONFIG SET changes nothing: all values are checked before the first is assigned.

import * as evict from './evict.ts';
import * as heap from './heap.ts';
import * as lru from './lru.ts';
import * as observe from './observe.ts';
import * as option from './option.ts';
import { OPTION_TABLE } from './option-table.ts';
import * as persistence from './persistence.ts';
import * as telemetry from './telemetry.ts';
import * as parse from './option-value.ts';

const ROWS_MAX: u32 = 192;
const ROW_BYTES: u32 = 48;
const NAMES_BYTES: u32 = 6144;

const ROWS: usize = memory.data(9216, 8); // ROWS_MAX * ROW_BYTES
const VALUES: usize = memory.data(1536, 8); // ROWS_MAX * 8
const NAMES: usize = memory.data(6144, 8);
const SCRATCH: usize = memory.data(512, 8); // a default, narrowed to bytes

let rowCount: u32 = 0;
let namesUsed: u32 = 0;

// @ts-ignore: decorator
@inline
function rowOf(index: u32): u32 {
  return <u32>ROWS + index * ROW_BYTES;
}

/** The value of an option that is a number, a bool (0 or 1) or an enumeration (position of its word). */
// @ts-ignore: decorator
@inline
export function number(index: u32): i64 {
  return load<i64>(VALUES + (index << 3));
}

// @ts-ignore: decorator
@inline
export function textBytes(index: u32): u32 {
  const block = load<u32>(VALUES + (index << 3));
  return block == 0 ? 0 : load<u32>(block);
}

/** Where the bytes of a string option are; valid until it is assigned again. */
// @ts-ignore: decorator
@inline
export function textAddress(index: u32): u32 {
  return load<u32>(VALUES + (index << 3)) + 4;
}

// @ts-ignore: decorator
@inline
export function count(): u32 {
  return rowCount;
}

// @ts-ignore: decorator
@inline
export function nameAddress(index: u32): u32 {
  return load<u32>(rowOf(index));
}

// @ts-ignore: decorator
@inline
export function nameBytes(index: u32): u32 {
  return load<u16>(rowOf(index), 4);
}

// @ts-ignore: decorator
@inline
export function kindOf(index: u32): u32 {
  return load<u8>(rowOf(index), 6);
}

// @ts-ignore: decorator
@inline
export function flagsOf(index: u32): u32 {
  return load<u8>(rowOf(index), 7);
}

// @ts-ignore: decorator
@inline
export function wordsAddress(index: u32): u32 {
  return load<u32>(rowOf(index), 8);
}

// @ts-ignore: decorator
@inline
export function wordsUnits(index: u32): u32 {
  return load<u16>(rowOf(index), 12);
}

/** A byte that a command may use to mark rows; zero between commands. */
// @ts-ignore: decorator
@inline
export function markOf(index: u32): u32 {
  return load<u8>(rowOf(index), 14);
}

// @ts-ignore: decorator
@inline
export function setMark(index: u32, mark: u32): void {
  store<u8>(rowOf(index), <u8>mark, 14);
}

/** The argument that named a marked row, if it fits a byte, else 0. */
export function askedOf(index: u32): u32 {
  return load<u8>(rowOf(index), 15);
}

export function setAsked(index: u32, argument: u32): void {
  store<u8>(rowOf(index), <u8>(argument < 256 ? argument : 0), 15);
}

// @ts-ignore: decorator
@inline
export function originalOf(index: u32): u32 {
  return load<u32>(rowOf(index), 16);
}

// @ts-ignore: decorator
@inline
export function minOf(index: u32): i64 {
  return load<i64>(rowOf(index), 24);
}

// @ts-ignore: decorator
@inline
export function maxOf(index: u32): i64 {
  return load<i64>(rowOf(index), 32);
}

/** Narrows static UTF-16 text to bytes at `to`. */
function narrow(from: u32, units: u32, to: u32): void {
  for (let i: u32 = 0; i < units; i++) store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
}

function addRow(name: u32, units: u32): u32 {
  const index = rowCount++;
  const at = rowOf(index);
  if (rowCount > ROWS_MAX || namesUsed + units > NAMES_BYTES) unreachable();
  narrow(name, units, <u32>NAMES + namesUsed);
  store<u32>(at, <u32>NAMES + namesUsed);
  store<u16>(at, <u16>units, 4);
  store<u32>(at, index, 16);
  namesUsed += units;
  return index;
}

function defineRow(index: u32, kind: u32, min: i64, max: i64, flags: u32): void {
  const at = rowOf(index);
  store<u8>(at, <u8>kind, 6);
  store<u8>(at, <u8>flags, 7);
  store<i64>(at, min, 24);
  store<i64>(at, max, 32);
}

function setWords(index: u32, words: u32, units: u32): void {
  store<u32>(rowOf(index), words, 8);
  store<u16>(rowOf(index), <u16>units, 12);
}

function assignDefault(index: u32, from: u32, units: u32): void {
  store<u32>(rowOf(index), from, 40);
  store<u32>(rowOf(index), units, 44);
  narrow(from, units, <u32>SCRATCH);
  if (!parse.check(index, <u32>SCRATCH, units)) unreachable();
  assign(index, <u32>SCRATCH, units);
}

/** Defines one row of the table of option.ts; rows come in the order of their numbers. */
export function row(
  index: u32,
  name: string,
  kind: u32,
  initial: string,
  min: i64,
  max: i64,
  flags: u32,
): void {
  if (addRow(changetype<u32>(name), <u32>name.length) != index) unreachable();
  defineRow(index, kind, min, max, flags);
  if (kind == option.ENUM || kind == option.WORDS) {
    const words = option.wordsOf(index);
    setWords(index, changetype<u32>(words), <u32>words.length);
  }
  assignDefault(index, changetype<u32>(initial), <u32>initial.length);
}

// --- option-table.ts: a cursor over its text. ---

let cursor: u32 = 0;
let wordStart: u32 = 0;
let wordUnits: u32 = 0;

/** Moves to the next word of the line; quotes hold blanks together and are left out. False at the line's end. */
function nextWord(): bool {
  while (load<u16>(cursor) == 32) cursor += 2;
  const first: u32 = load<u16>(cursor);
  if (first == 10) return false;
  const end: u32 = first == 34 ? 34 : 32;
  if (first == 34) cursor += 2;
  wordStart = cursor;
  for (let c: u32 = load<u16>(cursor); c != end && c != 10; c = load<u16>(cursor)) cursor += 2;
  wordUnits = (cursor - wordStart) >> 1;
  if (end == 34) cursor += 2;
  return true;
}

function wordIs(literal: string): bool {
  const units = <u32>literal.length;
  return units == wordUnits && memory.compare(wordStart, changetype<u32>(literal), units << 1) == 0;
}

function wordNumber(): i64 {
  narrow(wordStart, wordUnits, <u32>SCRATCH);
  return parse.integerOf(<u32>SCRATCH, wordUnits);
}

function kindOfWord(): u32 {
  if (wordIs('bool')) return option.BOOL;
  if (wordIs('int')) return option.INT;
  if (wordIs('bytes') || wordIs('percent')) return option.BYTES;
  if (wordIs('enum')) return option.ENUM;
  if (wordIs('octal')) return option.OCTAL;
  return option.STRING;
}

function defineLine(): void {
  nextWord();
  if (wordIs('#')) return; // a heading
  const index = addRow(wordStart, wordUnits);
  nextWord();
  if (wordIs('=')) {
    nextWord();
    narrow(wordStart, wordUnits, <u32>SCRATCH);
    store<u32>(rowOf(index), find(<u32>SCRATCH, wordUnits), 16);
    return;
  }
  let flags: u32 = 0;
  if (load<u16>(wordStart + (wordUnits << 1) - 2) == 33) {
    flags = option.START;
    wordUnits--;
  } else if (load<u16>(wordStart + (wordUnits << 1) - 2) == 94) {
    flags = option.RAISED;
    wordUnits--;
  }
  if (wordIs('percent')) flags |= option.PERCENT;
  const kind = kindOfWord();
  let min: i64 = 0;
  let max: i64 = wordIs('string') ? 4096 : 0;
  nextWord();
  const initial = wordStart;
  const initialUnits = wordUnits;
  if (nextWord()) {
    if (kind == option.ENUM) setWords(index, wordStart, wordUnits);
    else {
      min = wordNumber();
      nextWord();
      max = wordNumber();
    }
  }
  defineRow(index, kind, min, max, flags);
  assignDefault(index, initial, initialUnits);
}

/** Builds the table with every default in force. */
export function boot(): void {
  parse.bootLimits();
  option.defineLive();
  cursor = changetype<u32>(OPTION_TABLE) + 2;
  const end = changetype<u32>(OPTION_TABLE) + ((<u32>OPTION_TABLE.length) << 1);
  while (cursor < end) {
    defineLine();
    while (load<u16>(cursor) != 10) cursor += 2;
    cursor += 2;
  }
}

/** The row of a name in any case, or -1 as u32. */
export function find(name: u32, bytes: u32): u32 {
  for (let i: u32 = 0; i < rowCount; i++) {
    if (nameBytes(i) != bytes) continue;
    const at = nameAddress(i);
    let same: u32 = 0;
    while (same < bytes && parse.lower(load<u8>(name + same)) == load<u8>(at + same)) same++;
    if (same == bytes) return i;
  }
  return NONE;
}

export const NONE: u32 = 0xffffffff;

/** The number of an option of option-table.ts. */
export function numberOf(name: string): i64 {
  const units = <u32>name.length;
  narrow(changetype<u32>(name), units, <u32>SCRATCH);
  return number(find(<u32>SCRATCH, units));
}

/** What depends on an option looks at it again. */
function follow(index: u32): void {
  if (index == option.MAXMEMORY || index == option.MAXMEMORY_POLICY) {
    lru.configure();
    evict.configure();
  } else if (index == option.SLOWLOG_LOG_SLOWER_THAN || index == option.LATENCY_MONITOR_THRESHOLD) {
    telemetry.configure();
  } else if (index == option.STOP_WRITES_ON_BGSAVE_ERROR) persistence.refuse();
  else if (index == option.MIN_REPLICAS_TO_WRITE || index == option.MIN_REPLICAS_MAX_LAG) {
    const wanted = number(option.MIN_REPLICAS_TO_WRITE) != 0;
    observe.refuseWrites(observe.REPLICAS, wanted && number(option.MIN_REPLICAS_MAX_LAG) != 0);
  }
}

const LIMITS_DEFAULT: string =
  'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60';

/** Whether the value in force, which lies at `at` as it is shown, is the default. */
export function hasDefault(index: u32, at: u32, bytes: u32): bool {
  const kind = kindOf(index);
  let units = load<u32>(rowOf(index), 44);
  let from = load<u32>(rowOf(index), 40);
  if (kind == option.LIMITS) {
    from = changetype<u32>(LIMITS_DEFAULT);
    units = <u32>LIMITS_DEFAULT.length;
  }
  narrow(from, units, <u32>SCRATCH);
  if (kind == option.STRING || kind == option.SAVE || kind == option.LIMITS)
    return units == bytes && memory.compare(SCRATCH, at, bytes) == 0;
  return bounded(index, parse.valueOf(index, <u32>SCRATCH, units)) == number(index);
}

/** Puts a number in force that check() would accept. */
export function assignNumber(index: u32, value: i64): void {
  store<i64>(VALUES + (index << 3), value);
  follow(index);
}

/** A number as it is kept: Redis takes any hz and any size of the backlog, and bounds them without a word. */
function bounded(index: u32, value: i64): i64 {
  if (index == option.HZ) return min(max(value, option.HZ_MIN), option.HZ_MAX);
  return flagsOf(index) & option.RAISED ? max(value, minOf(index)) : value;
}

/** Puts a value that check() accepted in force. False when there is no memory for a string. */
export function assign(index: u32, at: u32, bytes: u32): bool {
  const kind = kindOf(index);
  if (kind == option.LIMITS) {
    parse.assignLimits(at, bytes);
    return true;
  }
  if (kind != option.STRING && kind != option.SAVE) {
    store<i64>(VALUES + (index << 3), bounded(index, parse.valueOf(index, at, bytes)));
    follow(index);
    return true;
  }
  let block: u32 = 0;
  if (bytes != 0) {
    block = heap.alloc(bytes + 4);
    if (block == 0) return false;
    store<u32>(block, bytes);
    memory.copy(block + 4, at, bytes);
  }
  const old = load<u32>(VALUES + (index << 3));
  if (old != 0) heap.free(old, load<u32>(old) + 4);
  store<i64>(VALUES + (index << 3), <i64>block);
  if (kind == option.SAVE) {
    parse.assignSavePoints(at, bytes);
    persistence.refuse();
  }
  return true;
}
