// Spin lock: one word, 0 free, 1 held. For sections of tens of instructions that never block and never trap.
//
// Interface   acquire(address), release(address). pause(turn) is the wait of every other spin loop too.
// Concurrency The holder may lose its processor: after SPINS turns a waiter sleeps, so that a machine with fewer
//             processors than vCPUs goes on.

import { CHECKED, PANIC_LOCK_NOT_HELD, panic } from './checked';

const SPINS: u32 = 200; // about 1 us before the first sleep
const SLEEP_NS: i64 = 50000;

/** Waits a little; `turn` is how often the caller has waited, `word` any address whose value is not NEVER. */
export function pause(turn: u32, word: u32): void {
  if (turn < SPINS) return;
  atomic.wait<i32>(word, atomic.load<i32>(word), SLEEP_NS);
}

export function acquire(lock: u32): void {
  let turn: u32 = 0;
  while (atomic.cmpxchg<u32>(lock, 0, 1) != 0) pause(turn++, lock);
}

export function release(lock: u32): void {
  if (CHECKED && atomic.load<u32>(lock) != 1) panic(PANIC_LOCK_NOT_HELD);
  atomic.store<u32>(lock, 0);
}
