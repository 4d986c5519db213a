// Options that change a running server, each with its observed effect.

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { skip } from '../peers.ts';
import { RedisGuest, type Client } from './harness.ts';
import { encode } from './resp.ts';
import { startRedis } from './real-redis.ts';
import { ServerProcess } from './server-process.ts';

const test = suite('redis/server-acts');

const newDir = (): string => mkdtempSync(join(tmpdir(), 'ringzero-acts-'));
const OWN = ['--memory', '32mb', '--port', '0', '--save', ''];
const STOCK = '/etc/redis/redis.conf';

const infoOf = (client: Client, name: string): number =>
  Number(
    new RegExp(`^${name}:(\\d+)`, 'm').exec(String(client.command('INFO', 'everything')))?.[1],
  );

/** A hash with a number of fields, in commands of a bounded length. */
function fill(client: Client, key: string, fields: number): void {
  for (let i = 0; i < fields; i += 100) {
    const pairs = Array.from({ length: 100 }, (_, j) => [`f${i + j}`, 'v'.repeat(70)]).flat();
    client.command('HSET', key, ...pairs);
  }
}

test('A9: a stock redis.conf of Debian starts the server', async () => {
  if (!existsSync(STOCK)) return skip('a stock configuration', STOCK);
  const dir = newDir();
  const words = [
    '--dir',
    dir,
    '--logfile',
    '',
    '--pidfile',
    join(dir, 'stock.pid'),
    '--bind',
    '127.0.0.1',
  ];
  const server = ServerProcess.run([STOCK, ...OWN, ...words], { dir });
  await server.ready();
  assert.match(server.output, /daemonize yes has no effect/);
  const client = await server.client();
  assert.is(String(await client.call('CONFIG', 'GET', 'tcp-backlog')), 'tcp-backlog,511');
  await server.stop();
});

for (const [name, drop] of [
  ['lazyfree-lazy-user-del', ['DEL', 'h']],
  ['lazyfree-lazy-server-del', ['SET', 'h', 'x']],
  ['lazyfree-lazy-expire', ['PEXPIRE', 'h', '-1']],
] as const) {
  test(`A9: ${name} says whether a long value is freed before the reply`, () => {
    const guest = new RedisGuest();
    const client = guest.connect();
    for (const value of ['no', 'yes']) {
      client.command('CONFIG', 'SET', name, value);
      client.command('DEL', 'h');
      fill(client, 'h', 2000);
      client.command(...drop);
      assert.is(infoOf(client, 'lazyfree_pending_objects') > 0, value === 'yes', value);
      while (infoOf(client, 'lazyfree_pending_objects') > 0) guest.cron();
    }
  });
}

test('A9: lazyfree-lazy-eviction says whether evicted values are freed at once', () => {
  for (const value of ['no', 'yes']) {
    const guest = new RedisGuest();
    const client = guest.connect();
    fill(client, 'h', 2000);
    const used = infoOf(client, 'used_memory');
    client.command(
      'CONFIG',
      'SET',
      'lazyfree-lazy-eviction',
      value,
      'maxmemory-policy',
      'allkeys-lru',
    );
    client.command('CONFIG', 'SET', 'maxmemory', String(used - 1000));
    client.command('SET', 'a', 'b');
    assert.is(infoOf(client, 'evicted_keys'), 1);
    assert.is(infoOf(client, 'lazyfree_pending_objects') > 0, value === 'yes');
  }
});

test('A9, EVICT-1: maxmemory-eviction-tenacity bounds what one command evicts, and cron goes on', () => {
  for (const [tenacity, isWhole] of [
    ['0', false],
    ['100', true],
  ] as const) {
    const guest = new RedisGuest();
    const client = guest.connect();
    for (let i = 0; i < 5000; i++) client.command('SET', `k${i}`, 'v'.repeat(100));
    const limit = infoOf(client, 'used_memory') / 2;
    client.command(
      'CONFIG',
      'SET',
      'maxmemory-policy',
      'allkeys-random',
      'maxmemory-eviction-tenacity',
      tenacity,
    );
    client.command('CONFIG', 'SET', 'maxmemory', String(Math.floor(limit)));
    assert.is(client.command('SET', 'a', 'b'), 'OK');
    assert.is(infoOf(client, 'used_memory') <= limit + 1000, isWhole);
    for (let i = 0; i < 100 && infoOf(client, 'used_memory') > limit; i++) guest.cron();
    assert.ok(infoOf(client, 'used_memory') <= limit);
  }
});

test('A9: active-expire-effort says how many expired keys a cycle looks at', () => {
  const expired: number[] = [];
  for (const effort of ['1', '10']) {
    const guest = new RedisGuest();
    const client = guest.connect();
    client.command('CONFIG', 'SET', 'active-expire-effort', effort);
    for (let i = 0; i < 2000; i++)
      client.command('SET', `k${i}`, 'v', 'PX', i < 100 ? '1' : '1000000');
    guest.now += 10;
    guest.cron();
    expired.push(infoOf(client, 'expired_keys'));
  }
  assert.ok(expired[1]! >= expired[0]!, String(expired));
  assert.is(expired[1], 100);
});

