// Goal: what vCPUs see of one store that they read and write concurrently could also result from one after
// the other. Method: each key has one writer and numbers that only grow, values that reveal tearing, groups
// of keys that only batches change, and keys that never change, between those that do; with pools so small
// that everything is evicted all the time. At the end the structure is checked.
// Invariants: BATCH-1, DESC-1, DESC-2, MANY-1, OVER-1, OVER-2, OVER-3, SCAN-1, TREE-1.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ENOENT } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { runThread } from '../thread.ts';
import { openStore } from './store.ts';
import {
  GROUP,
  keyOf,
  numberOf,
  valueOf,
  type ThreadData,
  type ThreadResult,
} from './threads-worker.ts';

/** Raised for long runs. */
const SCALE = Number(process.env['RZ_HAMMER_SECONDS'] ?? 3) / 3;

interface Case {
  name: string;
  frames: number;
  keys: number;
  workers: number;
  operations: number;
  rings?: boolean;
  log?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'all in memory', frames: 4000, keys: 2000, workers: 3, operations: 6000 },
  { name: 'few keys, high contention', frames: 400, keys: 720, workers: 4, operations: 5000 },
  { name: 'a pool of 48 frames', frames: 48, keys: 2000, workers: 3, operations: 3000 },
  { name: 'rings', frames: 100, keys: 2000, workers: 3, operations: 1500, rings: true },
  { name: 'a log', frames: 300, keys: 2000, workers: 3, operations: 1500, log: true },
];

const tests = suite('store, many vCPUs');

for (const { name, frames, keys, workers, operations, rings, log = false } of CASES) {
  tests(name, async () => {
    const random = Random.forTest(`store, ${name}`);
    const opened = await openStore(frames, { rings: rings ?? false, log });
    let { store } = opened;
    assert.is(opened.result, 0);
    for (let i = 0; i < keys; i++) assert.is(store.put(keyOf(i, 'still'), valueOf(i)), 0);
    for (let i = 0; i < GROUP; i++) assert.is(store.put(keyOf(i * 97, 'group'), valueOf(0)), 0);
    const url = new URL('./threads-worker.js', import.meta.url);
    const results = (await Promise.all(
      Array.from({ length: workers }, (_, worker) => {
        const handle = store.vm.handle;
        const seed = random.bits();
        const count = Math.ceil(operations * SCALE);
        const data: ThreadData = { handle, seed, worker, workers, keys, operations: count, log };
        return runThread(url, data);
      }),
    )) as ThreadResult[];
    for (const { wrong } of results) assert.is(wrong, '');
    assert.is(store.call('verify'), 0);
    let { end } = opened;
    if (log) {
      await end(); // not closed: the log has what the threads synced
      ({ store, end } = await openStore(frames, { directory: opened.directory, log }));
      assert.is(store.call('verify'), 0, 'after its recovery');
    }
    for (const { last } of results) {
      for (const [i, number] of last) {
        const value = store.get(keyOf(i, 'own'));
        if (number < 0) assert.is(value, -ENOENT, `key ${i} was removed`);
        else assert.is(value instanceof Buffer ? numberOf(value) : value, number, `key ${i}`);
      }
    }
    for (let i = 0; i < keys; i++) assert.equal(store.get(keyOf(i, 'still')), valueOf(i));
    assert.is(store.call('close'), 0);
    await end();
    opened.remove();
  });
}

tests.run();
