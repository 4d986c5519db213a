// Snapshots: taking one is an increment and an empty table (paper, 4.1, without its page-table copy).
//
// A slot is free -> active -> released -> free:
//   free -> active       take()      its table is all zero (table.ts, SNAP-1)
//   active -> lost       lose()      no frame for a copy: it gets no more copies, its readers are stopped
//   active, lost -> free release()   no vCPU reads it; waits for write faults that may have seen it
//
// Interface   take() on a vCPU of the main image, outside the write fault; release() once, by a caller that
//             knows that no vCPU runs on the snapshot.
// Concurrency VM_SNAPSHOT_LOCK orders the takers. The bit in VM_ACTIVE is set before the epoch advances: a
//             vCPU that writes in the new epoch sees the snapshot (SNAP-3). The same atomic operation
//             publishes the block, so the stores to it are plain: an atomic store costs 5 ns.
// Cost        take() about 0.3 us, whatever the size of memory; release() is proportional to the pages
//             copied.

import { EBUSY, EPERM } from '../abi/errno';
import { SNAPSHOTS_MAX } from '../abi/limits';
import { PANIC_SNAPSHOT_STATE } from '../abi/panic';
import {
  ENDING_NONE,
  SNAPSHOT_BREAK,
  SNAPSHOT_ENDING,
  SNAPSHOT_EPOCH,
  SNAPSHOT_FILES,
  SNAPSHOT_FRAMES,
  SNAPSHOT_GOOD,
  SNAPSHOT_LOST,
  SNAPSHOT_STATE,
  SNAPSHOT_STOPPED,
} from '../abi/snapshot-block';
import { VCPU_FAULTING, VCPU_SNAPSHOT, VCPU_STATE, VCPU_ABSENT } from '../abi/vcpu-block';
import { VECTOR_KILL } from '../abi/vector';
import {
  VM_ACTIVE,
  VM_BREAK,
  VM_FILES,
  VM_LOST,
  VM_SLOTS,
  VM_SNAPSHOT_LOCK,
  VM_TAKEN,
  VM_VCPUS,
} from '../abi/vm-block';
import * as interrupt from '../kernel/interrupt';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as epoch from './epoch';
import * as limbo from './limbo';
import * as table from './table';

/** Slot of the new snapshot; -EBUSY if all are in use, -EPERM on a snapshot or in a page-fault handler. */
export function take(): i32 {
  if (vcpu.snapshotSlot() >= 0 || vcpu.isFrozen()) return -EPERM;
  const lock = map.vm + VM_SNAPSHOT_LOCK;
  spinlock.acquire(lock);
  const slot = claim();
  if (slot >= SNAPSHOTS_MAX) {
    spinlock.release(lock);
    return -EBUSY;
  }
  const block = map.snapshotBlock(slot);
  let files = atomic.load<u32>(map.vm, VM_FILES);
  store<u32>(block, files, SNAPSHOT_FILES);
  activate(slot, epoch.current(), <u32>atomic.load<u64>(map.vm, VM_BREAK), 0);
  while (atomic.load<u32>(map.vm, VM_FILES) != files) {
    // FILES-2: a growth before the bit, or one that may have stored its value before this did
    files = atomic.load<u32>(map.vm, VM_FILES);
    atomic.store<u32>(block, files, SNAPSHOT_FILES);
  }
  epoch.advance();
  atomic.add<u32>(map.vm, 1, VM_TAKEN);
  spinlock.release(lock);
  vcpu.adopt();
  return slot;
}

/** A slot of which nothing is used yet; SNAPSHOTS_MAX or more if all are in use. VM_SNAPSHOT_LOCK is held. */

@inline
export function claim(): u32 {
  const slot = ctz(~atomic.load<u32>(map.vm, VM_SLOTS));
  if (slot < SNAPSHOTS_MAX) atomic.or<u32>(map.vm, 1 << slot, VM_SLOTS);
  return slot;
}

