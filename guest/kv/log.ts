// The log of a durable store, a separate file (log-format.ts): the changes since the last checkpoint, in
// order, and checkpoints in progress.
//
// Interface   log-file.ts starts, continues and empties the file. reserve(), then put(), remove() and end()
//             fill it; commit(lsn) returns when everything before is durable. Results are 0 or -errno.
// Groups      Independent changes share a record, and its checksum, until the buffer is written or another
//             kind of record follows: closeGroup() ends it. Then LOG_END is the end of a record, as
//             boundary() says.
// Invariants  KVLOG-1  A record is added as the change is made, under BATCH_LOCK: the order of the log is the
//                      order of the changes.
//             KVLOG-2  After reserve(n), records of n bytes and an end() need no file access: they cannot
//                      fail.
//             KVLOG-3  After a failed sync no commit succeeds, until the store is opened again.
// Concurrency Under BATCH_LOCK, except commit(): one vCPU syncs for all, while the others continue with
//             changes.
// Cost        a change in a group a copy, 10 ns for 100 bytes, and at the end of the group a checksum of
//             cached data, 15 ns; the file gets 120 KiB at a time, or what a commit has found.

import { PANIC_LOG_LOCK, PANIC_LOG_ROOM } from '../../assembly/abi/panic';
import { ECANCELED } from '../../assembly/abi/errno';
import { KEY_BYTES_MAX } from '../../assembly/abi/kv';
import { FRAME_BYTES } from '../../assembly/abi/limits';
import { syscall } from '../../assembly/index';
import { checked, logRecord, poolHeader, spinlock, storage } from '../../assembly/linked';
import * as batch from './batch';
import { copyBytes, copyWide } from './bytes';
import {
  buffer,
  BUFFER_BYTES,
  firstPage,
  isBroken,
  isTouched,
  lsn,
  mark,
  position,
  random,
  sync,
  word,
  write,
  writeBuffer,
} from './log-file';
import * as format from './log-format';
import * as map from './memory-map';

export {
  attach,
  buffer,
  BUFFER_BYTES,
  create,
  detach,
  isBroken,
  isOn,
  isWritten,
  lsn,
  position,
  restart,
  resume,
} from './log-file';

/**
 * Room for the end of a group, for the records of end() and forget(), and for the zeros that append() writes
 * after them.
 */
const END_BYTES: u32 = 96;
/** Attempts to write a page that the file already has. */
const REPAIRS: i32 = 16;
/** Values up to this length are copied 16 bytes at a time. */
const WIDE_BYTES_MAX: u32 = 512;
/** Bytes of a record with one word. */
const WORD_BYTES: u32 = 32;

/** The position after the last record: closes the group. */
export function boundary(): u64 {
  closeGroup();
  return word(map.LOG_END);
}

// --- writing -----------------------------------------------------------------------------------------------

/** Writes the buffer to the file; its last page stays in the buffer, for more records. */
export function flush(): i32 {
  return writeBuffer(boundary());
}

/**
 * The unit that begins at `from` and was ended at `ending` did not happen, though a failed write may have
 * left some or all of it in the file. New checksums start where it began, or at its end record if the buffer
 * has only that; a page that cannot be written although the file already had it breaks the log.
 */
export function forget(from: u64, ending: u64): void {
  const start = word(map.LOG_START);
  const isWhole = from >= start;
  const at = isWhole ? from : ending;
  store<u64>(map.LOG_END, at);
  if (!isWhole) end(format.ABORT);
  if (!isTouched) return;
  appendSeed();
  const first = (<u32>(at - start)) & ~(FRAME_BYTES - 1);
  const used = <u32>(word(map.LOG_END) - start);
  if (used < first + FRAME_BYTES) memory.fill(buffer() + used, 0, first + FRAME_BYTES - used);
  const page = (start + first) / FRAME_BYTES + firstPage;
  for (let attempt = 0; attempt < REPAIRS; attempt++)
    if (write(buffer() + first, FRAME_BYTES, page) == 0) return;
  atomic.store<u32>(map.LOG_STATE, 1);
}

/** When it returns 0, everything in the log is durable. The caller has BATCH_LOCK. */
export function settle(): i32 {
  let result = flush();
  if (result == 0) result = sync();
  if (result == 0) atomic.store<u64>(map.LOG_DURABLE, lsn());
  return result;
}

