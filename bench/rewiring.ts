// Structures that grow by rewiring pages against the same ones that grow by copying (Schuhknecht et al.,
// PVLDB 9(10), 2016): the time of a growth, of building them, and of access afterwards.
//
//   node dist/bench/rewiring.js [--smoke] [--rounds N]

import { MicroVM } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';
import type { Plot } from './plot.ts';
import { atLeast, isSmoke, median, numberOption, report, type Row } from './report.ts';

const ROUNDS = numberOption('rounds', isSmoke ? 1 : 9);
const ELEMENTS = isSmoke ? 2 ** 18 : 2 ** 23; // of 8 bytes
const KEYS = isSmoke ? 50_000 : 3_000_000;
const LOOK_UPS = isSmoke ? 100_000 : 3_000_000;
const DEPTHS = isSmoke ? [12, 16] : [12, 14, 16, 18, 20, 22];
const DEPTH_MAX = DEPTHS.at(-1)! + 1;
const PAGE = 4096;
const PAGE_ELEMENTS = PAGE / 8;
const SHIFT = 3;

/** Samples in milliseconds by figure, rewired and copied. */
const samples = new Map<string, { rewired: number[]; copied: number[] }>();
let isWarm = false;

function time(figure: string, kind: 'rewired' | 'copied', body: () => unknown): unknown {
  const from = performance.now();
  const result = body();
  const ms = performance.now() - from;
  if (!samples.has(figure)) samples.set(figure, { rewired: [], copied: [] });
  if (isWarm) samples.get(figure)![kind].push(ms);
  return result;
}

/** Each structure in a fresh VM: what another left behind neither helps nor harms. */
async function withGuest(
  body: (call: (name: string, ...args: (number | bigint)[]) => number) => void,
): Promise<void> {
  const guest = readBuiltModule('rewiring-test.wasm');
  const vm = await MicroVM.create({ guest, linked: true, memory: isSmoke ? 2 ** 27 : 2 ** 30 });
  const { exports } = vm.enter();
  body((name, ...args) => Number(exports[name]!(...args)));
  await vm.close();
}

const frames = (bytes: number): number => Math.ceil(bytes / PAGE);
const same = (one: unknown, other: unknown): void => {
  if (one !== other) throw new Error(`${String(one)} is not ${String(other)}`);
};

const ARRAY = `array of ${ELEMENTS / 2 ** 20} Mi elements`;
const HASH = `hash of ${KEYS / 1e6} M keys`;
const doubling = (depth: number): string => `doubling a directory of 2^${depth}`;

async function round(): Promise<void> {
  const sums: unknown[] = [];
  await withGuest((call) => {
    const pages = (ELEMENTS / PAGE_ELEMENTS) * 2;
    const array = call('claim', frames(call('tableBytes', pages))) >>> 0;
    call('create', array, pages, SHIFT);
    const word = call('claim', 1) >>> 0;
    time(`${ARRAY}, pushed one by one`, 'rewired', () => call('produce', array, ELEMENTS, word));
    time(`${ARRAY}, the last doubling`, 'rewired', () =>
      call('resize', array, ELEMENTS * 2, SHIFT),
    );
    call('resize', array, ELEMENTS, SHIFT);
    sums.push(time(`${ARRAY}, read in order`, 'rewired', () => call('sum', array)));
    sums.push(time(`${ARRAY}, read at random`, 'rewired', () => call('lookUp', array, LOOK_UPS)));
  });
  await withGuest((call) => {
    const array = call('claim', 1) >>> 0;
    const elements = call('claim', frames(ELEMENTS * 8 * 4)) >>> 0;
    call('plainCreate', array, elements, PAGE_ELEMENTS);
    time(`${ARRAY}, pushed one by one`, 'copied', () => call('plainProduce', array, ELEMENTS));
    time(`${ARRAY}, the last doubling`, 'copied', () => call('plainDouble', array));
    same(
      time(`${ARRAY}, read in order`, 'copied', () => call('plainSum', array)),
      sums[0],
    );
    same(
      time(`${ARRAY}, read at random`, 'copied', () => call('plainLookUp', array, LOOK_UPS)),
      sums[1],
    );
  });
  for (const kind of ['rewired', 'copied'] as const) {
    await withGuest((call) => {
      const name = kind === 'rewired' ? 'hash' : 'plainHash';
      const bytes = call(kind === 'rewired' ? 'hashTableBytes' : 'plainHashBytes', DEPTH_MAX);
      const table = call('claim', frames(bytes)) >>> 0;
      const small = call('claim', frames(bytes)) >>> 0;
      same(call(`${name}Create`, table, DEPTH_MAX), 0);
      same(
        time(`${HASH}, inserted`, kind, () => call(`${name}Fill`, table, 0n, BigInt(KEYS))),
        0,
      );
      sums.push(
        time(`${HASH}, looked up`, kind, () =>
          call(`${name}LookUp`, table, BigInt(KEYS), LOOK_UPS),
        ),
      );
      call(`${name}Create`, small, DEPTH_MAX);
      for (let depth = 0; depth < DEPTH_MAX; depth++) {
        if (DEPTHS.includes(depth)) time(doubling(depth), kind, () => call(`${name}Double`, small));
        else call(`${name}Double`, small);
      }
    });
  }
  same(sums[2], sums[3]);
}

for (let i = 0; i <= ROUNDS; i++) {
  await round();
  isWarm = true; // what the first one measured is not counted
}

function text(ms: number): string {
  return ms < 0.01
    ? `${(ms * 1e6).toFixed(0)} ns`
    : ms < 1
      ? `${(ms * 1000).toFixed(1)} µs`
      : `${ms.toFixed(1)} ms`;
}

const goalOf = (figure: string): number | undefined =>
  /doubling/.test(figure) ? 2 : /read|looked/.test(figure) ? 1 : undefined;
const rows: Row[] = [...samples].map(([figure, { rewired, copied }]) => ({
  figure,
  value: text(median(rewired)),
  ratio: `copied ${text(median(copied))}, ${(median(copied) / median(rewired)).toFixed(2)}x`,
  ...atLeast(median(copied) / median(rewired), goalOf(figure), 'x'),
}));
const both = (figure: string, group: string | number, scale: number): Plot['points'] => {
  const of = samples.get(figure)!;
  return (['rewired', 'copied'] as const).map((series) => ({
    group,
    series,
    samples: of[series].map((ms) => ms * scale),
  }));
};
const plots: Plot[] = [
  {
    title: 'Doubling the directory of an extendible hash table',
    values: 'microseconds',
    groups: 'entries, power of two',
    isLog: true,
    points: DEPTHS.flatMap((depth) => both(doubling(depth), depth, 1000)),
  },
  {
    title: 'Building and reading',
    values: 'milliseconds',
    points: [...samples.keys()]
      .filter((figure) => !figure.startsWith('doubling'))
      .flatMap((figure) => both(figure, figure, 1)),
  },
];
report('rewiring', rows, Object.fromEntries(samples), plots);
