// A store: a file of pages with its trees, from open to close.
//
// Interface   format() makes a new one, open() one that was closed in order, join() makes another vCPU know it, close(). One vCPU opens and
//             closes; at close no other is inside an operation.
// Invariants  STORE-1  The file says "not closed" before the first page is written back, and "closed" only after the last.

import { EBUSY, EINVAL, ENOMEM } from '../../assembly/abi/errno';
import { SYS_SYNC } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { pool } from '../../assembly/linked';
import * as allocator from './allocator';
import * as map from './memory-map';
import * as node from './node';
import * as superblock from './superblock';

const OPEN: u32 = 1;

function start(descriptor: i32, frames: u32): i32 {
  if (load<u32>(map.STATE) == OPEN) return -EBUSY;
  if (!map.attach()) return -ENOMEM;
  store<i32>(map.STORAGE, descriptor);
  if (load<u32>(map.POOL) == 0) {
    const result = pool.create(map.POOL, frames, descriptor);
    if (result != 0) return result;
  }
  return pool.attach(map.POOL);
}

/** Lays out a new store with one tree in the empty file; 0 or -errno. */
export function format(descriptor: i32, frames: u32): i32 {
  const result = start(descriptor, frames);
  if (result != 0) return result;
  if (!allocator.addGroup(0)) return -pool.failure;
  store<u32>(map.GROUPS, 1);
  const made = createTree(0);
  if (made != 0) return made;
  const written = superblock.write(false);
  if (written == 0) store<u32>(map.STATE, OPEN);
  return written;
}

/** 0, or -EBADMSG corrupt, -EPROTO another format, -EUCLEAN not closed in order, or what the host said. */
export function open(descriptor: i32, frames: u32): i32 {
  let result = start(descriptor, frames);
  if (result == 0) result = superblock.read();
  if (result == 0) result = superblock.write(false);
  if (result == 0) store<u32>(map.STATE, OPEN);
  return result;
}

/** For the other vCPUs. */
export function join(): i32 {
  if (load<u32>(map.STATE) != OPEN) return -EINVAL;
  if (!map.attach()) return -ENOMEM;
  return pool.attach(map.POOL);
}

/** An empty tree; 0 or -errno. */
export function createTree(tree: u32): i32 {
  if (tree >= map.TREES_MAX || map.root(tree) != 0) return -EINVAL;
  const page = allocator.alloc();
  if (page == 0) return -allocator.failure;
  const frame = pool.createPage(page);
  if (frame == 0) {
    allocator.free(page);
    return -pool.failure;
  }
  node.init(frame, 0, 0, 0, 0, node.NO_FENCE);
  pool.release(frame);
  store<u32>(map.TREES + (tree << 2), page);
  return 0;
}

/** Everything to storage, without closing; 0 or -errno. */
export function flush(): i32 {
  const result = pool.writeBack();
  return result != 0 ? result : syscall(SYS_SYNC, load<i32>(map.STORAGE), 0, 0, 0, 0);
}

/** After a failure the store is still open, and may be closed again. */
export function close(): i32 {
  if (load<u32>(map.STATE) != OPEN) return -EINVAL;
  allocator.retryPending();
  let result = flush();
  if (result == 0) result = superblock.write(true);
  if (result == 0) store<u32>(map.STATE, 0);
  return result;
}
