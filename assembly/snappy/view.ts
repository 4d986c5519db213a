// What a vCPU that runs on a snapshot does besides reading: private writes, and forgetting pages.
//
// Interface   The snapshot image calls viewFault() before a store to a page that the snapshot does not own. A
//             guest that will not read a range again calls forget() (a saver, behind its own progress).
// Invariants  SNAP-6  Stores on a snapshot go to frames that it owns: no other image ever sees them.
// Concurrency Races with write faults of the main image only over an entry that is 0; the swap decides. A
//             successful swap proves the copy clean: had a store to the page come before it, the fault would
//             have installed an entry first.
// Cost        a private write copies one frame; forget() is one exchange per page.

import { COUNTER_FORGOTTEN, COUNTER_PRIVATE } from '../abi/counter';
import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import {
  ENTRY_FLAGS,
  ENTRY_FORGOTTEN,
  ENTRY_OWNED,
  ENTRY_PRESENT,
  ENTRY_SHARE,
  SNAPSHOT_BREAK,
  SNAPSHOT_FRAMES,
} from '../abi/snapshot-block';
import { TRAP_OUTSIDE, TRAP_SNAPSHOT_LOST } from '../abi/vcpu-block';
import { VM_GUARD } from '../abi/vm-block';
import * as fileMemory from '../kernel/file-memory';
import * as frames from '../kernel/frames';
import * as map from '../machine/map';
import * as vcpu from '../machine/vcpu';
import * as share from './share';
import * as snapshot from './snapshot';
import * as table from './table';
import { copyView } from './write-fault';

/** Makes the page of `address` private to this vCPU's snapshot; returns its table entry. */
export function viewFault(address: u32): u32 {
  const slot = <u32>vcpu.snapshotSlot();
  const page = address >> FRAME_SHIFT;
  if (!isWritable(slot, page)) vcpu.trap(TRAP_OUTSIDE, address);
  return makePrivate(slot, page);
}

/** The same for code of the file system: also pages of file memory. */
export function fileViewFault(address: u32): u32 {
  const slot = <u32>vcpu.snapshotSlot();
  const page = address >> FRAME_SHIFT;
  if (!isWritable(slot, page) && !fileMemory.has(page)) vcpu.trap(TRAP_OUTSIDE, address);
  return makePrivate(slot, page);
}

function isWritable(slot: u32, page: u32): bool {
  const end = load<u32>(map.snapshotBlock(slot), SNAPSHOT_BREAK);
  return page < end && page >= load<u32>(map.vm, VM_GUARD);
}

function makePrivate(slot: u32, page: u32): u32 {
  const shared = table.get(slot, page);
  const isShared = (shared & ENTRY_SHARE) != 0;
  if (isShared && share.isLast(shared, page)) {
    table.put(slot, page, (shared & ~ENTRY_FLAGS) | ENTRY_PRESENT | ENTRY_OWNED);
    return table.get(slot, page);
  }
  const frame = frames.alloc();
  if (frame == 0) {
    snapshot.lose(slot);
    vcpu.trap(TRAP_SNAPSHOT_LOST, page << FRAME_SHIFT);
  }
  const entry = (frame - (page << FRAME_SHIFT)) | ENTRY_PRESENT | ENTRY_OWNED;
  while (true) {
    // at most 2 turns: an entry, once installed, stays
    const old = table.get(slot, page);
    if (old & ENTRY_OWNED) {
      frames.free(frame);
      return old;
    }
    copyView(slot, page << FRAME_SHIFT, frame, FRAME_BYTES);
    if (old != 0) {
      table.put(slot, page, entry);
      break;
    }
    if (table.tryPut(slot, page, entry)) break;
  }
  vcpu.count(COUNTER_PRIVATE);
  if (isShared) table.drop(shared, page);
  else atomic.add<u32>(map.snapshotBlock(slot), 1, SNAPSHOT_FRAMES);
  return entry;
}

/** Forgets the pages entirely inside a range: their frames are freed at once, and they get no copies. */
export function forget(address: u32, bytes: u32): void {
  const slot = vcpu.snapshotSlot();
  if (slot < 0) return;
  const end = <u64>address + <u64>bytes;
  const last = min<u32>(
    <u32>(end >> FRAME_SHIFT),
    load<u32>(map.snapshotBlock(slot), SNAPSHOT_BREAK),
  );
  for (let page = <u32>((<u64>address + FRAME_BYTES - 1) >> FRAME_SHIFT); page < last; page++) {
    const old = table.exchange(slot, page, ENTRY_FORGOTTEN);
    if (old & ENTRY_FORGOTTEN) continue;
    vcpu.count(COUNTER_FORGOTTEN);
    if (old & (ENTRY_OWNED | ENTRY_SHARE)) {
      table.drop(old, page);
      atomic.sub<u32>(map.snapshotBlock(slot), 1, SNAPSHOT_FRAMES);
    }
  }
}
