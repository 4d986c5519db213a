// What the hash commands share: the hash that a command names, and changing one field of it.

import * as args from '../../wire/args.ts';
import * as command from '../../command/command.ts';
import * as entry from '../../keyspace/entry.ts';
import * as errors from '../../command/errors.ts';
import * as hash from './value.ts';
import * as keyspace from '../../keyspace/keyspace.ts';
import * as option from '../../config/option.ts';
import * as reply from '../../wire/reply.ts';
import { slab } from '../../../../assembly/index.ts';

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
  if (entry.type(found) == hash.HASH) return found;
  errors.wrongType();
  return 0;
}

export function none(): void {
  reply.none();
}

export function zero(): void {
  reply.integer(0);
}

// --- Writing -----------------------------------------------------------------------------------------------

/** True when argument 1 names a hash or no key; the entry is `opened`. Else an error is in the reply. */
export function open(): bool {
  opened = keyspace.lookupWrite(args.ptr(1), args.len(1));
  isNew = opened == 0;
  if (isNew || entry.type(opened) == hash.HASH) return true;
  errors.wrongType();
  return false;
}

/**
 * The entry that open() has found, or 0. Set by open() and by what changes it, valid until the command ends.
 */
export let opened: u32 = 0;
let isNew: bool = false;

/** The entry has moved. */
export function moved(to: u32): void {
  opened = to;
}

/** True when `bytes` bytes of fields and values can be stored; else replies with an error. */
export function hasRoom(bytes: u64, fields: u32): bool {
  // A hash that turns into a table holds its texts twice for a while.
  const own: u64 = isNew ? <u64>args.len(1) : <u64>entry.valueBytes(opened);
  const wanted = bytes + <u64>fields * 64 + own * 3 + 4096;
  if (wanted < 0xf0000000 && slab.hasRoom(<u32>wanted)) return true;
  errors.outOfMemory();
  return false;
}

/** Makes the hash that open() did not find. */
export function create(): bool {
  if (isNew) opened = hash.insert(args.ptr(1), args.len(1), 1);
  return opened != 0;
}

/** Sets one field of the opened, which is made if need be; false after an error reply. */
export function setOne(name: u32, nameBytes: u32, text: u32, textBytes: u32): bool {
  if (!hasRoom(<u64>nameBytes + textBytes, 1)) return false;
  const made = create() ? hash.set(opened, name, nameBytes, text, textBytes) : 0;
  if (made != 0) {
    changed(1);
    return true;
  }
  dropIfEmpty();
  errors.outOfMemory();
  return false;
}

export function changed(changes: u32): void {
  keyspace.signalModified(args.ptr(1), args.len(1));
  keyspace.addDirty(changes);
}

/** After a failure, which may have moved the entry on its way. */
export function dropIfEmpty(): void {
  opened = keyspace.find(args.ptr(1), args.len(1));
  if (opened != 0 && hash.count(opened) == 0)
    keyspace.removeEntry(opened, option.LAZYFREE_LAZY_SERVER_DEL);
}
