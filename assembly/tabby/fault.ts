// The page-fault handler: from a page number to the frame that holds the page (paper, Tabby).
//
// Interface   resolve(page) gives the frame that the page table says, bit LATCHED set if this vCPU has just loaded it and
//             holds it exclusively, or 0 with an errno in `failure`. make(page) does the same for a page that is not
//             read. Both may be wrong a moment later, unless LATCHED: the caller looks at the header, and else calls letGo().
//             begin(page) and arrive() are the two halves of a read that the caller does not wait for (reads.ts).
// Invariants  TAB-10  A PTE is LOCKED by one vCPU while it loads the page; others wait for the PTE.
//             TAB-11  A page enters in this order: header exclusive under the new number, bytes read and checked, PTE
//                     present, header unlocked. The clock needs the header, so it never sees the PTE locked.
//             TAB-12  After an error the PTE is absent and unlocked as it was, and the frame is free.
// Cost        a miss of the TLB about 5 ns if the page is at home or its PTE is in the cache; a fault is a read of storage.

import { EINVAL, ENOMEM } from '../abi/errno';
import { DESIGN, HASHED, TABBY } from '../designs/design';
import * as hashTable from '../designs/hash-table';
import * as vcpu from '../machine/vcpu';
import * as pageTable from '../mmu/page-table';
import * as pte from '../mmu/pte';
import * as tlb from '../mmu/tlb';
import * as walkCache from '../mmu/walk-cache';
import * as area from './area';
import * as clock from './clock';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as header from './header';
import * as latch from './latch';
import * as operation from './operation';
import * as storage from './storage';

export const LATCHED: u32 = 1;

/** Why the last operation that returned 0 did so. */
export let failure: i32 = 0;


@inline
function fail(errno: i32): u32 {
  failure = errno;
  return 0;
}

/** Where a page lies that no PTE says anything about. */
@inline
export function homeSlot(page: u64): u64 {
  return page;
}


@inline
function slotFor(page: u64, entry: u64): u64 {
  return entry == 0 ? homeSlot(page) : pte.slotOf(entry);
}

/** A frame that came with LATCHED is no longer counted as held (vcpu.hold). */
@inline
export function letGo(): void {
  if (!HASHED) vcpu.letGo();
}

export function resolve(page: u64): u32 {
  return locate(page, true);
}

export function make(page: u64): u32 {
  return locate(page, false);
}

function locate(page: u64, fromStorage: bool): u32 {
  if (DESIGN == TABBY) {
    const home = area.home(page);
    if (isThere(home, page)) {
      descriptor.refer(home);
      translate(page, home);
      return home;
    }
  }
  if (page >= pageTable.PAGES_MAX) return fail(EINVAL);
  if (HASHED) return lookUp(page, fromStorage);
  const at = walkCache.entry(page);
  if (at == 0) return fail(ENOMEM);
  let turn: u32 = 0;
  while (true) {
    const entry = atomic.load<u64>(at);
    if (entry & pte.PRESENT) {
      const frame = pte.frameOf(entry);
      descriptor.refer(frame);
      translate(page, frame);
      return frame;
    }
    if ((entry & pte.LOCKED) == 0) {
      if (atomic.cmpxchg<u64>(at, entry, entry | pte.LOCKED) == entry) {
        vcpu.hold();
        const frame = bring(page, at, entry, fromStorage);
        if (frame == 0) vcpu.letGo();
        return frame;
      }
    } else operation.wait(turn++, at);
  }
}

/** TAB-1: a header that names the page says enough, however one came to look there. */
@inline
function isThere(frame: u32, page: u64): bool {
  const now = load<u64>(frame);
  return header.pageOf(now) == page && header.stateOf(now) != header.INVALID;
}

/** The TLB learns where the page is; if it knew otherwise, the header has refuted it. */
function translate(page: u64, frame: u32): void {
  const known = tlb.lookup(page);
  if (known != 0 && known != frame) counter.count(counter.STALE);
  tlb.fill(page, frame);
}

/** Brings the page in; its PTE at `at` is locked and was `entry`. */
function bring(page: u64, at: u32, entry: u64, fromStorage: bool): u32 {
  const frame = claimFor(page);
  if (frame == 0) {
    atomic.store<u64>(at, entry);
    return 0;
  }
  if (!fromStorage) {
    latch.setDirty(frame);
    publish(page, frame, at, entry);
    return frame | LATCHED;
  }
  const result = storage.read(frame, page, slotFor(page, entry));
  return arrive(page, frame, held, at, entry, result) ? demanded(frame) : 0;
}

