// Changes that are on the device when their call returns: the store with a log, lmdb, classic-level; and what
// the log costs without waiting.
//
//   npm run bench -- durable [--smoke] [--keys N]
//
// Puts go to keys anywhere in a loaded store; all contestants wait for the device at each put or batch
// (`sync: true`; lmdb's commits without `overlappingSync`). Rounds are interleaved, ratios are of medians. A
// round of batches fills the store's log, so checkpoints are among them.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RingzeroLevel } from '../host/level/index.ts';
import { pointsOf, type Plot } from './plot.ts';
import { isSmoke, median, numberOption, report, type Row } from './report.ts';

const KEYS = numberOption('keys', isSmoke ? 20_000 : 500_000);
const ROUNDS = isSmoke ? 1 : 3;
const BATCH = 1000;
const BATCHES = isSmoke ? 5 : 200;
const PUTS = isSmoke ? 20 : 1000;
const FREE_PUTS = isSmoke ? 2000 : 200_000;

const root = mkdtempSync(join(tmpdir(), 'ringzero-bench-durable-'));
const keyOf = (i: number): string =>
  Buffer.from(`key${String(i).padStart(13, '0')}`, 'latin1').toString('latin1');
const VALUES = Array.from({ length: 100 }, (_, i) =>
  Buffer.from(`value ${i} `.padEnd(100, 'abcdefghij'), 'latin1').toString('latin1'),
);

let state = 1;
function random(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}
type Put = readonly [key: string, value: string];
const puts = (count: number): Put[] =>
  Array.from({ length: count }, () => [keyOf(random(KEYS)), VALUES[random(100)]!]);

interface Contestant {
  name: string;
  load(all: readonly Put[]): unknown;
  put(key: string, value: string): unknown;
  batch(puts: readonly Put[]): unknown;
  /** Puts that do not wait for the device. */
  free?(key: string, value: string): void;
  close(): unknown;
}

const operations = (all: readonly Put[]): { type: 'put'; key: string; value: string }[] =>
  all.map(([key, value]) => ({ type: 'put', key, value }));

async function ringzero(name: string, durable: boolean): Promise<Contestant> {
  const db = new RingzeroLevel(join(root, name), { poolSize: 2 ** 30, durable });
  await db.open();
  const options = durable ? { sync: true } : {};
  return {
    name,
    load: (all) => db.batchSync(operations(all)),
    put: (key, value) => db.putSync(key, value, options),
    batch: (all) => db.batchSync(operations(all), options),
    free: (key, value) => db.putSync(key, value),
    close: () => db.close(),
  };
}

async function lmdb(): Promise<Contestant> {
  const { open } = await import('lmdb');
  const db = open<string, string>({
    path: join(root, 'lmdb'),
    encoding: 'string',
    overlappingSync: false,
  });
  const batch = (all: readonly Put[]): void =>
    db.transactionSync(() => {
      for (const [key, value] of all) void db.put(key, value);
    });
  return {
    name: 'lmdb',
    load: batch,
    put: (key, value) => db.putSync(key, value),
    batch,
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
    load: (all) => db.batch(operations(all)),
    put: (key, value) => db.put(key, value, { sync: true }),
    batch: (all) => db.batch(operations(all), { sync: true }),
    close: () => db.close(),
  };
}

const durable = await ringzero('ringzero', true);
const plain = await ringzero('ringzero without a log', false);
const all = [durable, await lmdb(), await classic()];
const times = new Map<string, number[]>();
async function note(figure: string, count: number, body: () => Promise<void>): Promise<void> {
  const before = performance.now();
  await body();
  const us = ((performance.now() - before) * 1000) / count;
  times.set(figure, [...(times.get(figure) ?? []), us]);
}

const everything = Array.from({ length: KEYS }, (_, i): Put => [keyOf(i), VALUES[i % 100]!]);
for (const { load } of [...all, plain]) await load(everything);
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, put, batch } of all) {
    const single = puts(PUTS);
    await note(`put, ${name}`, PUTS, async () => {
      for (const [key, value] of single) await put(key, value);
    });
    const batches = Array.from({ length: BATCHES }, () => puts(BATCH));
    await note(`batch of ${BATCH}, ${name}`, BATCHES, async () => {
      for (const one of batches) await batch(one);
    });
  }
  for (const { name, free } of [durable, plain]) {
    const many = puts(FREE_PUTS);
    await note(`put that does not wait, ${name}`, FREE_PUTS, async () => {
      for (const [key, value] of many) free!(key, value);
    });
  }
}

const rows: Row[] = [...times.keys()].map((figure) => {
  const us = median(times.get(figure)!);
  const own = median(times.get(figure.replace(/, [^,]*$/, ', ringzero'))!);
  return {
    figure,
    value: us > 1000 ? `${(us / 1000).toFixed(2)} ms` : `${us.toFixed(2)} µs`,
    ...(figure.endsWith(', ringzero')
      ? {}
      : { ratio: `ringzero is ${(us / own).toFixed(2)}x as fast` }),
  };
});
const plots = ['put', `batch of ${BATCH}`, 'put that does not wait'].map((what): Plot => ({
  title: `A durable store of ${KEYS} keys: ${what}`,
  values: 'microseconds',
  points: pointsOf(
    times,
    (name) => {
      const at = name.lastIndexOf(', ');
      return name.slice(0, at) === what ? [name.slice(at + 2), name.slice(at + 2)] : undefined;
    },
    1,
  ),
}));
report('durable', rows, { keys: KEYS, times: Object.fromEntries(times) }, plots);
for (const { close } of [...all, plain]) await close();
rmSync(root, { recursive: true });
