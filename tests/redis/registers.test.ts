// B1: the texts of integers are registers of the code that reads them; a conversion on the way must not
// overwrite one.
//
// Method: hashes of integers of every width and of texts, in each form that a file can have, loaded under
// limits that make the server convert them on the way, in the middle or not at all. The oracle is the
// generated content. Not covered: registers of types that hashes do not use.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { FileGuest } from './guest-files.ts';
import type { Client } from './harness.ts';
import * as rdb from './rdb-file.ts';

const test = suite('redis/registers');

const TYPE_HASH = 4;
const TYPE_ZIPMAP = 9;
const TYPE_ZIPLIST = 13;

const EDGES = [0n, 12n, 13n, 63n, 64n, 127n, 128n, 4095n, 4096n, 32767n, 32768n, 8388607n, 8388608n]
  .concat([2147483647n, 2147483648n, 9223372036854775807n])
  .flatMap((value) => [value, -value, -value - 1n]);

function integerOf(random: Random): bigint {
  if (random.chance(0.5)) return random.pick(EDGES);
  return BigInt.asIntN(
    1 + random.below(64),
    (BigInt(random.bits()) << 32n) | BigInt(random.bits()),
  );
}

function textOf(random: Random): string {
  if (random.chance(0.7)) return String(integerOf(random));
  return random.pick(['', '-', '00', '1.5', '-0', 'text', 'x'.repeat(random.below(80))]);
}

function pairsOf(random: Random): [string, string][] {
  const pairs = new Map<string, string>();
  const wanted = 1 + random.below(30);
  while (pairs.size < wanted) pairs.set(textOf(random), textOf(random));
  return [...pairs];
}

function isInteger(text: string): boolean {
  return /^(0|-?[1-9]\d*)$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** The record of a hash, in one of the forms that are not redis-server's own of today. */
function recordOf(random: Random, pairs: [string, string][]): Buffer {
  const texts = pairs.flat();
  switch (random.below(3)) {
    case 0:
      return rdb.key(
        TYPE_HASH,
        'h',
        Buffer.concat([rdb.length(pairs.length), ...texts.map((text) => rdb.string(text))]),
      );
    case 1:
      return rdb.key(TYPE_ZIPMAP, 'h', rdb.string(rdb.zipmap(pairs)));
    default: {
      const items = texts.map((text) => (isInteger(text) ? BigInt(text) : text));
      return rdb.key(TYPE_ZIPLIST, 'h', rdb.string(rdb.ziplist(items)));
    }
  }
}

function contentOf(client: Client): [string, string][] {
  const flat = client.command('HGETALL', 'h') as string[];
  return flat.flatMap((field, i) => (i % 2 ? [] : [[field, flat[i + 1]!] as [string, string]]));
}

const sorted = (pairs: [string, string][]): [string, string][] =>
  [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));

test('B1: a hash whose fields become too many while it is loaded keeps its integers', () => {
  const files = new FileGuest();
  try {
    const client = files.guest.connect();
    client.command('HSET', 'h', 'a', 32767, 'b', 2147483647);
    client.command('CONFIG', 'SET', 'hash-max-listpack-entries', 1);
    assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
    assert.is(client.command('HGET', 'h', 'b'), '2147483647');
    client.command('DEL', 'h');
    client.command('CONFIG', 'SET', 'hash-max-listpack-entries', 1024);
    for (let i = 1; i <= 1000; i++) client.command('HSET', 'h', `f${i}`, i * 1000);
    client.command('CONFIG', 'SET', 'hash-max-listpack-entries', 512);
    assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
    for (let i = 1; i <= 1000; i++) assert.is(client.command('HGET', 'h', `f${i}`), `${i * 1000}`);
  } finally {
    files.remove();
  }
});

test('B1: generated hashes in every form of a file, under generated limits, keep every field', () => {
  const random = Random.forTest('redis/registers');
  const files = new FileGuest();
  try {
    const client = files.guest.connect();
    const limit = (entries: number, bytes: number): void => {
      client.command('CONFIG', 'SET', 'hash-max-listpack-entries', entries);
      client.command('CONFIG', 'SET', 'hash-max-listpack-value', bytes);
    };
    for (let round = 0; round < 1500; round++) {
      const pairs = pairsOf(random);
      client.command('DEL', 'h');
      if (random.chance(0.5)) {
        limit(512, random.pick([4, 64, 100]));
        client.command('HSET', 'h', ...pairs.flat());
        limit(random.below(pairs.length + 2), random.below(24));
        assert.is(client.command('DEBUG', 'RELOAD'), 'OK');
      } else {
        limit(random.below(pairs.length + 2), random.below(24));
        writeFileSync(join(files.dir, 'form.rdb'), rdb.file(recordOf(random, pairs)));
        assert.is(files.load('form.rdb'), 0);
      }
      assert.equal(sorted(contentOf(client)), sorted(pairs), `round ${round}`);
      // And by commands, which convert in the same places.
      const copy = new Map(pairs);
      limit(random.below(pairs.length + 2), random.below(24));
      for (let i = 0; i < 5; i++) {
        const [field, value] = [textOf(random), textOf(random)];
        client.command('HSET', 'h', field, value);
        copy.set(field, value);
      }
      assert.equal(sorted(contentOf(client)), sorted([...copy]), `round ${round}, changed`);
    }
  } finally {
    files.remove();
  }
});

test.run();
