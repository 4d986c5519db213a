// Crashes of durable stores: the states that a crash may leave, and what a crashed directory opens as.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ENOENT } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { Model, plain, word, type Shape } from './model.ts';
import { openStore, type Change, type Store } from './store.ts';

export const FRAMES = 512;
export const CRASHES = 60;
/** Changes between syncs. */
export const GROUP = 10;

export const directoryOf = (): string => mkdtempSync(join(tmpdir(), 'ringzero-durable-'));

/** The model's states that a crash may leave. */
export class History {
  readonly model = new Model();
  #synced = new Model();
  #since: Change[][] = [];

  /** The change is in progress: it may have happened or not. */
  begin(changes: readonly Change[]): void {
    this.#since.push([...changes]);
  }

  done(): void {
    for (const [key, value] of this.#since.at(-1)!) this.model.set(key, value);
  }

  synced(): void {
    for (const changes of this.#since)
      for (const [key, value] of changes) this.#synced.set(key, value);
    this.#since = [];
  }

  /** Contents after each change since the last sync, in order. */
  states(): string[] {
    const model = new Model();
    for (const [key, value] of this.#synced.map) model.map.set(key, value);
    const states = [plain(model.range({})).join()];
    for (const changes of this.#since) {
      for (const [key, value] of changes) model.set(key, value);
      states.push(plain(model.range({})).join());
    }
    return states;
  }
}

export function step(random: Random, shape: Shape, store: Store, history: History): void {
  const choice = random.below(100);
  const one = (change: Change, body: () => number): void => {
    history.begin([change]);
    const result = body();
    assert.ok(result === 0 || result === -ENOENT, String(result));
    history.done();
  };
  if (choice < 60) {
    const [key, value] = [shape.key(random), shape.value(random)];
    one([key, value], () => store.put(key, value));
  } else if (choice < 75) {
    const key = shape.key(random);
    one([key, undefined], () => store.del(key));
  } else if (choice < 90) {
    const changes: Change[] = Array.from({ length: random.below(12) }, () => [
      shape.key(random),
      random.below(3) === 0 ? undefined : shape.value(random),
    ]);
    history.begin(changes);
    assert.is(store.batch(changes), 0);
    history.done();
  } else if (choice < 92) {
    const [low, high] = [shape.key(random), shape.key(random)];
    for (const [key] of history.model.range({ low, high })) {
      history.begin([[key, undefined]]);
      history.done();
    }
    assert.ok(store.clear({ low, high, highOpen: false }) >= 0);
  } else if (choice < 98) {
    assert.is(store.call('sync'), 0);
    history.synced();
  } else assert.is(store.call('flush'), 0, 'a checkpoint');
}

export interface Crash {
  directory: string;
  states: string[];
}

/** Opens what a crash left: it must be one of the states, and intact. */
export async function check(
  { directory, states }: Crash,
  hasLog: boolean,
  opened = () => {},
): Promise<number> {
  const { store, result, end } = await openStore(FRAMES, { directory, log: hasLog });
  assert.is(result, 0, `${directory} opens`);
  opened();
  assert.is(store.call('verify'), 0, directory);
  const found = states.indexOf(plain(store.all({})).join());
  assert.ok(found >= 0, `${directory} matches one of ${states.length} changes`);
  assert.is(store.put(word(1), word(2)), 0);
  assert.is(store.call('close'), 0);
  await end();
  return found;
}

/** A store with a log of `count` synced puts and one that is not synced, as a killed process leaves it. */
export async function leave(count: number): Promise<{ directory: string; remove: () => void }> {
  const { store, end, directory, remove } = await openStore(FRAMES, { log: true });
  for (let i = 0; i < count; i++) {
    assert.is(store.put(word(i), Buffer.alloc(100, i)), 0);
    if (i % GROUP === GROUP - 1) assert.is(store.call('sync'), 0);
  }
  assert.is(store.put(word(count), Buffer.alloc(100)), 0);
  await end();
  return { directory, remove };
}

export const PAGE = 4096;
