// The state of a page header as a latch, for those that go by frame and not by page: clock and write-back.
//
// Interface   tryExclusive() never waits; exclusive() does; release() leaves the version, for nothing has
//             changed.
// Concurrency compare-and-swap on the header; the holder stores plainly.

import * as header from './header';
import * as retained from './retained';

/** Takes the frame if nobody has it, whatever page it holds. */
export function tryExclusive(frame: u32): bool {
  const seen = atomic.load<u64>(frame);
  if (header.stateOf(seen) != 0) return false;
  return header.swap(frame, seen, seen | header.EXCLUSIVE);
}


@inline
export function release(frame: u32): void {
  const now = load<u64>(frame);
  header.publish(frame, now, now & ~header.STATE_MASK);
}


@inline
export function setDirty(frame: u32): void {
  const now = load<u64>(frame);
  retained.dirtied(now);
  header.put(frame, now, now | header.DIRTY);
}


@inline
export function clearDirty(frame: u32): void {
  const now = load<u64>(frame);
  if (header.isDirty(now)) retained.cleaned(now);
  header.put(frame, now, now & ~header.DIRTY);
}
