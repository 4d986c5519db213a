// INFO's counts of changes and saves, compared with redis-server 7.0.15: a background save ends while clients
// write and flush.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { EAGAIN } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { Shapes } from './beside-values.ts';
import { Pair, type Twin, type Words } from './beside.ts';

const test = suite('redis/beside-save');

let pair: Pair | undefined;
test.before(async () => void (pair = await Pair.start()));
test.after(() => pair?.stop());

const FIELDS = ['rdb_changes_since_last_save', 'rdb_bgsave_in_progress', 'rdb_last_bgsave_status'];

async function same(twin: Twin, what: string): Promise<void> {
  const { redis, guest } = await twin.one('INFO', 'persistence');
  for (const field of FIELDS) {
    const line = new RegExp(`${field}:(\\S+)`);
    assert.is(line.exec(guest)?.[1], line.exec(redis)?.[1], `${what}: ${field}`);
  }
}

/** Begins a background save that never ends on either server. */
async function beginSave(twin: Twin): Promise<void> {
  pair!.files.childIs = -EAGAIN;
  await pair!.real.call('CONFIG', 'SET', 'rdb-key-save-delay', 10_000_000);
  const { redis, guest } = await twin.one('BGSAVE');
  assert.is(guest, redis);
  await pair!.real.call('CONFIG', 'SET', 'rdb-key-save-delay', 0);
}

/** Waits until redis-server has noticed its child's end, and lets the guest notice it. */
async function endSave(): Promise<void> {
  pair!.files.childIs = undefined;
  pair!.guest.now = Date.now();
  pair!.guest.cron();
  while (/rdb_bgsave_in_progress:1/.test(String(await pair!.real.call('INFO', 'persistence')))) {}
}

const FLUSHES: Words[] = [['FLUSHALL'], ['FLUSHALL', 'ASYNC'], ['FLUSHALL', 'SYNC'], ['FLUSHDB']];

for (const save of ['', '3600 1']) {
  for (const flush of FLUSHES) {
    const name = `${flush.join(' ')} during a background save, save points '${save}'`;
    test(`B17: unsaved changes are counted as in Redis: ${name}`, async () => {
      if (!pair) return;
      const twin = await pair.connect();
      await twin.run([['CONFIG', 'SET', 'save', save], ['FLUSHALL'], ['SAVE']]);
      await same(twin, 'saved');
      await twin.run([
        ['SET', 'a', 1],
        ['SET', 'b', 2, 'EX', 1000],
        ['HSET', 'h', 'f', 1, 'g', 2],
      ]);
      await twin.run([
        ['SELECT', 1],
        ['SET', 'c', 1],
        ['SELECT', 0],
      ]);
      await same(twin, 'written');
      await beginSave(twin);
      await twin.run([
        ['SET', 'd', 1],
        ['APPEND', 'd', 'x'],
        ['DEL', 'nosuch'],
      ]);
      await same(twin, 'while it saves');
      const { redis, guest } = await twin.one(...flush);
      assert.is(guest, redis);
      // FLUSHALL has stopped the child; after FLUSHDB it continues.
      if (flush[0] === 'FLUSHDB') await twin.one('FLUSHALL');
      await endSave();
      await same(twin, 'flushed');
      await twin.run([
        ['SET', 'e', 1],
        ['INCR', 'e'],
      ]);
      await same(twin, 'written again');
      await twin.run([['FLUSHALL'], ['FLUSHALL'], ['FLUSHDB']]);
      await same(twin, 'flushed while no child saves');
      await twin.one('SAVE');
      await same(twin, 'saved again');
      twin.close();
    });
  }
}

/** Writes in addition to those of Shapes, on keys of the same names. */
const WRITES = (
  'del unlink persist rename renamenx copy move getdel getex getset setnx msetnx expire pexpire ' +
  'hsetnx hincrbyfloat incrbyfloat flushdb flushall swapdb touch append'
).split(' ');
const ARGUMENTS = [
  'a',
  'b',
  'h',
  'f',
  '1',
  '0',
  '100000',
  'PERSIST',
  'NX',
  'XX',
  'REPLACE',
  'DB',
  'ASYNC',
];

test('random commands count the same changes', async () => {
  if (!pair) return;
  const random = Random.forTest('redis/beside-save');
  const shapes = new Shapes(random);
  const twin = await pair.connect();
  await twin.run([
    ['DEBUG', 'SET-ACTIVE-EXPIRE', 0],
    ['CONFIG', 'SET', 'save', ''],
    ['FLUSHALL'],
    ['SAVE'],
  ]);
  const next = (): Words => {
    if (random.chance(0.6)) return shapes.next();
    const more = Array.from({ length: random.below(5) }, () => random.pick(ARGUMENTS));
    return [random.pick(WRITES), ...more];
  };
  for (let round = 0; round < 500; round++) {
    const replies = await twin.run(Array.from({ length: 20 }, next));
    const text = replies.map(
      ({ words, guest }) => `${words.join(' ').slice(0, 100)} -> ${guest.slice(0, 60)}`,
    );
    await same(twin, text.join('\n'));
  }
  twin.close();
});

test.run();
