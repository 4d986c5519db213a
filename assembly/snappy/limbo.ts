// Limbo list: copies that several snapshots share, kept until no snapshot can see them (paper, 4.1).
//
// A frame copied in epoch e shows a page as it was before e. Snapshots of earlier epochs may use it, so it is
// free once the oldest active snapshot is not older than e. A frame that only one snapshot sees belongs to
// that snapshot's table and is never in this list.
//
// Interface   defer() in the write fault; reap() after a snapshot was released.
// Invariants  LIMBO-1  end_epoch never decreases along the list: reap() stops at the first frame that must
//                      wait.
// Concurrency One spin lock for head, tail and count. Writers within one epoch append in any order, and no
//             vCPU is in a write fault of an older epoch once a newer one is settled (epoch.ts, EPOCH-2).
// Cost        about 20 ns per frame. Tags are outside the frames, because snapshots still read the content.

import { FRAME_SHIFT } from '../abi/limits';
import { PANIC_LIMBO_COUNT, PANIC_LIMBO_ORDER } from '../abi/panic';
import { SNAPSHOT_EPOCH } from '../abi/snapshot-block';
import {
  VM_ACTIVE,
  VM_LIMBO_COUNT,
  VM_LIMBO_HEAD,
  VM_LIMBO_LOCK,
  VM_LIMBO_TAIL,
} from '../abi/vm-block';
import * as frames from '../kernel/frames';
import { CHECKED, panic } from '../machine/checked';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import { current, isOlder } from './epoch';

const TAG_NEXT: u32 = 0; // u32, pfn
const TAG_END_EPOCH: u32 = 4; // u32

export function defer(frame: u32, endEpoch: u32): void {
  const pfn = frame >> FRAME_SHIFT;
  const tag = map.frameTag(pfn);
  store<u32>(tag, 0, TAG_NEXT);
  store<u32>(tag, endEpoch, TAG_END_EPOCH);
  spinlock.acquire(map.vm + VM_LIMBO_LOCK);
  const tail = load<u32>(map.vm, VM_LIMBO_TAIL);
  if (tail == 0) {
    store<u32>(map.vm, pfn, VM_LIMBO_HEAD);
  } else {
    if (CHECKED && isOlder(endEpoch, load<u32>(map.frameTag(tail), TAG_END_EPOCH)))
      panic(PANIC_LIMBO_ORDER);
    store<u32>(map.frameTag(tail), pfn, TAG_NEXT);
  }
  store<u32>(map.vm, pfn, VM_LIMBO_TAIL);
  store<u32>(map.vm, load<u32>(map.vm, VM_LIMBO_COUNT) + 1, VM_LIMBO_COUNT);
  spinlock.release(map.vm + VM_LIMBO_LOCK);
}

/** Frees every frame that no active snapshot can see. */
export function reap(): void {
  if (load<u32>(map.vm, VM_LIMBO_COUNT) == 0) return;
  spinlock.acquire(map.vm + VM_LIMBO_LOCK);
  const oldest = oldestActive();
  let pfn = load<u32>(map.vm, VM_LIMBO_HEAD);
  let count = load<u32>(map.vm, VM_LIMBO_COUNT);
  while (pfn != 0) {
    // at most `count` turns
    const tag = map.frameTag(pfn);
    if (isOlder(oldest, load<u32>(tag, TAG_END_EPOCH))) break;
    const next = load<u32>(tag, TAG_NEXT);
    frames.free(pfn << FRAME_SHIFT);
    pfn = next;
    count -= 1;
  }
  store<u32>(map.vm, pfn, VM_LIMBO_HEAD);
  if (CHECKED && (pfn == 0) != (count == 0)) panic(PANIC_LIMBO_COUNT);
  if (pfn == 0) store<u32>(map.vm, 0, VM_LIMBO_TAIL);
  store<u32>(map.vm, count, VM_LIMBO_COUNT);
  spinlock.release(map.vm + VM_LIMBO_LOCK);
}

/** Epoch of the oldest active snapshot, or the current epoch if there is none. */
function oldestActive(): u32 {
  let oldest = current();
  let rest = atomic.load<u32>(map.vm, VM_ACTIVE);
  while (rest != 0) {
    // at most SNAPSHOTS_MAX turns
    const epoch = load<u32>(map.snapshotBlock(ctz(rest)), SNAPSHOT_EPOCH);
    if (isOlder(epoch, oldest)) oldest = epoch;
    rest &= rest - 1;
  }
  return oldest;
}
