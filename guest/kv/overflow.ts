// Overflow chains: values that are too long for a leaf, in their own pages.
//
//   16  u32  next page, 0 = last      20  u32  bytes here      24..  bytes
//
// Interface   append() builds a private chain, write() a whole one; read() copies a part of one; free() frees
//             one.
// Invariants  OVER-1  A chain never changes: a new value is a new chain. It is freed after its leaf no longer
//                     refers to it, so a reader whose leaf is unchanged has read a whole chain.
//             OVER-2  map.OVERFLOWS counts chains that a leaf dropped, before other vCPUs can see that it
//                     has.
//             OVER-3  A read continues where the last one ended if OVERFLOWS is unchanged: then it is the
//                     same chain.
// Concurrency read() is optimistic page by page; its caller validates the leaf afterwards.
// Cost        a page for each 4072 bytes, read ahead READ_AHEAD pages at a time, because they are usually
//             adjacent.

import { PANIC_CHAIN } from '../../assembly/abi/panic';
import { checked, pool } from '../../assembly/linked';
import * as allocator from './allocator';
import { FAILED, RETRY } from './descent';
import * as map from './memory-map';

const NEXT: u32 = 16;
const BYTES: u32 = 20;
const DATA: u32 = 24;
export const DATA_BYTES: u32 = 4096 - DATA;
const READ_AHEAD: u32 = 16;

/** Errno of the last call that failed. */
export let failure: i32 = 0;

// --- writing, a piece at a time ----------------------------------------------------------------------------

let first: u32 = 0;
let last: u32 = 0;
let lastFrame: u32 = 0;

export function begin(): void {
  first = 0;
  last = 0;
}

/** Appends bytes to the chain in progress. False on failure: the chain is then freed. */
export function append(from: u32, bytes: u32): bool {
  while (bytes > 0) {
    if (!openLast()) {
      const reason = failure;
      free(first);
      failure = reason;
      return false;
    }
    const used = load<u32>(lastFrame, BYTES);
    const part = min<u32>(bytes, DATA_BYTES - used);
    memory.copy(lastFrame + DATA + used, from, part);
    store<u32>(lastFrame, used + part, BYTES);
    pool.release(lastFrame);
    from += part;
    bytes -= part;
  }
  return true;
}

/** Pins the last page of the chain, one with room. */
function openLast(): bool {
  if (last != 0) {
    lastFrame = pool.exclusive(last);
    if (lastFrame == 0) return fail(pool.failure);
    if (load<u32>(lastFrame, BYTES) < DATA_BYTES) return true;
    pool.releaseUnchanged(lastFrame);
  }
  retryPostponed();
  const page = allocator.alloc();
  if (page == 0) return fail(allocator.failure);
  const frame = pool.createPage(page);
  if (frame == 0) {
    failure = pool.failure;
    allocator.free(page);
    return false;
  }
  store<u32>(frame, 0, NEXT);
  store<u32>(frame, 0, BYTES);
  if (last != 0 && !link(page)) {
    pool.discard(frame);
    allocator.free(page);
    return false;
  }
  if (last == 0) first = page;
  last = page;
  lastFrame = frame;
  return true;
}

function link(page: u32): bool {
  const before = pool.exclusive(last);
  if (before == 0) return fail(pool.failure);
  store<u32>(before, page, NEXT);
  pool.release(before);
  return true;
}

function fail(errno: i32): bool {
  failure = errno;
  return false;
}

/** First page of the chain that append() built. */
export function finish(): u32 {
  return first;
}

/** Builds a chain with a whole value; 0 on failure. */
export function write(from: u32, bytes: u32): u32 {
  begin();
  return append(from, bytes) ? first : 0;
}

// --- reading -----------------------------------------------------------------------------------------------

// The chain read last, the page of it read last, and the offset in the value where that page begins.
let readChain: u32 = 0;
let readPage: u32 = 0;
let readPosition: u32 = 0;
let readOverflows: u32 = 0;

/**
 * Copies bytes [offset, offset + bytes) of the chain that its leaf refers to, to `out`: bytes copied, RETRY
 * or FAILED.
 */
export function read(chain: u32, offset: u32, bytes: u32, out: u32): i32 {
  const overflows = atomic.load<u32>(map.OVERFLOWS);
  const goesOn = chain == readChain && overflows == readOverflows && offset >= readPosition;
  let page = goesOn ? readPage : chain;
  let position = goesOn ? readPosition : 0;
  let done: u32 = 0;
  let turn: u32 = goesOn ? READ_AHEAD - 1 : 0; // the current page is resident, those after it may not be
  readChain = chain;
  readOverflows = overflows;
  readPage = page;
  readPosition = position;
  while (page != 0 && done < bytes) {
    if (turn++ % READ_AHEAD == 0) readAhead(page, bytes - done);
    const frame = pool.optimistic(page);
    if (frame == 0) return FAILED;
    const seen = pool.seen;
    const here = min<u32>(load<u32>(frame, BYTES), DATA_BYTES);
    const next = load<u32>(frame, NEXT);
    if (position + here > offset + done) {
      const skip = offset + done - position;
      const part = min<u32>(here - skip, bytes - done);
      memory.copy(out + done, frame + DATA + skip, part);
      done += part;
    }
    if (!pool.isUnchanged(frame, seen)) return RETRY;
    readPage = page;
    readPosition = position;
    position += here;
    page = next;
    if (turn > 20000) return RETRY; // longer than the longest chain: these pages are not a chain
  }
  return <i32>done;
}

/** The pages after `page` are likely to be next; each that is not costs a read. */
function readAhead(page: u32, bytes: u32): void {
  const pages = min<u32>((bytes + DATA_BYTES - 1) / DATA_BYTES, READ_AHEAD);
  if (pages < 2 || pool.isResident(page)) return;
  for (let i: u32 = 0; i < pages; i++) store<u64>(map.ahead + (i << 3), <u64>(page + i));
  pool.prefetch(map.ahead, pages);
  pool.drainReads();
}

// --- giving up ---------------------------------------------------------------------------------------------

/** Frees the chain's pages, now or when storage allows it. */
export function free(page: u32): void {
  const rest = giveUp(page);
  if (rest != 0) allocator.postpone(rest, true);
}

/** Frees the pages and chains that could not be freed before; true when none is left. */
export function retryPostponed(): bool {
  while (allocator.isWaiting()) {
    let page = allocator.takePostponed();
    const isChain = allocator.isChain;
    if (isChain) page = giveUp(page);
    else if (allocator.tryFree(page)) page = 0;
    if (page != 0) {
      allocator.postpone(page, isChain);
      return false;
    }
  }
  return true;
}

/** Frees as much as possible now; returns the first page that storage cannot read, or 0. */
export function giveUp(page: u32): u32 {
  while (page != 0) {
    const frame = pool.exclusive(page);
    if (frame == 0) return page;
    if (checked.CHECKED && load<u32>(frame, BYTES) > DATA_BYTES) checked.panic(PANIC_CHAIN);
    const next = load<u32>(frame, NEXT);
    pool.discard(frame);
    allocator.free(page);
    page = next;
  }
  return 0;
}
