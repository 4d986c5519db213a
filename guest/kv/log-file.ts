// The file of the log: its headers, its marks, and the pages that the buffer goes to (log-format.ts).
//
// Interface   create() starts a log in its file, resume() continues one, restart() empties it; attach() on
//             every vCPU. writeBuffer(), sync() and mark() serve log.ts. Results are 0 or -errno.
// Concurrency Under BATCH_LOCK, except sync() and mark(), which the holder of LOG_SYNC_LOCK calls.

import { EIO } from '../../assembly/abi/errno';
import { FRAME_BYTES } from '../../assembly/abi/limits';
import { SYS_PREAD, SYS_PWRITE, SYS_RANDOM, SYS_SYNC } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { poolArea, poolHeader, storage } from '../../assembly/linked';
import * as batch from './batch';
import * as format from './log-format';
import * as map from './memory-map';

export const BUFFER_BYTES: u32 = (poolArea.SCRATCH_FRAMES - 2) * FRAME_BYTES;

/** Page of position 0; a different one while a log of version 1 is resumed. */
export let firstPage: u64 = 0;

/** Whether the store has a log. */
export let isOn: bool = false;
let file: i32 = 0;

export function buffer(): u32 {
  return poolArea.scratch + FRAME_BYTES;
}

/** For each vCPU, once the store has a log. */
export function attach(): void {
  isOn = atomic.load<i32>(map.LOG) != 0;
  firstPage = format.FIRST;
  file = load<i32>(map.LOG) - 1;
  batch.takeTurns(isOn);
}


@inline
export function word(at: u32): u64 {
  return atomic.load<u64>(at);
}

/** The position after the last change, which may be in an open group. */
export function position(): u64 {
  return word(map.LOG_END);
}

export function lsn(): u64 {
  return word(map.LOG_BASE) + word(map.LOG_END);
}

/** Whether the operating system has everything. */
export function isWritten(): bool {
  return word(map.LOG_WRITTEN) == word(map.LOG_END);
}

export function isBroken(): bool {
  return atomic.load<u32>(map.LOG_STATE) != 0;
}

/** An empty log, of a store whose next superblock refers to it. */
export function create(descriptor: i32): i32 {
  store<i32>(map.LOG, descriptor + 1);
  attach();
  random(map.LOG_ID);
  store<u64>(map.LOG_MARKS, 0);
  return restart(word(map.SEQUENCE) + 1);
}

/** Continues after the records that recovery has read; `first` is the page of position 0. */
export function resume(descriptor: i32, generation: u64, seed: u64, end: u64, first: u64): i32 {
  store<i32>(map.LOG, descriptor + 1);
  attach();
  firstPage = first;
  store<u64>(map.LOG_MARKS, first == format.FIRST ? format.MARKS : 0);
  store<u64>(map.LOG_GENERATION, generation);
  store<u64>(map.LOG_SEED, seed);
  atomic.store<u64>(map.LOG_END, end);
  startBuffer(end & ~(<u64>FRAME_BYTES - 1));
  if (end == word(map.LOG_START)) return 0;
  atomic.store<u64>(map.LOG_WRITTEN, end);
  const page = word(map.LOG_START) / FRAME_BYTES + firstPage;
  const got = storage.move(SYS_PREAD, file, buffer(), FRAME_BYTES, page);
  return got < 0 ? got : 0;
}

/** The store has no log from now on. */
export function detach(): void {
  store<i32>(map.LOG, 0);
  attach();
}

export function random(at: u32): void {
  syscall(SYS_RANDOM, <i32>at, 8, 0, 0, 0);
}