test('A9: hz and dynamic-hz say how often the tasks run', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  assert.is(guest.exports.hz(), 10);
  client.command('CONFIG', 'SET', 'hz', '3');
  assert.is(guest.exports.hz(), 3);
  for (let i = 0; i < 900; i++) guest.connect();
  assert.is(guest.exports.hz(), 6);
  assert.is(infoOf(client, 'hz'), 6);
  client.command('CONFIG', 'SET', 'dynamic-hz', 'no');
  assert.is(guest.exports.hz(), 3);
});

test('B6, INPUT-1: client-query-buffer-limit counts unread and queued input, not consumed input', () => {
  const guest = new RedisGuest();
  const admin = guest.connect();
  admin.command('CONFIG', 'SET', 'client-query-buffer-limit', '1mb', 'proto-max-bulk-len', '8mb');
  const part = 'x'.repeat(60_000);
  const large = guest.connect();
  large.raw(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n`);
  for (let i = 0; i < 17; i++) large.raw(part);
  assert.not.ok(large.isClosed);
  for (let i = 0; i < 2; i++) large.raw(part);
  assert.ok(large.isClosed);
  const small = guest.connect();
  small.raw(`*41\r\n$4\r\nMSET\r\n$1\r\na\r\n`);
  for (let i = 0; i < 39; i++) small.raw(`$60000\r\n${part}\r\n`);
  assert.not.ok(small.isClosed);
  const queue = guest.connect();
  queue.command('MULTI');
  for (let i = 0; i < 19 && !queue.isClosed; i++)
    queue.raw(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$60000\r\n${part}\r\n`);
  assert.ok(queue.isClosed);
});

test('B6: proc-title-template accepts what Redis accepts', async () => {
  const redis = await startRedis();
  if (redis === undefined) return;
  const client = new RedisGuest().connect();
  const templates = [
    ...[
      '',
      ' ',
      'x',
      '{title}',
      '{port}',
      '{title} {listen-addr}',
      '{nope}',
      '{title',
      '}',
      '{{',
      'a{{b',
    ],
    ...[
      '{server-mode}',
      '{config-file}',
      '{tls-port}',
      '{TITLE} x',
      '{}',
      '{ title}',
      '{listen-addr}',
    ],
  ];
  for (const template of templates) {
    const words = ['CONFIG', 'SET', 'proc-title-template', template];
    const theirs = (await redis.call(...words)) as string | Error;
    const reply = client
      .raw(encode(...words))
      .trim()
      .slice(1);
    assert.is(reply, typeof theirs === 'string' ? theirs : theirs.message, template);
  }
  redis.stop();
});

test('B18: the process has a title, and the log identifies it', async () => {
  const words = ['--proc-title-template', '{title} {port} here', '--always-show-logo', 'yes'];
  const server = ServerProcess.run([...OWN, ...words], { dir: newDir() });
  await server.ready();
  assert.match(server.output, /Port: \d+\n\s+PID: \d+\n/);
  assert.match(server.output, /Server initialized/);
  const titleOf = (): string =>
    readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').replace(/\0+$/, '');
  if (process.platform === 'linux') {
    assert.is(titleOf(), `ringzero serve ${server.port} here`);
    const client = await server.client();
    await client.call('CONFIG', 'SET', 'proc-title-template', 'other {listen-addr}');
    assert.is(titleOf(), `other 127.0.0.1:${server.port}`);
  }
  await server.stop();
});

test('B8: a wrong metrics-port is refused at start; a maxmemory beyond the VM is warned of', async () => {
  const wrong = ServerProcess.run([...OWN, '--metrics-port', 'abc'], { dir: newDir() });
  assert.is((await wrong.ended).code, 1);
  assert.match(
    wrong.output,
    /FATAL CONFIG FILE ERROR[\s\S]*metrics-port abc[\s\S]*between 0 and 65535/,
  );
  assert.not.match(wrong.output, /Listening at/);
  const server = ServerProcess.run([...OWN, '--maxmemory', '1gb'], { dir: newDir() });
  await server.ready();
  assert.match(server.output, /maxmemory is 1073741824 bytes, but the VM has/);
  const client = await server.client();
  await client.call('CONFIG', 'SET', 'maxmemory', '2gb');
  assert.match(server.output, /maxmemory is 2147483648 bytes, but the VM has/);
  await server.stop();
});

test('A9: options without effect here are logged', async () => {
  const dir = newDir();
  writeFileSync(join(dir, 'own.conf'), 'supervised systemd\n');
  const server = ServerProcess.run(['own.conf', ...OWN], { dir });
  await server.ready();
  assert.match(server.output, /supervised systemd has no effect/);
  await server.stop();
});

test.run();
