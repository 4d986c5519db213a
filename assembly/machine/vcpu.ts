// The vCPU that this instance of the kernel is: its block, its state, its counters.
//
// Interface   attach() once per instance. Other files read `block` and the words of abi/vcpu-block.ts in it.
// Concurrency This file writes VCPU_STATE, VCPU_EPOCH and VCPU_FAULTING, and other vCPUs read them; all write
//             VCPU_PENDING (kernel/interrupt.ts). The rest of the block is the owner's alone.

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
/** Its index. */
export let index: u32 = 0;
/**
 * VCPU_DEPTH at which the guest's page-fault handler runs, 0 = it does not: inside it no epoch is adopted.
 */
let frozen: u32 = 0;
const NOT_IDLE: u32 = 0xffffffff;
/** VCPU_DEPTH at which idle code of the host entered the file system. */
let idleDepth: u32 = NOT_IDLE;

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

/** For code linked into a guest: attaches this instance to the vCPU that its kernel has claimed. */
export function link(address: u32): void {
  block = address;
  index = (address - map.vcpuBlock(0)) >> FRAME_SHIFT;
}

/** Claims a free block: its number, now idle; -1 if all are taken. */
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

/** Frees the vCPU `number`. `isDead`: its thread ended in the guest, perhaps in a write fault. */
export function abandon(number: u32, isDead: bool): void {
  const gone = map.vcpuBlock(number);
  if (isDead) {
    if (atomic.load<u32>(gone, VCPU_FAULTING) & 1) atomic.add<u32>(gone, 1, VCPU_FAULTING);
  }
  store<u32>(gone, 0, VCPU_SNAPSHOT);
  atomic.store<u32>(gone, 0, VCPU_THREAD); // before another thread gets the block
  atomic.store<u32>(gone, VCPU_ABSENT, VCPU_STATE);
}

/** Takes over the block of a vCPU whose thread has ended; the caller alone has set its state to VCPU_DEAD. */
export function replace(number: u32): void {
  abandon(number, true);
  atomic.store<u32>(map.vcpuBlock(number), VCPU_IDLE, VCPU_STATE);
}

/**
 * Call it right after taking something that others wait for, with no loop and no call in between: the engine
 * terminates a thread only there, so the count is right whenever it does.
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

/** For a linked guest that calls hold() for everything that it takes. */
export function countHolds(): void {
  store<u32>(block, HOLDS_COUNTED, VCPU_HOLDS);
}

/** Number of vCPUs of the main image that are in the guest. */
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

/** Number of attached vCPUs. */
export function attached(): u32 {
  let count: u32 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++)
    if (atomic.load<u32>(map.vcpuBlock(i), VCPU_STATE) != VCPU_ABSENT) count++;
  return count;
}

/** Adopts the current epoch: from here on this vCPU's stores belong to it. Pairs with epoch.settle(). */
export function adopt(): void {
  const both = atomic.load<u64>(map.vm, VM_EPOCH);
  const isSame =
    load<u32>(block, VCPU_EPOCH) == <u32>both && load<u32>(block, VCPU_VIEW) == <u32>(both >> 32);
  if (isSame) return; // unchanged, and an atomic store is expensive
  store<u32>(block, <u32>(both >> 32), VCPU_VIEW);
  atomic.store<u32>(block, <u32>both, VCPU_EPOCH);
}

/**
 * Enters the guest; nests. It stores the state "running" before it reads the epoch: a vCPU that advances the
 * epoch later sees this one and waits for it (epoch.settle); an earlier advance is adopted here.
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
 * Enters code of the file system, from outside, from the guest, or from a host call of the guest, during
 * which the vCPU does not count as running.
 */
export function enterFiles(): void {
  const depth = load<u32>(block, VCPU_DEPTH);
  if (atomic.load<u32>(block, VCPU_STATE) != VCPU_RUNNING) {
    idleDepth = depth;
    atomic.store<u32>(block, VCPU_RUNNING, VCPU_STATE);
    adopt();
  }
  store<u32>(block, depth + 1, VCPU_DEPTH);
}

export function leaveFiles(): void {
  const depth = load<u32>(block, VCPU_DEPTH) - 1;
  if (CHECKED && depth == <u32>-1) panic(PANIC_DEPTH);
  store<u32>(block, depth, VCPU_DEPTH);
  if (depth != idleDepth) return;
  idleDepth = NOT_IDLE;
  publish32(block + VCPU_STATE, VCPU_IDLE);
}

/**
 * Leaves the guest for a host call that may take long: epochs advance without this vCPU. Not inside a
 * page-fault handler, where the epoch must not change.
 */
export function suspend(): void {
  if (frozen == 0) atomic.store<u32>(block, VCPU_IDLE, VCPU_STATE);
}

/** Returns from suspend(), in the current epoch. */
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

/** After a trap: restores the state at depth `depth`. The host calls it, outside of guest code. */
export function unwind(depth: u32): void {
  if (depth < frozen) frozen = 0; // a handler that called out and re-entered the guest from there continues
  if (load<u32>(block, VCPU_FAULTING) & 1) faultEnd();
  if (idleDepth != NOT_IDLE && depth <= idleDepth) idleDepth = NOT_IDLE;
  store<u32>(block, depth, VCPU_DEPTH);
  if (depth == 0) atomic.store<u32>(block, VCPU_IDLE, VCPU_STATE);
}

/** Between faultBegin() and faultEnd() this vCPU may use snapshots that are being released. */
export function faultBegin(): void {
  if (CHECKED && (load<u32>(block, VCPU_FAULTING) & 1) != 0) panic(PANIC_FAULTING);
  atomic.store<u32>(block, load<u32>(block, VCPU_FAULTING) + 1, VCPU_FAULTING);
}

export function faultEnd(): void {
  if (CHECKED && (load<u32>(block, VCPU_FAULTING) & 1) == 0) panic(PANIC_FAULTING);
  atomic.store<u32>(block, load<u32>(block, VCPU_FAULTING) + 1, VCPU_FAULTING);
}

/** Slot of the snapshot on which this vCPU runs, or -1 in the main image. */
export function snapshotSlot(): i32 {
  return <i32>load<u32>(block, VCPU_SNAPSHOT) - 1;
}

export function count(counter: u32): void {
  const word = block + VCPU_COUNTERS + (counter << 3);
  store<u64>(word, load<u64>(word) + 1);
}

/** A counter, summed over all vCPUs since boot. */
export function counted(counter: u32): u64 {
  let sum: u64 = 0;
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++)
    sum += load<u64>(map.vcpuBlock(i) + VCPU_COUNTERS + (counter << 3));
  return sum;
}

/** Ends the guest's work on this vCPU; the host finds the cause in the block. */
export function trap(cause: u32, address: u32): void {
  store<u32>(block, cause, VCPU_TRAP_CAUSE);
  store<u32>(block, address, VCPU_TRAP_ADDRESS);
  unreachable();
}
