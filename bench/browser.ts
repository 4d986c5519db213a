// The store in Chromium, on OPFS, compared with sqlite-wasm on OPFS and IndexedDB: the same keys and values
// in one worker; and snapshots there.
//
//   npm run bench -- browser [--smoke] [--keys N]
//
// Look-ups are medians of rounds in which the contestants take turns; loads, scans and durable batches are
// done once each. Loads end when everything is in the file, and count without the making of keys and values.
// Of durable batches the store does so many that checkpoints are among them.

import type { Page } from 'playwright-core';
import initWabt from 'wabt';
import { launch } from '../tests/browser/chromium.ts';
import { serve } from '../tests/browser/server.ts';
import { TOUCH } from './guests.ts';
import type { Plot, Point } from './plot.ts';
import {
  atMost,
  atLeast,
  isSmoke,
  median,
  numberOption,
  percentile,
  report,
  type Row,
} from './report.ts';

const KEYS = numberOption('keys', isSmoke ? 20_000 : 1_000_000);
const ROUNDS = isSmoke ? 2 : 5;
const GETS = isSmoke
  ? { ringzero: 20_000, sqlite: 5_000, indexedDb: 1_000 }
  : { ringzero: 400_000, sqlite: 100_000, indexedDb: 20_000 };
/** Of 1000 puts. The store's log is full after 480. */
const BATCHES = isSmoke
  ? { ringzero: 10, sqlite: 5, indexedDb: 2 }
  : { ringzero: 1500, sqlite: 100, indexedDb: 30 };
const SNAPSHOT_BYTES = (isSmoke ? 0.125 : 1) * 2 ** 30;
const SNAPSHOTS = isSmoke ? 20 : 300;
const BOOTS = isSmoke ? 3 : 11;

type Name = keyof typeof GETS;
const NAMES: readonly Name[] = ['ringzero', 'sqlite', 'indexedDb'];
const TITLES = { ringzero: 'ringzero', sqlite: 'sqlite-wasm (OPFS)', indexedDb: 'IndexedDB' };

async function ask<T>(page: Page, ...request: unknown[]): Promise<T> {
  const call = `ask(${request.map((part) => JSON.stringify(part)).join()})`;
  const answer = (await page.evaluate(call)) as T | { failed: string };
  if (answer !== null && typeof answer === 'object' && 'failed' in answer)
    throw new Error(answer.failed);
  return answer as T;
}

type Times = Record<Name, number>;
const each = (body: (name: Name) => number): Times =>
  Object.fromEntries(NAMES.map((name) => [name, body(name)])) as Times;

function rows(figure: string, us: Times, goals: Partial<Times>, unit: string): Row[] {
  return NAMES.map((name) => ({
    figure: `${figure}, ${TITLES[name]}`,
    value: `${us[name].toFixed(2)} ${unit}`,
    ...(name === 'ringzero'
      ? {}
      : { ratio: `ringzero is ${(us[name] / us.ringzero).toFixed(1)}x as fast` }),
    ...(goals[name] === undefined ? {} : atLeast(us[name] / us.ringzero, goals[name], 'x')),
  }));
}

const wabt = await initWabt();
const SMALL = wabt
  .parseWat(
    'small.wat',
    '(module (memory 1) (func (export "put") (param i32 i32) local.get 0 local.get 1 i32.store))',
  )
  .toBinary({}).buffer;

const [browser, site] = await Promise.all([launch(), serve({ isolated: true })]);
try {
  const page = await browser.open(`${site.origin}/bench/browser/asked.html`, (text) =>
    console.error(text),
  );
  const boots = await ask<number[]>(page, 'boots', [...SMALL], BOOTS + 1);
  const snapshots = await ask<number[]>(page, 'snapshots', [...TOUCH], SNAPSHOT_BYTES, SNAPSHOTS);
  const load = {} as Times;
  for (const name of NAMES) load[name] = await ask<number>(page, 'load', name, KEYS);
  const gets = { ringzero: [], sqlite: [], indexedDb: [] } as Record<Name, number[]>;
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of NAMES)
      gets[name].push((await ask<number>(page, 'gets', name, GETS[name], KEYS)) / GETS[name]);
  }
  const scan = {} as Times;
  for (const name of NAMES) scan[name] = await ask<number>(page, 'scan', name, KEYS);
  const batches = {} as Times;
  for (const name of NAMES) {
    await ask(page, 'beDurable', name);
    batches[name] = (await ask<number>(page, 'batches', name, BATCHES[name], KEYS)) / BATCHES[name];
  }
  for (const name of NAMES) await ask(page, 'close', name);

  const points = (of: (name: Name) => readonly number[]): Point[] =>
    NAMES.map((name) => ({ group: TITLES[name], series: TITLES[name], samples: of(name) }));
  const plots: Plot[] = [
    {
      title: `Random get of ${KEYS} keys in Chromium, one worker`,
      values: 'microseconds',
      isLog: true,
      points: points((name) => gets[name].map((ms) => ms * 1000)),
    },
    {
      title: 'Loading them, a key',
      values: 'microseconds',
      points: points((name) => [(load[name] / KEYS) * 1000]),
    },
    {
      title: 'Reading all in order, an entry',
      values: 'microseconds',
      isLog: true,
      points: points((name) => [(scan[name] / KEYS) * 1000]),
    },
    {
      title: 'A durable batch of 1000 puts to keys anywhere',
      values: 'milliseconds',
      isLog: true,
      points: points((name) => [batches[name]]),
    },
  ];
  const sorted = Float64Array.from(snapshots).sort();
  const us = (ms: number): string => `${(ms * 1000).toFixed(0)} µs`;
  const mean = snapshots.reduce((sum, ms) => sum + ms, 0) / snapshots.length;
  report(
    'browser',
    [
      ...rows(
        `random get of ${KEYS} keys`,
        each((name) => median(gets[name]) * 1000),
        { sqlite: 5, indexedDb: 20 },
        'µs',
      ),
      ...rows(
        `load of ${KEYS} keys, a key`,
        each((name) => (load[name] / KEYS) * 1000),
        { sqlite: 2 },
        'µs',
      ),
      ...rows(
        'whole scan, an entry',
        each((name) => (scan[name] / KEYS) * 1000),
        {},
        'µs',
      ),
      ...rows('durable batch of 1000 puts', batches, { sqlite: 5 }, 'ms'),
      {
        figure: `snapshot of ${SNAPSHOT_BYTES / 2 ** 30} GiB (clock of 5 µs)`,
        value: `median ${us(percentile(sorted, 0.5))}, mean ${us(mean)}, p99 ${us(percentile(sorted, 0.99))}`,
        ...atMost(percentile(sorted, 0.5) * 1000, 50, ' µs'),
      },
      {
        figure: 'VM boot to first call',
        value: `${median(boots.slice(1)).toFixed(1)} ms (the first, which compiles: ${boots[0]!.toFixed(1)} ms)`,
        ...atMost(median(boots.slice(1)), 60, ' ms'),
      },
    ],
    { load, gets, scan, batches, snapshots, boots },
    plots,
  );
} finally {
  await browser.close();
  await site.close();
}
