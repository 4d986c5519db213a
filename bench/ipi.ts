// Interrupts and remote calls between two vCPUs that run with safepoints: how long until the handler is
// entered, and until a result is back. Compared with what the processor itself takes to bring a word from one
// core to the other and back.
//
//   node dist/bench/ipi.js [--smoke]

import { Worker } from 'node:worker_threads';
import { MicroVM } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';
import type { MachineJob } from '../tests/tabby/machine-worker.ts';
import { sample } from './micro.ts';
import type { Plot } from './plot.ts';
import { atMost, isSmoke, percentile, report } from './report.ts';

const TLB_BYTES = 4096 * 8;
const TURNS = 50; // in a sample: short, so that few of them meet another program
const SAMPLES = isSmoke ? 200 : 20_000;
// Words of guest memory, each in a cache line of its own.
const [STOP, MARK, PING, PONG] = [512, 640, 768, 896];
const TARGET = 1;

const guest = readBuiltModule('tabby-test.wasm');
const vm = await MicroVM.create({ guest, linked: true, memory: 32 * 2 ** 20 });
const { exports } = vm.enter();
const words = new Int32Array(vm.memory.buffer);
exports['joinCalls']!(vm.claimWindow(TLB_BYTES));

/** The other vCPU does `call` while `measure` runs. */
async function beside(
  call: MachineJob['call'],
  measure: () => void,
  stop: () => void,
): Promise<void> {
  const ready = new SharedArrayBuffer(4);
  const job: MachineJob = { handle: vm.handle, tlb: vm.claimWindow(TLB_BYTES), ready, call };
  const worker = new Worker(new URL('../tests/tabby/machine-worker.js', import.meta.url), {
    workerData: job,
  });
  const end = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  while (Atomics.load(new Int32Array(ready), 0) === 0)
    // polls
    await new Promise((resolve) => setTimeout(resolve, 1));
  measure();
  stop();
  await end;
}

/** Microseconds of one turn, of many samples, in order. */
function sorted(name: string, ...args: number[]): Float64Array {
  const run = (): void => {
    const result = Number(exports[name]!(...args, TURNS));
    if (result !== 0) throw new Error(`${name} returned ${result}`);
  };
  const ns = sample({ run, turns: TURNS, calls: SAMPLES });
  return Float64Array.from(ns, (time) => time / 1000).sort();
}

let wordTrips: Float64Array = new Float64Array(0);
let enters: Float64Array = new Float64Array(0);
let trips: Float64Array = new Float64Array(0);
await beside(
  ['echoWords', PING, PONG],
  () => (wordTrips = sorted('pingWords', PING, PONG)),
  () => Atomics.store(words, PING / 4, -1),
);
await beside(
  ['serveUntil', STOP],
  () => {
    enters = sorted('enterHandlers', TARGET, MARK);
    trips = sorted('roundTrips', TARGET);
  },
  () => Atomics.store(words, STOP / 4, 1),
);
await vm.close();

const us = (sorted: Float64Array, fraction = 0.5): string =>
  `${percentile(sorted, fraction).toFixed(2)} µs`;
const row = (figure: string, sorted: Float64Array, goal?: number) => ({
  figure,
  value: us(sorted),
  ratio: `best tenth ${us(sorted, 0.1)}`,
  ...atMost(percentile(sorted, 0.5), goal, ' µs'),
});
const points = Object.entries({
  'a word there and back': wordTrips,
  'IPI, handler entered': enters,
  'remote call there and back': trips,
}).map(([group, sorted]) => ({
  group,
  series: group,
  samples: [percentile(sorted, 0.1), percentile(sorted, 0.5), percentile(sorted, 0.9)],
}));
const plots: Plot[] = [
  { title: 'Between two vCPUs: median, first and last tenth', values: 'microseconds', points },
];
report(
  'ipi',
  [
    row('a word to the other core and back', wordTrips),
    row('IPI until the handler is entered, and known here to be', enters, 1),
    row('remote call, round trip', trips, 2),
  ],
  { turns: TURNS, samples: SAMPLES },
  plots,
);
