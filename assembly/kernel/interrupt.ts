// Interrupts: one pending bit per vector and vCPU, delivered at safepoints.
//
// Interface   post(vcpu, vector) from any vCPU; the owner calls safepoint() when VCPU_PENDING is nonzero.
//             Handlers are functions of the guest, which the host binds into the trap table (kernel/trap.ts).
// Invariants  INT-1  A posted vector is delivered at least once after the post, unless masked.
//             INT-2  Handlers run before the epoch is adopted: they still write under the old view, with
//                    which the guest's write checks compare until the safepoint returns.
// Concurrency VCPU_PENDING: any vCPU sets bits with atomic.or, the owner clears them with atomic.and.
// Cost        a poll is one load and one branch; the slow path about 30 ns without a handler.

import { COUNTER_INTERRUPTS, COUNTER_SAFEPOINTS } from '../abi/counter';
import { VCPUS_MAX } from '../abi/limits';
import { PANIC_VECTOR } from '../abi/panic';
import { SNAPSHOT_LOST, SNAPSHOT_STATE } from '../abi/snapshot-block';
import { TRAP_KILLED, TRAP_SNAPSHOT_LOST, VCPU_MASK, VCPU_PENDING } from '../abi/vcpu-block';
import { VECTOR_COUNT, VECTOR_EPOCH, VECTOR_KILL, VECTOR_TIMER } from '../abi/vector';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as timer from './timer';
import * as trap from './trap';

export function post(vcpuIndex: u32, vector: u32): void {
  if (CHECKED && (vector >= VECTOR_COUNT || vcpuIndex >= VCPUS_MAX)) panic(PANIC_VECTOR);
  atomic.or<u32>(map.vcpuBlock(vcpuIndex), 1 << vector, VCPU_PENDING);
}

function take(vector: u32): void {
  atomic.and<u32>(vcpu.block, ~(1 << vector), VCPU_PENDING);
}

/** Delivers all pending vectors that are not masked, then acknowledges the epoch. */
export function safepoint(): void {
  vcpu.count(COUNTER_SAFEPOINTS);
  const pending = atomic.load<u32>(vcpu.block, VCPU_PENDING) & ~load<u32>(vcpu.block, VCPU_MASK);
  if (pending & (1 << VECTOR_KILL)) kill();
  let rest = pending & ~(1 << VECTOR_EPOCH);
  while (rest != 0) {
    // at most VECTOR_COUNT turns
    const vector = ctz(rest);
    rest &= rest - 1;
    take(vector);
    if (vector == VECTOR_TIMER && !timer.begin()) continue;
    vcpu.count(COUNTER_INTERRUPTS);
    trap.interrupt(vector);
    if (vector == VECTOR_TIMER) timer.end();
  }
  if (pending & (1 << VECTOR_EPOCH) && !vcpu.isFrozen()) {
    take(VECTOR_EPOCH);
    vcpu.adopt();
  }
}

function kill(): void {
  take(VECTOR_KILL);
  const slot = vcpu.snapshotSlot();
  const lost =
    slot >= 0 && atomic.load<u32>(map.snapshotBlock(slot), SNAPSHOT_STATE) == SNAPSHOT_LOST;
  vcpu.trap(lost ? TRAP_SNAPSHOT_LOST : TRAP_KILLED, 0);
}
