// Remote function calls: a vCPU of a linked guest makes another one run `onCall(function, arg)` of the guest
// at a safepoint, and gets its result.
//
// Interface   call(vcpu, function, arg) starts a call; awaitResult(ticket) waits for its end and says whether
//             there is a `result`; isOver() does not wait. Each ticket is awaited once. The guest defines
//             what the function numbers mean. ipi.poll() serves calls: call ipi.attach() first.
// Invariants  CALL-1  A call is run once, or its caller learns that it was lost: its vCPU ended, or trapped
//                     in it.
//             CALL-2  Calls of one vCPU to another begin in the order in which they were made. By
//                     construction.
//             CALL-3  A vCPU that waits serves calls, so calls may go both ways, and a function may call.
//                     Such calls nest as deep as calls are open: CALLS_MAX for each vCPU.
// Concurrency A call is stored in its caller's block, so that no number of calls overflows a queue.
//             VCPU_CALL_LOCK of the target guards the target's queue. An idle target, or one in the host,
//             keeps its queue until it returns, and its callers wait. State: QUEUED -> RUNNING -> DONE by the
//             target; -> LOST by a vCPU that finds that the target is gone; -> FREE by the caller. A new vCPU
//             in the caller's place turns RUNNING into ORPHANED.

import { PANIC_CALL } from '../abi/panic';
import {
  VCPU_CALLS_ON,
  VCPU_CALL_FIRST,
  VCPU_CALL_LAST,
  VCPU_CALL_LOCK,
  VCPU_CALL_SERVING,
  VCPU_CALL_SLOTS,
  VCPU_DEPTH,
  VCPU_IDLE,
  VCPU_RUNNING,
  VCPU_STATE,
} from '../abi/vcpu-block';
import {
  ARG,
  CALL_SHIFT,
  DEPTH,
  DONE,
  FREE,
  FUNCTION,
  LIFE,
  LOST,
  NEXT,
  ORPHANED,
  QUEUED,
  RESULT,
  RUNNING,
  TARGET,
  end,
} from '../machine/call';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as ipi from './ipi';

/** Runs the guest's onCall. */
@external('libdbos', 'serveCall')
declare function serveCall(fn: u32, arg: u64): u64;

/** Calls that a vCPU may have open at once. */
const CALLS_MAX: u32 = 16;
/** Result of a call. Set by awaitResult(); valid until its next call, or the next poll. */
export let result: u64 = 0;

/** Starts a call: a ticket; 0 if the target takes no part, or this vCPU has CALLS_MAX open calls. */
export function call(index: u32, fn: u32, arg: u64): u32 {
  const block = map.vcpuBlock(index);
  const life = atomic.load<u32>(block, VCPU_CALLS_ON);
  const slot = freeSlot();
  if (slot == 0 || (life & 1) == 0) return 0;
  store<u32>(slot, fn, FUNCTION);
  store<u64>(slot, arg, ARG);
  store<u32>(slot, 0, NEXT);
  store<u32>(slot, index, TARGET);
  store<u32>(slot, life, LIFE);
  atomic.store<u32>(slot, QUEUED);
  ipi.lock(block);
  const last = load<u32>(block, VCPU_CALL_LAST);
  if (last == 0) store<u32>(block, slot, VCPU_CALL_FIRST);
  else store<u32>(last, slot, NEXT);
  store<u32>(block, slot, VCPU_CALL_LAST);
  spinlock.release(block + VCPU_CALL_LOCK);
  ipi.interrupt(block);
  return slot;
}

function freeSlot(): u32 {
  const first = vcpu.block + VCPU_CALL_SLOTS;
  for (let slot = first; slot < first + (CALLS_MAX << CALL_SHIFT); slot += 1 << CALL_SHIFT)
    if (atomic.load<u32>(slot) == FREE) return slot;
  return 0;
}

export function isOver(ticket: u32): bool {
  return atomic.load<u32>(ticket) >= DONE;
}

/** Waits for the end of the call, serving others' calls. False: it was lost, and may have run in part. */
export function awaitResult(ticket: u32): bool {
  let turn: u32 = 0;
  while (!isOver(ticket)) {
    if (!isAlive(ticket)) withdraw(ticket);
    ipi.poll();
    spinlock.pause(turn++, ticket);
  }
  const isDone = atomic.load<u32>(ticket) == DONE;
  result = load<u64>(ticket, RESULT);
  atomic.store<u32>(ticket, FREE);
  return isDone;
}

