// The evictor of bench/tabby-evict: faults on pages beyond the pool as fast as it can, while it is told to.

import { parentPort, workerData } from 'node:worker_threads';
import type { MicroVMHandle } from '../host/index.ts';
import { joinPool } from '../tests/tabby/pool.ts';

export interface EvictorData {
  handle: MicroVMHandle;
  first: number;
  count: number;
  /** Guest memory: nonzero stops churn(). */
  stopAt: number;
  /** Word 0: 1 = go, 2 = end; word 1: faults so far; word 2: rounds done. */
  flags: SharedArrayBuffer;
}

const { handle, first, count, stopAt, flags } = workerData as EvictorData;
const { vm, call } = await joinPool(handle);
const words = new Int32Array(flags);
parentPort!.postMessage('ready');
for (;;) {
  Atomics.wait(words, 0, 0);
  if (Atomics.load(words, 0) === 2) break;
  Atomics.add(words, 1, call('churn', BigInt(first), count, stopAt));
  Atomics.add(words, 2, 1);
  Atomics.notify(words, 2);
}
call('leavePool');
await vm.close();
parentPort!.postMessage('done');
