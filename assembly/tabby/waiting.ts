// How a vCPU waits for a latch or a lock of the pool.
//
// Invariants  TAB-5  A vCPU that waits for long leaves its operation (operation.invalidate): so two that wait
//                    for each other's operations or latches never do so for ever.
//             TAB-13 A vCPU that waits takes its completions meanwhile: a vCPU that waits for a page that
//             this one reads gets
//                    it, so two that wait for each other's pages both go on.

import * as interrupts from '../designs/interrupts';
import * as spinlock from '../machine/spinlock';
import * as arrivals from './arrivals';
import * as operation from './operation';

/** Turns after which this vCPU leaves its operation: about as long as a short sleep. */
const PATIENCE: u32 = 100;

/** Waits a little for the word at `word` to change; `turn` is how often the caller has waited for it. */
export function wait(turn: u32, word: u32): void {
  if (turn == PATIENCE) operation.invalidate();
  interrupts.poll();
  if (arrivals.reading != 0) arrivals.poll();
  spinlock.pause(turn, word);
}
