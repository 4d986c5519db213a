// The store compared with lmdb and classic-level: the same keys and values, in memory, in one process.
//
//   npm run bench -- level [--smoke]
//
// Every figure is the median of rounds in which the contestants take turns; ratios are of medians in this
// run. "load" ends when the load's call returns, "load+disk" when the contestant says that everything is on
// the device: ringzero's sync(), lmdb's `flushed`, a write with `sync` for LevelDB. ringzero is durable, as
// lmdb is; without its log it comes once more. Values are 100 bytes of text under keys of 16. lmdb reads
// strings where getSync() does, bytes where getInto() does; with the encoding that it has of itself,
// MessagePack, it comes once more.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RingzeroLevel } from '../host/level/index.ts';
import { pointsOf, type Plot } from './plot.ts';
import { atLeast, isSmoke, median, report, type Row } from './report.ts';

const KEYS = isSmoke ? 20_000 : 1_000_000;
const GETS = isSmoke ? 5_000 : 200_000;
const RANGES = isSmoke ? 100 : 2_000;
const ROUNDS = isSmoke ? 2 : 7;
const RANGE = 100;
const GROUP = 64;
const WORKER_GETS = isSmoke ? 5_000 : 400_000;

const root = mkdtempSync(join(tmpdir(), 'ringzero-bench-level-'));
/**
 * Concatenations are put together when they are first read: the first contestant would pay for the others.
 */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
const keyOf = (i: number): string => flat(`key${String(i).padStart(13, '0')}`);
const valueOf = (i: number): string => flat(`value ${i} `.padEnd(100, 'abcdefghij'));

/** Keys in an order that repeats nothing and looks random: the loads' and the reads'. */
const order = new Uint32Array(KEYS);
for (let i = 0; i < KEYS; i++) order[i] = Number((BigInt(i) * 7_368_787n) % BigInt(KEYS));
const sorted = Array.from({ length: KEYS }, (_, i) => keyOf(i));
const values = Array.from({ length: KEYS }, (_, i) => valueOf(i));

