// When memory runs out: by maxmemory, and because the VM refuses to grow.
//
// Goal: commands are refused with Redis's text and change nothing; the server stays usable, and deleted
// memory can be reused; policies evict the right keys. Not covered: the frames of a real VM.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { RedisGuest, type Client } from './harness.ts';
import { encode, RedisError, ReplyReader, textOf } from './resp.ts';

const test = suite('redis/memory-pressure');

/** Of maxmemory, or of the VM. */
const OOM =
  /^OOM command not allowed when (used memory > 'maxmemory'|the memory of the VM is full)/;

function isOom(reply: unknown): boolean {
  return reply instanceof RedisError && OOM.test(reply.message);
}

function fill(client: Client, bytes: number, prefix = 'k'): number {
  for (let i = 0; ; i++) {
    const reply = client.command('SET', `${prefix}${i}`, 'v'.repeat(bytes));
    if (isOom(reply)) return i;
    assert.is(reply, 'OK');
  }
}

test('KEYS-1: a full VM refuses, keeps every key, and stays usable', () => {
  for (const bytes of [10, 1000, 20000, 300000, 3000000]) {
    const guest = new RedisGuest({ pages: 1024 });
    const client = guest.connect();
    const keys = fill(client, bytes);
    assert.ok(
      keys * bytes > 1024 * 65536 * (bytes < 100 ? 0.1 : 0.7),
      `${keys} values of ${bytes} bytes`,
    );
    assert.is(client.command('DBSIZE'), keys);
    assert.is(client.command('GET', 'k0'), 'v'.repeat(bytes));
    assert.ok(isOom(client.command('APPEND', 'k0', 'x'.repeat(2000000))));
    assert.is(client.command('STRLEN', 'k0'), bytes);
    assert.is(client.command('FLUSHALL'), 'OK');
    for (let i = 0; i < 100; i++) guest.cron();
    const again = fill(client, bytes);
    assert.ok(again >= keys * 0.95, `${again} of ${keys} fit again`);
  }
});

test('INPUT-2, REPLY-2: no client request stops a full VM, and no half reply is sent', () => {
  const random = Random.forTest('redis/memory-pressure');
  const guest = new RedisGuest({ pages: 512 });
  const client = guest.connect();
  const words = () => {
    const key = `k${random.below(400)}`;
    const value = 'x'.repeat(random.pick([1, 100, 5000, 60000, 300000]));
    return random.pick([
      ['SET', key, value],
      ['SET', key, value, 'EX', '100'],
      ['APPEND', key, value],
      ['SETRANGE', key, random.below(1000000), 'y'],
      ['MSET', key, value, 'other', value],
      ['COPY', key, `k${random.below(400)}`, 'REPLACE'],
      ['RENAME', key, `k${random.below(400)}`],
      ['EXPIRE', key, '100'],
      ['GETSET', key, value],
      ['MGET', key, 'other', 'k1', 'k2', 'k3'],
      ['KEYS', '*'],
      ['HSET', `h${random.below(50)}`, `f${random.below(1000)}`, value],
      ['INCR', 'n'],
      random.chance(0.02) ? ['FLUSHDB'] : ['DEL', key],
      ['MULTI'],
      ['EXEC'],
      ['WATCH', key],
    ]);
  };
  let refused = 0;
  let current = client;
  for (let i = 0; i < 6000; i++) {
    const reply = current.send(encode(...words()));
    if (current.isClosed) current = guest.connect();
    if (reply.length > 0) {
      const reader = new ReplyReader(reply, textOf);
      reader.next();
      assert.ok(reader.isAtEnd, 'one whole reply');
    }
    if (Buffer.from(reply.subarray(0, 5)).toString() === '-OOM ') refused++;
    if (i % 100 === 0) guest.cron();
  }
  assert.ok(refused > 0, 'the VM was full at times');
  const other = guest.connect();
  other.command('FLUSHALL');
  for (let i = 0; i < 20; i++) guest.cron();
  assert.is(other.command('SET', 'k', 'v'.repeat(1000000)), 'OK');
});

test('MSET in a full VM stores all or nothing', () => {
  const guest = new RedisGuest({ pages: 300 });
  const client = guest.connect();
  fill(client, 1000);
  const pairs = Array.from({ length: 100 }, (_, i) => [`new${i}`, 'v'.repeat(500)]).flat();
  assert.ok(isOom(client.command('MSET', ...pairs)));
  assert.is(client.command('EXISTS', ...pairs.filter((_, i) => i % 2 === 0)), 0);
});

