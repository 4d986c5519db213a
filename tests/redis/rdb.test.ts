// RDB files go both ways between the guest and a real redis-server.
//
// Method: random databases are written by one and read by the other; forms that redis-server 7.0 reads but
// does not write are composed by hand. The guest runs without a VM, on a real directory; snapshots are tested
// with the VM.

import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { hasPeer } from '../peers.ts';
import { guestsOf } from './guest-files.ts';
import { callOf, callOfReal, contents, randomCommands, type Word } from './rdb-contents.ts';
import * as rdb from './rdb-file.ts';
import { startRedis } from './real-redis.ts';

const test = suite('redis/rdb');

const guestIn = guestsOf(test);

test('what the guest saves passes redis-check-rdb; redis-server loads it with equal contents', async () => {
  if (!hasPeer('redis-server', 'files of both')) return;
  const random = Random.forTest('rdb save');
  for (let round = 0; round < 4; round++) {
    const mine = guestIn();
    const client = mine.guest.connect();
    client.command('CONFIG', 'SET', 'rdbcompression', round % 2 ? 'no' : 'yes');
    if (round === 2) client.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    if (round === 3) client.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    client.pipeline(randomCommands(random));
    assert.is(client.command('SAVE'), 'OK');
    const path = join(mine.dir, 'dump.rdb');
    const check = spawnSync('redis-check-rdb', [path], { encoding: 'utf8' });
    assert.match(check.stdout, 'RDB looks OK!');
    assert.match(check.stdout, 'Checksum OK');
    const server = await startRedis([], mine.dir);
    assert.equal(await contents(callOfReal(server!)), await contents(callOf(client)));
    server!.stop();
  }
});

test('strings up to the encoder’s maximum, and longer ones, are packed and restored', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  const random = Random.forTest('rdb long');
  const noise = (bytes: number): string =>
    Buffer.from(Uint8Array.from({ length: bytes }, () => random.below(256))).toString('latin1');
  const values = new Map<string, string>();
  for (const bytes of [65527, 65528, 65529, 65535, 65536, 65537, 300_000]) {
    values.set(`packs:${bytes}`, 'abcd'.repeat(bytes / 4) + 'z'.repeat(bytes % 4));
    values.set(`stays:${bytes}`, noise(1000).repeat(9).slice(0, 8200) + noise(bytes - 8200));
  }
  values.set('k'.repeat(70_000), 'short');
  for (const [key, value] of values) client.command('SET', key, value);
  client.command('HSET', 'hash', 'field', 'v'.repeat(200_000), 'g'.repeat(70_000), '1');
  for (const packs of ['yes', 'no']) {
    client.command('CONFIG', 'SET', 'rdbcompression', packs);
    assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
    for (const [key, value] of values) assert.is(client.command('GET', key), value);
    assert.is(client.command('HGET', 'hash', 'field'), 'v'.repeat(200_000));
    assert.is(client.command('HGET', 'hash', 'g'.repeat(70_000)), '1');
  }
  client.command('CONFIG', 'SET', 'rdbcompression', 'yes');
  client.command('FLUSHALL');
  client.command('SET', 'k', 'x'.repeat(1_000_000));
  client.command('SAVE');
  assert.ok(readFileSync(join(mine.dir, 'dump.rdb')).length < 20_000);
  if (hasPeer('redis-check-rdb', 'a check of the file'))
    assert.match(
      spawnSync('redis-check-rdb', [join(mine.dir, 'dump.rdb')], { encoding: 'utf8' }).stdout,
      'Checksum OK',
    );
});

test('what redis-server saves the guest loads with equal contents, in every encoding', async () => {
  if (!hasPeer('redis-server', 'files of both')) return;
  const random = Random.forTest('rdb load');
  for (let round = 0; round < 4; round++) {
    const server = (await startRedis(['--rdbcompression', round % 2 ? 'no' : 'yes']))!;
    if (round === 1) await server.call('CONFIG', 'SET', 'rdbchecksum', 'no');
    if (round === 2) await server.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    if (round === 3) await server.call('CONFIG', 'SET', 'hash-max-listpack-value', '100000');
    const commands = randomCommands(random);
    await server.pipeline(commands.map((words) => words.map(String)));
    await server.call('SAVE');
    const mine = guestIn();
    const client = mine.guest.connect();
    if (round === 3) client.command('CONFIG', 'SET', 'hash-max-listpack-value', '100000');
    copyFileSync(join(server.dir, 'dump.rdb'), join(mine.dir, 'theirs.rdb'));
    assert.is(mine.load('theirs.rdb'), 0, mine.logs.join('\n'));
    assert.equal(await contents(callOf(client)), await contents(callOfReal(server)));
    server.stop();
  }
});

test('a listpack of a file stays one unless it has too many fields, as in redis-server', () => {
  const mine = guestIn();
  const long = 'x'.repeat(100);
  const records = [
    rdb.key(13, 'ziplist', rdb.string(rdb.ziplist(['f', long]))),
    rdb.key(16, 'listpack', rdb.string(rdb.listpack(['f', long]))),
    rdb.key(4, 'pairs', Buffer.concat([rdb.length(1), rdb.string('f'), rdb.string(long)])),
    rdb.key(13, 'many', rdb.string(rdb.ziplist(['f', long, 'g', '', 'h', '']))),
    rdb.key(16, 'many too', rdb.string(rdb.listpack(['f', long, 'g', '', 'h', '']))),
  ];
  writeFileSync(join(mine.dir, 'lists.rdb'), rdb.file(Buffer.concat(records)));
  mine.guest.setOption('hash-max-listpack-entries', '2');
  assert.is(mine.load('lists.rdb'), 0, mine.logs.join('\n'));
  const client = mine.guest.connect();
  const encodings = ['ziplist', 'listpack', 'pairs', 'many', 'many too'].map((key) => {
    assert.is(client.command('HGET', key, 'f'), long);
    return client.command('OBJECT', 'ENCODING', key);
  });
  assert.equal(encodings, ['listpack', 'listpack', 'hashtable', 'hashtable', 'hashtable']);
});

