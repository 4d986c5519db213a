// Functions that vCPUs call on each other, and ways to call them: for tests of remote calls, and for
// bench/ipi.

import { ipi, remoteCall, vcpu } from '../../../assembly/linked';

const ADD: u32 = 0; // adds to the word of this vCPU at SERVED, and says what it was
const TWICE: u32 = 1;
const BACK: u32 = 2; // calls TWICE on the vCPU in the upper half, which waits for this one meanwhile
const TRAP: u32 = 3;
const MARK: u32 = 4; // stores to the word at the address in the upper half

/** u32 per vCPU: calls of ADD that it has served; calls of it that others made and saw the end of. */
const SERVED: u32 = 4096;
const MADE: u32 = 4352;
/** Words: vCPUs that are done with their turns; that are there. */
const DONE: u32 = 4608;
const THERE: u32 = 4612;

const LOST: i32 = -2001;
const WRONG: i32 = -2002;
const REFUSED: i32 = -2003;
const OPEN_MAX: u32 = 4; // functions that they call have open calls too

export function onCall(fn: u32, arg: u64): u64 {
  const high = <u32>(arg >> 32);
  switch (fn) {
    case ADD:
      return atomic.add<u32>(SERVED + (vcpu.index << 2), 1);
    case TWICE:
      return arg * 2;
    case BACK: {
      const ticket = remoteCall.call(high, TWICE, arg & 0xffffffff);
      return ticket != 0 && remoteCall.awaitResult(ticket) ? remoteCall.result + 1 : 0;
    }
    case MARK:
      atomic.store<u32>(high, <u32>arg);
      return 0;
    default:
      unreachable();
      return 0;
  }
}

/** One call, waited for: what it returned, or what went wrong. */
export function callOne(index: u32, fn: u32, arg: u64): i64 {
  const ticket = remoteCall.call(index, fn, arg);
  if (ticket == 0) return REFUSED;
  return remoteCall.awaitResult(ticket) ? remoteCall.result : LOST;
}

let open: u32 = 0;

/** Asks, and does not wait. */
export function askFor(index: u32, fn: u32, arg: u64): bool {
  open = remoteCall.call(index, fn, arg);
  return open != 0;
}

/** 1: the call of askFor() is over, 0: not yet. */
export function isAnswered(): i32 {
  return i32(remoteCall.isOver(open));
}

export function answer(): i64 {
  return remoteCall.awaitResult(open) ? remoteCall.result : LOST;
}

let state: u64 = 1;

function random(below: u32): u32 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return <u32>((state >> 20) % below);
}


@inline
function ticketAt(i: u32): u32 {
  return 5120 + (vcpu.index << 9) + (i << 4);
}

/**
 * Calls functions on vCPUs [0, count) in groups and looks at the results, then serves until `count - 1`
 * others are done as well.
 */
export function callOthers(seed: u64, turns: u32, count: u32): i32 {
  state = seed | 1;
  gather(THERE, count);
  let result = 0;
  for (let turn: u32 = 0; turn < turns && result == 0; turn++) result = group(count);
  gather(DONE, count);
  return result;
}

/** Waits for all but the first, which is in the host. */
function gather(word: u32, count: u32): void {
  atomic.add<u32>(word, 1);
  while (atomic.load<u32>(word) < count - 1) ipi.poll();
}

function group(count: u32): i32 {
  const size: u32 = 1 + random(OPEN_MAX);
  for (let i: u32 = 0; i < size; i++) {
    const fn = random(3);
    const target = random(count);
    let arg: u64 = random(1 << 30);
    if (fn == BACK) arg |= (<u64>vcpu.index) << 32;
    const ticket = remoteCall.call(target, fn, arg);
    if (ticket == 0) return REFUSED;
    if (fn == ADD) atomic.add<u32>(MADE + (target << 2), 1);
    store<u32>(ticketAt(i), ticket);
    store<u32>(ticketAt(i), fn, 4);
    store<u64>(ticketAt(i), arg, 8);
    if (random(4) == 0) ipi.poll();
  }
  let result = 0;
  for (let i: u32 = 0; i < size; i++) {
    const fn = load<u32>(ticketAt(i), 4);
    const arg = load<u64>(ticketAt(i), 8) & 0xffffffff;
    if (!remoteCall.awaitResult(load<u32>(ticketAt(i)))) result = LOST;
    else if (fn == TWICE && remoteCall.result != arg * 2) result = WRONG;
    else if (fn == BACK && remoteCall.result != arg * 2 + 1) result = WRONG;
  }
  return result;
}

export function served(index: u32): u32 {
  return atomic.load<u32>(SERVED + (index << 2));
}
export function made(index: u32): u32 {
  return atomic.load<u32>(MADE + (index << 2));
}

/** Works with a safepoint every few nanoseconds until the word at `stop` is set. */
export function serveUntil(stop: u32): i32 {
  while (atomic.load<u32>(stop) == 0) ipi.poll();
  return 0;
}

/** The other vCPU answers the word at `ping` in the word at `pong`, until it is 0xffffffff. */
export function echoWords(ping: u32, pong: u32): i32 {
  while (true) {
    const value = atomic.load<u32>(ping);
    if (value == 0xffffffff) return 0;
    atomic.store<u32>(pong, value);
  }
}

/** What two words between two vCPUs take, there and back, without an interrupt. */
export function pingWords(ping: u32, pong: u32, turns: u32): i32 {
  for (let i: u32 = 1; i <= turns; i++) {
    atomic.store<u32>(ping, i);
    while (atomic.load<u32>(pong) != i) {}
  }
  return 0;
}

/** Interrupts the vCPU and waits until its handler says, in the word at `mark`, that it is there. */
export function enterHandlers(index: u32, mark: u32, turns: u32): i32 {
  for (let i: u32 = 1; i <= turns; i++) {
    const ticket = remoteCall.call(index, MARK, ((<u64>mark) << 32) | i);
    if (ticket == 0) return REFUSED;
    while (atomic.load<u32>(mark) != i) {}
    remoteCall.awaitResult(ticket);
  }
  return 0;
}

/** Calls there and back. */
export function roundTrips(index: u32, turns: u32): i32 {
  for (let i: u32 = 0; i < turns; i++) if (callOne(index, TWICE, i) != i * 2) return WRONG;
  return 0;
}
