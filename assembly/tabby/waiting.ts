// How a vCPU waits for a latch or a lock of the pool.
//
// Invariants  TAB-5  A vCPU that waits for long leaves its operation (operation.invalidate), so two vCPUs
//                    that wait for each other's operations or latches do not deadlock.
//             TAB-13 A waiting vCPU takes its completions: a vCPU that waits for a page that this one is
//                    reading gets it, so two that wait for each other's pages both proceed.

import * as interrupts from '../designs/interrupts';
import * as spinlock from '../machine/spinlock';
import * as arrivals from './arrivals';
import * as operation from './operation';

/** Turns after which this vCPU leaves its operation: about the length of a short sleep. */
const PATIENCE: u32 = 100;

/** Waits briefly for the word at `word` to change; `turn` counts the caller's waits so far. */
export function wait(turn: u32, word: u32): void {
  if (turn == PATIENCE) operation.invalidate();
  interrupts.poll();
  if (arrivals.reading != 0) arrivals.poll();
  spinlock.pause(turn, word);
}
