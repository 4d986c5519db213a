// One vCPU of the hammer: joins the pool and works on it until it is stopped.

import { parentPort, workerData } from 'node:worker_threads';
import type { MicroVMHandle } from '../../host/index.ts';
import { joinPool } from './pool.ts';

export interface HammerData {
  handle: MicroVMHandle;
  seed: number;
  pages: number;
  mode: number;
  /** Word 0: stop; word 1: workers that are ready. */
  flags: SharedArrayBuffer;
}

export interface HammerResult {
  result: number;
  operations: number;
  starved: number;
  failed: number;
  validated: number;
  refuted: number;
}

const TURNS = 500;

const { handle, seed, pages, mode, flags } = workerData as HammerData;
const { vm, call } = await joinPool(handle);
const words = new Int32Array(flags);
Atomics.add(words, 1, 1);
Atomics.notify(words, 1);
let operations = 0;
let result = 0;
while (result === 0 && Atomics.load(words, 0) === 0) {
  result = call('run', vm.enter().number, BigInt(seed + operations), TURNS, pages, mode);
  operations += TURNS;
}
const message: HammerResult = {
  result,
  operations,
  starved: call('starved'),
  failed: call('failed'),
  validated: call('validated'),
  refuted: call('refuted'),
};
call('leavePool');
await vm.close();
parentPort!.postMessage(message);
