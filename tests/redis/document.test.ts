// docs/redis.md: its lists match the server.

import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { OPTION_TABLE } from '../../guest/redis/config/option-table.ts';
import { RedisGuest } from './harness.ts';
import { startRedis } from './real-redis.ts';

const test = suite('redis/document');

const text = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
const client = new RedisGuest().connect();

/** The text between a mark and the end of its section. */
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

test('commands: each in the group that COMMAND DOCS names', () => {
  const docs = client.command('COMMAND', 'DOCS') as (string | string[])[];
  const groups = new Map<string, string>();
  for (let i = 0; i < docs.length; i += 2) {
    const facts = docs[i + 1] as string[];
    groups.set(String(docs[i]).toUpperCase(), facts[facts.indexOf('group') + 1]!);
  }
  for (const [, group, names] of part('commands').matchAll(/^- ([a-z]+): ((?:[A-Z, \n]|\n )+)/gm))
    for (const [name] of names!.matchAll(/[A-Z]{3,}/g)) assert.is(groups.get(name), group, name);
  assert.ok(groups.size > 90);
});

/** Names by standing, from the document: a part of its own, or a line of the list of missing features. */
function documented(standing: string): string[] {
  const isPart = ['honoured', 'otherwise', 'default only'].includes(standing);
  const listed = isPart
    ? part(standing)
    : [...part('kept').matchAll(/^- (.+?): ((?:`[^`]+`\s*)+)/gm)].find(
        ([, feature]) => feature === standing,
      )?.[2];
  assert.ok(listed, `docs/redis.md says nothing of: ${standing}`);
  return [...listed!.matchAll(/(?:^|\s)`([a-z0-9_-]+)`/g)].map(([, name]) => name!).sort();
}

/** Names by standing, from the table that the guest reads. */
function standings(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let names: string[] = [];
  for (const line of OPTION_TABLE.trim().split('\n')) {
    if (line.startsWith('# ')) found.set(line.slice(2), (names = []));
    else names.push(line.split(' ')[0]!);
  }
  return found;
}

test('A9: every option has a standing, and the document says the same', () => {
  const flat = client.command('CONFIG', 'GET', '*') as string[];
  const known = flat.filter((_, i) => i % 2 === 0);
  const byStanding = standings();
  const rest = new Set([...byStanding.values()].flat());
  for (const name of known.filter((option) => !rest.has(option)))
    if (name !== 'rdb-skip-unknown-types') byStanding.get('honoured')!.push(name);
  for (const [standing, names] of byStanding)
    assert.equal(documented(standing), names.sort(), standing);
  const features = [...part('kept').matchAll(/^- (.+?):/gm)].map(([, feature]) => feature);
  for (const feature of features) assert.ok(byStanding.has(feature!), feature);
});

test('A9: an option that supports only its default refuses any other value', () => {
  const values = ['yes', 'no', '1', '0', 'x', '/tmp', '127.0.0.1 1', '0-3', 'KEA'];
  for (const name of documented('default only')) {
    const guest = new RedisGuest();
    const [, initial] = guest.connect().command('CONFIG', 'GET', name) as string[];
    for (const value of values) {
      const isTaken = guest.setOption(name, value) === 0;
      assert.is(isTaken, value === initial, `${name} ${value}`);
    }
  }
});

test('A9: an option of Redis 7.0 is known, or the document lists it as unknown', async () => {
  const redis = await startRedis();
  if (redis === undefined) return;
  const flat = client.command('CONFIG', 'GET', '*') as string[];
  const known = new Set(flat.filter((_, i) => i % 2 === 0));
  const theirs = (await redis.call('CONFIG', 'GET', '*')) as Buffer[];
  for (const name of theirs.filter((_, i) => i % 2 === 0).map(String))
    assert.is(known.has(name), !/^cluster-(?!enabled)|^tls-(?!port)/.test(name), name);
  redis.stop();
});

test('B19: INFO has every field of Redis 7.0, or the document lists it as missing', async () => {
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
