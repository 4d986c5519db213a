// Hashes: the guest's commands against a real redis-server, and properties where order and chance decide.
//
// Method: random commands over few keys and fields run on both, with limits low enough that hashes change
// their encoding often; replies must be equal, those without an order as sets. Not covered: leaks (counted
// here by hand only for the huge hash), and timing.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { RedisGuest, type Client, type Reply } from './harness.ts';
import { RedisError } from './resp.ts';
import { startRedis, type RealRedis, type Reply as RealReply } from './real-redis.ts';

const test = suite('redis/hash');

let redis: RealRedis | undefined;

test.before(async () => {
  redis = await startRedis();
});
test.after(() => redis?.stop());

type Word = string | number;

/** Both servers' replies in one form: errors with a dash, text as Latin-1. */
function ours(reply: Reply): unknown {
  if (reply instanceof RedisError) return `-${reply.message}`;
  return Array.isArray(reply) ? reply.map(ours) : reply;
}

function theirs(reply: RealReply): unknown {
  if (reply instanceof Error) return `-${reply.message}`;
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  return Array.isArray(reply) ? reply.map(theirs) : reply;
}

const UNORDERED = new Set(['HGETALL', 'HKEYS', 'HVALS', 'HSCAN', 'HRANDFIELD']);

function sorted(command: readonly Word[], reply: unknown): unknown {
  if (!UNORDERED.has(String(command[0])) || !Array.isArray(reply)) return reply;
  if (command[0] === 'HSCAN') return [reply[0], sorted(['HGETALL'], reply[1])];
  if (command[0] === 'HKEYS' || command[0] === 'HVALS' || command.length === 3)
    return [...reply].sort();
  const pairs: string[] = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push(`${reply[i]}\n${reply[i + 1]}`);
  return pairs.sort();
}

async function compare(client: Client, commands: Word[][]): Promise<void> {
  if (redis === undefined) return;
  const expected = await redis.pipeline(commands);
  commands.forEach((command, i) => {
    const actual = ours(client.command(...command));
    assert.equal(
      sorted(command, actual),
      sorted(command, theirs(expected[i]!)),
      `command ${i}: ${command.join(' ').slice(0, 300)}`,
    );
  });
}

const NUMBERS = [
  '0',
  '1',
  '-1',
  '127',
  '128',
  '4095',
  '-4096',
  '4096',
  '32767',
  '32768',
  '-32769',
  '8388607',
  '8388608',
];
NUMBERS.push(
  '2147483647',
  '-2147483648',
  '2147483648',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
);
NUMBERS.push('-0', '007', '1.5', '1e3', '-2.25', '0x10', 'inf', 'nan', ' 1', '3.0', '1e4000');

function textOf(random: Random): string {
  if (random.chance(0.3)) return random.pick(NUMBERS);
  const length = random.chance(0.9)
    ? random.below(14)
    : random.pick([31, 32, 33, 63, 64, 65, 127, 128, 4094, 4096, 5000]);
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(random.below(256));
  return text;
}

function fieldOf(random: Random): string {
  return random.chance(0.8)
    ? `f${random.below(24)}`
    : random.chance(0.5)
      ? random.pick(NUMBERS)
      : textOf(random);
}

const matchOf = (random: Random): Word[] =>
  random.chance(0.5) ? ['MATCH', random.pick(['*', 'f*', 'f1?', '[0-9]*'])] : [];

