// What an access to a page costs through Tabby, against a raw pointer to the same frame, in one run.
//
//   node dist/bench/tabby-pin.js [--smoke]

import { createPool } from '../tests/tabby/pool.ts';
import { takeTurns, type Task } from './micro.ts';
import { pointsOf, type Plot } from './plot.ts';
import { atMost, isSmoke, report, type Row, signed } from './report.ts';

const PAGES = isSmoke ? 2 ** 12 : 2 ** 18; // 1 GiB
const HOT_TURNS = 2 ** 14; // some 50 us: short enough to find a busy machine idle
const HOT_REPEATS = isSmoke ? 4 : 64;
const RANDOM_TURNS = isSmoke ? 2 ** 14 : 2 ** 17;
const FAULT_TURNS = isSmoke ? 2 ** 8 : 2 ** 11;
const ROUNDS = isSmoke ? 3 : 60;

const pool = await createPool(PAGES, { memory: Math.max(2 ** 28, PAGES * 4096 * 2) });
const made = pool.call('makePages', PAGES);
if (made !== 0) throw new Error(`pages are not made: ${made}`);
const first = pool.call('frameOf', 0n);
const hot = pool.call('frameOf', 5n);
const mask = PAGES - 1;

const small = await createPool(1024, { memory: 2 ** 24 });
const FAULT_PAGES = 8192;
if (small.call('makePages', FAULT_PAGES) !== 0) throw new Error('pages are not made');

type Call = [name: string, turns: number, ...args: (number | bigint)[]];
const CALLS: Record<string, Call> = {
  'hot, raw': ['rawHot', HOT_TURNS, hot],
  'hot, compare-and-swap alone': ['swapHot', HOT_TURNS, hot],
  'hot, optimistic': ['optimisticHot', HOT_TURNS, 5n],
  'hot, exclusive pin': ['exclusiveHot', HOT_TURNS, 5n],
  'hot, shared pin': ['sharedHot', HOT_TURNS, 5n],
  'random, raw': ['rawRandom', RANDOM_TURNS, first, mask],
  'random, optimistic': ['optimisticRandom', RANDOM_TURNS, mask],
  'random, an operation each': ['operationsRandom', RANDOM_TURNS, mask],
  'random, shared pin': ['sharedRandom', RANDOM_TURNS, mask],
  'checksum of a page': ['checksums', FAULT_TURNS, hot],
};

const CALL_TURNS = 2 ** 16;
const tasks = Object.entries(CALLS).map(([name, [fn, turns, ...args]]): [string, Task] => {
  const calls = name.startsWith('hot') ? HOT_REPEATS : 1;
  return [name, { run: () => pool.call(fn, ...args, turns), turns, calls }];
});
const fault = (): void => {
  if (small.call('faults', 0n, FAULT_PAGES, FAULT_TURNS) !== 0) throw new Error('a fault failed');
};
const { nothing } = pool.vm.enter().exports;
const bare = pool.vm.enter().instance.exports['nothing'] as () => void;
const calling = (body: () => unknown): Task => ({
  run: () => {
    for (let i = 0; i < CALL_TURNS; i++) body();
  },
  turns: CALL_TURNS,
});
const all: Record<string, Task> = {
  ...Object.fromEntries(tasks),
  'fault, page cached by the host': { run: fault, turns: FAULT_TURNS },
  'call of an exported function': calling(nothing!),
  'the same, not entering the vCPU': calling(bare),
};
const samples = takeTurns(all, ROUNDS);
await pool.close();
await small.close();

/** The best of many short rounds: the machine may be busy. */
const ns = (name: string): number => Math.min(...samples.get(name)!);
const GOALS: Record<string, number> = {
  'hot, optimistic': 2,
  'hot, exclusive pin': 4,
  'hot, shared pin': 4,
};
const rows = [...samples.keys()].map((name): Row => {
  if (!/^(hot|random)/.test(name))
    return { figure: name, value: `${ns(name).toFixed(1)} ns, the best round` };
  const raw = ns(name.startsWith('hot') ? 'hot, raw' : 'random, raw');
  const goal = GOALS[name];
  return {
    figure: name,
    value: `${ns(name).toFixed(2)} ns, the best round`,
    ratio: `${signed(ns(name) - raw, 2)} ns, ${(ns(name) / raw).toFixed(2)}x`,
    ...atMost(ns(name) - raw, goal, ' ns above raw'),
  };
});
const points = pointsOf(
  samples,
  (name) => /^(hot|random), (.*)/.exec(name)?.slice(1) as [string, string],
);
const plots: Plot[] = [
  { title: 'Reading a word of a page in the pool', values: 'nanoseconds', points },
];
report('tabby-pin', rows, Object.fromEntries(samples), plots);
