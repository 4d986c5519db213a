// RDB files go both ways between the guest and a real redis-server, and no other file is accepted.
//
// Method: random databases are written by one and read by the other; forms that redis-server 7.0 reads but
// does not write are composed by hand. The guest runs without a VM, on a real directory; snapshots are tested
// with the VM.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { ENOENT, ENOSPC } from '../../assembly/abi/errno.ts';
import { SYS_RENAME, SYS_SYNC, SYS_WRITE } from '../../assembly/abi/syscall.ts';
import { Random } from '../random.ts';
import { hasPeer } from '../peers.ts';
import { FileGuest } from './guest-files.ts';
import { type Client, type Reply } from './harness.ts';
import { RedisError } from './resp.ts';
import * as rdb from './rdb-file.ts';
import { startRedis, type RealRedis } from './real-redis.ts';

const test = suite('redis/rdb');

const guests: FileGuest[] = [];

function guestIn(dir?: string): FileGuest {
  const made = new FileGuest(dir);
  guests.push(made);
  return made;
}

test.after(() => guests.forEach((guest) => guest.remove()));

type Word = string | number;
type Call = (words: Word[]) => Promise<unknown>;

function callOf(client: Client): Call {
  return (words) => Promise.resolve(client.command(...words));
}

function callOfReal(server: RealRedis): Call {
  return async (words) => plain(await server.call(...words));
}

function plain(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** Everything in the databases 0 to 3, in one form for both servers. */
async function contents(call: Call): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let database = 0; database < 4; database++) {
    await call(['SELECT', database]);
    for (const key of (await call(['KEYS', '*'])) as string[]) {
      const isHash = (await call(['TYPE', key])) === 'hash';
      const value = (await call([isHash ? 'HGETALL' : 'GET', key])) as string | string[];
      const pairs = Array.isArray(value)
        ? value.flatMap((text, i) => (i % 2 ? [] : [`${text}\n${value[i + 1]}`])).sort()
        : value;
      const expires = await call(['PEXPIRETIME', key]);
      const encoding = await call(['OBJECT', 'ENCODING', key]);
      found.set(`${database} ${key}`, [pairs, expires, encoding]);
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function textOf(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return String(random.pick([0, 1, -1, 127, 128, -129, 32767, 32768, 2147483647, -2147483648]));
    case 1:
      return String(
        random.pick([2147483648n, -2147483649n, 9223372036854775807n, -9223372036854775808n]),
      );
    case 2:
      return 'abc'.repeat(random.below(1000));
    case 3:
      return random.pick(['', '007', '-0', '1.5', ' 1']);
    default: {
      let text = '';
      const symbols = random.pick([2, 26, 256]);
      for (let i = random.below(random.chance(0.1) ? 20000 : 80); i > 0; i--)
        text += String.fromCharCode(random.below(symbols));
      return text;
    }
  }
}

function randomCommands(random: Random): Word[][] {
  const commands: Word[][] = [];
  for (let i = 0; i < 400; i++) {
    if (random.chance(0.05)) commands.push(['SELECT', random.below(4)]);
    const key = random.chance(0.1) ? textOf(random) : `key:${random.below(1000)}`;
    commands.push(['DEL', key]);
    if (random.chance(0.6)) commands.push(['SET', key, textOf(random)]);
    else {
      const fields = random.pick([1, 2, 10, 100, 600]);
      for (let k = 0; k < fields; k++) {
        const isLong = random.chance(0.2);
        commands.push([
          'HSET',
          key,
          random.chance(0.8) ? `f${k}` : `${k}`,
          isLong ? textOf(random) : k,
        ]);
      }
    }
    if (random.chance(0.3)) commands.push(['PEXPIRE', key, 100000 + random.below(1e9)]);
  }
  return commands;
}

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

const NUMBERS: [string, bigint][] = [
  0n,
  12n,
  13n,
  -1n,
  127n,
  -128n,
  128n,
  32767n,
  -32768n,
  32768n,
  8388607n,
  -8388608n,
  8388608n,
  2147483647n,
  -2147483648n,
  2147483648n,
  9223372036854775807n,
  -9223372036854775808n,
].map((value, i) => [`n${i}`, value]);

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
    rdb.key(13, 'numbers', rdb.string(rdb.ziplist(NUMBERS.flat()))),
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
    for (const [field, value] of NUMBERS)
      assert.is(client.command('HGET', 'numbers', field), String(value));
    assert.equal(client.command('HMGET', 'pairs', 'f', '-32768'), ['-1', 'v']);
    assert.is(client.command('EXPIRETIME', 'soon'), 2000000000);
    assert.is(client.command('OBJECT', 'ENCODING', 'soon'), 'int');
    client.close();
  }
});

