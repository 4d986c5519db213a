// Merges: how the tree frees space.
//
// Interface   merge(root, key, bytes) after a removal left the key's leaf sparse: merges it with a neighbour
//             if both fit one page, until it is not sparse or has no such neighbour; then its parent if that
//             became sparse. Lowers the root when it has a single child.
// Invariants  SHRINK-1  A merge that meets an error is skipped: the tree is valid without it.
// Concurrency Parent by upgrade, then the two children from left to right, which may wait: no vCPU waits for
//             a parent while it holds a child.

import { pool } from '../../assembly/linked';
import * as allocator from './allocator';
import * as descent from './descent';
import * as map from './memory-map';
import * as node from './node';
import * as edit from './node-edit';
import { assertNode } from './rules';

const SPACE: u32 = node.PAGE_BYTES - node.SLOTS;
/** A node with fewer bytes in use looks for a neighbour; the merged node keeps room for some more records. */
const SPARSE_BYTES: u32 = SPACE / 4;
const MERGED_BYTES_MAX: u32 = (SPACE / 8) * 7;
const ATTEMPTS_MAX: u32 = 1000;

const DONE: i32 = 0;
const GO_UP: i32 = 1;

/** Few bytes of records. Fences do not count: they may be long, and a merge does not remove them. */
@inline
export function isSparse(at: u32): bool {
  const high = node.highBytes(at);
  const fences = node.lowBytes(at) + (high == node.NO_FENCE ? 0 : high);
  return SPACE - edit.freeBytes(at) - fences < SPARSE_BYTES;
}

/** Pages that the last attempt emptied. */
let emptied: u32 = 0;

export function merge(root: u32, key: u32, bytes: u32): void {
  let level: u32 = 0;
  let turn: u32 = 0;
  while (turn < ATTEMPTS_MAX) {
    pool.begin();
    emptied = 0;
    const result = attempt(root, key, bytes, level);
    pool.end();
    if (emptied != 0) allocator.free(emptied);
    if (result == descent.FAILED || result == DONE) return;
    if (result == GO_UP) level += 1;
    else turn += 1;
  }
}

function attempt(root: u32, key: u32, bytes: u32, level: u32): i32 {
  const way = descent.to(root, key, bytes, level);
  if (way != descent.FOUND) return way;
  const at = descent.frame;
  if (descent.parent == 0) return lower(at, descent.seen, level);
  const parent = descent.parent;
  const i = descent.position;
  const children = node.count(parent) + 1;
  const sparse = isSparse(at);
  if (!pool.isUnchanged(at, descent.seen)) return descent.RETRY;
  if (!sparse) return DONE;
  if (!pool.upgrade(parent, descent.parentSeen)) return descent.RETRY;
  if (children == 1) {
    pool.releaseUnchanged(parent);
    return GO_UP;
  }
  const merged =
    (i + 1 < children && mergeChildren(parent, i)) || (i > 0 && mergeChildren(parent, i - 1));
  if (!merged) {
    pool.releaseUnchanged(parent);
    return DONE;
  }
  const isParentSparse = isSparse(parent);
  pool.release(parent);
  // The merged node may still be sparse, and an empty neighbour on the other side may fit now.
  return isParentSparse ? GO_UP : descent.RETRY;
}

/** Children `first` and `first + 1` of a locked parent; false if they do not fit one page. */
function mergeChildren(parent: u32, first: u32): bool {
  const leftPage = node.child(parent, first);
  const rightPage = node.child(parent, first + 1);
  const left = pool.exclusive(leftPage);
  if (left == 0) return false;
  const right = pool.exclusive(rightPage);
  if (right == 0) {
    pool.releaseUnchanged(left);
    return false;
  }
  if (!join(parent, first, left, right)) {
    pool.releaseUnchanged(right);
    pool.releaseUnchanged(left);
    return false;
  }
  // The separator between them is removed, and the cell of the right one now refers to the left one.
  if (first + 1 == node.count(parent)) store<u32>(parent, leftPage, node.LAST_CHILD);
  else store<u32>(node.recordAt(parent, first + 1), leftPage);
  edit.removeAt(parent, first);
  assertNode(left);
  assertNode(parent);
  pool.release(left);
  pool.discard(right);
  emptied = rightPage;
  return true;
}

/** Moves the records of both nodes to the left one. */
function join(parent: u32, first: u32, left: u32, right: u32): bool {
  const target = map.pageCopy;
  const level = node.level(left);
  const low = node.lowBytes(left);
  const high = node.highBytes(right);
  const isBounded = high != node.NO_FENCE;
  const prefix = isBounded ? node.common(node.lowAt(left), low, node.highAt(right), high) : 0;
  const separatorBytes = node.copyKey(parent, first, map.keyA);
  let bytes = low + (isBounded ? high : 0);
  bytes += edit.bytesUnderPrefix(left, prefix) + edit.bytesUnderPrefix(right, prefix);
  if (level != 0) bytes += node.CHILD_BYTES + node.SLOT_BYTES + separatorBytes - prefix;
  const isOneEmpty = load<u16>(left, node.COUNT) == 0 || load<u16>(right, node.COUNT) == 0;
  if (bytes > (isOneEmpty ? SPACE : MERGED_BYTES_MAX)) return false;
  edit.init(target, level, node.lowAt(left), low, node.highAt(right), high);
  edit.append(target, left, 0, <u32>load<u16>(left, node.COUNT));
  if (level != 0) {
    const rest = separatorBytes - prefix;
    const head = node.headOf(map.keyA + prefix, rest);
    const at = edit.open(
      target,
      <u32>load<u16>(target, node.COUNT),
      node.CHILD_BYTES + rest,
      head,
      rest,
    );
    store<u32>(at, load<u32>(left, node.LAST_CHILD));
    memory.copy(at + node.CHILD_BYTES, map.keyA + prefix, rest);
  }
  edit.append(target, right, 0, <u32>load<u16>(right, node.COUNT));
  store<u32>(target, load<u32>(right, node.LAST_CHILD), node.LAST_CHILD);
  memory.copy(left + node.LEVEL, target + node.LEVEL, node.PAGE_BYTES - node.LEVEL);
  return true;
}

/** A root with a single child takes over its content. */
function lower(root: u32, seen: u64, level: u32): i32 {
  if (node.level(root) != level || level == 0 || node.count(root) != 0) return DONE;
  if (!pool.upgrade(root, seen)) return descent.RETRY;
  const page = node.child(root, 0);
  const only = pool.exclusive(page);
  if (only == 0) {
    pool.releaseUnchanged(root);
    return DONE;
  }
  memory.copy(root + node.LEVEL, only + node.LEVEL, node.PAGE_BYTES - node.LEVEL);
  assertNode(root);
  pool.release(root);
  pool.discard(only);
  emptied = page;
  return descent.RETRY; // retry: the child may have had a single child too
}
