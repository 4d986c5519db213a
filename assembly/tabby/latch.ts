// The state of a page header as a latch, for code that goes by frame instead of page: clock and write-back.
//
// Interface   tryExclusive() never waits. release() leaves the version as it is: the page did not change.
// Concurrency Compare-and-swap on the header; the holder uses plain stores.

import * as header from './header';
import * as retained from './retained';

/** Latches the frame if it is unlocked, whatever page it holds. */
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
