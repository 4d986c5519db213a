// The string commands, except the family of SET (set.ts), counters (arithmetic.ts) and LCS (lcs.ts).

import * as args from '../../wire/args.ts';
import * as client from '../../client/client.ts';
import * as command from '../../command/command.ts';
import * as config from '../../config/config.ts';
import * as entry from '../../keyspace/entry.ts';
import * as errors from '../../command/errors.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as lcs from './lcs.ts';
import * as number from '../../bytes/number.ts';
import * as option from '../../config/option.ts';
import * as reply from '../../wire/reply.ts';
import * as strings from './value.ts';
import { ACL_STRING, DENYOOM, FAST, READONLY, TIMED, WRITE } from '../../command/command.ts';

export function register(): void {
  command.define('get', get, 2, READONLY | FAST, 1, 1, 1, ACL_STRING);
  command.define('getdel', getDelete, 2, WRITE | FAST, 1, 1, 1, ACL_STRING);
  command.define('mget', getMany, -2, READONLY | FAST, 1, -1, 1, ACL_STRING);
  command.define('strlen', length, 2, READONLY | FAST, 1, 1, 1, ACL_STRING);
  command.define('getrange', getRange, 4, READONLY, 1, 1, 1, ACL_STRING);
  command.define('substr', getRange, 4, READONLY, 1, 1, 1, ACL_STRING);
  command.define('setrange', setRange, 4, WRITE | DENYOOM, 1, 1, 1, ACL_STRING);
  command.define('append', append, 3, WRITE | DENYOOM | FAST, 1, 1, 1, ACL_STRING);
  command.define('lcs', lcs.run, -3, READONLY | TIMED, 1, 2, 1, ACL_STRING);
}

/**
 * The string entry of argument 1, or 0 after a reply: `none` when it is missing, an error when it is not a
 * string.
 */
export function stringOrReply(): u32 {
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found == 0) reply.none();
  else if (entry.type(found) == strings.STRING) return found;
  else errors.wrongType();
  return 0;
}

function get(): void {
  const found = stringOrReply();
  if (found == 0) return;
  strings.read(found);
  const bytes = strings.textBytes;
  if (bytes < reply.LOAN_MIN || client.current().flags & client.IN_EXEC)
    reply.bulk(strings.textAt, bytes);
  else reply.bulkLoan(strings.textAt, bytes);
}

function getDelete(): void {
  const found = stringOrReply();
  if (found == 0) return;
  strings.read(found);
  reply.bulk(strings.textAt, strings.textBytes);
  keyspace.removeEntry(found, option.LAZYFREE_LAZY_SERVER_DEL);
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
}

function getMany(): void {
  reply.array(args.count() - 1);
  for (let i: u32 = 1; i < args.count(); i++) {
    const found = keyspace.lookupRead(args.ptr(i), args.len(i));
    if (found == 0 || entry.type(found) != strings.STRING) reply.none();
    else {
      strings.read(found);
      reply.bulk(strings.textAt, strings.textBytes);
    }
  }
}

function length(): void {
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found == 0) reply.integer(0);
  else if (entry.type(found) != strings.STRING) errors.wrongType();
  else reply.integer(strings.lengthOf(found));
}

function getRange(): void {
  if (!args.isInteger(2)) return errors.notInteger();
  let start = number.parsed;
  if (!args.isInteger(3)) return errors.notInteger();
  let end = number.parsed;
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found == 0) return reply.bulk(0, 0);
  if (entry.type(found) != strings.STRING) return errors.wrongType();
  strings.read(found);
  const bytes = <i64>strings.textBytes;
  if (start < 0 && end < 0 && start > end) return reply.bulk(0, 0);
  if (start < 0) start = max<i64>(bytes + start, 0);
  if (end < 0) end = max<i64>(bytes + end, 0);
  if (end >= bytes) end = bytes - 1;
  if (start > end || bytes == 0) return reply.bulk(0, 0);
  reply.bulk(strings.textAt + <u32>start, <u32>(end - start + 1));
}

/** True when a string may have this many bytes; else replies with the error. */
function isAllowed(bytes: u64): bool {
  if (bytes <= <u64>config.number(option.PROTO_MAX_BULK_LEN)) return true;
  errors.tooLong();
  return false;
}

function setRange(): void {
  if (!args.isInteger(2)) return errors.notInteger();
  const offset = number.parsed;
  if (offset < 0) return reply.error('ERR offset is out of range');
  const bytes = args.len(3);
  const end = <u64>offset + bytes;
  let found = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (found == 0) {
    if (bytes == 0) return reply.integer(0);
    if (!isAllowed(end)) return;
    found = end > 0xf0000000 ? 0 : insertRaw(<u32>end);
    if (found == 0) return errors.outOfMemory();
    memory.fill(entry.value(found), 0, <u32>offset);
  } else {
    if (entry.type(found) != strings.STRING) return errors.wrongType();
    const old = strings.lengthOf(found);
    if (bytes == 0) return reply.integer(old);
    if (!isAllowed(end)) return;
    found = end > 0xf0000000 ? 0 : strings.edit(found, max<u32>(old, <u32>end));
    if (found == 0) return errors.outOfMemory();
    if (<u64>offset > <u64>old) memory.fill(entry.value(found) + old, 0, <u32>offset - old);
  }
  memory.copy(entry.value(found) + <u32>offset, args.ptr(3), bytes);
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
  reply.integer(entry.valueBytes(found));
}

function insertRaw(bytes: u32): u32 {
  return keyspace.insert(args.ptr(1), args.len(1), strings.STRING, strings.RAW, bytes);
}

function append(): void {
  const bytes = args.len(2);
  let found = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (found == 0) {
    found = strings.write(0, args.ptr(1), args.len(1), args.ptr(2), bytes);
    if (found == 0) return errors.outOfMemory();
  } else {
    if (entry.type(found) != strings.STRING) return errors.wrongType();
    const old = strings.lengthOf(found);
    const total = <u64>old + bytes;
    if (!isAllowed(total)) return;
    found = total > 0xf0000000 ? 0 : strings.edit(found, <u32>total);
    if (found == 0) return errors.outOfMemory();
    memory.copy(entry.value(found) + old, args.ptr(2), bytes);
  }
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
  reply.integer(strings.lengthOf(found));
}
