// Blocks: their addresses, which are free, and more of them from the kernel.
//
//   top - (chunk + 1) MiB   the 256 blocks of a chunk, ascending: neighbours in number are mostly neighbours
//   block 0                 superblock
//   first of 32768 blocks   their bitmap, 1 = in use or not granted yet (of the first group: block 1)
//
// Interface   attach() once per instance. An operation calls reserve() for the most that it can need, before
//             it changes anything: alloc() then never fails.
// Invariants  FS-1  A set bit has one owner: a map (map.ts) or a fixed place.
// Concurrency Under the lock.
// Cost        alloc() reads a word of the bitmap, from where the last search ended.

import { PANIC_BLOCK } from '../../assembly/abi/panic';
import {
  BLOCK_BYTES,
  BLOCK_SHIFT,
  CHUNK_BLOCKS,
  CHUNK_SHIFT,
  FIXED_BLOCKS,
  GROUP_BLOCKS,
  GROUP_SHIFT,
  MAGIC,
  SUPER_FREE,
  SUPER_HINT,
  SUPER_MAGIC,
  SUPER_TOTAL,
} from './abi';
import { CHECKED, panic } from './checked';


@external('files', 'grow')
declare function growFiles(pages: u32): bool;

/** Address after file memory. */
let top: u32 = 0;
/** Address of the superblock. */
export let superblock: u32 = 0;

export function attach(topPage: u32): void {
  top = topPage << BLOCK_SHIFT;
  superblock = addressOf(0);
}

/** Address of a block. */
@inline
export function addressOf(block: u32): u32 {
  return (
    top -
    (((block >> CHUNK_SHIFT) + 1) << (CHUNK_SHIFT + BLOCK_SHIFT)) +
    ((block & (CHUNK_BLOCKS - 1)) << BLOCK_SHIFT)
  );
}

function bitmapOf(block: u32): u32 {
  const group = block >> GROUP_SHIFT;
  return addressOf(group == 0 ? 1 : group << GROUP_SHIFT);
}

/** Address of the 64 bits with that of a block. */
function wordOf(block: u32): u32 {
  return bitmapOf(block) + (((block & (GROUP_BLOCKS - 1)) >> 6) << 3);
}

/** Makes an empty space, unless there is one; false if memory is too small. */
export function format(): bool {
  if (!growFiles(0)) return false;
  if (load<u32>(superblock, SUPER_MAGIC) == MAGIC) return true;
  memory.fill(superblock, 0, BLOCK_BYTES);
  memory.fill(addressOf(1), 0xff, BLOCK_BYTES);
  store<u32>(superblock, MAGIC, SUPER_MAGIC);
  grant(0);
  for (let block: u32 = 0; block < FIXED_BLOCKS; block++) take(block);
  return true;
}

/** Adds the chunk from block `first` on; the kernel has granted it. */
function grant(first: u32): void {
  if ((first & (GROUP_BLOCKS - 1)) == 0 && first != 0)
    memory.fill(addressOf(first), 0xff, BLOCK_BYTES);
  for (let block = first; block < first + CHUNK_BLOCKS; block += 64) store<u64>(wordOf(block), 0);
  store<u32>(superblock, first + CHUNK_BLOCKS, SUPER_TOTAL);
  store<u32>(superblock, load<u32>(superblock, SUPER_FREE) + CHUNK_BLOCKS, SUPER_FREE);
  if ((first & (GROUP_BLOCKS - 1)) == 0 && first != 0) take(first);
}

/** Whether that number of blocks is free; gets more from the kernel. */
export function reserve(blocks: u32): bool {
  while (load<u32>(superblock, SUPER_FREE) < blocks) {
    const total = load<u32>(superblock, SUPER_TOTAL);
    if (!growFiles(total)) return false;
    grant(total);
  }
  return true;
}

function take(block: u32): void {
  const word = wordOf(block);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (block & 63)));
  store<u32>(superblock, load<u32>(superblock, SUPER_FREE) - 1, SUPER_FREE);
}

/** A free block; reserve() has seen to it that there is one. Its content is undefined. */
export function alloc(): u32 {
  if (CHECKED && load<u32>(superblock, SUPER_FREE) == 0) panic(PANIC_BLOCK);
  const total = load<u32>(superblock, SUPER_TOTAL);
  let block = load<u32>(superblock, SUPER_HINT);
  while (true) {
    if (block >= total) block = 0;
    const free = ~load<u64>(wordOf(block)) >> (block & 63);
    if (free != 0) {
      block += <u32>ctz(free);
      take(block);
      store<u32>(superblock, block + 1, SUPER_HINT);
      return block;
    }
    block = (block | 63) + 1;
  }
}

export function free(block: u32): void {
  const word = wordOf(block);
  const bit = (<u64>1) << (block & 63);
  if (CHECKED && (block < FIXED_BLOCKS || (load<u64>(word) & bit) == 0)) panic(PANIC_BLOCK);
  store<u64>(word, load<u64>(word) & ~bit);
  store<u32>(superblock, load<u32>(superblock, SUPER_FREE) + 1, SUPER_FREE);
}
