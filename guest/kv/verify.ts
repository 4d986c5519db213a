// Checks the whole store: order, fences, levels, and that every page is used exactly once or free. For tests
// and `check`.
//
// Interface   all() with no other vCPU inside: 0, -errno of a read, or a positive number that names the
//             violated rule.

import { pool } from '../../assembly/linked';
import * as allocator from './allocator';
import * as map from './memory-map';
import * as overflow from './overflow';
import * as node from './node';
import { BAD_FENCE, broken } from './rules';

const BAD_LEVEL: i32 = 1; // 2 to 5 are rules of a node
const BAD_PAGES: i32 = 6;
const BAD_ENTRIES: i32 = 7;
const BAD_CHAIN: i32 = 8;

let pages: i64 = 0;
let entries: i64 = 0;

export function all(): i32 {
  overflow.retryPostponed();
  const groups = <i64>load<u32>(map.GROUPS);
  pages = groups * 3; // the bitmap, and the two numbers before it
  entries = 0;
  for (let tree: u32 = 0; tree < map.TREES_MAX; tree++) {
    const root = map.root(tree);
    if (root == 0) continue;
    const result = below(root, -1, 0, 0, 0, node.NO_FENCE);
    if (result != 0) return result;
  }
  const used = allocator.used();
  if (used < 0) return -pool.failure;
  if (used != pages) return BAD_PAGES;
  return entries == map.entries() ? 0 : BAD_ENTRIES;
}

/** Checks a node against its parent: `level` -1 = any. Fences are addresses. */
function below(page: u32, level: i32, low: u32, lowBytes: u32, high: u32, highBytes: u32): i32 {
  const at = pool.shared(page);
  if (at == 0) return -pool.failure;
  pages += 1;
  let result = checkNode(at, level, low, lowBytes, high, highBytes);
  if (result == 0) result = node.level(at) == 0 ? checkLeaf(at) : checkChildren(at);
  pool.releaseShared(at);
  return result;
}

function checkNode(at: u32, level: i32, low: u32, lowBytes: u32, high: u32, highBytes: u32): i32 {
  if (level >= 0 && <i32>node.level(at) != level) return BAD_LEVEL;
  if (node.compare(node.lowAt(at), node.lowBytes(at), low, lowBytes) != 0) return BAD_FENCE;
  if (node.highBytes(at) != highBytes) return BAD_FENCE;
  if (highBytes != node.NO_FENCE && node.compare(node.highAt(at), highBytes, high, highBytes) != 0)
    return BAD_FENCE;
  return broken(at);
}

function checkLeaf(at: u32): i32 {
  const records = <u32>load<u16>(at, node.COUNT);
  entries += records;
  for (let i: u32 = 0; i < records; i++) {
    const record = node.recordAt(at, i);
    if (load<u16>(record) != <u16>node.OVERFLOW) continue;
    const value = record + node.RECORD_HEAD + node.suffixBytes(at, i);
    const result = checkChain(load<u32>(value, 4), load<u32>(value));
    if (result != 0) return result;
  }
  return 0;
}

function checkChain(first: u32, bytes: u32): i32 {
  let page = first;
  let sum: u32 = 0;
  while (page != 0) {
    const at = pool.shared(page);
    if (at == 0) return -pool.failure;
    pages += 1;
    page = load<u32>(at, 16);
    sum += load<u32>(at, 20);
    pool.releaseShared(at);
    if (sum > bytes) return BAD_CHAIN;
  }
  return sum == bytes ? 0 : BAD_CHAIN;
}

function checkChildren(at: u32): i32 {
  const records = <u32>load<u16>(at, node.COUNT);
  const level = <i32>node.level(at) - 1;
  for (let i: u32 = 0; i <= records; i++) {
    const result = checkChild(at, i, records, level);
    if (result != 0) return result;
  }
  return 0;
}

/** Each level of the recursion keeps its two fences in the exchange window, which is not used otherwise. */
function checkChild(at: u32, i: u32, records: u32, level: i32): i32 {
  const low = map.window + ((<u32>level) << 12);
  const high = low + 2048;
  let lowBytes = node.lowBytes(at);
  let highBytes = node.highBytes(at);
  if (i == 0) memory.copy(low, node.lowAt(at), lowBytes);
  else lowBytes = node.copyKey(at, i - 1, low);
  if (i < records) highBytes = node.copyKey(at, i, high);
  else if (highBytes != node.NO_FENCE) memory.copy(high, node.highAt(at), highBytes);
  return below(pool.numberIn(node.child(at, i)), level, low, lowBytes, high, highBytes);
}