function commandOf(random: Random): Word[] {
  const key = random.chance(0.02) ? 'text' : `h${random.below(5)}`;
  const field = fieldOf(random);
  const pairs = () => {
    const list: string[] = [];
    for (let i = 0; i <= random.below(4); i++) list.push(fieldOf(random), textOf(random));
    return list;
  };
  switch (random.below(24)) {
    case 0:
    case 1:
    case 2:
      return ['HSET', key, ...pairs()];
    case 3:
      return ['HMSET', key, ...pairs()];
    case 4:
      return ['HSETNX', key, field, textOf(random)];
    case 5:
      return ['HGET', key, field];
    case 6:
      return ['HMGET', key, field, fieldOf(random), field];
    case 7:
      return ['HDEL', key, field, fieldOf(random), fieldOf(random)];
    case 8:
      return ['HEXISTS', key, field];
    case 9:
      return ['HSTRLEN', key, field];
    case 10:
      return ['HLEN', key];
    case 11:
      return ['HGETALL', key];
    case 12:
      return ['HKEYS', key];
    case 13:
      return ['HVALS', key];
    case 14:
    case 15:
      return ['HINCRBY', key, field, random.pick(NUMBERS)];
    case 16:
    case 17:
      return ['HINCRBYFLOAT', key, field, random.pick(NUMBERS)];
    case 18:
      return ['OBJECT', 'ENCODING', key];
    case 19:
      return ['HSCAN', key, 0, 'COUNT', 100000, ...matchOf(random)];
    case 20:
      return ['HRANDFIELD', key, 100000, ...(random.chance(0.5) ? ['WITHVALUES'] : [])];
    case 21:
      return random.chance(0.2) ? ['DEL', key] : ['COPY', key, `h${random.below(5)}`, 'REPLACE'];
    case 22:
      return random.chance(0.5) ? ['RENAME', key, `h${random.below(5)}`] : ['TYPE', key];
    default:
      return ['HSET', key, field, textOf(random), 'odd'];
  }
}

test('LP-1: random commands get the replies of redis-server, at any limits of small hashes', async () => {
  if (redis === undefined) return;
  const random = Random.forTest('hash');
  for (const [entries, bytes] of [
    [512, 64],
    [8, 16],
    [0, 64],
    [20, 100000],
  ]) {
    const client = new RedisGuest().connect();
    await compare(client, [
      ['FLUSHALL'],
      ['CONFIG', 'SET', 'hash-max-listpack-entries', entries!],
      ['CONFIG', 'SET', 'hash-max-ziplist-value', bytes!],
      ['SET', 'text', 'no hash'],
    ]);
    await compare(
      client,
      Array.from({ length: 4000 }, () => commandOf(random)),
    );
  }
  await redis.call('CONFIG', 'SET', 'hash-max-listpack-entries', 512);
  await redis.call('CONFIG', 'SET', 'hash-max-listpack-value', 64);
});

test('wrong arguments are refused with the errors of redis-server', async () => {
  const client = new RedisGuest().connect();
  const wrong = `HSET h|HSET h f|HSET h f v g|HMSET h f|HGET h|HINCRBY h f x|HINCRBY h f 1.0
    |HINCRBYFLOAT h f x|HINCRBYFLOAT h f nan|HINCRBYFLOAT h f inf|HSET h i inf
    |HINCRBYFLOAT h i 1|HINCRBYFLOAT h i -inf|HSET h t text|HINCRBYFLOAT h t 1|HINCRBY h t 1
    |HSCAN h|HSCAN h x|HSCAN h 1x|HSCAN h 0 COUNT|HSCAN h 0 COUNT 0|HSCAN h 0 COUNT x
    |HSCAN h 0 FOO 1|HSCAN none 0 COUNT 0|HSCAN h 99999999999999999999999|HRANDFIELD h x
    |HRANDFIELD h 1 FOO|HRANDFIELD h 1 WITHVALUES FOO|HRANDFIELD none|HRANDFIELD none 5
    |HRANDFIELD h -9223372036854775808|HRANDFIELD h 9223372036854775807 WITHVALUES|HDEL h|HLEN
    |HSETNX h f|SET s 1|HGET s f|HSET s f v|HGETALL s|HDEL s f|HINCRBY s f 1|HSCAN s 0
    |HRANDFIELD s|HRANDFIELD s 3|HLEN s|HMGET s f|HMGET none f g`;
  await compare(
    client,
    wrong.split('|').map((line) => line.trim().split(' ')),
  );
});

function fill(client: Client, key: string, count: number): void {
  for (let i = 0; i < count; i += 1000) {
    const words: Word[] = ['HSET', key];
    for (let k = i; k < Math.min(i + 1000, count); k++) words.push(`field:${k}`, `value:${k}`);
    client.command(...words);
  }
}

