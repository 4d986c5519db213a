// Recovery of a store that was not closed and has a log: its last checkpoint, then the changes after it.
//
// Interface   run(descriptor) after the superblock was read; 0, -EUCLEAN when the log is not the store's,
//             -EBADMSG when its content does not fit, -ENOMEM when the pool is too small, or an error of the
//             host. data.rz is then as at a checkpoint, and the log empty.
// Invariants  RECOVER-1  It can be interrupted anywhere and repeated: images go to the same places again, and
//                        no page that the checkpoint has is written before the next one (checkpoint.ts,
//                        CKPT-1).
//             RECOVER-2  A unit counts if its last record is there; after the first incomplete one nothing
//                        counts. What the log's marks say was durable is there, or the log is damaged.
// Cost        the log is read twice; a change takes as long as the first time.

import { EBADMSG, ENOENT, ENOMEM, EUCLEAN } from '../../assembly/abi/errno';
import { KEY_BYTES_MAX } from '../../assembly/abi/kv';
import { FRAME_BYTES } from '../../assembly/abi/limits';
import { SYS_SYNC } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { poolArea, poolRetained, storage } from '../../assembly/linked';
import * as change from './change';
import * as checkpoint from './checkpoint';
import * as log from './log';
import * as format from './log-format';
import * as scan from './log-scan';
import * as map from './memory-map';
import * as overflow from './overflow';
import * as superblock from './superblock';
import * as tree from './tree';

/** Set by nextUnit(): the end of the unit, and the kind of its last record. */
let unitEnd: u64 = 0;
let unitKind: u32 = 0;

export function run(descriptor: i32): i32 {
  const header = scan.readHeader(descriptor);
  if (header != 1) return header == 0 ? -EUCLEAN : header;
  const generation = scan.generation;
  let wanted = scan.sequence;
  // Writes the checkpoints in the log to their places.
  let base: u64 = 0;
  let baseSeed = scan.seed;
  let at: u64 = 0;
  let seed = scan.seed;
  let found: i32 = 0;
  while (true) {
    found = nextUnit(at, seed);
    if (found != 1) break;
    if (unitKind == format.CHECKPOINT) {
      const sequence = putImages(at, seed);
      if (sequence < 0) return <i32>sequence;
      wanted = max(wanted, <u64>sequence);
    }
    at = unitEnd;
    seed = scan.seed;
    if (unitKind == format.CHECKPOINT) {
      base = at;
      baseSeed = seed;
    }
  }
  if (found < 0) return found;
  if (scan.marked > at) return -EBADMSG;
  let result = base == 0 ? 0 : syscall(SYS_SYNC, load<i32>(map.STORAGE), 0, 0, 0, 0);
  if (result == 0) result = superblock.read();
  if (result < 0) return result;
  if (result != superblock.LOGGED || load<u64>(map.SEQUENCE) < wanted) return -EBADMSG;
  // The log does not know the superblock: its newest header is lost. A new store has one more (store.ts).
  if (load<u64>(map.SEQUENCE) > wanted + u64(generation == 1)) return -EBADMSG;
  poolRetained.below(atomic.load<u32>(map.HIGH));
  result = replay(base, baseSeed, at);
  if (result != 0) return result;
  result = log.resume(descriptor, generation, seed, at, scan.firstPage);
  if (result == 0) result = log.reseed();
  return result == 0 ? checkpoint.run() : result;
}

/**
 * Applies every change in the log to an empty store; 0 or -errno. scan.findRecords() has found its header.
 */
export function replayAll(): i32 {
  const seed = scan.seed;
  let end: u64 = 0;
  let seedThere = seed;
  let found = nextUnit(end, seedThere);
  while (found == 1) {
    end = unitEnd;
    seedThere = scan.seed;
    found = nextUnit(end, seedThere);
  }
  return found < 0 ? found : replay(0, seed, end);
}

/** 1 when a complete unit begins there; 0 when not; -errno. */
function nextUnit(at: u64, seed: u64): i32 {
  scan.seek(at, seed);
  while (true) {
    const found = scan.next();
    if (found != 1) return found;
    if (!scan.isLast) continue;
    unitEnd = scan.position;
    unitKind = scan.kind;
    return 1;
  }
}

/**
 * Writes the pages of a checkpoint to their places; returns the sequence of its superblock, or -errno. Leaves
 * the scan after the unit.
 */
