// Spin lock: one word, 0 free, 1 held. For sections of tens of instructions that never block and never trap.
//
// Interface   acquire(address), release(address). Every other spin loop waits by pause(turn, word) too.
// Concurrency The holder may lose its processor: after SPINS turns a waiter sleeps, so that a machine with
//             fewer processors than vCPUs makes progress. A long series of sleeps checks whether a holder's
//             thread has ended (host/vm/departed.ts).

import { PANIC_LOCK_NOT_HELD } from '../abi/panic';
import { publish32 } from './barrier';
import { CHECKED, panic } from './checked';
import * as vcpu from './vcpu';

/**
 * Sleeps up to `us` microseconds while the word is `value`. The host's wait, not memory.atomic.wait32: around
 * that instruction the baseline compiler of V8 11.3 (Node 20) loses values that a loop keeps in registers.
 */
@external('hypervisor', 'sleep')
declare function sleep(word: u32, value: i32, us: i32): void;

const SPINS: u32 = 200; // about 1 us before the first sleep
const SLEEP_US: i32 = 50;

/** Waits briefly for `word` (4-byte aligned) to change; `turn` counts the caller's waits so far. */
export function pause(turn: u32, word: u32): void {
  if (turn < SPINS) return;
  sleep(word, atomic.load<i32>(word), SLEEP_US);
}

export function acquire(lock: u32): void {
  let turn: u32 = 0;
  while (atomic.cmpxchg<u32>(lock, 0, 1) != 0) pause(turn++, lock);
  vcpu.hold();
}

export function release(lock: u32): void {
  if (CHECKED && atomic.load<u32>(lock) != 1) panic(PANIC_LOCK_NOT_HELD);
  publish32(lock, 0);
  vcpu.letGo();
}