test('LOAD-2: what is wrong is refused with the reason, and leaves nothing behind', () => {
  const a = rdb.key(0, 'a', rdb.string('1'));
  const good = rdb.file(a);
  const flipped = Buffer.from(good);
  flipped[flipped.length - 3]! ^= 1;
  const cases: [string, Buffer, string][] = [
    ['an unknown version', rdb.file(a, 11), "Can't handle RDB format version 11"],
    ['version 0', rdb.file(a, 0), "Can't handle RDB format version 0"],
    ['another signature', Buffer.from('REDIX0010' + 'x'.repeat(20)), 'Wrong signature'],
    ['no digits', Buffer.from('REDIS00a0' + 'x'.repeat(20)), 'Wrong signature'],
    ['an empty file', Buffer.alloc(0), 'unexpected end of file'],
    ['a wrong checksum', flipped, 'Wrong RDB checksum'],
    ['a cut file', good.subarray(0, -1), 'unexpected end of file'],
    ['a key twice', rdb.file(Buffer.concat([a, a])), 'duplicated key'],
    ['an unknown type', rdb.file([200, 1, 97]), 'unknown or unsupported object type'],
    [
      'a module of an earlier format',
      rdb.file(rdb.key(6, 'm', Buffer.from([0]))),
      'unknown or unsupported object type',
    ],
    ['a database out of range', rdb.file([0xfe, 63, ...a]), 'more than 16 databases'],
    [
      'a wrong length',
      rdb.file(rdb.key(0, 'b', Buffer.from([0x80, 0x7f, 0xff, 0xff, 0xff, 65]))),
      'longer than the file',
    ],
    [
      'a wrong length of 64 bits',
      rdb.file(rdb.key(0, 'b', Buffer.from([0x81, ...Buffer.alloc(8, 0xff)]))),
      'longer than the file',
    ],
    [
      'an unknown length',
      rdb.file(rdb.key(4, 'b', Buffer.from([0x82, 0, 0, 0, 0]))),
      'unknown length encoding',
    ],
    [
      'a packed string with a wrong length',
      rdb.file(rdb.key(0, 'b', Buffer.from([0xc3, 2, 0x80, 0x7f, 0xff, 0xff, 0xff, 0, 65]))),
      'longer than it can be',
    ],
    [
      'an invalid packed string',
      rdb.file(rdb.key(0, 'b', Buffer.from([0xc3, 3, 20, 0xff, 0xff, 0xff]))),
      'invalid LZF',
    ],
    [
      'a hash with a wrong length',
      rdb.file(rdb.key(4, 'b', Buffer.from([0x80, 0x0f, 0xff, 0xff, 0xff, 1, 65]))),
      'longer than the file',
    ],
    [
      'a field twice',
      rdb.file(
        rdb.key(4, 'b', Buffer.concat([Buffer.from([2]), ...['f', 'v', 'f', 'w'].map(rdb.string)])),
      ),
      'same field twice',
    ],
    ['no listpack', rdb.file(rdb.key(16, 'b', rdb.string('not a listpack'))), 'listpack integrity'],
    ['no ziplist', rdb.file(rdb.key(13, 'b', rdb.string('not a ziplist.'))), 'ziplist integrity'],
    ['no zipmap', rdb.file(rdb.key(9, 'b', rdb.string('no'))), 'zipmap integrity'],
    [
      'an odd ziplist',
      rdb.file(rdb.key(13, 'b', rdb.string(rdb.ziplist(['a', 'b', 'c'])))),
      'ziplist integrity',
    ],
  ];
  const mine = guestIn();
  const client = mine.guest.connect();
  for (const [what, bytes, why] of cases) {
    client.command('SET', 'here', 'before');
    client.command('DEL', 'here');
    mine.logs.length = 0;
    writeFileSync(join(mine.dir, 'bad.rdb'), bytes);
    assert.ok(mine.load('bad.rdb') < 0, what);
    assert.ok(
      mine.logs.some((line) => line.includes(why)),
      `${what}: ${mine.logs.join(' | ')}`,
    );
    assert.is(client.command('DBSIZE'), 0, what);
  }
  assert.is(mine.load('none.rdb'), -ENOENT);
});

