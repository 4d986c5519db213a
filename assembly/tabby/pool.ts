// Tabby, the buffer pool: a frame of memory for a page of storage, with no shootdown (paper, Tabby).
//
// Interface   `page` is a page number. A frame is its address; its first CONTENT bytes are the pool's. A
//             function that returns a frame returns 0 on failure, with an errno in `failure`; only that
//             operation has failed. A page pinned exclusively may be stored to, a page pinned shared may be
//             read. A page returned by optimistic() may be read, but the values count only if isUnchanged()
//             afterwards. Pins nest: other pages may be pinned while one is. Each attempt of an operation is
//             between begin() and end() (operation.ts). A caller that follows a pointer in another page
//             passes the pointer's address; numberIn() decodes the page number it holds, because one of the
//             comparison designs swizzles pointers.
// Invariants  Translations are hints: TLB and PTE lead to some frame of the pool, and its header decides
//             (TAB-1).
// Concurrency Any vCPU may call any function at any time, except writeBack(), whose caller has no pins.
// Cost        in addition to a raw load, page in the TLB: optimistic 1 to 2 ns, a pin one compare-and-swap.

import { EINVAL, ENOMEM } from '../abi/errno';
import { PANIC_HEADER } from '../abi/panic';
import * as barrier from '../machine/barrier';
import { CHECKED, panic } from '../machine/checked';
import { PAGES_MAX } from '../mmu/page-table';
import * as pte from '../mmu/pte';
import * as area from './area';
import * as arrivals from './arrivals';
import * as clock from './clock';
import * as counter from './counter';
import * as descriptor from './descriptor';
import * as fault from './fault';
import * as header from './header';
import * as latch from './latch';
import * as operation from './operation';
import * as reads from './reads';
import * as translation from './translation';
import { wait } from './waiting';
import * as writeBackBatch from './write-back';

/** Errno of the last call that returned 0. Valid until the next call of the pool. */
export { failure } from './fault';
/** Errno for which dirty pages of this vCPU no longer reach storage; 0 while they do. */
export { lasting as writeFailure } from './write-back';

/** Header that optimistic() validated. Set by optimistic(); valid until its next call: copy it. */
export let seen: u64 = 0;

// --- the pool itself ---------------------------------------------------------------------------------------

/** Creates a pool over file `descriptor`; `word` will hold its address. 0, -EINVAL or -ENOMEM. */
export function create(word: u32, frames: u32, descriptor: i32): i32 {
  if (frames < area.POOL_FRAMES_MIN) return -EINVAL;
  const block = area.claim(frames);
  if (block == 0 || !translation.layout(block, frames)) return -ENOMEM;
  return area.publish(block, word, descriptor);
}

/** Attaches this vCPU to the pool of `word`. 0 or -ENOMEM. */
export function attach(word: u32): i32 {
  const result = area.attach(word);
  if (result != 0) return result;
  translation.attach();
  operation.attach();
  arrivals.attach();
  return 0;
}

/** Detaches this vCPU from the pool: waits for its reads and frees the frames that it keeps. */
export function detach(): void {
  drainReads();
  clock.releaseKept();
}

// --- optimistic reads --------------------------------------------------------------------------------------

/**
 * The page's frame, not latched exclusively; `seen` is its header. `page` may have been read from the cell at
 * `swip`, of a page whose header was `over`; both are validated again afterwards.
 */
@inline
export function optimistic(page: u64, swip: u32 = 0, over: u64 = 0): u32 {
  const entry = translation.followed(page, swip);
  if (translation.leads(entry, page)) {
    const frame = translation.frameFollowed(entry);
    const now = atomic.load<u64>(frame); // ordered before the reads of the page
    if (translation.isOpen(now, entry, page)) {
      seen = now;
      return frame;
    }
  }
  return optimisticSlow(page, swip, over);
}

