// Range scans in both directions: each leaf is copied to a private page, validated, and then read.
//
// Interface   first(), then next() until it is false; the record is `key`, `keyBytes`, `value`, `valueBytes`,
//             `isChain`.
// Invariants  SCAN-1  Keys are in strict order, each once. A key that exists during the whole scan is not
//                     missed: the next leaf is the one that covers the fence where this one ended, whatever
//                     was split or merged in between.
// Concurrency Each leaf is seen as of one moment; different leaves as of different ones.
// Cost        a descent and a copied page per leaf: about 15 ns per record.

import { pool } from '../../assembly/linked';
import { copyBytes, copyWide } from './bytes';
import * as descent from './descent';
import * as map from './memory-map';
import * as node from './node';
import * as readAhead from './read-ahead';
import { judge, pause } from './retry';

const RETRY = descent.RETRY;

/** Set by next(): the key is in `map.keyB`, the value in the private page. */
export let key: u32 = 0;
export let keyBytes: u32 = 0;
export let value: u32 = 0;
export let valueBytes: u32 = 0;
/** The value is in an overflow chain; `valueBytes` is its length. */
export let isChain: bool = false;
/** errno of a scan that ended early, else 0. */
export let failure: i32 = 0;

let tree: u32 = 0;
let isReverse: bool = false;
/** Index of the next record in the private page; records left in it. */
let at: i32 = 0;
let records: i32 = 0;
/** The common prefix of its keys, in bytes; it is already in map.keyB. */
let prefix: u32 = 0;
let suffixAt: u32 = 0;

/**
 * Starts at a bound: the records from it (`isOpen`: after it), upwards or downwards; NO_FENCE bytes = from
 * the end at which the direction starts. False on failure.
 */
export function first(root: u32, bound: u32, boundBytes: u32, isOpen: bool, reverse: bool): bool {
  tree = root;
  isReverse = reverse;
  failure = 0;
  // A reverse scan that includes its bound looks for the leaf below the bound's successor: the bound and a
  // zero byte.
  if (reverse && !isOpen && boundBytes != node.NO_FENCE) {
    memory.copy(map.keyA, bound, boundBytes);
    store<u8>(map.keyA + boundBytes, 0);
    bound = map.keyA;
    boundBytes += 1;
  }
  return load_(bound, boundBytes, isOpen);
}

export function next(): bool {
  if (!step()) return false;
  copyBytes(map.keyB + prefix, suffixAt, keyBytes - prefix);
  key = map.keyB;
  return true;
}

/** As next(), without the key: see copyKey(). */
export function step(): bool {
  while (at < 0 || at >= records) {
    if (!nextLeaf()) return false;
  }
  const page = map.pageNode;
  const record = node.recordAt(page, at);
  const suffix = node.suffixBytes(page, at);
  suffixAt = record + node.RECORD_HEAD;
  value = suffixAt + suffix;
  keyBytes = prefix + suffix;
  valueBytes = load<u16>(record);
  isChain = valueBytes == node.OVERFLOW;
  if (isChain) valueBytes = load<u32>(value);
  at += isReverse ? -1 : 1;
  return true;
}

/** Copies the key that step() found; writes up to 15 bytes more. */
@inline
export function copyKey(target: u32): void {
  copyWide(target, map.keyB, prefix);
  copyWide(target + prefix, suffixAt, keyBytes - prefix);
}

/** Moves to the neighbour in the scan's direction; false at the end or after a failure. */
function nextLeaf(): bool {
  const page = map.pageNode;
  if (failure != 0) return false;
  const bytes = isReverse ? node.lowBytes(page) : node.highBytes(page);
  if (isReverse ? bytes == 0 : bytes == node.NO_FENCE) return false;
  memory.copy(map.keyA, isReverse ? node.lowAt(page) : node.highAt(page), bytes);
  return load_(map.keyA, bytes, false);
}

/** Copies the leaf of the bound to the private page and finds the bound there. */
function load_(bound: u32, boundBytes: u32, isOpen: bool): bool {
  let turn: u32 = 0;
  while (true) {
    pool.begin();
    let result = attempt(bound, boundBytes);
    result = judge(result, turn);
    if (result != RETRY) {
      if (result == 0) readAhead.follow(isReverse);
      pool.end();
      if (result < 0) {
        failure = -result;
        records = 0;
        at = 0;
        return false;
      }
      place(bound, boundBytes, isOpen);
      return true;
    }
    pause(turn++);
  }
}

function attempt(bound: u32, boundBytes: u32): i32 {
  const isEnd = boundBytes == node.NO_FENCE;
  const way = isReverse
    ? descent.below(tree, bound, boundBytes)
    : descent.to(tree, bound, isEnd ? 0 : boundBytes, 0);
  if (way != descent.FOUND) return way;
  memory.copy(map.pageNode, descent.frame, node.PAGE_BYTES);
  return pool.isUnchanged(descent.frame, descent.seen) ? 0 : RETRY;
}

function place(bound: u32, boundBytes: u32, isOpen: bool): void {
  const page = map.pageNode;
  records = node.count(page);
  prefix = node.prefixBytes(page);
  copyBytes(map.keyB, node.prefixAt(page), prefix);
  if (boundBytes == node.NO_FENCE) {
    at = isReverse ? records - 1 : 0;
    return;
  }
  node.find(page, bound, boundBytes);
  if (isReverse) at = <i32>node.index - 1;
  else at = <i32>node.index + i32(isOpen && node.isEqual);
}
