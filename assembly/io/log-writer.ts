// A log that many vCPUs append to, made durable in groups: one flush at a time, and what comes meanwhile is
// the next one's.
//
//   LSN      the place in the file behind a record. Records lie there one after the other (log-record.ts)
//   buffer   a power of two of bytes in the DMA window; the byte of place p is at p modulo its size
//   durable <= group end <= filled <= reserved <= durable + buffer
//
// Interface   open() once per VM, on the file that it is given: it finds the end of what is valid and goes on
//             there; attach() on every other vCPU. append() gives a record's LSN, commit() returns when it is
//             durable. Those who have more to do than to wait say want(), and step() until isDurable(), with
//             a rest() in between if there is nothing else to do.
// Invariants  LOG-3  A place is reserved by one; `filled` goes past a record when all of it is there, and all
//                    before it.
//             LOG-4  What is durable, and what becomes of it when the device fails: log-group.ts.
//             LOG-5  On the device nothing that passes for a record lies behind the end where a log goes on:
//                    open() cuts it off.
// Concurrency Any number of vCPUs. One that steps is to come back while it leads: until then nobody else's
//             commit ends.
// Cost        append() about 100 ns, a copy and a checksum.

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
/** Why append() gave 0: an errno. */
export let failure: i32 = 0;

/**
 * Opens the log in the registered file, for all vCPUs: `block` is a frame, `buffer` a power of two of bytes
 * in the DMA window. After requests.attach(). 0 or a negative errno: -EINVAL, -ECANCELED without that, or
 * what the file says.
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

/** Makes this vCPU know the log of a block. After requests.attach(). */
export function attach(block: u32): void {
  use(block);
  reset();
}

/** Appends a record: its LSN; 0 when it cannot be (`failure`): EINVAL, or what the log is broken with. */
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

/** Place of so many bytes, when the buffer has room for them; the maximum when the log breaks meanwhile. */
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
 * Copies to a place of the buffer, around its end. Padding and headers are whole there: its size is a
 * multiple of theirs.
 */
function put(place: u64, from: u32, bytes: u32): void {
  const to = at(place);
  const straight = min<u32>(bytes, load<u32>(log, BUFFER) + load<u32>(log, BUFFER_BYTES) - to);
  memory.copy(to, from, straight);
  if (bytes > straight) memory.copy(load<u32>(log, BUFFER), from + straight, bytes - straight);
}

/** Asks that everything up to `lsn` become durable; step() or commit(), anybody's, sees to it. */
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
 * Returns when everything up to `lsn` is durable: 0, or the negative errno that the log is broken with;
 * -EINVAL for what was not appended.
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
