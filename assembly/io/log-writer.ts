// A log to which many vCPUs append, made durable in groups: one flush at a time; what is appended during a
// flush belongs to the next.
//
//   LSN      the position in the file after a record. Records are contiguous (log-record.ts)
//   buffer   a power of two of bytes in the DMA window; the byte of position p is at p modulo its size
//   durable <= group end <= filled <= reserved <= durable + buffer
//
// Interface   open() once per VM, on a registered file: it finds the end of the valid prefix and continues
//             there. attach() on every other vCPU. append() returns a record's LSN, commit() returns when it
//             is durable. A vCPU that has other work calls want(), then step() until isDurable(), with
//             rest() in between when it has nothing else to do.
// Invariants  LOG-3  Each position is reserved by one vCPU; `filled` passes a record only when that record
//                    and all before it are complete.
//             LOG-4  What is durable, and what a failure of the device does: log-group.ts.
//             LOG-5  On the device nothing after the end at which a log continues can be accepted as a
//                    record: open() truncates it.
// Concurrency Any number of vCPUs. A vCPU that calls step() must call it again while it leads: until then no
//             other vCPU's commit ends.
// Cost        append() about 100 ns: a copy and a checksum.

import { ECANCELED, EINVAL } from '../abi/errno';
import { FRAME_BYTES } from '../abi/limits';
import { OP_ALLOCATE, OP_FDATASYNC, OP_TRUNCATE } from '../abi/ring';
import * as spinlock from '../machine/spinlock';
import {
  ALLOCATED,
  ASKED,
  BUFFER,
  BUFFER_BYTES,
  DURABLE,
  FILE,
  FILLED,
  REQUESTS,
  RESERVED,
  WANTED,
  at,
  broken,
  durable,
  isDurable,
  log,
  use,
} from './log-block';
import { EXTENT_BYTES, flushUs, groups, reset, rest, step } from './log-group';
import * as reader from './log-reader';
import * as record from './log-record';
import * as requests from './requests';

export { broken, durable, flushUs, groups, isDurable, rest, step };

export const BUFFER_BYTES_MIN: u32 = 4 * record.RECORD_BYTES_MAX;
/** Errno of the last append() that returned 0. Set by append(); valid until its next call. */
export let failure: i32 = 0;

/**
 * Opens the log in a registered file, for all vCPUs: `block` is a frame, `buffer` a power of two of bytes in
 * the DMA window. Call requests.attach() first. 0 or a negative errno: -EINVAL, -ECANCELED without attach(),
 * or the error of the file.
 */
export function open(block: u32, file: u32, buffer: u32, bufferBytes: u32): i32 {
  if (bufferBytes < BUFFER_BYTES_MIN || popcnt(bufferBytes) != 1) return -EINVAL;
  let found = reader.open(file, block + REQUESTS, buffer, bufferBytes);
  while (found >= 0) {
    found = reader.next();
    if (found == 0) break;
  }
  if (found < 0) return found;
  const end = reader.position;
  memory.fill(block, 0, FRAME_BYTES);
  store<u32>(block, file, FILE);
  store<u32>(block, buffer, BUFFER);
  store<u32>(block, bufferBytes, BUFFER_BYTES);
  store<u64>(block, end, RESERVED);
  store<u64>(block, end, FILLED);
  store<u64>(block, end, DURABLE);
  store<u64>(block, end, WANTED);
  store<u64>(block, end + EXTENT_BYTES, ALLOCATED);
  attach(block);
  const cut = block + REQUESTS;
  const extend = cut + requests.REQUEST_BYTES;
  const sync = extend + requests.REQUEST_BYTES;
  requests.fill(cut, OP_TRUNCATE, file, 0, 0, end);
  requests.fill(extend, OP_ALLOCATE, file, 0, EXTENT_BYTES, end);
  requests.fill(sync, OP_FDATASYNC, file, 0, 0, 0);
  requests.link(cut, extend);
  requests.link(extend, sync);
  if (!requests.add(cut, requests.HIGH, 0)) return -ECANCELED;
  const synced = requests.wait(sync);
  const extended = load<i32>(extend, requests.REQUEST_RESULT);
  if (synced != -ECANCELED) return synced;
  return extended != -ECANCELED ? extended : load<i32>(cut, requests.REQUEST_RESULT);
}

/** Attaches this vCPU to the log of a block. Call requests.attach() first. */
export function attach(block: u32): void {
  use(block);
  reset();
}

/** Appends a record and returns its LSN; 0 on failure, with EINVAL or the log's errno in `failure`. */
export function append(payload: u32, bytes: u32): u64 {
  failure = bytes - 1 >= record.PAYLOAD_BYTES_MAX ? EINVAL : broken();
  if (failure != 0) return 0;
  const size = record.sizeOf(bytes);
  const place = reserve(size);
  if (place == u64.MAX_VALUE) return 0;
  const end = place + size;
  const header = at(place);
  record.seal(header, payload, bytes, place);
  put(place + record.HEADER_BYTES, payload, bytes);
  const padding = size - record.HEADER_BYTES - bytes;
  if (padding > 0) memory.fill(at(place + record.HEADER_BYTES + bytes), 0, padding);
  let turn: u32 = 0;
  while (atomic.load<u64>(log, FILLED) != place) spinlock.pause(turn++, log + FILLED);
  atomic.store<u64>(log, end, FILLED);
  return end;
}

/** Reserves `size` bytes, waiting for room in the buffer; u64.MAX_VALUE if the log breaks. */
function reserve(size: u32): u64 {
  let turn: u32 = 0;
  while (true) {
    const place = atomic.load<u64>(log, RESERVED);
    if (place + size - atomic.load<u64>(log, DURABLE) <= load<u32>(log, BUFFER_BYTES)) {
      if (atomic.cmpxchg<u64>(log, place, place + size, RESERVED) == place) return place;
      continue;
    }
    ask(atomic.load<u64>(log, FILLED));
    step();
    failure = broken();
    if (failure != 0) return u64.MAX_VALUE;
    rest(turn++);
  }
}

/**
 * Copies to a position of the buffer, and wraps at its end. Padding and headers never wrap: the buffer's
 * size is a multiple of theirs.
 */
function put(place: u64, from: u32, bytes: u32): void {
  const to = at(place);
  const straight = min<u32>(bytes, load<u32>(log, BUFFER) + load<u32>(log, BUFFER_BYTES) - to);
  memory.copy(to, from, straight);
  if (bytes > straight) memory.copy(load<u32>(log, BUFFER), from + straight, bytes - straight);
}

/** Requests that everything up to `lsn` become durable; a step() or commit() of any vCPU flushes it. */
export function want(lsn: u64): void {
  atomic.add<u32>(log, 1, ASKED);
  ask(lsn);
  atomic.notify(log + ASKED, 1);
}

function ask(lsn: u64): void {
  let wanted = atomic.load<u64>(log, WANTED);
  while (wanted < lsn) {
    const found = atomic.cmpxchg<u64>(log, wanted, lsn, WANTED);
    if (found == wanted) break;
    wanted = found;
  }
}

/**
 * Returns when everything up to `lsn` is durable: 0, or the negative errno that broke the log; -EINVAL if
 * `lsn` was not appended.
 */
export function commit(lsn: u64): i32 {
  if (lsn > atomic.load<u64>(log, FILLED)) return -EINVAL;
  want(lsn);
  let turn: u32 = 0;
  while (true) {
    if (isDurable(lsn)) return 0;
    const errno = step();
    if (errno < 0 && !isDurable(lsn)) return errno;
    if (!isDurable(lsn)) rest(turn++);
  }
}
