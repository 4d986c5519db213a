// A durable store with a damaged, cut-off or full log, and on a disk that refuses writes.
// Invariants: ALLOC-2 (a full pool), CHANGE-1, KVLOG-2, KVLOG-3, RECOVER-2, UNDO-1.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EBADMSG,
  ECANCELED,
  EEXIST,
  EIO,
  ENOBUFS,
  ENOMEM,
  ENOSPC,
  EUCLEAN,
} from '../../assembly/abi/errno.ts';
import * as kv from '../../assembly/abi/kv.ts';
import { Faults } from '../../host/index.ts';
import { Random } from '../random.ts';
import { Disk } from './disk.ts';
import { Model, plain, word } from './model.ts';
import { openStore, type Change } from './store.ts';
import { FRAMES, GROUP, directoryOf, check, leave, PAGE } from './crashes.ts';

const tests = suite('durable store, damage');

tests('a shut gate admits no change', async () => {
  const { store, end, remove } = await openStore(FRAMES, { log: true });
  assert.is(store.put(word(1), Buffer.from('a')), 0);
  store.call('shut', 1);
  assert.is(store.call('enterPut', 1, 1), kv.KV_SHUT);
  assert.is(store.call('enterGet', 1), kv.KV_SHUT);
  assert.is(store.call('enterScan', 8, 0, 1), kv.KV_SHUT);
  store.call('shut', 0);
  assert.is(store.all({}).length, 1);
  assert.is.not(store.call('enterGet', 1), kv.KV_SHUT);
  await end();
  remove();
});

/** Damaged forms of a log of whole pages, each with a name. */
function* damages(log: Buffer): Generator<[name: string, damaged: Buffer]> {
  const pages = log.length / PAGE;
  for (let page = 0; page < pages; page++) {
    yield [`cut to ${page} pages`, log.subarray(0, page * PAGE)];
    const [head, tail] = [log.subarray(0, page * PAGE), log.subarray(page * PAGE)];
    yield [`a page less at ${page}`, Buffer.concat([head, tail.subarray(PAGE)])];
    yield [`a page more at ${page}`, Buffer.concat([head, Buffer.alloc(PAGE), tail])];
    yield [`a page twice at ${page}`, Buffer.concat([head, tail.subarray(0, PAGE), tail])];
    yield [`zeros from ${page} on`, Buffer.concat([head, Buffer.alloc(tail.length)])];
  }
}

tests('D15: a log that is cut off, shifted or emptied loses nothing silently', async () => {
  const { directory, remove } = await leave(1000);
  const log = readFileSync(join(directory, 'log.rz'));
  const data = readFileSync(join(directory, 'data.rz'));
  const outcomes = new Map<number, number>();
  for (const [name, damaged] of damages(log)) {
    const target = directoryOf();
    writeFileSync(join(target, 'data.rz'), data);
    writeFileSync(join(target, 'log.rz'), damaged);
    const { store, result, end } = await openStore(FRAMES, { directory: target, log: true });
    if (result === 0) assert.ok(store.all({}).length >= 1000, name);
    else assert.ok([-EBADMSG, -EUCLEAN].includes(result), `${name}: ${result}`);
    outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
    await end();
    rmSync(target, { recursive: true });
  }
  console.log(
    `damaged logs: ${[...outcomes].map(([result, count]) => `${count} ${result}`).join(', ')}`,
  );
  remove();
});

tests('D15: the loss of a log’s newest header is detected', async () => {
  const { store, end, directory, remove } = await openStore(FRAMES, { log: true });
  for (let i = 0; i < 500; i++) assert.is(store.put(word(i), Buffer.alloc(100, i)), 0);
  assert.is(store.call('flush'), 0, 'a checkpoint: the second generation begins');
  for (let i = 500; i < 510; i++) assert.is(store.put(word(i), word(i)), 0);
  assert.is(store.call('sync'), 0);
  await end();
  const path = join(directory, 'log.rz');
  const log = readFileSync(path);
  const newest = [0, 1].find((page) => log.readUInt32LE(page * PAGE + 40) === 2)!;
  log.fill(0, newest * PAGE, (newest + 1) * PAGE);
  writeFileSync(path, log);
  const again = await openStore(FRAMES, { directory, log: true });
  assert.is(again.result, -EBADMSG);
  await again.end();
  remove();
});

