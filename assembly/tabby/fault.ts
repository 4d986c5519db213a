// The page-fault handler: from a page number to the frame that holds the page (paper, Tabby).
//
// Interface   resolve(page) gives the frame that the page table says, bit HELD set if this vCPU has just loaded it and
//             holds it exclusively, or 0 with an errno in `failure`. make(page) does the same for a page that is not
//             read. Both may be wrong a moment later, unless HELD: the caller looks at the header.
// Invariants  TAB-10  A PTE is LOCKED by one vCPU while it loads the page; others wait for the PTE.
//             TAB-11  A page enters in this order: header exclusive under the new number, bytes read and checked, PTE
//                     present, header unlocked. The clock needs the header, so it never sees the PTE locked.
//             TAB-12  After an error the PTE is absent and unlocked as it was, and the frame is free.
// Cost        a miss of the TLB about 5 ns if the page is at home or its PTE is in the cache; a fault is a read of storage.

import { EINVAL, ENOMEM } from '../abi/errno';
import { DESIGN, HASH, TABBY } from '../baselines/design';
import * as hashTable from '../baselines/hash-table';
import * as pageTable from '../machine/page-table';
import * as pte from '../machine/pte';
import * as tlb from '../machine/tlb';
import * as walkCache from '../machine/walk-cache';
import * as area from './area';
import * as clock from './clock';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as header from './header';
import * as storage from './storage';
import * as window from './window';

export const HELD: u32 = 1;

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

export function resolve(page: u64): u32 {
  return settle(page, true);
}

export function make(page: u64): u32 {
  return settle(page, false);
}

function settle(page: u64, fromStorage: bool): u32 {
  if (DESIGN == TABBY) {
    const home = area.home(page);
    if (isThere(home, page)) {
      descriptor.refer(home);
      translate(page, home);
      return home;
    }
  }
  if (page >= pageTable.PAGES_MAX) return fail(EINVAL);
  if (DESIGN == HASH) return lookUp(page, fromStorage);
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
      if (atomic.cmpxchg<u64>(at, entry, entry | pte.LOCKED) == entry)
        return bring(page, at, entry, fromStorage);
    } else window.wait(turn++, at);
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
  const frame = clock.take(page);
  if (frame == 0) {
    atomic.store<u64>(at, entry);
    return fail(clock.failure);
  }
  const version = header.versionOf(window.advance(load<u64>(frame)));
  const held = header.make(page, version, header.EXCLUSIVE);
  const slot = slotFor(page, entry);
  if (fromStorage) {
    atomic.store<u64>(frame, held);
    const result = storage.read(frame, page, slot);
    if (result != 0) return abandon(frame, held, at, entry, -result);
    counter.count(counter.FAULTS);
  }
  atomic.store<u64>(frame, fromStorage ? held : held | header.DIRTY);
  publish(page, frame, at, slot);
  return frame | HELD;
}

/** The page is in the frame, which is held: whoever looks for it may find it. */
export function publish(page: u64, frame: u32, at: u32, slot: u64): void {
  descriptor.refer(frame);
  descriptor.setState(frame, descriptor.RESIDENT);
  translate(page, frame);
  atomic.store<u64>(at, pte.present(slot, frame, pte.WRITABLE));
}

/** The page could not be read: everything is as before, and the frame, of which the image took the header, is free. */
export function abandon(frame: u32, held: u64, at: u32, entry: u64, errno: i32): u32 {
  atomic.store<u64>(frame, held | header.INVALID);
  descriptor.free(frame);
  atomic.store<u64>(at, entry);
  return fail(errno);
}

/** settle() of the traditional design: the hash table knows resident pages, and pages that are being read. */
function lookUp(page: u64, fromStorage: bool): u32 {
  const found = hashTable.find(page);
  if (found != 0) {
    descriptor.refer(found);
    return found;
  }
  const frame = clock.take(page);
  if (frame == 0) return fail(clock.failure);
  const version = header.versionOf(window.advance(load<u64>(frame)));
  const held = header.make(page, version, header.EXCLUSIVE);
  atomic.store<u64>(frame, held);
  const other = hashTable.insert(page, frame);
  const result = other == 0 && fromStorage ? storage.read(frame, page, homeSlot(page)) : 0;
  if (other != 0 || result != 0) {
    if (other == 0) hashTable.remove(page, frame);
    atomic.store<u64>(frame, held | header.INVALID);
    descriptor.free(frame);
    return other != 0 ? other : fail(-result);
  }
  if (fromStorage) counter.count(counter.FAULTS);
  atomic.store<u64>(frame, fromStorage ? held : held | header.DIRTY);
  descriptor.refer(frame);
  descriptor.setState(frame, descriptor.RESIDENT);
  return frame | HELD;
}
