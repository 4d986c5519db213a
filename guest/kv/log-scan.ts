// Reads a log from any position: its header, and valid records one after the other.
//
// Interface   readHeader(descriptor) finds the newest header; seek(position, seed), then next(): 1 and the
//             record's kind, payload and length, until the next call; 0 if no valid record follows; or
//             -errno. `marked` distinguishes the end of a log from damage. findRecords() and `seed` for a log
//             whose store is lost.
// Concurrency Belongs to one vCPU, before anything is appended: it uses the log's buffer.

import { EBADMSG } from '../../assembly/abi/errno';
import { FRAME_BYTES } from '../../assembly/abi/limits';
import { SYS_PREAD } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { logRecord, poolArea, storage } from '../../assembly/linked';
import * as log from './log';
import * as format from './log-format';
import * as map from './memory-map';

/** Set by readHeader(). */
export let generation: u64 = 0;
export let seed: u64 = 0;
export let sequence: u64 = 0;

/** Set by next(); `position` is the place after the record. */
export let kind: u32 = 0;
export let isLast: bool = false;
export let payload: u32 = 0;
export let bytes: u32 = 0;
export let position: u64 = 0;

let file: i32 = 0;
/** Position of the buffer's first byte, and how many bytes of the file are in it. */
let first: u64 = 0;
let filled: u32 = 0;

/**
 * What the log's marks say: the position up to which this generation was durable; NEWER when they are of a
 * later one.
 */
export let marked: u64 = 0;
const NEWER: u64 = u64.MAX_VALUE;

/** Page of position 0. */
export let firstPage: u64 = 0;

/** 1 when the file has the header of the log that the superblock names, 0 when not, or -errno. */
export function readHeader(descriptor: i32): i32 {
  begin(descriptor);
  for (let page: u64 = 0; page < format.HEADERS; page++) {
    const found = readPage(page, format.MAGIC);
    if (found < 0) return found;
    if (found == 1 && isNamed() && generationThere() > generation) take();
  }
  return generation == 0 ? 0 : readMarks();
}

/** 1 when the file has records of any log, 0 when not, or -errno. */
export function findRecords(descriptor: i32): i32 {
  begin(descriptor);
  let best: u64 = 0;
  for (let page: u64 = 0; page < format.HEADERS; page++) {
    const found = readPage(page, format.MAGIC);
    if (found < 0) return found;
    if (found == 0 || generationThere() <= best) continue;
    const before = seed;
    const wasFirst = firstPage;
    take();
    const start = seed;
    seek(0, start);
    const first = next();
    if (first < 0) return first;
    filled = 0;
    if (first == 1) best = generation;
    seed = first == 1 ? start : before;
    firstPage = first == 1 ? firstPage : wasFirst;
  }
  return i32(best != 0);
}

function begin(descriptor: i32): void {
  file = descriptor;
  generation = 0;
  marked = 0;
  filled = 0;
}

/** Reads the page to the scratch frame: 1 when it is valid and one of these, 0 when not, -errno. */
function readPage(page: u64, magic: u64): i32 {
  const frame = poolArea.scratch;
  const got = storage.move(SYS_PREAD, file, frame, FRAME_BYTES, page);
  if (got < 0) return got;
  if (got != FRAME_BYTES || storage.check(frame, page) != 0) return 0;
  if (load<u64>(frame, format.MAGIC_AT) != magic) return 0;
  const version = load<u32>(frame, format.VERSION_AT);
  return i32(magic == format.MARK_MAGIC || version == format.VERSION || version == 1);
}

function isNamed(): bool {
  return load<u64>(poolArea.scratch, format.ID_AT) == load<u64>(map.LOG_ID);
}

function generationThere(): u64 {
  return load<u64>(poolArea.scratch, format.GENERATION_AT);
}

/** The header in the scratch frame is the one that counts. */
function take(): void {
  const frame = poolArea.scratch;
  generation = generationThere();
  seed = load<u64>(frame, format.HEADER_SEED_AT);
  sequence = load<u64>(frame, format.SEQUENCE_AT);
  firstPage = load<u32>(frame, format.VERSION_AT) == 1 ? format.FIRST_1 : format.FIRST;
}

/** 1, or -errno. A log without a mark is damaged, because it has had one from the start. */
function readMarks(): i32 {
  if (firstPage != format.FIRST) return 1;
  let marks: u32 = 0;
  for (let page = format.HEADERS; page < format.FIRST; page++) {
    const found = readPage(page, format.MARK_MAGIC);
    if (found < 0) return found;
    if (found == 0 || !isNamed()) continue;
    marks += 1;
    if (generationThere() > generation) marked = NEWER;
    else if (generationThere() == generation)
      marked = max(marked, load<u64>(poolArea.scratch, format.POSITION_AT));
  }
  if (marks == 0) marked = NEWER;
  return 1;
}

export function seek(to: u64, seedThere: u64): void {
  position = to;
  seed = seedThere;
}

export function next(): i32 {
  let failed = fill(logRecord.HEADER_BYTES);
  if (failed != 0) return failed == -EBADMSG ? 0 : failed;
  let at = here();
  const length = logRecord.lengthAt(at);
  if (length < 4) return 0;
  const size = logRecord.sizeOf(length);
  failed = fill(size);
  if (failed != 0) return failed == -EBADMSG ? 0 : failed;
  at = here();
  if (!logRecord.isWhole(at, length, seed + position)) return 0;
  payload = at + logRecord.HEADER_BYTES;
  bytes = length;
  kind = load<u32>(payload) & ~format.LAST;
  isLast = (load<u32>(payload) & format.LAST) != 0;
  position += size;
  if (kind == format.SEED && length == format.WORD_AT + 8)
    seed = load<u64>(payload, format.WORD_AT);
  return 1;
}


@inline
function here(): u32 {
  return log.buffer() + <u32>(position - first);
}

/**
 * Makes this many bytes from `position` available in the buffer; -EBADMSG when the file does not have them.
 */
function fill(wanted: u32): i32 {
  const isIn = position >= first && position + wanted <= first + filled;
  if (isIn) return 0;
  first = position & ~(<u64>FRAME_BYTES - 1);
  const page = first / FRAME_BYTES + firstPage;
  const got = storage.move(SYS_PREAD, file, log.buffer(), log.BUFFER_BYTES, page);
  filled = max(0, got);
  if (got < 0) return got;
  return position + wanted <= first + filled ? 0 : -EBADMSG;
}
