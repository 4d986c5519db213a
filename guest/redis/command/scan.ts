// Walks over the keys of a database: KEYS, SCAN, RANDOMKEY, DBSIZE.

import * as args from '../args.ts';
import * as client from '../client.ts';
import * as command from '../command.ts';
import * as dict from '../dict.ts';
import * as entry from '../entry.ts';
import * as errors from '../errors.ts';
import * as glob from '../glob.ts';
import * as heap from '../heap.ts';
import * as keyspace from '../keyspace.ts';
import * as keys from './keys.ts';
import * as number from '../number.ts';
import * as random from '../random.ts';
import * as reply from '../reply.ts';
import { ACL_DANGEROUS, ACL_KEYSPACE, FAST, READONLY, TIMED } from '../command.ts';

export function register(): void {
  const slow = READONLY | TIMED;
  command.define('keys', list, 2, slow, 0, 0, 0, ACL_KEYSPACE | ACL_DANGEROUS);
  command.define('scan', scan, -2, slow, 0, 0, 0, ACL_KEYSPACE);
  command.define('randomkey', randomKey, 1, READONLY, 0, 0, 0, ACL_KEYSPACE);
  command.define('dbsize', size, 1, READONLY | FAST, 0, 0, 0, ACL_KEYSPACE);
}

// What the walk that is going on looks for.
let pattern: u32 = 0;
let patternBytes: u32 = 0;
let matchesAll: bool = true;
let shown: u32 = 0;

// Keys that a SCAN has met. They are gathered first: an expired one is deleted, and that changes the table.
const FIRST_ROOM: u32 = 256;
let gathered: u32 = 0;
let gatheredCount: u32 = 0;
let gatheredRoom: u32 = 0;

function setPattern(index: u32): void {
  pattern = args.ptr(index);
  patternBytes = args.len(index);
  matchesAll = patternBytes == 1 && load<u8>(pattern) == 42;
}

function isShown(found: u32): bool {
  return matchesAll || glob.matches(pattern, patternBytes, entry.key(found), entry.keyBytes(found));
}

function list(): void {
  setPattern(1);
  shown = 0;
  const dictionary = keyspace.dictOf(client.current().db);
  const mark = reply.deferArray();
  let cursor: u64 = 0;
  do cursor = dict.scan(dictionary, cursor, show);
  while (cursor != 0);
  reply.endArray(mark, shown);
}

function show(found: u32): void {
  if (!isShown(found) || entry.isExpired(found)) return;
  reply.bulk(entry.key(found), entry.keyBytes(found));
  shown++;
}

/** A cursor is an unsigned number of 64 bits, written as strtoul reads it; false when the text is none. */
function readCursor(index: u32): bool {
  const at = args.ptr(index);
  const bytes = args.len(index);
  let i: u32 = 0;
  if (i < bytes && (load<u8>(at) == 43 || load<u8>(at) == 45)) i++;
  let value: u64 = 0;
  const first = i;
  for (; i < bytes; i++) {
    const digit = <u64>load<u8>(at + i) - 48;
    if (digit > 9 || value > (u64.MAX_VALUE - digit) / 10) return false;
    value = value * 10 + digit;
  }
  startCursor = first == 1 && load<u8>(at) == 45 ? 0 - value : value;
  return first < bytes || bytes == 0;
}

let startCursor: u64 = 0;

function scan(): void {
  if (!readCursor(1)) return reply.error('ERR invalid cursor');
  let wanted: i64 = 10;
  let type: u32 = 0; // argument that names it
  matchesAll = true;
  for (let i: u32 = 2; i < args.count(); i += 2) {
    if (i + 1 == args.count()) return errors.syntax();
    if (args.is(i, 'count')) {
      if (!args.isInteger(i + 1)) return errors.notInteger();
      wanted = number.parsed();
      if (wanted < 1) return errors.syntax();
    } else if (args.is(i, 'match')) setPattern(i + 1);
    else if (args.is(i, 'type')) type = i + 1;
    else return errors.syntax();
  }
  const dictionary = keyspace.dictOf(client.current().db);
  const enough = <u32>min<i64>(wanted, 0x10000000);
  let turns = <u64>enough * 10;
  let cursor = startCursor;
  gatheredCount = 0;
  do cursor = dict.scan(dictionary, cursor, gather);
  while (cursor != 0 && turns-- != 0 && gatheredCount < enough);
  reply.array(2);
  replyCursor(cursor);
  replyGathered(type);
}

function gather(found: u32): void {
  if (gatheredCount == gatheredRoom) {
    const room = gatheredRoom == 0 ? FIRST_ROOM : gatheredRoom << 1;
    const moved = heap.alloc(room << 2);
    if (moved == 0) return;
    if (gatheredRoom != 0) {
      memory.copy(moved, gathered, gatheredRoom << 2);
      heap.free(gathered, gatheredRoom << 2);
    }
    gathered = moved;
    gatheredRoom = room;
  }
  store<u32>(gathered + (gatheredCount++ << 2), found);
}

/** Cursors have 64 bits; only those of more than 2^63 buckets would not fit a signed number. */
function replyCursor(cursor: u64): void {
  reply.bulkInteger(<i64>cursor);
}

function replyGathered(type: u32): void {
  const mark = reply.deferArray();
  let replied: u32 = 0;
  for (let i: u32 = 0; i < gatheredCount; i++) {
    const found = load<u32>(gathered + (i << 2));
    if (!isShown(found)) continue;
    if (entry.isExpired(found)) {
      keyspace.expire(found);
      continue;
    }
    if (type != 0 && !args.is(type, keys.nameOf(entry.type(found)))) continue;
    reply.bulk(entry.key(found), entry.keyBytes(found));
    replied++;
  }
  reply.endArray(mark, replied);
  if (gatheredRoom > FIRST_ROOM << 4) {
    heap.free(gathered, gatheredRoom << 2);
    gatheredRoom = 0;
  }
}

function randomKey(): void {
  const dictionary = keyspace.dictOf(client.current().db);
  for (let turn: u32 = 0; turn < 100; turn++) {
    const found = dict.random(dictionary, random.bits);
    if (found == 0) break;
    if (entry.isExpired(found)) {
      keyspace.expire(found);
      continue;
    }
    return reply.bulk(entry.key(found), entry.keyBytes(found));
  }
  reply.none();
}

function size(): void {
  reply.integer(keyspace.keyCount(client.current().db));
}