test('READ-1: truncated and flipped files: an error or a valid load, never a trap; little memory', () => {
  const random = Random.forTest('rdb fuzz');
  const source = guestIn();
  const from = source.guest.connect();
  from.pipeline(
    randomCommands(random)
      .filter((words) => words.every((word) => String(word).length < 300))
      .slice(0, 1500),
  );
  from.command('SAVE');
  const small = Buffer.concat([
    rdb.key(13, 'ziplist', rdb.string(rdb.ziplist(['f', 'v', ...NUMBERS.flat()]))),
    rdb.key(
      9,
      'zipmap',
      rdb.string(
        rdb.zipmap([
          ['a', 'b'],
          ['c', 'd'.repeat(300)],
        ]),
      ),
    ),
    rdb.key(
      16,
      'listpack',
      rdb.string(Buffer.from([13, 0, 0, 0, 2, 0, 0x81, 97, 2, 0x81, 98, 2, 255])),
    ),
    rdb.key(0, 'packed', Buffer.from([0xc3, 5, 30, 1, 97, 97, 0xe0, 19, 0].slice(0, 8))),
    rdb.key(15, 'stream', Buffer.from([0, 0, 0, 0, 0])),
    rdb.key(7, 'module', Buffer.from([1, 2, 5, 5, 1, 97, 0])),
  ]);
  const seeds = [
    readFileSync(join(source.dir, 'dump.rdb')),
    rdb.file(small),
    rdb.file(Buffer.concat([small, small])),
  ];
  let loads = 0;
  let target = guestIn();
  for (let i = 0; i < 1500; i++) {
    // A guest keeps its grown memory, so a new one now and then keeps the bound tight.
    if (i % 250 === 0) {
      target = new FileGuest(source.dir, { pages: 1024 });
    }
    let bytes: Buffer = Buffer.from(random.pick(seeds));
    if (random.chance(0.2)) bytes = bytes.subarray(0, random.below(bytes.length));
    else {
      for (let flips = 1 + random.below(4); flips > 0; flips--) {
        const at = random.below(bytes.length);
        bytes[at] = random.chance(0.5)
          ? bytes[at]! ^ (1 << random.below(8))
          : random.pick([0, 0x40, 0x80, 0x81, 0xc3, 0xff, random.below(256)]);
      }
      if (bytes.length > 8) bytes.fill(0, bytes.length - 8); // no checksum: the damage is met where it is
    }
    writeFileSync(join(source.dir, 'fuzz.rdb'), bytes);
    const client = target.guest.connect();
    if (target.load('fuzz.rdb') === 0) {
      loads++;
      for (let database = 0; database < 16; database++) {
        client.command('SELECT', database);
        for (const key of client.command('KEYS', '*') as string[]) {
          const value: Reply =
            client.command('TYPE', key) === 'hash'
              ? client.command('HGETALL', key)
              : client.command('GET', key);
          assert.not.instance(value, RedisError);
        }
      }
    }
    client.command('FLUSHALL');
    client.close();
  }
  assert.ok(loads > 10, 'some damage is harmless');
});

test('a save that fails leaves the old file, and no temporary one', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('SET', 'old', '1');
  assert.is(client.command('SAVE'), 'OK');
  const before = readFileSync(join(mine.dir, 'dump.rdb'));
  client.command('SET', 'new', 'x'.repeat(3000000));
  for (const failing of [SYS_WRITE, SYS_SYNC, SYS_RENAME]) {
    mine.interfere = (number) => (number === failing ? -ENOSPC : undefined);
    assert.instance(client.command('SAVE'), RedisError);
    mine.interfere = undefined;
    assert.equal(readdirSync(mine.dir), ['dump.rdb']);
    assert.equal(readFileSync(join(mine.dir, 'dump.rdb')), before);
  }
});

test('a background save ends in cron; its failure stops writes until one succeeds', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('CONFIG', 'SET', 'save', '1 2');
  client.command('SET', 'a', '1');
  assert.is(client.command('BGSAVE'), 'Background saving started');
  assert.instance(client.command('BGSAVE'), RedisError);
  client.command('SET', 'b', '1');
  mine.guest.cron();
  const info = () => client.command('INFO', 'persistence') as string;
  assert.match(info(), 'rdb_bgsave_in_progress:0');
  assert.match(info(), 'rdb_last_bgsave_status:ok');
  assert.match(
    info(),
    'rdb_changes_since_last_save:1',
    'PERSIST-2: a change after the snapshot counts',
  );

  mine.interfere = (number) => (number === SYS_WRITE ? -ENOSPC : undefined);
  client.command('BGSAVE');
  mine.guest.cron();
  mine.interfere = undefined;
  assert.match(info(), 'rdb_last_bgsave_status:err');
  assert.match(String((client.command('SET', 'c', '1') as RedisError).message), /^MISCONF /);
  assert.is(client.command('GET', 'b'), '1');
  client.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no');
  assert.is(client.command('SET', 'd', '1'), 'OK');
  client.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes');
  assert.instance(client.command('SET', 'd', '1'), RedisError);
  client.command('BGSAVE');
  mine.guest.cron();
  assert.is(client.command('SET', 'c', '1'), 'OK');
});

