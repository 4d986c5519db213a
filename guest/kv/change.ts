// Changes of the store: puts and removals in the tree, and in the log where the store has one.
//
// Interface   put() and remove(); beginLong(), more() and endLong() for a value in pieces. By themselves, or between beginBatch() and endBatch()
//             as one: takeBack() before what undoes a batch. Results are those of tree.ts, or -errno of the log: -ECANCELED when it is broken,
//             -ENOBUFS when a batch changes more pages than the pool can hold back.
// Invariants  CHANGE-1  What has failed has changed nothing, in the tree and for who reads the log.
// Concurrency Without a log everybody at once (batch.ts). With one, one after the other.
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

// @ts-ignore: decorator
@inline
export function root(): u32 {
  return map.root(FIRST_TREE);
}

/** LSN behind the last change of this vCPU. */
let mine: u64 = 0;
/** Position in the log where the batch or the long value under way begins. */
let start: u64 = 0;
/** A batch is being taken back: what does that is not logged. */
let isSilent: bool = false;
/** The batch's records are whole, and have been handed to the operating system, or nearly. */
let isEnded: bool = false;

// @ts-ignore: decorator
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

/** With a log, before a change: there is room for the pages that it dirties. */
function ready(): i32 {
  if (log.isBroken()) return -ECANCELED;
  return checkpoint.isDue() ? checkpoint.run() : 0;
}

function end(): void {
  if (isLogged() && !batch.isMine) finish();
  batch.endWrite();
}

/** Readers need frames too: who has pressed the pool makes room. If that fails, the next change says so. */
function finish(): void {
  mine = log.lsn();
  if (poolRetained.isPressed() && !log.isBroken()) checkpoint.run();
}

/** Ends what is more than one record. */
function endUnit(isDone: bool): void {
  if (log.position() != start) log.end(isDone ? format.COMMIT : format.ABORT);
}

/** This vCPU's changes, or all, are durable once it has returned 0. */
export function commit(all: bool): i32 {
  return log.isOn ? log.commit(all ? log.lsn() : mine) : -EINVAL;
}

/** What was changed is with the operating system once it has returned 0: it outlives the process. */
export function write(): i32 {
  if (!log.isOn || log.isWritten()) return 0;
  batch.startWrite();
  const result = log.isBroken() ? -ECANCELED : log.flush();
  batch.endWrite();
  return result;
}

// --- one key ----------------------------------------------------------------------------------------------------

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

// --- a long value, a piece at a time ------------------------------------------------------------------------------
// It is in its chain, and in the log, before the tree has it.

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

/** After a failure endLong() says the same. */
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
  if (!isLogged()) batch.startWrite(); // with a log it has begun long ago
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

// --- several as one -----------------------------------------------------------------------------------------------

/** `again`: the room that others' changes have taken is made free, and all that is new goes to pages that need not be held. */
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

/** The batch is whole and with the operating system: 0, or -errno, and it is to be taken back. */
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

/** From here on the batch is taken back. */
export function takeBack(): void {
  undo.end();
  isSilent = true;
}

/** A key of a batch gets the value back that is in an overflow chain. */
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
