// Four times more data than pool (paper, figure 17): Tabby against native vmcache on the same device, and against the designs
// that it is compared with, on the device and on one that is as fast as the page cache.
//
//   node dist/bench/out-of-memory.js [--smoke] [--rounds N] [--pool-mib N]
//   UV_USE_IO_URING=1 (docs/io.md); RZ_VMCACHE=path (bench/vmcache.ts; from 1024 MiB on)

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_DIRECT } from '../assembly/abi/syscall.ts';
import { pointsOf, type Plot } from './plot.ts';
import { isSmoke, median, numberOption, report, type Row } from './report.ts';
import { STORE_FILE } from './vcpus.ts';
import { Vmcache, vmcachePath } from './vmcache.ts';
import {
  DESIGNS,
  KEYS_PER_PAGE,
  YcsbStore,
  type Design,
  type Distribution,
  type Kind,
} from './ycsb-store.ts';

const POOL_MIB = numberOption('pool-mib', isSmoke ? 8 : 1024);
const POOL_FRAMES = POOL_MIB * 256;
const KEYS = 4 * POOL_FRAMES * KEYS_PER_PAGE;
const ROUNDS = numberOption('rounds', isSmoke ? 1 : 3);
const ROUND_MS = isSmoke ? 100 : 3000;
const WARM_MS = isSmoke ? 100 : 10_000;
const PEER_SECONDS = 4;
const STORE_GB = (4 * POOL_MIB) / 1024;
const DISTRIBUTIONS: readonly Distribution[] = ['uniform', 'Zipf 0.9'];
const LOOK_UPS: readonly [Kind, string][] = [
  ['look-ups', '1x'],
  ['look-ups, 64 together', '2.5x'],
];
const COUNTERS = { faults: 0, readAhead: 1, evictions: 2, writes: 3 };

// Not the system's directory for temporary files, which may be in memory: O_DIRECT needs a device.
mkdirSync('dist/bench-data', { recursive: true });
const directory = mkdtempSync('dist/bench-data/out-of-memory-');
const rates = new Map<string, number[]>();
const note = (name: string, rate: number): void => {
  rates.set(name, [...(rates.get(name) ?? []), rate]);
};
const rateOf = (name: string): number => median(rates.get(name)!);
const kilo = (rate: number): string => `${(rate / 1000).toFixed(1)} K/s`;

/** Each design has a copy of one file. */
const designs = Object.keys(DESIGNS) as Design[];
const place = (design: string): string => join(directory, design);
for (const design of designs) mkdirSync(place(design));
const common = { vcpus: 2, poolFrames: POOL_FRAMES, keys: KEYS };
const first = await YcsbStore.start({ ...common, design: 'Tabby', directory: place('Tabby') });
await first.close();
for (const design of designs) {
  const from = join(place('Tabby'), STORE_FILE);
  if (design !== 'Tabby') copyFileSync(from, join(place(design), STORE_FILE));
}

type Stores = Map<Design, YcsbStore>;

async function openAll(openFlags: number): Promise<Stores> {
  const stores: Stores = new Map();
  for (const design of designs) {
    const options = { ...common, design, directory: place(design), openFlags };
    stores.set(design, await YcsbStore.start({ ...options, isThere: true }));
  }
  for (const store of stores.values())
    for (const kind of ['look-ups', 'look-ups, 64 together', 'A'] as const)
      await store.measure(kind, 'uniform', 2, WARM_MS / 3);
  return stores;
}

async function closeAll(stores: Stores): Promise<void> {
  for (const store of stores.values()) await store.close();
}

/** One round of the designs' workloads. */
async function compare(stores: Stores, on: string): Promise<void> {
  for (const over of DISTRIBUTIONS) {
    for (const kind of ['C', 'A'] as const) {
      for (const [design, store] of stores) {
        const { rate, cpuUs } = await store.measure(kind, over, 2, ROUND_MS);
        note(`${on}: ${kind}, ${over}, ${design}`, rate);
        note(`${on}: ${kind}, ${over}, ${design}, CPU us`, cpuUs);
      }
    }
  }
}

