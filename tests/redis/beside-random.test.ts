// Every command and subcommand with right, wrong, missing and extra arguments, compared with redis-server
// 7.0.15, byte for byte.
//
// Method: three clients in RESP2 and RESP3 over few keys, strings and hashes, transactions and watches,
// options that are set while the servers run; commands go in runs of up to 40 to a client. Replies that time,
// chance or the server itself decide are compared as errors only, or without their order and numbers. At
// random moments both save, each reads the other's file, and all databases are compared whole
// (beside-dumps.ts). RZ_COMMANDS is the number of commands. Not covered: several chunks of input
// (protocol.test.ts), sockets (server-*.test.ts).

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { Exchange } from './beside-dumps.ts';
import { NAMES, Shapes } from './beside-values.ts';
import { Pair, type Both, type Twin } from './beside.ts';

const test = suite('redis/beside-random');

const COMMANDS = Number(process.env['RZ_COMMANDS'] ?? 20_000);
const CLIENTS = 3;
const RUN = 40;

let pair: Pair | undefined;
let exchange: Exchange | undefined;
test.before(async () => {
  pair = await Pair.start();
  if (pair) exchange = await Exchange.start(pair);
});
test.after(() => {
  exchange?.stop();
  pair?.stop();
});

/** They end connections or the server, wait, or change what is compared; they have separate tests. */
const LEFT_OUT = new Set(
  (
    'monitor shutdown debug lolwut quit reset hello auth client|kill client|reply ' +
    'client|setinfo client|no-evict client|tracking client|caching save bgsave replicaof ' +
    'slaveof config|rewrite config|resetstat config|set acl|cat command|count'
  ).split(' '),
);

/** Their replies, unless they are errors, are decided by time, chance, or who the server is. */
const OWN = new RegExp(
  '^(info|time|dbsize|lolwut|command|memory|latency|slowlog|client|object\\|(idletime|freq|help)' +
    '|\\w+\\|help|randomkey|hrandfield|role|lastsave|acl|config|scan|hscan|cluster)',
);
const UNORDERED = /^(keys|hgetall|hkeys|hvals|exec)$/;
const TIMES = /^(p?ttl|p?expiretime)$/;

const WORDS = [
  ...NAMES,
  ...['0', '1', '-1', '2', '10', '007', '+5', ' 5', '3.25', '1e3', 'inf', 'nan', '0x10', '1.50'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '100000'],
  ...['NX', 'XX', 'GT', 'LT', 'GET', 'EX', 'PX', 'EXAT', 'PXAT', 'KEEPTTL', 'PERSIST', 'REPLACE'],
  ...['MATCH', 'COUNT', 'TYPE', 'string', 'hash', 'DB', 'LEN', 'IDX', 'WITHVALUES', 'SAMPLES'],
  ...['*', '**', '[a-c]', '?', 'a*', 'ASYNC', 'YES', 'NO', 'ID', 'FILTERBY', 'get', 'set'],
];
const SETTINGS = [
  ['hash-max-listpack-entries', ['1', '2', '512', '-1', 'x']],
  ['hash-max-listpack-value', ['1', '8', '64', '1kb', 'x']],
  ['proto-max-bulk-len', ['1mb', '512mb', '1']],
  ['maxmemory', ['0', '1', '100gb', 'x']],
  ['maxmemory-policy', ['noeviction', 'nothing']],
  ['min-replicas-to-write', ['0', '0', '1']],
  ['save', ['', '900 1', '1', ' ', '900  1']],
  ['hz', ['10', '0', '1000']],
  ['shutdown-on-sigterm', ['default', 'nosave now', 'save nosave', 'x']],
  ['timeout', ['0', '100', '-1']],
] as const;
const MOST = ['multi', 'exec', 'exec', 'watch', 'set', 'hset', 'hset', 'get', 'del', 'discard'];

/**
 * Commands after which a key may end; its expiry must be long after the test, because the servers do not read
 * their clocks at the same moment.
 */
const ENDING = /^p?(expire|setex)|\b[EP]X\b/;
const farAway = (word: string): string => (/^(1|2|10)$/.test(word) ? '100000' : word);

class Generator {
  readonly #random: Random;
  readonly #names: readonly string[];
  readonly #shapes: Shapes;

  constructor(random: Random, names: readonly string[]) {
    this.#random = random;
    this.#shapes = new Shapes(random);
    this.#names = names;
  }

