// Goal: the store behaves like a sorted map, for every kind of key and value and with pools far smaller than
// the data. Method: random operations on both, compared as they go; the whole structure and every page are
// checked in between.
// Invariants: NODE-1 and NODE-2 (verify), ALLOC-1 (every page accounted for), GROW-2 and GROW-3 (keys of any
// length), MANY-1.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ENOENT } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { Model, SHAPES, plain, randomRange, word, type Shape } from './model.ts';
import { openStore, type Change, type Store } from './store.ts';

const PAGES_OF_EMPTY_STORE = 4;

function step(random: Random, shape: Shape, store: Store, model: Model): void {
  const choice = random.below(100);
  if (choice < 45) {
    const [key, value] = [shape.key(random), shape.value(random)];
    assert.is(store.put(key, value), 0);
    model.set(key, value);
  } else if (choice < 65) {
    const key = shape.key(random);
    const had = model.map.has(key.toString('hex'));
    assert.is(store.del(key), had ? 0 : -ENOENT);
    model.set(key, undefined);
  } else if (choice < 80) {
    const key = shape.key(random);
    assert.equal(store.get(key), model.map.get(key.toString('hex')) ?? -ENOENT);
  } else if (choice < 88) {
    const range = randomRange(random, shape);
    assert.equal(plain(store.all(range)), plain(model.range(range)), JSON.stringify(range));
  } else if (choice < 94) {
    const changes: Change[] = Array.from({ length: random.below(20) }, () => [
      shape.key(random),
      random.below(3) === 0 ? undefined : shape.value(random),
    ]);
    if (random.below(2) === 0) changes.sort(([a], [b]) => Buffer.compare(a, b));
    assert.is(store.batch(changes), 0);
    for (const [key, value] of changes) model.set(key, value);
  } else if (choice < 99) {
    const keys = Array.from({ length: 1 + random.below(100) }, () => shape.key(random));
    const found = store.getMany(keys);
    for (const [i, key] of keys.entries()) {
      const value = model.map.get(key.toString('hex'));
      if (value === undefined) assert.is(found[i], -ENOENT);
      else if (found[i] instanceof Buffer) assert.equal(found[i], value);
      else assert.is(found[i], value.length, 'only a long value needs a get');
    }
  } else {
    const range = { ...randomRange(random, shape), reverse: false };
    delete range.limit;
    const gone = model.range(range);
    assert.is(store.clear(range), gone.length);
    for (const [key] of gone) model.set(key, undefined);
  }
}

const tests = suite('store against a model');

for (const [i, shape] of SHAPES.entries()) {
  tests(shape.name, async () => {
    const random = Random.forTest(`store, ${shape.name}`);
    const made = await openStore(shape.frames, { rings: i % 2 === 1 });
    const { directory } = made;
    let { store, end, remove, result } = made;
    assert.is(result, 0);
    const model = new Model();
    for (let i = 0; i < shape.operations; i++) {
      step(random, shape, store, model);
      if (i % 500 === 499) assert.is(store.call('verify'), 0, `after ${i + 1} operations`);
    }
    assert.is(store.call('close'), 0);
    await end();
    ({ store, end, remove, result } = await openStore(shape.frames, { directory }));
    assert.is(result, 0, 'it reopens');
    assert.equal(plain(store.all({})), plain(model.range({})), 'all entries exist after reopening');
    assert.is(store.call('verify'), 0);
    for (const [key] of model.range({})) assert.is(store.del(key), 0);
    assert.is(store.call('verify'), 0);
    assert.is(store.call('stat', 1), PAGES_OF_EMPTY_STORE, 'every page is free again');
    assert.is(store.call('close'), 0);
    await end();
    remove();
  });
}

tests('keys in order fill their pages', async () => {
  const { store, end, remove } = await openStore(64);
  const value = Buffer.alloc(100, 7);
  for (let i = 0; i < 20_000; i++) assert.is(store.put(word(i), value), 0);
  const perPage = 20_000 / store.call('stat', 1);
  assert.ok(perPage > 33, `${perPage} records of 115 bytes a page`);
  assert.is(store.call('verify'), 0);
  await end();
  remove();
});

tests('a value of 64 MiB is read back, even with a pool of a few frames', async () => {
  const { store, end, remove } = await openStore(16);
  const value = Buffer.alloc(64 * 2 ** 20);
  for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i);
  const key = Buffer.from('big');
  assert.is(store.put(key, value), 0);
  assert.ok(value.equals(store.get(key) as Buffer));
  assert.is(store.put(key, Buffer.from('small')), 0);
  assert.is(store.call('verify'), 0);
  assert.is(store.call('stat', 1), PAGES_OF_EMPTY_STORE);
  await end();
  remove();
});

tests.run();
