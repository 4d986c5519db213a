// Write-back: dirty pages to their slots, in batches whose writes are in progress together.
//
// Interface   start(), add(frame) for frames held exclusively, finish(). all() writes back the whole pool.
// Invariants  TAB-9  A page that could not be written stays dirty and in its frame, unlocked: nothing is
//                    lost, and the error goes to the caller that needed the write.
// Concurrency A batch holds its frames exclusively until finish(); no vCPU waits for a latch while it holds
//             one.

import { FRAME_SHIFT } from '../abi/limits';
import { PANIC_BATCH, PANIC_LATCH_NOT_HELD } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as area from './area';
import * as arrivals from './arrivals';
import * as descriptor from './descriptor';
import * as header from './header';
import * as latch from './latch';
import * as storage from './storage';
import * as translation from './translation';
import { wait } from './waiting';

export const BATCH_MAX: u32 = 16;

/** Errno of the last failed write of this batch; 0 if none failed. */
export let failure: i32 = 0;
/** Errno of the last failed write; 0 once a batch was written without failure. */
export let lasting: i32 = 0;
let count: u32 = 0;

export function start(): void {
  count = 0;
  failure = 0;
}

export function add(frame: u32): void {
  if (CHECKED && count == BATCH_MAX) panic(PANIC_BATCH);
  if (CHECKED && header.stateOf(load<u64>(frame)) != header.EXCLUSIVE) panic(PANIC_LATCH_NOT_HELD);
  translation.writeBegins(frame);
  store<u32>(area.own + (count++ << 2), frame, area.AREA_BATCH);
}


@inline
export function isFull(): bool {
  return count == BATCH_MAX;
}


@inline
export function frameAt(index: u32): u32 {
  return load<u32>(area.own + (index << 2), area.AREA_BATCH);
}

/**
 * Writes the batch. Pages written are clean, still held, and first in the batch. Returns how many they are.
 */
export function finish(): u32 {
  if (count > 1 && arrivals.isServed()) writeTogether();
  else writeRuns();
  let written: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const frame = frameAt(i);
    const result = arrivals.resultOf(i);
    if (result == 0) store<u32>(area.own + (written++ << 2), frame, area.AREA_BATCH);
    else {
      failure = -result;
      latch.setDirty(frame);
      latch.release(frame);
    }
  }
  if (failure != 0) lasting = failure;
  else if (written != 0) lasting = 0;
  count = 0;
  return written;
}

/** Marks the frame clean before the write: its header is part of the image. */
function write(index: u32): void {
  const frame = frameAt(index);
  latch.clearDirty(frame);
  const page = header.pageOf(load<u64>(frame));
  arrivals.setResult(index, storage.write(frame, page, translation.slotOf(page)));
}

/**
 * Writes runs that are adjacent in the pool and in storage with one call each; if that is short, one by one.
 */
function writeRuns(): void {
  for (let first: u32 = 0; first < count;) {
    const end = endOfRun(first);
    const isWritten = end - first > 1 && writeRun(first, end);
    for (let i = first; i < end; i++)
      if (isWritten) arrivals.setResult(i, 0);
      else write(i);
    first = end;
  }
}

function endOfRun(first: u32): u32 {
  const slot = slotAt(first);
  let end = first + 1;
  while (
    end < count &&
    frameAt(end) == frameAt(first) + ((end - first) << FRAME_SHIFT) &&
    slotAt(end) == slot + (end - first)
  )
    end += 1;
  return end;
}


@inline
function slotAt(index: u32): u64 {
  return translation.slotOf(header.pageOf(load<u64>(frameAt(index))));
}

function writeRun(first: u32, end: u32): bool {
  for (let i = first; i < end; i++) {
    const frame = frameAt(i);
    latch.clearDirty(frame);
    storage.seal(frame, header.pageOf(load<u64>(frame)));
  }
  return storage.writeSealed(frameAt(first), end - first, slotAt(first));
}

/** Submits all writes at once; repeats alone those that were short or did not fit into the queue. */
function writeTogether(): void {
  for (let i: u32 = 0; i < count; i++) {
    const frame = frameAt(i);
    latch.clearDirty(frame);
    const page = header.pageOf(load<u64>(frame));
    storage.seal(frame, page);
    arrivals.write(i, frame, translation.slotOf(page));
  }
  arrivals.awaitWrites();
  for (let i: u32 = 0; i < count; i++) if (arrivals.resultOf(i) == arrivals.UNDER_WAY) write(i);
}

/** Writes every page from number `from` on that is dirty now; 0 or the last error. The caller has no pins. */
export function all(from: u64): i32 {
  let failed = 0;
  let frame = area.first;
  while (frame < area.end) {
    start();
    while (frame < area.end && !isFull()) {
      if (descriptor.isResident(frame) && isWanted(frame, from) && !gather(frame)) break;
      frame += 1 << FRAME_SHIFT;
    }
    const written = finish();
    for (let i: u32 = 0; i < written; i++) latch.release(frameAt(i));
    if (failure != 0) failed = failure;
  }
  return -failed;
}

/** A page held exclusively may be being written; once its latch is available, it has been. */
function isWanted(frame: u32, from: u64): bool {
  const seen = atomic.load<u64>(frame);
  if (header.pageOf(seen) < from) return false;
  return header.isDirty(seen) || header.stateOf(seen) == header.EXCLUSIVE;
}

/** Adds the frame to the batch if it is dirty; false if it is latched and the batch must be written first. */
function gather(frame: u32): bool {
  if (!latch.tryExclusive(frame)) {
    if (count != 0) return false;
    if (!latchWhenFree(frame)) return true;
  }
  if (header.isDirty(load<u64>(frame))) add(frame);
  else latch.release(frame);
  return true;
}

/** Waits for the latch of the frame; false if it holds no page. */
function latchWhenFree(frame: u32): bool {
  let turn: u32 = 0;
  while (!latch.tryExclusive(frame)) {
    if (header.stateOf(atomic.load<u64>(frame)) == header.INVALID) return false;
    wait(turn++, frame);
  }
  return true;
}
