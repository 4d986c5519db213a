// Reads a log from its beginning: every record of the valid prefix, and where that ends.
//
// Interface   open(), then next() until it is not 1; `payload` and `bytes` are the record's until the next
//             one, `position` is the place behind it: the LSN that it was appended with.
// Invariants  LOG-2  What follows the first thing that is no record is not looked at: whatever it is, nobody
//                    was told that it is durable (log-writer.ts, LOG-4).
// Concurrency This vCPU's; one log at a time. The buffer is the caller's, in the DMA window. Nobody appends
//             meanwhile.

import { ECANCELED, EINVAL } from '../abi/errno';
import { OP_READ } from '../abi/ring';
import * as record from './log-record';
import * as requests from './requests';

/** What a buffer has at least. */
export const BUFFER_BYTES_MIN: u32 = 2 * record.RECORD_BYTES_MAX;

/** The record that next() has found, and the place behind it. */
export let payload: u32 = 0;
export let bytes: u32 = 0;
export let position: u64 = 0;

let file: u32 = 0;
let request: u32 = 0;
let buffer: u32 = 0;
let room: u32 = 0;
/** Bytes of the file in the buffer, from `position` on: where they are, and how many. */
let at: u32 = 0;
let left: u32 = 0;
let isEnd: bool = false;

/** The log in the registered file; `space` has room for a request. 0 or -EINVAL. */
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

/**
 * 1 when there is a record; 0 at the end of the valid prefix; a negative errno when the file cannot be read.
 */
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

/** Reads until the buffer is full, or the file at its end. */
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
