// Inodes: what a file is, apart from its names. Numbers that were freed are used again.
//
// Interface   at() is the address of an inode's fields (abi.ts, INODE_*); 0 if there is none.
// Invariants  FS-3  An inode is freed when it has neither a link nor an open record.

import { PANIC_INODE } from '../../assembly/abi/panic';
import {
  BLOCK_BYTES,
  INODES_PER_BLOCK,
  INODE_ATIME,
  INODE_BTIME,
  INODE_BYTES,
  INODE_CTIME,
  INODE_INDEX,
  INODE_LINKS,
  INODE_MAP,
  INODE_MODE,
  INODE_MTIME,
  INODE_NEXT,
  INODE_OPENS,
  ROOT_INODE,
  SUPER_INODES,
  SUPER_INODE_COUNT,
  SUPER_INODE_END,
  SUPER_INODE_FREE,
  TYPE_DIRECTORY,
  TYPE_MASK,
} from './abi';
import { CHECKED, panic } from './checked';
import * as map from './map';
import * as space from './space';

/** Blocks that make() can need. */
export const MOST: u32 = map.MOST;


@external('files', 'now')
declare function nowMs(): f64;

/** Nanoseconds since 1970, to the millisecond. */
export function now(): i64 {
  return <i64>nowMs() * 1000000;
}

/** Address of an inode in use, or 0. */
export function at(ino: u32): u32 {
  if (ino - 1 >= load<u32>(space.superblock, SUPER_INODE_END)) return 0;
  const address = place(ino);
  return load<u32>(address, INODE_MODE) != 0 ? address : 0;
}

function place(ino: u32): u32 {
  const block = map.find(space.superblock + SUPER_INODES, ino / INODES_PER_BLOCK);
  return space.addressOf(block) + (ino % INODES_PER_BLOCK) * INODE_BYTES;
}

/** A new inode without links. MOST blocks are reserved. */
export function make(mode: u32): u32 {
  const ino = claim();
  const address = place(ino);
  memory.fill(address, 0, INODE_BYTES);
  const time = now();
  store<u32>(address, mode, INODE_MODE);
  store<i64>(address, time, INODE_ATIME);
  store<i64>(address, time, INODE_MTIME);
  store<i64>(address, time, INODE_CTIME);
  store<i64>(address, time, INODE_BTIME);
  add(SUPER_INODE_COUNT, 1);
  return ino;
}

function claim(): u32 {
  const free = load<u32>(space.superblock, SUPER_INODE_FREE);
  if (free != 0) {
    store<u32>(space.superblock, load<u32>(place(free), INODE_NEXT), SUPER_INODE_FREE);
    return free;
  }
  add(SUPER_INODE_END, 1);
  const ino = load<u32>(space.superblock, SUPER_INODE_END); // numbers begin with 1
  const block = map.ensure(space.superblock + SUPER_INODES, ino / INODES_PER_BLOCK);
  if (map.isNew) memory.fill(space.addressOf(block), 0, BLOCK_BYTES);
  return ino;
}

function add(word: u32, by: i32): void {
  store<u32>(space.superblock + word, load<u32>(space.superblock + word) + by);
}

export function isDirectory(address: u32): bool {
  return (load<u32>(address, INODE_MODE) & TYPE_MASK) == TYPE_DIRECTORY;
}

/** Changes the number of links; frees the inode when it has become unreachable. */
export function link(ino: u32, by: i32): void {
  const address = at(ino);
  const links = load<u32>(address, INODE_LINKS) + by;
  if (CHECKED && <i32>links < 0) panic(PANIC_INODE);
  store<u32>(address, links, INODE_LINKS);
  store<i64>(address, now(), INODE_CTIME);
  settle(ino, address);
}

/** Changes the number of open records. */
export function open(ino: u32, by: i32): void {
  const address = at(ino);
  const opens = load<u32>(address, INODE_OPENS) + by;
  if (CHECKED && <i32>opens < 0) panic(PANIC_INODE);
  store<u32>(address, opens, INODE_OPENS);
  settle(ino, address);
}

function settle(ino: u32, address: u32): void {
  const isReachable = load<u32>(address, INODE_LINKS) | load<u32>(address, INODE_OPENS);
  if (isReachable != 0 || ino == ROOT_INODE) return;
  map.cut(address + INODE_MAP, 0);
  map.cut(address + INODE_INDEX, 0);
  store<u32>(address, 0, INODE_MODE);
  store<u32>(address, load<u32>(space.superblock, SUPER_INODE_FREE), INODE_NEXT);
  store<u32>(space.superblock, ino, SUPER_INODE_FREE);
  add(SUPER_INODE_COUNT, -1);
}
