// From the start of the process to its first PONG, with an empty database, our server and redis-server in
// turn.
//
//   node dist/bench/redis-startup.js [--smoke]

import type { Plot } from './plot.ts';
import { atMost, isSmoke, median, report, type Row } from './report.ts';
import { kinds, startServer, type Kind } from './servers.ts';

const ROUNDS = isSmoke ? 1 : 15;

const peers = kinds();
const times: Partial<Record<Kind, number[]>> = {};
for (let round = isSmoke ? 0 : -1; round < ROUNDS; round++) {
  for (const kind of peers) {
    const server = await startServer(kind);
    if (round >= 0) (times[kind] ??= []).push(server.startMs); // the first brings the files into memory
    await server.stop();
  }
}
const { ringzero, redis } = times;
const row: Row = {
  figure: 'start to first PONG: median',
  value: `${median(ringzero!).toFixed(0)} ms`,
  ...atMost(median(ringzero!), 150, ' ms'),
  ...(redis && { ratio: `redis ${median(redis).toFixed(0)} ms` }),
};
const points = Object.entries(times).map(([series, samples]) => ({
  group: series,
  series,
  samples,
}));
const plots: Plot[] = [
  { title: 'Start of the process to the first PONG', values: 'milliseconds', points },
];
report('redis-startup', [row], times, plots);
