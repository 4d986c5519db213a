// The vCPU that this instance of the kernel is: its block, its state, its counters.
//
// Interface   attach() once per instance. Other files read `block` and the words of abi/vcpu-block.ts in it.
// Concurrency VCPU_STATE, VCPU_EPOCH and VCPU_FAULTING are written here and read by other vCPUs; VCPU_PENDING
//             is written by all (kernel/interrupt.ts). Everything else in the block is the owner's alone.

import { FRAME_SHIFT, VCPUS_MAX } from '../abi/limits';
import { PANIC_DEPTH, PANIC_FAULTING, PANIC_HOLDS } from '../abi/panic';
import {
  HOLDS_COUNTED,
  VCPU_ABSENT,
  VCPU_CALLS_ON,
  VCPU_COUNTERS,
  VCPU_DEPTH,
  VCPU_EPOCH,
  VCPU_FAULTING,
  VCPU_HOLDS,
  VCPU_IDLE,
  VCPU_MASK,
  VCPU_PENDING,
  VCPU_RUNNING,
  VCPU_SNAPSHOT,
  VCPU_STATE,
  VCPU_THREAD,
  VCPU_TRAP_ADDRESS,
  VCPU_TRAP_CAUSE,
  VCPU_VIEW,
  VCPU_VM,
} from '../abi/vcpu-block';
import { VM_EPOCH, VM_VCPUS } from '../abi/vm-block';
import { publish32 } from './barrier';
import { CHECKED, panic } from './checked';
import * as map from './map';

/** Address of this vCPU's block. */
export let block: u32 = 0;
/** Its number. */
export let index: u32 = 0;
/**
 * VCPU_DEPTH at which the guest's page-fault handler runs, 0 = it does not: inside it no new epoch is
 * acknowledged.
 */
let frozen: u32 = 0;

/** Makes this instance the vCPU `number`, whose block claim() has reserved. */
export function attach(number: u32): void {
  if (CHECKED && number >= VCPUS_MAX) panic(PANIC_DEPTH);
  index = number;
  block = map.vcpuBlock(number);
  store<u32>(block, 0, VCPU_SNAPSHOT);
  store<u32>(block, 0, VCPU_DEPTH);
  store<u32>(block, 0, VCPU_MASK);
  store<u32>(block, map.vm, VCPU_VM);
  atomic.store<u32>(block, 0, VCPU_PENDING);
  store<u32>(block, 0, VCPU_HOLDS);
  atomic.store<u32>(block, (atomic.load<u32>(block, VCPU_CALLS_ON) + 1) & ~1, VCPU_CALLS_ON);
  adopt();
}

/** For code that is linked into a guest: makes this instance know the vCPU that its kernel has claimed. */
export function link(address: u32): void {
  block = address;
  index = (address - map.vcpuBlock(0)) >> FRAME_SHIFT;
}

/** Number of a block that was nobody's and is now the caller's, idle; -1 when all are taken. */
export function claim(): i32 {
  for (let number: u32 = 0; number < VCPUS_MAX; number++) {
    const free = map.vcpuBlock(number);
    if (atomic.cmpxchg<u32>(free, VCPU_ABSENT, VCPU_IDLE, VCPU_STATE) != VCPU_ABSENT) continue;
    raiseCount(number + 1);
    return number;
  }
  return -1;
}

function raiseCount(count: u32): void {
  while (true) {
    const old = atomic.load<u32>(map.vm, VM_VCPUS);
    if (old >= count || atomic.cmpxchg<u32>(map.vm, old, count, VM_VCPUS) == old) return;
  }
}

/**
 * The vCPU `number` is free again. `isDead`: its thread ended in the guest, perhaps in a write fault.
 */
export function abandon(number: u32, isDead: bool): void {
  const gone = map.vcpuBlock(number);
  if (isDead) {
    if (atomic.load<u32>(gone, VCPU_FAULTING) & 1) atomic.add<u32>(gone, 1, VCPU_FAULTING);
  }
  store<u32>(gone, 0, VCPU_SNAPSHOT);
  atomic.store<u32>(gone, 0, VCPU_THREAD); // before the block is another thread's
  atomic.store<u32>(gone, VCPU_ABSENT, VCPU_STATE);
}

/**
 * The block of a vCPU whose thread is gone becomes the caller's, who alone has set its state to VCPU_DEAD.
 */
export function replace(number: u32): void {
  abandon(number, true);
  atomic.store<u32>(map.vcpuBlock(number), VCPU_IDLE, VCPU_STATE);
}

/**
 * This vCPU has taken something that others wait for. No loop and no call may lie between the taking and
 * this: the engine ends a thread only there, so the count is right whenever it does.
 */
@inline
export function hold(): void {
  store<u32>(block, load<u32>(block, VCPU_HOLDS) + 1, VCPU_HOLDS);
}


@inline
export function letGo(): void {
  if (CHECKED && (load<u32>(block, VCPU_HOLDS) & ~HOLDS_COUNTED) == 0) panic(PANIC_HOLDS);
  store<u32>(block, load<u32>(block, VCPU_HOLDS) - 1, VCPU_HOLDS);
}

