// MULTI, EXEC, DISCARD, WATCH, UNWATCH.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as statistics from '../command/statistics.ts';
import * as dispatch from '../run/dispatch.ts';
import * as errors from '../command/errors.ts';
import * as evict from '../keyspace/evict.ts';
import * as reply from '../wire/reply.ts';
import * as transaction from '../run/transaction.ts';
import * as watch from '../keyspace/watch.ts';
import {
  ACL_TRANSACTION,
  ALLOW_BUSY,
  FAST,
  LOADING,
  NOSCRIPT,
  SKIP_SLOWLOG,
  STALE,
  TIMED,
  UNQUEUED,
} from '../command/command.ts';

import { slab } from '../../../assembly/index.ts';

export function register(): void {
  const common = NOSCRIPT | LOADING | STALE | ALLOW_BUSY;
  const apart = common | UNQUEUED;
  command.define('multi', begin, 1, apart | FAST, 0, 0, 0, ACL_TRANSACTION);
  command.define(
    'exec',
    run,
    1,
    NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG | UNQUEUED | TIMED,
    0,
    0,
    0,
    ACL_TRANSACTION,
  );
  command.define('discard', discard, 1, apart | FAST, 0, 0, 0, ACL_TRANSACTION);
  command.define('watch', watchKeys, -2, apart | FAST, 1, -1, 1, ACL_TRANSACTION);
  command.define('unwatch', unwatch, 1, common | FAST, 0, 0, 0, ACL_TRANSACTION);
}

function begin(): void {
  const c = client.current();
  if (c.flags & client.MULTI) return reply.error('ERR MULTI calls can not be nested');
  c.flags |= client.MULTI;
  reply.ok();
}

function run(): void {
  const c = client.current();
  if (!(c.flags & client.MULTI)) return reply.error('ERR EXEC without MULTI');
  if (watch.hasExpired(c)) c.flags |= client.DIRTY_CAS;
  if (c.flags & client.DIRTY_EXEC) {
    reply.error('EXECABORT Transaction discarded because of previous errors.');
  } else if (c.flags & client.DIRTY_CAS) reply.noneArray();
  else {
    // The transaction does not fail because of what its own commands change.
    watch.clear(c);
    c.flags &= ~client.MULTI;
    runQueue(c);
  }
  transaction.discard(c);
}

/** Runs the queue; the reply is an array of what its commands reply. */
function runQueue(c: client.Client): void {
  reply.array(c.queueCount);
  c.flags |= client.IN_EXEC;
  for (let block = c.queueHead; block != 0; block = transaction.next(block)) {
    const row = transaction.rowOf(block);
    // Only the VM's own memory can have run out since: then a command that needs some is refused by itself.
    if (command.flagsOf(row) & command.DENYOOM && !slab.hasRoom(0) && !evict.makeSpans()) {
      errors.outOfMemory();
      statistics.countRejected(row);
    } else dispatch.callInside(row, transaction.vectorOf(block), transaction.argumentsOf(block));
  }
  c.flags &= ~client.IN_EXEC;
}

function discard(): void {
  const c = client.current();
  if (!(c.flags & client.MULTI)) return reply.error('ERR DISCARD without MULTI');
  transaction.discard(c);
  reply.ok();
}

function watchKeys(): void {
  const c = client.current();
  if (c.flags & client.MULTI) return reply.error('ERR WATCH inside MULTI is not allowed');
  for (let i: u32 = 1; i < args.count(); i++) {
    if (!watch.add(c, args.ptr(i), args.len(i))) return errors.outOfMemory();
  }
  reply.ok();
}

function unwatch(): void {
  const c = client.current();
  watch.clear(c);
  c.flags &= ~client.DIRTY_CAS;
  reply.ok();
}
