// The timer of this vCPU: VECTOR_TIMER when a time has passed, and then every so often.
//
// Interface   set() by the vCPU itself, (0, 0) turns it off. The thread of host/vm/timers.ts counts its
//             expirations and posts the vector; a safepoint asks begin() whether there is something to
//             deliver, and calls end() when the handler is done.
// Invariants  TIMER-1  An interrupt is of the setting that is in force when it is taken: VCPU_TIMER_DUE holds
//                      the number of the setting that has expired, and a safepoint drops what is of another.
//                      So one that was turned off, or set anew, fires no more, whatever its thread is in the
//                      middle of.
//             TIMER-2  One interrupt at most for each expiration; those that come before one is taken become
//                      one.
//             TIMER-3  The vector is masked while its handler runs: a handler that takes longer than the
//                      period is not nested.
// Concurrency VCPU_TIMER_FIRST, EVERY and SET are the vCPU's; VCPU_TIMER_DUE is the thread's, in one 64-bit
//             store, before it posts. "Store the setting, then ring" pairs with "read the bell, then the
//             settings, then wait for the bell to move".
// Cost        set() 0.3 us, as it wakes the thread; nothing at a safepoint that finds nothing pending.

import { EINVAL, ENOSYS } from '../abi/errno';
import { TIMER_NONE, TIMER_US_MAX, TIMER_US_MIN } from '../abi/timer';
import {
  VCPU_DEPTH,
  VCPU_MASK,
  VCPU_TIMER_DUE,
  VCPU_TIMER_EVERY,
  VCPU_TIMER_FIRST,
  VCPU_TIMER_SET,
} from '../abi/vcpu-block';
import { VECTOR_TIMER } from '../abi/vector';
import { VM_TIMER_BELL, VM_TIMER_STATE } from '../abi/vm-block';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';

/** Expirations of the setting in force that have been delivered. */
let delivered: u32 = 0;
/** Depth of the guest whose safepoint runs the handler, 0 = it does not run. */
let handling: u32 = 0;

/** A vCPU starts without; who had the block before may have left one. */
export function attach(): void {
  handling = 0;
  change(0, 0);
}

/**
 * After `us` microseconds, then every `everyUs`; 0 = never. 0, -EINVAL, or -ENOSYS in a VM without timers.
 */
export function set(us: u32, everyUs: u32): i32 {
  if (!isAllowed(us) || !isAllowed(everyUs) || (us == 0 && everyUs != 0)) return -EINVAL;
  if (atomic.load<u32>(map.vm, VM_TIMER_STATE) == TIMER_NONE) return -ENOSYS;
  change(us, everyUs);
  atomic.add<u32>(map.vm, 1, VM_TIMER_BELL);
  atomic.notify(map.vm + VM_TIMER_BELL, 1);
  return 0;
}

function isAllowed(us: u32): bool {
  return us == 0 || (us >= TIMER_US_MIN && us <= TIMER_US_MAX);
}

function change(us: u32, everyUs: u32): void {
  delivered = 0;
  atomic.store<u32>(vcpu.block, us, VCPU_TIMER_FIRST);
  atomic.store<u32>(vcpu.block, everyUs, VCPU_TIMER_EVERY);
  atomic.add<u32>(vcpu.block, 1, VCPU_TIMER_SET);
}

/** Without ringing: the vCPU leaves what it was doing, and its thread finds that out when it would fire. */
export function turnOff(): void {
  if (atomic.load<u32>(vcpu.block, VCPU_TIMER_FIRST) != 0) change(0, 0);
}

/** Whether a pending interrupt of the timer is one (TIMER-1, TIMER-2); its handler runs from here on. */
export function begin(): bool {
  const due = atomic.load<u64>(vcpu.block, VCPU_TIMER_DUE);
  if (<u32>(due >> 32) != atomic.load<u32>(vcpu.block, VCPU_TIMER_SET)) return false;
  if (<u32>due == delivered) return false;
  delivered = <u32>due;
  handling = load<u32>(vcpu.block, VCPU_DEPTH);
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) | (1 << VECTOR_TIMER), VCPU_MASK);
  return true;
}

export function end(): void {
  handling = 0;
  store<u32>(vcpu.block, load<u32>(vcpu.block, VCPU_MASK) & ~(1 << VECTOR_TIMER), VCPU_MASK);
}

/** After a trap: if it went through the handler, that has ended. */
export function unwind(depth: u32): void {
  if (depth < handling) end();
}
