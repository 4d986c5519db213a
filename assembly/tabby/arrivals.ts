// The operations of this vCPU in progress at the I/O service: reads of pages, each into the frame that will
// hold it, and the writes of a batch.
//
// Interface   attach() once. read() and write() queue an operation, ring() publishes them to the service.
//             poll() takes completions, awaitWrites() waits for all writes, drain() for all reads. arrive()
//             ends a read, including one that the vCPU waited for.
// Invariants  TAB-11 A page enters in this order: header exclusive under the new number, bytes read and
//                    checked, cell published, header unlocked. The clock needs the header, so it never meets
//                    a claimed cell.
//             TAB-12 After an error the cell has its previous value, and the frame is free.
//             TAB-14 A frame that a lost operation may still write to is never freed.
// Concurrency The rows are this vCPU's.
// Cost        about 100 ns per page here, 10 us of the I/O service's thread, and the device's time, shared by
//             all operations in progress.
//
//   row of a read, 32 bytes:  u64 previous value of the cell, u64 header, u32 frame (0 = row free), u32 cell

import { EIO } from '../abi/errno';
import { FRAME_BYTES } from '../abi/limits';
import { PANIC_LATCH_NOT_HELD, PANIC_READ } from '../abi/panic';
import { IO_NONE, OP_READ, OP_WRITE } from '../abi/ring';
import { SYS_RING_FILE } from '../abi/syscall';
import { VM_IO_STATE } from '../abi/vm-block';
import * as queue from '../io/queue';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as area from './area';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as header from './header';
import * as latch from './latch';
import * as storage from './storage';
import * as translation from './translation';


@external('libdbos', 'syscall')
declare function syscall(nr: i32, a: i32, b: i32, c: i32, d: i32, e: i32): i32;

const READS_MAX: u32 = 64;
const ENTRY: u32 = 0;
const HEADER: u32 = 8;
const FRAME: u32 = 16;
const CELL: u32 = 20;

/** User data: the row of a read, or IS_WRITE and the index of a write of the batch. */
const IS_WRITE: u64 = 1 << 32;
/** Result of a write of the batch that has not completed. */
export const UNDER_WAY: i32 = 1;

/** Number of the file in rings; -1 if this vCPU has none. */
let file: i32 = -1;
/** Reads in progress; their bound, low enough that all vCPUs together leave most of a small pool alone. */
export let reading: u32 = 0;
let readsMax: u32 = 0;
/** Writes of the batch in progress. */
let writing: u32 = 0;

export function attach(): void {
  file = -1;
  reading = 0;
  readsMax = min<u32>(READS_MAX, area.frames >> 3);
  if (atomic.load<u32>(map.vm, VM_IO_STATE) == IO_NONE || !queue.attach()) return;
  file = syscall(SYS_RING_FILE, area.storage, 0, 0, 0, 0);
}

/** Whether operations can run concurrently with this vCPU. */
export function isServed(): bool {
  return file >= 0 && queue.isServed();
}

// --- reads -------------------------------------------------------------------------------------------------

@inline
function rowAt(index: u32): u32 {
  return area.own + area.AREA_READS + (index << 5);
}

/** Whether another read may be queued; takes completions if that makes room. */
export function hasRoom(): bool {
  if (reading >= readsMax) poll();
  return reading < readsMax;
}

/** Queues the read of a claimed page into its frame, latched with header `claimed`. Call hasRoom() first. */
export function read(frame: u32, claimed: u64, cell: u32, entry: u64): void {
  let index: u32 = 0;
  while (load<u32>(rowAt(index), FRAME) != 0) index += 1;
  if (CHECKED && index >= readsMax) panic(PANIC_READ);
  if (CHECKED && header.stateOf(load<u64>(frame)) != header.EXCLUSIVE) panic(PANIC_LATCH_NOT_HELD);
  const row = rowAt(index);
  store<u64>(row, entry, ENTRY);
  store<u64>(row, claimed, HEADER);
  store<u32>(row, frame, FRAME);
  store<u32>(row, cell, CELL);
  reading += 1;
  const position = translation.slotIn(header.pageOf(claimed), entry) * FRAME_BYTES;
  if (!queue.submit(OP_READ, 0, file, frame, FRAME_BYTES, position, index)) readDone(index, -EIO);
}

