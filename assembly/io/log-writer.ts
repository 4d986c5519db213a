// A log that many vCPUs append to, made durable in groups: one flush at a time, and what comes meanwhile is the next one's.
//
//   LSN      the place in the file behind a record. Records lie there one after the other (log-record.ts)
//   buffer   a power of two of bytes in the DMA window; the byte of place p is at p modulo its size
//   durable <= group end <= filled <= reserved <= durable + buffer
//
// Interface   open() once per VM, on the file that it is given: it finds the end of what is valid and goes on there; attach() on every other
//             vCPU. append() gives a record's LSN, commit() returns when it is durable. Those who have more to do than to wait say want(), and
//             step() until isDurable(), with a rest() in between if there is nothing else to do.
// The group   Whoever wants what is not durable and finds no leader is it: it takes what is there, writes, syncs, says so. A leader
//             waits for others only as long as that pays (enough()): those whom the last flush has released mostly come back at once, and
//             a flush for the first of them would let all the others wait for the next.
// Invariants  LOG-3  A place is reserved by one; `filled` goes past a record when all of it is there, and all before it.
//             LOG-4  `durable` goes forward after the write and the fdatasync of everything before it have succeeded. What a flush that
//                    failed has left on the device nobody knows: the log is broken from then on, and says so to everybody.
//             LOG-5  On the device nothing that passes for a record lies behind the end where a log goes on: open() cuts it off.
// Concurrency Any number of vCPUs. A leader that steps is to come back: until then nobody else's commit ends. One that died breaks the log.
// Cost        append() about 100 ns and a copy; a group one turn of the I/O service: two entries, linked.

import { ECANCELED, EINVAL, EIO } from '../abi/errno';
import { FRAME_BYTES } from '../abi/limits';
import { OP_ALLOCATE, OP_FDATASYNC, OP_TRUNCATE, OP_WRITE } from '../abi/ring';
import { VCPU_ABSENT, VCPU_DEAD, VCPU_STATE } from '../abi/vcpu-block';
import * as clock from '../machine/clock';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as reader from './log-reader';
import * as record from './log-record';
import * as requests from './requests';

// The log's block, a frame.
const BROKEN: u32 = 0; // i32, the errno it broke with
const LEADER: u32 = 4; // u32, number of the vCPU that leads + 1, 0 = nobody
const FILE: u32 = 8; // u32, its number in rings
const BUFFER: u32 = 12; // u32, address
const BUFFER_BYTES: u32 = 16; // u32
const RESERVED: u32 = 64; // u64, LSN of the record that was begun last
const FILLED: u32 = 128; // u64
const DURABLE: u32 = 192; // u64
const WANTED: u32 = 256; // u64, the highest LSN that somebody waits for
const ASKED: u32 = 264; // u32, commits asked for since the last group was taken
// The leader's.
const ALLOCATED: u32 = 328; // u64, so long is the file
const FLUSH_US: u32 = 336; // u64, what a flush takes: the measured ones, older ones count less
const EXPECTED: u32 = 344; // u32, commits that are to be expected in a group
const SKIP: u32 = 348; // u32, groups that are not waited for, because it did not pay
const BACKOFF: u32 = 352; // u32
const GROUPS: u32 = 356; // u32, since boot
const REQUESTS: u32 = 512; // what a flush asks for: at most four

/** The file grows by so much, zeros that have their place: a sync has less to write then. */
const EXTENT_BYTES: u32 = 4 << 20;
export const BUFFER_BYTES_MIN: u32 = 4 * record.RECORD_BYTES_MAX;
const BACKOFF_MAX: u32 = 64;
/** How often a waiter looks whether the leader lives. */
const LOOK: u32 = 256;

/** The log that this vCPU appends to. */
let log: u32 = 0;
/** This vCPU leads: it waits for others, or for the device. */
let isLeader: bool = false;
let isGathering: bool = false;
let isFlushing: bool = false;
/** When it began to lead, and how many commits there were. */
let openedAt: u64 = 0;
let openedWith: u32 = 0;
/** The group: when it was begun, its commits, its end, and from where on it is not written yet. */
let begunAt: u64 = 0;
let commits: u32 = 0;
let groupEnd: u64 = 0;
let written: u64 = 0;
/** Requests of the chain that is under way; the first makes the file longer. */
let parts: u32 = 0;
let isGrowing: bool = false;
/** Why append() gave 0: an errno. */
export let failure: i32 = 0;

