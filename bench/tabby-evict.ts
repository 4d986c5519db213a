// What a reader whose pages are all in memory keeps of its throughput while another vCPU evicts as fast as it
// can (the paper's figure 19): with Tabby, and with an eager shootdown at each eviction. The baseline is the
// same reader while the evictor runs in a VM of its own: the machine is as busy, but no eviction concerns the
// reader.
//
//   node dist/bench/tabby-evict.js [--smoke]

import { Worker } from 'node:worker_threads';
import { createPool, type Design, type Pool } from '../tests/tabby/pool.ts';
import type { Plot } from './plot.ts';
import { atLeast, isSmoke, median, report, type Row } from './report.ts';
import type { EvictorData } from './tabby-evict-worker.ts';

const FRAMES = 4096;
const PAGES = isSmoke ? 3 * FRAMES : 16 * FRAMES;
const HOT = 1024;
const TURNS = 2 ** 14;
const SLICE_MS = isSmoke ? 20 : 150;
const ROUNDS = isSmoke ? 2 : 15;
const STOP_AT = 512;
const EVICTIONS = 2;

interface Side {
  pool: Pool;
  flags: Int32Array;
  worker: Worker;
}

async function side(design: Design): Promise<Side> {
  const pool = await createPool(FRAMES, { design });
  if (pool.call('makePages', PAGES) !== 0) throw new Error('pages are not made');
  const flags = new Int32Array(new SharedArrayBuffer(12));
  const data: EvictorData = {
    handle: pool.vm.handle,
    first: HOT,
    count: PAGES - HOT,
    stopAt: STOP_AT,
    flags: flags.buffer as SharedArrayBuffer,
  };
  const worker = new Worker(new URL('./tabby-evict-worker.js', import.meta.url), {
    workerData: data,
  });
  await new Promise((resolve) => worker.once('message', resolve));
  return { pool, flags, worker };
}

function setStop({ pool }: Side, value: number): void {
  Atomics.store(new Int32Array(pool.vm.memory.buffer), STOP_AT / 4, value);
}

function go(evictor: Side): void {
  setStop(evictor, 0);
  Atomics.store(evictor.flags, 0, 1);
  Atomics.notify(evictor.flags, 0);
}

async function halt(evictor: Side): Promise<void> {
  const rounds = Atomics.load(evictor.flags, 2);
  Atomics.store(evictor.flags, 0, 0);
  setStop(evictor, 1);
  while (Atomics.load(evictor.flags, 2) === rounds)
    // polls
    await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Million reads a second for one slice. */
function readers({ pool }: Side): number {
  const begin = performance.now();
  let turns = 0;
  while (performance.now() - begin < SLICE_MS) {
    pool.call('operationsRandom', HOT - 1, TURNS);
    turns += TURNS;
  }
  return turns / (performance.now() - begin) / 1000;
}

const apart = await side('test');
const sides: Record<string, Side> = { tabby: await side('test'), eager: await side('eager') };
const kept: Record<string, number[]> = {};
const rates: Record<string, number[]> = {};
const add = (to: Record<string, number[]>, name: string, value: number): void => {
  (to[name] ??= []).push(value);
};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, own] of Object.entries(sides)) {
    readers(own);
    add(rates, `${name}, alone`, readers(own));
    go(apart);
    const beside = readers(own);
    await halt(apart);
    const before = own.pool.call('stat', EVICTIONS);
    const from = performance.now();
    go(own);
    const disturbed = readers(own);
    await halt(own);
    const evictions = own.pool.call('stat', EVICTIONS) - before;
    add(kept, name, disturbed / beside);
    add(rates, `${name}, evictions elsewhere`, beside);
    add(rates, `${name}, evictions here`, disturbed);
    add(rates, `${name}, thousand evictions/s`, evictions / (performance.now() - from));
  }
}
for (const { pool, flags, worker } of [apart, ...Object.values(sides)]) {
  Atomics.store(flags, 0, 2);
  Atomics.notify(flags, 0);
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  await pool.close();
}

const rows = Object.entries(kept).map(([name, shares]): Row => ({
  figure: `${name}: throughput left`,
  value: median(shares).toFixed(3),
  ratio: `${median(rates[`${name}, evictions here`]!).toFixed(1)} of ${median(rates[`${name}, evictions elsewhere`]!).toFixed(1)} M reads/s, ${median(rates[`${name}, alone`]!).toFixed(1)} alone; ${median(rates[`${name}, thousand evictions/s`]!).toFixed(0)} K evictions/s`,
  ...(name === 'tabby' ? atLeast(median(shares), 0.95, '') : {}),
}));
const points = Object.entries(rates).flatMap(([name, samples]) => {
  const [series, group] = name.split(', ') as [string, string];
  return group.startsWith('thousand') ? [] : [{ group, series, samples }];
});
const plots: Plot[] = [
  {
    title: 'A reader in memory while another vCPU evicts as fast as it can',
    values: 'million reads a second',
    points,
    paper: 'figure 19: shootdowns cost up to half of the throughput; Tabby is flat',
  },
];
report('tabby-evict', rows, { kept, rates }, plots);