/** Returns 0 when everything before the LSN is durable; -ECANCELED when that cannot be promised any more. */
export function commit(wanted: u64): i32 {
  spinlock.acquire(map.LOG_SYNC_LOCK);
  let result: i32 = 0;
  if (word(map.LOG_DURABLE) < wanted) {
    batch.startWrite();
    const position = boundary();
    const end = lsn();
    const generation = word(map.LOG_GENERATION);
    result = isBroken() ? -ECANCELED : flush();
    batch.endWrite();
    if (result == 0) result = sync() < 0 ? -ECANCELED : 0;
    if (result == 0) {
      if (word(map.LOG_DURABLE) < end) atomic.store<u64>(map.LOG_DURABLE, end);
      mark(generation, position);
    }
  }
  spinlock.release(map.LOG_SYNC_LOCK);
  return result;
}

// --- records -----------------------------------------------------------------------------------------------

/** Bytes of a put's or a removal's record. */
export function recordBytes(keyBytes: u32, valueBytes: u32): u32 {
  return logRecord.sizeOf(format.KEY_AT + min<u32>(keyBytes, KEY_BYTES_MAX) + valueBytes);
}

/** Makes room in the buffer for records of this many bytes, and for an end. */
export function reserve(bytes: u32): i32 {
  return <u32>(word(map.LOG_END) - word(map.LOG_START)) + bytes + END_BYTES <= BUFFER_BYTES
    ? 0
    : flush();
}

/** Address of the next record's payload. */
function payload(): u32 {
  closeGroup();
  const used = <u32>(load<u64>(map.LOG_END) - load<u64>(map.LOG_START));
  return buffer() + used + logRecord.HEADER_BYTES;
}

function append(bytes: u32): void {
  const end = load<u64>(map.LOG_END);
  const at = payload();
  if (checked.CHECKED && at + bytes > buffer() + BUFFER_BYTES) checked.panic(PANIC_LOG_ROOM);
  v128.store(at + bytes, i64x2.splat(0)); // pads the record; what follows is written later
  logRecord.seal(at - logRecord.HEADER_BYTES, at, bytes, load<u64>(map.LOG_SEED) + end);
  store<u64>(map.LOG_END, end + logRecord.sizeOf(bytes)); // BATCH_LOCK's release publishes it
}

/** A put of a unit that continues: its last record, or end(), decides whether it happened. */
export function put(key: u32, keyBytes: u32, value: u32, valueBytes: u32): void {
  const at = payload();
  store<u32>(at, format.PUT);
  store<u32>(at, keyBytes, 4);
  copyBytes(at + format.KEY_AT, key, keyBytes);
  copyBytes(at + format.KEY_AT + keyBytes, value, valueBytes);
  append(format.KEY_AT + keyBytes + valueBytes);
}

/** A put whose value follows in parts. */
export function longPut(key: u32, keyBytes: u32): i32 {
  const result = reserve(recordBytes(keyBytes, 0));
  if (result != 0) return result;
  const at = payload();
  store<u32>(at, format.LONG_PUT);
  store<u32>(at, keyBytes, 4);
  copyBytes(at + format.KEY_AT, key, keyBytes);
  append(format.KEY_AT + keyBytes);
  return 0;
}

/** More of the value of the last longPut(). */
export function part(from: u32, bytes: u32): i32 {
  for (let done: u32 = 0; done < bytes; done += format.CHUNK) {
    const here = min<u32>(format.CHUNK, bytes - done);
    const result = reserve(logRecord.sizeOf(format.PART_AT + here));
    if (result != 0) return result;
    const at = payload();
    store<u32>(at, format.PART);
    memory.copy(at + format.PART_AT, from + done, here);
    append(format.PART_AT + here);
  }
  return 0;
}

export function remove(key: u32, keyBytes: u32): void {
  const at = payload();
  store<u32>(at, format.REMOVE);
  store<u32>(at, keyBytes, 4);
  copyBytes(at + format.KEY_AT, key, keyBytes);
  append(format.KEY_AT + keyBytes);
}

