// One thread of bench/level.ts: random look-ups in a store that another thread has open.

import { parentPort, workerData } from 'node:worker_threads';
import { RingzeroLevel, type RingzeroHandle } from '../host/level/index.ts';

interface ReaderData {
  handle: RingzeroHandle;
  keys: number;
  gets: number;
  seed: number;
  /** Word 0: go; word 1: threads that are ready. */
  start: Int32Array;
}

const { handle, keys, gets, seed, start } = workerData as ReaderData;
const db = RingzeroLevel.attach(handle);
await db.open();
const target = new Uint8Array(4096);
let state = seed + 1;
const names = Array.from({ length: 100_000 }, () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return `key${String(Math.floor((state / 2 ** 32) * keys)).padStart(13, '0')}`;
});
for (const name of names.slice(0, 20_000)) db.getInto(name, target);
Atomics.add(start, 1, 1);
Atomics.wait(start, 0, 0);
const begin = performance.now();
for (let i = 0; i < gets; i++) db.getInto(names[i % names.length]!, target);
const time = (performance.now() - begin) / 1000;
await db.close();
parentPort!.postMessage(time);
