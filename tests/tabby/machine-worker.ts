// A second vCPU for tests/tabby/machine.test: takes part in remote calls and runs one function.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

export interface MachineJob {
  handle: MicroVMHandle;
  tlb: number;
  ready: SharedArrayBuffer;
  call: [name: string, ...args: (number | bigint)[]];
}

const { handle, tlb, ready, call } = workerData as MachineJob;
const vm = await MicroVM.attach(handle);
const { exports } = vm.enter();
exports['joinCalls']!(tlb);
Atomics.store(new Int32Array(ready), 0, 1);
const [name, ...args] = call;
const result = Number(exports[name]!(...args));
await vm.close();
parentPort!.postMessage(result);