function optimisticSlow(page: u64, swip: u32, over: u64): u32 {
  let turn: u32 = 0;
  while (true) {
    const found = fault.resolve(page);
    if (found == 0) return 0;
    const frame = found & ~fault.LATCHED;
    if (found & fault.LATCHED) releaseLatched(frame);
    const now = atomic.load<u64>(frame);
    if (translation.mayRead(now, page)) {
      translation.arrivedBy(page, swip, over, frame, now);
      seen = now;
      return frame;
    }
    wait(turn++, frame);
  }
}

function releaseLatched(frame: u32): void {
  latch.release(frame);
  translation.letGo();
}

/** The page that a pointer names; it was read from a page that is pinned, or that is validated afterwards. */
@inline
export function numberIn(value: u32): u32 {
  return translation.numberIn(value);
}

/** Whether the frame is unchanged since `old` was its header, so that all reads from it since are valid. */
@inline
export function isUnchanged(frame: u32, old: u64): bool {
  return atomic.load<u64>(frame) == (old | operation.doubt) || isUnchangedBesides(frame, old);
}

/** Tolerates shared pins and a write-back: neither changes anything for a reader. */
function isUnchangedBesides(frame: u32, old: u64): bool {
  barrier.loadFence();
  const now = atomic.load<u64>(frame);
  const isSame = now >> header.VERSION_SHIFT == old >> header.VERSION_SHIFT;
  return isSame && header.stateOf(now) < header.EXCLUSIVE && !operation.isBroken();
}

/** The frame in which the page probably is, for read-ahead; 0 if it is in storage. */
export function peek(page: u64): u32 {
  return translation.peek(page);
}

// --- pins --------------------------------------------------------------------------------------------------

/** The frame that was pinned exclusively last, and its header since then. */
let pinned: u32 = 0;
let pinnedHeader: u64 = 0;


@inline
function pin(frame: u32, now: u64): bool {
  if (!header.swap(frame, now, now | header.EXCLUSIVE)) return false;
  pinned = frame;
  pinnedHeader = now | header.EXCLUSIVE;
  return true;
}

/**
 * Header of a frame pinned exclusively. Loading it would wait for the compare-and-swap that has just stored
 * there: 2.7 ns.
 */
@inline
function headerOf(frame: u32): u64 {
  if (frame != pinned) return load<u64>(frame);
  if (CHECKED && pinnedHeader != load<u64>(frame)) panic(PANIC_HEADER);
  return pinnedHeader;
}


@inline
export function shared(page: u64): u32 {
  const entry = translation.remembered(page);
  if (translation.names(entry, page)) {
    const frame = pte.frameOf(entry);
    const now = load<u64>(frame);
    if (
      header.agrees(now, entry, 0) &&
      header.stateOf(now) < header.SHARED_MAX &&
      header.swap(frame, now, now + 1)
    )
      return frame;
  }
  return sharedSlow(page);
}

function sharedSlow(page: u64): u32 {
  let turn: u32 = 0;
  while (true) {
    const found = fault.resolve(page);
    if (found == 0) return 0;
    const frame = found & ~fault.LATCHED;
    if (found & fault.LATCHED) releaseLatched(frame);
    const now = atomic.load<u64>(frame);
    if (header.pageOf(now) == page && header.stateOf(now) < header.SHARED_MAX) {
      if (header.swap(frame, now, now + 1)) return frame;
    } else wait(turn++, frame);
  }
}


@inline
export function releaseShared(frame: u32): void {
  const old = atomic.sub<u64>(frame, 1);
  if (CHECKED && header.stateOf(old) - 1 >= header.SHARED_MAX) panic(PANIC_HEADER);
}


@inline
export function exclusive(page: u64): u32 {
  const entry = translation.remembered(page);
  if (translation.names(entry, page)) {
    const frame = pte.frameOf(entry);
    const now = load<u64>(frame);
    if (header.agrees(now, entry, header.STATE_MASK) && pin(frame, now)) return frame;
  }
  return exclusiveSlow(page, true);
}

