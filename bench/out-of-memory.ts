// Four times more data than pool (paper, figure 17): Tabby against native vmcache on the same device, and
// against the designs that it is compared with, on the device and on files in memory, which is storage
// without a wait.
//
//   node dist/bench/out-of-memory.js [--smoke] [--rounds N] [--pool-mib N]
//   UV_USE_IO_URING=1 (docs/io.md); RZ_VMCACHE=path (bench/vmcache.ts; from 1024 MiB on)
//
// Whatever a design does not forbid, all do: clock, write-back, and operations in groups whose reads are
// under way together. On a device that is what counts, so there the designs are alike; what a translation
// costs shows in the processor's time, and where storage does not wait.

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPEN_DIRECT } from '../assembly/abi/syscall.ts';
import { pointsOf, type Plot } from './plot.ts';
import { atMost, atLeast, isSmoke, median, numberOption, report, type Row } from './report.ts';
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
/** In memory the files of all designs are there at once, and nothing may push them out. */
const MEMORY_POOL_MIB = Math.max(8, POOL_MIB / 8);
const ROUNDS = numberOption('rounds', 3);
const ROUND_MS = isSmoke ? 100 : 3000;
const MEMORY_ROUND_MS = isSmoke ? 100 : 1500;
const PEER_SECONDS = 4;
const STORE_GB = (4 * POOL_MIB) / 1024;
const DISTRIBUTIONS: readonly Distribution[] = ['uniform', 'Zipf 0.9'];
const LOOK_UPS: readonly [Kind, number][] = [
  ['look-ups', 1],
  ['look-ups, 64 together', 2.5],
];
const ON_DEVICE: readonly Kind[] = ['C', 'A', 'C, 64 together', 'A, 64 together'];
const IN_MEMORY: readonly Kind[] = ['C', 'A'];
const COUNTERS = { faults: 0, readAhead: 1, evictions: 2, writes: 3 };

const rates = new Map<string, number[]>();
const note = (name: string, rate: number): void => {
  rates.set(name, [...(rates.get(name) ?? []), rate]);
};
const rateOf = (name: string): number => median(rates.get(name)!);
const kilo = (rate: number): string => `${(rate / 1000).toFixed(1)} K/s`;

const designs = Object.keys(DESIGNS) as Design[];
type Stores = Map<Design, YcsbStore>;

/** A store of each design, each on a copy of one file, with a full pool. */
async function openAll(directory: string, poolMib: number, openFlags: number): Promise<Stores> {
  const poolFrames = poolMib * 256;
  const common = { vcpus: 2, poolFrames, keys: 4 * poolFrames * KEYS_PER_PAGE };
  const place = (design: Design): string => join(directory, design);
  for (const design of designs) mkdirSync(place(design));
  await (await YcsbStore.start({ ...common, design: 'Tabby', directory: place('Tabby') })).close();
  for (const design of designs)
    if (design !== 'Tabby')
      copyFileSync(join(place('Tabby'), STORE_FILE), join(place(design), STORE_FILE));
  const stores: Stores = new Map();
  for (const design of designs) {
    const options = { ...common, design, directory: place(design), openFlags, isThere: true };
    const store = await YcsbStore.start(options);
    do await store.measure('A, 64 together', 'uniform', 2, ROUND_MS);
    while (store.vcpus.call('stat', COUNTERS.evictions) < poolFrames / 4);
    stores.set(design, store);
  }
  return stores;
}

async function closeAll(stores: Stores): Promise<void> {
  for (const store of stores.values()) await store.close();
}

/** One round of the designs' workloads. */
async function compare(
  stores: Stores,
  on: string,
  kinds: readonly Kind[],
  ms: number,
): Promise<void> {
  for (const over of DISTRIBUTIONS) {
    for (const kind of kinds) {
      for (const [design, store] of stores) {
        const { rate, cpuUs } = await store.measure(kind, over, 2, ms);
        note(`${on}: ${kind}; ${over}; ${design}`, rate);
        note(`${on}: ${kind}; ${over}; ${design}; CPU us`, cpuUs);
      }
    }
  }
}

/** Goals of the throughput, of that of two of the other designs. */
function bothGoals(ratio: (design: Design) => number): Pick<Row, 'goal' | 'isMet'> {
  if (!designs.includes('eager') || !designs.includes('hash')) return {};
  const isMet = ratio('eager') >= 2 && ratio('hash') >= 1.5;
  return { goal: 'at least 2x of eager, 1.5x of hash', isMet };
}

