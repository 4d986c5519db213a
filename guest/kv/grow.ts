// Splits: how the tree grows.
//
// Interface   split(root, key, bytes, level) splits the node of that level that covers the key, after making
//             room above it if necessary. 0, or a negative errno. The caller then retries its operation.
// Invariants  GROW-1  Pages that a split needs are allocated before anything changes: a failure changes
//                     nothing.
//             GROW-2  A separator is greater than every key of the left node, and as short as possible.
//             GROW-3  A node that has no room for two separators of maximum length can be split further, down
//                     to one child.
// Concurrency Parent and node are locked by upgrade, in this order; the new page is private until the parent
//             refers to it.

import { pool } from '../../assembly/linked';
import * as allocator from './allocator';
import * as descent from './descent';
import * as map from './memory-map';
import * as node from './node';
import * as edit from './node-edit';
import * as overflow from './overflow';
import { judge, pause } from './retry';
import { assertNode } from './rules';

const RETRY = descent.RETRY;
const FAILED = descent.FAILED;

export function split(root: u32, key: u32, bytes: u32, level: u32): i32 {
  overflow.retryPostponed();
  const fresh = allocator.alloc();
  if (fresh == 0) return -allocator.failure;
  let turn: u32 = 0;
  while (true) {
    pool.begin();
    let result = attempt(root, key, bytes, level, fresh);
    result = judge(result, turn);
    if (result == FULL_ABOVE) {
      pool.end();
      result = split(root, key, bytes, level + 1);
      pool.begin();
      if (result == 0) result = RETRY;
    }
    if (result != RETRY) {
      pool.end();
      if (result != 0) allocator.free(fresh);
      return result < 0 ? result : 0;
    }
    pause(turn++);
  }
}

const FULL_ABOVE: i32 = 1;
/** Another vCPU has split it, or it has become a root of a higher level. */
const NOTHING_TO_DO: i32 = 2;

function attempt(root: u32, key: u32, bytes: u32, level: u32, fresh: u32): i32 {
  const way = descent.to(root, key, bytes, level);
  if (way != descent.FOUND) return way;
  const at = descent.frame;
  const parent = descent.parent;
  if (parent == 0) return raise(at, descent.seen, level, fresh);
  if (!pool.upgrade(parent, descent.parentSeen)) return RETRY;
  if (!pool.upgrade(at, descent.seen)) {
    pool.releaseUnchanged(parent);
    return RETRY;
  }
  const result = splitBelow(parent, at, descent.page, key, bytes, fresh);
  if (result == 0) {
    assertNode(at);
    assertNode(parent);
    pool.release(at);
    pool.release(parent);
  } else {
    pool.releaseUnchanged(at);
    if (result == FAILED)
      pool.release(parent); // its records may have moved: an earlier reader must notice
    else pool.releaseUnchanged(parent);
  }
  return result;
}

/** The root keeps its number: its content moves to a new page, which becomes its only child. */
function raise(root: u32, seen: u64, level: u32, fresh: u32): i32 {
  if (node.level(root) < level) return NOTHING_TO_DO;
  if (!pool.upgrade(root, seen)) return RETRY;
  const below = pool.createPage(fresh);
  if (below == 0) {
    pool.releaseUnchanged(root);
    return FAILED;
  }
  memory.copy(below + node.LEVEL, root + node.LEVEL, node.PAGE_BYTES - node.LEVEL);
  edit.init(root, node.level(below) + 1, 0, 0, 0, node.NO_FENCE);
  store<u32>(root, fresh, node.LAST_CHILD);
  assertNode(root);
  pool.release(below);
  pool.release(root);
  return 0;
}

let separator: u32 = 0;
let separatorBytes: u32 = 0;
/** Number of records in the left node; of an inner node, the next record's key moves up. */
let cut: u32 = 0;

function splitBelow(parent: u32, at: u32, page: u32, key: u32, bytes: u32, fresh: u32): i32 {
  choose(at, key, bytes);
  if (cut > <u32>load<u16>(at, node.COUNT)) return NOTHING_TO_DO;
  const record = node.CHILD_BYTES + separatorBytes - node.prefixBytes(parent);
  if (!edit.makeRoom(parent, record + node.SLOT_BYTES, map.pageNode)) return FULL_ABOVE;
  const right = pool.createPage(fresh);
  if (right == 0) return FAILED;
  divide(at, right);
  link(parent, page, fresh, record);
  assertNode(right);
  pool.release(right);
  return 0;
}