function exclusiveSlow(page: u64, fromStorage: bool): u32 {
  let turn: u32 = 0;
  while (true) {
    const found = fromStorage ? fault.resolve(page) : fault.make(page);
    if (found == 0) return 0;
    const frame = found & ~fault.LATCHED;
    if (found & fault.LATCHED) {
      translation.letGo(); // callers that pin exclusively count that themselves (kv's batch.ts)
      pinned = 0;
      return frame;
    }
    const now = atomic.load<u64>(frame);
    if (header.pageOf(now) == page && header.stateOf(now) == 0) {
      if (pin(frame, now)) {
        if (translation.exclusiveBegins(frame)) pinned = 0;
        return frame;
      }
    } else wait(turn++, frame);
  }
}

/** Pins exclusively the page that optimistic() returned; false if it changed since, or is pinned. */
export function upgrade(frame: u32, old: u64): bool {
  const now = load<u64>(frame);
  if (now >> header.VERSION_SHIFT != old >> header.VERSION_SHIFT) return false;
  if (header.stateOf(now) != 0 || operation.isBroken()) return false;
  if (!pin(frame, now)) return false;
  if (translation.exclusiveBegins(frame)) pinned = 0;
  return true;
}

/** Ends an exclusive pin under which the page was stored to. */
@inline
export function release(frame: u32): void {
  const now = headerOf(frame);
  const next = now + (header.VERSION_ONE - header.EXCLUSIVE);
  if (!header.isDirty(next)) releaseSlow(frame);
  else if (header.versionOf(next) == 0) releaseSlow(frame);
  else header.publish(frame, now, next);
}

/** The page was clean, or its version wraps. */
function releaseSlow(frame: u32): void {
  if (!header.isDirty(load<u64>(frame))) latch.setDirty(frame);
  const now = load<u64>(frame);
  header.publish(frame, now, operation.advance(now) & ~header.STATE_MASK);
}

/** Ends an exclusive pin under which nothing was stored. */
@inline
export function releaseUnchanged(frame: u32): void {
  latch.release(frame);
}

// --- pages: creation, removal, read-ahead, write-back ------------------------------------------------------

/** Pins a page exclusively without reading it: its bytes are undefined. It counts as changed. */
export function createPage(page: u64): u32 {
  return exclusiveSlow(page, false);
}

/** Discards the page, pinned exclusively, without writing it back. */
export function discard(frame: u32): void {
  clock.dismiss(frame, false);
  descriptor.free(frame);
}

/**
 * Starts to read pages: `count` numbers of 8 bytes at `pages`. A failed read is reported when its page is
 * accessed. Without an I/O service the pages are read one after the other before this returns.
 */
export function prefetch(pages: u32, count: u32): void {
  const isServed = arrivals.isServed();
  for (let i: u32 = 0; i < count; i++) {
    const page = load<u64>(pages + (i << 3));
    if (isServed) {
      if (!reads.start(page)) break;
      continue;
    }
    const found = fault.resolve(page);
    if (found & fault.LATCHED) releaseLatched(found & ~fault.LATCHED);
  }
  arrivals.ring();
}

/** Waits for this vCPU's reads. Required before it leaves the guest. */
export function drainReads(): void {
  if (arrivals.reading != 0) arrivals.drain();
}

/** Whether prefetch() returns at once, so that reading ahead costs little. */
export function readsAhead(): bool {
  return arrivals.isServed();
}

export function begin(): void {
  operation.begin();
}

export function end(): void {
  operation.end();
}

/** Writes all dirty pages from number `from` on to storage: 0, or the negative errno of a failed write. */
export function writeBack(from: u64 = 0): i32 {
  return writeBackBatch.all(from);
}

export function isResident(page: u64): bool {
  return page < PAGES_MAX && translation.isMapped(page);
}

/** A counter of counter.ts, over all vCPUs. */
export function stat(which: u32): u64 {
  return counter.read(which);
}
