// Taking a snapshot, and the write faults after it: Snappy against Linux's fork and against the designs of
// guest/baselines, at several memory footprints (paper, figures 1, 13 and 14).
//
//   node dist/bench/snapshot.js [--smoke]

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MicroVM } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';
import { skip } from '../tests/peers.ts';
import { TOUCH, type TouchExports } from './guests.ts';
import type { Plot, Point } from './plot.ts';
import { atMost, isSmoke, median, report, summarise, type Row, type Summary } from './report.ts';
import { faultLoop, type FaultTimes } from './snapshot-faults.ts';
import { forkTimes } from './snapshot-forks.ts';

const GIB = 2 ** 30;
const SIZES_GIB = isSmoke ? [0.0625, 0.25] : [0.25, 1, 3];
const SNAPSHOTS = 1000;
const BATCHES = isSmoke ? 1 : 9; // of that many snapshots: a thread is preempted in some of them
// Until the engine has compiled the path permanently: its compilers take 0.3 ms of a core.
const WARM_UP = 3000;
const FAULT_PAGES = isSmoke ? 4000 : 60_000;
const ROUNDS = isSmoke ? 1 : 9;

interface Native {
  forkMedianUs: number;
  forkMaxUs: number;
  faultMeanUs: number;
  faultP999Us: number;
}

/** The fork program, built here; undefined without a C compiler. */
function buildFork(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-bench-'));
  const program = join(directory, 'fork');
  const { status } = spawnSync('cc', ['-O2', '-o', program, 'bench/peers/fork.c'], {
    stdio: 'inherit',
  });
  if (status === 0) return program;
  rmSync(directory, { recursive: true });
  skip("the comparison with Linux's fork", 'a C compiler, cc,');
  return undefined;
}

function runFork(program: string, bytes: number): Native {
  const output = execFileSync(program, [String(bytes), '15', String(FAULT_PAGES)], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as Native;
}

/** One summary a batch. */
async function takeSnapshots(bytes: number): Promise<Summary[]> {
  const vm = await MicroVM.create({ guest: TOUCH, guestLimit: 52000 * 65536 });
  const guest = vm.enter().exports as unknown as TouchExports;
  const samples = new Float64Array(BATCHES * SNAPSHOTS);
  for (let i = -WARM_UP; i < samples.length; i++) {
    if (i === 0) guest.touch(0, bytes / 4096, 1);
    const before = performance.now();
    const snapshot = vm.snapshot();
    const after = performance.now();
    if (i >= 0) samples[i] = (after - before) * 1000;
    snapshot[Symbol.dispose]();
  }
  await vm.close();
  return Array.from({ length: BATCHES }, (_, batch) =>
    summarise(samples.subarray(batch * SNAPSHOTS, (batch + 1) * SNAPSHOTS)),
  );
}

interface Schemes {
  choose(scheme: number): void;
  setup(pages: number, endPage: number): void;
  take(): void;
  release(): void;
  prepare(): void;
}

/** Median time of take(), in microseconds, of fork, epoch and instant. */
function takeBySchemes(bytes: number): number[] {
  const module = new WebAssembly.Module(readBuiltModule('baselines.wasm') as BufferSource);
  return [0, 1, 2].map((scheme) => {
    const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536, shared: true });
    const guest = new WebAssembly.Instance(module, { env: { memory } })
      .exports as unknown as Schemes;
    guest.choose(scheme);
    guest.setup(bytes / 4096, 65536 * 16);
    const samples: number[] = [];
    for (let i = 0; i < 15; i++) {
      guest.prepare();
      const before = performance.now();
      guest.take();
      samples.push((performance.now() - before) * 1000);
      guest.release();
    }
    return median(samples);
  });
}

interface Faults {
  one: FaultTimes;
  two: FaultTimes[];
}

/** Write faults of one writer, then of two at once, on frames that were used before. */
async function faults(): Promise<Faults[]> {
  const vm = await MicroVM.create({ guest: TOUCH, guestLimit: 52000 * 65536 });
  const guest = vm.enter().exports as unknown as TouchExports;
  guest.touch(0, 2 * FAULT_PAGES, 1);
  const other = new Worker(new URL('./fault-writer.js', import.meta.url), {
    workerData: { handle: vm.handle, first: FAULT_PAGES, pages: FAULT_PAGES },
  });
  const answer = (): Promise<unknown> => new Promise((resolve) => other.once('message', resolve));
  await answer();
  const results: Faults[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const first = vm.snapshot();
    const one = faultLoop(guest, 0, FAULT_PAGES);
    await first.release();
    const second = vm.snapshot();
    const start = new Int32Array(new SharedArrayBuffer(8));
    start[1] = 2;
    const reply = answer();
    other.postMessage(start);
    const mine = faultLoop(guest, 0, FAULT_PAGES, start);
    const two = [mine, (await reply) as FaultTimes];
    await second.release();
    if (round > 0) results.push({ one, two }); // the first round touches the frames for the first time
  }
  await other.terminate();
  await vm.close();
  return results;
}

const us = (value: number): string => `${value < 100 ? value.toFixed(2) : value.toFixed(0)} µs`;
const rows: Row[] = [];
const data: Record<string, unknown> = {};
const fork = buildFork();

