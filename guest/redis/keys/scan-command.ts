// Walks over the keys of a database: KEYS, SCAN, RANDOMKEY, DBSIZE.

import * as ascii from '../bytes/ascii.ts';
import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as cursor from '../bytes/cursor.ts';
import * as dict from '../keyspace/dict.ts';
import * as entry from '../keyspace/entry.ts';
import * as errors from '../command/errors.ts';
import * as gathered from '../bytes/gathered.ts';
import * as glob from '../bytes/glob.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as number from '../bytes/number.ts';
import * as random from '../bytes/random.ts';
import * as reply from '../wire/reply.ts';
import * as space from '../keyspace/space.ts';
import * as types from '../keyspace/type.ts';
import { ACL_DANGEROUS, ACL_KEYSPACE, FAST, READONLY, TIMED } from '../command/command.ts';

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

function setPattern(index: u32): void {
  pattern = args.ptr(index);
  patternBytes = args.len(index);
  matchesAll = patternBytes == 1 && load<u8>(pattern) == ascii.ASTERISK;
}

function isShown(found: u32): bool {
  return matchesAll || glob.matches(pattern, patternBytes, entry.key(found), entry.keyBytes(found));
}

function list(): void {
  setPattern(1);
  shown = 0;
  const dictionary = space.dictOf(client.current().db);
  const mark = reply.deferArray();
  let next: u64 = 0;
  do next = dict.scan(dictionary, next, show);
  while (next != 0);
  reply.endArray(mark, shown);
}

function show(found: u32): void {
  if (!isShown(found) || entry.isExpired(found)) return;
  reply.bulk(entry.key(found), entry.keyBytes(found));
  shown++;
}

function scan(): void {
  if (!cursor.read(args.ptr(1), args.len(1))) return reply.error('ERR invalid cursor');
  let wanted: i64 = 10;
  let type: u32 = 0; // argument that names it
  matchesAll = true;
  for (let i: u32 = 2; i < args.count(); i += 2) {
    if (i + 1 == args.count()) return errors.syntax();
    if (args.is(i, 'count')) {
      if (!args.isInteger(i + 1)) return errors.notInteger();
      wanted = number.parsed;
      if (wanted < 1) return errors.syntax();
    } else if (args.is(i, 'match')) setPattern(i + 1);
    else if (args.is(i, 'type')) type = i + 1;
    else return errors.syntax();
  }
  const dictionary = space.dictOf(client.current().db);
  const enough = <u32>min<i64>(wanted, 0x10000000);
  let turns = <u64>enough * 10;
  let next = cursor.parsed;
  gathered.clear();
  do next = dict.scan(dictionary, next, gathered.add);
  while (next != 0 && turns-- != 0 && gathered.count() < enough);
  if (!gathered.isWhole()) return errors.outOfMemory();
  reply.array(2);
  reply.bulkInteger(<i64>next); // only cursors of more than 2^63 buckets would not fit a signed number
  replyGathered(type);
}

function replyGathered(type: u32): void {
  const mark = reply.deferArray();
  let replied: u32 = 0;
  for (let i: u32 = 0; i < gathered.count(); i++) {
    const found = gathered.at(i);
    if (!isShown(found)) continue;
    if (entry.isExpired(found)) {
      keyspace.expire(found);
      continue;
    }
    if (type != 0 && !args.is(type, types.nameOf(entry.type(found)))) continue;
    reply.bulk(entry.key(found), entry.keyBytes(found));
    replied++;
  }
  reply.endArray(mark, replied);
  gathered.trim();
}

function randomKey(): void {
  const dictionary = space.dictOf(client.current().db);
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
  reply.integer(space.keyCount(client.current().db));
}
