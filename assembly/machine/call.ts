// The record of a remote call (mmu/remote-call.ts), which a linked guest and its kernel share.
//
//   0   u32  state            16  u64  result of the function      28  u32  vCPU that runs it
//   4   u32  function         24  u32  next record of its queue,   32  u32  VCPU_CALLS_ON of that vCPU
//   8   u64  argument                  or of those being served    36  u32  depth at which it runs
//
// Interface   The vCPU that runs the call calls end(); its kernel calls unwind() after a trap.
// Concurrency A state changes by compare-and-swap or under the queue's lock; the other fields belong to the
//             vCPU that the state implies: the caller while FREE, DONE or LOST, the server while RUNNING.

import { VCPU_CALL_SERVING } from '../abi/vcpu-block';
import * as vcpu from './vcpu';

export const CALL_SHIFT: u32 = 6;

// States.
export const FREE: u32 = 0;
export const QUEUED: u32 = 1;
export const RUNNING: u32 = 2;
export const DONE: u32 = 3;
export const LOST: u32 = 4;
export const ORPHANED: u32 = 5; // runs, but its caller's vCPU has ended

export const FUNCTION: u32 = 4;
export const ARG: u32 = 8;
export const RESULT: u32 = 16;
export const NEXT: u32 = 24;
export const TARGET: u32 = 28;
export const LIFE: u32 = 32;
export const DEPTH: u32 = 36;

/** Ends a running call with DONE or LOST. An orphaned one becomes free: no caller takes its result. */
export function end(record: u32, state: u32): void {
  if (atomic.cmpxchg<u32>(record, RUNNING, state) != RUNNING) atomic.store<u32>(record, FREE);
}

/** After a trap to `depth`: the calls that this vCPU was serving above that depth are lost. */
export function unwind(depth: u32): void {
  let record = load<u32>(vcpu.block, VCPU_CALL_SERVING);
  while (record != 0 && load<u32>(record, DEPTH) > depth) {
    const next = load<u32>(record, NEXT);
    end(record, LOST);
    record = next;
  }
  store<u32>(vcpu.block, record, VCPU_CALL_SERVING);
}