test('B2: a file with types that the guest lacks is refused; the option skips and counts them', async () => {
  if (!hasPeer('redis-server', 'files of both')) return;
  const server = (await startRedis())!;
  const fill: Word[][] = [
    ['SET', 'a', '1'],
    ['HSET', 'z', 'f', 'v'],
  ];
  for (let i = 0; i < 300; i++) {
    fill.push(['RPUSH', i % 2 ? 'list' : 'long', `${i}`.repeat(i % 2 ? 1 : 90)]);
    fill.push(
      ['SADD', 'ints', i],
      ['SADD', 'set', `m${i}`],
      ['ZADD', 'big', i, `m${i}`],
      ['XADD', 'stream', `${i + 1}-1`, 'f', i],
    );
  }
  fill.push(['ZADD', 'zset', 'inf', 'x', '-inf', 'y'], ['XGROUP', 'CREATE', 'stream', 'g', 0]);
  fill.push(['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 50, 'STREAMS', 'stream', '>']);
  fill.push([
    'FUNCTION',
    'LOAD',
    "#!lua name=l\nredis.register_function('f', function() return 1 end)",
  ]);
  for (const reply of await server.pipeline(fill)) assert.not.instance(reply, Error);
  await server.call('SAVE');
  const mine = guestIn();
  copyFileSync(join(server.dir, 'dump.rdb'), join(mine.dir, 'dump.rdb'));
  server.stop();
  assert.ok(mine.load('dump.rdb') < 0);
  const client = mine.guest.connect();
  assert.equal(client.command('KEYS', '*'), []);
  assert.ok(
    mine.logs.some((line) =>
      /has a .*which this server does not have.*rdb-skip-unknown-types/.test(line),
    ),
    mine.logs.join('\n'),
  );
  mine.guest.setOption('rdb-skip-unknown-types', 'yes');
  assert.is(mine.load('dump.rdb'), 0, mine.logs.join('\n'));
  assert.equal((client.command('KEYS', '*') as string[]).sort(), ['a', 'z']);
  assert.ok(
    mine.logs.some((line) => line.includes('left out: 8')),
    mine.logs.join('\n'),
  );
});

test('forms of older servers are read: ziplists, zipmaps, hashes of pairs, expiry in seconds', () => {
  const mine = guestIn();
  const pairs: [string, string][] = [
    ['a', ''],
    ['bb', 'x'.repeat(300)],
    ['c'.repeat(70), 'y'],
    ['7', '8'],
    ['d', 'z'.repeat(17000)],
  ];
  const pair = Buffer.concat([
    rdb.length(2),
    rdb.string('f'),
    Buffer.from([0xc0, 0xff]),
    Buffer.from([0xc1, 0x00, 0x80]),
    rdb.string('v'),
  ]);
  const soon = Buffer.alloc(5, 0xfd);
  soon.writeInt32LE(2000000000, 1);
  const records = Buffer.concat([
    Buffer.from([0xfe, 0]),
    rdb.key(13, 'ziplist', rdb.string(rdb.ziplist(pairs.flat()))),
    rdb.key(13, 'numbers', rdb.string(rdb.ziplist(rdb.NUMBERS.flat()))),
    rdb.key(9, 'zipmap', rdb.string(rdb.zipmap(pairs))),
    rdb.key(4, 'pairs', pair),
    soon,
    rdb.key(0, 'soon', rdb.string('12345')),
    rdb.key(13, 'empty', rdb.string(rdb.ziplist([]))),
    Buffer.from([0xfd, 1, 0, 0, 0]),
    rdb.key(1, 'old list', Buffer.concat([rdb.length(1), rdb.string('gone')])),
  ]);
  for (const version of [1, 4, 5, 9, 10]) {
    const whole = rdb.file(records, version);
    writeFileSync(join(mine.dir, 'old.rdb'), version < 5 ? whole.subarray(0, -8) : whole);
    const client = mine.guest.connect();
    client.command('FLUSHALL');
    assert.is(mine.load('old.rdb'), 0, mine.logs.join('\n'));
    assert.is(client.command('DBSIZE'), 5);
    for (const [field, value] of pairs) {
      assert.is(client.command('HGET', 'ziplist', field), value);
      assert.is(client.command('HGET', 'zipmap', field), value);
    }
    for (const [field, value] of rdb.NUMBERS)
      assert.is(client.command('HGET', 'numbers', field), String(value));
    assert.equal(client.command('HMGET', 'pairs', 'f', '-32768'), ['-1', 'v']);
    assert.is(client.command('EXPIRETIME', 'soon'), 2000000000);
    assert.is(client.command('OBJECT', 'ENCODING', 'soon'), 'int');
    client.close();
  }
});

test('DEBUG RELOAD restores everything', async () => {
  const random = Random.forTest('debug reload');
  const client = guestIn().guest.connect();
  client.pipeline(randomCommands(random));
  const before = await contents(callOf(client));
  assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
  assert.equal(await contents(callOf(client)), before);
});

test.run();
