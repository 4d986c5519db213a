// Inter-processor interrupts: a vCPU of a linked guest changes the TLB of another one. For function calls see
// remote-call.ts.
//
// Interface   attach() by each vCPU that takes part. post(vcpu, what, arg) requests, wait(vcpu, ticket)
//             returns when it is done. poll() serves the requests of others, function calls included; a vCPU
//             calls it at its safepoints and in all its waits.
// Invariants  IPI-1  A call is served before its vCPU does anything that follows a safepoint. An idle vCPU,
//                    or one in the host, does nothing, so no vCPU waits for it: it serves first when it
//                    returns.
//             IPI-2  A vCPU that waits serves its own calls: two that wait for each other both proceed.
// Concurrency VCPU_CALL_LOCK guards a vCPU's ring. "Post, then load the state" pairs with "store running,
//             then load what is pending" of a vCPU that returns: at least one of the two sees the other.
//             The circle with remote-call.ts is meant: poll() serves both kinds, and both wait by poll().
// Cost        a call to a running vCPU takes until its next safepoint; serving one takes about 50 ns.
//
//   entry of the ring, 16 bytes:  u32 what, u32 0, u64 arg

import { COUNTER_REMOTE_CALLS } from '../abi/counter';
import { PANIC_CALL } from '../abi/panic';
import {
  VCPU_CALLS_DONE,
  VCPU_CALLS_ON,
  VCPU_CALLS_POSTED,
  VCPU_CALL_LOCK,
  VCPU_CALL_RING,
  VCPU_MASK,
  VCPU_PENDING,
  VCPU_RUNNING,
  VCPU_STATE,
} from '../abi/vcpu-block';
import { VECTOR_CALL } from '../abi/vector';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as remoteCall from './remote-call';
import * as tlb from './tlb';

// 0 does nothing, to measure a round trip.
export const CALL_INVLPG: u32 = 1; // forget the translation of page `arg`
export const CALL_FLUSH: u32 = 2; // forget all translations

const RING_ENTRIES: u32 = 16;

export function attach(): void {
  // The kernel does not take this vector.
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) | (1 << VECTOR_CALL), VCPU_MASK);
  const life = atomic.load<u32>(vcpu.block, VCPU_CALLS_ON);
  if ((life & 1) == 0) remoteCall.attach();
  lock(vcpu.block);
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_CALLS_POSTED), VCPU_CALLS_DONE);
  spinlock.release(vcpu.block + VCPU_CALL_LOCK);
  atomic.store<u32>(vcpu.block, life | 1, VCPU_CALLS_ON);
}

export function takesPart(index: u32): bool {
  return (atomic.load<u32>(map.vcpuBlock(index), VCPU_CALLS_ON) & 1) != 0;
}


@inline
function entryAt(block: u32, number: u32): u32 {
  return block + VCPU_CALL_RING + ((number & (RING_ENTRIES - 1)) << 4);
}

export function lock(block: u32): void {
  let turn: u32 = 0;
  while (atomic.cmpxchg<u32>(block, 0, 1, VCPU_CALL_LOCK) != 0) {
    if (block != vcpu.block) poll();
    spinlock.pause(turn++, block + VCPU_CALL_LOCK);
  }
  vcpu.hold(); // spinlock.release() ends it
}

/**
 * Asks the vCPU to do `what`; returns a ticket for wait(). A full ring becomes one flush, which covers it.
 */
export function post(index: u32, what: u32, arg: u64): u32 {
  const block = map.vcpuBlock(index);
  lock(block);
  let posted = load<u32>(block, VCPU_CALLS_POSTED);
  const isFull = posted - load<u32>(block, VCPU_CALLS_DONE) == RING_ENTRIES;
  if (!isFull) posted += 1;
  const entry = entryAt(block, posted);
  store<u32>(entry, isFull ? CALL_FLUSH : what);
  store<u64>(entry, arg, 8);
  store<u32>(block, posted, VCPU_CALLS_POSTED);
  spinlock.release(block + VCPU_CALL_LOCK);
  interrupt(block);
  return posted;
}

export function interrupt(block: u32): void {
  atomic.or<u32>(block, 1 << VECTOR_CALL, VCPU_PENDING);
}

/** Returns when the call is done, or certain to be done before the vCPU does anything else. */
export function wait(index: u32, ticket: u32): void {
  const block = map.vcpuBlock(index);
  let turn: u32 = 0;
  while (<i32>(atomic.load<u32>(block, VCPU_CALLS_DONE) - ticket) < 0) {
    if (atomic.load<u32>(block, VCPU_STATE) != VCPU_RUNNING || !takesPart(index)) return;
    poll();
    spinlock.pause(turn++, block + VCPU_CALLS_DONE);
  }
}

/** A safepoint. */
@inline
export function poll(): void {
  if (atomic.load<u32>(vcpu.block, VCPU_PENDING) & (1 << VECTOR_CALL)) serve();
}

function serve(): void {
  atomic.and<u32>(vcpu.block, ~(1 << VECTOR_CALL), VCPU_PENDING);
  lock(vcpu.block);
  let done = load<u32>(vcpu.block, VCPU_CALLS_DONE);
  if (CHECKED && load<u32>(vcpu.block, VCPU_CALLS_POSTED) - done > RING_ENTRIES) panic(PANIC_CALL);
  while (done != load<u32>(vcpu.block, VCPU_CALLS_POSTED)) {
    done += 1;
    vcpu.count(COUNTER_REMOTE_CALLS);
    run(entryAt(vcpu.block, done));
  }
  atomic.store<u32>(vcpu.block, done, VCPU_CALLS_DONE);
  spinlock.release(vcpu.block + VCPU_CALL_LOCK);
  remoteCall.serve();
}

function run(entry: u32): void {
  const what = load<u32>(entry);
  if (what == CALL_INVLPG) tlb.invlpg(load<u64>(entry, 8));
  else if (what == CALL_FLUSH) tlb.flush();
}
