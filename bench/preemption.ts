// Payments of TPC-C that arrive at a steady rate during analyses that read all tables, on one vCPU's thread:
// what a payment waits with and without preemption, what the analyses lose, what safepoints cost (paper,
// section on preemptive scheduling).
//
//   node dist/bench/preemption.js [--smoke] [--warehouses N]

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Tasks, type TasksHandle } from '../host/index.ts';
import type { Plot, Point } from './plot.ts';
import {
  atMost,
  atLeast,
  isSmoke,
  median,
  numberOption,
  report,
  summarise,
  type Row,
  type Summary,
} from './report.ts';
import { startVcpus, type WorkerSetup } from './vcpus.ts';

const WAREHOUSES = numberOption('warehouses', isSmoke ? 1 : 8);
const MS = isSmoke ? 400 : 6000;
const ROUNDS = numberOption('rounds', isSmoke ? 1 : 5);
const EVERY_MS = 2;
const FRAMES = WAREHOUSES * 40_000 + 20_000;
const MIB = 2 ** 20;

mkdirSync('dist/bench-data', { recursive: true });
const directory = mkdtempSync('dist/bench-data/preemption-');
const memory = Math.min(4096, Math.ceil((FRAMES * 4.4) / 1024 / 16) * 16 + 128) * MIB;
const vcpus = await startVcpus({ guest: 'tpcc.wasm', vcpus: 0, memory, directory });
vcpus.call('setTime', Date.now());
vcpus.check('format', vcpus.descriptor, FRAMES, WAREHOUSES, 42n);
vcpus.check('loadItems');
for (let w = 1; w <= WAREHOUSES; w++) vcpus.check('loadWarehouse', w);

const workerData: WorkerSetup = { handle: vcpus.vm.handle, openFlags: 3 };
const worker = new Worker(new URL('./preemption-worker.js', import.meta.url), { workerData });
const [handle] = (await once(worker, 'message')) as [TasksHandle];
const tasks = new Tasks(handle);

interface Run {
  /** Latencies of payments in ms. */
  payments: Summary;
  /** Records a second that the analyses read. */
  rate: number;
}

/** Analyses one after the other; payments, if any, at `level`. */
async function run(level: number | undefined, safepoints = 1): Promise<Run> {
  const until = performance.now() + MS;
  const samples: number[] = [];
  const waiting: Promise<void>[] = [];
  const timer = setInterval(() => {
    if (level === undefined || waiting.length - samples.length > 50) return;
    const before = performance.now();
    waiting.push(
      tasks.submit('pay', [], { level }).then((result) => {
        if (result < 0) throw new Error(`payment: ${result}`);
        samples.push(performance.now() - before);
      }),
    );
  }, EVERY_MS);
  const began = performance.now();
  let records = 0;
  while (performance.now() < until) records += await tasks.submit('analyse', [safepoints]);
  const rate = records / ((performance.now() - began) / 1000);
  clearInterval(timer);
  await Promise.all(waiting);
  return { payments: summarise(Float64Array.from(samples)), rate };
}

await run(1);
const plain: number[] = [];
const polled: number[] = [];
const within: Run[] = [];
const queued: Run[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const order = round % 2 === 0 ? [0, 1] : [1, 0];
  for (const safepoints of order)
    (safepoints === 0 ? plain : polled).push((await run(undefined, safepoints)).rate);
  within.push(await run(1));
  queued.push(await run(0));
}
const middle = (runs: readonly Run[], of: (run: Run) => number): number => median(runs.map(of));
const percent = (part: number, whole: number): string =>
  `${((1 - part / whole) * 100).toFixed(1)} %`;
const rows: Row[] = (['median', 'p99', 'p999'] as const).map((which) => {
  const [ours, theirs] = [within, queued].map((runs) =>
    middle(runs, ({ payments }) => payments[which]),
  );
  return {
    figure: `payment during an analysis, ${which}`,
    value: `${ours!.toFixed(3)} ms`,
    ratio: `queued ${theirs!.toFixed(1)} ms, ${(theirs! / ours!).toFixed(0)}x`,
    ...(which === 'p99' && atLeast(theirs! / ours!, 100, 'x')),
  };
});
const base = median(polled);
rows.push(
  { figure: 'analyses: records a second', value: `${(base / 1e6).toFixed(1)} M/s` },
  {
    figure: '  lost to payments inside',
    value: percent(
      middle(within, ({ rate }) => rate),
      base,
    ),
  },
  {
    figure: '  lost to payments between',
    value: percent(
      middle(queued, ({ rate }) => rate),
      base,
    ),
  },
  {
    figure: '  cost of safepoints',
    value: percent(base, median(plain)),
    ...atMost((1 - base / median(plain)) * 100, 3, ' %'),
  },
);
const broken = vcpus.call('check');
if (broken !== 0) throw new Error(`consistency condition ${broken} does not hold`);
rows.push({ figure: 'all consistency conditions hold', value: 'afterwards' });
const latencies = (series: string, runs: readonly Run[]): Point[] =>
  (['median', 'p99', 'p999'] as const).map((which) => ({
    group: which === 'p999' ? 'p99.9' : which,
    series,
    samples: runs.map(({ payments }) => payments[which]),
  }));
const plots: Plot[] = [
  {
    title: 'A payment during an analysis on the same vCPU',
    values: 'milliseconds',
    isLog: true,
    points: [...latencies('at a safepoint inside it', within), ...latencies('queued', queued)],
  },
];
report('preemption', rows, { warehouses: WAREHOUSES, within, queued, polled, plain }, plots);
rmSync(directory, { recursive: true });
process.exit(0);
