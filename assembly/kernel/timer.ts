// The timer of this vCPU: raises VECTOR_TIMER after a delay, and then periodically.
//
// Interface   The vCPU itself calls set(); (0, 0) turns the timer off. The thread of host/vm/timers.ts counts
//             expirations and posts the vector; a safepoint asks begin() whether there is an interrupt to
//             deliver, and calls end() after the handler.
// Invariants  TIMER-1  An interrupt belongs to the setting in force when it is taken: VCPU_TIMER_DUE holds
//                      the number of the setting that expired, and a safepoint drops interrupts of any other.
//                      So a timer that was turned off or set again no longer fires its old setting, whatever
//                      its thread is doing.
//             TIMER-2  At most one interrupt per expiration; expirations before one is taken are merged.
//             TIMER-3  The vector is masked while its handler runs: a handler slower than the period does not
//                      nest. By construction.
// Concurrency The vCPU writes VCPU_TIMER_FIRST, EVERY and SET; the thread writes VCPU_TIMER_DUE, in one
//             64-bit store, before it posts. "Store the setting, then ring" pairs with "read the bell, then
//             the settings, then wait for the bell to change".
// Cost        set() 0.3 us, as it wakes the thread; none at a safepoint without pending interrupts.

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

/** Expirations of the setting in force that were delivered. */
let delivered: u32 = 0;
/** Depth of the guest at whose safepoint the handler runs; 0 = it is not running. */
let handling: u32 = 0;

/** A vCPU starts without a timer; the previous owner of the block may have left one. */
export function attach(): void {
  handling = 0;
  change(0, 0);
}

/** Expires after `us`, then every `everyUs`; 0 = never. 0, -EINVAL, or -ENOSYS in a VM without timers. */
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

/** Does not ring: the vCPU leaves its work, and the thread notices when the timer would fire. */
export function turnOff(): void {
  if (atomic.load<u32>(vcpu.block, VCPU_TIMER_FIRST) != 0) change(0, 0);
}

/** Whether a pending interrupt is to be delivered (TIMER-1, TIMER-2); its handler then runs until end(). */
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

/** After a trap: ends the handler if the trap passed through it. */
export function unwind(depth: u32): void {
  if (depth < handling) end();
}
