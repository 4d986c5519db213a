// The event loop's turns: a program that only awaits stores lets timers and sockets have theirs.
//
// Interface   isDue(weight) says whether this thread's last turn of it is longer ago than TURN_MS; then
//             nextTurn() is to be awaited. The weight of a get or a put is 1, of what may take a millisecond
//             HEAVY.
// Cost        a counter for each promised call, a look at the clock, 40 ns, every HEAVY; a turn, some
//             microseconds, every TURN_MS at most.

import { atTurnEnd } from '#platform';

const TURN_MS = 5;
export const HEAVY = 16;

let last = 0;
let weight = 0;
let next: Promise<void> | undefined;

export function isDue(of = 1): boolean {
  weight += of;
  if (weight < HEAVY) return false;
  weight = 0;
  return performance.now() - last > TURN_MS;
}

/** Resolves when the event loop has had a turn. */
export function nextTurn(): Promise<void> {
  next ??= new Promise((resolve) => {
    atTurnEnd(() => {
      next = undefined;
      last = performance.now();
      resolve();
    });
  });
  return next;
}
