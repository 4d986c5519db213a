// SET and its family.

import * as args from '../../wire/args.ts';
import * as clock from '../../border/clock.ts';
import * as command from '../../command/command.ts';
import * as entry from '../../keyspace/entry.ts';
import * as errors from '../../command/errors.ts';
import * as expiry from './expiry-option.ts';
import * as input from '../../wire/input.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as option from '../../config/option.ts';
import * as reply from '../../wire/reply.ts';
import * as replyBlock from '../../wire/reply-block.ts';
import * as strings from './value.ts';
import { ACL_STRING, DENYOOM, FAST, WRITE } from '../../command/command.ts';
import { slab } from '../../../../assembly/index.ts';

export function register(): void {
  command.define('set', set, -3, WRITE | DENYOOM, 1, 1, 1, ACL_STRING);
  command.define('setnx', setIfMissing, 3, WRITE | DENYOOM | FAST, 1, 1, 1, ACL_STRING);
  command.define('setex', setSeconds, 4, WRITE | DENYOOM, 1, 1, 1, ACL_STRING);
  command.define('psetex', setMilliseconds, 4, WRITE | DENYOOM, 1, 1, 1, ACL_STRING);
  command.define('getset', getSet, 3, WRITE | DENYOOM | FAST, 1, 1, 1, ACL_STRING);
  command.define('getex', getExpire, -2, WRITE | FAST, 1, 1, 1, ACL_STRING);
  command.define('mset', setMany, -3, WRITE | DENYOOM, 1, -1, 2, ACL_STRING);
  command.define('msetnx', setManyIfMissing, -3, WRITE | DENYOOM, 1, -1, 2, ACL_STRING);
}

// Options of SET and GETEX.
const NX: u32 = 1;
const XX: u32 = 2;
const GET: u32 = 4;
const KEEPTTL: u32 = 8;
const PERSIST: u32 = 16;
const EX: u32 = 32;
const PX: u32 = 64;
const EXAT: u32 = 128;
const PXAT: u32 = 256;
const EXPIRY: u32 = EX | PX | EXAT | PXAT;
/** What may accompany an expiry: the same word again, and nothing else about time. */
const TIME: u32 = EXPIRY | KEEPTTL | PERSIST;

const SYNTAX: u32 = 0xffffffff;

let expiryIndex: u32 = 0; // of the argument with the time

/** The option that argument `i` names; 0 when it is none. */
function optionOf(i: u32): u32 {
  switch (args.len(i)) {
    case 2:
      if (args.is(i, 'ex')) return EX;
      if (args.is(i, 'px')) return PX;
      if (args.is(i, 'nx')) return NX;
      return args.is(i, 'xx') ? XX : 0;
    case 3:
      return args.is(i, 'get') ? GET : 0;
    case 4:
      if (args.is(i, 'exat')) return EXAT;
      return args.is(i, 'pxat') ? PXAT : 0;
    case 7:
      if (args.is(i, 'keepttl')) return KEEPTTL;
      return args.is(i, 'persist') ? PERSIST : 0;
    default:
      return 0;
  }
}

/** Reads options from argument `from` on, of those allowed; SYNTAX when they contradict one another. */
function options(from: u32, allowed: u32): u32 {
  let flags: u32 = 0;
  for (let i = from; i < args.count(); i++) {
    const chosen = optionOf(i) & allowed;
    let others: u32 = 0;
    if (chosen & TIME) others = TIME & ~chosen;
    else if (chosen & (NX | XX)) others = (NX | XX) & ~chosen;
    if (chosen == 0 || flags & others) return SYNTAX;
    if (chosen & EXPIRY) {
      if (++i == args.count()) return SYNTAX;
      expiryIndex = i;
    }
    flags |= chosen;
  }
  return flags;
}

function readExpiry(flags: u32): bool {
  return expiry.read(expiryIndex, (flags & (EX | EXAT)) != 0, (flags & (EXAT | PXAT)) != 0);
}

function set(): void {
  if (args.count() == 3) return setPlain();
  const flags = options(3, NX | XX | GET | KEEPTTL | EXPIRY);
  if (flags == SYNTAX) return errors.syntax();
  if (flags & EXPIRY && !readExpiry(flags)) return;
  const start = replyBlock.length();
  if (flags & GET && !replyOld()) return;
  const old = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if ((flags & NX && old != 0) || (flags & XX && old == 0)) {
    if (!(flags & GET)) reply.none();
    return;
  }
  if (!finish(old, 2, flags & EXPIRY ? expiry.endMs : -1, flags & KEEPTTL)) {
    replyBlock.rewind(start);
    return errors.outOfMemory();
  }
  if (!(flags & GET)) reply.ok();
}

function setPlain(): void {
  const old = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (finish(old, 2, -1, 0)) reply.ok();
  else errors.outOfMemory();
}

