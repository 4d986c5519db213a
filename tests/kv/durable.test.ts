// Goal: after a power loss at any moment, a store with a log has the state after one of its changes, not
// before its last sync; also if power fails again during recovery. Method: random changes on a disk that
// remembers what was synced; at random writes and syncs, in the middle of changes, checkpoints and
// recoveries, what the disk may have kept is copied, opened, and compared with the model after each change
// since the sync.
// Invariants: CKPT-1, KVLOG-1, RECOVER-1, RECOVER-2, STORE-1, SUPER-1, TAB-15, TAB-16.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EINVAL, EUCLEAN } from '../../assembly/abi/errno.ts';
import * as kv from '../../assembly/abi/kv.ts';
import { Random } from '../random.ts';
import { Disk } from './disk.ts';
import { SHAPES, word } from './model.ts';
import { openStore, type Change } from './store.ts';
import {
  FRAMES,
  CRASHES,
  directoryOf,
  History,
  step,
  type Crash,
  check,
  leave,
  PAGE,
} from './crashes.ts';

const tests = suite('durable store');

for (const base of SHAPES) {
  const shape = base.name.startsWith('values')
    ? base
    : { ...base, value: (r: Random) => Buffer.alloc(r.below(900), r.below(256)) };
  tests(`power lost at any moment: ${shape.name}`, async () => {
    const random = Random.forTest(`durable store, ${shape.name}`);
    const opened = await openStore(FRAMES, { log: true });
    assert.is(opened.result, 0);
    await opened.end();
    const { directory } = opened; // not closed: the first recovery
    const crashes: Crash[] = [];
    const history = new History();
    const disk = new Disk(random, directory);
    let rate = 0;
    disk.onStep = () => {
      if (!random.chance(rate)) return;
      const target = directoryOf();
      disk.crash(target);
      crashes.push({ directory: target, states: history.states() });
    };
    const { store, result, end } = await openStore(FRAMES, { directory, log: true });
    assert.is(result, 0);
    rate = (3 * CRASHES) / shape.operations;
    for (let i = 0; i < shape.operations && crashes.length < CRASHES; i++)
      step(random, shape, store, history);
    const checkpoints = store.call('stat', kv.KV_CHECKPOINTS);
    assert.is(store.call('close'), 0);
    await end();
    disk.end();
    let late = 0;
    for (const [i, crash] of crashes.entries()) {
      const hasLog = i % 4 !== 0;
      // Power fails once more during recovery; the states that may be left are the same.
      const again = new Disk(random, crash.directory);
      const target = directoryOf();
      let isSecond = false;
      again.onStep = () => {
        // Without a log it would be refused from then on.
        if (!hasLog || isSecond || !random.chance(0.1)) return;
        isSecond = true;
        again.crash(target);
      };
      late += Number((await check(crash, hasLog, () => again.end())) > 0);
      if (isSecond) await check({ directory: target, states: crash.states }, i % 2 === 0);
      for (const path of [target, crash.directory]) rmSync(path, { recursive: true });
    }
    console.log(
      `${crashes.length} crashes, ${late} with more than was synced, ${checkpoints} checkpoints`,
    );
    assert.ok(crashes.length >= CRASHES / 2, 'enough crashes happened');
    opened.remove();
  });
}

tests('synced changes survive, with or without a log from then on', async () => {
  for (const log of [true, false]) {
    const { directory, remove } = await leave(1000);
    const { store, result, end } = await openStore(FRAMES, { directory, log });
    assert.is(result, 0);
    assert.is(store.all({}).length, 1000);
    assert.is(store.call('sync'), log ? 0 : -EINVAL, 'sync needs a log');
    assert.is(store.call('close'), 0);
    await end();
    remove();
  }
});

tests(
  'a log that is missing, empty or of another store is refused, and no file is touched',
  async () => {
    const { directory, remove } = await leave(100);
    const other = await leave(100);
    const log = join(directory, 'log.rz');
    const right = readFileSync(log);
    const data = readFileSync(join(directory, 'data.rz'));
    const wrong: [string, Buffer | undefined][] = [
      ['missing', undefined],
      ['empty', Buffer.alloc(0)],
      ['of another store', readFileSync(join(other.directory, 'log.rz'))],
    ];
    for (const [name, content] of wrong) {
      if (content === undefined) rmSync(log);
      else writeFileSync(log, content);
      const { result, end } = await openStore(FRAMES, { directory });
      assert.is(result, -EUCLEAN, name);
      await end();
      assert.ok(readFileSync(join(directory, 'data.rz')).equals(data), name);
    }
    writeFileSync(log, right);
    const { store, result, end } = await openStore(FRAMES, { directory });
    assert.is(result, 0);
    assert.is(store.all({}).length, 100);
    await end();
    remove();
    other.remove();
  },
);

/** Puts and removals of single keys, small and large, and the store's contents after each. */
function changesOfOneKey(random: Random, count: number): Change[] {
  const changes: Change[] = [];
  for (let i = 0; i < count; i++) {
    const large = random.chance(0.1);
    const value = Buffer.alloc(random.below(large ? 40_000 : 200), i);
    changes.push([word(i), value]);
    if (random.chance(0.2)) changes.push([word(random.below(i + 1)), undefined]);
  }
  return changes;
}

tests('changes share records: all survive, or those before a damage, in order', async () => {
  const random = Random.forTest('durable store, groups');
  const { store, end, directory, remove } = await openStore(2 * FRAMES, { log: true });
  const changes = changesOfOneKey(random, 500);
  const model = new Map<string, Buffer>();
  const states = [new Map(model)];
  for (const [key, value] of changes) {
    if (value === undefined) store.del(key);
    else assert.is(store.put(key, value), 0);
    if (value === undefined) model.delete(key.toString('hex'));
    else model.set(key.toString('hex'), value);
    states.push(new Map(model));
    if (random.chance(0.02)) assert.is(store.call('write'), 0);
  }
  assert.is(store.call('stat', kv.KV_CHECKPOINTS), 0, 'everything is in the log');
  assert.is(store.call('write'), 0);
  const bytes = store.call('stat', kv.KV_LOG_BYTES);
  await end();
  const log = readFileSync(join(directory, 'log.rz'));
  const data = readFileSync(join(directory, 'data.rz'));
  for (let round = 0; round < 12; round++) {
    const target = directoryOf();
    const damaged = Buffer.from(log);
    const isWhole = round === 0;
    if (!isWhole) damaged[4 * PAGE + random.below(bytes)]! ^= 1 << random.below(8);
    writeFileSync(join(target, 'data.rz'), data);
    writeFileSync(join(target, 'log.rz'), damaged);
    const reopened = await openStore(2 * FRAMES, { directory: target, log: true });
    assert.is(reopened.result, 0, `round ${round}`);
    const found = new Map(
      reopened.store.all({}).map(([key, value]) => [key.toString('hex'), value]),
    );
    const is = (state: Map<string, Buffer>): boolean =>
      state.size === found.size &&
      [...state].every(([key, value]) => found.get(key)?.equals(value));
    assert.ok(isWhole ? is(states.at(-1)!) : states.some(is), `round ${round}`);
    await reopened.end();
    rmSync(target, { recursive: true });
  }
  remove();
});

tests.run();
