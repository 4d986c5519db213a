// One round of bench/runtimes.ts: what the runtime at hand takes, as a line of JSON: a rate of each figure,
// larger is faster.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroVM } from '../host/index.ts';
import { RingzeroLevel } from '../host/level/index.ts';
import { translateMain } from '../host/translator/index.ts';
import { sqlJsModule } from '../tests/translator/sqljs.ts';
import { TOUCH, type TouchExports } from './guests.ts';
import { isSmoke, median, percentile } from './report.ts';

const BOOTS = isSmoke ? 3 : 9;
const SNAPSHOTS = isSmoke ? 200 : 3000;
const PAGES = isSmoke ? 2000 : 20_000;
const KEYS = isSmoke ? 20_000 : 200_000;
const GETS = isSmoke ? 20_000 : 400_000;
const RANGES = isSmoke ? 200 : 3000;
const TRANSLATIONS = isSmoke ? 3 : 20;

const OPTIONS = { guest: TOUCH, guestLimit: 52000 * 65536 };
const rates: Record<string, number> = {};

/** `count` things a second. */
function rate(figure: string, count: number, body: () => void): void {
  const from = performance.now();
  body();
  rates[figure] = count / ((performance.now() - from) / 1000);
}

const boots: number[] = [];
for (let i = 0; i <= BOOTS; i++) {
  const from = performance.now();
  const vm = await MicroVM.create(OPTIONS);
  (vm.enter().exports as unknown as TouchExports).store(0, 1);
  if (i > 0) boots.push(performance.now() - from); // the first one compiles the kernel
  await vm.close();
}
rates['VM boot to first call'] = 1000 / median(boots);

const vm = await MicroVM.create(OPTIONS);
const guest = vm.enter().exports as unknown as TouchExports;
const snapshots = new Float64Array(SNAPSHOTS);
for (let i = -SNAPSHOTS; i < SNAPSHOTS; i++) {
  const from = performance.now();
  const snapshot = vm.snapshot();
  const to = performance.now();
  if (i >= 0) snapshots[i] = to - from;
  snapshot[Symbol.dispose]();
}
rates['snapshots'] = 1000 / Math.max(percentile(snapshots.sort(), 0.5), 1e-5);
guest.touch(0, PAGES, 1);
for (let round = 0; round < 2; round++) {
  const snapshot = vm.snapshot();
  rate('write faults', PAGES, () => guest.touch(0, PAGES, 2));
  await snapshot.release();
}
await vm.close();

const directory = mkdtempSync(join(tmpdir(), 'ringzero-bench-'));
const db = new RingzeroLevel(join(directory, 'store'), { poolSize: 256 * 2 ** 20 });
await db.open();
const nameOf = (i: number): string => `key${String(i).padStart(13, '0')}`;
const names = Array.from({ length: KEYS }, (_, i) => nameOf(i));
const value = 'x'.repeat(100);
rate('store: entries of a batch', KEYS, () =>
  db.batchSync(names.map((key) => ({ type: 'put', key, value }))),
);
let state = 1;
const random = (): number =>
  Math.floor(((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32) * KEYS);
const wanted = Array.from({ length: GETS }, () => names[random()]!);
let length = 0;
const target = new Uint8Array(4096);
for (let round = 0; round < 2; round++) {
  rate('store: getSync', GETS, () => {
    for (const key of wanted) db.getSync(key);
  });
  rate('store: getInto', GETS, () => {
    for (const key of wanted) db.getInto(key, target);
  });
  rate('store: entries of ranges', RANGES * 100, () => {
    for (let i = 0; i < RANGES; i++)
      for (const [key] of db.rangeSync({ gte: wanted[i]!, limit: 100 })) length += key.length;
  });
}
const from = performance.now();
for (let i = 0; i < RANGES; i++)
  for await (const [key] of db.iterator({ gte: wanted[i]!, limit: 100 })) length += key.length;
rates['store: entries of for await'] = (RANGES * 100) / ((performance.now() - from) / 1000);
if (length === 0) throw new Error('nothing was read');
await db.close();
rmSync(directory, { recursive: true });

const module = sqlJsModule();
for (let i = 0; i < TRANSLATIONS; i++) translateMain(module);
rate('translator: bytes', module.length * TRANSLATIONS, () => {
  for (let i = 0; i < TRANSLATIONS; i++) translateMain(module);
});

console.log(JSON.stringify(rates));