test('save points start a background save when enough has changed for long enough', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  client.command('CONFIG', 'SET', 'save', '10 2');
  client.command('SET', 'a', '1');
  client.command('SET', 'b', '1');
  mine.guest.cron();
  assert.not(existsSync(join(mine.dir, 'dump.rdb')));
  mine.guest.now += 11000;
  mine.guest.cron();
  assert.ok(existsSync(join(mine.dir, 'dump.rdb')));
  mine.guest.cron();
  client.command('FLUSHALL');
  mine.guest.cron();
  assert.is(mine.load('dump.rdb'), 0);
  assert.is(client.command('DBSIZE'), 0, 'FLUSHALL has saved the empty databases');
});

test('while a file is being loaded, clients can run commands without keys, and disturb nothing', async () => {
  const writer = guestIn();
  writer.guest.setOption('rdbcompression', 'no');
  const client = writer.guest.connect();
  for (let i = 0; i < 1200; i++) {
    client.command('SELECT', i & 3);
    client.command('SET', `key ${i}`, `${i} `.repeat(200));
    if (i % 50 === 0) client.command('HSET', `hash ${i}`, 'field', i);
  }
  assert.is(client.command('SAVE'), 'OK');
  const before = await contents(callOf(client));

  const reader = guestIn(writer.dir);
  reader.guest.setOption('maxmemory', '1');
  reader.guest.setOption('maxmemory-policy', 'allkeys-random');
  const other = reader.guest.connect();
  const refused = (...words: Word[]): void => {
    const reply = other.command(...words);
    assert.ok(reply instanceof RedisError, words.join(' '));
    assert.is(reply.message, 'LOADING Redis is loading the dataset in memory');
  };
  const figure = (name: string): number =>
    Number(
      new RegExp(`^${name}:(\\S+)\r$`, 'm').exec(String(other.command('INFO', 'persistence')))?.[1],
    );
  assert.is(reader.startLoad(), 1);
  let parts = 0;
  let loaded = -1;
  while (reader.loadMore(8192) === 1) {
    parts++;
    assert.is(other.command('SELECT', parts & 7), 'OK');
    refused('GET', 'key 1');
    refused('SET', 'key 1', 'no');
    refused('PING');
    refused('BGSAVE');
    refused('FLUSHALL');
    refused('DEBUG', 'RELOAD');
    assert.is(other.command('MULTI'), 'OK');
    refused('DEL', 'key 1');
    assert.match((other.command('EXEC') as RedisError).message, /^EXECABORT/);
    assert.is(figure('loading'), 1);
    assert.is(figure('loading_total_bytes'), readFileSync(join(writer.dir, 'dump.rdb')).length);
    assert.ok(figure('loading_loaded_bytes') > loaded && figure('loading_loaded_perc') <= 100);
    loaded = figure('loading_loaded_bytes');
    assert.ok(figure('loading_eta_seconds') >= 0);
  }
  assert.ok(parts > 10, `${parts} parts`);
  assert.is(figure('loading'), 0);
  assert.match(String(other.command('INFO', 'stats')), /^evicted_keys:0\r$/m);
  reader.guest.setOption('maxmemory', '0');
  assert.is(other.command('PING'), 'PONG');
  assert.equal(await contents(callOf(other)), before);
});

test('DEBUG RELOAD restores everything', async () => {
  const random = Random.forTest('debug reload');
  const client = guestIn().guest.connect();
  client.pipeline(randomCommands(random));
  const before = await contents(callOf(client));
  assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
  assert.equal(await contents(callOf(client)), before);
});

test('SAVE-1: every span that is given up has been written, and nothing else is', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  for (let i = 0; i < 20000; i++) client.command('SET', `key:${i}`, 'v'.repeat(i % 300));
  client.command('SET', 'large', 'x'.repeat(1000000));
  client.command('SAVE');
  let last = 0;
  for (const [address, bytes] of mine.forgotten) {
    assert.is(address % 65536, 0);
    assert.ok(address >= last, 'spans are given up in the order of their addresses, once');
    last = address + bytes - (bytes % 65536);
  }
  assert.ok(mine.forgotten.length > 40);
});

test.run();
