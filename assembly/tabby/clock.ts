// Clock eviction, by the vCPU that needs a frame. It interrupts no other vCPU: those detect it in the page
// header.
//
// Interface   take(page) returns a free frame for the page, header invalid, or 0 with an errno in `failure`.
//             dismiss() ends the page in a frame. A vCPU calls releaseKept() before it leaves the pool.
// Invariants  TAB-7  A page leaves in this order: header exclusive; written back if dirty, and the write
//                    awaited; cell without a frame but with its slot; header invalid; frame free. So a page
//                    that is in no frame is in storage, and a resident cell leads to a frame whose header
//                    names the page.
//             TAB-8  Nothing here waits for a latch: the hand skips pinned pages, and dirty retained ones
//                    (retained.ts).
// Concurrency The hand is shared and counts frames passed; each vCPU takes a stretch of it. No list exists
//             of free frames: their descriptors are marked, the hand finds them, and so does a page whose
//             home they are. In a large pool a round evicts several pages; the vCPU keeps the frames that it
//             does not need at once.

import { ENOMEM } from '../abi/errno';
import { FRAME_SHIFT } from '../abi/limits';
import { PANIC_BATCH, PANIC_LATCH_NOT_HELD } from '../abi/panic';
import { CHECKED, panic } from '../machine/checked';
import * as area from './area';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as header from './header';
import * as latch from './latch';
import * as operation from './operation';
import * as retained from './retained';
import * as translation from './translation';
import { wait } from './waiting';
import * as writeBack from './write-back';

/** Rounds without a victim after which the pool counts as full of pins: about 50 ms. */
const ROUNDS_MAX: u32 = 1200;
/** Rounds that skip dirty pages, once a write has failed. */
const CLEAN_ROUNDS: u32 = 3;
const STRETCH_MAX: u32 = 64;

/** Errno of the last take() that returned 0. Set by take(); valid until its next call. */
export let failure: i32 = 0;

export function take(page: u64): u32 {
  const home = translation.home(page);
  if (home != 0 && (descriptor.claim(home) || takeHome(home))) return home;
  let turn: u32 = 0;
  let writeError = 0;
  while (kept() == 0) {
    if (turn == (writeError == 0 ? ROUNDS_MAX : CLEAN_ROUNDS)) {
      failure = writeError != 0 ? writeError : ENOMEM;
      return 0;
    }
    evictSome(writeError == 0);
    if (kept() != 0) break;
    if (writeBack.failure != 0) {
      writeError = writeBack.failure;
      turn = 0;
    } else wait(turn++, area.block + area.HAND);
  }
  return unkeep();
}

/**
 * Evicts the page in the frame if it is clean and was not used since the hand passed it, at least half a
 * round ago: by then every vCPU has flushed its TLB, so a page in use has been marked again.
 */
function takeHome(home: u32): bool {
  if (!descriptor.isResident(home) || descriptor.isReferenced(home)) return false;
  const hand = atomic.load<u32>(area.block, area.HAND) % area.frames;
  const index = (home - area.first) >> FRAME_SHIFT;
  const passed = hand >= index ? hand - index : hand + area.frames - index;
  if (passed < area.frames >> 1) return false;
  if (header.isDirty(atomic.load<u64>(home)) || !latch.tryExclusive(home)) return false;
  if (header.isDirty(load<u64>(home))) {
    latch.release(home);
    return false;
  }
  counter.count(counter.EVICTIONS);
  dismiss(home, true);
  return true;
}

// --- a round of evictions ----------------------------------------------------------------------------------

/** Clean victims of this round, latched, listed in AREA_CLEAN. */
let cleanVictims: u32 = 0;

/** Evicts up to a batch of pages, and keeps their frames. */
function evictSome(dirtyToo: bool): void {
  // 1. find candidates: free frames, and cold pages, which are latched
  findVictims(dirtyToo);
  // 2. dismiss the clean ones first, so that no vCPU waits for them during the writes
  for (let i: u32 = 0; i < cleanVictims; i++)
    evict(load<u32>(area.own + (i << 2), area.AREA_CLEAN));
  // 3. write the dirty ones; a page that could not be written stays
  const written = writeBack.finish();
  // 4. dismiss those written
  for (let i: u32 = 0; i < written; i++) evict(writeBack.frameAt(i));
}

