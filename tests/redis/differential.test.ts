// The core commands against a real redis-server: random sequences sent to both give equal replies.
//
// Method: three connections to each server; strings, keys, expiry, databases and transactions over few keys,
// so that they collide often, with right, wrong and missing arguments. Time of the guest is the real time.
// Replies are compared one by one; those without order are sorted, seconds to live may differ by one. Not
// covered: hashes (hash.test.ts), timing, and effects of many keys.

import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { RedisGuest, type Client, type Reply } from './harness.ts';
import { RedisError } from './resp.ts';
import { RespClient, startRedis, type RealRedis, type Reply as RealReply } from './real-redis.ts';

const test = suite('redis/differential');

const CLIENTS = 3;
const ROUNDS = 40;
const COMMANDS_PER_ROUND = 500;

let redis: RealRedis | undefined;

test.before(async () => {
  redis = await startRedis(['--maxmemory-policy', 'noeviction']);
});
test.after(() => redis?.stop());

/** One form for the replies of both: type and content. */
function shownGuest(reply: Reply): string {
  if (reply instanceof RedisError) return `-${reply.message}`;
  if (reply === null) return 'nil';
  if (Array.isArray(reply)) return `[${reply.map(shownGuest).join(' ')}]`;
  if (reply instanceof Map) throw new Error('a map in RESP2');
  return JSON.stringify(String(reply));
}

function shownReal(reply: RealReply): string {
  if (reply instanceof Error) return `-${reply.message}`;
  if (reply === null) return 'nil';
  if (Array.isArray(reply)) return `[${reply.map(shownReal).join(' ')}]`;
  if (Buffer.isBuffer(reply)) return JSON.stringify(reply.toString('latin1'));
  return JSON.stringify(String(reply));
}

type Words = string[];

const KEYS = ['a', 'b', 'c', 'd', 'key:e', 'f\r\ng', '', 'a'.repeat(70)];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '10',
  '007',
  '+5',
  ' 5',
  '5 ',
  '3.25',
  '1e3',
  'inf',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  'hello',
  'x'.repeat(44),
  'y'.repeat(45),
  'z'.repeat(1000),
  '\0\xff\r\n',
  'ohmytext',
  'mynewtext',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '2',
  '5',
  '100',
  '-100',
  '9223372036854775807',
  '-9223372036854775808',
  'x',
  '',
  '1.5',
];
const FLOATS = ['1', '0.1', '-2.5', '1e10', '5.0e3', 'nan', 'inf', 'x', '3.00000', '1e-5'];
const SECONDS = ['100', '1000', '86400', '0', '-1', 'x', '9223372036854775', '9223372036854775807'];
const MILLISECONDS = ['100000', '1000000', '0', '-5', 'x', '9223372036854775807'];

