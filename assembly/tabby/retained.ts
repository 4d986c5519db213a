// Dirty pages that must not be evicted yet (no-steal), because the copy in storage is still needed: it
// belongs to the last checkpoint. They stay in their frames until writeBack(). They are the pages below a
// number; an owner with checkpoints moves it (guest/kv/checkpoint.ts).
//
// Interface   below(page) sets the number, 0 = none; is(header) says whether a page is below it. isPressed()
//             tells the owner to write back: half of the pool is retained and dirty. next() iterates over
//             those pages.
// Invariants  TAB-15  No eviction writes a retained page.
//             TAB-16  RETAINED_DIRTY counts the pages below the number whose header says dirty.
// Concurrency below() and next() are called while no vCPU changes a page; the number passes clean pages only.
// Cost        none until a page becomes dirty or clean: then one atomic addition, if it is retained.

import { FRAME_BYTES } from '../abi/limits';
import { PANIC_RETAINED } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as area from './area';
import * as descriptor from './descriptor';
import * as header from './header';

/** Sets the number: the clock skips dirty pages below `page`. */
export function below(page: u32): void {
  atomic.store<u32>(area.block, page, area.RETAINED_BELOW);
}

export function limit(): u32 {
  return atomic.load<u32>(area.block, area.RETAINED_BELOW);
}

/** Whether the page of this header is retained once it is dirty. */
@inline
export function is(word: u64): bool {
  return header.pageOf(word) < <u64>limit();
}

export function isPressed(): bool {
  return atomic.load<u32>(area.block, area.RETAINED_DIRTY) << 1 > area.frames;
}

/** Whether so little of the pool is evictable that an operation may not be able to proceed. */
export function isFull(): bool {
  return atomic.load<u32>(area.block, area.RETAINED_DIRTY) << 3 > area.frames * 7;
}

/** The page of this header became dirty. */
export function dirtied(word: u64): void {
  if (is(word)) atomic.add<u32>(area.block, 1, area.RETAINED_DIRTY);
}

/** The page of this header was dirty, and was written back or discarded. */
export function cleaned(word: u64): void {
  if (!is(word)) return;
  const old = atomic.sub<u32>(area.block, 1, area.RETAINED_DIRTY);
  if (CHECKED && (old == 0 || old > area.frames)) panic(PANIC_RETAINED); // TAB-16
}

/** The first frame from `frame` on that holds a retained dirty page; 0 if there is none. */
export function next(frame: u32): u32 {
  for (let at = frame; at < area.end; at += FRAME_BYTES) {
    if (!descriptor.isResident(at)) continue; // never touches a frame that was not used yet
    const seen = atomic.load<u64>(at);
    if (header.isDirty(seen) && is(seen)) return at;
  }
  return 0;
}
