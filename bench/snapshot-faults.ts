// Write faults, one call of the guest each, timed one by one; and in a loop of the guest, timed as a whole.

import type { TouchExports } from './guests.ts';

export interface FaultTimes {
  eachUs: Float64Array;
  /** Mean of the second half of the pages, faulted in one loop of the guest. */
  loopMeanUs: number;
}

/** Faults on `pages` pages; begins when `start[0]` counts `start[1]` writers. */
export function faultLoop(
  guest: TouchExports,
  first: number,
  pages: number,
  start?: Int32Array,
): FaultTimes {
  if (start !== undefined) {
    Atomics.add(start, 0, 1);
    while (Atomics.load(start, 0) < Atomics.load(start, 1)); // both begin together
  }
  const half = pages >> 1;
  const before = performance.now();
  guest.touch(first + half, pages - half, 1);
  const loopMeanUs = ((performance.now() - before) * 1000) / (pages - half);
  const eachUs = new Float64Array(half);
  for (let i = 0; i < half; i++) {
    const from = performance.now();
    guest.store((first + i) * 4096, 1);
    eachUs[i] = (performance.now() - from) * 1000;
  }
  return { eachUs, loopMeanUs };
}
