// Goal: when storage fails, only the operation that needed it fails: no entry changes, later operations are
// right, and every page is accounted for. Method: the operations of the model test under injected faults;
// after a failure, what it would have changed is checked without faults.
// Invariants: ALLOC-1, BATCH-2, GROW-1, SHRINK-1, TREE-2.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EIO, ENOBUFS, ENOENT, ENOSPC } from '../../assembly/abi/errno.ts';
import { Faults, type FaultRates } from '../../host/index.ts';
import { Random } from '../random.ts';
import { Model, SHAPES, plain, randomRange, type Shape } from './model.ts';
import { openStore, type Change, type Store } from './store.ts';

/** ENOBUFS: with a log, a batch that changes half the pool. */
const FAILURES: readonly unknown[] = [-EIO, -ENOSPC, -ENOBUFS];
const CASES: readonly [name: string, how: { rings?: boolean; log?: boolean }, rates: FaultRates][] =
  [
    ['system calls', {}, { error: 0.03, full: 0.03, short: 0.05 }],
    ['rings', { rings: true }, { error: 0.05, full: 0.03, short: 0.1, delay: 0.02, delayMs: 1 }],
    // No failing syncs: after one the store guarantees nothing (durable.test.ts).
    ['a log', { log: true }, { full: 0.05, short: 0.05 }],
  ];

class Trial {
  failed = 0;
  readonly #store: Store;
  readonly #model = new Model();
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #quiet: (body: () => void) => void;

  constructor(store: Store, random: Random, shape: Shape, quiet: (body: () => void) => void) {
    this.#store = store;
    this.#random = random;
    this.#shape = shape;
    this.#quiet = quiet;
  }

  #value(key: Buffer): Buffer | number {
    return this.#model.map.get(key.toString('hex')) ?? -ENOENT;
  }

  /** Whether the result says that storage failed; then the entry is unchanged. */
  #hasFailed(result: unknown, key?: Buffer): boolean {
    if (!FAILURES.includes(result)) return false;
    this.failed++;
    if (key !== undefined)
      this.#quiet(() =>
        assert.ok(
          same(this.#store.get(key), this.#value(key)),
          'a failed change has changed nothing',
        ),
      );
    return true;
  }

  step(): void {
    const [random, shape, store] = [this.#random, this.#shape, this.#store];
    const choice = random.below(100);
    const key = shape.key(random);
    if (choice < 50) {
      const value = shape.value(random);
      const result = store.put(key, value);
      if (this.#hasFailed(result, key)) return;
      assert.is(result, 0);
      this.#model.set(key, value);
    } else if (choice < 65) {
      const result = store.del(key);
      if (this.#hasFailed(result, key)) return;
      assert.is(result, this.#value(key) === -ENOENT ? -ENOENT : 0);
      this.#model.set(key, undefined);
    } else if (choice < 85) {
      const result = store.get(key);
      if (!this.#hasFailed(result)) assert.ok(same(result, this.#value(key)));
    } else if (choice < 92) this.#scan();
    else if (choice < 97) this.#batch();
    else if (choice < 99) this.#clear();
    else this.#hasFailed(store.call('flush'));
  }

  #scan(): void {
    const range = randomRange(this.#random, this.#shape);
    try {
      assert.equal(plain(this.#store.all(range)), plain(this.#model.range(range)));
    } catch (error) {
      const number = /^scan: (-\d+)$/.exec((error as Error).message)?.[1];
      if (number === undefined || !this.#hasFailed(Number(number))) throw error;
    }
  }

  #batch(): void {
    const [random, shape] = [this.#random, this.#shape];
    const changes: Change[] = [];
    for (let left = random.below(12); left > 0; left--) {
      const key = shape.key(random);
      const value = random.below(3) === 0 ? undefined : shape.value(random);
      changes.push([key, value]);
      if (random.below(4) === 0) changes.push([key, shape.value(random)]); // the same key again
    }
    const result = this.#store.batch(changes);
    if (!this.#hasFailed(result)) {
      assert.is(result, 0);
      for (const [key, value] of changes) this.#model.set(key, value);
      return;
    }
    this.#quiet(() => {
      for (const [key] of changes)
        assert.ok(
          same(this.#store.get(key), this.#value(key)),
          'a failed batch has changed nothing',
        );
    });
  }

  /** Not atomic: after a failure some entries are gone. */
  #clear(): void {
    const range = { ...randomRange(this.#random, this.#shape), reverse: false };
    delete range.limit;
    const there = this.#model.range(range);
    const result = this.#store.clear(range);
    if (!this.#hasFailed(result)) {
      assert.is(result, there.length);
      for (const [key] of there) this.#model.set(key, undefined);
      return;
    }
    this.#quiet(() => {
      for (const [key, value] of there) {
        const now = this.#store.get(key);
        if (now === -ENOENT) this.#model.set(key, undefined);
        else assert.ok(same(now, value));
      }
    });
  }

  check(): void {
    this.#quiet(() => {
      assert.equal(plain(this.#store.all({})), plain(this.#model.range({})));
      assert.is(this.#store.call('verify'), 0);
    });
  }
}

const same = (a: Buffer | number, b: Buffer | number): boolean =>
  typeof a === 'number' || typeof b === 'number' ? a === b : a.equals(b);

const tests = suite('store under faults');

for (const [name, how, rates] of CASES) {
  for (const base of SHAPES) {
    // More than the pool holds, so that storage is used all the time.
    const isShort = base.name !== 'values from inline to long chains';
    const shape = isShort ? { ...base, value: (r: Random) => Buffer.alloc(r.below(900), 7) } : base;
    tests(`${name}: ${shape.name}`, async () => {
      const random = Random.forTest(`store under faults, ${name}, ${shape.name}`);
      const faults = new Faults({ seed: random.bits() });
      const { store, result, end, remove } = await openStore(
        how.log === true ? 64 : Math.min(16, shape.frames),
        {
          ...how,
          faults,
        },
      );
      assert.is(result, 0);
      const quiet = (body: () => void): void => {
        faults.set({});
        body();
        faults.set(rates);
      };
      const trial = new Trial(store, random, shape, quiet);
      faults.set(rates);
      // Few operations of some cases reach storage: more of them then, until one has failed.
      const enough = shape.operations / 2;
      for (let i = 0; i < enough || (trial.failed === 0 && i < 20 * enough); i++) {
        trial.step();
        if (i % 500 === 499) trial.check();
      }
      trial.check();
      assert.ok(trial.failed > 0, 'storage failed at times');
      faults.set({});
      assert.is(store.call('close'), 0);
      await end();
      remove();
    });
  }
}

tests.run();
