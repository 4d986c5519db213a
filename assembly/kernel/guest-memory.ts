// Guest memory: from address 0 to the break, which the guest moves with memory.grow.
//
// Interface   size() and grow() in WebAssembly pages of 64 KiB, like the instructions they replace.
// Concurrency The break shares a 64-bit word with the frame floor (kernel/frames.ts, FRAME-2). A snapshot has
//             its own break.

import { FRAME_BYTES, FRAME_SHIFT } from '../abi/limits';
import { ENTRY_OWNED, ENTRY_PRESENT, SNAPSHOT_BREAK, SNAPSHOT_FILES } from '../abi/snapshot-block';
import { VM_BREAK, VM_FILES, VM_GUEST_LIMIT } from '../abi/vm-block';
import * as map from '../machine/map';
import { pause } from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as table from '../snappy/table';
import * as frames from './frames';

const FRAMES_PER_PAGE: u32 = 16; // 64 KiB

/** First page after the guest memory of this vCPU's image. */
export function breakPage(): u32 {
  const slot = vcpu.snapshotSlot();
  if (slot >= 0) return load<u32>(map.snapshotBlock(slot), SNAPSHOT_BREAK);
  return <u32>atomic.load<u64>(map.vm, VM_BREAK);
}

export function size(): i32 {
  return <i32>(breakPage() / FRAMES_PER_PAGE);
}

/** Old size, or -1 if the VM has no room: for the guest a failed allocation, not a trap. */
export function grow(pages: u32): i32 {
  if (pages > 65536) return -1;
  const wanted = pages * FRAMES_PER_PAGE;
  const slot = vcpu.snapshotSlot();
  return slot >= 0 ? growSnapshot(slot, wanted) : growMain(wanted);
}

function growMain(wanted: u32): i32 {
  const limit = atomic.load<u32>(map.vm, VM_GUEST_LIMIT);
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BREAK);
    const end = <u32>old;
    const floor = <u32>(old >> 32);
    if (end + wanted > min(limit, min(floor, atomic.load<u32>(map.vm, VM_FILES)))) return -1;
    const raised = ((<u64>floor) << 32) | (<u64>(end + wanted));
    if (atomic.cmpxchg<u64>(map.vm, old, raised, VM_BREAK) != old) continue;
    if (end + wanted <= atomic.load<u32>(map.vm, VM_FILES)) return <i32>(end / FRAMES_PER_PAGE);
    retract(end, wanted); // file memory has just grown there
    return -1;
  }
}

/** Lowers the break to `end` again, after all who raised it further have done so. */
function retract(end: u32, wanted: u32): void {
  let turn: u32 = 0;
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BREAK);
    if (<u32>old != end + wanted) pause(turn++, map.vm + VM_BREAK);
    else if (
      atomic.cmpxchg<u64>(map.vm, old, (old & 0xffffffff00000000) | (<u64>end), VM_BREAK) == old
    )
      return;
  }
}

/**
 * Moves the break of main memory down to `pages`. No vCPU is in the guest, and the pages behind are zero, as
 * growMain() gives them out. Their marks go: a store there is outside.
 */
export function shrink(pages: u32): void {
  const end = pages * FRAMES_PER_PAGE;
  let last = end;
  while (true) {
    const old = atomic.load<u64>(map.vm, VM_BREAK);
    last = <u32>old;
    if (last <= end) return;
    const lowered = (old & 0xffffffff00000000) | (<u64>end);
    if (atomic.cmpxchg<u64>(map.vm, old, lowered, VM_BREAK) == old) break;
  }
  for (let page = end; page < last; page++) atomic.store<u8>(map.epochs + page, 0);
}

/**
 * A snapshot's growth is private: each new page gets a zeroed frame of its own at once. These frames are not
 * among those that the guest itself may grow into, so that neither can make the other's growth fail.
 */
function growSnapshot(slot: u32, wanted: u32): i32 {
  const block = map.snapshotBlock(slot);
  const end = load<u32>(block, SNAPSHOT_BREAK);
  const limit = atomic.load<u32>(map.vm, VM_GUEST_LIMIT);
  if (wanted > limit || end + wanted > limit || wanted > frames.beyond(limit)) return -1;
  if (end + wanted > load<u32>(block, SNAPSHOT_FILES)) return -1;
  for (let page = end; page < end + wanted; page++) {
    const frame = frames.alloc();
    if (frame == 0) {
      while (page-- > end) {
        // The parent may have the page by now.
        const given = table.exchange(slot, page, table.zeroEntry(page));
        frames.free(table.frameOf(given, page));
      }
      return -1;
    }
    memory.fill(frame, 0, FRAME_BYTES);
    table.put(slot, page, (frame - (page << FRAME_SHIFT)) | ENTRY_PRESENT | ENTRY_OWNED);
  }
  store<u32>(block, end + wanted, SNAPSHOT_BREAK);
  return <i32>(end / FRAMES_PER_PAGE);
}
