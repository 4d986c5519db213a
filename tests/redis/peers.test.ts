// The programs and libraries that people use, against the server: redis-cli, redis-benchmark, ioredis,
// node-redis.

import { spawnSync } from 'node:child_process';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { hasPeer } from '../peers.ts';
import { ServerProcess, withServer } from './server-process.ts';

const test = suite('redis/peers');

let server: ServerProcess;
test.before(async () => {
  server = await ServerProcess.start();
});
test.after(() => server.stop());
test.before.each(async () => void (await (await server.client()).call('FLUSHALL')));

/** Output of a program of Redis against the server; it must succeed. */
function peer(program: string, words: string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, ['-p', String(server.port), ...words], {
    encoding: 'utf8',
    input,
    timeout: 60_000,
  });
  assert.is(status, 0, `${program} ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

test('redis-cli: commands, RESP3, scripts of commands, mass insertion, scans', () => {
  if (!hasPeer('redis-cli', 'redis/peers: redis-cli')) return;
  const cli = (...words: string[]) => peer('redis-cli', words).trim();
  assert.is(cli('PING'), 'PONG');
  assert.is(cli('SET', 'greeting', 'hello', 'EX', '100'), 'OK');
  assert.is(cli('-3', 'HSET', 'user:1', 'name', 'Ada', 'born', '1815'), '2');
  assert.is(cli('--no-raw', '-3', 'HGETALL', 'user:1'), '1# "name" => "Ada"\n2# "born" => "1815"');
  assert.match(cli('--no-raw', 'GET', 'absent'), /\(nil\)/);
  assert.match(cli('INFO', 'server'), /redis_version:7\.0/);
  assert.match(cli('COMMAND', 'DOCS', 'GET'), /summary/);
  const script = peer('redis-cli', [], 'SELECT 3\nSET a 1\nINCR a\nNOSUCH\nGET a\n');
  assert.match(script, /^OK\nOK\n2\nERR unknown command.*\n+2\n$/);
  const inserts = Array.from({ length: 5000 }, (_, i) => `SET bulk:${i} value-${i}\r\n`).join('');
  assert.match(peer('redis-cli', ['--pipe'], inserts), /errors: 0, replies: 5000/);
  assert.is(cli('--scan', '--pattern', 'bulk:*').split('\n').length, 5000);
  assert.match(cli('--bigkeys'), /Biggest string found|Biggest +string/i);
  assert.match(cli('--memkeys'), /Sampled 5002 keys/);
  assert.match(cli('-r', '3', 'INCR', 'counter'), /^1\n2\n3$/);
});

test('redis-benchmark: all its tests of strings and hashes run without an error', () => {
  if (!hasPeer('redis-benchmark', 'redis/peers: redis-benchmark')) return;
  for (const more of [
    ['-P', '1'],
    ['-P', '16'],
    ['-P', '4', '-3'],
    ['-P', '64', '-d', '5000'],
  ]) {
    const output = peer('redis-benchmark', [
      ...['-t', 'ping,set,get,incr,hset,mset', '-n', '3000', '-c', '50', '-r', '1000', '--csv'],
      ...more,
    ]);
    assert.not.match(output, /ERR|WARNING/);
    const names = [...output.matchAll(/^"([A-Z_]+)[^"]*","([\d.]+)"/gm)].map(([, name]) => name);
    assert.equal(names, ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'HSET', 'MSET']);
  }
  assert.ok(Number(peer('redis-cli', ['DBSIZE'])) > 900);
});

test('ioredis: handshake, pipelines, transactions, scans, binary values', async () => {
  const client = new Redis({ port: server.port, lazyConnect: true, connectionName: 'io' });
  const errors: Error[] = [];
  client.on('error', (error: Error) => errors.push(error));
  await client.connect();
  assert.is(client.status, 'ready');
  assert.is(await client.set('key', 'value', 'PX', 60_000, 'NX'), 'OK');
  assert.is(await client.set('key', 'other', 'NX'), null);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await client.set(bytes, bytes);
  assert.ok(bytes.equals((await client.getBuffer(bytes))!));
  const results = await client
    .pipeline()
    .incr('n')
    .incrby('n', 5)
    .hset('h', { a: '1' })
    .hget('h', 'a')
    .hincrby('key', 'x', 1)
    .exec();
  assert.equal(
    results!.slice(0, 4).map(([, value]) => value),
    [1, 6, 1, '1'],
  );
  assert.match(results![4]![0]!.message, /WRONGTYPE/);
  const other = client.duplicate();
  await client.watch('n');
  await other.set('n', '100');
  assert.is(await client.multi().incr('n').exec(), null);
  assert.equal(await client.multi().incr('n').get('n').exec(), [
    [null, 101],
    [null, '101'],
  ]);
  await client.mset(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`scan:${i}`, i])));
  const seen = new Set<string>();
  for await (const keys of client.scanStream({ match: 'scan:*' }))
    (keys as string[]).forEach((key) => seen.add(key));
  assert.is(seen.size, 500);
  assert.equal(await client.hgetall('h'), { a: '1' });
  assert.is(await client.client('GETNAME'), 'io');
  await other.quit();
  await client.quit();
  assert.equal(errors, []);
});

test('node-redis: handshake in RESP3, typed replies, transactions, scans', async () => {
  const client = createClient({ url: `redis://127.0.0.1:${server.port}/2`, name: 'node' });
  const errors: Error[] = [];
  client.on('error', (error: Error) => errors.push(error));
  await client.connect();
  assert.is(await client.ping(), 'PONG');
  assert.is(await client.set('key', 'value', { expiration: { type: 'EX', value: 60 } }), 'OK');
  assert.is(await client.get('key'), 'value');
  assert.is(await client.get('absent'), null);
  assert.is(await client.hSet('h', { a: '1', b: '2' }), 2);
  assert.equal({ ...(await client.hGetAll('h')) }, { a: '1', b: '2' });
  assert.equal(await client.multi().set('n', '1').incr('n').hGet('h', 'b').exec(), ['OK', 2, '2']);
  const replies = await Promise.all(
    Array.from({ length: 300 }, (_, i) => client.set(`k${i}`, String(i))),
  );
  assert.is(replies.length, 300);
  let count = 0;
  for await (const keys of client.scanIterator({ MATCH: 'k*', COUNT: 50 })) count += keys.length;
  assert.is(count, 301);
  const fields: string[] = [];
  for await (const found of client.hScanIterator('h'))
    fields.push(...[found].flat().map(({ field }) => String(field)));
  assert.equal(fields.sort(), ['a', 'b']);
  const failure = await client.incr('key').catch((error: Error) => error);
  assert.match((failure as Error).message, /not an integer/);
  assert.is(await client.clientGetName(), 'node');
  await client.close();
  assert.equal(errors, []);
});

test('both libraries authenticate, and get an error when they do not', () =>
  withServer(['--requirepass', 'secret'], async (guarded) => {
    const io = new Redis({ port: guarded.port, password: 'secret' });
    assert.is(await io.ping(), 'PONG');
    await io.quit();
    const node = createClient({ url: `redis://:secret@127.0.0.1:${guarded.port}` });
    await node.connect();
    assert.is(await node.ping(), 'PONG');
    await node.close();
    const wrong = createClient({
      url: `redis://:wrong@127.0.0.1:${guarded.port}`,
      socket: { reconnectStrategy: false },
    });
    wrong.on('error', () => {});
    const refusal = await wrong.connect().then(
      () => undefined,
      (error: Error) => error,
    );
    assert.match(String(refusal), /WRONGPASS/);
    wrong.destroy();
  }));

test.run();
