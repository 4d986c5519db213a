// Rings against the calling thread's own system calls: random reads of 4 KiB past the page cache, by
// operations under way.
//
//   node dist/bench/io.js [--smoke] [--rounds N]
//   UV_USE_IO_URING=1, UV_THREADPOOL_SIZE=16: how the host gets at the device is its environment's
//   (docs/io.md)

import { mkdirSync, mkdtempSync, openSync, closeSync, rmSync, writeSync, fsyncSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_DIRECT, OPEN_READ } from '../assembly/abi/syscall.ts';
import { MicroVM } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';
import { pointsOf, type Plot } from './plot.ts';
import { isSmoke, median, numberOption, report, type Row } from './report.ts';

const ROUNDS = numberOption('rounds', isSmoke ? 1 : 7);
const MIB = isSmoke ? 16 : 1024;
const READS = isSmoke ? 500 : 10_000;
const DEPTHS = [1, 8, 32, 64, 128];
const FILE = 'blocks';

mkdirSync('dist/bench-data', { recursive: true });
const directory = mkdtempSync('dist/bench-data/io-');
const block = Buffer.alloc(1 << 20, 7);
const host = openSync(join(directory, FILE), 'w');
for (let i = 0; i < MIB; i++) writeSync(host, block);
fsyncSync(host);
closeSync(host);

const vm = await MicroVM.create({
  guest: readBuiltModule('io-test.wasm'),
  linked: true,
  memory: 64 << 20,
  preopen: directory,
  rings: true,
});
const { exports } = vm.enter();
const call = (name: string, ...args: number[]): number => Number(exports[name]!(...args));
call('makeBuffers', 128);
for (let i = 0; i < FILE.length; i++) call('putPath', i, FILE.charCodeAt(i));
const rates = new Map<string, number[]>();
const measure = (name: string, file: number, descriptor: number, depth: number): void => {
  const before = performance.now();
  const bytes = call('readMany', file, descriptor, MIB * 256, READS, depth);
  if (bytes !== READS * 4096) throw new Error(`${name}: ${bytes} bytes`);
  const rate = (READS / (performance.now() - before)) * 1000;
  rates.set(name, [...(rates.get(name) ?? []), rate]);
};
for (const [cache, flags] of [
  ['device', OPEN_DIRECT],
  ['page cache', 0],
] as const) {
  const descriptor = call('open', FILE.length, OPEN_READ | flags);
  const file = call('ringFile', descriptor);
  for (let round = 0; round <= ROUNDS; round++) {
    if (round === 1)
      for (const name of rates.keys()) if (name.startsWith(cache)) rates.delete(name);
    measure(`${cache}, system calls`, file, descriptor, 0);
    for (const depth of DEPTHS) measure(`${cache}, ring, depth ${depth}`, file, descriptor, depth);
  }
}
const rows: Row[] = [...rates].map(([name, values]) => {
  const base = median(rates.get(`${name.split(',')[0]}, system calls`)!);
  const rate = median(values);
  return {
    figure: name,
    value: `${(rate / 1000).toFixed(1)} K/s`,
    ratio: `${(rate / base).toFixed(2)}x of system calls`,
  };
});
const environment = {
  ioUring: process.env['UV_USE_IO_URING'],
  threads: process.env['UV_THREADPOOL_SIZE'],
};
const plots = ['device', 'page cache'].map((on): Plot => ({
  title: `Random reads of 4 KiB, from the ${on}`,
  values: 'thousand reads a second',
  groups: 'operations under way',
  points: pointsOf(
    rates,
    (name) => {
      const depth = /depth (\d+)$/.exec(name)?.[1];
      if (!name.startsWith(on)) return undefined;
      return depth === undefined ? [1, 'system calls of one thread'] : [Number(depth), 'ring'];
    },
    1e-3,
  ),
}));
report('io', rows, { environment, rates: Object.fromEntries(rates) }, plots);
await vm.close();
rmSync(directory, { recursive: true });
