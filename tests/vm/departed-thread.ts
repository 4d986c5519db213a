// A thread that is a vCPU until it is terminated: it stores to its pages in a loop, spins in one call, or
// idles.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

export interface DepartedData {
  handle: MicroVMHandle;
  kind: 'stores' | 'spins' | 'rests' | 'ends';
  thread: number;
}

const { handle, kind, thread } = workerData as DepartedData;
const vm = await MicroVM.attach(handle);
const { exports } = vm.enter();
exports['put']!(thread * 4, 1);
parentPort!.postMessage('ready');
if (kind === 'spins') exports['spin']!();
for (let i = 0; kind === 'stores'; i++) exports['put']!(8192 + (i % 50) * 4096 + thread * 4, i);
if (kind === 'rests') setInterval(() => {}, 1000);
