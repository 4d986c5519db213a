// Pages that are held back: dirty, they stay in their frames until writeBack() asks for them, because what
// storage has of them is still needed. Those are the pages below a number; an owner with checkpoints moves it
// (guest/kv/checkpoint.ts).
//
// Interface   below(page) sets the number, 0 = none; is(header) says whether a page is one. isPressed() asks
//             the owner to write back: half of the pool is held and dirty. next() walks over those.
// Invariants  TAB-15  No eviction writes a page that is held.
//             TAB-16  RETAINED_DIRTY counts the pages below the number whose header says dirty.
// Concurrency The number is moved, and next() called, while nobody changes a page; it is moved over clean
//             pages only.
// Cost        nothing, until a page becomes dirty or clean: then an atomic addition, if it is held.

import { FRAME_BYTES } from '../abi/limits';
import { PANIC_RETAINED } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as area from './area';
import * as descriptor from './descriptor';
import * as header from './header';

/** The clock leaves alone what is below `page` and dirty. */
export function below(page: u32): void {
  atomic.store<u32>(area.block, page, area.RETAINED_BELOW);
}

export function limit(): u32 {
  return atomic.load<u32>(area.block, area.RETAINED_BELOW);
}

/** Whether the page of this header is one that is held once it is dirty. */
@inline
export function is(word: u64): bool {
  return header.pageOf(word) < <u64>limit();
}

export function isPressed(): bool {
  return atomic.load<u32>(area.block, area.RETAINED_DIRTY) << 1 > area.frames;
}

/** Whether so much of the pool is held and dirty that what is left may not be enough to get anywhere. */
export function isFull(): bool {
  return atomic.load<u32>(area.block, area.RETAINED_DIRTY) << 3 > area.frames * 7;
}

/** A page has become dirty. */
export function dirtied(word: u64): void {
  if (is(word)) atomic.add<u32>(area.block, 1, area.RETAINED_DIRTY);
}

/** A page that was dirty is not, or is no more. */
export function cleaned(word: u64): void {
  if (!is(word)) return;
  const old = atomic.sub<u32>(area.block, 1, area.RETAINED_DIRTY);
  if (CHECKED && (old == 0 || old > area.frames)) panic(PANIC_RETAINED); // TAB-16
}

/** The first frame from `frame` on with a page that is held and dirty; 0 when there is none. */
export function next(frame: u32): u32 {
  for (let at = frame; at < area.end; at += FRAME_BYTES) {
    if (!descriptor.isResident(at)) continue; // a frame that was never used is not to be touched
    const seen = atomic.load<u64>(at);
    if (header.isDirty(seen) && is(seen)) return at;
  }
  return 0;
}
