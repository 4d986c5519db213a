// The leader of a log: it gathers a group of commits, writes it, syncs, and publishes what is durable.
//
// Interface   step() does what this vCPU can do now, and becomes leader if a leader is needed and there is
//             none. rest() waits for whatever lets step() proceed. reset() is for a vCPU that starts.
// The group   A vCPU that needs a record durable and finds no leader becomes it. While its flush is in
//             progress others append, and their records are the next group: a slow device makes large groups.
//             A leader waits before it starts only while that pays (enough()): vCPUs that the last flush
//             released mostly return at once, and a flush for the first of them alone makes the others wait
//             for the next one.
// Invariants  LOG-4  `durable` advances only after the write and the fdatasync of everything before it have
//                    succeeded. What a failed flush left on the device is unknown: the log is broken from
//                    then on, for every vCPU.
// Concurrency One leader at a time. It must call step() until its group has ended; if it dies, the log
//             breaks.
// Cost        one round trip of the I/O service per group: a write and a sync, linked.

import { ECANCELED, EIO } from '../abi/errno';
import { OP_ALLOCATE, OP_FDATASYNC, OP_WRITE } from '../abi/ring';
import { VCPU_ABSENT, VCPU_DEAD, VCPU_STATE } from '../abi/vcpu-block';
import * as map from '../machine/map';
import * as spinlock from '../machine/spinlock';
import * as vcpu from '../machine/vcpu';
import * as clock from './clock';
import {
  ALLOCATED,
  ASKED,
  BACKOFF,
  BUFFER,
  BUFFER_BYTES,
  DURABLE,
  EXPECTED,
  FILE,
  FILLED,
  FLUSH_US,
  GROUPS,
  LEADER,
  REQUESTS,
  SKIP,
  WANTED,
  at,
  breakWith,
  broken,
  isDurable,
  log,
} from './log-block';
import * as requests from './requests';

/** The file grows by this much at a time, in allocated zeros, so that a sync writes less metadata. */
export const EXTENT_BYTES: u32 = 4 << 20;
const BACKOFF_MAX: u32 = 64;
/** A waiter checks whether the leader is alive once in this many turns. */
const LOOK: u32 = 256;

/** This vCPU leads, and waits for other vCPUs or for the device. */
let isLeader: bool = false;
let isGathering: bool = false;
let isFlushing: bool = false;
/** When it became leader, and the value of ASKED then. */
let openedAt: u64 = 0;
let openedWith: u32 = 0;
/** The group: when it was formed, its commits, its end, and the position up to which it is written. */
let begunAt: u64 = 0;
let commits: u32 = 0;
let groupEnd: u64 = 0;
let written: u64 = 0;
/** Requests of the chain in progress; if isGrowing, the first one extends the file. */
let parts: u32 = 0;
let isGrowing: bool = false;
/**
 * This vCPU leads nothing. If an earlier vCPU with this index died while it led, the outcome of its flush is
 * unknown, and the log breaks.
 */
export function reset(): void {
  isLeader = false;
  isGathering = false;
  isFlushing = false;
  if (atomic.load<u32>(log, LEADER) == vcpu.index + 1) breakWith(EIO);
}

/** Groups flushed since boot; time of a flush in us. */
export function groups(): u32 {
  return atomic.load<u32>(log, GROUPS);
}
export function flushUs(): u64 {
  return atomic.load<u64>(log, FLUSH_US);
}

/**
 * Advances the group that this vCPU leads, or becomes leader if one is needed. 0, or the negative errno that
 * broke the log.
 */
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
  leave(); // the previous leader had it in its group
  return false;
}

function leave(): void {
  isLeader = false;
  atomic.store<u32>(log, 0, LEADER);
  atomic.notify(log + DURABLE, -1);
}

/**
 * Whether to flush now: when the group is as large as recent ones, or at once when gathering has not paid.
 * It pays if the flushes that late arrivals save outweigh the delay of the vCPUs already waiting.
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

/** Forms a group of everything that was appended so far. */
function begin(): void {
  isGathering = false;
  isFlushing = true;
  begunAt = clock.now();
  commits = atomic.xchg<u32>(log, 0, ASKED);
  groupEnd = atomic.load<u64>(log, FILLED);
  written = atomic.load<u64>(log, DURABLE);
  flush();
}

/**
 * Submits what remains of the group as one chain: an extension of the file, the bytes in one piece or two,
 * a sync.
 */
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

/** The chain has ended: the group is durable, or continues after a short write, or has failed. */
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

/** Waits briefly for the device or other vCPUs; `turn` counts the waits of the caller so far. */
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
