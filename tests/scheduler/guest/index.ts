// A guest for tests of the scheduler: tasks that write a log which shows in what order, and inside what, they
// ran. And for tests of timers:
// work that looks at nothing but its safepoints, and a handler that counts.

import { VCPU_PENDING } from '../../../assembly/abi/vcpu-block';
import { VECTOR_TASK, VECTOR_TIMER } from '../../../assembly/abi/vector';
import { setTimer } from '../../../assembly/index';
import { linkage, safepoint, vcpu } from '../../../assembly/linked';

const LOG_COUNT: u32 = 1024;
const DEPTH: u32 = 1028;
const DEEPEST: u32 = 1032;
const LOG: u32 = 65536; // u32 each: id << 1, or with bit 0 set when it ended
const LOG_MAX: u32 = 200000;

/** A register: each level has its own. */
let running: u32 = 0;

export function boot(frames: u32): void {
  linkage.attach(frames);
  memory.grow(16);
}

export function attach(frames: u32): void {
  linkage.attach(frames);
}

function log(value: u32): void {
  const at = atomic.add<u32>(LOG_COUNT, 1);
  if (at < LOG_MAX) store<u32>(LOG + (at << 2), value);
}

function begin(id: u32): void {
  if (running != 0) unreachable(); // two tasks of one level at once
  running = id;
  const depth = atomic.add<u32>(DEPTH, 1) + 1;
  if (depth > load<u32>(DEEPEST)) store<u32>(DEEPEST, depth);
  log(id << 1);
}

function end(id: u32): u32 {
  if (running != id) unreachable(); // another task has had this level's registers
  running = 0;
  atomic.sub<u32>(DEPTH, 1);
  log((id << 1) | 1);
  return id;
}

/** Works for `turns` turns, with a safepoint in each. */
export function work(id: u32, turns: u32): u32 {
  begin(id);
  for (let i: u32 = 0; i < turns; i++) safepoint.poll();
  return end(id);
}

/** The same while interrupts are masked; 0 if one was taken. */
export function workAlone(id: u32, turns: u32): u32 {
  begin(id);
  safepoint.mask(1 << VECTOR_TASK);
  const before = atomic.load<u32>(LOG_COUNT);
  for (let i: u32 = 0; i < turns; i++) safepoint.poll();
  const isAlone = atomic.load<u32>(LOG_COUNT) == before;
  safepoint.unmask(1 << VECTOR_TASK);
  end(id);
  return u32(isAlone);
}

export function fail(id: u32): u32 {
  begin(id);
  running = 0;
  atomic.sub<u32>(DEPTH, 1);
  unreachable();
  return 0;
}

/** Never ends by itself. */
export function hang(id: u32): u32 {
  while (true) safepoint.poll();
  return id;
}

export function deepest(): u32 {
  return load<u32>(DEEPEST);
}

export function logged(): u32 {
  return atomic.load<u32>(LOG_COUNT);
}

export function logAt(index: u32): u32 {
  return load<u32>(LOG + (index << 2));
}

// --- timers

/** Registers: each vCPU has its own. */
let ticks: u32 = 0;
let others: u32 = 0;
let handling: u32 = 0;
let deepestHandler: u32 = 0;
let handlerTurns: u32 = 0;
let mayTrap: bool = false;

export function onInterrupt(vector: i32): void {
  if (vector != VECTOR_TIMER) {
    others += 1;
    return;
  }
  ticks += 1;
  handling += 1;
  deepestHandler = max(deepestHandler, handling);
  for (let i: u32 = 0; i < handlerTurns; i++) safepoint.poll();
  if (mayTrap) {
    mayTrap = false;
    handling -= 1;
    unreachable();
  }
  handling -= 1;
}

export function timer(us: u32, everyUs: u32): i32 {
  return setTimer(us, everyUs);
}

export function tickCount(): u32 {
  return ticks;
}

export function otherCount(): u32 {
  return others;
}

export function handlerDepth(): u32 {
  return deepestHandler;
}

export function setHandlerTurns(turns: u32): void {
  handlerTurns = turns;
}

export function trapAtNextTick(): void {
  mayTrap = true;
}

/**
 * Computes, a safepoint in each turn, until the handler has run so often; turns that took, 0 if more than
 * `turnsMax`.
 */
export function computeUntil(wanted: u32, turnsMax: u64): u64 {
  for (let i: u64 = 1; i <= turnsMax; i++) {
    safepoint.poll();
    if (ticks >= wanted) return i;
  }
  return 0;
}

/**
 * Computes until the timer is pending with its vector masked; ticks at the end, before and after it was
 * unmasked.
 */
export function computeMasked(turnsMax: u64): u64 {
  safepoint.mask(1 << VECTOR_TIMER);
  for (let i: u64 = 0; i < turnsMax; i++) {
    safepoint.poll();
    if ((atomic.load<u32>(vcpu.block, VCPU_PENDING) & (1 << VECTOR_TIMER)) != 0) break;
  }
  for (let i: u32 = 0; i < 1000; i++) safepoint.poll();
  const before = ticks;
  safepoint.unmask(1 << VECTOR_TIMER);
  return ((<u64>before) << 32) | ticks;
}