function demanded(frame: u32): u32 {
  counter.count(counter.FAULTS);
  return frame | LATCHED;
}

/** The header that claimFor() gave the frame. */
export let held: u64 = 0;

/** A frame for the page, held exclusively under its number; 0 with `failure` set. */
function claimFor(page: u64): u32 {
  const frame = clock.take(page);
  if (frame == 0) return fail(clock.failure);
  const version = header.versionOf(operation.advance(load<u64>(frame)));
  held = header.make(page, version, header.EXCLUSIVE);
  atomic.store<u64>(frame, held);
  return frame;
}

/** The read of a page is over; `result` is 0 if the frame holds a sound image of it. Whether it does. */
export function arrive(page: u64, frame: u32, held: u64, at: u32, entry: u64, result: i32): bool {
  atomic.store<u64>(frame, result == 0 ? held : held | header.INVALID);
  if (result == 0) {
    if (HASHED) enroll(frame);
    else publish(page, frame, at, entry);
    return true;
  }
  if (HASHED) hashTable.remove(page, frame);
  else atomic.store<u64>(at, entry);
  descriptor.free(frame);
  fail(-result);
  return false;
}

/** Nobody will say when the read of a page is over: the page is in storage as before, the frame is nobody's for good. */
export function lose(held: u64, frame: u32, at: u32, entry: u64): void {
  if (HASHED) hashTable.remove(header.pageOf(held), frame);
  else atomic.store<u64>(at, entry);
}

/** Where begin() found the page's PTE, and what it was. */
export let beganAt: u32 = 0;
export let beganEntry: u64 = 0;

/**
 * Takes it upon this vCPU to bring in a page that is in storage, and nobody else is at: a frame, held exclusively in
 * `held`, whose read ends with arrive(). 0 if the page is there, or is not to be had now.
 */
export function begin(page: u64): u32 {
  if (page >= pageTable.PAGES_MAX) return 0;
  if (HASHED) {
    if (hashTable.find(page) != 0) return 0;
    const frame = claimFor(page);
    if (frame == 0 || hashTable.insert(page, frame) == 0) return frame;
    return unclaim(frame);
  }
  if (DESIGN == TABBY && isThere(area.home(page), page)) return 0;
  const at = walkCache.entry(page);
  if (at == 0) return 0;
  const entry = atomic.load<u64>(at);
  if ((entry & (pte.PRESENT | pte.LOCKED)) != 0) return 0;
  if (atomic.cmpxchg<u64>(at, entry, entry | pte.LOCKED) != entry) return 0;
  vcpu.hold();
  const frame = claimFor(page);
  if (frame == 0) {
    atomic.store<u64>(at, entry);
    vcpu.letGo();
  }
  beganAt = at;
  beganEntry = entry;
  return frame;
}

/** Where the page lies that begin() has begun with. */
export function beganSlot(page: u64): u64 {
  return slotFor(page, HASHED ? 0 : beganEntry);
}

/** The frame is nobody's again. */
function unclaim(frame: u32): u32 {
  atomic.store<u64>(frame, held | header.INVALID);
  descriptor.free(frame);
  return 0;
}

/** The page is in the frame, which is held: whoever looks for it may find it. */
function publish(page: u64, frame: u32, at: u32, entry: u64): void {
  enroll(frame);
  translate(page, frame);
  atomic.store<u64>(at, pte.present(slotFor(page, entry), frame, pte.WRITABLE));
}

/** The clock may look at the frame. */
function enroll(frame: u32): void {
  descriptor.refer(frame);
  descriptor.setState(frame, descriptor.RESIDENT);
}

/** locate() of the designs with one: the hash table knows resident pages, and pages that are being read. */
function lookUp(page: u64, fromStorage: bool): u32 {
  const found = hashTable.find(page);
  if (found != 0) {
    descriptor.refer(found);
    return found;
  }
  const frame = claimFor(page);
  if (frame == 0) return 0;
  const other = hashTable.insert(page, frame);
  if (other != 0) {
    unclaim(frame);
    return other;
  }
  if (!fromStorage) {
    atomic.store<u64>(frame, held | header.DIRTY);
    enroll(frame);
    return frame | LATCHED;
  }
  const result = storage.read(frame, page, homeSlot(page));
  return arrive(page, frame, held, 0, 0, result) ? demanded(frame) : 0;
}
