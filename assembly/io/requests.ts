// Requests: the I/O that this vCPU wants, submitted to its queue in an order that guest code decides. This
// policy has two classes, deadlines, and a bound on the requests at the device.
//
//   request, 64 bytes of the caller's memory, which must stay valid until it is done:
//     u32 state   i32 result   u32 opcode   u32 file   u32 address   u32 length   u64 position
//     u64 deadline   u32 class   u32 next of its chain   u64 order
//
// Interface   attach() once per vCPU, instead of queue.attach(): this module then owns the queue. fill()
//             writes a request, link() makes another start when it has succeeded in full (SQE_LINK). add()
//             queues a request with its chain; pump() submits as many as the depth allows; poll() takes
//             completions, and pumps; wait() returns a request's result. setDepth() sets the bound.
// Invariants  REQ-1  Chains of a class leave in the order of their deadlines; one without a deadline gets the
//                    patience of its class.
//             REQ-2  HIGH goes before LOW, and LOW has at most `lowDepth` chains at the device, so that HIGH
//                    finds it little loaded. But of HIGH_RUN + 1 chains that leave while LOW waits, one is of
//                    LOW if its deadline has passed.
//             REQ-3  So none starves: in time each deadline becomes the earliest of its class, and passes.
// Concurrency Used by this vCPU alone. All vCPUs share the device, so their depths add up.
// Cost        about 50 ns to add and pump a request; one doorbell per pump.

import { RING_OWN, SQE_LINK } from '../abi/ring';
import * as clock from './clock';
import * as queue from './queue';

export const REQUEST_STATE: u32 = 0;
export const REQUEST_RESULT: u32 = 4;
const OPCODE: u32 = 8;
const FILE: u32 = 12;
const ADDRESS: u32 = 16;
const LENGTH: u32 = 20;
const POSITION: u32 = 24;
const DEADLINE: u32 = 32;
const CLASS: u32 = 40;
const NEXT: u32 = 44;
const ORDER: u32 = 48;
export const REQUEST_BYTES: u32 = 64;

// REQUEST_STATE.
const IDLE: u32 = 0; //      fill() -> add()
export const QUEUED: u32 = 1; //    add() -> pump()
export const UNDER_WAY: u32 = 2; // pump() -> poll()
export const DONE: u32 = 3; //      the result is valid

export const HIGH: u32 = 0; // a caller waits for it
export const LOW: u32 = 1; // in the background
const NONE: u32 = 2;
/** Chains of a class that can wait in its heap. */
const WAITING_MAX: u32 = 256;
/** Deadlines, from now, of chains added without one. */
const PATIENCE_HIGH_US: u64 = 10_000;
const PATIENCE_LOW_US: u64 = 1_000_000;
/** Chains of HIGH that may leave before an overdue one of LOW. */
const HIGH_RUN: u32 = 8;

/** A binary heap of request addresses per class, in the vCPU's own part of the first ring frame. */
let heaps: u32 = 0;
let highWaiting: u32 = 0;
let lowWaiting: u32 = 0;
/** Chains at the device, and those of LOW among them; their bounds. */
let underWay: u32 = 0;
let lowUnderWay: u32 = 0;
let depth: u32 = 32;
let lowDepth: u32 = 2;
/** Chains of HIGH that left since the last one of LOW. */
let highRun: u32 = 0;
let order: u64 = 0;

export function attach(): bool {
  if (!queue.attach()) return false;
  heaps = queue.rings + RING_OWN;
  highWaiting = 0;
  lowWaiting = 0;
  underWay = 0;
  lowUnderWay = 0;
  return true;
}

/** Bounds the chains at the device, and those of LOW among them: at least 1, and fewer than all. */
export function setDepth(all: u32, low: u32): void {
  depth = max<u32>(all, 2);
  lowDepth = max<u32>(min<u32>(low, depth - 1), 1);
}

/** `operation` is an OP_* of abi/ring.ts. */
export function fill(
  request: u32,
  operation: u32,
  file: u32,
  address: u32,
  bytes: u32,
  position: u64,
): void {
  store<u32>(request, IDLE, REQUEST_STATE);
  store<i32>(request, 0, REQUEST_RESULT);
  store<u32>(request, operation, OPCODE);
  store<u32>(request, file, FILE);
  store<u32>(request, address, ADDRESS);
  store<u32>(request, bytes, LENGTH);
  store<u64>(request, position, POSITION);
  store<u32>(request, 0, NEXT);
}

/** `after` starts when `request` has succeeded in full, else it ends with -ECANCELED. Call before add(). */
export function link(request: u32, after: u32): void {
  store<u32>(request, after, NEXT);
}

/**
 * Queues a chain; `deadline` is a time of clock.now(), or 0 for the patience of the class. False if too many
 * chains wait, or before attach().
 */