test('HASH-1: a scan reports every field that stays, while others change and the table is resized', () => {
  const random = Random.forTest('hscan');
  for (let round = 0; round < 12; round++) {
    const client = new RedisGuest().connect();
    fill(client, 'h', 600 + random.below(3000));
    for (let i = 0; i < 200; i++) client.command('HSET', 'h', `stay:${i}`, i);
    const seen = new Set<string>();
    let cursor = '0';
    let next = 0;
    let turns = 0;
    do {
      const reply = client.command('HSCAN', 'h', cursor, 'COUNT', 1 + random.below(30)) as [
        string,
        string[],
      ];
      cursor = reply[0];
      for (let i = 0; i < reply[1].length; i += 2) seen.add(reply[1][i]!);
      const isGrowing = round % 2 === 0;
      for (let i = 0; i < 40; i++) {
        if (isGrowing) client.command('HSET', 'h', `extra:${next++}`, 'x');
        else client.command('HDEL', 'h', `field:${next++}`);
      }
    } while (cursor !== '0' && ++turns < 20000);
    for (let i = 0; i < 200; i++)
      assert.ok(seen.has(`stay:${i}`), `round ${round}, field stay:${i}`);
  }
});

test('HRANDFIELD gives different fields for a positive count, and any number for a negative one', () => {
  for (const size of [5, 100, 2000]) {
    const client = new RedisGuest().connect();
    fill(client, 'h', size);
    for (const count of [0, 1, 2, 7, 400, size - 1, size, size + 5]) {
      const fields = client.command('HRANDFIELD', 'h', count) as string[];
      assert.is(fields.length, Math.min(count, size));
      assert.is(new Set(fields).size, fields.length);
      const repeated = client.command('HRANDFIELD', 'h', -count, 'WITHVALUES') as string[];
      assert.is(repeated.length, count * 2);
      for (let i = 0; i < repeated.length; i += 2) {
        assert.is(repeated[i + 1], repeated[i]!.replace('field', 'value'));
      }
    }
    const met = new Set<Reply>();
    for (let i = 0; i < size * 20; i++) met.add(client.command('HRANDFIELD', 'h'));
    assert.is(met.size, size, 'every field is met');
  }
});

test('RESP3 shows maps, and pairs for HRANDFIELD', () => {
  const client = new RedisGuest().connect();
  client.command('HSET', 'h', 'a', '1');
  client.command('HELLO', '3');
  assert.is(client.raw('HGETALL h\r\n'), '%1\r\n$1\r\na\r\n$1\r\n1\r\n');
  assert.is(client.raw('HRANDFIELD h 2 WITHVALUES\r\n'), '*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n');
  assert.is(client.raw('HGETALL none\r\n'), '%0\r\n');
  assert.is(client.raw('HGET h none\r\n'), '_\r\n');
});

test('VALUE-1, VALUE-2: a hash without fields is not a key; a small one is converted in time', () => {
  const client = new RedisGuest().connect();
  client.command('HSET', 'h', 'f', 'x'.repeat(64));
  assert.is(client.command('OBJECT', 'ENCODING', 'h'), 'listpack');
  client.command('HSET', 'h', 'f', 'x'.repeat(65));
  assert.is(client.command('OBJECT', 'ENCODING', 'h'), 'hashtable');
  assert.is(client.command('HDEL', 'h', 'f'), 1);
  assert.is(client.command('EXISTS', 'h'), 0);
  fill(client, 'n', 512);
  assert.is(client.command('OBJECT', 'ENCODING', 'n'), 'listpack');
  client.command('HSET', 'n', 'one', 'more');
  assert.is(client.command('OBJECT', 'ENCODING', 'n'), 'hashtable');
  assert.is(client.command('HLEN', 'n'), 513);
  assert.is(client.command('HGET', 'n', 'field:511'), 'value:511');
});

test('a huge hash is freed in steps, and all its memory is freed', () => {
  const guest = new RedisGuest();
  const client = guest.connect();
  const used = () =>
    Number(/used_memory:(\d+)/.exec(client.command('INFO', 'memory') as string)?.[1] ?? NaN);
  client.command('SET', 'warm', 'up');
  const before = used();
  fill(client, 'h', 50000);
  assert.ok(used() > before + 50000 * 20);
  client.command('DEL', 'h');
  for (let i = 0; i < 200; i++) guest.cron();
  if (!Number.isNaN(before)) assert.ok(used() <= before + 65536, `${used()} against ${before}`);
});

test.run();
