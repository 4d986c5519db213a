// From a root to a node: optimistic lock coupling (Leis et al., "The ART of Practical Synchronization").
//
// Interface   to(root, key, bytes, level) finds the node of that level that covers the key; below() the leaf
//             that covers the keys just below it. FOUND: `frame`, `seen`, and of its parent `parent`,
//             `parentSeen`, `position`. RETRY: something changed on the way. FAILED: an I/O error, in
//             pool.failure. Call them between pool.begin() and pool.end().
// Invariants  DESC-1  A page number is valid only after the page that it was read from was validated; a
//                     header is that page's only after the parent was validated again.
//             DESC-2  A root never changes its page number, so it needs no parent.
// Concurrency Readers store nothing. Locks are taken by pool.upgrade(), which never waits, from parent to
//             child.
// Cost        per level a TLB look-up, two header loads and a binary search: 20 to 40 ns in the cache, plus
//             cache misses.

import { pool, poolHeader } from '../../assembly/linked';
import * as node from './node';

export const FOUND: i32 = 0;
export const RETRY: i32 = i32.MIN_VALUE;
export const FAILED: i32 = i32.MIN_VALUE + 1;

export let frame: u32 = 0;
export let seen: u64 = 0;
/** Page number of `frame`. */
export let page: u32 = 0;
/** 0 when `frame` is the root. */
export let parent: u32 = 0;
export let parentSeen: u64 = 0;
/** Index of `frame` among its parent's children. */
export let position: u32 = 0;

export function to(root: u32, key: u32, bytes: u32, level: u32): i32 {
  let at = pool.optimistic(root);
  if (at == 0) return FAILED;
  let header = pool.seen;
  page = root;
  parent = 0;
  while (node.level(at) > level) {
    node.find(at, key, bytes);
    const i = node.index + u32(node.isEqual);
    const cell = node.childCell(at, i);
    const next = load<u32>(cell);
    if (!pool.isUnchanged(at, header)) return RETRY;
    const below = pool.optimistic(next, cell, header);
    if (below == 0) return pool.isUnchanged(at, header) ? FAILED : RETRY;
    const belowHeader = pool.seen;
    if (!pool.isUnchanged(at, header)) return RETRY;
    parent = at;
    parentSeen = header;
    position = i;
    page = <u32>poolHeader.pageOf(belowHeader);
    at = below;
    header = belowHeader;
  }
  frame = at;
  seen = header;
  return FOUND;
}

/** The leaf with the greatest keys below the bound, or of all when `bytes` is NO_FENCE. */
export function below(root: u32, key: u32, bytes: u32): i32 {
  let at = pool.optimistic(root);
  if (at == 0) return FAILED;
  let header = pool.seen;
  parent = 0;
  while (node.level(at) > 0) {
    let i: u32 = node.count(at);
    if (bytes != node.NO_FENCE) {
      node.find(at, key, bytes);
      i = node.index;
    }
    const cell = node.childCell(at, i);
    const next = load<u32>(cell);
    if (!pool.isUnchanged(at, header)) return RETRY;
    const under = pool.optimistic(next, cell, header);
    if (under == 0) return pool.isUnchanged(at, header) ? FAILED : RETRY;
    const underHeader = pool.seen;
    if (!pool.isUnchanged(at, header)) return RETRY;
    parent = at;
    parentSeen = header;
    position = i;
    at = under;
    header = underHeader;
  }
  frame = at;
  seen = header;
  return FOUND;
}
