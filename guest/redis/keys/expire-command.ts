// When keys end: EXPIRE and its family, TTL and its family, PERSIST.

import * as args from '../wire/args.ts';
import * as clock from '../border/clock.ts';
import * as command from '../command/command.ts';
import * as dispatch from '../run/dispatch.ts';
import * as entry from '../keyspace/entry.ts';
import * as errors from '../command/errors.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as number from '../bytes/number.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import { ACL_KEYSPACE, FAST, READONLY, WRITE } from '../command/command.ts';

export function register(): void {
  command.define('expire', expire, -3, WRITE | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('pexpire', expireMs, -3, WRITE | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('expireat', expireAt, -3, WRITE | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('pexpireat', expireAtMs, -3, WRITE | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('ttl', timeLeft, 2, READONLY | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('pttl', timeLeftMs, 2, READONLY | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('expiretime', endTime, 2, READONLY | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('pexpiretime', endTimeMs, 2, READONLY | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('persist', persist, 2, WRITE | FAST, 1, 1, 1, ACL_KEYSPACE);
}

const NX: u32 = 1;
const XX: u32 = 2;
const GT: u32 = 4;
const LT: u32 = 8;
const INVALID: u32 = 0xffffffff;

function expire(): void {
  setEnd(clock.ms(), true);
}

function expireMs(): void {
  setEnd(clock.ms(), false);
}

function expireAt(): void {
  setEnd(0, true);
}

function expireAtMs(): void {
  setEnd(0, false);
}

/** Reads the options; INVALID after an error reply. */
function options(): u32 {
  let flags: u32 = 0;
  for (let i: u32 = 3; i < args.count(); i++) {
    if (args.is(i, 'nx')) flags |= NX;
    else if (args.is(i, 'xx')) flags |= XX;
    else if (args.is(i, 'gt')) flags |= GT;
    else if (args.is(i, 'lt')) flags |= LT;
    else {
      reply.errorBegin('ERR Unsupported option ');
      reply.plain(args.ptr(i), args.len(i));
      reply.errorEnd();
      return INVALID;
    }
  }
  if (flags & NX && flags & (XX | GT | LT)) {
    reply.error('ERR NX and XX, GT or LT options at the same time are not compatible');
    return INVALID;
  }
  if (flags & GT && flags & LT) {
    reply.error('ERR GT and LT options at the same time are not compatible');
    return INVALID;
  }
  return flags;
}

function setEnd(base: i64, isSeconds: bool): void {
  const flags = options();
  if (flags == INVALID) return;
  if (!args.isInteger(2)) return errors.notInteger();
  let when = number.parsed;
  if (isSeconds) {
    if (when > i64.MAX_VALUE / 1000 || when < i64.MIN_VALUE / 1000)
      return errors.invalidExpire(dispatch.row());
    when *= 1000;
  }
  if (when > i64.MAX_VALUE - base) return errors.invalidExpire(dispatch.row());
  when += base;
  const found = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (found == 0 || !isWanted(flags, entry.expiry(found), when)) return reply.integer(0);
  if (when <= clock.ms()) keyspace.removeEntry(found, option.LAZYFREE_LAZY_EXPIRE);
  else if (!keyspace.setExpiry(found, when)) return errors.outOfMemory();
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
  reply.integer(1);
}

/** True when the options let a key that ends at `old` (-1 = never) end at `when`. */
function isWanted(flags: u32, old: i64, when: i64): bool {
  if (flags & NX && old != -1) return false;
  if (flags & XX && old == -1) return false;
  if (flags & GT && (old == -1 || when <= old)) return false;
  return !(flags & LT) || old == -1 || when < old;
}

/** When argument 1's key expires; -1 when it does not, -2 when the key is missing. */
function endOf(): i64 {
  const found = keyspace.peek(args.ptr(1), args.len(1));
  return found == 0 ? -2 : entry.expiry(found);
}

function timeLeft(): void {
  const end = endOf();
  reply.integer(end < 0 ? end : (max<i64>(end - clock.ms(), 0) + 500) / 1000);
}

function timeLeftMs(): void {
  const end = endOf();
  reply.integer(end < 0 ? end : max<i64>(end - clock.ms(), 0));
}

function endTime(): void {
  const end = endOf();
  reply.integer(end < 0 ? end : <i64>((<u64>end + 500) / 1000));
}

function endTimeMs(): void {
  reply.integer(endOf());
}

function persist(): void {
  const found = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (found == 0 || !keyspace.clearExpiry(found)) return reply.integer(0);
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
  reply.integer(1);
}
