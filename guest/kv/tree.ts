// The B+-tree: look-up, insertion, removal. Structure changes are in grow.ts and shrink.ts.
//
// Interface   A tree is the page number of its root. lookup() returns the value's length or -errno and copies
//             up to `outMax` bytes; put() replaces or inserts; remove(); lockValue() leaves the leaf pinned
//             exclusively, so that the value can be changed in place, until unlockValue(). Results: 0 or
//             more, or a negative errno; -ENOENT = no such key.
// Invariants  TREE-1  Every operation takes effect at one moment: a read when its leaf is validated, a write
//                     when its leaf is released.
//             TREE-2  An operation that fails has changed nothing.
// Concurrency Any vCPU, any time; restarts of readers and writers are bounded by the progress of others.

import { EEXIST, EINVAL, ENOENT } from '../../assembly/abi/errno';
import { pool, vcpu } from '../../assembly/linked';
import { VALUE_BYTES_MAX } from '../../assembly/abi/kv';
import { copyBytes } from './bytes';
import * as descent from './descent';
import * as grow from './grow';
import * as map from './memory-map';
import * as node from './node';
import * as edit from './node-edit';
import * as overflow from './overflow';
import { judge, pause } from './retry';
import { assertNode } from './rules';
import * as shrink from './shrink';
import * as undo from './undo';

const RETRY = descent.RETRY;
const FAILED = descent.FAILED;

/**
 * put() replaces an existing value, or refuses to with -EEXIST; or restores one, and keeps the chain if that
 * fails.
 */
export const PUT_REPLACE: u32 = 0;
export const PUT_NEW: u32 = 1;
export const PUT_BACK: u32 = 2;

// --- reading -----------------------------------------------------------------------------------------------

/** Copies the value from `offset`. */
export function lookup(
  root: u32,
  key: u32,
  bytes: u32,
  out: u32,
  outMax: u32,
  offset: u32 = 0,
): i32 {
  let turn: u32 = 0;
  while (true) {
    pool.begin();
    let result = attempt(root, key, bytes, out, outMax, offset);
    result = judge(result, turn);
    if (result != RETRY) {
      pool.end();
      return result;
    }
    pause(turn++);
  }
}

function attempt(root: u32, key: u32, bytes: u32, out: u32, outMax: u32, offset: u32): i32 {
  const way = descent.to(root, key, bytes, 0);
  if (way != descent.FOUND) return way;
  const leaf = descent.frame;
  const seen = descent.seen;
  node.find(leaf, key, bytes);
  if (!node.isEqual) return pool.isUnchanged(leaf, seen) ? -ENOENT : RETRY;
  return copyValue(leaf, descent.page, seen, node.index, out, outMax, offset);
}

/** The value of record i, validated: its length, RETRY or FAILED. */
export function copyValue(
  leaf: u32,
  page: u32,
  seen: u64,
  i: u32,
  out: u32,
  outMax: u32,
  offset: u32,
): i32 {
  const record = node.recordAt(leaf, i);
  const value = record + node.RECORD_HEAD + node.suffixBytes(leaf, i);
  const length = <u32>load<u16>(record);
  if (length == node.OVERFLOW) return copyChain(leaf, page, seen, value, out, outMax, offset);
  if (length > node.PAGE_BYTES) return RETRY;
  if (offset < length) copyBytes(out, value + offset, min<u32>(length - offset, outMax));
  return pool.isUnchanged(leaf, seen) ? <i32>length : RETRY;
}

function copyChain(
  leaf: u32,
  page: u32,
  seen: u64,
  value: u32,
  out: u32,
  outMax: u32,
  offset: u32,
): i32 {
  const length = load<u32>(value);
  const first = load<u32>(value, 4);
  if (!pool.isUnchanged(leaf, seen)) return RETRY;
  if (outMax == 0 || offset >= length) return <i32>length;
  // A chain may be long: the leaf stays pinned, so that the chain stays and the leaf is not evicted.
  const pinned = pool.shared(page);
  if (pinned == 0) return FAILED;
  vcpu.hold();
  let copied = RETRY;
  if (pinned == leaf && pool.isUnchanged(leaf, seen))
    copied = overflow.read(first, offset, min<u32>(outMax, length - offset), out);
  pool.releaseShared(pinned);
  vcpu.letGo();
  return copied < 0 ? copied : <i32>length;
}

// --- writing -----------------------------------------------------------------------------------------------

