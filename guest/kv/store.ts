// A store: a file of pages with its trees, from open to close.
//
// Interface   format() creates a store, open() opens one that was closed properly, join() prepares another
//             vCPU, close(). One vCPU opens and closes; at close no other is inside an operation.
// Invariants  STORE-1  The file says "in use" before the first page is written back, and "closed" only after
//                      the last. A file that says "in use" when it is opened is refused, or recovered if it
//                      has a log.

import {
  EBADMSG,
  EBUSY,
  ECANCELED,
  EEXIST,
  EINVAL,
  ENOMEM,
  EUCLEAN,
} from '../../assembly/abi/errno';
import { SYS_SYNC } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { pool, poolRetained } from '../../assembly/linked';
import * as allocator from './allocator';
import * as checkpoint from './checkpoint';
import * as log from './log';
import * as map from './memory-map';
import * as overflow from './overflow';
import * as node from './node';
import * as edit from './node-edit';
import * as recovery from './recovery';
import * as scan from './log-scan';
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

/** Lays out a store with one tree in the empty file, with a log if `logFile` is not -1; 0 or -errno. */
export function format(descriptor: i32, frames: u32, logFile: i32 = -1): i32 {
  const result = start(descriptor, frames);
  return result == 0 ? layOut(logFile) : result;
}

/**
 * The file has no superblock: creates a new store, or, if a log has changes of a lost one, a store with
 * those.
 */
function make(logFile: i32, hasLog: bool, recover: bool): i32 {
  const found = logFile < 0 ? 0 : scan.findRecords(logFile);
  if (found < 0) return found;
  const wanted = hasLog ? logFile : -1;
  if (found == 1) return recover ? salvage(wanted) : -EEXIST;
  return superblock.isMissing() ? layOut(wanted) : -EBADMSG;
}

/** Until the first superblock is written the file counts as empty, and this can be repeated. */
function salvage(logFile: i32): i32 {
  poolRetained.below(0);
  if (!allocator.addGroup(0)) return -pool.failure;
  store<u32>(map.GROUPS, 1);
  let result = createTree(0);
  if (result == 0) result = recovery.replayAll();
  if (result == 0) result = flush();
  if (result == 0) result = superblock.write(superblock.CLOSED);
  if (result == 0) result = use(logFile);
  if (result == 0) store<u32>(map.STATE, OPEN);
  return result;
}

function layOut(logFile: i32): i32 {
  if (!allocator.addGroup(0)) return -pool.failure;
  store<u32>(map.GROUPS, 1);
  let result = createTree(0);
  if (result == 0 && logFile >= 0) result = flush();
  if (result == 0) result = use(logFile);
  // Page 0: now the store exists.
  if (result == 0 && logFile >= 0) result = superblock.write(superblock.LOGGED);
  if (result == 0) store<u32>(map.STATE, OPEN);
  return result;
}

/**
 * 0, or -EBADMSG corrupt, -EPROTO another format, -EUCLEAN not closed properly and without a log, or an error
 * of the host. `logFile` is the log that it may have had, -1 = none; with `hasLog` it has one from now on. An
 * interrupted creation is repeated. -EEXIST: the file is empty, but the log has changes; with `recover` a
 * store with those is created.
 */
export function open(
  descriptor: i32,
  frames: u32,
  logFile: i32 = -1,
  hasLog: bool = false,
  recover: bool = false,
): i32 {
  let result = start(descriptor, frames);
  if (result == 0) result = superblock.read();
  if (result == -EBADMSG && (superblock.isBlank || superblock.isMissing()))
    return make(logFile, hasLog, recover);
  if (result < 0) return result;
  if (result == superblock.LOGGED) {
    result = logFile < 0 ? -EUCLEAN : recovery.run(logFile);
    if (result == 0 && !hasLog) {
      log.detach();
      result = use(-1);
    }
  } else result = result == superblock.CLOSED ? use(hasLog ? logFile : -1) : -EUCLEAN;
  if (result == 0) store<u32>(map.STATE, OPEN);
  return result;
}

/**
 * From now on the file, which has every page, says that the store is in use: if it has a log, this is the
 * log's first checkpoint.
 */
function use(logFile: i32): i32 {
  if (logFile < 0) {
    poolRetained.below(0);
    return superblock.write(superblock.IN_USE);
  }
  let result = log.create(logFile);
  if (result == 0) result = superblock.write(superblock.LOGGED);
  poolRetained.below(atomic.load<u32>(map.HIGH));
  return result;
}

/** For the other vCPUs. */
export function join(): i32 {
  if (load<u32>(map.STATE) != OPEN) return -EINVAL;
  if (!map.attach()) return -ENOMEM;
  log.attach();
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
  edit.init(frame, 0, 0, 0, 0, node.NO_FENCE);
  pool.release(frame);
  store<u32>(map.TREES + (tree << 2), page);
  return 0;
}

/**
 * Writes everything to storage, without closing; 0 or -errno. No other vCPU changes anything during the call.
 */
export function flush(): i32 {
  if (log.isOn) return log.isBroken() ? -ECANCELED : checkpoint.run();
  const result = pool.writeBack();
  return result != 0 ? result : syscall(SYS_SYNC, load<i32>(map.STORAGE), 0, 0, 0, 0);
}

/** Whether nothing has changed since a checkpoint. */
function isUnchanged(): bool {
  return log.isOn && !log.isBroken() && log.position() == 0 && !allocator.isWaiting();
}

/** After a failure the store is still open, and can be closed again. */
export function close(): i32 {
  if (load<u32>(map.STATE) != OPEN) return -EINVAL;
  let result = 0;
  if (!isUnchanged()) {
    overflow.retryPostponed();
    result = flush();
  }
  if (result == 0) result = superblock.write(superblock.CLOSED);
  if (result == 0) store<u32>(map.STATE, 0);
  return result;
}
