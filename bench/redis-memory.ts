// What a key costs: used_memory for each of many values of 1 KB, and of 16 B, with keys of 16 B, in our
// server and in redis-server.
//
//   node dist/bench/redis-memory.js [--smoke]

import type { Plot } from './plot.ts';
import { atMost, isSmoke, report, type Row } from './report.ts';
import { kinds, startServer, type Kind } from './servers.ts';

const KEYS = isSmoke ? 5000 : 200_000;
const BATCH = 1000;

async function bytesPerKey(kind: Kind, valueBytes: number): Promise<number> {
  const server = await startServer(kind);
  const before = await server.info('memory', 'used_memory');
  for (let i = 0; i < KEYS; i += BATCH) {
    const sets = Array.from({ length: BATCH }, (_, k) => {
      const number = String(i + k);
      return ['SET', `key:${number.padStart(12, '0')}`, `v${number}`.padEnd(valueBytes, 'x')];
    });
    await server.pipeline(sets);
  }
  if (Number(await server.call('DBSIZE')) !== KEYS) throw new Error(`${kind}: keys are missing`);
  const after = await server.info('memory', 'used_memory');
  await server.stop();
  return (after - before) / KEYS;
}

const rows: Row[] = [];
const data: Record<string, Partial<Record<Kind, number>>> = {};
const peers = kinds();
for (const valueBytes of [1024, 16]) {
  const bytes: Partial<Record<Kind, number>> = {};
  for (const kind of peers) bytes[kind] = await bytesPerKey(kind, valueBytes);
  data[`${valueBytes} B`] = bytes;
  const { ringzero, redis } = bytes;
  rows.push({
    figure: `memory for a value of ${valueBytes} B`,
    value: `${ringzero!.toFixed(1)} B`,
    ...atMost(redis && ringzero! / redis, 1, 'x'),
    ...(redis && { ratio: `redis ${redis.toFixed(1)} B, ${(ringzero! / redis).toFixed(2)}x` }),
  });
}
const points = Object.entries(data).flatMap(([group, bytes]) =>
  Object.entries(bytes).map(([series, each]) => ({
    group: `value of ${group}`,
    series,
    samples: [each],
  })),
);
const plots: Plot[] = [{ title: 'Memory of a key and its value', values: 'bytes', points }];
report('redis-memory', rows, data, plots);