/** Publishes the queued reads to the service. */
export function ring(): void {
  if (reading != 0) queue.ring();
}

/** Waits for every read of this vCPU. */
export function drain(): void {
  while (reading != 0) if (!take(reading)) return;
}

function readDone(index: u32, result: i32): void {
  const row = rowAt(index);
  const frame = load<u32>(row, FRAME);
  const claimed = load<u64>(row, HEADER);
  if (CHECKED && (frame == 0 || reading == 0)) panic(PANIC_READ);
  const failed = result == FRAME_BYTES ? storage.check(frame, header.pageOf(claimed)) : -EIO;
  store<u32>(row, 0, FRAME);
  reading -= 1;
  if (arrive(frame, claimed, load<u32>(row, CELL), load<u64>(row, ENTRY), failed == 0)) {
    counter.count(counter.PREFETCHED);
    latch.release(frame);
    translation.letGo();
  } else counter.count(counter.FAILURES);
}

/**
 * Ends a read into the frame, latched with header `claimed`. The page is resident if `isSound`, else in
 * storage as before. Returns `isSound`.
 */
export function arrive(frame: u32, claimed: u64, cell: u32, entry: u64, isSound: bool): bool {
  header.set(frame, claimed, isSound ? claimed : claimed | header.INVALID); // the bytes read replaced it
  if (isSound) enroll(frame, claimed, cell, entry);
  else {
    translation.restore(header.pageOf(claimed), frame, cell, entry);
    descriptor.free(frame);
  }
  return isSound;
}

/** The page is in the frame, latched: readers may find it, and the clock may consider it. */
export function enroll(frame: u32, claimed: u64, cell: u32, entry: u64): void {
  descriptor.refer(frame);
  descriptor.setState(frame, descriptor.RESIDENT);
  translation.publish(header.pageOf(claimed), frame, cell, entry);
}

// --- writes ------------------------------------------------------------------------------------------------

/** Queues the write of a sealed frame, number `index` of the batch; false if the queue is full. */
export function write(index: u32, frame: u32, slot: u64): bool {
  const position = slot * FRAME_BYTES;
  setResult(index, UNDER_WAY);
  if (!queue.submit(OP_WRITE, 0, file, frame, FRAME_BYTES, position, IS_WRITE | (<u64>index)))
    return false;
  writing += 1;
  return true;
}

/** Waits for the writes in progress. Those that were short or lost stay UNDER_WAY. */
export function awaitWrites(): void {
  while (writing != 0) if (!take(writing)) writing = 0;
}

/** Result of a write of the batch: 0, a negative errno, or UNDER_WAY. */
@inline
export function resultOf(index: u32): i32 {
  return load<i32>(area.own + (index << 2), area.AREA_RESULTS);
}

export function setResult(index: u32, result: i32): void {
  store<i32>(area.own + (index << 2), result, area.AREA_RESULTS);
}

function writeDone(index: u32, result: i32): void {
  if (CHECKED && (writing == 0 || resultOf(index) != UNDER_WAY)) panic(PANIC_READ);
  writing -= 1;
  if (result >= 0 && result != FRAME_BYTES) return;
  counter.count(result < 0 ? counter.FAILURES : counter.WRITES);
  setResult(index, min(result, 0));
}

// --- completions -------------------------------------------------------------------------------------------

/** Takes all completions. */
export function poll(): void {
  while (queue.next()) {
    const index = <u32>queue.userData;
    if (queue.userData & IS_WRITE) writeDone(index, queue.result);
    else readDone(index, queue.result);
  }
}

/** Waits for `count` completions and takes them; false if they will never arrive. */
function take(count: u32): bool {
  if (queue.wait(count) < 0) {
    giveUp();
    return false;
  }
  poll();
  return true;
}

/** The service has ended: pages are in storage as before, the frames of their reads are leaked (TAB-14). */
function giveUp(): void {
  file = -1;
  for (let index: u32 = 0; index < READS_MAX; index++) {
    const row = rowAt(index);
    const frame = load<u32>(row, FRAME);
    if (frame == 0) continue;
    store<u32>(row, 0, FRAME);
    const page = header.pageOf(load<u64>(row, HEADER));
    translation.restore(page, frame, load<u32>(row, CELL), load<u64>(row, ENTRY));
  }
  reading = 0;
}
