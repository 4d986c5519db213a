// Reads a log from its beginning: every record of the valid prefix, and where that prefix ends.
//
// Interface   open(), then next() while it returns 1. `payload` and `bytes` describe the record until the
//             next call; `position` is the end of the record, which is the LSN that append() returned.
// Invariants  LOG-2  Nothing after the first invalid record is read: none of it was ever reported durable
//                    (log-writer.ts, LOG-4).
// Concurrency Used by one vCPU, for one log at a time. The caller owns the buffer, which is in the DMA
//             window. No vCPU may append during the read.

import { ECANCELED, EINVAL } from '../abi/errno';
import { OP_READ } from '../abi/ring';
import * as record from './log-record';
import * as requests from './requests';

/** Minimum size of a buffer. */
export const BUFFER_BYTES_MIN: u32 = 2 * record.RECORD_BYTES_MAX;

/** The record that next() found, and its end. Set by next(); valid until its next call. */
export let payload: u32 = 0;
export let bytes: u32 = 0;
export let position: u64 = 0;

let file: u32 = 0;
let request: u32 = 0;
let buffer: u32 = 0;
let room: u32 = 0;
/** Bytes of the file in the buffer that were not returned yet: their address, and how many. */
let at: u32 = 0;
let left: u32 = 0;
let isEnd: bool = false;

/** Opens the log in a registered file; `space` is memory for one request. 0 or -EINVAL. */
export function open(fileNumber: u32, space: u32, bufferAddress: u32, bufferBytes: u32): i32 {
  if (bufferBytes < BUFFER_BYTES_MIN) return -EINVAL;
  file = fileNumber;
  request = space;
  buffer = bufferAddress;
  room = bufferBytes;
  position = 0;
  at = buffer;
  left = 0;
  isEnd = false;
  return 0;
}

/** 1 if it found a record, 0 at the end of the valid prefix, a negative errno if the file cannot be read. */
export function next(): i32 {
  if (left < record.HEADER_BYTES) {
    const filled = fillUp();
    if (filled < 0) return filled;
    if (left < record.HEADER_BYTES) return 0;
  }
  const length = record.lengthAt(at);
  if (length == 0) return 0;
  const size = record.sizeOf(length);
  if (left < size) {
    const filled = fillUp();
    if (filled < 0) return filled;
    if (left < size) return 0;
  }
  if (!record.isWhole(at, length, position)) return 0;
  payload = at + record.HEADER_BYTES;
  bytes = length;
  at += size;
  left -= size;
  position += size;
  return 1;
}

/** Reads until the buffer is full or the file ends. */
function fillUp(): i32 {
  memory.copy(buffer, at, left);
  at = buffer;
  while (!isEnd && left < room) {
    requests.fill(request, OP_READ, file, buffer + left, room - left, position + left);
    if (!requests.add(request, requests.HIGH, 0)) return -ECANCELED;
    const got = requests.wait(request);
    if (got < 0) return got;
    isEnd = got == 0;
    left += got;
  }
  return 0;
}
