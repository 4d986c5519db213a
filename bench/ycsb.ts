// Look-ups and YCSB in the guest, all keys in memory: against native vmcache, and against the designs that
// Tabby is compared with (paper, figure 18).
//
//   node dist/bench/ycsb.js [--smoke] [--rounds N]       RZ_VMCACHE=path of the peer's program (bench/vmcache.ts)

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pointsOf, type Plot } from './plot.ts';
import { atLeast, isSmoke, median, numberOption, report, type Row } from './report.ts';
import { Vmcache, vmcachePath } from './vmcache.ts';
import {
  DESIGNS,
  DISTRIBUTIONS,
  KEYS_PER_PAGE,
  YcsbStore,
  type Design,
  type Distribution,
  type Kind,
} from './ycsb-store.ts';

const KEYS = isSmoke ? 50_000 : 5_000_000;
const POOL_FRAMES = Math.ceil(((KEYS / KEYS_PER_PAGE) * 3) / 2);
const ROUNDS = numberOption('rounds', isSmoke ? 1 : 7);
const ROUND_MS = isSmoke ? 60 : 2000;
const WARM_MS = isSmoke ? 60 : 1000;
const PEER_SECONDS = 3;
const YCSB: readonly Kind[] = ['A', 'B', 'C', 'E', 'F'];

const directory = mkdtempSync(join(tmpdir(), 'ringzero-ycsb-'));
const rates = new Map<string, number[]>();
const note = (name: string, rate: number): void => {
  rates.set(name, [...(rates.get(name) ?? []), rate]);
};
const rateOf = (name: string): number => median(rates.get(name)!);
const mega = (rate: number): string => `${(rate / 1e6).toFixed(3)} M/s`;

const designs = Object.keys(DESIGNS) as Design[];
const stores = new Map<Design, YcsbStore>();
for (const design of designs) {
  const own = mkdtempSync(join(directory, design));
  const options = { design, vcpus: 2, poolFrames: POOL_FRAMES, keys: KEYS, directory: own };
  const store = await YcsbStore.start(options);
  for (const kind of ['look-ups, 64 together', ...YCSB] as const)
    await store.measure(kind, 'Zipf 0.9', 2, WARM_MS / 6);
  stores.set(design, store);
}
const path = isSmoke ? undefined : vmcachePath();
const peers = new Map<number, Vmcache>();
if (path !== undefined) {
  for (const threads of [1, 2]) {
    const file = join(directory, `vmcache-${threads}`);
    const options = { threads, size: KEYS, poolGib: 3, virtualGib: 8, file };
    peers.set(threads, await Vmcache.start(path, { ...options, workload: 'look-ups' }));
  }
}

const tabby = stores.get('Tabby')!;
for (let round = 0; round < ROUNDS; round++) {
  for (const vcpus of [1, 2]) {
    for (const kind of ['look-ups', 'look-ups, 64 together'] as const) {
      const { rate } = await tabby.measure(kind, 'uniform', vcpus, ROUND_MS);
      note(`${kind}, ${vcpus}`, rate);
    }
    const peer = peers.get(vcpus);
    if (peer !== undefined) note(`vmcache, ${vcpus}`, await peer.measure(PEER_SECONDS));
  }
  for (const over of Object.keys(DISTRIBUTIONS) as Distribution[]) {
    for (const kind of YCSB) {
      for (const [design, store] of stores) {
        const { rate } = await store.measure(kind, over, 2, ROUND_MS / 4);
        note(`${kind}, ${over}, ${design}`, rate);
      }
    }
  }
}

const rows: Row[] = [];
for (const [kind, goal] of [
  ['look-ups', 0.8],
  ['look-ups, 64 together', 1.5],
] as const) {
  for (const vcpus of [1, 2]) {
    const ours = rateOf(`${kind}, ${vcpus}`);
    const theirs = peers.has(vcpus) ? rateOf(`vmcache, ${vcpus}`) : undefined;
    rows.push({
      figure: `${kind}, ${vcpus} vCPU${vcpus > 1 ? 's' : ''}`,
      value: mega(ours),
      ...atLeast(theirs && ours / theirs, goal, 'x'),
      ...(theirs && { ratio: `vmcache ${mega(theirs)}, ${(ours / theirs).toFixed(2)}x` }),
    });
  }
}
for (const over of Object.keys(DISTRIBUTIONS) as Distribution[]) {
  for (const kind of YCSB) {
    const rate = (design: Design): number => rateOf(`${kind}, ${over}, ${design}`);
    const ours = rate('Tabby');
    const others = designs.filter((design) => design !== 'Tabby');
    rows.push({
      figure: `YCSB-${kind}, ${over}, 2 vCPUs`,
      value: mega(ours),
      ratio: others
        .map((design) => `${design} ${mega(rate(design))}, ${(ours / rate(design)).toFixed(2)}x`)
        .join('; '),
    });
  }
}
const plots: Plot[] = [
  {
    title: `Random look-ups, ${KEYS.toLocaleString('en')} keys in memory`,
    values: 'million a second',
    points: pointsOf(
      rates,
      (name) => {
        const [, series, vcpus] =
          /^(look-ups|look-ups, 64 together|vmcache), ([12])$/.exec(name) ?? [];
        return series === undefined
          ? undefined
          : [`${vcpus} vCPU${vcpus === '1' ? '' : 's'}`, series];
      },
      1e-6,
    ),
  },
  ...(Object.keys(DISTRIBUTIONS) as Distribution[]).map((over): Plot => ({
    title: `YCSB in memory, ${over}, 2 vCPUs`,
    values: 'million a second',
    points: pointsOf(
      rates,
      (name) => {
        const [kind, ...rest] = name.split(', ');
        const at = rest.join(', ');
        return at.startsWith(`${over}, `) ? [`YCSB-${kind}`, at.slice(over.length + 2)] : undefined;
      },
      1e-6,
    ),
    paper: 'figure 18: equal to vmcache, far above a hash-table pool',
  })),
];
report('ycsb', rows, Object.fromEntries(rates), plots);
for (const peer of peers.values()) peer.stop();
for (const store of stores.values()) await store.vcpus.close();
rmSync(directory, { recursive: true });
process.exit(0);
