// Durable commits: the log's adaptive groups against one fdatasync for each commit, by commits outstanding.
// Records of 128 bytes, one vCPU; both through the rings, both files with room allocated, so that no sync has
// to write where they end.
//
//   node dist/bench/log-writer.js [--smoke] [--rounds N]

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_CREATE, OPEN_READ, OPEN_WRITE } from '../assembly/abi/syscall.ts';
import { MicroVM } from '../host/index.ts';
import { readBuiltModule } from '../host/platform/node.ts';
import { pointsOf, type Plot } from './plot.ts';
import { isSmoke, median, numberOption, percentile, report, type Row } from './report.ts';

const ROUNDS = numberOption('rounds', isSmoke ? 1 : 7);
const COMMITS = isSmoke ? 100 : 2000;
const APPENDERS = [1, 8, 64];
const BYTES = 128;

interface Result {
  perSecond: number;
  medianUs: number;
  p99Us: number;
}

mkdirSync('dist/bench-data', { recursive: true });
const directory = mkdtempSync(join('dist/bench-data', 'log-'));
const vm = await MicroVM.create({
  guest: readBuiltModule('log-test.wasm'),
  linked: true,
  memory: 64 << 20,
  preopen: directory,
  rings: true,
});
const { exports } = vm.enter();
const call = (name: string, ...args: number[]): number => Number(exports[name]!(...args));

function open(name: string): number {
  for (let i = 0; i < name.length; i++) call('putPath', i, name.charCodeAt(i));
  return call('open', name.length, OPEN_READ | OPEN_WRITE | OPEN_CREATE);
}

function measure(name: string, ...args: number[]): Result {
  const us = call(name, ...args);
  if (us <= 0) throw new Error(`${name}: ${us}`);
  const latencies = new Uint32Array(vm.memory.buffer, call('latencyAt') >>> 0, COMMITS)
    .slice()
    .sort();
  return {
    perSecond: (COMMITS / us) * 1e6,
    medianUs: percentile(latencies, 0.5),
    p99Us: percentile(latencies, 0.99),
  };
}

const alone = open('alone');
if (call('openLog', open('log')) !== 0) throw new Error('the log does not open');
const results: Record<string, Result[]> = {};
for (let round = 0; round <= ROUNDS; round++)
  for (const appenders of APPENDERS) {
    const each = measure('runAlone', alone, appenders, COMMITS, BYTES);
    const grouped = measure('runGrouped', appenders, COMMITS, BYTES);
    if (round === 0) continue; // the first warms up
    (results[`${appenders} outstanding, one sync a commit`] ??= []).push(each);
    (results[`${appenders} outstanding, groups`] ??= []).push(grouped);
  }
const rows: Row[] = Object.entries(results).map(([figure, all]) => {
  const of = (key: keyof Result, from = all): number => median(from.map((result) => result[key]));
  const base = results[figure.replace('groups', 'one sync a commit')]!;
  const ratio = of('perSecond') / of('perSecond', base);
  return {
    figure,
    value: `${of('perSecond').toFixed(0)} commits/s, median ${of('medianUs').toFixed(0)} µs, p99 ${of('p99Us').toFixed(0)} µs`,
    ratio:
      base === all
        ? undefined
        : `${ratio.toFixed(2)}x the commits, p99 ${(of('p99Us') / of('p99Us', base)).toFixed(2)}x`,
  };
});
const points = pointsOf(
  Object.entries(results).map(
    ([figure, all]) => [figure, all.map(({ perSecond }) => perSecond)] as const,
  ),
  (figure) => {
    const [outstanding, series] = figure.split(' outstanding, ');
    return [Number(outstanding), series!];
  },
);
const plots: Plot[] = [
  {
    title: 'Durable commits',
    values: 'commits a second',
    groups: 'commits outstanding',
    isLog: true,
    points,
  },
];
report('log-writer', rows, { bytes: BYTES, commits: COMMITS, results }, plots);
await vm.close();
rmSync(directory, { recursive: true });
