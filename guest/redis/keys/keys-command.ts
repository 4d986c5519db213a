// Commands on keys of any type, except expiry (expire-command.ts), copies (move-command.ts) and walks
// (scan-command.ts).

import * as args from '../wire/args.ts';
import * as command from '../command/command.ts';
import * as entry from '../keyspace/entry.ts';
import * as expiry from './expire-command.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as option from '../config/option.ts';
import * as lazyfree from '../keyspace/lazyfree.ts';
import * as lru from '../keyspace/lru.ts';
import * as moving from './move-command.ts';
import * as reply from '../wire/reply.ts';
import * as strings from '../types/string/value.ts';
import * as type from '../keyspace/type.ts';
import { ACL_KEYSPACE, FAST, READONLY, WRITE } from '../command/command.ts';

export function register(): void {
  expiry.register();
  moving.register();
  command.define('del', del, -2, WRITE, 1, -1, 1, ACL_KEYSPACE);
  command.define('unlink', unlink, -2, WRITE | FAST, 1, -1, 1, ACL_KEYSPACE);
  command.define('exists', exists, -2, READONLY | FAST, 1, -1, 1, ACL_KEYSPACE);
  command.define('touch', touch, -2, READONLY | FAST, 1, -1, 1, ACL_KEYSPACE);
  command.define('type', typeOf, 2, READONLY | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('object', null, -2, 0, 0, 0, 0, 0);
  command.define('object|encoding', encoding, 3, READONLY, 2, 2, 1, ACL_KEYSPACE);
  command.define('object|freq', frequency, 3, READONLY, 2, 2, 1, ACL_KEYSPACE);
  command.define('object|idletime', idleTime, 3, READONLY, 2, 2, 1, ACL_KEYSPACE);
  command.define('object|refcount', references, 3, READONLY, 2, 2, 1, ACL_KEYSPACE);
  command.define('object|help', help, 2, command.LOADING | command.STALE, 0, 0, 0, ACL_KEYSPACE);
}

/** DEL key ...: values are freed before the reply, unless lazyfree-lazy-user-del makes it an UNLINK. */
function del(): void {
  remove(option.LAZYFREE_LAZY_USER_DEL);
}

/** UNLINK key ... */
function unlink(): void {
  remove(lazyfree.ALWAYS);
}

function remove(why: u32): void {
  let removed: u32 = 0;
  for (let i: u32 = 1; i < args.count(); i++) {
    if (!keyspace.remove(args.ptr(i), args.len(i), why)) continue;
    keyspace.signalModified(args.ptr(i), args.len(i));
    keyspace.addDirty(1);
    removed++;
  }
  reply.integer(removed);
}

function exists(): void {
  let found: u32 = 0;
  for (let i: u32 = 1; i < args.count(); i++) {
    if (keyspace.peek(args.ptr(i), args.len(i)) != 0) found++;
  }
  reply.integer(found);
}

function touch(): void {
  let found: u32 = 0;
  for (let i: u32 = 1; i < args.count(); i++) {
    if (keyspace.lookupRead(args.ptr(i), args.len(i)) != 0) found++;
  }
  reply.integer(found);
}

function typeOf(): void {
  const found = keyspace.peek(args.ptr(1), args.len(1));
  reply.status(found == 0 ? 'none' : type.nameOf(entry.type(found)));
}

// --- OBJECT ------------------------------------------------------------------------------------------------

/** The entry of argument 2, or 0 after a reply. */
function subject(): u32 {
  const found = keyspace.peek(args.ptr(2), args.len(2));
  if (found == 0) reply.none();
  return found;
}

function encoding(): void {
  const found = subject();
  if (found != 0) reply.bulkText(type.encodingName(entry.type(found), found));
}

function frequency(): void {
  const found = subject();
  if (found == 0) return;
  if (lru.isFrequency()) return reply.integer(lru.frequency(found));
  reply.errorBegin('ERR An LFU maxmemory policy is not selected, access frequency not tracked.');
  endPolicyError();
}

function endPolicyError(): void {
  reply.text(' Please note that when switching between policies at runtime');
  reply.text(' LRU and LFU data will take some time to adjust.');
  reply.errorEnd();
}

function idleTime(): void {
  const found = subject();
  if (found == 0) return;
  if (!lru.isFrequency()) return reply.integer(lru.idleSeconds(found));
  reply.errorBegin('ERR An LFU maxmemory policy is selected, idle time not tracked.');
  endPolicyError();
}

/** Small integers are shared objects in Redis, and clients may see that; nothing is shared here. */
function references(): void {
  const found = subject();
  if (found == 0) return;
  const isShared =
    entry.type(found) == strings.STRING &&
    entry.encoding(found) == strings.INT &&
    <u64>load<i64>(entry.value(found)) < 10000 &&
    !lru.isPerKey();
  reply.integer(isShared ? 2147483647 : 1);
}

function help(): void {
  reply.array(11);
  reply.status('OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
  reply.status('ENCODING <key>');
  reply.status('    Return how the value of <key> is represented in memory.');
  reply.status('FREQ <key>');
  reply.status('    Return how often <key> is used, on a logarithmic scale.');
  reply.status('IDLETIME <key>');
  reply.status('    Return the seconds since <key> was last used.');
  reply.status('REFCOUNT <key>');
  reply.status('    Return how many references the value of <key> has.');
  reply.status('HELP');
  reply.status('    Print this help.');
}
