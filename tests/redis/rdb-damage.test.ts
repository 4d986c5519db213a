// Files that are not what they should be: refused with the reason, or loaded, and never a trap.
//
// Method: one file for each way to be wrong; then valid files, cut and changed at random. The guest runs
// without a VM, on a real directory.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { ENOENT } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { FileGuest, guestsOf } from './guest-files.ts';
import type { Client, Reply } from './harness.ts';
import { randomCommands } from './rdb-contents.ts';
import * as rdb from './rdb-file.ts';
import { RedisError } from './resp.ts';

const test = suite('redis/rdb-damage');

const guestIn = guestsOf(test);

const a = rdb.key(0, 'a', rdb.string('1'));
const good = rdb.file(a);
const flipped = Buffer.from(good);
flipped[flipped.length - 3]! ^= 1;

/** What is wrong, the file, and what the log says of it. */
const WRONG: [string, Buffer, string][] = [
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

test('LOAD-2: what is wrong is refused with the reason, and leaves nothing behind', () => {
  const mine = guestIn();
  const client = mine.guest.connect();
  for (const [what, bytes, why] of WRONG) {
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

/** A file's records in the forms of older servers, and two of types that the guest lacks. */
const SMALL = Buffer.concat([
  rdb.key(13, 'ziplist', rdb.string(rdb.ziplist(['f', 'v', ...rdb.NUMBERS.flat()]))),
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

/** A file cut, or with some bytes changed. */
function damaged(random: Random, file: Buffer): Buffer {
  const bytes = Buffer.from(file);
  if (random.chance(0.2)) return bytes.subarray(0, random.below(bytes.length));
  for (let flips = 1 + random.below(4); flips > 0; flips--) {
    const at = random.below(bytes.length);
    bytes[at] = random.chance(0.5)
      ? bytes[at]! ^ (1 << random.below(8))
      : random.pick([0, 0x40, 0x80, 0x81, 0xc3, 0xff, random.below(256)]);
  }
  if (bytes.length > 8) bytes.fill(0, bytes.length - 8); // no checksum: the damage is met where it is
  return bytes;
}

/** Reads every value: none is an error. */
function readAll(client: Client): void {
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
  const seeds = [
    readFileSync(join(source.dir, 'dump.rdb')),
    rdb.file(SMALL),
    rdb.file(Buffer.concat([SMALL, SMALL])),
  ];
  let loads = 0;
  let target = guestIn();
  for (let i = 0; i < 1500; i++) {
    // A guest keeps its grown memory, so a new one now and then keeps the bound tight.
    if (i % 250 === 0) {
      target = new FileGuest(source.dir, { pages: 1024 });
    }
    const bytes = damaged(random, random.pick(seeds));
    writeFileSync(join(source.dir, 'fuzz.rdb'), bytes);
    const client = target.guest.connect();
    if (target.load('fuzz.rdb') === 0) {
      loads++;
      readAll(client);
    }
    client.command('FLUSHALL');
    client.close();
  }
  assert.ok(loads > 10, 'some damage is harmless');
});

test.run();
