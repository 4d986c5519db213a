// Records of open files: what a descriptor is, so that a fork has it, too (abi.ts, OPEN_*).
//
// Interface   The host reads and writes the fields of a record that it has opened, through get() and set().
// Invariants  FS-7  INODE_OPENS is the number of records that refer to an inode.

import { EBADF, EMFILE, ENOENT, ENOSPC } from '../../assembly/abi/errno';
import {
  BLOCK_BYTES,
  OPENS_MAX,
  OPENS_PER_BLOCK,
  OPEN_BYTES,
  OPEN_INODE,
  OPEN_NEXT,
  SUPER_OPENS,
  SUPER_OPEN_END,
  SUPER_OPEN_FREE,
} from './abi';
import * as inode from './inode';
import * as map from './map';
import * as space from './space';

/** Address of a record in use, or 0. */
export function at(record: u32): u32 {
  if (record >= load<u32>(space.superblock, SUPER_OPEN_END)) return 0;
  const address = place(record);
  return load<u32>(address, OPEN_INODE) != 0 ? address : 0;
}

function place(record: u32): u32 {
  const block = map.find(space.superblock + SUPER_OPENS, record / OPENS_PER_BLOCK);
  return space.addressOf(block) + (record % OPENS_PER_BLOCK) * OPEN_BYTES;
}

/** A new record for an inode, all other fields 0; its number, or a negative errno. */
export function open(ino: u32): i32 {
  if (inode.at(ino) == 0) return -ENOENT;
  const record = claim();
  if (record < 0) return record;
  const address = place(record);
  memory.fill(address, 0, OPEN_BYTES);
  store<u32>(address, ino, OPEN_INODE);
  inode.open(ino, 1);
  return record;
}

function claim(): i32 {
  const free = load<u32>(space.superblock, SUPER_OPEN_FREE);
  if (free != 0) {
    store<u32>(space.superblock, load<u32>(place(free - 1), OPEN_NEXT), SUPER_OPEN_FREE);
    return free - 1;
  }
  const record = load<u32>(space.superblock, SUPER_OPEN_END);
  if (record >= OPENS_MAX) return -EMFILE;
  if (!space.reserve(map.MOST)) return -ENOSPC;
  const block = map.ensure(space.superblock + SUPER_OPENS, record / OPENS_PER_BLOCK);
  if (map.isNew) memory.fill(space.addressOf(block), 0, BLOCK_BYTES);
  store<u32>(space.superblock, record + 1, SUPER_OPEN_END);
  return record;
}

export function close(record: u32): i32 {
  const address = at(record);
  if (address == 0) return -EBADF;
  const ino = load<u32>(address, OPEN_INODE);
  store<u32>(address, 0, OPEN_INODE);
  store<u32>(address, load<u32>(space.superblock, SUPER_OPEN_FREE), OPEN_NEXT);
  store<u32>(space.superblock, record + 1, SUPER_OPEN_FREE);
  inode.open(ino, -1);
  return 0;
}
