// Changes of the store: puts and removals in the tree, and in the log if the store has one.
//
// Interface   put() and remove(); beginLong(), more() and endLong() for a value in parts. Single, or between
//             beginBatch() and endBatch() as one unit: takeBack() before the operations that undo a batch.
//             Results are those of tree.ts, or -errno of the log: -ECANCELED when it is broken, -ENOBUFS when
//             a batch changes more pages than the pool can retain.
// Invariants  CHANGE-1  A failed change has changed nothing, neither in the tree nor in the log.
// Concurrency Without a log all vCPUs at once (batch.ts). With a log, one after the other.
// Cost        without a log a test; with one a lock and a record.

import { ECANCELED, EINVAL, ENOBUFS } from '../../assembly/abi/errno';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../../assembly/abi/kv';
import { pool, poolRetained } from '../../assembly/linked';
import * as allocator from './allocator';
import * as batch from './batch';
import * as checkpoint from './checkpoint';
import * as log from './log';
import * as format from './log-format';
import * as map from './memory-map';
import * as overflow from './overflow';
import * as tree from './tree';
import * as undo from './undo';

const FIRST_TREE: u32 = 0;


@inline
export function root(): u32 {
  return map.root(FIRST_TREE);
}

/** LSN after the last change of this vCPU. */
let mine: u64 = 0;
/** Position in the log where the current batch or long value begins. */
let start: u64 = 0;
/** A batch is being undone: its operations are not logged. */
let isSilent: bool = false;
/** The batch's records are complete, and are being or have been handed to the operating system. */
let isEnded: bool = false;


@inline
function isLogged(): bool {
  return log.isOn && !isSilent;
}

function begin(): i32 {
  batch.startWrite();
  if (!isLogged()) return 0;
  if (batch.isMine) return poolRetained.isPressed() ? -ENOBUFS : 0;
  const result = ready();
  if (result != 0) batch.endWrite();
  return result;
}

/** With a log, before a change: makes room for the pages that it dirties. */
function ready(): i32 {
  if (log.isBroken()) return -ECANCELED;
  return checkpoint.isDue() ? checkpoint.run() : 0;
}

function end(): void {
  if (isLogged() && !batch.isMine) finish();
  batch.endWrite();
}

/**
 * Readers need frames too: the writer that filled the pool with retained pages writes some back. If that
 * fails, the next change reports it.
 */
function finish(): void {
  mine = log.lsn();
  if (poolRetained.isPressed() && !log.isBroken()) checkpoint.run();
}

/** Ends a unit of more than one record. */
function endUnit(isDone: bool): void {
  if (log.position() != start) log.end(isDone ? format.COMMIT : format.ABORT);
}

/** When it returns 0, this vCPU's changes, or all, are durable. */
export function commit(all: bool): i32 {
  return log.isOn ? log.commit(all ? log.lsn() : mine) : -EINVAL;
}

/** When it returns 0, the operating system has all changes: they survive the process. */
export function write(): i32 {
  if (!log.isOn || log.isWritten()) return 0;
  batch.startWrite();
  const result = log.isBroken() ? -ECANCELED : log.flush();
  batch.endWrite();
  return result;
}

// --- one key -----------------------------------------------------------------------------------------------

export function put(key: u32, keyBytes: u32, value: u32, valueBytes: u32): i32 {
  if (isLogged() && valueBytes > format.CHUNK) {
    const begun = beginLong(key, keyBytes);
    if (begun != 0) return begun;
    more(value, valueBytes);
    return endLong();
  }
  let result = begin();
  if (result != 0) return result;
  if (isLogged()) result = log.reserve(log.recordBytes(keyBytes, valueBytes));
  if (result == 0) {
    result = tree.put(root(), key, keyBytes, value, valueBytes, tree.PUT_REPLACE);
    if (isLogged() && result >= 0) {
      if (batch.isMine) log.put(key, keyBytes, value, valueBytes);
      else log.putAlone(key, keyBytes, value, valueBytes);
    }
  }
  end();
  return result;
}