let valueAt: u32 = 0;
let valueBytes: u32 = 0;
/** First page of the chain that holds the value, 0 = the value is in the leaf. */
let chain: u32 = 0;
/** Chain of the value that was replaced or removed. */
let oldChain: u32 = 0;

// A batch with ascending keys mostly stays in one leaf: the finger remembers it, and the operation
// (tabby/operation.ts) that saw it stays open until the batch ends it.

let hasFinger: bool = false;
let finger: u32 = 0;
let fingerSeen: u64 = 0;
let fingerRoot: u32 = 0;

/** From now on each put() tries the leaf of the previous one first. */
export function holdFinger(): void {
  hasFinger = true;
  finger = 0;
}

export function dropFinger(): void {
  hasFinger = false;
  pool.end();
}

/** The finger's leaf, pinned exclusively, if it covers the key; else 0. */
function byFinger(root: u32, key: u32, bytes: u32): u32 {
  const leaf = finger;
  finger = 0;
  if (leaf == 0 || fingerRoot != root || !pool.upgrade(leaf, fingerSeen)) return 0;
  if (node.covers(leaf, key, bytes)) return leaf;
  pool.releaseUnchanged(leaf);
  return 0;
}

export function put(root: u32, key: u32, bytes: u32, value: u32, length: u32, mode: u32): i32 {
  if (bytes > node.KEY_BYTES_MAX || length > VALUE_BYTES_MAX) return -EINVAL;
  let first: u32 = 0;
  if (length > node.OVERFLOW_BYTES && node.RECORD_HEAD + bytes + length > node.INLINE_MAX) {
    first = overflow.write(value, length);
    if (first == 0) return -overflow.failure;
  }
  return putChain(root, key, bytes, value, length, first, mode);
}

/** As put(), for a value that is already in a chain; on failure the chain is freed. */
export function putChain(
  root: u32,
  key: u32,
  bytes: u32,
  value: u32,
  length: u32,
  first: u32,
  mode: u32,
): i32 {
  valueAt = value;
  valueBytes = length;
  chain = first;
  oldChain = 0;
  let turn: u32 = 0;
  while (true) {
    const leaf = hasFinger ? byFinger(root, key, bytes) : 0;
    if (leaf == 0) pool.begin();
    let result =
      leaf != 0 ? putInto(leaf, root, key, bytes, mode) : attemptPut(root, key, bytes, mode);
    result = judge(result, turn);
    if (result != RETRY) {
      if (!hasFinger) pool.end();
      if (result < 0) {
        if (chain != 0 && mode != PUT_BACK) overflow.free(chain);
      } else if (oldChain != 0 && !undo.isOn) overflow.free(oldChain);
      return result;
    }
    pause(turn++);
  }
}

function attemptPut(root: u32, key: u32, bytes: u32, mode: u32): i32 {
  const way = descent.to(root, key, bytes, 0);
  if (way != descent.FOUND) return way;
  const leaf = descent.frame;
  if (!pool.upgrade(leaf, descent.seen)) return RETRY;
  return putInto(leaf, root, key, bytes, mode);
}

/** Puts the value into a leaf that covers the key and is pinned exclusively. */
function putInto(leaf: u32, root: u32, key: u32, bytes: u32, mode: u32): i32 {
  if (hasFinger) node.findFromEnd(leaf, key, bytes);
  else node.find(leaf, key, bytes);
  if (node.isEqual && mode == PUT_NEW) {
    pool.releaseUnchanged(leaf);
    return -EEXIST;
  }
  const isNew = !node.isEqual;
  if (place(leaf, node.index, key, bytes)) {
    assertNode(leaf);
    pool.release(leaf);
    if (isNew) {
      map.addEntries(1);
      undo.absent();
    }
    if (hasFinger) {
      finger = leaf;
      fingerSeen = load<u64>(leaf);
      fingerRoot = root;
    }
    return 0;
  }
  pool.releaseUnchanged(leaf);
  pool.end();
  const grown = grow.split(root, key, bytes, 0);
  pool.begin();
  return grown < 0 ? grown : RETRY;
}

