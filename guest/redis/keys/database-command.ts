// Whole databases: SELECT, SWAPDB, FLUSHDB, FLUSHALL.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as config from '../config/config.ts';
import * as errors from '../command/errors.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as lazyfree from '../keyspace/lazyfree.ts';
import * as option from '../config/option.ts';
import * as persistence from '../persist/persistence.ts';
import * as number from '../bytes/number.ts';
import * as reply from '../wire/reply.ts';
import * as space from '../keyspace/space.ts';
import {
  ACL_CONNECTION,
  ACL_DANGEROUS,
  ACL_KEYSPACE,
  FAST,
  LOADING,
  STALE,
  TIMED,
  WRITE,
} from '../command/command.ts';

export function register(): void {
  command.define('select', select, 2, LOADING | STALE | FAST, 0, 0, 0, ACL_CONNECTION);
  command.define('swapdb', swap, 3, WRITE | FAST, 0, 0, 0, ACL_KEYSPACE | ACL_DANGEROUS);
  command.define('flushdb', flush, -1, WRITE | TIMED, 0, 0, 0, ACL_KEYSPACE | ACL_DANGEROUS);
  command.define('flushall', flushAll, -1, WRITE | TIMED, 0, 0, 0, ACL_KEYSPACE | ACL_DANGEROUS);
}

/** The database that an argument names, or -1 after an error reply. */
export function numberOf(index: u32): i32 {
  if (!args.isInteger(index)) errors.notInteger();
  else {
    const database = number.parsed;
    if (database > 0x7fffffff || database < -0x80000000) {
      reply.error('ERR value is out of range, value must between -2147483648 and 2147483647');
    } else if (database < 0 || database >= <i64>space.databases()) outOfRange();
    else return <i32>database;
  }
  return -1;
}

function outOfRange(): void {
  reply.error('ERR DB index is out of range');
}

function select(): void {
  const database = numberOf(1);
  if (database < 0) return;
  client.current().db = database;
  space.select(database);
  reply.ok();
}

function isNumber(index: u32): bool {
  return args.isInteger(index) && number.parsed <= 0x7fffffff && number.parsed >= -0x80000000;
}

function swap(): void {
  if (!isNumber(1)) return reply.error('ERR invalid first DB index');
  const first = number.parsed;
  if (!isNumber(2)) return reply.error('ERR invalid second DB index');
  const second = number.parsed;
  const count = <i64>space.databases();
  if (first < 0 || first >= count || second < 0 || second >= count) return outOfRange();
  keyspace.swap(<u32>first, <u32>second);
  space.select(client.current().db);
  keyspace.addDirty(1);
  reply.ok();
}

/** True when the arguments of FLUSHDB or FLUSHALL are right. */
function readMode(): bool {
  const isRight =
    args.count() == 1 || (args.count() == 2 && (args.is(1, 'sync') || args.is(1, 'async')));
  if (!isRight) errors.syntax();
  return isRight;
}

/** Without ASYNC the keys are freed before the reply. */
function freeNow(): void {
  const isLazy =
    args.count() == 1 ? config.number(option.LAZYFREE_LAZY_USER_FLUSH) != 0 : args.is(1, 'async');
  if (!isLazy) while (lazyfree.step()) {}
}

function flush(): void {
  if (!readMode()) return;
  const keys = keyspace.flush(client.current().db);
  if (keys < 0) return errors.outOfMemory();
  freeNow();
  keyspace.addDirty(keys);
  reply.ok();
}

function flushAll(): void {
  if (!readMode()) return;
  for (let i: u32 = 0; i < space.databases(); i++) {
    const keys = keyspace.flush(i);
    if (keys < 0) return errors.outOfMemory();
    keyspace.addDirty(keys);
  }
  freeNow();
  persistence.afterFlushAll();
  reply.ok();
}