function compared(on: string, kinds: readonly Kind[]): Row[] {
  const rows: Row[] = [];
  for (const over of DISTRIBUTIONS) {
    for (const kind of kinds) {
      const name = (design: Design): string => `${on}: ${kind}; ${over}; ${design}`;
      const [ours, cpu] = [rateOf(name('Tabby')), rateOf(`${name('Tabby')}; CPU us`)];
      const others = designs.filter((design) => design !== 'Tabby');
      rows.push({
        figure: `${on}: YCSB-${kind}, ${over}, 2 vCPUs`,
        value: kilo(ours),
        ratio: others
          .map(
            (design) =>
              `${design} ${kilo(rateOf(name(design)))}, ${(ours / rateOf(name(design))).toFixed(2)}x`,
          )
          .join('; '),
        ...bothGoals((design) => ours / rateOf(name(design))),
      });
      rows.push({
        figure: '  processor time of an operation',
        value: `${cpu.toFixed(1)} µs`,
        ratio: others
          .map((design) => `${design} ${(rateOf(`${name(design)}; CPU us`) / cpu).toFixed(2)}x`)
          .join('; '),
      });
    }
  }
  return rows;
}

// Not the system's directory for temporary files, which may be in memory: O_DIRECT needs a device.
mkdirSync('dist/bench-data', { recursive: true });
const directory = mkdtempSync('dist/bench-data/out-of-memory-');
const memory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ringzero-'));
process.on('exit', () => {
  for (const made of [directory, memory]) rmSync(made, { recursive: true, force: true });
});

const inMemory = await openAll(memory, MEMORY_POOL_MIB, 0);
for (let round = 0; round < ROUNDS; round++)
  await compare(inMemory, 'memory', IN_MEMORY, MEMORY_ROUND_MS);
await closeAll(inMemory);

const onDevice = await openAll(directory, POOL_MIB, OPEN_DIRECT);
const tabby = onDevice.get('Tabby')!;
const path = POOL_MIB >= 1024 ? vmcachePath() : undefined;
const peer =
  path === undefined
    ? undefined
    : await Vmcache.start(path, {
        threads: 2,
        size: tabby.keys,
        workload: 'look-ups',
        poolGib: POOL_MIB / 1024,
        virtualGib: 16,
        file: join(directory, 'vmcache'),
      });
for (let round = 0; round < ROUNDS; round++) {
  for (const [kind] of LOOK_UPS)
    note(kind, (await tabby.measure(kind, 'uniform', 2, ROUND_MS)).rate);
  if (peer !== undefined) note('vmcache', await peer.measure(PEER_SECONDS));
  await compare(onDevice, 'device', ON_DEVICE, ROUND_MS);
}
const outside = tabby.memoryOutsidePool(POOL_MIB * 256);
const counters = Object.fromEntries(
  [...onDevice].map(([design, { vcpus }]) => [
    design,
    Object.fromEntries(Object.entries(COUNTERS).map(([name, i]) => [name, vcpus.call('stat', i)])),
  ]),
);
peer?.stop();
await closeAll(onDevice);

const rows: Row[] = LOOK_UPS.map(([kind, goal]) => {
  const ours = rateOf(kind);
  const theirs = peer && rateOf('vmcache');
  return {
    figure: `device: ${kind}, 2 vCPUs`,
    value: kilo(ours),
    ...atLeast(theirs && ours / theirs, goal, 'x'),
    ...(theirs && { ratio: `vmcache ${kilo(theirs)}, ${(ours / theirs).toFixed(2)}x` }),
  };
});
rows.push(...compared('device', ON_DEVICE), ...compared('memory', IN_MEMORY));
if (STORE_GB >= 1) {
  rows.push({
    figure: 'memory outside the pool per GB of store',
    value: `${(outside / 2 ** 20 / STORE_GB).toFixed(2)} MB`,
    ...atMost(outside / 2 ** 20 / STORE_GB, 4, ' MB'),
  });
}
const ioUring = process.env['UV_USE_IO_URING'];
const plots = ['device', 'memory'].map((on): Plot => ({
  title: `YCSB with data 4x the pool, ${on === 'device' ? 'from the device' : 'files in memory'}, 2 vCPUs`,
  values: 'thousand a second',
  isLog: true,
  points: pointsOf(
    rates,
    (name) => {
      const [, kind, over, design] =
        new RegExp(`^${on}: ([^;]*); ([^;]*); ([^;]*)$`).exec(name) ?? [];
      return design ? [`YCSB-${kind}, ${over}`, design] : undefined;
    },
    1e-3,
  ),
  paper: 'figure 17: 3.5x the throughput per core of vmcache, 2.5x that of LeanStore',
}));
plots.unshift({
  title: 'Random look-ups with data 4x the pool, from the device, 2 vCPUs',
  values: 'thousand a second',
  points: pointsOf(
    rates,
    (name) => (name.includes(':') ? undefined : [name, name === 'vmcache' ? name : 'Tabby']),
    1e-3,
  ),
});
report(
  'out-of-memory',
  rows,
  { keys: tabby.keys, ioUring, outside, counters, rates: Object.fromEntries(rates) },
  plots,
);
process.exit(0);