/**
 * Opens the log in the registered file, for all vCPUs: `block` is a frame, `buffer` a power of two of bytes in the DMA
 * window. 0 or a negative errno: -EINVAL, or what the file says.
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
  log = block;
  isLeader = false;
  isGathering = false;
  isFlushing = false;
  if (atomic.load<u32>(log, LEADER) == vcpu.index + 1) breakWith(EIO); // one of before that had this number
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


@inline
function at(place: u64): u32 {
  return load<u32>(log, BUFFER) + ((<u32>place) & (load<u32>(log, BUFFER_BYTES) - 1));
}

/** Copies to a place of the buffer, around its end. Padding and headers are whole there: its size is a multiple of theirs. */
function put(place: u64, from: u32, bytes: u32): void {
  const to = at(place);
  const straight = min<u32>(bytes, load<u32>(log, BUFFER) + load<u32>(log, BUFFER_BYTES) - to);
  memory.copy(to, from, straight);
  if (bytes > straight) memory.copy(load<u32>(log, BUFFER), from + straight, bytes - straight);
}

/** What the log is broken with, 0 when it is not. */
@inline
export function broken(): i32 {
  return atomic.load<i32>(log, BROKEN);
}

function breakWith(errno: i32): void {
  atomic.cmpxchg<i32>(log, 0, errno, BROKEN);
  atomic.notify(log + DURABLE, -1);
}

export function durable(): u64 {
  return atomic.load<u64>(log, DURABLE);
}


@inline
export function isDurable(lsn: u64): bool {
  return atomic.load<u64>(log, DURABLE) >= lsn;
}