export function add(request: u32, klass: u32, deadline: u64): bool {
  const waiting = klass == HIGH ? highWaiting : lowWaiting;
  if (waiting == WAITING_MAX || heaps == 0) return false;
  if (deadline == 0) deadline = clock.now() + (klass == HIGH ? PATIENCE_HIGH_US : PATIENCE_LOW_US);
  store<u64>(request, deadline, DEADLINE);
  store<u64>(request, order++, ORDER);
  for (let part = request; part != 0; part = load<u32>(part, NEXT)) {
    store<u32>(part, QUEUED, REQUEST_STATE);
    store<u32>(part, klass, CLASS);
  }
  push(heapOf(klass), waiting, request);
  if (klass == HIGH) highWaiting += 1;
  else lowWaiting += 1;
  return true;
}

/** Submits as many chains as the depth allows, and rings once. */
export function pump(): void {
  let isNew = false;
  while (underWay < depth) {
    const klass = choose();
    if (klass == NONE) break;
    const heap = heapOf(klass);
    if (!submit(load<u32>(heap))) break; // completions will make room
    isNew = true;
    if (klass == HIGH) {
      pop(heap, --highWaiting);
      highRun += 1;
    } else {
      pop(heap, --lowWaiting);
      lowUnderWay += 1;
      highRun = 0;
    }
    underWay += 1;
  }
  if (isNew) queue.ring();
}

/** The class that is next to leave. */
function choose(): u32 {
  const lowMay = lowWaiting > 0 && lowUnderWay < lowDepth;
  if (highWaiting == 0) return lowMay ? LOW : NONE;
  if (!lowMay || highRun < HIGH_RUN) return HIGH;
  return load<u64>(load<u32>(heapOf(LOW)), DEADLINE) <= clock.now() ? LOW : HIGH;
}

/** Submits a chain to the queue; false if the whole chain does not fit. */
function submit(first: u32): bool {
  let count: u32 = 0;
  for (let part = first; part != 0; part = load<u32>(part, NEXT)) count += 1;
  if (queue.room() < count) return false;
  for (let part = first; part != 0; part = load<u32>(part, NEXT)) {
    store<u32>(part, UNDER_WAY, REQUEST_STATE);
    const flags = load<u32>(part, NEXT) != 0 ? SQE_LINK : 0;
    queue.submit(
      load<u32>(part, OPCODE),
      flags,
      load<u32>(part, FILE),
      load<u32>(part, ADDRESS),
      load<u32>(part, LENGTH),
      load<u64>(part, POSITION),
      part,
    );
  }
  return true;
}

/** Takes completions and pumps; returns how many requests are done. */
export function poll(): u32 {
  let done: u32 = 0;
  while (queue.next()) {
    const request = <u32>queue.userData;
    store<i32>(request, queue.result, REQUEST_RESULT);
    if (load<u32>(request, NEXT) == 0) {
      underWay -= 1;
      if (load<u32>(request, CLASS) == LOW) lowUnderWay -= 1;
    }
    store<u32>(request, DONE, REQUEST_STATE);
    done += 1;
  }
  pump();
  return done;
}

/** Returns when there is something to poll: 0; -EIO if nothing will complete; -EINVAL if none was added. */
export function waitAny(): i32 {
  pump();
  return queue.wait(1);
}

/** The request's result; -EIO if it will never be known: the operation may still happen. */
export function wait(request: u32): i32 {
  poll();
  while (load<u32>(request, REQUEST_STATE) != DONE) {
    const waited = queue.wait(1);
    if (waited < 0) return waited;
    poll();
  }
  return load<i32>(request, REQUEST_RESULT);
}


@inline
export function isDone(request: u32): bool {
  return load<u32>(request, REQUEST_STATE) == DONE;
}

// The heaps: the earliest deadline first, and for equal ones the earlier request.

@inline
function heapOf(klass: u32): u32 {
  return heaps + klass * (WAITING_MAX << 2);
}

function isBefore(a: u32, b: u32): bool {
  const first = load<u64>(a, DEADLINE);
  const second = load<u64>(b, DEADLINE);
  return first < second || (first == second && load<u64>(a, ORDER) < load<u64>(b, ORDER));
}

/** Adds to a heap of `count`. */
function push(heap: u32, count: u32, request: u32): void {
  let at = count;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const other = load<u32>(heap + (above << 2));
    if (!isBefore(request, other)) break;
    store<u32>(heap + (at << 2), other);
    at = above;
  }
  store<u32>(heap + (at << 2), request);
}

/** Removes the first element; `count` are left. */
function pop(heap: u32, count: u32): void {
  const request = load<u32>(heap + (count << 2));
  let at: u32 = 0;
  while (true) {
    let below = (at << 1) + 1;
    if (below >= count) break;
    let other = load<u32>(heap + (below << 2));
    if (below + 1 < count && isBefore(load<u32>(heap + ((below + 1) << 2)), other)) {
      below += 1;
      other = load<u32>(heap + (below << 2));
    }
    if (!isBefore(other, request)) break;
    store<u32>(heap + (at << 2), other);
    at = below;
  }
  store<u32>(heap + (at << 2), request);
}
