// Reads a log from any position: its header, and record after record as long as they are whole.
//
// Interface   readHeader(descriptor) finds the newest header; seek(position, seed), then next(): 1 and the record's kind, payload and length,
//             until the one after; 0 when what is there is no record; or -errno. isCutShort() tells a log that ends from one that is damaged.
// Concurrency This vCPU's, before anybody appends: it uses the log's buffer.

import { EBADMSG } from '../../assembly/abi/errno';
import { FRAME_BYTES } from '../../assembly/abi/limits';
import { SYS_PREAD } from '../../assembly/abi/syscall';
import { syscall } from '../../assembly/index';
import { logRecord, poolArea, storage } from '../../assembly/linked';
import * as log from './log';
import * as format from './log-format';
import * as map from './memory-map';

/** What readHeader() has found. */
export let generation: u64 = 0;
export let seed: u64 = 0;
export let sequence: u64 = 0;

/** What next() has found; `position` is the place behind it. */
export let kind: u32 = 0;
export let isLast: bool = false;
export let payload: u32 = 0;
export let bytes: u32 = 0;
export let position: u64 = 0;

let file: i32 = 0;
/** Position of the buffer's first byte, and how many of the file are in it. */
let first: u64 = 0;
let filled: u32 = 0;

/** 1 when the file has the header of the log that the superblock names, 0 when not, or -errno. */
export function readHeader(descriptor: i32): i32 {
  const frame = poolArea.scratch;
  file = descriptor;
  generation = 0;
  for (let page: u64 = 0; page < format.HEADERS; page++) {
    const got = storage.move(SYS_PREAD, file, frame, FRAME_BYTES, page);
    if (got < 0) return got;
    if (got != FRAME_BYTES) continue;
    if (storage.check(frame, page) != 0 || load<u64>(frame, format.MAGIC_AT) != format.MAGIC)
      continue;
    if (load<u32>(frame, format.VERSION_AT) != format.VERSION) continue;
    if (load<u64>(frame, format.ID_AT) != load<u64>(map.LOG_ID)) continue;
    if (load<u64>(frame, format.GENERATION_AT) <= generation) continue;
    generation = load<u64>(frame, format.GENERATION_AT);
    seed = load<u64>(frame, format.HEADER_SEED_AT);
    sequence = load<u64>(frame, format.SEQUENCE_AT);
  }
  filled = 0;
  return i32(generation != 0);
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

/** Whether a record behind `end`, where the log seems to end, says that more than that was durable. */
export function isCutShort(end: u64, seedThere: u64): bool {
  const size = logRecord.sizeOf(format.WORD_AT + 8);
  seek(end, seedThere);
  while (fill(size) == 0) {
    const at = here();
    const isMark = logRecord.lengthAt(at) == format.WORD_AT + 8 && load<u32>(at, logRecord.HEADER_BYTES) == (format.SYNCED | format.LAST); // prettier-ignore
    if (isMark && logRecord.isWhole(at, format.WORD_AT + 8, seed + position)) return load<u64>(at, logRecord.HEADER_BYTES + format.WORD_AT) > end; // prettier-ignore
    position += 16;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function here(): u32 {
  return log.buffer() + <u32>(position - first);
}

/** So many bytes from `position` on are in the buffer; -EBADMSG when the file does not have them. */
function fill(wanted: u32): i32 {
  const isIn = position >= first && position + wanted <= first + filled;
  if (isIn) return 0;
  first = position & ~(<u64>FRAME_BYTES - 1);
  const page = first / FRAME_BYTES + format.HEADERS;
  const got = storage.move(SYS_PREAD, file, log.buffer(), log.BUFFER_BYTES, page);
  filled = max(0, got);
  if (got < 0) return got;
  return position + wanted <= first + filled ? 0 : -EBADMSG;
}
