// Random operations on pages that check what they see. Every page holds how often it was changed; the same
// count is kept in guest memory, added to while the page is held.

import { EIO, ENOMEM } from '../../../assembly/abi/errno';
import { pool } from '../../../assembly/linked';
import * as cells from './cells';
import * as page from './page';

/** u32 per page: changes made to it. */
export const TALLY: u32 = 8192;
const LIST: u32 = 4096; // 64 bytes a vCPU: page numbers to prefetch

export const HOT: u32 = 1; // nine of ten operations on page 0
export const SLOW: u32 = 2; // readers pause in the middle of a page
const READ_ONLY: u32 = 4;
export const FAULTY: u32 = 8; // operations may fail as storage does, and have changed nothing then
// Every other operation goes along pointers in pages, or changes them (cells.ts).
export const CELLS: u32 = 16;

/** Pages after the others that come and go; the parents follow. */
export const MAYFLIES: u32 = 16;

/** What run() returns when a rule is broken. */
const TORN_OPTIMISTIC: i32 = -1001;
const TORN_SHARED: i32 = -1002;
const TORN_EXCLUSIVE: i32 = -1003;
const COUNT_IS_OFF: i32 = -1004;
const WRONG_PAGE: i32 = -1005;

let state: u64 = 1;
let pages: u32 = 0;
let mode: u32 = 0;
let index: u32 = 0;
export let starved: u32 = 0; // operations that found all frames pinned
export let failed: u32 = 0; // operations that storage failed
export let validated: u32 = 0;
export let refuted: u32 = 0;

function random(below: u32): u32 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return <u32>((state >> 20) % below);
}

function anyPage(): u64 {
  if ((mode & HOT) != 0 && random(10) != 0) return 0;
  return random(pages);
}

/** Turns to wait in the middle of a read: most often none, seldom as long as several faults. */
function pause(): u32 {
  if ((mode & SLOW) == 0 || random(8) != 0) return 0;
  return random(8) == 0 ? random(400000) : random(20000);
}

/** `turns` operations on pages 0 to `count`, and some that come and go after them. 0, or what was wrong. */
export function run(vcpu: u32, seed: u64, turns: u32, count: u32, how: u32): i32 {
  state = seed | 1;
  pages = count;
  mode = how;
  index = vcpu;
  for (let i: u32 = 0; i < turns; i++) {
    pool.begin();
    const result = (mode & READ_ONLY) != 0 ? read(random(4)) : anyStep();
    pool.end();
    if (result == -ENOMEM) starved += 1;
    else if (result == -EIO && (mode & FAULTY) != 0) failed += 1;
    else if (result < 0) return result;
  }
  pool.drainReads();
  return 0;
}

function anyStep(): i32 {
  return (mode & CELLS) != 0 && random(2) == 0 ? stepAlong(random(20)) : step(random(20));
}

/** Along a pointer, to read or to change what is there; seldom the pointers change. */
function stepAlong(which: u32): i32 {
  const parents = pages + MAYFLIES;
  if (which == 0) return cells.rewrite(parents, random(1 << 24), pages);
  const result = cells.follow(parents, random(1 << 16), pause());
  if (result <= 0) return result;
  const frame = cells.child;
  const seen = cells.childSeen;
  if (which < 5) return pool.upgrade(frame, seen) ? changed(frame, cells.label) : 0;
  return judge(frame, seen, page.readWords(frame, pause()) == page.TORN);
}

function step(which: u32): i32 {
  if (which < 5) return change(anyPage());
  if (which < 8) return changeSeen(anyPage());
  if (which < 10) return changeTwo(anyPage(), anyPage());
  if (which == 10) return touch(anyPage());
  if (which >= 17) return readAcross(anyPage(), anyPage());
  if (which == 11) return readAhead();
  if (which == 12) return mayfly(pages + random(MAYFLIES));
  if (which == 13 && random(50) == 0) return pool.writeBack();
  return read(which);
}

function read(which: u32): i32 {
  return which & 1 ? readOptimistic(anyPage()) : readShared(anyPage(), anyPage());
}

function bump(frame: u32, number: u64): i32 {
  const old = page.readWords(frame, 0);
  if (old == page.TORN) return TORN_EXCLUSIVE;
  const counted = atomic.add<u32>(TALLY + ((<u32>number) << 2), 1);
  page.fill(frame, old + 1);
  return <u32>old == counted ? 0 : COUNT_IS_OFF;
}