const takes: number[] = []; // medians, by size
const taken: Point[] = [];
for (const gib of SIZES_GIB) {
  const bytes = gib * GIB;
  const ours = await takeSnapshots(bytes);
  const schemes = takeBySchemes(bytes);
  const native = fork === undefined ? undefined : runFork(fork, bytes);
  const typical = median(ours.map((batch) => batch.median));
  takes.push(typical);
  const add = (series: string, ...samples: number[]): void =>
    void taken.push({ group: gib, series, samples });
  add('ringzero', ...ours.map((batch) => batch.median));
  ['table, counted', 'table, epochs', 'table, copied before'].forEach((name, i) =>
    add(name, schemes[i]!),
  );
  if (native) add('Linux fork', native.forkMedianUs);
  data[`take ${gib} GiB`] = { ours, schemes, native };
  rows.push(
    {
      figure: `snapshot, ${gib} GiB: median`,
      value: us(typical),
      ...atMost(typical, 2, ' µs'),
      ...(native && {
        ratio: `Linux fork ${us(native.forkMedianUs)}, ${(native.forkMedianUs / typical).toFixed(0)}x`,
      }),
    },
    {
      figure: `snapshot, ${gib} GiB: worst of ${SNAPSHOTS}`,
      value: us(median(ours.map(({ max }) => max))),
      ratio: `worst of ${BATCHES * SNAPSHOTS}: ${us(Math.max(...ours.map(({ max }) => max)))}`,
      ...atMost(median(ours.map(({ max }) => max)), 20, ' µs'),
    },
    {
      figure: `  table copies: counted / epoch / instant`,
      value: schemes.map(us).join(' / '),
      ratio: schemes.map((value) => `${(value / typical).toFixed(0)}x`).join(' / '),
    },
  );
}
if (takes.length > 1) {
  const flat = takes.at(-1)! / takes[0]!;
  rows.push({
    figure: 'snapshot: the largest memory, of the smallest',
    value: `${flat.toFixed(2)}x`,
    ...atMost(flat, 1.5, 'x'),
  });
}

const native = fork === undefined ? undefined : runFork(fork, GIB);
const results = await faults();
const means = results.map(({ one }) => one.loopMeanUs);
const tails = results.map(({ one }) => summarise(one.eachUs).p999);
const twoMeans = results.map(({ two }) => (two[0]!.loopMeanUs + two[1]!.loopMeanUs) / 2);
const slowdown = median(
  results.map(({ one, two }) => (two[0]!.loopMeanUs + two[1]!.loopMeanUs) / 2 / one.loopMeanUs),
);
data['faults'] = {
  means,
  tails,
  twoMeans,
  native,
  each: results.map(({ one }) => summarise(one.eachUs)),
};
rows.push(
  {
    figure: 'write fault: mean',
    value: us(median(means)),
    ...atMost(median(means), 1.5, ' µs'),
    ...(native && {
      ratio: `Linux ${us(native.faultMeanUs)}, ${(native.faultMeanUs / median(means)).toFixed(1)}x`,
    }),
  },
  {
    figure: 'write fault: p99.9',
    value: us(median(tails)),
    ...atMost(median(tails), 6, ' µs'),
    ...(native && {
      ratio: `Linux ${us(native.faultP999Us)}, ${(native.faultP999Us / median(tails)).toFixed(1)}x; worst of ${ROUNDS} rounds ${us(Math.max(...tails))}`,
    }),
  },
  {
    figure: 'write fault, two writers',
    value: us(median(twoMeans)),
    ratio: `${slowdown.toFixed(2)}x of one`,
    ...atMost(slowdown, 1.5, 'x'),
  },
);
const forks = await forkTimes(isSmoke ? 1000 : 16_384, isSmoke ? 3 : 41);
data['forks'] = forks;
rows.push({
  figure: 'snapshot of a snapshot, 64 MB of private pages',
  value: us(median(forks.later)),
  ratio: `the first of a parent: ${us(median(forks.first))}`,
  ...atMost(median(forks.first), 100, ' µs'),
});
const faultPoints: Point[] = [
  { group: 'mean', series: 'ringzero', samples: means },
  { group: 'p99.9', series: 'ringzero', samples: tails },
  { group: 'mean', series: 'ringzero, two writers', samples: twoMeans },
];
if (native) {
  const linux = { mean: native.faultMeanUs, 'p99.9': native.faultP999Us };
  for (const [group, value] of Object.entries(linux))
    faultPoints.push({ group, series: 'Linux fork', samples: [value] });
}
const plots: Plot[] = [
  {
    title: 'Taking a snapshot, by memory touched',
    values: 'microseconds',
    groups: 'GiB',
    isLog: true,
    points: taken,
    paper:
      'figures 1 and 13: fork grows with memory; epochs lie 21x below it; the instant snapshot is flat',
  },
  {
    title: 'First write to a page of a snapshot',
    values: 'microseconds',
    isLog: true,
    points: faultPoints,
    paper: 'figure 14: mean 2.1x and p99.9 2.3x below those of fork',
  },
];
report('snapshot', rows, data, plots);
if (fork !== undefined) rmSync(fork, { force: true });
process.exit(0);