function putImages(at: u64, seed: u64): i64 {
  let sequence: i64 = 0;
  scan.seek(at, seed);
  while (scan.position != unitEnd) {
    const found = scan.next();
    if (found != 1) return found < 0 ? found : -EBADMSG;
    if (scan.kind != format.IMAGE || scan.bytes != format.IMAGE_AT + FRAME_BYTES) continue;
    const page = load<u32>(scan.payload, 4);
    const image = scan.payload + format.IMAGE_AT;
    if (storage.check(image, page) != 0) return -EBADMSG;
    const done = putImage(image, page);
    if (done != 0) return done;
    if (page < superblock.SUPERBLOCKS) sequence = load<i64>(image, superblock.SEQUENCE_AT);
  }
  return sequence;
}

function putImage(image: u32, page: u32): i32 {
  memory.copy(poolArea.scratch, image, FRAME_BYTES);
  return storage.write(poolArea.scratch, page, page);
}

/** Applies the changes from `at` up to `end`. */
function replay(at: u64, seed: u64, end: u64): i32 {
  while (at != end) {
    const found = nextUnit(at, seed);
    if (found != 1) return found < 0 ? found : -EBADMSG;
    const behind = scan.seed;
    if (unitKind != format.ABORT && unitKind != format.CHECKPOINT) {
      const result = replayUnit(at, seed);
      if (result != 0) return result;
    }
    at = unitEnd;
    seed = behind;
  }
  return 0;
}

let hasLong: bool = false;
let longKey: u32 = 0;
let longBytes: u32 = 0;

function replayUnit(at: u64, seed: u64): i32 {
  hasLong = false;
  scan.seek(at, seed);
  while (scan.position != unitEnd) {
    const found = scan.next();
    if (found != 1) return found < 0 ? found : -EBADMSG;
    let result = scan.kind == format.PART ? addPart() : endLong();
    if (result == 0) result = scan.kind == format.GROUP ? applyGroup() : apply();
    if (result != 0) return result;
  }
  return endLong();
}

function put(key: u32, keyBytes: u32, value: u32, valueBytes: u32): i32 {
  if (poolRetained.isFull()) return -ENOMEM;
  return tree.put(change.root(), key, keyBytes, value, valueBytes, tree.PUT_REPLACE);
}

function remove(key: u32, keyBytes: u32): i32 {
  if (poolRetained.isFull()) return -ENOMEM;
  const result = tree.remove(change.root(), key, keyBytes);
  return result == -ENOENT ? 0 : result;
}

/** Changes of one key each. */
function applyGroup(): i32 {
  const end = scan.payload + scan.bytes;
  let at = scan.payload + format.ENTRIES_AT;
  while (at < end) {
    if (end - at < format.ENTRY_BYTES) return -EBADMSG;
    const keyBytes = (<u32>load<u16>(at)) & ~format.REMOVAL;
    const valueBytes = <u32>load<u16>(at, 2);
    const isRemoval = ((<u32>load<u16>(at)) & format.REMOVAL) != 0;
    const key = at + format.ENTRY_BYTES;
    if (keyBytes + valueBytes > end - key) return -EBADMSG;
    at = key + keyBytes + valueBytes;
    const result = isRemoval
      ? remove(key, keyBytes)
      : put(key, keyBytes, key + keyBytes, valueBytes);
    if (result != 0) return result;
  }
  return 0;
}

function apply(): i32 {
  const keyBytes = load<u32>(scan.payload, 4);
  const key = scan.payload + format.KEY_AT;
  switch (scan.kind) {
    case format.PUT:
      return put(key, keyBytes, key + keyBytes, scan.bytes - format.KEY_AT - keyBytes);
    case format.REMOVE:
      return remove(key, keyBytes);
    case format.LONG_PUT: {
      if (poolRetained.isFull()) return -ENOMEM;
      hasLong = true;
      longKey = keyBytes;
      longBytes = 0;
      memory.copy(map.keyB + KEY_BYTES_MAX, key, keyBytes);
      overflow.begin();
      return 0;
    }
    default:
      return 0;
  }
}

function addPart(): i32 {
  if (!hasLong) return -EBADMSG;
  if (poolRetained.isFull()) return -ENOMEM;
  const bytes = scan.bytes - format.PART_AT;
  longBytes += bytes;
  return overflow.append(scan.payload + format.PART_AT, bytes) ? 0 : -overflow.failure;
}

/** Ends the long value in progress. */
function endLong(): i32 {
  if (!hasLong) return 0;
  hasLong = false;
  const key = map.keyB + KEY_BYTES_MAX;
  return tree.putChain(
    change.root(),
    key,
    longKey,
    0,
    longBytes,
    overflow.finish(),
    tree.PUT_REPLACE,
  );
}
