// Batches: many changes that readers see all of or none of.
//
// Interface   begin() and end() around the puts and removals of one vCPU. Readers bracket what belongs together with read() and isRead().
// Invariants  BATCH-1  The sequence is odd while a batch is applied. What was read under one even sequence saw no part of a batch.
// Concurrency One batch at a time. Readers wait for its end; other writers need not.
// Cost        a reader pays two loads of a word that seldom changes.

import { spinlock } from '../../assembly/linked';
import * as map from './memory-map';

/** This vCPU is inside its own batch and reads what it writes. */
export let isMine: bool = false;

export function begin(): void {
  spinlock.acquire(map.BATCH_LOCK);
  atomic.add<u32>(map.BATCH, 1);
  isMine = true;
}

export function end(): void {
  isMine = false;
  atomic.add<u32>(map.BATCH, 1);
  spinlock.release(map.BATCH_LOCK);
}

/** The sequence that a read starts under; waits for a batch to end. */
// @ts-ignore: decorator
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
// @ts-ignore: decorator
@inline
export function isRead(sequence: u32): bool {
  return atomic.load<u32>(map.BATCH) == sequence;
}
