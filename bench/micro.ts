// Micro-benchmarks: work of nanoseconds that is repeated inside one call, timed by tinybench.
//
// tinybench runs one task to its end before the next, which on a busy machine compares moments, not tasks. So
// each round is a tinybench of its own, with one call of each task, and rounds are repeated: the tasks take
// turns.

import { Bench } from 'tinybench';

export interface Task {
  /** Does `turns` operations in one call. Throws when its result is wrong. */
  readonly run: () => unknown;
  readonly turns: number;
  /** Calls in each round. Default 1. */
  readonly calls?: number;
}

/** Nanoseconds of one operation, in order of time: `calls` samples of each task. */
export function sample({ run, turns, calls = 1 }: Task): number[] {
  const bench = new Bench({ time: 0, iterations: calls, warmup: false, retainSamples: true });
  bench.add('task', () => void run());
  const [task] = bench.runSync();
  const { result } = task!;
  if ('error' in result && result.error !== undefined) throw result.error;
  if (!('latency' in result) || result.latency.samples === undefined)
    throw new Error(`the task was not measured: ${result.state}`);
  return result.latency.samples.map((ms) => (ms * 1e6) / turns);
}

/** The samples of tasks that take turns, after a first round that does not count. */
export function takeTurns(
  tasks: Readonly<Record<string, Task>>,
  rounds: number,
): Map<string, number[]> {
  const samples = new Map(Object.keys(tasks).map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const [name, task] of Object.entries(tasks)) {
      const taken = sample(task);
      if (round >= 0) samples.get(name)!.push(...taken);
    }
  return samples;
}