/** Chooses where to split, and the separator, in `map.keyA`. */
function choose(at: u32, key: u32, bytes: u32): void {
  const records = <u32>load<u16>(at, node.COUNT);
  separator = map.keyA;
  if (node.level(at) != 0) {
    cut = records == 0 ? 1 : middle(at, records);
    if (cut < records + 1 && records != 0) separatorBytes = node.copyKey(at, cut, separator);
    return;
  }
  node.find(at, key, bytes);
  const isAppend = node.index == records && records != 0 && node.highBytes(at) == node.NO_FENCE;
  cut = isAppend ? records : records > 1 ? max<u32>(1, middle(at, records)) : node.index;
  if (records == 0) cut = 1;
  if (cut > records) return;
  shorten(at, records, key, bytes);
  if (isAppend && records > 1 && !hasRoomForFence(at)) {
    cut = max<u32>(1, middle(at, records));
    shorten(at, records, key, bytes);
  }
}

/** Whether all records of a leaf without an upper bound stay, with the separator as their bound. */
function hasRoomForFence(at: u32): bool {
  const low = node.lowBytes(at);
  const prefix = node.common(node.lowAt(at), low, separator, separatorBytes);
  const bytes = low + separatorBytes + edit.bytesUnderPrefix(at, prefix);
  return bytes <= node.PAGE_BYTES - node.SLOTS;
}

/** The shortest string above the last key on the left and not above the first on the right. */
function shorten(at: u32, records: u32, key: u32, bytes: u32): void {
  const left = map.keyA;
  const right = map.keyB;
  let leftBytes = bytes;
  let rightBytes = bytes;
  if (cut == 0) memory.copy(left, key, bytes);
  else leftBytes = node.copyKey(at, cut - 1, left);
  if (cut == records) memory.copy(right, key, bytes);
  else rightBytes = node.copyKey(at, cut, right);
  separatorBytes = min<u32>(rightBytes, node.common(left, leftBytes, right, rightBytes) + 1);
  separator = right;
}

/**
 * The number of records for the left node that makes the fuller half, including fences, as empty as possible.
 * Both halves then have room for a separator of maximum length as their new fence: half a page, half a record
 * and the fence are less than a page.
 */
function middle(at: u32, records: u32): u32 {
  let left: u32 = node.lowBytes(at);
  const high = node.highBytes(at);
  let right: u32 = high == node.NO_FENCE ? 0 : high;
  for (let i: u32 = 0; i < records; i++) right += node.recordBytes(at, i) + node.SLOT_BYTES;
  let i: u32 = 0;
  while (i + 1 < records) {
    const bytes: u32 = node.recordBytes(at, i) + node.SLOT_BYTES;
    if (left + bytes > right) break;
    left += bytes;
    right -= bytes;
    i += 1;
  }
  return i;
}

/** Moves the records above the separator to `right`. */
function divide(at: u32, right: u32): void {
  const source = map.pageCopy;
  memory.copy(source, at, node.PAGE_BYTES);
  const level = node.level(source);
  const records = <u32>load<u16>(source, node.COUNT);
  const skip = u32(level != 0);
  edit.init(right, level, separator, separatorBytes, node.highAt(source), node.highBytes(source));
  edit.append(right, source, cut + skip, records);
  store<u32>(right, load<u32>(source, node.LAST_CHILD), node.LAST_CHILD);
  edit.init(at, level, node.lowAt(source), node.lowBytes(source), separator, separatorBytes);
  edit.append(at, source, 0, cut);
  if (level != 0) store<u32>(at, load<u32>(node.recordAt(source, cut)), node.LAST_CHILD);
}

/** Ends the parent's child `left` at the separator, and inserts `right` after it. */
function link(parent: u32, left: u32, right: u32, record: u32): void {
  node.find(parent, separator, separatorBytes);
  const i = node.index;
  const prefix = node.prefixBytes(parent);
  const rest = separatorBytes - prefix;
  if (i == <u32>load<u16>(parent, node.COUNT)) store<u32>(parent, right, node.LAST_CHILD);
  else store<u32>(node.recordAt(parent, i), right);
  const at = edit.open(parent, i, record, node.headOf(separator + prefix, rest), rest);
  store<u32>(at, left);
  memory.copy(at + node.CHILD_BYTES, separator + prefix, rest);
}
