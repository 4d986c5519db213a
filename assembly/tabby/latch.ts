// The state of a page header as a latch, for those that go by frame and not by page: clock and write-back.
//
// Interface   tryExclusive() never waits; exclusive() does; release() leaves the version, for nothing has changed.
// Concurrency compare-and-swap on the header; the holder stores plainly.

import * as barrier from '../machine/barrier';
import * as header from './header';
import * as retained from './retained';

/** Takes the frame if nobody has it, whatever page it holds. */
export function tryExclusive(frame: u32): bool {
  const seen = atomic.load<u64>(frame);
  if (header.stateOf(seen) != 0) return false;
  return atomic.cmpxchg<u64>(frame, seen, seen | header.EXCLUSIVE) == seen;
}


@inline
export function release(frame: u32): void {
  barrier.publish64(frame, load<u64>(frame) & ~header.STATE_MASK);
}


@inline
export function setDirty(frame: u32): void {
  retained.dirtied(load<u64>(frame));
  store<u64>(frame, load<u64>(frame) | header.DIRTY);
}


@inline
export function clearDirty(frame: u32): void {
  if (header.isDirty(load<u64>(frame))) retained.cleaned(load<u64>(frame));
  store<u64>(frame, load<u64>(frame) & ~header.DIRTY);
}
