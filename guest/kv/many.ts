// Many look-ups at once: they advance together, level by level, so that their cache misses overlap, and pages
// on storage are read together.
//
// Interface   add() up to MANY_MAX keys, then run(); result(i) is the value's length or -errno, its bytes are
//             at `out(i)` only until the next pool operation: copy() copies and validates them.
// Invariants  MANY-1  A look-up in the group has the result of tree.lookup(); one that meets a change is
//                     repeated with it.
// Cost        two passes per level: one touches each node, so that misses overlap, one searches.
//
//   states, 32 bytes each:  u32 key, u32 bytes, u32 frame, u32 page, u64 header, u32 what names the next
//   page, i32 state

import { pool, poolHeader } from '../../assembly/linked';
import * as map from './memory-map';
import * as node from './node';

export const MANY_MAX: u32 = 64;

const STATE_BYTES: u32 = 32;
const KEY: u32 = 0;
const BYTES: u32 = 4;
const FRAME: u32 = 8;
const PAGE: u32 = 12;
const HEADER: u32 = 16;
const NEXT: u32 = 24;
const STATE: u32 = 28;

const GOING: u32 = 0;
const AT_LEAF: u32 = 1;
const ALONE: u32 = 2;

/** Numbers of pages to read, 8 bytes each, after the states. */
const WANTED: u32 = MANY_MAX * STATE_BYTES;

let count: u32 = 0;
/** Keeps passes that only touch memory from being optimised away. */
let touched: u32 = 0;


@inline
function state(i: u32): u32 {
  return map.many + i * STATE_BYTES;
}

export function clear(): void {
  count = 0;
}

export function add(key: u32, bytes: u32): void {
  const at = state(count++);
  store<u32>(at, key, KEY);
  store<u32>(at, bytes, BYTES);
}

/**
 * Advances every look-up to its leaf, or marks it to be done singly. Between pool.begin() and pool.end(),
 * with the copies after it.
 */
export function run(root: u32): void {
  const at = pool.optimistic(root);
  const header = pool.seen;
  for (let i: u32 = 0; i < count; i++) {
    const s = state(i);
    store<u32>(s, at, FRAME);
    store<u32>(s, root, PAGE);
    store<u64>(s, header, HEADER);
    store<u32>(s, at == 0 ? ALONE : node.level(at) == 0 ? AT_LEAF : GOING, STATE);
  }
  if (at == 0) return;
  let isGoing = node.level(at) != 0;
  while (isGoing) {
    search();
    fetch();
    isGoing = enter();
  }
  touchLeaves();
}

/** Finds each look-up's child in the node where it is. */
function search(): void {
  for (let i: u32 = 0; i < count; i++) {
    const s = state(i);
    if (load<u32>(s, STATE) != GOING) continue;
    const at = load<u32>(s, FRAME);
    node.find(at, load<u32>(s, KEY), load<u32>(s, BYTES));
    store<u32>(s, node.child(at, node.index + u32(node.isEqual)), NEXT);
    if (!pool.isUnchanged(at, load<u64>(s, HEADER))) store<u32>(s, ALONE, STATE);
  }
}

/** Starts reading the children that are on storage, and touches the others. */
function fetch(): void {
  let wanted: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const s = state(i);
    if (load<u32>(s, STATE) != GOING) continue;
    const page = <u64>load<u32>(s, NEXT);
    const frame = pool.peek(page);
    if (frame != 0)
      touched += load<u32>(frame + node.LEVEL) + load<u32>(frame + 64) + load<u32>(frame + 128);
    else store<u64>(map.many + WANTED + (wanted++ << 3), page);
  }
  if (wanted != 0) {
    pool.prefetch(map.many + WANTED, wanted);
    pool.drainReads();
  }
}

/** Descends one level; returns whether any look-up is still above its leaf. */
function enter(): bool {
  let isGoing = false;
  for (let i: u32 = 0; i < count; i++) {
    const s = state(i);
    if (load<u32>(s, STATE) != GOING) continue;
    const parent = load<u32>(s, FRAME);
    const frame = pool.optimistic(<u64>load<u32>(s, NEXT));
    if (frame == 0 || !pool.isUnchanged(parent, load<u64>(s, HEADER))) {
      store<u32>(s, ALONE, STATE);
      continue;
    }
    store<u32>(s, frame, FRAME);
    store<u32>(s, <u32>poolHeader.pageOf(pool.seen), PAGE);
    store<u64>(s, pool.seen, HEADER);
    if (node.level(frame) == 0) store<u32>(s, AT_LEAF, STATE);
    else isGoing = true;
  }
  return isGoing;
}

/** Finds the records and touches them. */
function touchLeaves(): void {
  for (let i: u32 = 0; i < count; i++) {
    const s = state(i);
    if (load<u32>(s, STATE) != AT_LEAF) continue;
    const at = load<u32>(s, FRAME);
    node.find(at, load<u32>(s, KEY), load<u32>(s, BYTES));
    const record = node.recordAt(at, node.index);
    store<u32>(s, node.isEqual ? node.index : NONE, NEXT);
    touched += load<u32>(record) + load<u32>(record + 64);
  }
}

/** Instead of a record's index: the leaf does not have the key. */
export const NONE: u32 = 0xffffffff;

/** Whether look-up i reached a leaf; then `leaf`, `header` and `index` describe it. */
export function isFound(i: u32): bool {
  const s = state(i);
  if (load<u32>(s, STATE) != AT_LEAF) return false;
  leaf = load<u32>(s, FRAME);
  page = load<u32>(s, PAGE);
  header = load<u64>(s, HEADER);
  index = load<u32>(s, NEXT);
  return true;
}

export let leaf: u32 = 0;
export let page: u32 = 0;
export let header: u64 = 0;
export let index: u32 = 0;


@inline
export function keyOf(i: u32): u32 {
  return load<u32>(state(i), KEY);
}


@inline
export function bytesOf(i: u32): u32 {
  return load<u32>(state(i), BYTES);
}
