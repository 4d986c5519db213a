// Loops for bench/tabby-pin: what an access to a page costs, by raw pointer and through the pool. Each
// returns a sum of what it read, so that nothing is left out. In the random ones an address depends on what
// was read before it, as in a descent of a tree.

import { hash, pool, storage } from '../../../assembly/linked';

const STEP: u64 = 6364136223846793005;
const ADD: u64 = 1442695040888963407;

/** Makes pages [0, count), each in the frame of its number. */
export function makePages(count: u32): i32 {
  for (let page: u64 = 0; page < count; page++) {
    const frame = pool.createPage(page);
    if (frame == 0) return -pool.failure;
    store<u64>(frame, 0, storage.CONTENT);
    pool.release(frame);
  }
  return 0;
}


@inline
function word(frame: u32): u64 {
  return load<u64>(frame, storage.CONTENT);
}

export function rawHot(frame: u32, turns: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < turns; i++) sum += word(frame);
  return sum;
}

/** What a pin cannot do without: one compare-and-swap, here on a word that nothing else is done with. */
export function swapHot(frame: u32, turns: u32): u64 {
  let sum: u64 = 0;
  const at = frame + storage.CONTENT;
  for (let i: u32 = 0; i < turns; i++) {
    const old = load<u64>(at);
    sum += atomic.cmpxchg<u64>(at, old, old | 1);
    store<u64>(at, old);
  }
  return sum;
}

export function optimisticHot(page: u64, turns: u32): u64 {
  let sum: u64 = 0;
  pool.begin();
  for (let i: u32 = 0; i < turns; i++) {
    const frame = pool.optimistic(page);
    const header = pool.seen;
    const value = word(frame);
    if (pool.isUnchanged(frame, header)) sum += value;
  }
  pool.end();
  return sum;
}

export function exclusiveHot(page: u64, turns: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < turns; i++) {
    const frame = pool.exclusive(page);
    sum += word(frame);
    pool.release(frame);
  }
  return sum;
}

export function sharedHot(page: u64, turns: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < turns; i++) {
    const frame = pool.shared(page);
    sum += word(frame);
    pool.releaseShared(frame);
  }
  return sum;
}

/** `mask` is a number of pages, a power of two, minus 1; page n is at `first` + n frames. */
export function rawRandom(first: u32, mask: u32, turns: u32): u64 {
  let state: u64 = 1;
  for (let i: u32 = 0; i < turns; i++) {
    state = state * STEP + ADD;
    state += word(first + (((<u32>(state >> 33)) & mask) << 12));
  }
  return state;
}

export function optimisticRandom(mask: u32, turns: u32): u64 {
  let state: u64 = 1;
  pool.begin();
  for (let i: u32 = 0; i < turns; i++) {
    state = state * STEP + ADD;
    const frame = pool.optimistic(<u64>((<u32>(state >> 33)) & mask));
    const header = pool.seen;
    const value = word(frame);
    if (pool.isUnchanged(frame, header)) state += value;
  }
  pool.end();
  return state;
}

/** Each read an operation of its own. */
export function operationsRandom(mask: u32, turns: u32): u64 {
  let state: u64 = 1;
  for (let i: u32 = 0; i < turns; i++) {
    state = state * STEP + ADD;
    pool.begin();
    const frame = pool.optimistic(<u64>((<u32>(state >> 33)) & mask));
    const header = pool.seen;
    const value = word(frame);
    if (pool.isUnchanged(frame, header)) state += value;
    pool.end();
  }
  return state;
}

export function sharedRandom(mask: u32, turns: u32): u64 {
  let state: u64 = 1;
  for (let i: u32 = 0; i < turns; i++) {
    state = state * STEP + ADD;
    const frame = pool.shared(<u64>((<u32>(state >> 33)) & mask));
    state += word(frame);
    pool.releaseShared(frame);
  }
  return state;
}

/** Faults on pages [first, first + count) over and over until the word at `stop` is set; returns how many. */
export function churn(first: u64, count: u32, stop: u32): u32 {
  let faults: u32 = 0;
  while (atomic.load<u32>(stop) == 0) {
    pool.begin();
    if (pool.optimistic(first + (faults % count)) == 0) return 0;
    pool.end();
    faults += 1;
  }
  return faults;
}

/** Faults on pages [first, first + count), which are more than the pool has frames. */
export function faults(first: u64, count: u32, turns: u32): i32 {
  for (let i: u32 = 0; i < turns; i++) {
    pool.begin();
    if (pool.optimistic(first + (i % count)) == 0) return -pool.failure;
    pool.end();
  }
  return 0;
}

export function checksums(frame: u32, turns: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < turns; i++)
    sum = hash(frame + storage.CONTENT, storage.CONTENT_BYTES, sum);
  return sum;
}

/** What an exported function costs by itself. */
export function nothing(): void {}

export function frameOf(page: u64): u32 {
  return pool.optimistic(page);
}
