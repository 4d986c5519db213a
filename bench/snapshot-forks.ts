// A snapshot of a snapshot with private pages: the first of its parent, then others.

import { MicroVM } from '../host/index.ts';
import { TOUCH } from './guests.ts';

interface ForkTimes {
  /** Microseconds of each first fork of a parent. */
  first: number[];
  /** Of a second one of the same parent, and of one of the fork. */
  later: number[];
}

export async function forkTimes(privatePages: number, rounds: number): Promise<ForkTimes> {
  const vm = await MicroVM.create({ guest: TOUCH, guestLimit: 52000 * 65536 });
  const times: ForkTimes = { first: [], later: [] };
  for (let i = 0; i < rounds; i++) {
    const parent = vm.snapshot();
    await parent.run('touch', 0, privatePages, i);
    const forks = [parent];
    for (const [series, from] of [
      ['first', 0],
      ['later', 0],
      ['later', 1],
    ] as const) {
      const before = performance.now();
      const fork = forks[from]!.snapshot();
      times[series].push((performance.now() - before) * 1000);
      forks.push(fork);
    }
    for (const fork of forks) await fork.release();
  }
  await vm.close();
  return times;
}
