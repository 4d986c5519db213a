// A BGSAVE under reads and writes in different shares, of keys that crowd around the middle (paper, figure
// 16): our server, and after it redis-server.
//
//   node dist/bench/redis-mixes.js [--gb 1] [--rounds 1] [--smoke]

import { parseArgs } from 'node:util';
import {
  kindsFor,
  measure,
  middle,
  rateOf,
  rateRatio,
  startFull,
  type Round,
} from './bgsave-rounds.ts';
import type { Plot } from './plot.ts';
import { isSmoke, report, type Row } from './report.ts';
import type { Kind } from './servers.ts';

const { values } = parseArgs({
  options: {
    gb: { type: 'string', default: isSmoke ? '0.02' : '1' },
    rounds: { type: 'string', default: '1' },
    smoke: { type: 'boolean' },
  },
});
const DATA_BYTES = Number(values.gb) * 1e9;
const SETTING = { rounds: Number(values.rounds), quietMs: isSmoke ? 200 : 3000 };
const READS_PER_WRITE = isSmoke ? [0, 8] : [0, 1, 2, 4, 8];

const data = new Map<number, Partial<Record<Kind, Round[]>>>(
  READS_PER_WRITE.map((reads) => [reads, {}]),
);
for (const kind of kindsFor(DATA_BYTES)) {
  const server = await startFull(kind, DATA_BYTES);
  for (const [readsPerWrite, rounds] of data)
    rounds[kind] = await measure(server, DATA_BYTES, { readsPerWrite, isGaussian: true }, SETTING);
  await server.stop();
}

/** Of all commands from the begin of the save to seconds after it. */
const p999 = ({ saving, after }: Round): number => Math.max(saving.p999Ms, after.p999Ms);
const rows: Row[] = [...data].flatMap(([reads, rounds]) =>
  Object.entries(rounds).map(([kind, own]): Row => {
    const ours = middle(rounds.ringzero!, p999);
    const here = middle(own, p999);
    return {
      figure: `${reads}:1, ${kind}: p99.9 while saving`,
      value: `${here.toFixed(1)} ms (quiet ${middle(own, (r) => r.quiet.p999Ms).toFixed(1)} ms)`,
      ratio: `${(rateOf(own, 'saving') / 1000).toFixed(0)} K/s, ${rateRatio(own).toFixed(2)}x of quiet${
        kind === 'ringzero' ? '' : `; ringzero's p99.9 ${(ours / here).toFixed(2)}x`
      }`,
    };
  }),
);
const plots: Plot[] = [
  {
    title: `p99.9 while a BGSAVE of ${values.gb} GB runs, Gaussian keys`,
    values: 'milliseconds',
    isLog: true,
    points: [...data].flatMap(([reads, rounds]) =>
      Object.entries(rounds).map(([kind, own]) => ({
        group: `${reads}:1`,
        series: kind,
        samples: own.map(p999),
      })),
    ),
    paper:
      'figure 16: from reads:writes of 0:1 to 8:1 p99.9 2.6x and 3.6x below on-demand fork and fork',
  },
];
report(
  'redis-mixes',
  rows,
  [...data].map(([reads, rounds]) => ({ reads, ...rounds })),
  plots,
);
