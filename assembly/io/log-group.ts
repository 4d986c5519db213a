// The leader of a log: it gathers a group, writes it, syncs, says so.
//
// Interface   step() does what this vCPU can do now: it leads if somebody is to and nobody does. rest() waits
//             for what step() goes on with. reset() is for a vCPU that begins.
// The group   Whoever wants what is not durable and finds no leader is it. While its flush is under way others append, and that is the next
//             group: a slow device makes large ones. A leader waits before it begins only as long as that
//             pays (enough()): those whom the last flush has released mostly come back at once, and a flush
//             for the first of them lets all the others wait for the next.
// Invariants  LOG-4  `durable` goes forward after the write and the fdatasync of everything before it have
//                    succeeded. What a flush that failed has left on the device nobody knows: the log is
//                    broken from then on, and says so to everybody.
// Concurrency One leader at a time; it is to step until its group has ended. One that died breaks the log.
// Cost        a group one turn of the I/O service: a write and a sync, linked.

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

/** The file grows by so much, zeros that have their place: a sync has less to write then. */
export const EXTENT_BYTES: u32 = 4 << 20;
const BACKOFF_MAX: u32 = 64;
/** How often a waiter looks whether the leader lives. */
const LOOK: u32 = 256;

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
/** This vCPU leads nothing. One of before that had its number may have led: what came of it nobody knows. */
export function reset(): void {
  isLeader = false;
  isGathering = false;
  isFlushing = false;
  if (atomic.load<u32>(log, LEADER) == vcpu.index + 1) breakWith(EIO);
}

/** Groups flushed since boot; what a flush takes, in us. */
export function groups(): u32 {
  return atomic.load<u32>(log, GROUPS);
}
export function flushUs(): u64 {
  return atomic.load<u64>(log, FLUSH_US);
}

/**
 * Does what can be done now for the group that this vCPU leads, or leads one if somebody is to. 0, or why the
 * log is broken.
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
  leave(); // the leader before this one had it in its group
  return false;
}

function leave(): void {
  isLeader = false;
  atomic.store<u32>(log, 0, LEADER);
  atomic.notify(log + DURABLE, -1);
}

/**
 * Whether to begin: when all are there that came to the last groups, or at once when waiting has not paid. It
 * pays when those who come meanwhile, a flush each, save more than those who are there lose.
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

/**
 * Asks for what is left to do of the group, one after the other: a longer file, the bytes in one piece or
 * two, a sync.
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

/**
 * Waits a little for what step() goes on with: the device, or others; `turn` is how often the caller has
 * waited.
 */
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
