// LCS: the longest common subsequence of two strings, by the table of all pairs of prefixes.

import * as args from '../../wire/args.ts';
import * as config from '../../config/config.ts';
import * as entry from '../../keyspace/entry.ts';
import * as errors from '../../command/errors.ts';
import * as heap from '../../bytes/heap.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as number from '../../bytes/number.ts';
import * as option from '../../config/option.ts';
import * as reply from '../../wire/reply.ts';
import * as strings from './value.ts';

let wantsLength: bool = false;
let wantsRanges: bool = false;
let wantsMatchLength: bool = false;
let shortest: i64 = 0;

const FIRST: usize = memory.data(24, 8); // digits of the first string, if it is an integer

export function run(): void {
  const first = keyspace.lookupRead(args.ptr(1), args.len(1));
  const second = keyspace.lookupRead(args.ptr(2), args.len(2));
  const areStrings =
    (first == 0 || entry.type(first) == strings.STRING) &&
    (second == 0 || entry.type(second) == strings.STRING);
  if (!areStrings) return reply.error('ERR The specified keys must contain string values');
  if (!readOptions()) return;
  let a: u32 = 0;
  let aBytes: u32 = 0;
  if (first != 0) {
    strings.read(first);
    a = strings.textAt;
    aBytes = strings.textBytes;
    if (entry.encoding(first) == strings.INT) {
      memory.copy(FIRST, a, aBytes);
      a = <u32>FIRST;
    }
  }
  let b: u32 = 0;
  let bBytes: u32 = 0;
  if (second != 0) {
    strings.read(second);
    b = strings.textAt;
    bBytes = strings.textBytes;
  }
  const tableBytes = (<u64>aBytes + 1) * (<u64>bBytes + 1) * 4;
  if (tableBytes > <u64>config.number(option.PROTO_MAX_BULK_LEN)) {
    return reply.error(
      'ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len',
    );
  }
  const table = tableBytes > 0xf0000000 ? 0 : heap.alloc(<u32>tableBytes);
  if (table == 0) {
    return reply.error('ERR Insufficient memory, failed allocating transient memory for LCS');
  }
  fill(table, a, aBytes, b, bBytes);
  answer(table, a, aBytes, b, bBytes);
  heap.free(table, <u32>tableBytes);
}

function readOptions(): bool {
  wantsLength = false;
  wantsRanges = false;
  wantsMatchLength = false;
  shortest = 0;
  for (let i: u32 = 3; i < args.count(); i++) {
    if (args.is(i, 'idx')) wantsRanges = true;
    else if (args.is(i, 'len')) wantsLength = true;
    else if (args.is(i, 'withmatchlen')) wantsMatchLength = true;
    else if (args.is(i, 'minmatchlen') && i + 1 < args.count()) {
      if (!args.isInteger(++i)) {
        errors.notInteger();
        return false;
      }
      shortest = number.parsed;
    } else {
      errors.syntax();
      return false;
    }
  }
  if (wantsLength && wantsRanges) {
    reply.error('ERR If you want both the length and indexes, please just use IDX.');
    return false;
  }
  return true;
}

/** Cell (i, j) of the table, at (i * (bBytes + 1) + j) * 4: length for the first i bytes of a and j of b. */
function fill(table: u32, a: u32, aBytes: u32, b: u32, bBytes: u32): void {
  const row = (bBytes + 1) << 2;
  memory.fill(table, 0, row);
  for (let i: u32 = 1; i <= aBytes; i++) {
    const c = load<u8>(a + i - 1);
    let cell = table + i * row;
    store<u32>(cell, 0);
    for (let j: u32 = 1; j <= bBytes; j++) {
      const above = load<u32>(cell - row, 4);
      const length =
        c == load<u8>(b + j - 1) ? load<u32>(cell - row) + 1 : max(above, load<u32>(cell));
      cell += 4;
      store<u32>(cell, length);
    }
  }
}

function answer(table: u32, a: u32, aBytes: u32, b: u32, bBytes: u32): void {
  const length = load<u32>(table + (aBytes * (bBytes + 1) + bBytes) * 4);
  if (wantsLength) return reply.integer(length);
  if (!wantsRanges) {
    const to = reply.bulkSpace(length);
    if (length != 0 && to != 0) trace(table, a, aBytes, b, bBytes, to + length);
    return;
  }
  reply.map(2);
  reply.bulkText('matches');
  const mark = reply.deferArray();
  const ranges = trace(table, a, aBytes, b, bBytes, 0);
  reply.bulkText('len');
  reply.integer(length);
  reply.endArray(mark, ranges);
}

/**
 * Goes back from the table's end: writes the common bytes before `to`, or replies their ranges; how many
 * those were.
 */
function trace(table: u32, a: u32, aBytes: u32, b: u32, bBytes: u32, to: u32): u32 {
  const width = bBytes + 1;
  let ranges: u32 = 0;
  let i = aBytes;
  let j = bBytes;
  let run: u32 = 0; // bytes of the range that begins at (i, j)
  while (i > 0 && j > 0) {
    if (load<u8>(a + i - 1) == load<u8>(b + j - 1)) {
      i--;
      j--;
      run++;
      if (to != 0) store<u8>(--to, load<u8>(a + i));
      continue;
    }
    if (run != 0 && to == 0) ranges += range(i, j, run);
    run = 0;
    const above = load<u32>(table + ((i - 1) * width + j) * 4);
    if (above > load<u32>(table + (i * width + j - 1) * 4)) i--;
    else j--;
  }
  if (run != 0 && to == 0) ranges += range(i, j, run);
  return ranges;
}

/** Replies one range, unless it is too short: 1 or 0. */
function range(i: u32, j: u32, bytes: u32): u32 {
  if (<i64>bytes < shortest) return 0;
  reply.array(wantsMatchLength ? 3 : 2);
  reply.array(2);
  reply.integer(i);
  reply.integer(i + bytes - 1);
  reply.array(2);
  reply.integer(j);
  reply.integer(j + bytes - 1);
  if (wantsMatchLength) reply.integer(bytes);
  return 1;
}
