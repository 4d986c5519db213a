// Four times more data than pool, straight from the device (paper, figure 17): Tabby against native vmcache on the same
// device, and against the designs that it is compared with.
//
//   node dist/bench/out-of-memory.js [--smoke] [--rounds N] [--pool-mib N]
//   RZ_VMCACHE=path (bench/vmcache.ts; from 1024 MiB on)

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_DIRECT } from '../assembly/abi/syscall.ts';
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
const ROUNDS = numberOption('rounds', isSmoke ? 1 : 5);
const ROUND_MS = isSmoke ? 100 : 4000;
const WARM_MS = isSmoke ? 100 : 10_000;
const PEER_SECONDS = 4;
const STORE_GB = (4 * POOL_MIB) / 1024;
const DISTRIBUTIONS: readonly Distribution[] = ['uniform', 'Zipf 0.9'];
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
const stores = new Map<Design, YcsbStore>();
const place = (design: string): string => join(directory, design);
for (const design of Object.keys(DESIGNS)) mkdirSync(place(design));
const common = { vcpus: 2, poolFrames: POOL_FRAMES, keys: KEYS };
const first = await YcsbStore.start({ ...common, design: 'Tabby', directory: place('Tabby') });
await first.close();
for (const design of Object.keys(DESIGNS) as Design[]) {
  const from = join(place('Tabby'), STORE_FILE);
  if (design !== 'Tabby') copyFileSync(from, join(place(design), STORE_FILE));
}
for (const design of Object.keys(DESIGNS) as Design[]) {
  const options = { ...common, design, directory: place(design), openFlags: OPEN_DIRECT };
  stores.set(design, await YcsbStore.start({ ...options, isThere: true }));
}
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

const tabby = stores.get('Tabby')!;
for (const [design, store] of stores) {
  for (const kind of ['look-ups', 'look-ups, 64 together', 'A'] as const)
    await store.measure(kind, 'uniform', 2, WARM_MS / 3);
  console.log(`${design} is warm`);
}
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of ['look-ups', 'look-ups, 64 together'] as const)
    note(kind, (await tabby.measure(kind, 'uniform', 2, ROUND_MS)).rate);
  if (peer !== undefined) note('vmcache', await peer.measure(PEER_SECONDS));
  for (const over of DISTRIBUTIONS) {
    for (const kind of ['C', 'A'] as const) {
      for (const [design, store] of stores) {
        const { rate, cpuUs } = await store.measure(kind, over, 2, ROUND_MS);
        note(`${kind}, ${over}, ${design}`, rate);
        note(`${kind}, ${over}, ${design}, CPU us`, cpuUs);
      }
    }
  }
}

const rows: Row[] = [];
for (const [kind, goal] of [
  ['look-ups', '1x'],
  ['look-ups, 64 together', '2.5x'],
] as const) {
  const ours = rateOf(kind);
  const theirs = peer && rateOf('vmcache');
  rows.push({
    figure: `${kind}, 2 vCPUs`,
    value: kilo(ours),
    goal,
    ...(theirs && { ratio: `vmcache ${kilo(theirs)}, ${(ours / theirs).toFixed(2)}x` }),
  });
}
for (const over of DISTRIBUTIONS) {
  for (const kind of ['C', 'A'] satisfies Kind[]) {
    const [ours, eager, hash] = (['Tabby', 'eager', 'hash'] as const).map((design) =>
      rateOf(`${kind}, ${over}, ${design}`),
    );
    const ratios = [eager!, hash!].map((rate) => `${(ours! / rate).toFixed(2)}x`);
    rows.push({
      figure: `YCSB-${kind}, ${over}, 2 vCPUs`,
      value: kilo(ours!),
      ratio: `eager ${kilo(eager!)}, ${ratios[0]}; hash table ${kilo(hash!)}, ${ratios[1]}`,
      goal: '2x; 1.5x',
    });
    const [cpu, eagerCpu, hashCpu] = (['Tabby', 'eager', 'hash'] as const).map((design) =>
      rateOf(`${kind}, ${over}, ${design}, CPU us`),
    );
    rows.push({
      figure: '  processor time of an operation',
      value: `${cpu!.toFixed(1)} us`,
      ratio: `eager ${eagerCpu!.toFixed(1)} us, ${(eagerCpu! / cpu!).toFixed(2)}x; hash table ${hashCpu!.toFixed(1)} us, ${(hashCpu! / cpu!).toFixed(2)}x`,
    });
  }
}
const outside = tabby.memoryOutsidePool(POOL_FRAMES);
if (STORE_GB >= 1) {
  rows.push({
    figure: 'memory outside the pool per GB of store',
    value: `${(outside / 2 ** 20 / STORE_GB).toFixed(2)} MB`,
    goal: '4 MB',
  });
}
const counters = Object.fromEntries(
  [...stores].map(([design, { vcpus }]) => [
    design,
    Object.fromEntries(Object.entries(COUNTERS).map(([name, i]) => [name, vcpus.call('stat', i)])),
  ]),
);
report('out-of-memory', rows, { keys: KEYS, outside, counters, rates: Object.fromEntries(rates) });
peer?.stop();
for (const store of stores.values()) await store.vcpus.close();
rmSync(directory, { recursive: true });
process.exit(0);