/** Puts the value at slot i of a leaf, replacing one or inserting; false without room. */
function place(leaf: u32, i: u32, key: u32, bytes: u32): bool {
  const stored: u32 = chain != 0 ? node.OVERFLOW_BYTES : valueBytes;
  const rest = bytes - node.prefixBytes(leaf);
  const record = node.RECORD_HEAD + rest + stored;
  if (node.isEqual) {
    const old = node.recordBytes(leaf, i);
    const at = node.recordAt(leaf, i);
    if (old == record) {
      letGo(at, rest);
      fill(at, rest);
      return true;
    }
    if (edit.freeBytes(leaf) + old < record) return false;
    letGo(at, rest);
    edit.removeAt(leaf, i);
  }
  if (!edit.makeRoom(leaf, record + node.SLOT_BYTES, map.pageNode)) return false;
  const suffix = key + node.prefixBytes(leaf);
  const at = edit.open(leaf, i, record, node.headOf(suffix, rest), rest);
  copyBytes(at + node.RECORD_HEAD, suffix, rest);
  fill(at, rest);
  return true;
}

/** Before the value of a record in an exclusively pinned leaf is replaced or removed. */
function letGo(record: u32, rest: u32): void {
  undo.value(record, rest);
  if (load<u16>(record) != <u16>node.OVERFLOW) return;
  oldChain = load<u32>(record + node.RECORD_HEAD + rest, 4);
  atomic.add<u32>(map.OVERFLOWS, 1);
}

function fill(record: u32, rest: u32): void {
  const value = record + node.RECORD_HEAD + rest;
  if (chain == 0) {
    store<u16>(record, <u16>valueBytes);
    copyBytes(value, valueAt, valueBytes);
  } else {
    store<u16>(record, <u16>node.OVERFLOW);
    store<u32>(value, valueBytes);
    store<u32>(value, chain, 4);
  }
}

export function remove(root: u32, key: u32, bytes: u32): i32 {
  if (bytes > node.KEY_BYTES_MAX) return -ENOENT;
  let turn: u32 = 0;
  while (true) {
    oldChain = 0;
    isSparse = false;
    pool.begin();
    let result = attemptRemove(root, key, bytes);
    pool.end();
    result = judge(result, turn);
    if (result != RETRY) {
      if (result == -ENOENT) undo.nothing();
      if (oldChain != 0 && !undo.isOn) overflow.free(oldChain);
      if (isSparse) shrink.merge(root, key, bytes);
      return result;
    }
    pause(turn++);
  }
}

let isSparse: bool = false;

function attemptRemove(root: u32, key: u32, bytes: u32): i32 {
  const way = descent.to(root, key, bytes, 0);
  if (way != descent.FOUND) return way;
  const leaf = descent.frame;
  const seen = descent.seen;
  node.find(leaf, key, bytes);
  if (!node.isEqual) return pool.isUnchanged(leaf, seen) ? -ENOENT : RETRY;
  if (!pool.upgrade(leaf, seen)) return RETRY;
  node.find(leaf, key, bytes); // what was found before the upgrade may be torn
  letGo(node.recordAt(leaf, node.index), node.suffixBytes(leaf, node.index));
  edit.removeAt(leaf, node.index);
  isSparse = shrink.isSparse(leaf);
  assertNode(leaf);
  pool.release(leaf);
  map.addEntries(-1);
  return 0;
}

// --- changing in place -------------------------------------------------------------------------------------

let locked: u32 = 0;
/** Set by lockValue(): length of the value. */
export let lockedBytes: u32 = 0;

/**
 * Address of a value, whose leaf is pinned exclusively until unlockValue(); 0 with an errno in `lockFailure`.
 */
export function lockValue(root: u32, key: u32, bytes: u32): u32 {
  let turn: u32 = 0;
  while (true) {
    pool.begin();
    let way = descent.to(root, key, bytes, 0);
    if (way == descent.FOUND) {
      const leaf = descent.frame;
      if (pool.upgrade(leaf, descent.seen)) {
        node.find(leaf, key, bytes);
        if (node.isEqual) return lockedValue(leaf, node.index);
        pool.releaseUnchanged(leaf);
        way = -ENOENT;
      } else way = RETRY;
    }
    way = judge(way, turn);
    if (way != RETRY) {
      pool.end();
      lockFailure = -way;
      return 0;
    }
    pause(turn++);
  }
}

export let lockFailure: i32 = 0;

function lockedValue(leaf: u32, i: u32): u32 {
  const record = node.recordAt(leaf, i);
  locked = leaf;
  lockedBytes = <u32>load<u16>(record);
  if (lockedBytes == node.OVERFLOW) {
    unlockValue(false);
    lockFailure = EINVAL;
    return 0;
  }
  return record + node.RECORD_HEAD + node.suffixBytes(leaf, i);
}

export function unlockValue(isChanged: bool): void {
  if (isChanged) pool.release(locked);
  else pool.releaseUnchanged(locked);
  pool.end();
}
