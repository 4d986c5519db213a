// Keys that get another name or another database: RENAME, RENAMENX, MOVE, COPY.

import * as args from '../wire/args.ts';
import * as client from '../client/client.ts';
import * as command from '../command/command.ts';
import * as databases from './database-command.ts';
import * as entry from '../keyspace/entry.ts';
import * as errors from '../command/errors.ts';
import * as keyspace from '../keyspace/keyspace.ts';
import * as option from '../config/option.ts';
import * as reply from '../wire/reply.ts';
import * as space from '../keyspace/space.ts';
import * as type from '../keyspace/type.ts';
import { ACL_KEYSPACE, DENYOOM, FAST, WRITE } from '../command/command.ts';
import { copy, equal } from '../bytes/copy.ts';
import { slab } from '../../../assembly/index.ts';

export function register(): void {
  command.define('rename', rename, 3, WRITE, 1, 2, 1, ACL_KEYSPACE);
  command.define('renamenx', renameIfMissing, 3, WRITE | FAST, 1, 2, 1, ACL_KEYSPACE);
  command.define('move', move, 3, WRITE | FAST, 1, 1, 1, ACL_KEYSPACE);
  command.define('copy', copyKey, -3, WRITE | DENYOOM, 1, 2, 1, ACL_KEYSPACE);
}

function rename(): void {
  renameKey(false);
}

function renameIfMissing(): void {
  renameKey(true);
}

function isSameKey(): bool {
  return args.len(1) == args.len(2) && equal(args.ptr(1), args.ptr(2), args.len(1));
}

/**
 * An entry with another key and the value of `old`, whose value it takes over when the old entry is only
 * freed.
 */
function withKey(old: u32, key: u32, keyBytes: u32): u32 {
  const made = entry.reserve(keyBytes, entry.valueBytes(old));
  if (made == 0) return 0;
  copy(entry.key(made), key, keyBytes);
  copy(entry.value(made), entry.value(old), entry.valueBytes(old));
  return made;
}

function renameKey(onlyIfMissing: bool): void {
  const source = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (source == 0) return errors.noKey();
  if (isSameKey()) {
    if (onlyIfMissing) reply.integer(0);
    else reply.ok();
    return;
  }
  const target = keyspace.lookupWrite(args.ptr(2), args.len(2));
  if (target != 0 && onlyIfMissing) return reply.integer(0);
  // The heap's reserve covers the places that the new key needs, so that only this can fail.
  const made = slab.hasRoom(0) ? withKey(source, args.ptr(2), args.len(2)) : 0;
  if (made == 0) return errors.outOfMemory();
  const end = entry.expiry(source);
  const kind = entry.type(source);
  const encoding = entry.encoding(source);
  const access = entry.access(source);
  if (target != 0) keyspace.removeEntry(target, option.LAZYFREE_LAZY_SERVER_DEL);
  keyspace.unlink(source);
  slab.free(source);
  keyspace.add(made, kind, encoding);
  entry.setAccess(made, access);
  if (end != -1) keyspace.setExpiry(made, end);
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.signalModified(args.ptr(2), args.len(2));
  keyspace.addDirty(1);
  if (onlyIfMissing) reply.integer(1);
  else reply.ok();
}

function move(): void {
  const from = client.current().db;
  const to = databases.numberOf(2);
  if (to < 0) return;
  if (<u32>to == from) return reply.error('ERR source and destination objects are the same');
  const source = keyspace.lookupWrite(args.ptr(1), args.len(1));
  if (source == 0) return reply.integer(0);
  space.select(to);
  const isTaken = keyspace.lookupWrite(args.ptr(1), args.len(1)) != 0;
  space.select(from);
  if (isTaken) return reply.integer(0);
  if (!slab.hasRoom(0)) return errors.outOfMemory();
  const end = entry.expiry(source);
  const kind = entry.type(source);
  const encoding = entry.encoding(source);
  keyspace.unlink(source);
  keyspace.signalModified(args.ptr(1), args.len(1));
  space.select(to);
  keyspace.add(source, kind, encoding);
  if (end != -1) keyspace.setExpiry(source, end);
  keyspace.signalModified(args.ptr(1), args.len(1));
  space.select(from);
  keyspace.addDirty(1);
  reply.integer(1);
}

function copyKey(): void {
  const from = client.current().db;
  let to = <i32>from;
  let replaces = false;
  for (let i: u32 = 3; i < args.count(); i++) {
    if (args.is(i, 'replace')) replaces = true;
    else if (args.is(i, 'db') && i + 1 < args.count()) {
      to = databases.numberOf(++i);
      if (to < 0) return;
    } else return errors.syntax();
  }
  if (<u32>to == from && isSameKey())
    return reply.error('ERR source and destination objects are the same');
  const source = keyspace.lookupRead(args.ptr(1), args.len(1));
  if (source == 0) return reply.integer(0);
  space.select(to);
  const target = keyspace.lookupWrite(args.ptr(2), args.len(2));
  if (target != 0 && !replaces) reply.integer(0);
  else if (!copyTo(source, target)) errors.outOfMemory();
  else {
    keyspace.signalModified(args.ptr(2), args.len(2));
    keyspace.addDirty(1);
    reply.integer(1);
  }
  space.select(from);
}

/** Copies an entry to argument 2 of the selected database, in the place of `target` if that is not 0. */
function copyTo(source: u32, target: u32): bool {
  const kind = entry.type(source);
  const made = slab.hasRoom(0) ? withKey(source, args.ptr(2), args.len(2)) : 0;
  if (made == 0) return false;
  if (!type.copy(kind, source, made)) {
    slab.free(made);
    return false;
  }
  if (target != 0) keyspace.removeEntry(target, option.LAZYFREE_LAZY_SERVER_DEL);
  keyspace.add(made, kind, entry.encoding(source));
  const end = entry.expiry(source);
  if (end != -1) keyspace.setExpiry(made, end);
  return true;
}
