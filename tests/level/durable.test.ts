// Goal: `durable: true` keeps every change synced with `sync: true`, through killed processes, and fails
// loudly where it cannot. Method: processes that report what is synced and are killed in the middle; options
// and calls without that guarantee. Loss of power is tests/kv/durable.test.ts.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { Random } from '../random.ts';
import { moduleCommand } from '../runtime.ts';
import { codeOf, freshLocation, inProcess, moduleUrl } from './stores.ts';

const MIB = 2 ** 20;

/**
 * Puts groups of keys and reports how many are synced; every third group key by key, the others as batches.
 */
const WRITER = (location: string): string => `
  import { RingzeroLevel } from ${JSON.stringify(moduleUrl)};
  import { writeSync } from 'node:fs';
  const db = new RingzeroLevel(${JSON.stringify(location)}, { poolSize: 1 << 20, durable: true });
  await db.open();
  const value = (i) => ('value ' + i).repeat(1 + (i % 50));
  for (let group = db.getSync('groups') === undefined ? 0 : Number(db.getSync('groups')) + 1; ; group++) {
    const keys = Array.from({ length: 10 }, (_, i) => 'key ' + ((group * 10 + i) % 3000));
    const puts = [...keys.map((key) => ({ type: 'put', key, value: value(group) })), { type: 'put', key: 'groups', value: String(group) }];
    if (group % 3 === 0) for (const { key, value } of puts) db.putSync(key, value, { sync: key === 'groups' });
    else await db.batch(puts, { sync: true });
    writeSync(1, group + '\\n');
  }`;

const valueOf = (group: number): string => `value ${group}`.repeat(1 + (group % 50));

/**
 * Runs the writer until it has synced a number of further groups, then kills it; the last group that it
 * reported.
 */
async function killed(location: string, random: Random): Promise<number> {
  const program = join(location, '..', 'writer.mjs');
  writeFileSync(program, WRITER(location));
  const [command, ...args] = moduleCommand(program);
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  const wanted = 50 + random.below(600);
  child.stderr.on('data', (data: Buffer) => (errors += String(data)));
  child.stdout.on('data', (data: Buffer) => {
    const before = output.length;
    output += String(data);
    if (before / 4 < wanted && output.length / 4 >= wanted)
      // at a random moment of its writes
      setTimeout(() => child.kill('SIGKILL'), random.below(20));
  });
  await new Promise((resolve) => child.on('close', resolve));
  assert.is(child.signalCode, 'SIGKILL', errors);
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}

const tests = suite('level durable');

tests('killed at any moment: all synced changes survive, and at most one more', async () => {
  const random = Random.forTest('level, durable');
  const location = freshLocation();
  for (let round = 0; round < 4; round++) {
    const last = await killed(location, random);
    const db = new RingzeroLevel(location, { poolSize: MIB, durable: round % 2 === 0 });
    const groups = Number(await db.get('groups'));
    assert.ok(groups === last || groups === last + 1, `${groups} after ${last}`);
    assert.ok(db.verifySync());
    for (let group = Math.max(0, groups - 299); group <= groups; group++)
      for (let i = 0; i < 10; i++) {
        const value = db.getSync(`key ${(group * 10 + i) % 3000}`);
        // A group that is not a batch may survive in part, after the last whole one.
        if (value !== valueOf(group)) assert.is(value, valueOf(groups + 1), `key ${i} of ${group}`);
      }
    await db.close();
    assert.equal(readdirSync(location), ['data.rz'], 'a closed store needs no log');
  }
});

tests('a killed store without a log is refused, and so is one that lost its log', async () => {
  const location = freshLocation();
  const body = "await db.put('a', '1', { sync: true }); process.kill(process.pid, 'SIGKILL')";
  inProcess(location, body, '', { durable: false });
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'RZ_NOT_CLEAN');
  const other = freshLocation();
  inProcess(other, body);
  assert.ok(existsSync(join(other, 'log.rz')));
  const log = join(other, 'log.rz');
  rmSync(log);
  assert.is(await codeOf(new RingzeroLevel(other).open()), 'RZ_NOT_CLEAN');
  await RingzeroLevel.destroy(other);
  assert.not.ok(existsSync(other));
});

tests('options: a value that is not a boolean, a pool that is too small', () => {
  assert.throws(
    () => new RingzeroLevel('x', { durable: 1 as never }),
    /`durable` is 1; allowed: true or false/,
  );
  assert.throws(() => new RingzeroLevel('x', { durable: true, poolSize: 2 ** 19 }), /`poolSize`/);
  assert.throws(() => new RingzeroLevel('x', { poolSize: 2 ** 19 }), /`durable: false`/);
});

tests('sublevels, long values, and a batch that is too large for the pool', async () => {
  const location = freshLocation();
  const db = new RingzeroLevel(location, { poolSize: MIB, durable: true });
  const people = db.sublevel('people');
  await people.put('ada', '1815');
  const large = 'x'.repeat(3 * MIB);
  for (let i = 0; i < 3; i++) await db.put('large', large + String(i), { sync: true });
  const put = (i: number): { type: 'put'; key: string; value: string } => ({
    type: 'put',
    key: `key ${i}`,
    value: 'v'.repeat(900),
  });
  for (let i = 0; i < 4000; i++) db.putSync(`key ${i}`, 'w'.repeat(900));
  const stats = db.stats();
  assert.ok(stats.logBytes > 12 * MIB);
  await db.batch(
    Array.from({ length: 4000 }, (_, i) => put(i + 10_000)),
    { sync: true },
  ); // new pages: no limit
  await db.close();
  await db.open();
  assert.is(
    await codeOf(db.batch(Array.from({ length: 4000 }, (_, i) => put(i)))),
    'RZ_OUT_OF_MEMORY',
  );
  assert.is(await db.get('key 7'), 'w'.repeat(900));
  assert.is(await db.sublevel('people').get('ada'), '1815');
  assert.is((await db.get('large'))!.length, large.length + 1);
  for (let i = 0; i < 4000; i++) db.putSync(`key ${i}`, 'u'.repeat(900));
  assert.ok(db.stats().checkpoints > 1, 'changed pages were written back for room');
  assert.ok(db.verifySync());
  await db.close();
});

tests.run();