test('maxmemory with noeviction refuses writes that need memory, and no others', () => {
  const client = new RedisGuest().connect();
  client.command('CONFIG', 'SET', 'maxmemory', '10mb');
  const keys = fill(client, 1000);
  assert.ok(keys > 5000);
  assert.ok(isOom(client.command('SET', 'x', 'y')));
  assert.is(client.command('GET', 'k1'), 'v'.repeat(1000));
  assert.is(client.command('MULTI'), 'OK');
  assert.ok(isOom(client.command('INCR', 'n')));
  assert.is(
    (client.command('EXEC') as RedisError).message,
    'EXECABORT Transaction discarded because of previous errors.',
  );
  client.command('CONFIG', 'SET', 'maxmemory', 0);
  client.pipeline([['MULTI'], ['INCR', 'n']]);
  client.guest.connect().command('CONFIG', 'SET', 'maxmemory', '10mb');
  assert.is(
    (client.command('EXEC') as RedisError).message,
    "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
  );
  assert.is(client.command('DEL', 'k1', 'k2', 'k3', 'k4'), 4);
  assert.is(client.command('SET', 'x', 'y'), 'OK');
});

test('allkeys-random evicts until memory is below the limit', () => {
  const client = new RedisGuest().connect();
  client.command('CONFIG', 'SET', 'maxmemory', '8mb', 'maxmemory-policy', 'allkeys-random');
  for (let i = 0; i < 20000; i++) assert.is(client.command('SET', `k${i}`, 'v'.repeat(1000)), 'OK');
  const used = Number(/used_memory:(\d+)/.exec(String(client.command('INFO', 'memory')))![1]);
  assert.ok(used < 8.2 * 1048576, `${used} bytes`);
  assert.ok(Number(client.command('DBSIZE')) > 3000);
});

test('allkeys-lru keeps the keys that are used', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  client.command(
    'CONFIG',
    'SET',
    'maxmemory',
    '8mb',
    'maxmemory-policy',
    'allkeys-lru',
    'maxmemory-samples',
    '10',
  );
  for (let i = 0; i < 1000; i++) client.command('SET', `hot${i}`, 'v'.repeat(1000));
  for (let i = 0; i < 20000; i++) {
    client.command('SET', `cold${i}`, 'v'.repeat(1000));
    if (i % 20 === 0) guest.now += 1000;
    if (i % 1000 === 0) for (let hot = 0; hot < 1000; hot++) client.command('GET', `hot${hot}`);
  }
  const left = Number(
    client.command('EXISTS', ...Array.from({ length: 1000 }, (_, i) => `hot${i}`)),
  );
  assert.ok(left > 900, `${left} of 1000 keys in use are left`);
});

test('volatile-ttl evicts only keys that expire, the soonest first', () => {
  const client = new RedisGuest().connect();
  client.command(
    'CONFIG',
    'SET',
    'maxmemory',
    '8mb',
    'maxmemory-policy',
    'volatile-ttl',
    'maxmemory-samples',
    '10',
  );
  for (let i = 0; i < 2000; i++) client.command('SET', `kept${i}`, 'v'.repeat(1000));
  for (let i = 0; i < 10000; i++) client.command('SET', `t${i}`, 'v'.repeat(1000), 'EX', 1000 + i);
  assert.is(client.command('EXISTS', ...Array.from({ length: 2000 }, (_, i) => `kept${i}`)), 2000);
  assert.ok(Number(client.command('TTL', 't9999')) > 0);
  assert.is(client.command('EXISTS', 't0', 't1', 't2', 't3'), 0);
  for (let i = 0; ; i++) if (isOom(client.command('SET', `more${i}`, 'v'.repeat(1000)))) break;
});

test('a full VM with allkeys-lru makes room automatically', () => {
  const client = new RedisGuest({ pages: 600 }).connect();
  client.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  for (let i = 0; i < 60000; i++) assert.is(client.command('SET', `k${i}`, 'v'.repeat(1000)), 'OK');
  assert.ok(Number(client.command('DBSIZE')) > 10000);
  assert.is(client.command('EXISTS', 'k59999'), 1);
});

test.run();