export function remove(key: u32, keyBytes: u32): i32 {
  let result = begin();
  if (result != 0) return result;
  if (isLogged()) result = log.reserve(log.recordBytes(keyBytes, 0));
  if (result == 0) {
    result = tree.remove(root(), key, keyBytes);
    if (isLogged() && result >= 0) {
      if (batch.isMine) log.remove(key, keyBytes);
      else log.removeAlone(key, keyBytes);
    }
  }
  end();
  return result;
}

// --- a long value, part by part ----------------------------------------------------------------------------
// It is in its chain, and in the log, before it is in the tree.

let isUnderWay: bool = false;
let longKey: u32 = 0;
let longBytes: u32 = 0;
let longFailure: i32 = 0;

export function beginLong(key: u32, keyBytes: u32): i32 {
  if (keyBytes > KEY_BYTES_MAX) return -EINVAL;
  if (isUnderWay) giveUpLong();
  const result = isLogged() ? begin() : 0;
  if (result != 0) return result;
  if (isLogged() && !batch.isMine) start = log.boundary();
  memory.copy(longKeyAt(), key, keyBytes);
  isUnderWay = true;
  longKey = keyBytes;
  longBytes = 0;
  overflow.begin();
  longFailure = isLogged() ? -log.longPut(key, keyBytes) : 0;
  return 0;
}

function longKeyAt(): u32 {
  return map.keyB + KEY_BYTES_MAX;
}

/** After a failure endLong() returns the same error. */
export function more(from: u32, bytes: u32): i32 {
  if (!isUnderWay) return -EINVAL;
  if (longFailure != 0) return -longFailure;
  longBytes += bytes;
  if (longBytes > VALUE_BYTES_MAX) longFailure = EINVAL;
  else if (isLogged()) longFailure = -log.part(from, bytes);
  if (longFailure != 0) overflow.free(overflow.finish());
  else if (!overflow.append(from, bytes)) longFailure = overflow.failure;
  return -longFailure;
}

export function endLong(): i32 {
  if (!isUnderWay) return -EINVAL;
  isUnderWay = false;
  if (!isLogged()) batch.startWrite(); // with a log it began earlier
  let result = -longFailure;
  if (result == 0) {
    const first = overflow.finish();
    if (first == 0) result = -EINVAL;
    else
      result = tree.putChain(root(), longKeyAt(), longKey, 0, longBytes, first, tree.PUT_REPLACE);
  }
  if (isLogged() && !batch.isMine) endUnit(result >= 0);
  end();
  return result;
}

function giveUpLong(): void {
  if (longFailure == 0) overflow.free(overflow.finish());
  longFailure = EINVAL;
  endLong();
}

// --- several as one ----------------------------------------------------------------------------------------

/**
 * `again`: frees the room that other changes have taken, and puts new content only into pages that need not
 * be retained.
 */
export function beginBatch(again: bool): i32 {
  batch.begin();
  undo.begin();
  isEnded = false;
  if (!log.isOn) return 0;
  if (again && !log.isBroken()) {
    const result = checkpoint.run();
    if (result != 0) return result;
    allocator.onlyFresh(true);
  }
  const result = ready();
  start = log.boundary();
  return result;
}

/** The batch is complete and with the operating system: 0, or -errno, and it must be undone. */
export function settleBatch(): i32 {
  if (!log.isOn) return pool.writeBack();
  if (log.position() == start) return log.isBroken() ? -ECANCELED : log.flush();
  isEnded = true;
  ending = log.position();
  log.end(format.COMMIT);
  return log.flush();
}

/** Position of the record that ends the batch. */
let ending: u64 = 0;

/** From now on the batch is undone. */
export function takeBack(): void {
  undo.end();
  isSilent = true;
}

/** Restores the value of a key of a batch, which is in an overflow chain. */
export function putBack(keyBytes: u32, valueBytes: u32, first: u32): i32 {
  if (undo.isOn) return -EINVAL;
  return tree.putChain(root(), map.window, keyBytes, 0, valueBytes, first, tree.PUT_BACK);
}

export function endBatch(isDone: bool): void {
  undo.end();
  isSilent = false;
  if (log.isOn) {
    if (!isEnded) endUnit(isDone);
    else if (!isDone) log.forget(start, ending);
    allocator.onlyFresh(false);
    finish();
  }
  batch.end();
}
