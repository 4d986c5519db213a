// docs/redis.md: its lists are those of the server.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { RedisGuest } from './harness.ts';
import { startRedis } from './real-redis.ts';

const test = suite('redis/document');

const text = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
const client = new RedisGuest().connect();

/** What stands between a mark and the end of its part. */
function part(name: string): string {
  const [, found] = new RegExp(`<!-- ${name} -->([\\s\\S]*?)<!-- end -->`).exec(text) ?? [];
  assert.ok(found, name);
  return found!;
}

test('commands: each that COMMAND LIST names, and no other', () => {
  const names = (client.command('COMMAND', 'LIST') as string[]).filter((n) => !n.includes('|'));
  const listed = [...part('commands').matchAll(/\b[A-Z]{3,}\b/g)].map(([name]) => name);
  assert.equal(listed.sort(), names.map((name) => name.toUpperCase()).sort());
});

test('options: each that is called honoured is one', () => {
  const flat = client.command('CONFIG', 'GET', '*') as string[];
  const known = new Set(flat.filter((_, i) => i % 2 === 0));
  for (const [, name] of part('honoured').matchAll(/`([^`]+)`/g)) assert.ok(known.has(name!), name);
});

test('B19: INFO has every field of Redis 7.0, or the document says that it is left out', async () => {
  const redis = await startRedis();
  if (redis === undefined) return;
  const fields = (info: string): string[] =>
    [...info.matchAll(/^([a-z_0-9]+):/gm)].map(([, name]) => name!);
  const ours = new Set(fields(String(client.command('INFO', 'everything'))));
  for (const name of fields(String(await redis.call('INFO', 'everything')))) {
    if (/^(cmdstat|errorstat|latency_percentiles)_/.test(name)) continue;
    assert.ok(ours.has(name) || text.includes(`\`${name}\``), name);
  }
  redis.stop();
});

test.run();
