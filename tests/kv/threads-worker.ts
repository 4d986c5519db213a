// One thread of tests/kv/threads.test.ts: changes its own keys, reads all threads' keys, and checks what it
// sees.

import { parentPort, workerData } from 'node:worker_threads';
import { ENOENT } from '../../assembly/abi/errno.ts';
import type { MicroVMHandle } from '../../host/index.ts';
import { Random } from '../random.ts';
import { joinStore, type Change } from './store.ts';

export interface ThreadData {
  handle: MicroVMHandle;
  seed: number;
  worker: number;
  workers: number;
  /** Keys that change; in addition, every fourth key number never changes. */
  keys: number;
  operations: number;
  /** The store has a log: syncs at times, and at the end. */
  log: boolean;
}

export interface ThreadResult {
  /** The first impossible observation; empty if there was none. */
  wrong: string;
  /** Last sequence number by key of this thread, -1 = removed. */
  last: [number, number][];
}

export const GROUP = 8;

/** Keys of changing entries, of the batch's group, and of entries that never change: they are interleaved. */
export function keyOf(i: number, kind: 'own' | 'group' | 'still'): Buffer {
  return Buffer.from(`${String(i).padStart(6, '0')}-${kind}`);
}

/** A value that reveals tearing: its number, then bytes derived from it. */
export function valueOf(number: number): Buffer {
  const value = Buffer.alloc(
    4 + ((number * 37) % 300) + (number % 50 === 0 ? 5000 : 0),
    number & 255,
  );
  value.writeUInt32LE(number);
  return value;
}

/** Number of a value, or -1 if it is torn. */
export function numberOf(value: Buffer): number {
  const number = value.readUInt32LE(0);
  return valueOf(number).equals(value) ? number : -1;
}

if (parentPort !== null) {
  const data = workerData as ThreadData;
  const random = new Random(data.seed);
  const store = await joinStore(data.handle, data.log);
  const last = new Map<number, number>();
  const seen = new Map<number, number>();
  let next = 1 + data.worker;
  let wrong = '';
  const fail = (text: string): void => {
    if (wrong === '') wrong = `thread ${data.worker}: ${text}`;
  };

  const mine = (): number => random.below(data.keys / data.workers) * data.workers + data.worker;

  const readOne = (): void => {
    const i = random.below(data.keys);
    const value = store.get(keyOf(i, 'own'));
    if (typeof value === 'number') {
      if (value !== -ENOENT) fail(`get: ${value}`);
      return;
    }
    const number = numberOf(value);
    if (number < 0) fail(`key ${i} is torn`);
    if (number < (seen.get(i) ?? 0)) fail(`key ${i} went back to ${number}`);
    seen.set(i, number);
  };

  const readGroup = (): void => {
    const keys = Array.from({ length: GROUP }, (_, i) => keyOf(i * 97, 'group'));
    const values = store
      .getMany(keys)
      .map((value) => (typeof value === 'number' ? value : numberOf(value)));
    if (new Set(values).size !== 1) fail(`half a batch: ${values.join()}`);
  };

  const readRange = (): void => {
    const from = random.below(data.keys);
    const reverse = random.below(2) === 0;
    const entries = store.scan({
      low: keyOf(from, 'own'),
      high: keyOf(from + 40, 'still'),
      reverse,
    });
    if (reverse) entries.reverse();
    let still = 0;
    for (const [i, [key]] of entries.entries()) {
      if (i > 0 && Buffer.compare(entries[i - 1]![0], key) >= 0) fail('a scan is out of order');
      if (key.toString().endsWith('still')) still += 1;
    }
    const expected = Math.min(data.keys - 1, from + 40) - from + 1;
    if (still !== expected)
      fail(`a scan from ${from} saw ${still} of ${expected} existing entries`);
  };

  const change = (): void => {
    const i = mine();
    if (random.below(3) === 0) {
      const result = store.del(keyOf(i, 'own'));
      if (result !== 0 && result !== -ENOENT) fail(`del: ${result}`);
      last.set(i, -1);
      return;
    }
    next += data.workers;
    const result = store.put(keyOf(i, 'own'), valueOf(next));
    if (result !== 0) fail(`put: ${result}`);
    last.set(i, next);
  };

  const changeGroup = (): void => {
    next += data.workers;
    const changes: Change[] = Array.from({ length: GROUP }, (_, i) => [
      keyOf(i * 97, 'group'),
      valueOf(next),
    ]);
    const result = store.batch(changes);
    if (result !== 0) fail(`batch: ${result}`);
  };

  const sync = (): void => {
    const result = store.call('sync');
    if (result !== 0) fail(`sync: ${result}`);
  };

  for (let i = 0; i < data.operations && wrong === ''; i++) {
    const choice = random.below(100);
    if (choice < 50) change();
    else if (choice < 80) readOne();
    else if (choice < 85) changeGroup();
    else if (choice < 93) readGroup();
    else readRange();
    if (data.log && random.below(20) === 0) sync();
  }
  if (data.log) sync();
  await store.vm.close();
  parentPort.postMessage({ wrong, last: [...last] } satisfies ThreadResult);
}