/** A put that is a whole unit. */
export function putAlone(key: u32, keyBytes: u32, value: u32, valueBytes: u32): void {
  const at = entry(format.ENTRY_BYTES + keyBytes + valueBytes);
  store<u32>(at, keyBytes | (valueBytes << 16));
  copyWide(at + format.ENTRY_BYTES, key, keyBytes);
  const to = at + format.ENTRY_BYTES + keyBytes;
  if (valueBytes <= WIDE_BYTES_MAX) copyWide(to, value, valueBytes);
  else memory.copy(to, value, valueBytes);
  fetchNext(to + valueBytes);
}

/** Keeps loads that only prefetch from being optimised away. */
let fetched: u32 = 0;

/**
 * Prefetches the lines of the next change while JavaScript prepares it. The mark's frame follows the buffer.
 */
@inline
function fetchNext(at: u32): void {
  fetched = load<u32>(at, 64) | load<u32>(at, 128);
}

/** A removal that is a whole unit. */
export function removeAlone(key: u32, keyBytes: u32): void {
  const at = entry(format.ENTRY_BYTES + keyBytes);
  store<u32>(at, keyBytes | format.REMOVAL);
  copyWide(at + format.ENTRY_BYTES, key, keyBytes);
}

/** Address for a change in the open group, or in a new one. What follows is written later. */
function entry(bytes: u32): u32 {
  if (checked.CHECKED && atomic.load<u32>(map.BATCH_LOCK) != 1) checked.panic(PANIC_LOG_LOCK);
  const at = buffer() + <u32>(load<u64>(map.LOG_END) - load<u64>(map.LOG_START));
  const group = load<u32>(map.LOG_GROUP);
  if (group == 0 || at + bytes - group > logRecord.RECORD_BYTES_MAX) return openGroup(bytes);
  if (checked.CHECKED && at + bytes > buffer() + BUFFER_BYTES) checked.panic(PANIC_LOG_ROOM);
  store<u64>(map.LOG_END, load<u64>(map.LOG_END) + bytes);
  return at;
}

/** Opens a group with room for a change of this many bytes; returns the address for it. */
function openGroup(bytes: u32): u32 {
  const at = payload();
  store<u32>(map.LOG_GROUP, at - logRecord.HEADER_BYTES);
  store<u32>(at, format.GROUP | format.LAST);
  const used = logRecord.HEADER_BYTES + format.ENTRIES_AT + bytes;
  store<u64>(map.LOG_END, load<u64>(map.LOG_END) + used);
  return at + format.ENTRIES_AT;
}

function closeGroup(): void {
  const group = load<u32>(map.LOG_GROUP);
  if (group == 0) return;
  store<u32>(map.LOG_GROUP, 0);
  const start = load<u64>(map.LOG_START) + (group - buffer());
  const bytes = <u32>(load<u64>(map.LOG_END) - start) - logRecord.HEADER_BYTES;
  store<u64>(map.LOG_END, start);
  append(bytes);
}

/** Ends a unit: COMMIT, ABORT or CHECKPOINT. */
export function end(kind: u32): void {
  store<u32>(payload(), kind | format.LAST);
  append(4);
}

/** Writes the page in the frame in its storage format. */
export function image(frame: u32, page: u64): i32 {
  const result = reserve(logRecord.sizeOf(format.IMAGE_AT + FRAME_BYTES));
  if (result != 0) return result;
  const at = payload();
  const copy = at + format.IMAGE_AT;
  store<u32>(at, format.IMAGE);
  store<u32>(at, <u32>page, 4);
  store<u64>(at, 0, 8);
  memory.copy(copy, frame, FRAME_BYTES);
  store<u64>(copy, poolHeader.make(page, 0, poolHeader.EXCLUSIVE));
  storage.seal(copy, page);
  append(format.IMAGE_AT + FRAME_BYTES);
  return 0;
}

/** Starts new checksums: old records after the end of an interrupted log do not count. */
export function reseed(): i32 {
  const result = reserve(WORD_BYTES);
  if (result == 0) appendSeed();
  return result;
}

function appendSeed(): void {
  const at = payload();
  store<u32>(at, format.SEED | format.LAST);
  store<u32>(at, 0, 4);
  random(map.WORD);
  const seed = load<u64>(map.WORD);
  store<u64>(at, seed, format.WORD_AT);
  append(format.WORD_AT + 8);
  atomic.store<u64>(map.LOG_SEED, seed);
}