function compared(on: string): Row[] {
  const rows: Row[] = [];
  for (const over of DISTRIBUTIONS) {
    for (const kind of ['C', 'A'] satisfies Kind[]) {
      const name = (design: Design): string => `${on}: ${kind}, ${over}, ${design}`;
      const [ours, cpu] = [rateOf(name('Tabby')), rateOf(`${name('Tabby')}, CPU us`)];
      const others = designs.filter((design) => design !== 'Tabby');
      rows.push({
        figure: `${on}: YCSB-${kind}, ${over}, 2 vCPUs`,
        value: kilo(ours),
        ratio: others.map((design) => `${design} ${kilo(rateOf(name(design)))}, ${(ours / rateOf(name(design))).toFixed(2)}x`).join('; '), // prettier-ignore
        goal: 'eager 2x; hash 1.5x',
      });
      rows.push({
        figure: '  processor time of an operation',
        value: `${cpu.toFixed(1)} us`,
        ratio: others.map((design) => `${design} ${(rateOf(`${name(design)}, CPU us`) / cpu).toFixed(2)}x`).join('; '), // prettier-ignore
      });
    }
  }
  return rows;
}

const onDevice = await openAll(OPEN_DIRECT);
const tabby = onDevice.get('Tabby')!;
const path = POOL_MIB >= 1024 ? vmcachePath() : undefined;
const peer =
  path === undefined
    ? undefined
    : await Vmcache.start(path, {
        threads: 2,
        size: KEYS,
        workload: 'look-ups',
        poolGib: POOL_MIB / 1024,
        virtualGib: 16,
        file: join(directory, 'vmcache'),
      });
for (let round = 0; round < ROUNDS; round++) {
  for (const [kind] of LOOK_UPS)
    note(kind, (await tabby.measure(kind, 'uniform', 2, ROUND_MS)).rate);
  if (peer !== undefined) note('vmcache', await peer.measure(PEER_SECONDS));
  await compare(onDevice, 'device');
}
const outside = tabby.memoryOutsidePool(POOL_FRAMES);
const counters = Object.fromEntries(
  [...onDevice].map(([design, { vcpus }]) => [
    design,
    Object.fromEntries(Object.entries(COUNTERS).map(([name, i]) => [name, vcpus.call('stat', i)])),
  ]),
);
peer?.stop();
await closeAll(onDevice);
const onCache = await openAll(0);
for (let round = 0; round < ROUNDS; round++) await compare(onCache, 'page cache');
await closeAll(onCache);

const rows: Row[] = LOOK_UPS.map(([kind, goal]) => {
  const ours = rateOf(kind);
  const theirs = peer && rateOf('vmcache');
  return {
    figure: `device: ${kind}, 2 vCPUs`,
    value: kilo(ours),
    goal,
    ...(theirs && { ratio: `vmcache ${kilo(theirs)}, ${(ours / theirs).toFixed(2)}x` }),
  };
});
rows.push(...compared('device'), ...compared('page cache'));
if (STORE_GB >= 1) {
  rows.push({
    figure: 'memory outside the pool per GB of store',
    value: `${(outside / 2 ** 20 / STORE_GB).toFixed(2)} MB`,
    goal: '4 MB',
  });
}
const ioUring = process.env['UV_USE_IO_URING'];
const plots = ['device', 'page cache'].map((on): Plot => ({
  title: `YCSB with data 4x the pool, from the ${on}, 2 vCPUs`,
  values: 'thousand a second',
  isLog: true,
  points: pointsOf(rates, (name) => {
    const [, kind, over, design] = new RegExp(`^${on}: ([AC]), (.*), ([^,]*)$`).exec(name) ?? [];
    return design && design !== 'CPU us' ? [`YCSB-${kind}, ${over}`, design] : undefined;
  }, 1e-3), // prettier-ignore
  paper: 'figure 17: 3.5x the throughput per core of vmcache, 2.5x that of LeanStore',
}));
plots.unshift({
  title: 'Random look-ups with data 4x the pool, from the device, 2 vCPUs',
  values: 'thousand a second',
  points: pointsOf(rates, (name) => (name.includes(':') ? undefined : [name, name === 'vmcache' ? name : 'Tabby']), 1e-3), // prettier-ignore
});
report('out-of-memory', rows, { keys: KEYS, ioUring, outside, counters, rates: Object.fromEntries(rates) }, plots); // prettier-ignore
rmSync(directory, { recursive: true });
process.exit(0);