class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  #key(): string {
    return this.#random.pick(KEYS);
  }

  #value(): string {
    return this.#random.pick(VALUES);
  }

  #number(): string {
    return this.#random.pick(NUMBERS);
  }

  #many<T>(make: () => T, most: number): T[] {
    return Array.from({ length: 1 + this.#random.below(most) }, make);
  }

  #some(words: readonly Words[], most = 2): Words {
    const chosen: Words = [];
    for (let i = this.#random.below(most + 1); i > 0; i--) chosen.push(...this.#random.pick(words));
    return chosen;
  }

  #at(unit: number): string {
    if (this.#random.chance(0.2)) return this.#random.pick(['1', '0', '-1', 'x']);
    return String(Math.floor(Date.now() / unit) + Math.floor(1e6 / unit) + 100000);
  }

  #seconds = (): string => this.#random.pick(SECONDS);
  #ms = (): string => this.#random.pick(MILLISECONDS);

  #time(): Words[] {
    return [
      ['EX', this.#seconds()],
      ['PX', this.#ms()],
      ['EXAT', this.#at(1000)],
      ['PXAT', this.#at(1)],
      ['ex'],
    ];
  }

  readonly #table: (() => Words)[] = [
    () => ['get', this.#key()],
    () => ['GET', this.#key()],
    () => ['set', this.#key(), this.#value()],
    () => ['set', this.#key(), this.#value()],
    () => [
      'set',
      this.#key(),
      this.#value(),
      ...this.#some([['NX'], ['XX'], ['GET'], ['KEEPTTL'], ['bad'], ...this.#time()]),
    ],
    () => ['setnx', this.#key(), this.#value()],
    () => ['setex', this.#key(), this.#seconds(), this.#value()],
    () => ['psetex', this.#key(), this.#ms(), this.#value()],
    () => ['getset', this.#key(), this.#value()],
    () => ['getdel', this.#key()],
    () => ['getex', this.#key(), ...this.#some([['PERSIST'], ['KEEPTTL'], ...this.#time()])],
    () => ['mset', ...this.#many(() => this.#random.pick([this.#key(), this.#value()]), 5)],
    () => ['msetnx', ...this.#many(() => [this.#key(), this.#value()], 2).flat()],
    () => ['mget', ...this.#many(() => this.#key(), 4)],
    () => ['append', this.#key(), this.#value()],
    () => ['strlen', this.#key()],
    () => ['getrange', this.#key(), this.#number(), this.#number()],
    () => ['substr', this.#key(), this.#number(), this.#number()],
    () => [
      'setrange',
      this.#key(),
      this.#random.pick(['0', '1', '5', '100', '-1', 'x', '536870912', '600000000']),
      this.#value(),
    ],
    () => ['incr', this.#key()],
    () => ['decr', this.#key()],
    () => ['incrby', this.#key(), this.#number()],
    () => ['decrby', this.#key(), this.#number()],
    () => ['incrbyfloat', this.#key(), this.#random.pick(FLOATS)],
    () => [
      'lcs',
      this.#key(),
      this.#key(),
      ...this.#some(
        [['LEN'], ['IDX'], ['WITHMATCHLEN'], ['MINMATCHLEN', '2'], ['MINMATCHLEN', 'x'], ['bad']],
        3,
      ),
    ],
    () => ['del', ...this.#many(() => this.#key(), 3)],
    () => ['unlink', ...this.#many(() => this.#key(), 2)],
    () => ['exists', ...this.#many(() => this.#key(), 3)],
    () => ['touch', ...this.#many(() => this.#key(), 3)],
    () => ['type', this.#key()],
    () => ['ttl', this.#key()],
    () => ['persist', this.#key()],
    () => ['expiretime', this.#key()],
    () => [
      'expire',
      this.#key(),
      this.#seconds(),
      ...this.#some([['NX'], ['XX'], ['GT'], ['LT'], ['bad']]),
    ],
    () => ['pexpire', this.#key(), this.#ms(), ...this.#some([['NX'], ['XX'], ['GT'], ['LT']])],
    () => [
      'expireat',
      this.#key(),
      this.#at(1000),
      ...this.#some([['NX'], ['XX'], ['GT'], ['LT']]),
    ],
    () => ['pexpireat', this.#key(), this.#at(1), ...this.#some([['NX'], ['XX'], ['GT'], ['LT']])],
    () => ['rename', this.#key(), this.#key()],
    () => ['renamenx', this.#key(), this.#key()],
    () => [
      'copy',
      this.#key(),
      this.#key(),
      ...this.#some([['REPLACE'], ['DB', this.#random.pick(['0', '1', '2', '16', 'x'])], ['bad']]),
    ],
    () => ['move', this.#key(), this.#random.pick(['0', '1', '2', '-1', '16', 'x', '99999999999'])],
    () => ['object', 'encoding', this.#key()],
    () => ['object', 'freq', this.#key()],
    () => ['object', 'bad', this.#key()],
    () => ['object'],
    () => [
      'keys',
      this.#random.pick([
        '*',
        'a*',
        '?',
        '[a-c]',
        '[^a]',
        'key:*',
        '*\r*',
        '\\a',
        '',
        '[b-a]',
        '*e',
        'a[',
        '**a',
      ]),
    ],
    () => [
      'scan',
      '0',
      'COUNT',
      '1000',
      ...this.#some([
        ['MATCH', '[a-d]'],
        ['TYPE', 'string'],
        ['TYPE', 'hash'],
        ['COUNT', '0'],
        ['COUNT', 'x'],
        ['bad'],
      ]),
    ],
    () => ['scan', this.#random.pick(['x', '-', '1x'])],
    () => ['dbsize'],
    () => ['select', this.#random.pick(['0', '0', '1', '2', '16', '-1', 'x'])],
    () => ['swapdb', this.#random.pick(['0', '1', 'x']), this.#random.pick(['1', '2', '16', 'y'])],
    () => ['flushdb', ...this.#some([['ASYNC'], ['SYNC'], ['bad']])],
    () => (this.#random.chance(0.2) ? ['flushall'] : ['get', this.#key()]),
    () => ['multi'],
    () => ['multi'],
    () => ['exec'],
    () => ['exec'],
    () => ['exec'],
    () => ['discard'],
    () => ['watch', ...this.#many(() => this.#key(), 2)],
    () => ['watch', this.#key()],
    () => ['unwatch'],
    () => ['nosuch', this.#value(), this.#key()],
    () => ['get'],
    () => ['set', this.#key()],
    () => ['GETRANGE', this.#key(), '0'],
  ];

  next(): Words {
    return this.#random.pick(this.#table)();
  }
}

const UNORDERED = new Set(['keys', 'scan']);
const SECONDS_LEFT = new Set(['ttl', 'expiretime']);

/** A transaction's replies, or one command's, in a form that ignores order where there is none. */
function normal(words: Words, shown: string): string {
  if (!UNORDERED.has(words[0]!)) return shown;
  return [...shown.replace(/[[\]]/g, '').split('" "')]
    .map((key) => key.replaceAll('"', ''))
    .sort()
    .join(' ');
}

/** The reply without its numbers and order. */
function blurred(shown: string): string {
  return [...shown.replace(/\d+/g, '#')].sort().join('');
}

function areEqual(words: Words, guest: string, real: string): boolean {
  if (guest === real) return true;
  // Inside a transaction there may be both: numbers near to one another, and keys in another order.
  if (words[0] === 'exec') return blurred(guest) === blurred(real);
  if (SECONDS_LEFT.has(words[0]!))
    return Math.abs(Number(JSON.parse(guest)) - Number(JSON.parse(real))) <= 1;
  return normal(words, guest) === normal(words, real);
}

test('ENTRY-1: random sequences of commands get equal replies', async () => {
  if (!redis) return;
  const random = Random.forTest('redis/differential');
  const generator = new Generator(random);
  const guest = new RedisGuest();
  const ours: Client[] = [];
  const theirs: RespClient[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    ours.push(guest.connect());
    theirs.push(await RespClient.open(join(redis.dir, 'real.sock')));
  }
  const recent: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < COMMANDS_PER_ROUND; i++) {
      const client = random.chance(0.7) ? 0 : random.below(CLIENTS);
      const words = generator.next();
      const bytes = words.map((word) => Buffer.from(word, 'latin1'));
      guest.now = Date.now();
      const real = shownReal(await theirs[client]!.call(...bytes));
      const mine = shownGuest(ours[client]!.command(...words));
      recent.push(`${client} ${JSON.stringify(words)} -> ${mine}`);
      if (recent.length > 40) recent.shift();
      if (!areEqual(words, mine, real))
        assert.unreachable(
          [
            `client ${client}: ${JSON.stringify(words)}`,
            ` guest ${mine}`,
            ` redis ${real}`,
            ' after',
            ...recent,
          ].join('\n'),
        );
    }
    guest.cron();
  }
  for (const client of theirs) client.close();
});

test.run();