  next(): string[] {
    const random = this.#random;
    if (random.chance(0.02)) {
      const [name, values] = random.pick(SETTINGS);
      return ['config', random.chance(0.7) ? 'set' : 'get', name, random.pick<string>(values)];
    }
    if (random.chance(0.25)) return this.#shapes.next();
    // Limits are reset soon, or most replies would be errors.
    if (random.chance(0.02))
      return ['config', 'set', 'maxmemory', '0', 'min-replicas-to-write', '0'];
    const name = random.chance(0.3) ? random.pick(MOST) : random.pick(this.#names);
    const words = name.split('|');
    if (name === 'set' || name === 'hset') words.push(random.pick(WORDS.slice(0, 6)));
    let left =
      name === 'exec' || name === 'multi' ? (random.chance(0.02) ? 1 : 0) : random.below(6);
    for (; left > 0; left--)
      words.push(random.pick(random.chance(0.5) ? WORDS.slice(0, 6) : WORDS));
    return ENDING.test(words.join(' ')) ? words.map(farAway) : words;
  }
}

const numbers = /-?\d+/g;

function isEqual(name: string, { words, redis, guest }: Both): boolean {
  if (redis === guest) return true;
  const areErrors = redis.startsWith('-') || guest.startsWith('-');
  if (areErrors) return false;
  if (OWN.test(name) || OWN.test(String(words[0]))) return true;
  if (TIMES.test(name)) {
    const [a, b] = [Number(redis.slice(1)), Number(guest.slice(1))];
    return Math.abs(a - b) <= (name.startsWith('p') ? 5000 : 5);
  }
  if (!UNORDERED.test(name)) return false;
  const blurred = (text: string): string => [...text.replace(numbers, '#')].sort().join('');
  return name === 'exec' || blurred(redis) === blurred(guest);
}

test('random commands get the same bytes', async () => {
  if (!pair) return;
  const random = Random.forTest('redis/beside-random');
  const twin = await pair.connect();
  // Both servers delete an expired key on access, at the same moment.
  await twin.one('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
  const names = (pair.guest.connect().command('COMMAND', 'LIST') as string[]).filter(
    (name) => !LEFT_OUT.has(name),
  );
  const generator = new Generator(random, names);
  const twins: Twin[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    twins.push(await pair.connect());
    await twins[i]!.one('HELLO', i === 0 ? 2 : 3);
  }
  const recent: string[] = [];
  for (let done = 0; done < COMMANDS;) {
    const client = random.below(CLIENTS);
    const commands = Array.from({ length: 1 + random.below(RUN) }, () => generator.next());
    for (const both of await twins[client]!.run(commands)) {
      const [first, second] = both.words.map((word) => String(word).toLowerCase());
      const name = names.includes(`${first}|${second}`) ? `${first}|${second}` : first!;
      recent.push(`${client} ${JSON.stringify(both.words)} -> ${JSON.stringify(both.guest)}`);
      if (recent.length > 60) recent.shift();
      if (!isEqual(name, both))
        assert.unreachable(
          [
            JSON.stringify(both.words),
            ` redis ${JSON.stringify(both.redis)}`,
            ` guest ${JSON.stringify(both.guest)}`,
            ' after',
            ...recent,
          ].join('\n'),
        );
    }
    done += commands.length;
    if (random.chance(0.02)) await exchange!.check(random, WORDS);
    if (random.chance(0.02)) pair.guest.cron();
  }
  console.log(`${COMMANDS} commands, ${exchange!.checks} exchanges of files`);
  if (COMMANDS >= 20_000) assert.ok(exchange!.checks > 0, 'files were exchanged');
});

test('hashes at the limits of their encodings give the same replies', async () => {
  if (!pair) return;
  const random = Random.forTest('redis/beside-random');
  const twin = await pair.connect();
  await twin.run([
    ['CONFIG', 'SET', 'maxmemory', 0, 'min-replicas-to-write', 0, 'save', ''],
    ['FLUSHALL'],
  ]);
  for (let round = 0; round < 20; round++) {
    const fields = 1 + random.below(6);
    const values = [
      '1',
      '-1',
      '32767',
      '2147483647',
      '9223372036854775807',
      'v'.repeat(64),
      'w'.repeat(65),
      '',
    ];
    const pairs = Array.from({ length: fields }, (_, i) => [`f${i}`, random.pick(values)]).flat();
    const commands = [
      ['CONFIG', 'SET', 'hash-max-listpack-entries', String(1 + random.below(6))],
      ['HSET', 'h', ...pairs],
      ['OBJECT', 'ENCODING', 'h'],
      ...Array.from({ length: fields }, (_, i) => ['HGET', 'h', `f${i}`]),
      ['DEL', 'h'],
    ];
    for (const { words, redis, guest } of await twin.run(commands))
      assert.is(guest, redis, words.join(' '));
  }
});

test.run();
