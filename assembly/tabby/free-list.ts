// Free frames of the pool: one stack for all vCPUs, since a pool may have eight frames and many vCPUs.
//
// Interface   push(frame) with an invalid header; pop() gives one or 0. take() for a fault is in clock.ts.
// Concurrency Compare-and-swap on {frame, version}. pop() may read the link of a frame that somebody else has just
//             taken: then the version has changed, and the swap fails.
//
//   free frame:  bytes 0..7 its header, invalid (TAB-3); bytes 8..11 the next free frame, 0 = last
//
// Cost        one compare-and-swap, beside a read of storage.

import { FRAME_SHIFT } from '../abi/limits';
import * as area from './area';

const NEXT: u32 = 8;


@inline
function renewed(old: u64, frame: u32): u64 {
  return (((old >> 32) + 1) << 32) | (<u64>frame);
}

export function push(frame: u32): void {
  while (true) {
    const old = atomic.load<u64>(area.block, area.FREE_LIST);
    store<u32>(frame, <u32>old, NEXT);
    if (atomic.cmpxchg<u64>(area.block, old, renewed(old, frame), area.FREE_LIST) == old) break;
  }
  atomic.add<u32>(area.block, 1, area.FREE_COUNT);
}

/** A frame that was never used; its header reads as zero, and no translation leads to it. */
function fresh(): u32 {
  while (true) {
    const used = atomic.load<u32>(area.block, area.FRESH);
    if (used == area.frames) return 0;
    if (atomic.cmpxchg<u32>(area.block, used, used + 1, area.FRESH) == used)
      return area.first + (used << FRAME_SHIFT);
  }
}

export function pop(): u32 {
  while (true) {
    const old = atomic.load<u64>(area.block, area.FREE_LIST);
    const frame = <u32>old;
    if (frame == 0) return fresh();
    const next = load<u32>(frame, NEXT);
    if (atomic.cmpxchg<u64>(area.block, old, renewed(old, next), area.FREE_LIST) == old) {
      atomic.sub<u32>(area.block, 1, area.FREE_COUNT);
      return frame;
    }
  }
}

/** Frames that pop() could give. An estimate while others run. */
export function count(): u32 {
  const fresh = area.frames - atomic.load<u32>(area.block, area.FRESH);
  return fresh + atomic.load<u32>(area.block, area.FREE_COUNT);
}