function change(number: u64): i32 {
  const frame = pool.exclusive(number);
  return frame == 0 ? -pool.failure : changed(frame, number);
}

function changed(frame: u32, number: u64): i32 {
  const result = bump(frame, number);
  pool.release(frame);
  return result;
}

function changeSeen(number: u64): i32 {
  const frame = pool.optimistic(number);
  if (frame == 0) return -pool.failure;
  const header = pool.seen;
  const old = page.readWords(frame, pause());
  if (!pool.upgrade(frame, header)) return 0;
  const result = old == page.TORN ? TORN_OPTIMISTIC : bump(frame, number);
  const now = page.readWords(frame, 0);
  pool.release(frame);
  return result == 0 && now != old + 1 ? COUNT_IS_OFF : result;
}

function changeTwo(a: u64, b: u64): i32 {
  if (a == b) return 0;
  const first = pool.exclusive(min<u64>(a, b));
  if (first == 0) return -pool.failure;
  const second = pool.exclusive(max<u64>(a, b));
  if (second == 0) {
    const why = pool.failure;
    pool.releaseUnchanged(first);
    return -why;
  }
  const result = bump(first, min<u64>(a, b));
  const other = bump(second, max<u64>(a, b));
  pool.release(second);
  pool.release(first);
  return result != 0 ? result : other;
}

/** Pinned exclusively, and left as it was. */
function touch(number: u64): i32 {
  const frame = pool.exclusive(number);
  if (frame == 0) return -pool.failure;
  const torn = page.readWords(frame, pause()) == page.TORN;
  pool.releaseUnchanged(frame);
  return torn ? TORN_EXCLUSIVE : 0;
}

function readOptimistic(number: u64): i32 {
  const frame = pool.optimistic(number);
  if (frame == 0) return -pool.failure;
  const header = pool.seen;
  if (header >> 28 != number) return WRONG_PAGE;
  return judge(frame, header, page.readWords(frame, pause()) == page.TORN);
}

function judge(frame: u32, header: u64, isTorn: bool): i32 {
  if (!pool.isUnchanged(frame, header)) {
    refuted += 1;
    return 0;
  }
  validated += 1;
  return isTorn ? TORN_OPTIMISTIC : 0;
}

/** What is seen of one page counts after another was waited for. */
function readAcross(a: u64, b: u64): i32 {
  const frame = pool.optimistic(a);
  if (frame == 0) return -pool.failure;
  const header = pool.seen;
  const before = load<i32>(frame, 16);
  if (page.readWords(frame, pause()) == page.TORN && pool.isUnchanged(frame, header))
    return TORN_OPTIMISTIC;
  const other = pool.exclusive(b);
  if (other == 0) return -pool.failure;
  const after = load<i32>(frame, 4092);
  const isSame = pool.isUnchanged(frame, header);
  const isMine = pool.upgrade(frame, header);
  if (isMine) pool.releaseUnchanged(frame);
  pool.releaseUnchanged(other);
  return isSame && before != after
    ? TORN_OPTIMISTIC
    : isMine && before != after
      ? TORN_EXCLUSIVE
      : 0;
}

/** In the order of changeTwo(), or the two would wait for each other. */
function readShared(a: u64, b: u64): i32 {
  const first = pool.shared(min<u64>(a, b));
  if (first == 0) return -pool.failure;
  const second = pool.shared(max<u64>(a, b));
  const why = pool.failure;
  const isTorn =
    page.readWords(first, pause()) == page.TORN ||
    (second != 0 && page.readWords(second, 0) == page.TORN);
  pool.releaseShared(first);
  if (second == 0) return -why;
  pool.releaseShared(second);
  return isTorn ? TORN_SHARED : 0;
}

function readAhead(): i32 {
  const list = LIST + (index << 6);
  const count: u32 = 1 + random(8);
  for (let i: u32 = 0; i < count; i++) store<u64>(list + (i << 3), <u64>random(pages));
  pool.prefetch(list, count);
  if (random(2) == 0) pool.drainReads();
  return readOptimistic(load<u64>(list));
}

/** A page that is made, changed and discarded; its number comes again. */
function mayfly(number: u64): i32 {
  const frame = pool.createPage(number);
  if (frame == 0) return -pool.failure;
  page.fill(frame, random(1000));
  if (random(2) == 0) pool.release(frame);
  else pool.discard(frame);
  return 0;
}
