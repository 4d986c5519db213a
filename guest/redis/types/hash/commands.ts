// The hash commands that name their fields.

import * as args from '../../wire/args.ts';
import * as command from '../../command/command.ts';
import * as dispatch from '../../run/dispatch.ts';
import * as entry from '../../keyspace/entry.ts';
import * as errors from '../../command/errors.ts';
import * as hash from './value.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as option from '../../config/option.ts';
import * as reply from '../../wire/reply.ts';
import * as target from './target.ts';

const READ: u32 = command.READONLY | command.FAST;
const WRITE: u32 = command.WRITE | command.DENYOOM | command.FAST;

export function register(): void {
  target.define('hset', hset, -4, WRITE);
  target.define('hmset', hset, -4, WRITE);
  target.define('hsetnx', hsetnx, 4, WRITE);
  target.define('hget', hget, 3, READ);
  target.define('hmget', hmget, -3, READ);
  target.define('hdel', hdel, -3, command.WRITE | command.FAST);
  target.define('hexists', hexists, 3, READ);
  target.define('hstrlen', hstrlen, 3, READ);
  target.define('hlen', hlen, 2, READ);
}

/** HSET, HMSET key field value [field value ...] */
function hset(): void {
  const count = args.count();
  if (count & 1) return errors.wrongArity(dispatch.row());
  if (!target.open()) return;
  let bytes: u64 = 0;
  for (let i: u32 = 2; i < count; i++) bytes += args.len(i);
  if (!target.hasRoom(bytes, count >> 1)) return;
  let added: u32 = 0;
  let done: u32 = 0;
  if (target.create()) {
    for (let i: u32 = 2; i < count; i += 2) {
      const made = hash.set(
        target.opened,
        args.ptr(i),
        args.len(i),
        args.ptr(i + 1),
        args.len(i + 1),
      );
      if (made == 0) break;
      target.moved(made);
      if (hash.hasAdded) added++;
      done++;
    }
  }
  if (done != 0) target.changed(done);
  if (done != (count >> 1) - 1) {
    target.dropIfEmpty();
    return errors.outOfMemory();
  }
  if (args.len(0) == 5) reply.ok();
  else reply.integer(added);
}

/** HSETNX key field value */
function hsetnx(): void {
  if (!target.open()) return;
  if (target.opened != 0 && hash.find(target.opened, args.ptr(2), args.len(2)))
    return reply.integer(0);
  if (target.setOne(args.ptr(2), args.len(2), args.ptr(3), args.len(3))) reply.integer(1);
}

/** HDEL key field [field ...] */
function hdel(): void {
  let found = target.checked(keyspace.lookupWrite(args.ptr(1), args.len(1)), target.zero);
  if (found == 0) return;
  let removed: u32 = 0;
  for (let i: u32 = 2; i < args.count() && hash.count(found) != 0; i++) {
    const left = hash.remove(found, args.ptr(i), args.len(i));
    if (left == 0) continue;
    found = left;
    removed++;
  }
  if (hash.count(found) == 0) keyspace.removeEntry(found, option.LAZYFREE_LAZY_SERVER_DEL);
  if (removed != 0) target.changed(removed);
  reply.integer(removed);
}

// --- Reading -----------------------------------------------------------------------------------------------

function replyValue(found: u32, field: u32): void {
  if (!hash.find(found, args.ptr(field), args.len(field))) return reply.none();
  hash.readValue();
  reply.bulk(hash.textAt, hash.textBytes);
}

/** HGET key field */
function hget(): void {
  const found = target.read(target.none);
  if (found != 0) replyValue(found, 2);
}

/** HMGET key field [field ...] */
function hmget(): void {
  const found = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (found != 0 && entry.type(found) != hash.HASH) return errors.wrongType();
  reply.array(args.count() - 2);
  for (let i: u32 = 2; i < args.count(); i++) {
    if (found == 0) reply.none();
    else replyValue(found, i);
  }
}

/** HEXISTS key field */
function hexists(): void {
  const found = target.read(target.zero);
  if (found != 0) reply.integer(hash.find(found, args.ptr(2), args.len(2)) ? 1 : 0);
}

/** HSTRLEN key field */
function hstrlen(): void {
  const found = target.read(target.zero);
  if (found == 0) return;
  if (!hash.find(found, args.ptr(2), args.len(2))) return reply.integer(0);
  hash.readValue();
  reply.integer(hash.textBytes);
}

/** HLEN key */
function hlen(): void {
  const found = target.read(target.zero);
  if (found != 0) reply.integer(hash.count(found));
}