/** Passes over all frames at most twice. */
function findVictims(dirtyToo: bool): void {
  const wanted = clamp(area.frames >> 6, writeBack.BATCH_MAX);
  const stretch = clamp(area.frames >> 6, STRETCH_MAX);
  let found: u32 = 0;
  cleanVictims = 0;
  writeBack.start();
  for (let passed: u32 = 0; passed < area.frames << 1 && found < wanted; passed += stretch) {
    const hand = atomic.add<u32>(area.block, stretch, area.HAND);
    for (let i: u32 = 0; i < stretch && found < wanted; i++) {
      const frame = area.first + (((hand + i) % area.frames) << FRAME_SHIFT);
      if (descriptor.claim(frame)) keep(frame);
      else if (isCold(frame) && latchVictim(frame, dirtyToo)) addVictim(frame);
      else continue;
      found += 1;
    }
  }
}


@inline
function clamp(value: u32, most: u32): u32 {
  return value == 0 ? 1 : min<u32>(value, most);
}

/** Whether the frame holds a page not used since the hand last passed it, which translation can let go. */
function isCold(frame: u32): bool {
  if (!descriptor.isResident(frame)) return false;
  const isCool = translation.cool(frame);
  return !descriptor.takeReference(frame) && isCool;
}

/** Latches the frame if its page may leave. Checks again afterwards: page or dirty bit may have changed. */
function latchVictim(frame: u32, dirtyToo: bool): bool {
  const seen = atomic.load<u64>(frame);
  if (header.isDirty(seen) && (!dirtyToo || retained.is(seen))) return false;
  if (!latch.tryExclusive(frame)) return false;
  const now = load<u64>(frame);
  if ((!header.isDirty(now) || !retained.is(now)) && translation.mayLeave(frame)) return true;
  latch.release(frame);
  return false;
}

function addVictim(frame: u32): void {
  if (CHECKED && cleanVictims == writeBack.BATCH_MAX) panic(PANIC_BATCH);
  if (header.isDirty(load<u64>(frame))) writeBack.add(frame);
  else store<u32>(area.own + (cleanVictims++ << 2), frame, area.AREA_CLEAN);
}

function evict(frame: u32): void {
  dismiss(frame, true);
  counter.count(counter.EVICTIONS);
  keep(frame);
}

/**
 * Ends the page in the frame, latched, clean or discarded. Its header is then invalid; the caller owns it.
 */
export function dismiss(frame: u32, keepSlot: bool): void {
  const old = load<u64>(frame);
  const page = header.pageOf(old);
  if (CHECKED && header.stateOf(old) != header.EXCLUSIVE) panic(PANIC_LATCH_NOT_HELD);
  if (header.isDirty(old)) retained.cleaned(old);
  descriptor.setState(frame, descriptor.CLAIMED);
  const version = header.versionOf(operation.advance(old));
  translation.retract(page, frame, keepSlot);
  header.set(frame, old, header.make(page, version, header.INVALID));
}

// --- frames that this vCPU keeps ---------------------------------------------------------------------------

@inline
function kept(): u32 {
  return load<u32>(area.own, area.AREA_KEPT);
}

function keep(frame: u32): void {
  const count = kept() + 1;
  if (CHECKED && count > writeBack.BATCH_MAX) panic(PANIC_BATCH);
  store<u32>(area.own + (count << 2), frame, area.AREA_KEPT);
  store<u32>(area.own, count, area.AREA_KEPT);
}

function unkeep(): u32 {
  const count = kept();
  store<u32>(area.own, count - 1, area.AREA_KEPT);
  return load<u32>(area.own + (count << 2), area.AREA_KEPT);
}

/** Frees the frames that this vCPU keeps. */
export function releaseKept(): void {
  while (kept() != 0) descriptor.free(unkeep());
}