/** For a linked guest that calls hold() for all that it takes. */
export function countHolds(): void {
  store<u32>(block, HOLDS_COUNTED, VCPU_HOLDS);
}

/** How many vCPUs of the main image are in the guest now. */
export function running(): u32 {
  let count: u32 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    const other = map.vcpuBlock(i);
    if (atomic.load<u32>(other, VCPU_STATE) == VCPU_RUNNING && load<u32>(other, VCPU_SNAPSHOT) == 0)
      count++;
  }
  return count;
}

/** How many vCPUs are attached. */
export function attached(): u32 {
  let count: u32 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++)
    if (atomic.load<u32>(map.vcpuBlock(i), VCPU_STATE) != VCPU_ABSENT) count++;
  return count;
}

/** Takes over the current epoch: from here on this vCPU's stores belong to it. Pairs with epoch.settle(). */
export function adopt(): void {
  const both = atomic.load<u64>(map.vm, VM_EPOCH);
  const isSame =
    load<u32>(block, VCPU_EPOCH) == <u32>both && load<u32>(block, VCPU_VIEW) == <u32>(both >> 32);
  if (isSame) return; // nothing to say, and an atomic store is dear
  store<u32>(block, <u32>(both >> 32), VCPU_VIEW);
  atomic.store<u32>(block, <u32>both, VCPU_EPOCH);
}

/**
 * Enters the guest; nests. The state says "running" before the epoch is read: whoever moves the epoch later
 * sees this vCPU and waits for it (epoch.settle), whoever moved it before is adopted here.
 */
export function enter(): void {
  const depth = load<u32>(block, VCPU_DEPTH);
  store<u32>(block, depth + 1, VCPU_DEPTH);
  if (depth == 0) {
    atomic.store<u32>(block, VCPU_RUNNING, VCPU_STATE);
    adopt();
  }
}

export function leave(): void {
  const depth = load<u32>(block, VCPU_DEPTH) - 1;
  if (CHECKED && depth == <u32>-1) panic(PANIC_DEPTH);
  store<u32>(block, depth, VCPU_DEPTH);
  if (depth == 0) publish32(block + VCPU_STATE, VCPU_IDLE); // after the guest's stores
}

/**
 * Steps out of the guest for a host call that may take long: epochs go on without this vCPU. Not inside a
 * page-fault handler, where the epoch must stay what it is.
 */
export function suspend(): void {
  if (frozen == 0) atomic.store<u32>(block, VCPU_IDLE, VCPU_STATE);
}

/** Back from suspend(), in the epoch of now. */
export function resume(): void {
  if (frozen != 0) return;
  atomic.store<u32>(block, VCPU_RUNNING, VCPU_STATE);
  adopt();
}

/** For the guest's page-fault handler, which does not nest. */
export function freeze(): void {
  frozen = load<u32>(block, VCPU_DEPTH);
}

export function thaw(): void {
  frozen = 0;
}

export function isFrozen(): bool {
  return frozen != 0;
}

/** After a trap: back to how it was at depth `depth`. The host calls it, from no guest code. */
export function unwind(depth: u32): void {
  if (depth < frozen) frozen = 0; // a handler that called out, and there into the guest again, goes on
  if (load<u32>(block, VCPU_FAULTING) & 1) faultEnd();
  store<u32>(block, depth, VCPU_DEPTH);
  if (depth == 0) atomic.store<u32>(block, VCPU_IDLE, VCPU_STATE);
}

/** The words between faultBegin() and faultEnd() may hold on to snapshots that are being released. */
export function faultBegin(): void {
  if (CHECKED && (load<u32>(block, VCPU_FAULTING) & 1) != 0) panic(PANIC_FAULTING);
  atomic.store<u32>(block, load<u32>(block, VCPU_FAULTING) + 1, VCPU_FAULTING);
}

export function faultEnd(): void {
  if (CHECKED && (load<u32>(block, VCPU_FAULTING) & 1) == 0) panic(PANIC_FAULTING);
  atomic.store<u32>(block, load<u32>(block, VCPU_FAULTING) + 1, VCPU_FAULTING);
}

/** Snapshot slot that this vCPU looks at, or -1 in the main image. */
export function snapshotSlot(): i32 {
  return <i32>load<u32>(block, VCPU_SNAPSHOT) - 1;
}

export function count(counter: u32): void {
  const word = block + VCPU_COUNTERS + (counter << 3);
  store<u64>(word, load<u64>(word) + 1);
}

/** A counter, summed over all vCPUs that ever were. */
export function counted(counter: u32): u64 {
  let sum: u64 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++)
    sum += load<u64>(map.vcpuBlock(i) + VCPU_COUNTERS + (counter << 3));
  return sum;
}

/** Ends the guest's work on this vCPU: the host finds the cause in the block. */
export function trap(cause: u32, address: u32): void {
  store<u32>(block, cause, VCPU_TRAP_CAUSE);
  store<u32>(block, address, VCPU_TRAP_ADDRESS);
  unreachable();
}