/** Groups flushed since boot; what a flush takes, in us. */
export function groups(): u32 {
  return atomic.load<u32>(log, GROUPS);
}
export function flushUs(): u64 {
  return atomic.load<u64>(log, FLUSH_US);
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

/** Returns when everything up to `lsn` is durable: 0, or the negative errno that the log is broken with; -EINVAL for what was not appended. */
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

/** Waits a little for what step() goes on with: the device, or others; `turn` is how often the caller has waited. */
export function rest(turn: u32): void {
  if (isFlushing) {
    if (requests.waitAny() < 0) breakWith(EIO);
  } else if (isLeader) spinlock.pause(turn, log + ASKED);
  else {
    spinlock.pause(turn, log + DURABLE);
    if (turn % LOOK == LOOK - 1) checkLeader();
  }
}

function checkLeader(): void {
  const leader = atomic.load<u32>(log, LEADER);
  if (leader == 0) return;
  const state = atomic.load<u32>(map.vcpuBlock(leader - 1), VCPU_STATE);
  if (state == VCPU_ABSENT || state == VCPU_DEAD) breakWith(EIO);
}

/** Does what can be done now for the group that this vCPU leads, or leads one if somebody is to. 0, or why the log is broken. */
export function step(): i32 {
  if (broken() != 0) return -broken();
  if (!isLeader && !lead()) return 0;
  if (!isFlushing && enough()) begin();
  if (isFlushing) {
    requests.poll();
    if (requests.isDone(part(parts - 1))) arrived();
  }
  return -broken();
}

function lead(): bool {
  if (isDurable(atomic.load<u64>(log, WANTED))) return false;
  if (atomic.cmpxchg<u32>(log, 0, vcpu.index + 1, LEADER) != 0) return false;
  isLeader = true;
  openedAt = clock.now();
  openedWith = atomic.load<u32>(log, ASKED);
  if (!isDurable(atomic.load<u64>(log, WANTED))) return true;
  leave(); // the leader before this one had it in its group
  return false;
}

function leave(): void {
  isLeader = false;
  atomic.store<u32>(log, 0, LEADER);
  atomic.notify(log + DURABLE, -1);
}

/**
 * Whether to begin: when all are there that came to the last groups, or at once when waiting has not paid. It pays when those who come
 * meanwhile, a flush each, save more than those who are there lose.
 */
function enough(): bool {
  const asked = atomic.load<u32>(log, ASKED);
  const skip = load<u32>(log, SKIP);
  if (skip > 0) {
    store<u32>(log, skip - 1, SKIP);
    return true;
  }
  const isComplete = asked >= load<u32>(log, EXPECTED);
  if (isComplete && !isGathering) return true;
  const waitedUs = clock.now() - openedAt;
  const flushUs = load<u64>(log, FLUSH_US);
  isGathering = true;
  if (!isComplete && waitedUs < flushUs >> 2) return false;
  const paid = (asked - openedWith) * flushUs >= openedWith * waitedUs;
  const backoff = paid ? 0 : min<u32>(load<u32>(log, BACKOFF) * 2 + 1, BACKOFF_MAX);
  store<u32>(log, backoff, BACKOFF);
  store<u32>(log, backoff, SKIP);
  return true;
}

/** Takes everything that is there into a group. */
function begin(): void {
  isGathering = false;
  isFlushing = true;
  begunAt = clock.now();
  commits = atomic.xchg<u32>(log, 0, ASKED);
  groupEnd = atomic.load<u64>(log, FILLED);
  written = atomic.load<u64>(log, DURABLE);
  flush();
}

/** Asks for what is left to do of the group, one after the other: a longer file, the bytes in one piece or two, a sync. */
function flush(): void {
  const allocated = load<u64>(log, ALLOCATED);
  const end = load<u32>(log, BUFFER) + load<u32>(log, BUFFER_BYTES);
  parts = 0;
  isGrowing = groupEnd > allocated;
  if (isGrowing) follow(OP_ALLOCATE, 0, <u32>(groupEnd - allocated) + EXTENT_BYTES, allocated);
  for (let place = written; place < groupEnd;) {
    const from = at(place);
    const bytes = <u32>min<u64>(groupEnd - place, end - from);
    follow(OP_WRITE, from, bytes, place);
    place += bytes;
  }
  follow(OP_FDATASYNC, 0, 0, 0);
  if (requests.add(part(0), requests.HIGH, 0)) requests.pump();
  else fail(EIO);
}


@inline
function part(index: u32): u32 {
  return log + REQUESTS + index * requests.REQUEST_BYTES;
}

function follow(operation: u32, address: u32, bytes: u32, place: u64): void {
  requests.fill(part(parts), operation, load<u32>(log, FILE), address, bytes, place);
  if (parts > 0) requests.link(part(parts - 1), part(parts));
  parts += 1;
}

/** The chain has ended: the group is durable, or goes on after a write that was short, or has failed. */
function arrived(): void {
  for (let i: u32 = 0; i < parts; i++) {
    const result = load<i32>(part(i), requests.REQUEST_RESULT);
    const isWrite = i >= u32(isGrowing) && i + 1 < parts;
    if (result == -ECANCELED && i > 0) return flush();
    if (result < 0) return fail(-result);
    if (isWrite && result == 0) return fail(EIO);
    if (isWrite) written += result;
    else if (i + 1 < parts) store<u64>(log, groupEnd + EXTENT_BYTES, ALLOCATED);
  }
  const took = clock.now() - begunAt;
  const before = load<u64>(log, FLUSH_US);
  atomic.store<u64>(log, before == 0 ? took : (before * 7 + took) >> 3, FLUSH_US);
  const seen = commits + atomic.load<u32>(log, ASKED);
  const expected = load<u32>(log, EXPECTED);
  store<u32>(log, max<u32>(seen, (seen + expected) >> 1), EXPECTED);
  atomic.store<u32>(log, load<u32>(log, GROUPS) + 1, GROUPS);
  isFlushing = false;
  atomic.store<u64>(log, groupEnd, DURABLE);
  leave();
}

function fail(errno: i32): void {
  breakWith(errno);
  isFlushing = false;
  leave();
}
