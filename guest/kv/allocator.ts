// Allocation of page numbers: bitmaps in pages of the pool.
//
//   pages 0 and 1                superblocks
//   page  g * GROUP_PAGES + 2    bitmap of group g: bit i is page g * GROUP_PAGES + i; from byte 64 on
//
// Interface   alloc() returns a page number, or 0 with an errno in pool.failure; free(page) never fails: a
//             number that cannot be freed now waits in this vCPU's list, until overflow.retryPostponed()
//             frees it.
// Invariants  ALLOC-1  A bit is set exactly while its page is a superblock, a bitmap, a node, part of an
//                      overflow chain, or in some vCPU's list.
//             ALLOC-2  While retained pages fill the pool, and in a batch that found it full, alloc() returns
//                      only pages that need not be retained. So the operation finishes, however long it is.
// Concurrency A bitmap's exclusive pin guards its bits; no vCPU holds one while it waits for another page.
// Cost        a pin and a search from where the last one ended; once per split.

import { PANIC_PAGE_FREED_TWICE, PANIC_SUPERBLOCK } from '../../assembly/abi/panic';
import { ENOSPC } from '../../assembly/abi/errno';
import { checked, pool, poolRetained, spinlock } from '../../assembly/linked';
import * as map from './memory-map';

export const GROUP_PAGES: u32 = 32000;
const BITMAP_PAGE: u32 = 2;
const BITS: u32 = 64;
const WORDS: u32 = GROUP_PAGES / 64;
/** Word of a bitmap page: 64-bit word where the last search ended. */
const CURSOR: u32 = 16;
/** 16 TiB of pages. */
const GROUPS_MAX: u32 = 134000;
const PENDING_MAX: u32 = 500;

/** Set by alloc() when it returns 0: the errno. */
export let failure: i32 = 0;

let isFresh: bool = false;

/**
 * From now on this vCPU gets only pages that need not be retained: the file grows, but the pool does not
 * fill.
 */
export function onlyFresh(is: bool): void {
  isFresh = is;
}

function bitmapOf(group: u32): u64 {
  return <u64>group * GROUP_PAGES + BITMAP_PAGE;
}

/** Creates the bitmap of a new group. False on failure. */
export function addGroup(group: u32): bool {
  const frame = pool.createPage(bitmapOf(group));
  if (frame == 0) return false;
  memory.fill(frame + CURSOR, 0, 4096 - CURSOR);
  // The first group also has the superblocks; other groups leave out the same two numbers before the bitmap.
  store<u64>(frame + BITS, 7);
  pool.release(frame);
  raiseHigh(<u32>bitmapOf(group) + 1);
  return true;
}

export function alloc(): u32 {
  while (true) {
    const groups = atomic.load<u32>(map.GROUPS);
    const hint = atomic.load<u32>(map.GROUP_HINT);
    const lowest = isFresh || poolRetained.isPressed() ? poolRetained.limit() : 0;
    for (let group = max<u32>(hint, lowest / GROUP_PAGES); group < groups; group++) {
      const page = allocIn(group, lowest);
      if (page != 0) {
        raiseHigh(page + 1);
        return page;
      }
      if (failure != ENOSPC) return 0;
      if (group == hint && lowest == 0) atomic.cmpxchg<u32>(map.GROUP_HINT, hint, hint + 1);
    }
    if (!extend(groups)) return 0;
  }
}

/** Adds a group after `groups`, unless another vCPU has. */
function extend(groups: u32): bool {
  if (groups >= GROUPS_MAX) {
    failure = ENOSPC;
    return false;
  }
  spinlock.acquire(map.GROUP_LOCK);
  let done = true;
  if (atomic.load<u32>(map.GROUPS) == groups) {
    done = addGroup(groups);
    if (done) atomic.store<u32>(map.GROUPS, groups + 1);
    else failure = pool.failure;
  }
  spinlock.release(map.GROUP_LOCK);
  return done;
}

/** No page from this number on has ever been used. */
function raiseHigh(number: u32): void {
  while (true) {
    const high = atomic.load<u32>(map.HIGH);
    if (high >= number || atomic.cmpxchg<u32>(map.HIGH, high, number) == high) return;
  }
}