/** Drops every record: their changes are in data.rz, whose superblock has `sequence`. */
export function restart(sequence: u64): i32 {
  const frame = poolArea.scratch;
  const generation = word(map.LOG_GENERATION) + 1;
  const page = generation % format.HEADERS;
  const seed = word(map.LOG_SEED);
  random(map.LOG_SEED);
  memory.fill(frame, 0, FRAME_BYTES);
  store<u64>(frame, poolHeader.make(page, 0, poolHeader.EXCLUSIVE));
  store<u64>(frame, format.MAGIC, format.MAGIC_AT);
  store<u32>(frame, format.VERSION, format.VERSION_AT);
  store<u64>(frame, word(map.LOG_ID), format.ID_AT);
  store<u64>(frame, generation, format.GENERATION_AT);
  store<u64>(frame, word(map.LOG_SEED), format.HEADER_SEED_AT);
  store<u64>(frame, sequence, format.SEQUENCE_AT);
  storage.seal(frame, page);
  let result = write(frame, FRAME_BYTES, page);
  // A log that a superblock refers to has a mark: if both are missing, it is damaged.
  for (let i: u64 = 0; i < format.MARKS && result == 0 && word(map.LOG_MARKS) < format.MARKS; i++)
    result = mark(generation, 0);
  if (result == 0) result = sync();
  if (result != 0) {
    store<u64>(map.LOG_SEED, seed); // continues at the same seed
    return result;
  }
  firstPage = format.FIRST;
  store<u64>(map.LOG_GENERATION, generation);
  atomic.store<u64>(map.LOG_BASE, lsn());
  atomic.store<u64>(map.LOG_END, 0);
  startBuffer(0);
  return 0;
}

/** The buffer starts at a position, a multiple of a page. */
function startBuffer(position: u64): void {
  store<u32>(map.LOG_GROUP, 0);
  atomic.store<u64>(map.LOG_START, position);
  atomic.store<u64>(map.LOG_WRITTEN, position);
}

/** Whether the last write has changed the file, even partly. */
export let isTouched: bool = false;

export function write(from: u32, bytes: u32, page: u64): i32 {
  const done = storage.move(SYS_PWRITE, file, from, bytes, page);
  isTouched = storage.moved != 0;
  return done < 0 || <u32>done == bytes ? min(done, 0) : -EIO;
}

/** Writes the buffer, up to `end`, to the file; its last page stays in the buffer. */
export function writeBuffer(end: u64): i32 {
  const start = word(map.LOG_START);
  if (word(map.LOG_WRITTEN) == end) return 0;
  const bytes = <u32>(end - start);
  const whole = bytes & ~(FRAME_BYTES - 1);
  const pages = (bytes + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1);
  memory.fill(buffer() + bytes, 0, pages - bytes);
  const result = write(buffer(), pages, start / FRAME_BYTES + firstPage);
  if (result != 0) return result;
  memory.copy(buffer(), buffer() + whole, pages - whole);
  atomic.store<u64>(map.LOG_START, start + whole);
  atomic.store<u64>(map.LOG_WRITTEN, end);
  return 0;
}

/** Makes what was written durable. After a failure the state of the device is unknown. */
export function sync(): i32 {
  const result = syscall(SYS_SYNC, file, 0, 0, 0, 0);
  if (result < 0) atomic.store<u32>(map.LOG_STATE, 1);
  return result;
}

/**
 * Records in the file what is durable, so that a log that lost its end is not taken for a shorter one. The
 * operating system has the mark when this returns, and the device with the next commit; a failure loses
 * nothing. The caller has LOG_SYNC_LOCK.
 */
export function mark(generation: u64, position: u64): i32 {
  const frame = poolArea.scratch + FRAME_BYTES + BUFFER_BYTES;
  const count = word(map.LOG_MARKS);
  const page = format.HEADERS + (count % format.MARKS);
  memory.fill(frame, 0, FRAME_BYTES);
  store<u64>(frame, poolHeader.make(page, 0, poolHeader.EXCLUSIVE));
  store<u64>(frame, format.MARK_MAGIC, format.MAGIC_AT);
  store<u64>(frame, word(map.LOG_ID), format.ID_AT);
  store<u64>(frame, generation, format.GENERATION_AT);
  store<u64>(frame, position, format.POSITION_AT);
  storage.seal(frame, page);
  const result = write(frame, FRAME_BYTES, page);
  if (result == 0) store<u64>(map.LOG_MARKS, count + 1);
  return result;
}
