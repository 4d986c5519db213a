// The hash commands that name their fields.

import * as args from '../args.ts';
import * as command from '../command.ts';
import * as dispatch from '../dispatch.ts';
import * as entry from '../entry.ts';
import * as errors from '../errors.ts';
import * as hash from '../hash.ts';
import * as keyspace from '../keyspace.ts';
import * as option from '../option.ts';
import * as reply from '../reply.ts';
import * as hashNumber from './hash-number.ts';
import * as hashWalk from './hash-walk.ts';
import { slab } from '../../../assembly/index.ts';

const READ: u32 = command.READONLY | command.FAST;
const WRITE: u32 = command.WRITE | command.DENYOOM | command.FAST;

export function register(): void {
  hash.register();
  define('hset', hset, -4, WRITE);
  define('hmset', hset, -4, WRITE);
  define('hsetnx', hsetnx, 4, WRITE);
  define('hget', hget, 3, READ);
  define('hmget', hmget, -3, READ);
  define('hdel', hdel, -3, command.WRITE | command.FAST);
  define('hexists', hexists, 3, READ);
  define('hstrlen', hstrlen, 3, READ);
  define('hlen', hlen, 2, READ);
  hashNumber.register();
  hashWalk.register();
}

export function define(name: string, handler: () => void, arity: i32, flags: u32): void {
  command.define(name, handler, arity, flags, 1, 1, 1, command.ACL_HASH);
}

/** The hash of a command that reads; 0 after the reply `missing`, or an error, when there is none. */
export function read(missing: () => void): u32 {
  return checked(keyspace.lookupRead(args.ptr(1), args.len(1)), missing);
}

/** Passes an entry on if it is a hash. */
@inline
export function checked(found: u32, missing: () => void): u32 {
  if (found == 0) {
    missing();
    return 0;
  }
  if (entry.type(found) == entry.TYPE_HASH) return found;
  errors.wrongType();
  return 0;
}

export function none(): void {
  reply.none();
}

export function zero(): void {
  reply.integer(0);
}

// --- Writing -----------------------------------------------------------------------------------------------------

/** True when argument 1 is a hash or nothing; the entry is `target`. Else an error is in the reply. */
export function openTarget(): bool {
  target = keyspace.lookupWrite(args.ptr(1), args.len(1));
  isNew = target == 0;
  if (isNew || entry.type(target) == entry.TYPE_HASH) return true;
  errors.wrongType();
  return false;
}

let target: u32 = 0;
let isNew: bool = false;

/** The entry that openTarget() has found, or 0. */
@inline
export function opened(): u32 {
  return target;
}

/** True when so many bytes of fields and values can be stored; else an error is in the reply. */
export function hasRoom(bytes: u64, fields: u32): bool {
  // A hash that turns into a table holds its texts twice meanwhile.
  const own: u64 = isNew ? <u64>args.len(1) : <u64>entry.valueBytes(target);
  const wanted = bytes + <u64>fields * 64 + own * 3 + 4096;
  if (wanted < 0xf0000000 && slab.hasRoom(<u32>wanted)) return true;
  errors.outOfMemory();
  return false;
}

/** Makes the hash that openTarget() did not find. */
function create(): bool {
  if (isNew) target = hash.insert(args.ptr(1), args.len(1), 1);
  return target != 0;
}

/** Sets one field of the target, which is made if need be; false after an error reply. */
export function setOne(name: u32, nameBytes: u32, text: u32, textBytes: u32): bool {
  if (!hasRoom(<u64>nameBytes + textBytes, 1)) return false;
  const made = create() ? hash.set(target, name, nameBytes, text, textBytes) : 0;
  if (made != 0) {
    changed(1);
    return true;
  }
  dropIfEmpty();
  errors.outOfMemory();
  return false;
}

function changed(changes: u32): void {
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(changes);
}

/** After a failure, which may have moved the entry on its way. */
function dropIfEmpty(): void {
  target = keyspace.find(args.ptr(1), args.len(1));
  if (target != 0 && hash.count(target) == 0)
    keyspace.removeEntry(target, option.LAZYFREE_LAZY_SERVER_DEL);
}

/** HSET, HMSET key field value [field value ...] */
function hset(): void {
  const count = args.count();
  if (count & 1) return errors.wrongArity(dispatch.row());
  if (!openTarget()) return;
  let bytes: u64 = 0;
  for (let i: u32 = 2; i < count; i++) bytes += args.len(i);
  if (!hasRoom(bytes, count >> 1)) return;
  let added: u32 = 0;
  let done: u32 = 0;
  if (create()) {
    for (let i: u32 = 2; i < count; i += 2) {
      const made = hash.set(target, args.ptr(i), args.len(i), args.ptr(i + 1), args.len(i + 1));
      if (made == 0) break;
      target = made;
      if (hash.wasAdded()) added++;
      done++;
    }
  }
  if (done != 0) changed(done);
  if (done != (count >> 1) - 1) {
    dropIfEmpty();
    return errors.outOfMemory();
  }
  if (args.len(0) == 5) reply.ok();
  else reply.integer(added);
}

/** HSETNX key field value */
function hsetnx(): void {
  if (!openTarget()) return;
  if (target != 0 && hash.find(target, args.ptr(2), args.len(2))) return reply.integer(0);
  if (setOne(args.ptr(2), args.len(2), args.ptr(3), args.len(3))) reply.integer(1);
}

/** HDEL key field [field ...] */
function hdel(): void {
  let found = checked(keyspace.lookupWrite(args.ptr(1), args.len(1)), zero);
  if (found == 0) return;
  let removed: u32 = 0;
  for (let i: u32 = 2; i < args.count() && hash.count(found) != 0; i++) {
    const left = hash.remove(found, args.ptr(i), args.len(i));
    if (left == 0) continue;
    found = left;
    removed++;
  }
  if (hash.count(found) == 0) keyspace.removeEntry(found, option.LAZYFREE_LAZY_SERVER_DEL);
  if (removed != 0) changed(removed);
  reply.integer(removed);
}

// --- Reading -----------------------------------------------------------------------------------------------------

function replyValue(found: u32, field: u32): void {
  if (!hash.find(found, args.ptr(field), args.len(field))) return reply.none();
  hash.readValue();
  reply.bulk(hash.text(), hash.textBytes());
}

/** HGET key field */
function hget(): void {
  const found = read(none);
  if (found != 0) replyValue(found, 2);
}

/** HMGET key field [field ...] */
function hmget(): void {
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found != 0 && entry.type(found) != entry.TYPE_HASH) return errors.wrongType();
  reply.array(args.count() - 2);
  for (let i: u32 = 2; i < args.count(); i++) {
    if (found == 0) reply.none();
    else replyValue(found, i);
  }
}

/** HEXISTS key field */
function hexists(): void {
  const found = read(zero);
  if (found != 0) reply.integer(hash.find(found, args.ptr(2), args.len(2)) ? 1 : 0);
}

/** HSTRLEN key field */
function hstrlen(): void {
  const found = read(zero);
  if (found == 0) return;
  if (!hash.find(found, args.ptr(2), args.len(2))) return reply.integer(0);
  hash.readValue();
  reply.integer(hash.textBytes());
}

/** HLEN key */
function hlen(): void {
  const found = read(zero);
  if (found != 0) reply.integer(hash.count(found));
}
