// The saver: writes all databases to a file. SAVE runs it on the main vCPU, BGSAVE the same function on a
// snapshot vCPU.
//
// Interface   run() writes to a temporary name, syncs, and renames. Paths are prepared by persistence.ts
//             before a snapshot is taken, since a child has no way to ask.
// Structure   Entries are written in the order of their addresses, so that memory is read once, in one
//             direction, and what has been passed can be given up: libdbos.forget() frees its copies and
//             stops the copying. A database is selected again for each entry of another one.
// Invariants  SAVE-1  A span is given up when the next entry is in another one: all entries that begin in it
//                     are written, and the rest of it is bookkeeping of the slab heap that the walk has
//                     passed.
//             SAVE-2  By construction: on the main vCPU forget() does nothing, so both ways of saving run the
//                     same instructions.

import * as config from '../config/config.ts';
import * as entry from '../keyspace/entry.ts';
import * as format from './format.ts';
import * as heap from '../bytes/heap.ts';
import * as clock from '../border/clock.ts';
import * as log from '../border/log.ts';
import * as lru from '../keyspace/lru.ts';
import * as option from '../config/option.ts';
import * as pace from './pace.ts';
import * as space from '../keyspace/space.ts';
import * as type from '../keyspace/type.ts';
import * as writer from './writer.ts';
import { VERSION as SERVER_VERSION } from '../client/identity.ts';
import { PROGRESS_SAVE } from '../abi.ts';
import { SYS_PROGRESS, SYS_RENAME, SYS_UNLINK } from '../../../assembly/abi/syscall.ts';
import { forget, slab, syscall } from '../../../assembly/index.ts';
import { CHECKED, broken } from '../bytes/checked.ts';

const NO_DATABASE: i32 = -1;

/** A bit per database: its size has been written. */
const ANNOUNCED: usize = memory.data(2048, 8); // space.DATABASES_MAX / 8

let database: i32 = NO_DATABASE;
let isLru: bool = false;
let total: u64 = 0;
let done: u64 = 0;
let perMille: i32 = 0;

/** Saves; 0, or a negative errno, and then a file of the final name is as it was. */
export function run(
  temporary: u32,
  temporaryBytes: u32,
  path: u32,
  pathBytes: u32,
  isBackground: bool,
): i32 {
  const packs = config.number(option.RDBCOMPRESSION) != 0;
  const checks = config.number(option.RDBCHECKSUM) != 0;
  const syncs = config.number(option.RDB_SAVE_INCREMENTAL_FSYNC) != 0;
  let result = writer.open(temporary, temporaryBytes, packs, checks, syncs);
  if (result < 0) {
    log.begin('Failed opening the temp RDB file ');
    log.bytes(temporary, temporaryBytes);
    return failed(result);
  }
  begin();
  pace.begin(isBackground);
  entries();
  result = writer.close();
  if (result == 0) result = rename(temporary, temporaryBytes, path, pathBytes);
  if (result < 0) {
    syscall(SYS_UNLINK, <i32>temporary, <i32>temporaryBytes, 0, 0, 0);
    log.begin('Write error saving DB on disk');
    return failed(result);
  }
  syscall(SYS_PROGRESS, PROGRESS_SAVE, 1000, 0, 0, 0);
  log.line(log.NOTICE, 'DB saved on disk');
  return 0;
}

function rename(from: u32, fromBytes: u32, to: u32, toBytes: u32): i32 {
  return syscall(SYS_RENAME, <i32>from, <i32>fromBytes, <i32>to, <i32>toBytes, 0);
}

function failed(result: i32): i32 {
  log.ascii(': error ');
  log.integer(-result);
  log.end(log.WARNING);
  return result;
}

function begin(): void {
  database = NO_DATABASE;
  const policy = config.number(option.MAXMEMORY_POLICY);
  isLru = policy == option.VOLATILE_LRU || policy == option.ALLKEYS_LRU;
  total = 0;
  done = 0;
  perMille = 0;
  syscall(SYS_PROGRESS, PROGRESS_SAVE, 0, 0, 0, 0);
  memory.fill(ANNOUNCED, 0, space.DATABASES_MAX >> 3);
  for (let i: u32 = 0; i < space.databases(); i++) total += space.keyCount(i);
  magic();
  aux('redis-ver');
  writer.literal(SERVER_VERSION);
  aux('redis-bits');
  writer.integer(32);
  aux('ctime');
  writer.integer(clock.ms() / 1000);
  aux('used-mem');
  writer.integer(<i64>heap.usedBytes());
  aux('aof-base');
  writer.integer(0);
}

function magic(): void {
  const text = 'REDIS0010';
  for (let i: u32 = 0; i < format.MAGIC_BYTES; i++)
    writer.byte(load<u16>(changetype<u32>(text) + (i << 1)));
}

function aux(name: string): void {
  writer.byte(format.OP_AUX);
  writer.literal(name);
}

// --- Entries -----------------------------------------------------------------------------------------------

function entries(): void {
  let at = entry.next(0);
  while (at != 0 && !writer.hasFailed()) {
    const owner = space.databaseOf(at);
    if (owner >= 0) {
      if (owner != database) select(owner);
      put(at);
    }
    const next = entry.next(at + 1);
    if (CHECKED && next != 0 && next <= at) broken('SAVE-1: entries are not in order');
    if (next >> slab.SPAN_SHIFT != at >> slab.SPAN_SHIFT) passed(at);
    at = next;
  }
}

/** Gives up the span in which an entry begins, and the rest of the entry (SAVE-1). */
function passed(at: u32): void {
  const start = at & ~(slab.SPAN_BYTES - 1);
  const bytes = max(slab.SPAN_BYTES, at - start + slab.usable(at));
  forget(<i32>start, <i32>bytes);
  pace.passed(start + slab.SPAN_BYTES);
  const now = total == 0 ? 1000 : min(<i32>((done * 1000) / total), 999);
  if (now == perMille) return;
  perMille = now;
  syscall(SYS_PROGRESS, PROGRESS_SAVE, now, 0, 0, 0);
}

function select(owner: i32): void {
  database = owner;
  writer.byte(format.OP_SELECT);
  writer.length(owner);
  const cell = ANNOUNCED + (owner >> 3);
  const bit: u32 = 1 << (owner & 7);
  if (load<u8>(cell) & bit) return;
  store<u8>(cell, <u8>(load<u8>(cell) | bit));
  writer.byte(format.OP_RESIZE);
  writer.length(space.keyCount(owner));
  writer.length(space.expiringCount(owner));
}

function put(at: u32): void {
  done++;
  if (entry.hasExpiry(at)) {
    writer.byte(format.OP_EXPIRE_MS);
    writer.raw64(<u64>entry.expiry(at));
  }
  if (isLru) {
    writer.byte(format.OP_IDLE);
    writer.length(lru.idleSeconds(at));
  } else if (lru.isFrequency()) {
    writer.byte(format.OP_FREQ);
    writer.byte(lru.frequency(at));
  }
  type.save(entry.type(at), at, entry.key(at), entry.keyBytes(at), entry.value(at));
}