/** Replies the string that is under the key; false after an error. */
function replyOld(): bool {
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found == 0) reply.none();
  else if (entry.type(found) != strings.STRING) {
    errors.wrongType();
    return false;
  } else {
    strings.read(found);
    reply.bulk(strings.textAt, strings.textBytes);
  }
  return true;
}

/**
 * Stores argument `value` under argument 1, to end at a time or never (-1). False if out of memory.
 */
@inline
function finish(old: u32, value: u32, endsMs: i64, keep: u32): bool {
  const key = args.ptr(1);
  const keyBytes = args.len(1);
  // The list of expiring keys may need a chunk; the reserve of the heap holds it.
  const made = strings.write(old, key, keyBytes, args.ptr(value), args.len(value));
  if (made == 0) return false;
  if (endsMs >= 0) {
    if (!keyspace.setExpiry(made, endsMs)) {
      keyspace.removeEntry(made, option.LAZYFREE_LAZY_EXPIRE);
      return false;
    }
  } else if (!keep) keyspace.clearExpiry(made);
  keyspace.signalModified(key, keyBytes);
  keyspace.addDirty(1);
  return true;
}

function setIfMissing(): void {
  if (keyspace.lookupWrite(args.ptr(1), args.len(1)) != 0) return reply.integer(0);
  if (finish(0, 2, -1, 0)) reply.integer(1);
  else errors.outOfMemory();
}

function setSeconds(): void {
  setEnding(true);
}

function setMilliseconds(): void {
  setEnding(false);
}

function setEnding(isSeconds: bool): void {
  if (!expiry.read(2, isSeconds, false)) return;
  const old = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (finish(old, 3, expiry.endMs, 0)) reply.ok();
  else errors.outOfMemory();
}

function getSet(): void {
  const start = replyBlock.length();
  if (!replyOld()) return;
  if (finish(keyspace.lookupWrite(args.ptr(1), args.len(1)), 2, -1, 0)) return;
  replyBlock.rewind(start);
  errors.outOfMemory();
}

function getExpire(): void {
  const flags = options(2, PERSIST | EXPIRY);
  if (flags == SYNTAX) return errors.syntax();
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found == 0) return reply.none();
  if (entry.type(found) != strings.STRING) return errors.wrongType();
  if (flags & EXPIRY && !readExpiry(flags)) return;
  strings.read(found);
  reply.bulk(strings.textAt, strings.textBytes);
  if (flags & (EXAT | PXAT) && expiry.endMs <= clock.ms())
    keyspace.removeEntry(found, option.LAZYFREE_LAZY_EXPIRE);
  else if (flags & EXPIRY) keyspace.setExpiry(found, expiry.endMs);
  else if (!(flags & PERSIST) || !keyspace.clearExpiry(found)) return;
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(1);
}

function setMany(): void {
  if (storePairs()) reply.ok();
}

function setManyIfMissing(): void {
  if (!(args.count() & 1)) return errors.wrongArity(command.find(args.ptr(0), args.len(0)));
  for (let i: u32 = 1; i < args.count(); i += 2) {
    if (keyspace.lookupWrite(args.ptr(i), args.len(i)) != 0) return reply.integer(0);
  }
  if (storePairs()) reply.integer(1);
}

/** A value that an earlier pair has stored in place is about to be freed: the slow log must not read it. */
function forgetValue(at: u32, before: u32): void {
  for (let i: u32 = 2; i < before; i += 2) if (args.ptr(i) == at) args.put(i, 0, 0);
}

/** Stores all pairs or, for lack of memory, none; false after an error reply. */
function storePairs(): bool {
  const count = args.count();
  if (!(count & 1)) {
    errors.wrongArity(command.find(args.ptr(0), args.len(0)));
    return false;
  }
  // What all entries, their places in the dictionary and half-used classes may take.
  let bytes: u64 = 0;
  for (let i: u32 = 1; i < count; i += 2) {
    const pair = entry.HEADER_BYTES + <u64>args.len(i) + args.len(i + 1);
    bytes += pair + (pair >> 3) + 64;
  }
  if (count > 3 && (bytes > 0xe0000000 || !slab.hasRoom(<u32>bytes))) {
    errors.outOfMemory();
    return false;
  }
  for (let i: u32 = 1; i < count; i += 2) {
    const old = keyspace.lookupWrite(args.ptr(i), args.len(i));
    if (old != 0 && entry.valueBytes(old) >= input.LARGE_MIN) forgetValue(entry.value(old), i);
    const made = strings.write(old, args.ptr(i), args.len(i), args.ptr(i + 1), args.len(i + 1));
    if (made == 0) {
      errors.outOfMemory();
      return false;
    }
    keyspace.clearExpiry(made);
    keyspace.signalModified(args.ptr(i), args.len(i));
  }
  keyspace.addDirty((count - 1) >> 1);
  return true;
}