/** From now on write faults of later epochs preserve pages for the snapshot in a claimed slot. */

@inline
export function activate(slot: u32, epoch: u32, end: u32, frames: u32): void {
  const block = map.snapshotBlock(slot);
  if (CHECKED && (atomic.load<u32>(map.vm, VM_ACTIVE) & (1 << slot)) != 0)
    panic(PANIC_SNAPSHOT_STATE);
  store<u32>(block, epoch, SNAPSHOT_EPOCH);
  store<u32>(block, end, SNAPSHOT_BREAK);
  store<u32>(block, SNAPSHOT_GOOD, SNAPSHOT_STATE);
  store<u32>(block, frames, SNAPSHOT_FRAMES);
  store<u32>(block, ENDING_NONE, SNAPSHOT_ENDING);
  atomic.or<u32>(map.vm, 1 << slot, VM_ACTIVE);
}

/** Before the first read of a snapshot: waits until every vCPU has finished the stores that belong to it. */
export function settle(slot: u32): void {
  epoch.settle(load<u32>(map.snapshotBlock(slot), SNAPSHOT_EPOCH) + 1);
}

/** If no frame is free for a copy, the snapshot ends, the writer continues (SNAP-5). */
export function lose(slot: u32): void {
  const bit: u32 = 1 << slot;
  if ((atomic.and<u32>(map.vm, ~bit, VM_ACTIVE) & bit) == 0) return;
  atomic.add<u32>(map.vm, 1, VM_LOST);
  stopReaders(slot, SNAPSHOT_LOST);
}

/** Ends every call on the snapshot, including calls that have not begun, as its holder requests. */
export function stop(slot: u32): void {
  stopReaders(slot, SNAPSHOT_STOPPED);
}

/**
 * Sets the state first: a vCPU that enters the snapshot now sees it, one that is inside gets the interrupt.
 */
function stopReaders(slot: u32, state: u32): void {
  atomic.cmpxchg<u32>(map.snapshotBlock(slot), SNAPSHOT_GOOD, state, SNAPSHOT_STATE);
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    if (atomic.load<u32>(map.vcpuBlock(i), VCPU_SNAPSHOT) == slot + 1)
      interrupt.post(i, VECTOR_KILL);
  }
}

/** Whether `by` may end the snapshot. A thread terminated inside release() would otherwise keep its lock. */
export function end(slot: u32, by: u32): bool {
  const old = atomic.cmpxchg<u32>(map.snapshotBlock(slot), ENDING_NONE, by, SNAPSHOT_ENDING);
  return old == ENDING_NONE || old == by;
}

export function state(slot: u32): u32 {
  return atomic.load<u32>(map.snapshotBlock(slot), SNAPSHOT_STATE);
}

/** Frees the slot and all its frames. */
export function release(slot: u32): void {
  const bit: u32 = 1 << slot;
  if (CHECKED && (atomic.load<u32>(map.vm, VM_SLOTS) & bit) == 0) panic(PANIC_SNAPSHOT_STATE);
  atomic.and<u32>(map.vm, ~bit, VM_ACTIVE);
  awaitFaults();
  table.clear(slot);
  limbo.reap();
  atomic.and<u32>(map.vm, ~bit, VM_SLOTS);
}

/** Grace period: returns when every write fault in progress at the call has ended. */
export function awaitFaults(): void {
  const vcpus = atomic.load<u32>(map.vm, VM_VCPUS);
  for (let i: u32 = 0; i < vcpus; i++) {
    const block = map.vcpuBlock(i);
    const seen = atomic.load<u32>(block, VCPU_FAULTING);
    if (i == vcpu.index || (seen & 1) == 0) continue;
    let turn: u32 = 0;
    while (
      atomic.load<u32>(block, VCPU_FAULTING) == seen &&
      atomic.load<u32>(block, VCPU_STATE) != VCPU_ABSENT
    ) {
      spinlock.pause(turn++, block + VCPU_FAULTING);
    }
  }
}
