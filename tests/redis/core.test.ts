// Claims about the core that a comparison with redis-server cannot make: cursors, cycles, encodings, time,
// accounting.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { RedisGuest, type Client, type Reply } from './harness.ts';
import { RedisError } from './resp.ts';

const test = suite('redis/core');

function scanAll(client: Client, between: () => void): Set<string> {
  const met = new Set<string>();
  let cursor = '0';
  do {
    const [next, keys] = client.command('SCAN', cursor, 'COUNT', 7) as [string, string[]];
    cursor = next;
    for (const key of keys) met.add(key);
    between();
  } while (cursor !== '0');
  return met;
}

test('DICT-1, DICT-2: a scan returns every key that stays, while the table grows and shrinks', () => {
  const random = Random.forTest('redis/core');
  for (let round = 0; round < 20; round++) {
    const guest = new RedisGuest();
    const client = guest.connect();
    const kept = random.below(800);
    for (let i = 0; i < kept; i++) client.command('SET', `kept:${i}`, i);
    let others = random.below(3000);
    for (let i = 0; i < others; i++) client.command('SET', `other:${i}`, i);
    const grows = random.chance(0.5);
    const met = scanAll(client, () => {
      for (let i = 0; i < 30; i++) {
        if (grows) client.command('SET', `other:${others++}`, 1);
        else if (others > 0) client.command('DEL', `other:${--others}`);
      }
      if (others > 30000) others = 0;
      if (random.chance(0.3)) guest.cron();
    });
    for (let i = 0; i < kept; i++) assert.ok(met.has(`kept:${i}`), `kept:${i} of ${kept}`);
  }
});

test('RANDOMKEY can return every key, with about the same probability', () => {
  const client = new RedisGuest().connect();
  for (let i = 0; i < 100; i++) client.command('SET', `k${i}`, i);
  const counts = new Map<string, number>();
  for (let i = 0; i < 20000; i++) {
    const key = String(client.command('RANDOMKEY'));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assert.is(counts.size, 100);
  for (const [key, count] of counts)
    assert.ok(count > 100 && count < 350, `${key}: ${count} of 200`);
});

test('expired keys are removed on access, and in the background', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  for (let i = 0; i < 5000; i++) client.command('SET', `k${i}`, i, 'PX', 1000 + i);
  client.command('SET', 'stays', 1);
  guest.now += 500;
  guest.cron();
  assert.is(client.command('DBSIZE'), 5001);
  guest.now += 2000;
  assert.is(client.command('GET', 'k0'), null);
  assert.is(client.command('TTL', 'k10'), -2);
  for (let i = 0; i < 40; i++) guest.cron();
  const left = Number(client.command('DBSIZE'));
  assert.ok(left < 3900 && left >= 3500, `${left} left of about 3500 that live`);
  guest.now += 10000;
  for (let i = 0; i < 40; i++) guest.cron();
  assert.is(client.command('DBSIZE'), 1);
});

test('a watched key that expires makes EXEC do nothing, one that had expired before does not', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  client.command('SET', 'k', 1, 'PX', 100);
  client.command('WATCH', 'k');
  guest.now += 200;
  client.command('MULTI');
  client.command('PING');
  assert.is(client.command('EXEC'), null);
  client.command('SET', 'k', 1, 'PX', 100);
  guest.now += 200;
  client.command('WATCH', 'k');
  client.command('MULTI');
  client.command('PING');
  assert.equal(client.command('EXEC'), ['PONG']);
});

test('FLUSHALL, SWAPDB and changes by others touch watched keys', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  const other = guest.connect();
  const attempt = (change: () => void): Reply => {
    client.command('SET', 'k', 1);
    client.command('WATCH', 'k', 'missing');
    change();
    client.command('MULTI');
    client.command('GET', 'k');
    return client.command('EXEC');
  };
  assert.equal(
    attempt(() => {}),
    ['1'],
  );
  assert.is(
    attempt(() => other.command('SET', 'k', 1)),
    null,
  );
  assert.is(
    attempt(() => other.command('SET', 'missing', 1)),
    null,
  );
  assert.is(
    attempt(() => other.command('FLUSHALL')),
    null,
  );
  assert.is(
    attempt(() => other.command('SWAPDB', 0, 1)),
    null,
  );
  assert.equal(
    attempt(() =>
      other.pipeline([
        ['SELECT', 1],
        ['SET', 'k', 2],
        ['SELECT', 0],
      ]),
    ),
    ['1'],
  );
});

test('a large flush is short, and frees its memory step by step', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  const used = () => Number(/used_memory:(\d+)/.exec(String(client.command('INFO', 'memory')))![1]);
  client.command('SAVE'); // without a VM the encoder works in the guest's memory, from its first file on
  guest.cron();
  const before = used();
  for (let i = 0; i < 30000; i++) client.command('SET', `k${i}`, 'v'.repeat(100));
  for (let i = 0; i < 3000; i++) client.command('HSET', 'h', `f${i}`, 'v'.repeat(100));
  client.command('UNLINK', 'h');
  client.command('FLUSHALL', 'ASYNC');
  assert.is(client.command('DBSIZE'), 0);
  assert.ok(used() > before + 1000000, 'freed in the background');
  for (let i = 0; i < 200; i++) guest.cron();
  assert.ok(used() <= before + 65536, `${used()} bytes after, ${before} before`);
});

