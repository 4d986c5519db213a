// The store's exports, which a vCPU's JavaScript calls. Input and output are in the exchange window
// (abi/kv.ts).
//
// Interface   Results are 0 or more, or a negative errno; a failed call has changed nothing.
// Concurrency Any vCPU, any call, except that one vCPU formats or opens, and closes when no other is inside.

import { EAGAIN, EINVAL, ENOENT } from '../../assembly/abi/errno';
import { SYS_OPEN } from '../../assembly/abi/syscall';
import {
  BATCH_DELETE,
  KEY_BYTES_MAX,
  KV_CHECKPOINTS,
  KV_ENTRIES,
  KV_EVICTIONS,
  KV_FAULTS,
  KV_HEIGHT,
  KV_LOG_BYTES,
  KV_PAGES_USED,
  KV_POOL_FRAMES,
  KV_SHUT,
  KV_WRITES,
  UNDO_AT,
  VALUE_AT,
  WINDOW_BYTES,
} from '../../assembly/abi/kv';
import { syscall } from '../../assembly/index';
import { linkage, pool, poolArea, poolCounter, vcpu } from '../../assembly/linked';
import * as allocator from './allocator';
import * as batch from './batch';
import * as change from './change';
import * as exchange from './exchange';
import * as map from './memory-map';
import * as node from './node';
import * as log from './log';
import * as overflow from './overflow';
import * as store_ from './store';
import * as tree from './tree';
import * as undo from './undo';
import * as verifier from './verify';

// --- open and close ----------------------------------------------------------------------------------------

export function boot(frames: u32): void {
  linkage.attach(frames);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
  vcpu.countHolds();
}

/** Address of this vCPU's exchange window; 0 if no frame is free. */
export function window(): u32 {
  return map.attach() ? map.window : 0;
}

/** Opens the file whose path is in the window; returns a descriptor. */
export function openFile(pathBytes: i32, flags: i32): i32 {
  return syscall(SYS_OPEN, <i32>map.window, pathBytes, flags, 0, 0);
}

/** `logFile`: descriptor of the log, -1 = none; `hasLog`: 1 = the store has one from now on. */
export function format(descriptor: i32, frames: u32, logFile: i32, hasLog: u32): i32 {
  return store_.format(descriptor, frames, hasLog != 0 ? logFile : -1);
}

/** `recover`: 1 = an empty file becomes a store with the changes in the log of a lost one. */
export function open(descriptor: i32, frames: u32, logFile: i32, hasLog: u32, recover: u32): i32 {
  return store_.open(descriptor, frames, logFile, hasLog != 0, recover != 0);
}

export function join(): i32 {
  return store_.join();
}

export function flush(): i32 {
  return store_.flush();
}

export function close(): i32 {
  return store_.close();
}

// --- one key -----------------------------------------------------------------------------------------------

const VALUE_ROOM: u32 = WINDOW_BYTES - VALUE_AT;

/** Length of the value of the key in the window; its first bytes are in the window. */
export function get(keyBytes: u32): i32 {
  while (true) {
    const sequence = batch.read();
    overflows = atomic.load<u32>(map.OVERFLOWS);
    const length = tree.lookup(
      change.root(),
      map.window,
      keyBytes,
      map.window + VALUE_AT,
      VALUE_ROOM,
    );
    if (batch.isRead(sequence)) return length;
  }
}

/** Number of overflow chains that had been dropped when the last get() began. */
let overflows: u32 = 0;

/** The value's bytes from `offset`; -EAGAIN when it may not be the value with which get() began. */
export function getPart(keyBytes: u32, offset: u32): i32 {
  const length = tree.lookup(
    change.root(),
    map.window,
    keyBytes,
    map.window + VALUE_AT,
    VALUE_ROOM,
    offset,
  );
  return atomic.load<u32>(map.OVERFLOWS) == overflows ? length : -EAGAIN;
}

export function put(keyBytes: u32, valueBytes: u32): i32 {
  return change.put(map.window, keyBytes, map.window + VALUE_AT, valueBytes);
}

/** A value longer than the window: begin with the key in the window, then parts at VALUE_AT, then end. */
export function putBegin(keyBytes: u32): i32 {
  return change.beginLong(map.window, keyBytes);
}

export function putPart(bytes: u32): i32 {
  return bytes > VALUE_ROOM ? -EINVAL : change.more(map.window + VALUE_AT, bytes);
}

export function putEnd(): i32 {
  return change.endLong();
}

export function del(keyBytes: u32): i32 {
  return change.remove(map.window, keyBytes);
}

/**
 * Returns when every change of this vCPU, and all before it, are durable; with `all`, every change of any
 * vCPU. -EINVAL without a log, -ECANCELED when it is broken.
 */
export function sync(all: u32): i32 {
  return change.commit(all != 0);
}

/** Hands the log's buffer to the operating system, without waiting for the device. 0 or -errno. */
export function write(): i32 {
  return change.write();
}

// --- many keys ---------------------------------------------------------------------------------------------

/**
 * batchEnd() must follow, also after a failure. `again`: 1 when the batch failed with -ENOBUFS; it then gets
 * all the room that is possible.
 */
export function batchBegin(again: u32): i32 {
  return change.beginBatch(again != 0);
}

