// Clock eviction, on the vCPU that needs a frame. No other vCPU is interrupted: it finds out at the page header.
//
// Interface   take(page) gives a frame for the page that is nobody's, its header invalid, or 0 with an errno in
//             `failure`. dismiss() ends the page in a frame. giveBack() before a vCPU is done with the pool.
// Invariants  TAB-7  A page leaves in this order: header exclusive, written back if dirty and the write awaited, PTE
//                    absent with its slot, header invalid, frame free. So a page that is in no frame is in storage,
//                    and a PTE that is present leads to a frame whose header names the page.
//             TAB-8  Nobody waits for a latch here: what is pinned is passed by, and what is held (retained.ts).
// Concurrency The hand is shared and counts frames passed; each vCPU takes a stretch of it. Free frames are in no list:
//             their descriptors say so, the hand finds them, and so does a page that is at home there. A round evicts
//             several pages in large pools; the vCPU keeps the frames that it does not need at once.

import { ENOMEM } from '../abi/errno';
import { FRAME_SHIFT } from '../abi/limits';
import { DESIGN, EAGER, HASHED, SWIZZLE, TABBY } from '../designs/design';
import * as hashTable from '../designs/hash-table';
import * as swips from '../designs/swips';
import { CHECKED, PANIC_PTE, PANIC_SWIP, panic } from '../machine/checked';
import * as pte from '../mmu/pte';
import * as shootdown from '../mmu/shootdown';
import * as walkCache from '../mmu/walk-cache';
import * as area from './area';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as header from './header';
import * as latch from './latch';
import * as operation from './operation';
import * as retained from './retained';
import * as writeBack from './write-back';

/** Rounds without a victim before the pool counts as full of pins: about 50 ms. */
const ROUNDS_MAX: u32 = 1200;
/** Rounds that pass dirty pages by, once a write has failed. */
const CLEAN_ROUNDS: u32 = 3;

export let failure: i32 = 0;

export function take(page: u64): u32 {
  if (DESIGN == TABBY) {
    const home = area.home(page);
    if (descriptor.claim(home) || takeHome(home)) return home;
  }
  if (kept() != 0) return unkeep();
  let turn: u32 = 0;
  let writeError = 0;
  while (turn < ROUNDS_MAX && (writeError == 0 || turn < CLEAN_ROUNDS)) {
    const frame = evictSome(writeError == 0);
    if (frame != 0) return frame;
    if (writeBack.failure != 0) {
      writeError = writeBack.failure;
      turn = 0;
    } else operation.wait(turn++, area.block + area.HAND);
  }
  failure = writeError != 0 ? writeError : ENOMEM;
  return 0;
}

/**
 * The page that is there leaves if it is clean and was not used since the hand passed it, half a round ago at least: by
 * then every vCPU has emptied its TLB, so a page in use has its mark again.
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


@inline
function clamp(value: u32, most: u32): u32 {
  return value == 0 ? 1 : min<u32>(value, most);
}

/** Whether the page was not used since the hand passed it; with swips, whether it had none since. */
function isCold(frame: u32): bool {
  const wasLoose = DESIGN != SWIZZLE || swips.cool(frame);
  return !descriptor.takeReference(frame) && wasLoose;
}

/**
 * Passes over all frames twice at most; a frame, or 0 if nothing could be evicted. There may be several victims: the
 * first is for the caller, the others are kept.
 */
function evictSome(dirtyToo: bool): u32 {
  const wanted = clamp(area.frames >> 6, writeBack.BATCH_MAX);
  const stretch = clamp(area.frames >> 6, 64);
  let taken: u32 = 0;
  let victims: u32 = 0;
  writeBack.start();
  for (let passed: u32 = 0; passed < area.frames << 1 && victims < wanted; passed += stretch) {
    const hand = atomic.add<u32>(area.block, stretch, area.HAND);
    for (let i: u32 = 0; i < stretch && victims < wanted; i++) {
      const frame = area.first + (((hand + i) % area.frames) << FRAME_SHIFT);
      if (descriptor.claim(frame)) {
        victims += 1;
        taken = keep(taken, frame);
      }
      if (!descriptor.isResident(frame) || !isCold(frame)) continue;
      const seen = atomic.load<u64>(frame);
      if (header.isDirty(seen) && (!dirtyToo || retained.is(seen))) continue;
      if (!latch.tryExclusive(frame)) continue;
      if (retained.is(load<u64>(frame)) && header.isDirty(load<u64>(frame))) {
        latch.release(frame); // it has become another page, or dirty
        continue;
      }
      if (DESIGN == SWIZZLE && !swips.isLoose(frame)) {
        latch.release(frame);
        continue;
      }
      victims += 1;
      if (header.isDirty(load<u64>(frame))) writeBack.add(frame);
      else {
        dismiss(frame, true);
        counter.count(counter.EVICTIONS);
        taken = keep(taken, frame);
      }
    }
  }
  const written = writeBack.finish();
  for (let i: u32 = 0; i < written; i++) {
    dismiss(writeBack.frameAt(i), true);
    counter.count(counter.EVICTIONS);
    taken = keep(taken, writeBack.frameAt(i));
  }
  return taken;
}


@inline
function kept(): u32 {
  return load<u32>(area.own, area.AREA_KEPT);
}

/** The first frame of a round is for the caller. */
function keep(taken: u32, frame: u32): u32 {
  if (taken == 0) return frame;
  const count = kept() + 1;
  store<u32>(area.own + (count << 2), frame, area.AREA_KEPT);
  store<u32>(area.own, count, area.AREA_KEPT);
  return taken;
}

function unkeep(): u32 {
  const count = kept();
  store<u32>(area.own, count - 1, area.AREA_KEPT);
  return load<u32>(area.own + (count << 2), area.AREA_KEPT);
}

/** What this vCPU keeps, for all. */
export function giveBack(): void {
  while (kept() != 0) descriptor.free(unkeep());
}

/** Ends the page in the frame, held and clean or given up: PTE absent or forgotten, header invalid. The frame is claimed. */
export function dismiss(frame: u32, keepSlot: bool): void {
  const old = load<u64>(frame);
  const page = header.pageOf(old);
  if (CHECKED && DESIGN == SWIZZLE && !swips.isLoose(frame)) panic(PANIC_SWIP);
  if (header.isDirty(old)) retained.cleaned(old);
  descriptor.setState(frame, descriptor.CLAIMED);
  const version = header.versionOf(operation.advance(old));
  if (HASHED) hashTable.remove(page, frame);
  else unmap(page, frame, keepSlot);
  atomic.store<u64>(frame, header.make(page, version, header.INVALID));
}

function unmap(page: u64, frame: u32, keepSlot: bool): void {
  const at = walkCache.entry(page);
  const entry = atomic.load<u64>(at);
  if (CHECKED && ((entry & pte.PRESENT) == 0 || pte.frameOf(entry) != frame)) panic(PANIC_PTE);
  atomic.store<u64>(at, keepSlot ? pte.absent(pte.slotOf(entry)) : 0);
  if (DESIGN == EAGER) shootdown.page(page);
}