tests('D11: a log next to an empty file is kept, and becomes a store with `recover`', async () => {
  const { directory, remove } = await leave(1000);
  const [data, log] = [join(directory, 'data.rz'), join(directory, 'log.rz')];
  const [pages, records] = [readFileSync(data), readFileSync(log)];
  const blank = Buffer.concat([Buffer.alloc(2 * PAGE), pages.subarray(2 * PAGE)]);
  for (const content of [undefined, Buffer.alloc(0), blank])
    for (const hasLog of [true, false]) {
      rmSync(data);
      if (content !== undefined) writeFileSync(data, content);
      writeFileSync(log, records);
      const refused = await openStore(FRAMES, { directory, log: hasLog });
      assert.is(refused.result, -EEXIST);
      await refused.end();
      assert.ok(readFileSync(log).equals(records), 'the log is not touched');
      const { store, result, end } = await openStore(FRAMES, {
        directory,
        log: hasLog,
        recover: true,
      });
      assert.is(result, 0);
      assert.ok(store.all({}).length >= 1000);
      for (let i = 0; i < 1000; i++) assert.equal(store.get(word(i)), Buffer.alloc(100, i));
      assert.is(store.call('verify'), 0);
      assert.is(store.call('close'), 0);
      await end();
    }
  remove();
});

tests('D12: a batch gets the room that others took when it is retried', async () => {
  const { store, end, remove } = await openStore(256, { log: true });
  for (let i = 0; i < 20_000; i++) assert.is(store.put(word(i), Buffer.alloc(100, i)), 0);
  assert.is(store.call('flush'), 0);
  const large = (round: number): Change[] =>
    [0, 1, 2].map((i) => [word(i), Buffer.alloc(300_000, round)]);
  for (let round = 0; round < 20; round++)
    assert.is(store.batch(large(round)), 0, `round ${round}`);
  // Between the two attempts another thread makes as many changes as it can.
  const small: Change[] = Array.from({ length: 40 }, (_, i) => [word(i * 400), word(i)]);
  const others = (): void => {
    for (let i = 0; i < 112; i++) assert.is(store.put(word(i * 170 + 60), word(i)), 0);
  };
  assert.is(store.call('flush'), 0);
  others();
  assert.is(store.batch(small, others), 0);
  assert.is(store.call('verify'), 0);
  assert.is(store.call('close'), 0);
  await end();
  remove();
});

tests('D13: a change that the disk refuses is not made, and does not reappear', async () => {
  const random = Random.forTest('durable store, a disk that refuses');
  const faults = new Faults({ seed: random.below(2 ** 30) });
  const { end, directory, remove, ...opened } = await openStore(FRAMES, { log: true, faults });
  let { store } = opened;
  let close = end;
  const model = new Model();
  const reopen = async (): Promise<void> => {
    assert.is(store.call('write'), 0);
    await close();
    const again = await openStore(FRAMES, { directory, log: true, faults });
    assert.is(again.result, 0);
    ({ store, end: close } = again);
    assert.equal(plain(store.all({})), plain(model.range({})), 'it has not reappeared');
  };
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    if (random.chance(0.3))
      faults.set(random.chance(0.9) ? { full: 1 } : { full: 0.3, short: 0.7 });
    const count = 1 + random.below(random.chance(0.1) ? 60 : 3);
    const changes: Change[] = Array.from({ length: count }, () => [
      word(random.below(500)),
      Buffer.alloc(random.below(2000), i),
    ]);
    const result = store.batch(changes, undefined, true);
    faults.set({});
    if (result === 0) for (const [key, value] of changes) model.set(key, value);
    else {
      assert.is(result, -ENOSPC);
      refused++;
      if (i % 10 === 0)
        assert.equal(plain(store.all({})), plain(model.range({})), 'it was not made');
      assert.is(store.put(word(501), word(i)), 0);
      model.set(word(501), word(i));
      if (i % 20 === 0) await reopen();
    }
  }
  assert.ok(refused > 100, `${refused} were refused`);
  await reopen();
  await close();
  remove();
});

tests('D13: transfers that are always short still complete', async () => {
  const faults = new Faults({ seed: 3 });
  const { store, end, directory, remove } = await openStore(64, { log: true, faults });
  faults.set({ short: 1 });
  for (let i = 0; i < 5000; i++) assert.is(store.put(word(i), Buffer.alloc(100, i)), 0);
  assert.is(store.call('sync'), 0);
  await end();
  const again = await openStore(64, { directory, log: true, faults });
  assert.is(again.result, 0);
  for (let i = 0; i < 5000; i++) assert.equal(again.store.get(word(i)), Buffer.alloc(100, i));
  assert.is(again.store.call('close'), 0);
  await again.end();
  remove();
});

