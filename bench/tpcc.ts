// TPC-C: transactions of the mix a second, in memory and out of it, against native vmcache; the consistency
// conditions are checked afterwards (guest/tpcc; paper, figure 20).
//
//   node dist/bench/tpcc.js [--smoke] [--rounds N] [--warehouses N]
//   RZ_VMCACHE=path of the peer's program (bench/vmcache.ts)

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_DIRECT } from '../assembly/abi/syscall.ts';
import { pointsOf, type Plot } from './plot.ts';
import { atLeast, isSmoke, median, numberOption, report, type Row } from './report.ts';
import { startVcpus, type Vcpus } from './vcpus.ts';
import { Vmcache, vmcachePath } from './vmcache.ts';

const WAREHOUSES = numberOption('warehouses', 1);
const PAGES_PER_WAREHOUSE = 30_000; // with room for the orders of a run
const ROUNDS = numberOption('rounds', isSmoke ? 1 : 5);
const ROUND_MS = isSmoke ? 150 : 1500;
const PEER_SECONDS = 3;
const TRANSACTIONS = 50; // in a call: some ms
const MIB = 2 ** 20;
const KINDS = ['new-order', 'payment', 'order-status', 'delivery', 'stock-level', 'rolled back'];

mkdirSync('dist/bench-data', { recursive: true });
const directory = mkdtempSync('dist/bench-data/tpcc-');

async function start(name: string, poolFrames: number, openFlags: number): Promise<Vcpus> {
  const own = join(directory, name);
  mkdirSync(own);
  const memory = Math.min(4096, Math.ceil((poolFrames * 4.4) / 1024 / 16) * 16 + 128) * MIB;
  const vcpus = await startVcpus({
    guest: 'tpcc.wasm',
    vcpus: 2,
    memory,
    directory: own,
    openFlags,
  });
  vcpus.call('setTime', Date.now());
  vcpus.check('format', vcpus.descriptor, poolFrames, WAREHOUSES, 42n);
  vcpus.check('loadItems');
  for (let w = 1; w <= WAREHOUSES; w++) vcpus.check('loadWarehouse', w);
  await vcpus.join();
  await vcpus.each('seed', (worker) => [BigInt(worker + 1)]);
  await vcpus.loop('run', [TRANSACTIONS], TRANSACTIONS, ROUND_MS);
  return vcpus;
}

const pages = PAGES_PER_WAREHOUSE * WAREHOUSES;
const POOLS = {
  'in memory': await start('all', Math.min(800_000, pages * (isSmoke ? 1 : 24)), 0),
  'pool a quarter of the data': await start('quarter', (pages * 23) >> 7, OPEN_DIRECT),
};
const path = isSmoke ? undefined : vmcachePath();
const peers = new Map<number, Vmcache>();
if (path !== undefined) {
  for (const threads of [1, 2]) {
    const file = join(directory, `vmcache-${threads}`);
    const sizes = { size: WAREHOUSES, poolGib: 3, virtualGib: 16 };
    peers.set(threads, await Vmcache.start(path, { threads, workload: 'TPC-C', file, ...sizes }));
  }
}

const rates = new Map<string, number[]>();
const note = (name: string, rate: number): void => {
  rates.set(name, [...(rates.get(name) ?? []), rate]);
};
const rateOf = (name: string): number => median(rates.get(name)!);
for (let round = 0; round < ROUNDS; round++) {
  for (const vcpus of [1, 2]) {
    for (const [name, pool] of Object.entries(POOLS)) {
      const run = await pool.loop('run', [TRANSACTIONS], TRANSACTIONS, ROUND_MS, vcpus);
      note(`${name}, ${vcpus}`, run.rate);
    }
    const peer = peers.get(vcpus);
    if (peer !== undefined) note(`vmcache, ${vcpus}`, await peer.measure(PEER_SECONDS));
  }
}
for (const peer of peers.values()) peer.stop();

const kilo = (rate: number): string => `${(rate / 1000).toFixed(1)} K/s`;
const rows: Row[] = [];
const data: Record<string, unknown> = { warehouses: WAREHOUSES, rates: Object.fromEntries(rates) };
for (const [name, pool] of Object.entries(POOLS)) {
  for (const vcpus of [1, 2]) {
    const ours = rateOf(`${name}, ${vcpus}`);
    const isInMemory = name === 'in memory';
    const theirs = isInMemory && peers.has(vcpus) ? rateOf(`vmcache, ${vcpus}`) : undefined;
    rows.push({
      figure: `TPC-C, ${WAREHOUSES} warehouse${WAREHOUSES > 1 ? 's' : ''}, ${name}, ${vcpus} vCPU${vcpus > 1 ? 's' : ''}`,
      value: kilo(ours),
      ...atLeast(theirs && ours / theirs, 0.5, 'x'),
      ...(theirs && { ratio: `vmcache ${kilo(theirs)}, ${(ours / theirs).toFixed(2)}x` }),
    });
  }
  const broken = pool.call('check');
  if (broken !== 0) throw new Error(`${name}: consistency condition ${broken} does not hold`);
  const verified = pool.call('verify');
  if (verified !== 0) throw new Error(`${name}: the trees are broken, rule ${verified}`);
  const counts: Record<string, number> = {};
  for (const [kind, what] of KINDS.entries()) {
    const each = await pool.each('counted', () => [kind]);
    counts[what] = each.reduce((sum, made) => sum + made, 0);
  }
  data[name] = { counts, evictions: pool.call('stat', 2), faults: pool.call('stat', 0) };
  const made = Object.values(counts).reduce((sum, count) => sum + count, 0);
  rows.push({ figure: `  ${name}: all consistency conditions hold`, value: `after ${made}` });
  await pool.close();
}
const plots: Plot[] = [
  {
    title: `TPC-C, ${WAREHOUSES} warehouse${WAREHOUSES > 1 ? 's' : ''}`,
    values: 'thousand transactions a second',
    points: pointsOf(
      rates,
      (name) => {
        const [series, vcpus] = name.split(/, (?=\d)/) as [string, string];
        return [
          `${vcpus} vCPU${vcpus === '1' ? '' : 's'}`,
          series === 'vmcache' ? series : `Tabby, ${series}`,
        ];
      },
      1e-3,
    ),
    paper: 'figure 20: out of memory the same throughput as vmcache at half of its cores',
  },
];
report('tpcc', rows, data, plots);
rmSync(directory, { recursive: true });
process.exit(0);