/**
 * Entries in the window from `start` up to `end`: u32 keyBytes | BATCH_DELETE, u32 valueBytes, key, value,
 * padded to 4 bytes. Returns where it stopped, which is before `end` when the log is full; or -errno, of the
 * entry after the last one that is logged.
 */
export function batchOps(start: u32, end: u32): i32 {
  if (end > UNDO_AT) return -EINVAL;
  tree.holdFinger();
  let at = start;
  let result = 0;
  while (at < end && result >= 0 && !undo.isFull()) {
    const entry = map.window + at;
    const keyBytes = load<u32>(entry) & ~BATCH_DELETE;
    const valueBytes = load<u32>(entry, 4);
    const isRemoval = (load<u32>(entry) & BATCH_DELETE) != 0;
    const room = end - at;
    if (
      room < 8 ||
      keyBytes > KEY_BYTES_MAX ||
      valueBytes > end ||
      keyBytes + valueBytes + 8 > room
    )
      result = -EINVAL;
    else {
      const key = entry + 8;
      if (isRemoval) {
        result = change.remove(key, keyBytes);
        if (result == -ENOENT) result = 0;
      } else result = change.put(key, keyBytes, key + keyBytes, valueBytes);
      at += (8 + keyBytes + valueBytes + 3) & ~3;
    }
  }
  tree.dropFinger();
  return result < 0 ? result : <i32>at;
}

/** Bytes of the records added at UNDO_AT since the last call, and UNDO_HAS_CHAINS. */
export function batchLog(): i32 {
  return <i32>undo.take();
}

/** From now on the batch is undone: its puts and removals are no longer logged. */
export function batchUndo(): i32 {
  change.takeBack();
  return 0;
}

/** Restores the value of the key in the window, which is in an overflow chain. */
export function batchPutBack(keyBytes: u32, valueBytes: u32, first: u32): i32 {
  return change.putBack(keyBytes, valueBytes, first);
}

/** Frees a chain that a batch has replaced, and that will not be restored. */
export function batchFree(first: u32): i32 {
  overflow.free(first);
  return 0;
}

/** Hands the batch to the operating system. After a failure it must be undone. */
export function batchSettle(): i32 {
  return change.settleBatch();
}

/** `isDone`: 1 when it is committed, 0 when it failed and was undone. */
export function batchEnd(isDone: u32): i32 {
  change.endBatch(isDone != 0);
  return 0;
}

export function getMany(count: u32, bytes: u32): i32 {
  while (true) {
    const sequence = batch.read();
    const result = exchange.getMany(change.root(), count, bytes);
    if (batch.isRead(sequence)) return result;
  }
}

export function scan(bytes: u32, flags: u32, limit: u32): i32 {
  while (true) {
    const sequence = batch.read();
    const result = exchange.scan(change.root(), bytes, flags, limit);
    if (batch.isRead(sequence)) return result;
  }
}

/**
 * Removes keys of a range: how many, and SCAN_ENDED when none are left; or -errno after having removed some.
 */
export function clear(bytes: u32, flags: u32): i32 {
  return exchange.clear(change.root(), bytes, flags);
}

// --- entered from JavaScript -------------------------------------------------------------------------------
// The most frequent calls, which also enter and leave the vCPU: one call instead of three.

/** `is`: 1 = the store may be closed; set before the closing vCPU looks who is inside. */
export function shut(is: u32): void {
  atomic.store<u32>(map.GATE, is);
}

/** Enters; true when the call must not proceed. */
@inline
function entersShut(): bool {
  vcpu.enter();
  return atomic.load<u32>(map.GATE) != 0;
}

export function enterGet(keyBytes: u32): i32 {
  const result = entersShut() ? KV_SHUT : get(keyBytes);
  vcpu.leave();
  return result;
}

export function enterPut(keyBytes: u32, valueBytes: u32): i32 {
  const result = entersShut() ? KV_SHUT : put(keyBytes, valueBytes);
  vcpu.leave();
  return result;
}

export function enterScan(bytes: u32, flags: u32, limit: u32): i32 {
  const result = entersShut() ? KV_SHUT : scan(bytes, flags, limit);
  vcpu.leave();
  return result;
}

// --- inspection --------------------------------------------------------------------------------------------

export function stat(which: u32): f64 {
  if (which == KV_ENTRIES) return <f64>map.entries();
  if (which == KV_PAGES_USED) return <f64>allocator.used();
  if (which == KV_HEIGHT) return <f64>height();
  if (which == KV_POOL_FRAMES) return <f64>poolArea.frames;
  if (which == KV_FAULTS)
    return <f64>(pool.stat(poolCounter.FAULTS) + pool.stat(poolCounter.PREFETCHED));
  if (which == KV_EVICTIONS) return <f64>pool.stat(poolCounter.EVICTIONS);
  if (which == KV_WRITES) return <f64>pool.stat(poolCounter.WRITES);
  if (which == KV_CHECKPOINTS) return <f64>atomic.load<u64>(map.LOG_CHECKPOINTS);
  if (which == KV_LOG_BYTES) return <f64>log.lsn();
  return -1;
}

function height(): u32 {
  const at = pool.shared(change.root());
  if (at == 0) return 0;
  const levels = node.level(at) + 1;
  pool.releaseShared(at);
  return levels;
}

/** 0, -errno, or the number of a violated rule (verify.ts). No other vCPU may be inside. */
export function verify(): i32 {
  return verifier.all();
}
