// Every boolean option, compared with redis-server 7.0.15: how CONFIG SET and the start of a server reject
// other words.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Pair } from './beside.ts';
import { startRedis } from './real-redis.ts';

const test = suite('redis/beside-options');

let pair: Pair | undefined;
test.before(async () => void (pair = await Pair.start()));
test.after(() => pair?.stop());

/** Options that this server does not know; docs/redis.md names them. */
const UNKNOWN = /^(cluster-(?!enabled)|tls-(?!port))/;
/** Redis accepts yes where this server accepts only no. */
const ONLY_NO = /^(activedefrag|appendonly|oom-score-adj)$/;

const WORDS = [
  'x',
  '',
  '1',
  '0',
  'on',
  'true',
  'yes ',
  ' no',
  'ye',
  'yess',
  'YES',
  'No',
  'yes',
  'no',
  'yes\0',
  'no\0x',
  '\0yes',
  'y\0es',
];

async function names(): Promise<string[]> {
  const flat = (await pair!.real.call('CONFIG', 'GET', '*')) as Buffer[];
  return flat
    .flatMap((name, i) =>
      i % 2 === 0 && /^(yes|no)$/.test(String(flat[i + 1])) ? [String(name)] : [],
    )
    .filter((name) => !UNKNOWN.test(name));
}

test('CONFIG SET of a word that is neither yes nor no gets the same error', async () => {
  if (!pair) return;
  const twin = await pair.connect();
  const found = await names();
  assert.ok(found.length > 40, `${found.length} options`);
  for (const name of found) {
    for (const word of WORDS) {
      const { redis, guest } = await twin.one('CONFIG', 'SET', name, word);
      if (ONLY_NO.test(name) && /^yes(\0|$)/i.test(word))
        assert.match(guest, /must be one of the following: no/, `${name} ${word}`);
      else assert.is(guest, redis, `${name} ${JSON.stringify(word)}`);
    }
    for (const words of [
      [name],
      [name, 'yes', 'no'],
      [name, 'no', name, 'no'],
      [name, 'x', name.toUpperCase(), 'y'],
      [name, 'no', 'nosuch', '1'],
    ]) {
      const { redis, guest } = await twin.one('CONFIG', 'SET', ...words);
      assert.is(guest, redis, words.join(' '));
    }
  }
  twin.close();
});

test('words and sizes end at a zero byte, integers do not', async () => {
  if (!pair) return;
  const twin = await pair.connect();
  for (const [name, value] of [
    ['maxmemory', '1mb\0'],
    ['maxmemory', '2mb\0x'],
    ['maxmemory', 'x\0'],
    ['maxmemory', '0\0'],
    ['maxmemory-clients', '1%\0'],
    ['maxmemory-clients', '0\0%'],
    ['maxmemory-policy', 'allkeys-lru\0'],
    ['maxmemory-policy', 'allkeys-\0lru'],
    ['maxmemory-policy', 'noeviction\0'],
    ['client-output-buffer-limit', 'normal 0 0 0\0 x'],
    ['hz', '10\0'],
    ['timeout', '5\0x'],
    ['hash-max-listpack-entries', '5\0'],
  ] as const)
    for (const words of [
      ['SET', name, value],
      ['GET', name],
    ]) {
      const { redis, guest } = await twin.one('CONFIG', ...words);
      assert.is(guest, redis, JSON.stringify(words));
    }
  twin.close();
});

test('a start with such a word fails with the same reason', async () => {
  if (!pair) return;
  const reasonOf = async (name: string, word: string): Promise<string> => {
    const started = await startRedis([`--${name}`, word]).catch((error: Error) => error.message);
    if (typeof started === 'string') return started.trim().split('\n').at(-1)!;
    started!.stop();
    throw new Error(`${name} ${word} was accepted`);
  };
  for (const name of await names()) {
    const { guest } = pair;
    for (const word of ['x', 'yess']) {
      assert.is.not(guest.setOption(name, word), 0, `${name} ${word}`);
      assert.is(guest.failure(), await reasonOf(name, word), `${name} ${word}`);
    }
  }
});

test.run();
