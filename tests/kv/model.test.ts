// Goal: the store does what a sorted map does, for every kind of key and value and with pools far smaller than the data. Method: random
// operations on both, compared as they go; the whole structure and every page are checked in between.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ENOENT } from '../../assembly/abi/errno.ts';
import { KEY_BYTES_MAX } from '../../assembly/abi/kv.ts';
import { Random } from '../random.ts';
import { openStore, type Change, type Entry, type Range, type Store } from './store.ts';

const PAGES_OF_EMPTY_STORE = 4;

/** A sorted map of byte strings. Hex orders as bytes do. */
class Model {
  readonly map = new Map<string, Buffer>();

  set(key: Buffer, value: Buffer | undefined): void {
    if (value === undefined) this.map.delete(key.toString('hex'));
    else this.map.set(key.toString('hex'), value);
  }

  range({ low, lowOpen, high, highOpen, reverse, limit }: Range): Entry[] {
    const keys = [...this.map.keys()].sort().filter((key) => {
      const bytes = Buffer.from(key, 'hex');
      const below = low === undefined ? 1 : Buffer.compare(bytes, low);
      const above = high === undefined ? -1 : Buffer.compare(bytes, high);
      return (below > 0 || (below === 0 && !lowOpen)) && (above < 0 || (above === 0 && !highOpen));
    });
    if (reverse === true) keys.reverse();
    return keys.slice(0, limit).map((key) => [Buffer.from(key, 'hex'), this.map.get(key)!]);
  }
}

interface Shape {
  name: string;
  frames: number;
  operations: number;
  key: (random: Random) => Buffer;
  value: (random: Random) => Buffer;
}

const bytesOf = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.below(256)));
const filled = (random: Random, length: number): Buffer => Buffer.alloc(length, random.below(256));
const word = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeUInt32BE(value, 4);
  return buffer;
};

const SHAPES: readonly Shape[] = [
  {
    name: 'short random keys',
    frames: 12,
    operations: 6000,
    key: (r) => bytesOf(r, r.below(6)),
    value: (r) => filled(r, r.below(100)),
  },
  {
    name: '8-byte keys close together',
    frames: 16,
    operations: 8000,
    key: (r) => word(r.below(2000)),
    value: (r) => filled(r, r.below(200)),
  },
  {
    name: 'keys of the greatest length that differ at the end',
    frames: 40,
    operations: 1500,
    key: (r) =>
      Buffer.concat([Buffer.alloc(KEY_BYTES_MAX - 2, r.below(3)), bytesOf(r, 1), bytesOf(r, 1)]),
    value: (r) => filled(r, r.below(8)),
  },
  {
    name: 'zero bytes, prefixes of each other',
    frames: 12,
    operations: 4000,
    key: (r) => Buffer.alloc(r.below(300), r.below(2)),
    value: (r) => filled(r, r.below(20)),
  },
  {
    name: 'values from inline to long chains',
    frames: 24,
    operations: 700,
    key: (r) => word(r.below(100)),
    value: (r) => filled(r, r.below(r.below(4) === 0 ? 60_000 : 1100)),
  },
];

function randomRange(random: Random, shape: Shape): Range {
  const range: Range = { reverse: random.below(2) === 0, limit: 1 + random.below(60) };
  if (random.below(3) > 0) range.low = shape.key(random);
  if (random.below(3) > 0) range.high = shape.key(random);
  range.lowOpen = range.low !== undefined && random.below(2) === 0;
  range.highOpen = range.high !== undefined && random.below(2) === 0;
  return range;
}

const plain = (entries: readonly Entry[]): string[] =>
  entries.map(([key, value]) => `${key.toString('hex')}=${value.length}:${value.at(-1) ?? ''}`);

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
      else assert.is(found[i], value.length, 'only a long value is left for a get');
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

for (const shape of SHAPES) {
  tests(shape.name, async () => {
    const random = Random.forTest(`store, ${shape.name}`);
    const made = await openStore(shape.frames);
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
    assert.is(result, 0, 'it opens again');
    assert.equal(plain(store.all({})), plain(model.range({})), 'all is there after opening again');
    assert.is(store.call('verify'), 0);
    for (const [key] of model.range({})) assert.is(store.del(key), 0);
    assert.is(store.call('verify'), 0);
    assert.is(store.call('stat', 1), PAGES_OF_EMPTY_STORE, 'every page is back');
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

tests('a value of 64 MiB comes back, also from a pool of a few frames', async () => {
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
