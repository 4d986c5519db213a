// Batches: several changes of which other vCPUs see all or none.
//
// Interface   begin() and end() around the puts and removals of one vCPU; startWrite() and endWrite() around
//             each change outside a batch. Readers bracket what belongs together with read() and isRead().
// Invariants  BATCH-1  The sequence is odd while a batch is applied. What was read under one even sequence
//                      saw no part of a batch.
//             BATCH-2  No other vCPU changes the store while a batch is applied, so what it replaced can be
//                      restored.
// Concurrency One batch at a time; others wait for its end. A writer announces itself before it looks for a
//             batch, a batch does so before it looks for writers. With a log each change is exclusive like a
//             batch, except for readers.
// Cost        a reader pays two loads of a word that seldom changes, a writer an atomic store to a separate
//             cache line.

import { PANIC_BATCH_STATE } from '../../assembly/abi/panic';
import { VCPUS_MAX } from '../../assembly/abi/limits';
import { checked, spinlock, vcpu } from '../../assembly/linked';
import * as map from './memory-map';

/** This vCPU is inside its own batch, and may read what it writes. */
export let isMine: bool = false;

export function begin(): void {
  spinlock.acquire(map.BATCH_LOCK);
  if (checked.CHECKED && (atomic.load<u32>(map.BATCH) & 1) != 0) checked.panic(PANIC_BATCH_STATE);
  atomic.add<u32>(map.BATCH, 1);
  for (let i: u32 = 0; i < VCPUS_MAX; i++) {
    const writing = map.writingOf(i);
    let turn: u32 = 0;
    while (writing != 0 && atomic.load<u32>(writing) != 0) spinlock.pause(turn++, writing);
  }
  isMine = true;
}

export function end(): void {
  if (checked.CHECKED && (atomic.load<u32>(map.BATCH) & 1) == 0) checked.panic(PANIC_BATCH_STATE);
  isMine = false;
  atomic.add<u32>(map.BATCH, 1);
  spinlock.release(map.BATCH_LOCK);
}

/** With a log only one vCPU at a time changes the store, because the log is the order of the changes. */
let isOneByOne: bool = false;

export function takeTurns(is: bool): void {
  isOneByOne = is;
}

/** A change of this vCPU begins; waits for the end of another vCPU's batch. */
export function startWrite(): void {
  if (isMine) return;
  if (isOneByOne) {
    spinlock.acquire(map.BATCH_LOCK);
    return;
  }
  atomic.store<u32>(map.writing, 1);
  while (atomic.load<u32>(map.BATCH) & 1) {
    atomic.store<u32>(map.writing, 0);
    wait();
    atomic.store<u32>(map.writing, 1);
  }
  vcpu.hold();
}

export function endWrite(): void {
  if (isMine) return;
  if (isOneByOne) spinlock.release(map.BATCH_LOCK);
  else {
    atomic.store<u32>(map.writing, 0);
    vcpu.letGo();
  }
}

/** The sequence under which a read starts; waits for the end of a batch. */
@inline
export function read(): u32 {
  const sequence = atomic.load<u32>(map.BATCH);
  return (sequence & 1) == 0 || isMine ? sequence : wait();
}

function wait(): u32 {
  let turn: u32 = 0;
  let sequence = atomic.load<u32>(map.BATCH);
  while (sequence & 1) {
    spinlock.pause(turn++, map.BATCH);
    sequence = atomic.load<u32>(map.BATCH);
  }
  return sequence;
}

/** Whether no batch was applied since. */
@inline
export function isRead(sequence: u32): bool {
  return atomic.load<u32>(map.BATCH) == sequence;
}
