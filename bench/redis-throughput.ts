// Commands a second: redis-benchmark with 50 connections, SET and GET of 100 B to 100,000 random keys, one by
// one and in pipelines of 16, against our server and redis-server in turn. And the processor time that a
// server takes for a request, which other work on the machine changes less.
//
//   node dist/bench/redis-throughput.js [--smoke]

import { hasPeer } from '../tests/peers.ts';
import type { Plot } from './plot.ts';
import { atLeast, isSmoke, median, report, type Row } from './report.ts';
import { kinds, startServer, throughput, type Kind, type Server } from './servers.ts';

const ROUNDS = isSmoke ? 1 : 7;
const LOADS = [
  { pipeline: 1, requests: isSmoke ? 2000 : 60_000, goal: 0.85 },
  { pipeline: 16, requests: isSmoke ? 16_000 : 400_000, goal: 1.3 },
];

const peers = kinds();
if (!hasPeer('redis-benchmark', 'redis-throughput')) process.exit(0);
const servers = [];
for (const kind of peers) servers.push(await startServer(kind));

/** Processor time of the server since its start, in microseconds. */
async function cpuUs(server: Server): Promise<number> {
  const user = await server.info('cpu', 'used_cpu_user');
  return (user + (await server.info('cpu', 'used_cpu_sys'))) * 1e6;
}

const rows: Row[] = [];
const data: Record<string, Partial<Record<Kind, number[]>>> = {};
for (const { pipeline, requests, goal } of LOADS) {
  const rates: Record<string, Partial<Record<Kind, number[]>>> = { SET: {}, GET: {} };
  const times: Partial<Record<Kind, number[]>> = {};
  for (let round = -1; round < ROUNDS; round++) {
    for (const server of servers) {
      const { kind, port } = server;
      const before = await cpuUs(server);
      const measured = throughput(port, pipeline, requests);
      const us = ((await cpuUs(server)) - before) / (2 * requests); // SET and GET
      if (round < 0) continue; // fills the keys and lets the compilers warm up
      (times[kind] ??= []).push(us);
      for (const test of ['SET', 'GET'] as const) (rates[test]![kind] ??= []).push(measured[test]);
    }
  }
  for (const test of ['SET', 'GET']) {
    const { ringzero, redis } = rates[test]!;
    const [ours, theirs] = [median(ringzero!), redis && median(redis)];
    data[`${test} P=${pipeline}`] = rates[test]!;
    rows.push({
      figure: `${test} P=${pipeline}`,
      value: `${(ours / 1000).toFixed(1)} K/s`,
      ...atLeast(theirs && ours / theirs, goal, 'x'),
      ...(theirs && {
        ratio: `redis ${(theirs / 1000).toFixed(1)} K/s, ${(ours / theirs).toFixed(2)}x`,
      }),
    });
  }
  const [ours, theirs] = [median(times.ringzero!), times.redis && median(times.redis)];
  rows.push({
    figure: `processor time of a request, P=${pipeline}`,
    value: `${ours.toFixed(2)} µs`,
    ...(theirs && { ratio: `redis ${theirs.toFixed(2)} µs, ${(theirs / ours).toFixed(2)}x` }),
  });
}
const points = Object.entries(data as Record<string, Partial<Record<Kind, number[]>>>).flatMap(
  ([group, kinds]) =>
    Object.entries(kinds).map(([series, samples]) => ({
      group,
      series,
      samples: samples.map((rate) => rate / 1000),
    })),
);
const plots: Plot[] = [
  { title: 'redis-benchmark, 50 clients, 100 bytes', values: 'thousand requests a second', points },
];
report('redis-throughput', rows, data, plots);
for (const server of servers) await server.stop();
