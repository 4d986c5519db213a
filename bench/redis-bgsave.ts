// What clients feel of a BGSAVE: 1000 outstanding SETs of 1 KB to random keys of a full server, quiet and
// then during a BGSAVE; our server, and after it redis-server.
//
//   node dist/bench/redis-bgsave.js [--gb 2.5] [--rounds 3] [--smoke]

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
import type { Plot, Point } from './plot.ts';
import type { PhaseResult } from './redis-load.ts';
import { atMost, atLeast, isSmoke, report, type Row } from './report.ts';
import type { Kind } from './servers.ts';

const { values } = parseArgs({
  options: {
    gb: { type: 'string', default: isSmoke ? '0.05' : '2.5' },
    rounds: { type: 'string', default: isSmoke ? '1' : '3' },
    smoke: { type: 'boolean' },
  },
});
const DATA_BYTES = Number(values.gb) * 1e9;
const ROUNDS = Number(values.rounds);
const QUIET_MS = isSmoke ? 500 : 8000;
const SETS = { readsPerWrite: 0, isGaussian: false };

interface Figures {
  readonly maxMs: number;
  readonly maxRatio: number;
  readonly rateRatio: number;
}

const worst = ({ saving, after }: Round): number => Math.max(saving.maxMs, after.maxMs);

function phaseRow(kind: Kind, phase: 'quiet' | 'saving', rounds: readonly Round[]): Row {
  const of = (pick: (result: PhaseResult) => number): number =>
    middle(rounds, (round) => pick(round[phase]));
  const latency = [of((r) => r.maxMs), of((r) => r.p999Ms), of((r) => r.p99Ms)];
  const spans = phase === 'saving' ? ` in ${of((r) => r.seconds).toFixed(1)} s` : '';
  return {
    figure: `${kind}, ${phase}: max / p99.9 / p99`,
    value: `${latency.map((ms) => ms.toFixed(1)).join(' / ')} ms`,
    ratio: `${(rateOf(rounds, phase) / 1000).toFixed(1)} K/s${spans}`,
  };
}

function figures(rounds: readonly Round[]): Figures {
  return {
    maxMs: middle(rounds, worst),
    maxRatio: middle(rounds, (round) => worst(round) / round.quiet.maxMs),
    rateRatio: rateRatio(rounds),
  };
}

const rows: Row[] = [];
const data: Partial<Record<Kind, Round[]>> = {};
for (const kind of kindsFor(DATA_BYTES)) {
  const server = await startFull(kind, DATA_BYTES);
  const rounds = await measure(server, DATA_BYTES, SETS, { rounds: ROUNDS, quietMs: QUIET_MS });
  await server.stop();
  data[kind] = rounds;
  rows.push(phaseRow(kind, 'quiet', rounds), phaseRow(kind, 'saving', rounds));
}
const ours = figures(data.ringzero!);
const theirs = data.redis && figures(data.redis);
const x = (value: number): string => `${value.toFixed(2)}x`;
rows.push(
  {
    figure: 'max while saving and after, of max quiet',
    value: x(ours.maxRatio),
    ...atMost(ours.maxRatio, 1.5, 'x'),
    ...(theirs && { ratio: `redis ${x(theirs.maxRatio)}` }),
  },
  {
    figure: 'throughput while saving, of quiet',
    value: x(ours.rateRatio),
    ...atLeast(ours.rateRatio, 0.8, 'x'),
    ...(theirs && { ratio: `redis ${x(theirs.rateRatio)}` }),
  },
);
if (theirs) {
  rows.push({
    figure: "max while saving and after, of redis-server's",
    value: x(ours.maxMs / theirs.maxMs),
    ...atMost(ours.maxMs / theirs.maxMs, 0.2, 'x'),
  });
}
const points = (pick: (result: PhaseResult) => number, group: string): Point[] =>
  Object.entries(data).flatMap(([kind, rounds]) =>
    (['quiet', 'saving'] as const).map((phase) => ({
      group,
      series: `${kind}, ${phase}`,
      samples: rounds.map((round) => pick(round[phase])),
    })),
  );
const plots: Plot[] = [
  {
    title: `SETs of 1 KB to random keys of ${values.gb} GB, 1000 outstanding, while a BGSAVE runs`,
    values: 'milliseconds',
    isLog: true,
    points: [
      ...points((r) => r.p99Ms, 'p99'),
      ...points((r) => r.p999Ms, 'p99.9'),
      ...points((r) => r.maxMs, 'greatest'),
    ],
    paper: 'figure 15: the greatest latency up to 15x below that with fork',
  },
  {
    title: 'Throughput of the same',
    values: 'thousand SETs a second',
    points: points(({ count, seconds }) => count / seconds / 1000, 'SET'),
  },
];
report('redis-bgsave', rows, data, plots);