/** A page of the group with a number of at least `lowest`. */
function allocIn(group: u32, lowest: u32): u32 {
  const frame = pool.exclusive(bitmapOf(group));
  if (frame == 0) {
    failure = pool.failure;
    return 0;
  }
  const first = group == lowest / GROUP_PAGES ? ((lowest % GROUP_PAGES) + 63) >> 6 : 0;
  const start = max<u32>(first, min<u32>(load<u32>(frame, CURSOR), WORDS - 1));
  for (let i: u32 = first; i < WORDS; i++) {
    const ahead = start + i - first;
    const word = ahead < WORDS ? ahead : ahead - WORDS + first;
    const at = frame + BITS + (word << 3);
    const bits = load<u64>(at);
    if (bits == u64.MAX_VALUE) continue;
    const bit = <u32>ctz(~bits);
    store<u64>(at, bits | ((<u64>1) << bit));
    store<u32>(frame, word, CURSOR);
    pool.release(frame);
    return group * GROUP_PAGES + (word << 6) + bit;
  }
  pool.releaseUnchanged(frame);
  failure = ENOSPC;
  return 0;
}

export function free(page: u32): void {
  if (!tryFree(page)) postpone(page, false);
}

/** A page, or the rest of an overflow chain, that cannot be freed now. */
export function postpone(page: u32, isChain: bool): void {
  const waiting = load<u32>(map.pending);
  // After hundreds of failures: the page is leaked until the file is rewritten.
  if (waiting == PENDING_MAX) return;
  store<u32>(entry(waiting), page);
  store<u32>(entry(waiting), u32(isChain), 4);
  store<u32>(map.pending, waiting + 1);
}


@inline
function entry(i: u32): u32 {
  return map.pending + 8 + (i << 3);
}

/** False when its bitmap cannot be read now. */
export function tryFree(page: u32): bool {
  const group = page / GROUP_PAGES;
  const frame = pool.exclusive(bitmapOf(group));
  if (frame == 0) return false;
  const i = page % GROUP_PAGES;
  const at = frame + BITS + ((i >> 6) << 3);
  if (checked.CHECKED) {
    const isUsed = ((load<u64>(at) >> (i & 63)) & 1) != 0;
    if (!isUsed) checked.panic(PANIC_PAGE_FREED_TWICE);
    if (page <= 1 || page == <u32>bitmapOf(group)) checked.panic(PANIC_SUPERBLOCK);
  }
  store<u64>(at, load<u64>(at) & ~((<u64>1) << (i & 63)));
  if (i >> 6 < load<u32>(frame, CURSOR)) store<u32>(frame, i >> 6, CURSOR);
  pool.release(frame);
  lowerHint(group);
  return true;
}

function lowerHint(group: u32): void {
  while (true) {
    const hint = atomic.load<u32>(map.GROUP_HINT);
    if (hint <= group || atomic.cmpxchg<u32>(map.GROUP_HINT, hint, group) == hint) return;
  }
}

/** Whether pages wait to be freed. */
export function isWaiting(): bool {
  return load<u32>(map.pending) != 0;
}

/** Removes a page from the list and returns it. */
export function takePostponed(): u32 {
  const last = load<u32>(map.pending) - 1;
  store<u32>(map.pending, last);
  isChain = load<u32>(entry(last), 4) != 0;
  return load<u32>(entry(last));
}

/** Set by takePostponed(), valid until the next: the page begins an overflow chain. */
export let isChain: bool = false;

/** Whether a page number is in use; -errno when the bitmap cannot be read. */
function isUsed(page: u32): i32 {
  const frame = pool.shared(bitmapOf(page / GROUP_PAGES));
  if (frame == 0) return -pool.failure;
  const i = page % GROUP_PAGES;
  const used = (load<u64>(frame + BITS + ((i >> 6) << 3)) >> (i & 63)) & 1;
  pool.releaseShared(frame);
  return <i32>used;
}

/** Pages in use in all groups; -1 when a bitmap cannot be read. */
export function used(): i64 {
  let sum: i64 = 0;
  const groups = atomic.load<u32>(map.GROUPS);
  for (let group: u32 = 0; group < groups; group++) {
    const frame = pool.shared(bitmapOf(group));
    if (frame == 0) return -1;
    for (let word: u32 = 0; word < WORDS; word++)
      sum += popcnt(load<u64>(frame + BITS + (word << 3)));
    pool.releaseShared(frame);
  }
  return sum;
}
