// Another vCPU appends and commits, beginning when all threads are ready; reports how many commits succeeded,
// or why one failed.

import { parentPort, workerData } from 'node:worker_threads';
import type { MicroVMHandle } from '../../host/index.ts';
import { joinLogGuest } from './log-machine.ts';

const { handle, here, threads, writer, times, bytes } = workerData as {
  handle: MicroVMHandle;
  /** Threads that are ready. */
  here: Int32Array;
  threads: number;
  writer: number;
  times: number;
  bytes: number;
};
const guest = await joinLogGuest(handle);
Atomics.add(here, 0, 1);
Atomics.notify(here, 0);
for (let seen = 0; seen < threads; seen = Atomics.load(here, 0)) Atomics.wait(here, 0, seen, 1000);
parentPort!.postMessage(guest.call('appendMany', writer, times, bytes));