tests('flipped bits in the log or the file: an error, or an earlier state', async () => {
  const random = Random.forTest('durable store, flipped bits');
  const { directory, remove } = await leave(300);
  const content = new Map(
    ['data.rz', 'log.rz'].map((name) => [name, readFileSync(join(directory, name))]),
  );
  const outcomes = new Map<string, number>();
  for (let i = 0; i < 150; i++) {
    const target = directoryOf();
    const name = random.pick([...content.keys()]);
    for (const [file, bytes] of content) {
      const copy = Buffer.from(bytes);
      if (file === name) copy[random.below(copy.length)]! ^= 1 << random.below(8);
      writeFileSync(join(target, file), copy);
    }
    const { store, result, end } = await openStore(FRAMES, { directory: target });
    let outcome = String(result);
    if (result === 0) {
      // Keys were put in order; the last group is indistinguishable from one never written.
      const entries = store.all({}).length;
      assert.ok(entries >= 300 - GROUP, `${entries} entries`);
      const isWhole = store.call('verify') === 0;
      outcome = isWhole ? 'whole' : 'found later';
      for (let key = 0; isWhole && key < entries; key++)
        assert.equal(store.get(word(key)), Buffer.alloc(100, key === 300 ? 0 : key));
    } else assert.ok([-EUCLEAN, -EBADMSG].includes(result), outcome);
    outcomes.set(`${name} ${outcome}`, (outcomes.get(`${name} ${outcome}`) ?? 0) + 1);
    await end();
    rmSync(target, { recursive: true });
  }
  console.log(
    `flipped bits: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(', ')}`,
  );
  remove();
});

tests(
  'a device that does not sync: the commit fails, and the store guarantees nothing from then on',
  async () => {
    const faults = new Faults({ seed: 1 });
    const { store, end, directory, remove } = await openStore(FRAMES, { log: true, faults });
    assert.is(store.put(word(1), word(1)), 0);
    assert.is(store.call('sync'), 0);
    assert.is(store.put(word(2), word(2)), 0);
    faults.set({ error: 1 });
    const failed = store.call('sync');
    assert.ok(failed === -ECANCELED || failed === -EIO, String(failed));
    faults.set({});
    if (failed === -ECANCELED) {
      assert.is(store.call('sync'), -ECANCELED);
      assert.is(store.put(word(3), word(3)), -ECANCELED);
      assert.is(store.call('close'), -ECANCELED);
    }
    await end();
    const again = await openStore(FRAMES, { directory, log: true });
    assert.is(again.result, 0);
    assert.equal(again.store.get(word(1)), word(1));
    assert.is(again.store.call('close'), 0);
    await again.end();
    remove();
  },
);

tests('power lost during creation: no store, or an empty one', async () => {
  const random = Random.forTest('durable store, made');
  for (let round = 0; round < 40; round++) {
    const directory = directoryOf();
    const target = directoryOf();
    for (const name of ['data.rz', 'log.rz']) writeFileSync(join(directory, name), '');
    const disk = new Disk(random, directory);
    let steps = random.below(8);
    disk.onStep = () => void (steps-- === 0 && disk.crash(target));
    const made = await openStore(FRAMES, { directory, log: true });
    assert.is(made.result, 0);
    if (steps >= 0) disk.crash(target);
    disk.end();
    await made.end();
    await check({ directory: target, states: [''] }, true);
    for (const path of [directory, target]) rmSync(path, { recursive: true });
  }
});

tests('a pool smaller than that of the log’s writer is refused', async () => {
  const { store, end, directory, remove } = await openStore(FRAMES, { log: true });
  for (let i = 0; i < 20_000; i++) assert.is(store.put(word(i), Buffer.alloc(100, i)), 0);
  assert.is(store.call('flush'), 0);
  for (let i = 0; i < 20_000; i += 100) assert.is(store.put(word(i), word(i)), 0);
  assert.is(store.call('sync'), 0);
  await end();
  for (const frames of [64, FRAMES]) {
    const again = await openStore(frames, { directory, log: true });
    assert.is(again.result, frames === FRAMES ? 0 : -ENOMEM);
    if (again.result === 0) {
      assert.equal(again.store.get(word(500)), word(500));
      assert.is(again.store.all({}).length, 20_000);
    }
    await again.end();
  }
  remove();
});

tests('a value or a batch that is too large for the pool', async () => {
  const { store, end, remove } = await openStore(64, { log: true });
  const large = Buffer.alloc(8 << 20, 5);
  for (let i = 0; i < 3; i++) {
    assert.is(store.put(word(0), large), 0, 'a long value, over the old one');
    assert.equal(store.get(word(0)), large);
  }
  for (let i = 0; i < 20_000; i++) assert.is(store.put(word(i), Buffer.alloc(100, i)), 0);
  assert.is(store.call('flush'), 0);
  const everywhere: Change[] = Array.from({ length: 400 }, (_, i) => [word(i * 50), word(i)]);
  assert.is(store.batch(everywhere), -ENOBUFS);
  assert.equal(store.get(word(50)), Buffer.alloc(100, 50), 'no part of it is left');
  assert.is(store.batch(everywhere.slice(0, 20)), 0);
  assert.equal(store.get(word(50)), word(1));
  assert.is(store.call('verify'), 0);
  assert.is(store.call('close'), 0);
  await end();
  remove();
});

tests.run();