test('ENTRY-2: encodings are those of Redis', () => {
  const client = new RedisGuest().connect();
  const encoding = (...words: (string | number)[]) => {
    client.command('DEL', 'k');
    client.command(...words);
    return client.command('OBJECT', 'ENCODING', 'k');
  };
  assert.is(encoding('SET', 'k', 12345), 'int');
  assert.is(encoding('SET', 'k', '9223372036854775807'), 'int');
  assert.is(encoding('SET', 'k', '9223372036854775808'), 'embstr');
  assert.is(encoding('SET', 'k', 'x'.repeat(44)), 'embstr');
  assert.is(encoding('SET', 'k', 'x'.repeat(45)), 'raw');
  assert.is(encoding('APPEND', 'k', 'x'), 'embstr');
  assert.is(encoding('SETRANGE', 'k', 0, 'x'), 'raw');
  assert.is(encoding('INCRBYFLOAT', 'k', 1), 'embstr');
  client.command('APPEND', 'k', '1');
  assert.is(client.command('OBJECT', 'ENCODING', 'k'), 'raw');
});

test('memory per key is below that of redis-server 7.0', () => {
  for (const [valueBytes, most] of [
    [16, 122],
    [100, 202],
    [1024, 1370],
  ] as const) {
    const guest = new RedisGuest();
    const client = guest.connect();
    const used = () =>
      Number(/used_memory:(\d+)/.exec(String(client.command('INFO', 'memory')))![1]);
    const before = used();
    const keys = 20000;
    for (let i = 0; i < keys; i++)
      client.command('SET', String(i).padStart(16, 'k'), 'v'.repeat(valueBytes));
    const each = (used() - before) / keys;
    assert.ok(each < most, `${each} bytes a key with values of ${valueBytes}`);
  }
});

test('very large values can be set, read and edited', () => {
  const client = new RedisGuest().connect();
  const bytes = 150 * 1048576;
  const value = Buffer.alloc(bytes, 'abc');
  assert.is(client.command('SET', 'k', value), 'OK');
  assert.is(client.command('STRLEN', 'k'), bytes);
  const reply = client.send(Buffer.from('GET k\r\n'));
  assert.is(Buffer.compare(Buffer.from(reply.buffer, reply.byteOffset + 12, bytes), value), 0);
  assert.is(client.command('APPEND', 'k', 'end'), bytes + 3);
  assert.is(client.command('GETRANGE', 'k', -4, -1), `${'abc'[(bytes - 1) % 3]}end`);
  assert.is(client.command('SET', 'k', 'small'), 'OK');
});

test('a client may switch its replies off', () => {
  const client = new RedisGuest().connect();
  assert.is(client.raw('CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\n'), '$1\r\na\r\n');
  assert.is(client.raw('CLIENT REPLY OFF\r\nPING\r\nGET a\r\n'), '');
  assert.is(client.raw('CLIENT REPLY ON\r\n'), '+OK\r\n');
});

test('SESS-2: QUIT ends the connection, and later commands are not run', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  assert.is(client.raw('SET a 1\r\nQUIT\r\nSET a 2\r\n'), '+OK\r\n+OK\r\n');
  assert.ok(client.isClosed);
  assert.is(guest.connect().command('GET', 'a'), '1');
});

test('calls and failures of commands are counted', () => {
  const client = new RedisGuest().connect();
  client.pipeline([
    ['SET', 'a', 'x'],
    ['SET', 'b', 'y'],
    ['GET', 'a'],
    ['INCR', 'a'],
    ['SET', 'a'],
  ]);
  const stats = String(client.command('INFO', 'commandstats'));
  assert.match(
    stats,
    /cmdstat_set:calls=2,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=0/,
  );
  assert.match(
    stats,
    /cmdstat_incr:calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=1/,
  );
});

test('GLOB-1: a pattern of many stars takes time, not for ever', () => {
  const client = new RedisGuest().connect();
  client.command('SET', 'a'.repeat(2000), '1');
  assert.equal(client.command('KEYS', '*a'.repeat(500) + '*b'), []);
  assert.is((client.command('KEYS', '*a'.repeat(500) + '*') as Reply[]).length, 1);
});

test('CLIENT-1: slots are reused, ids are not, and at most maxclients are admitted', () => {
  const guest = new RedisGuest();
  assert.is(guest.setOption('maxclients', '3'), 0);
  const clients = [guest.connect(), guest.connect(), guest.connect()];
  assert.throws(() => guest.connect(), /max number of clients reached/);
  const ids = clients.map((client) => Number(client.command('CLIENT', 'ID')));
  clients[1]!.close();
  const next = guest.connect();
  assert.is(next.slot, clients[1]!.slot);
  assert.ok(Number(next.command('CLIENT', 'ID')) > Math.max(...ids));
  assert.instance(clients[0]!.command('GET'), RedisError);
});

test.run();
