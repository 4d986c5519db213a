// Maps: which block holds block number i of a file, a directory, the inodes. A tree of nodes of 1024 numbers;
// a tree of height h has 1024^h leaves. Missing leaves are holes.
//
// Interface   A map is three words (abi.ts, MAP_*), named by its address.
// Invariants  FS-2  MAP_BLOCKS is the number of its nodes and leaves. An empty map has no root.
// Cost        One load for each level: none up to 4 KiB, one up to 4 MiB, two beyond.

import { BLOCK_BYTES, MAP_BLOCKS, MAP_HEIGHT, MAP_ROOT } from './abi';
import * as space from './space';

const FANOUT_SHIFT: u32 = 10;
const FANOUT: u32 = 1024;
/** Blocks that ensure() can need: a leaf, and at every level a node below a new root. */
export const MOST: u32 = 6;

/** Set by ensure(): whether the leaf is new, its content undefined; valid until its next call. */
export let isNew: bool = false;

/** The leaf of that number, or 0. */
export function find(map: u32, index: u32): u32 {
  let block = load<u32>(map, MAP_ROOT);
  const height = load<u32>(map, MAP_HEIGHT);
  if (index >> (FANOUT_SHIFT * height) != 0) return 0;
  for (let level = height; level != 0 && block != 0; level--) {
    const slot = (index >> (FANOUT_SHIFT * (level - 1))) & (FANOUT - 1);
    block = load<u32>(space.addressOf(block) + (slot << 2));
  }
  return block;
}

/** The leaf of that number, made if missing. MOST blocks are reserved. */
export function ensure(map: u32, index: u32): u32 {
  while (index >> (FANOUT_SHIFT * load<u32>(map, MAP_HEIGHT)) != 0) raise(map);
  let word = map + MAP_ROOT;
  isNew = false;
  for (let level = load<u32>(map, MAP_HEIGHT); level != 0; level--) {
    if (load<u32>(word) == 0) store<u32>(word, node(map));
    const slot = (index >> (FANOUT_SHIFT * (level - 1))) & (FANOUT - 1);
    word = space.addressOf(load<u32>(word)) + (slot << 2);
  }
  if (load<u32>(word) != 0) return load<u32>(word);
  isNew = true;
  const leaf = space.alloc();
  store<u32>(word, leaf);
  count(map, 1);
  return leaf;
}

/** Puts a level above the root. */
function raise(map: u32): void {
  const root = load<u32>(map, MAP_ROOT);
  if (root != 0) {
    const above = node(map);
    store<u32>(space.addressOf(above), root);
    store<u32>(map, above, MAP_ROOT);
  }
  store<u32>(map, load<u32>(map, MAP_HEIGHT) + 1, MAP_HEIGHT);
}

function node(map: u32): u32 {
  const block = space.alloc();
  memory.fill(space.addressOf(block), 0, BLOCK_BYTES);
  count(map, 1);
  return block;
}

function count(map: u32, by: i32): void {
  store<u32>(map, load<u32>(map, MAP_BLOCKS) + by, MAP_BLOCKS);
}

/** Frees the leaves from number `from` on, and the nodes that become empty. */
export function cut(map: u32, from: u32): void {
  const root = load<u32>(map, MAP_ROOT);
  const height = load<u32>(map, MAP_HEIGHT);
  if (root != 0 && cutBelow(map, root, height, from)) store<u32>(map, 0, MAP_ROOT);
  if (load<u32>(map, MAP_ROOT) == 0) store<u32>(map, 0, MAP_HEIGHT);
}

/** True if the block is freed; `from` counts from its own first leaf. */
function cutBelow(map: u32, block: u32, level: u32, from: u32): bool {
  if (level == 0) {
    if (from != 0) return false;
    release(map, block);
    return true;
  }
  const shift = FANOUT_SHIFT * (level - 1);
  const at = space.addressOf(block);
  const first = from >> shift;
  for (let slot = first; slot < FANOUT; slot++) {
    const child = load<u32>(at + (slot << 2));
    if (child == 0) continue;
    const rest = slot == first ? from & ((1 << shift) - 1) : 0;
    if (cutBelow(map, child, level - 1, rest)) store<u32>(at + (slot << 2), 0);
  }
  for (let slot: u32 = 0; slot < FANOUT; slot += 2)
    if (load<u64>(at + (slot << 2)) != 0) return false;
  release(map, block);
  return true;
}

function release(map: u32, block: u32): void {
  space.free(block);
  count(map, -1);
}