let state = 1;
function random(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

/** What a contestant can do; each function takes a number of keys or ranges. */
interface Contestant {
  name: string;
  /** Puts all keys, in order, in one go. */
  load(): void | Promise<void>;
  /** After it everything is on disk. */
  settle(): void | Promise<void>;
  gets: Record<string, (keys: readonly string[]) => unknown>;
  ranges: Record<string, (starts: readonly string[]) => unknown>;
  close(): unknown;
}

const skipped: string[] = [];

/**
 * Without a log a store is refused after a crash: what it loads is on the device after sync(), and worth
 * something after close().
 */
async function withoutLog(): Promise<Contestant> {
  const options = { poolSize: 1024 * 2 ** 20, durable: false };
  const db = new RingzeroLevel(join(root, 'ringzero without a log'), options);
  await db.open();
  return {
    name: 'ringzero (durable: false)',
    load: () =>
      db.batchSync(sorted.map((key, i) => ({ type: 'put', key, value: values[i]! }) as const)),
    settle: () => db.sync(),
    gets: {},
    ranges: {},
    close: () => db.close(),
  };
}

async function ringzero(): Promise<Contestant & { db: RingzeroLevel }> {
  const db = new RingzeroLevel(join(root, 'ringzero'), { poolSize: 1024 * 2 ** 20 });
  await db.open();
  const target = new Uint8Array(4096);
  return {
    name: 'ringzero',
    db,
    load: () =>
      db.batchSync(sorted.map((key, i) => ({ type: 'put', key, value: values[i]! }) as const)),
    settle: () => db.sync(),
    gets: {
      getInto: (keys) => {
        let sum = 0;
        for (const key of keys) sum += db.getInto(key, target);
        return sum;
      },
      getSync: (keys) => {
        let sum = 0;
        for (const key of keys) sum += db.getSync(key)!.length;
        return sum;
      },
      getManySync: (keys) => {
        let sum = 0;
        for (let i = 0; i < keys.length; i += GROUP)
          for (const value of db.getManySync(keys.slice(i, i + GROUP))) sum += value!.length;
        return sum;
      },
      get: async (keys) => {
        let sum = 0;
        for (const key of keys) sum += (await db.get(key))!.length;
        return sum;
      },
    },
    ranges: {
      'iterator().all()': async (starts) => {
        let sum = 0;
        for (const gte of starts)
          for (const [key, value] of await db.iterator({ gte, limit: RANGE }).all())
            sum += key.length + value.length;
        return sum;
      },
      'for await': async (starts) => {
        let sum = 0;
        for (const gte of starts)
          for await (const [key, value] of db.iterator({ gte, limit: RANGE }))
            sum += key.length + value.length;
        return sum;
      },
      rangeSync: (starts) => {
        let sum = 0;
        for (const gte of starts)
          for (const [key, value] of db.rangeSync({ gte, limit: RANGE }))
            sum += key.length + value.length;
        return sum;
      },
    },
    close: () => db.close(),
  };
}

async function lmdb(name: string, encoding: 'string' | 'msgpack'): Promise<Contestant> {
  const { open } = await import('lmdb');
  const db = open<string, string>({ path: join(root, name), encoding });
  return {
    name,
    load: () => {
      db.transactionSync(() => {
        for (let i = 0; i < KEYS; i++) void db.put(sorted[i]!, values[i]!);
      });
    },
    settle: async () => void (await db.flushed),
    gets: {
      getBinaryFast: (keys) => {
        let sum = 0;
        for (const key of keys) sum += db.getBinaryFast(key)!.length;
        return sum;
      },
      get: (keys) => {
        let sum = 0;
        for (const key of keys) sum += db.get(key)!.length;
        return sum;
      },
    },
    ranges: {
      getRange: (starts) => {
        let sum = 0;
        for (const start of starts)
          for (const { key, value } of db.getRange({ start, limit: RANGE }))
            sum += key.length + value.length;
        return sum;
      },
    },
    close: () => db.close(),
  };
}

async function classic(): Promise<Contestant> {
  const { ClassicLevel } = await import('classic-level');
  mkdirSync(join(root, 'classic'));
  const db = new ClassicLevel(join(root, 'classic'), { cacheSize: 512 * 2 ** 20 });
  await db.open();
  return {
    name: 'classic-level',
    load: () =>
      db.batch(sorted.map((key, i) => ({ type: 'put', key, value: values[i]! }) as const)),
    settle: () => db.put('the last', '', { sync: true }),
    gets: {
      getSync: (keys) => {
        let sum = 0;
        for (const key of keys) sum += db.getSync(key)!.length;
        return sum;
      },
    },
    ranges: {
      'iterator().all()': async (starts) => {
        let sum = 0;
        for (const gte of starts)
          for (const [key, value] of await db.iterator({ gte, limit: RANGE }).all())
            sum += key.length + value.length;
        return sum;
      },
    },
    close: () => db.close(),
  };
}

async function ifThere(name: string, make: () => Promise<Contestant>): Promise<Contestant[]> {
  try {
    return [await make()];
  } catch (error) {
    skipped.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    console.log(`!!! SKIPPED ${name}: it does not load here: ${(error as Error).message}`);
    return [];
  }
}

async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Reads by `count` threads at once: look-ups a second, all together. */
async function readers(db: RingzeroLevel, count: number): Promise<number> {
  const start = new Int32Array(new SharedArrayBuffer(8));
  const workers = Array.from({ length: count }, (_, seed) => {
    const data = { handle: db.handle, keys: KEYS, gets: WORKER_GETS, seed, start };
    return new Worker(new URL('./level-reader.js', import.meta.url), { workerData: data });
  });
  const ends = workers.map(
    (worker) =>
      new Promise<number>((resolve, reject) =>
        worker.once('message', resolve).once('error', reject),
      ),
  );
  // all have begun
  while (Atomics.load(start, 1) < count) await new Promise((resolve) => setTimeout(resolve, 5));
  Atomics.store(start, 0, 1);
  Atomics.notify(start, 0);
  const times = await Promise.all(ends);
  await Promise.all(workers.map((worker) => worker.terminate()));
  return (count * WORKER_GETS) / Math.max(...times);
}

const own = await ringzero();
const all = [
  own,
  await withoutLog(),
  ...(await ifThere('lmdb', () => lmdb('lmdb', 'string'))),
  ...(await ifThere('lmdb', () => lmdb('lmdb msgpack', 'msgpack'))),
  ...(await ifThere('classic-level', classic)),
];
const rates = new Map<string, number[]>();
const note = (name: string, rate: number): void => {
  rates.set(name, [...(rates.get(name) ?? []), rate]);
};

for (const contestant of all) {
  const load = await seconds(() => contestant.load());
  note(`load ${contestant.name}`, KEYS / load);
  note(`load+disk ${contestant.name}`, KEYS / (load + (await seconds(() => contestant.settle()))));
}
for (let round = 0; round <= ROUNDS; round++) {
  const keys = Array.from({ length: GETS }, () => keyOf(order[random(KEYS)]!));
  const starts = Array.from({ length: RANGES }, () => keyOf(random(KEYS - RANGE)));
  for (const { name, gets, ranges } of all) {
    for (const [call, run] of Object.entries(gets)) {
      const time = await seconds(() => run(keys));
      if (round > 0) note(`${name} ${call}`, GETS / time);
    }
    for (const [call, run] of Object.entries(ranges)) {
      const time = await seconds(() => run(starts));
      if (round > 0) note(`${name} ${call}, range of ${RANGE}`, RANGES / time);
    }
  }
}
for (let round = 0; round < (isSmoke ? 1 : 5); round++) {
  note('1 worker, getInto', await readers(own.db, 1));
  note('2 workers, getInto', await readers(own.db, 2));
}

/** The goal is for the first. */
const GOALS: Record<string, [against: string | string[], goal?: number]> = {
  'ringzero getInto': ['lmdb getBinaryFast', 1.5],
  'ringzero getSync': [['lmdb get', 'lmdb msgpack get'], 2],
  'ringzero getManySync': ['lmdb get'],
  'ringzero get': ['lmdb get'],
  [`ringzero iterator().all(), range of ${RANGE}`]: [`lmdb getRange, range of ${RANGE}`, 1.5],
  [`ringzero for await, range of ${RANGE}`]: [`lmdb getRange, range of ${RANGE}`],
  [`ringzero rangeSync, range of ${RANGE}`]: [`lmdb getRange, range of ${RANGE}`, 1.5],
  'load ringzero': ['load lmdb', 1],
  'load ringzero (durable: false)': ['load ringzero'],
  'load+disk ringzero': ['load+disk lmdb'],
  '2 workers, getInto': ['1 worker, getInto', 1.8],
};
const middle = (name: string): number | undefined => {
  const values = rates.get(name);
  return values && median(values);
};
const rows: Row[] = [...rates.keys()].map((figure) => {
  const rate = middle(figure)!;
  const [against, goal] = GOALS[figure] ?? [];
  const ratioTo = (name?: string): number | undefined => {
    const other = name === undefined ? undefined : middle(name);
    return other === undefined ? undefined : rate / other;
  };
  const ratios = [against ?? []].flat().flatMap((name) => {
    const other = middle(name);
    return other === undefined ? [] : [`${(rate / other).toFixed(2)}x of ${name}`];
  });
  return {
    figure,
    value: `${Math.round(rate)}/s`,
    ...(ratios.length === 0 ? {} : { ratio: ratios.join(', ') }),
    ...atLeast(ratioTo([against ?? []].flat()[0]), goal, 'x'),
  };
});
const plots = [
  ['One key', /^(?!.*(range|load|worker))/],
  [`Ranges of ${RANGE}`, /range of/],
  ['Loading all keys', /^load /],
  ['Loading all keys, until they are on disk', /^load\+disk /],
  ['Workers reading', /worker/],
].map(([title, wanted]): Plot => ({
  title: `${title as string}, ${KEYS} keys of 16 bytes, values of 100`,
  values: (wanted as RegExp).source.includes('range of')
    ? 'thousand ranges a second'
    : 'thousand keys a second',
  points: pointsOf(
    rates,
    (name) =>
      (wanted as RegExp).test(name)
        ? [
            name.replace(/, range of.*|^load\S* /, ''),
            name.includes('worker') ? 'ringzero' : name.replace(/^load\S* /, '').split(' ')[0]!,
          ]
        : undefined,
    1e-3,
  ),
}));
report('level', rows, { keys: KEYS, skipped, rates: Object.fromEntries(rates) }, plots);
for (const text of skipped) console.log(`!!! SKIPPED ${text}`);
for (const { close } of all) await close();
rmSync(root, { recursive: true });