/** Whether the vCPU that was called still exists. */
function isAlive(slot: u32): bool {
  const block = map.vcpuBlock(load<u32>(slot, TARGET));
  if (atomic.load<u32>(block, VCPU_CALLS_ON) != load<u32>(slot, LIFE)) return false;
  const state = atomic.load<u32>(block, VCPU_STATE);
  return state == VCPU_IDLE || state == VCPU_RUNNING;
}

/** The target is gone: removes the call from the queue if it is in one, and marks it lost. */
function withdraw(slot: u32): void {
  const block = map.vcpuBlock(load<u32>(slot, TARGET));
  ipi.lock(block);
  if (atomic.load<u32>(slot) == QUEUED) unlink(block, slot);
  atomic.cmpxchg<u32>(slot, QUEUED, LOST);
  atomic.cmpxchg<u32>(slot, RUNNING, LOST);
  spinlock.release(block + VCPU_CALL_LOCK);
}

function unlink(block: u32, slot: u32): void {
  let before: u32 = 0;
  let at = load<u32>(block, VCPU_CALL_FIRST);
  while (at != slot) {
    before = at;
    at = load<u32>(at, NEXT);
  }
  const next = load<u32>(slot, NEXT);
  if (before == 0) store<u32>(block, next, VCPU_CALL_FIRST);
  else store<u32>(before, next, NEXT);
  if (next == 0) store<u32>(block, before, VCPU_CALL_LAST);
}

/** Runs the calls in this vCPU's queue. The functions may re-enter this one. */
export function serve(): void {
  let slot = take();
  while (slot != 0) {
    const returned = serveCall(load<u32>(slot, FUNCTION), load<u64>(slot, ARG));
    store<u32>(vcpu.block, load<u32>(slot, NEXT), VCPU_CALL_SERVING);
    store<u64>(slot, returned, RESULT);
    end(slot, DONE);
    slot = take();
  }
}

/** Takes the first call of the queue and pushes it on the stack of those being served; 0 = empty queue. */
function take(): u32 {
  ipi.lock(vcpu.block);
  const slot = load<u32>(vcpu.block, VCPU_CALL_FIRST);
  if (slot != 0) {
    const next = load<u32>(slot, NEXT);
    if (CHECKED && atomic.load<u32>(slot) != QUEUED) panic(PANIC_CALL);
    store<u32>(vcpu.block, next, VCPU_CALL_FIRST);
    if (next == 0) store<u32>(vcpu.block, 0, VCPU_CALL_LAST);
    store<u32>(slot, load<u32>(vcpu.block, VCPU_CALL_SERVING), NEXT);
    store<u32>(slot, load<u32>(vcpu.block, VCPU_DEPTH), DEPTH);
    atomic.store<u32>(slot, RUNNING);
    store<u32>(vcpu.block, slot, VCPU_CALL_SERVING);
  }
  spinlock.release(vcpu.block + VCPU_CALL_LOCK);
  return slot;
}

/** For a new vCPU in this block: calls to its predecessor are lost, and calls by it are not awaited. */
export function attach(): void {
  ipi.lock(vcpu.block);
  let slot = load<u32>(vcpu.block, VCPU_CALL_FIRST);
  while (slot != 0) {
    const next = load<u32>(slot, NEXT);
    atomic.store<u32>(slot, LOST);
    slot = next;
  }
  store<u32>(vcpu.block, 0, VCPU_CALL_FIRST);
  store<u32>(vcpu.block, 0, VCPU_CALL_LAST);
  store<u32>(vcpu.block, 0, VCPU_CALL_SERVING);
  spinlock.release(vcpu.block + VCPU_CALL_LOCK);
  const first = vcpu.block + VCPU_CALL_SLOTS;
  for (let own = first; own < first + (CALLS_MAX << CALL_SHIFT); own += 1 << CALL_SHIFT) {
    if (atomic.load<u32>(own) == QUEUED) withdraw(own);
    if (atomic.cmpxchg<u32>(own, RUNNING, ORPHANED) != RUNNING) atomic.store<u32>(own, FREE);
  }
}
