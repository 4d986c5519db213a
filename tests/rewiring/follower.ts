// A second vCPU for the rewiring tests: runs one function of the guest.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

export interface FollowerJob {
  handle: MicroVMHandle;
  call: [name: string, ...args: (number | bigint)[]];
}

const { handle, call } = workerData as FollowerJob;
const vm = await MicroVM.attach(handle);
const [name, ...args] = call;
const result = Number(vm.enter().exports[name]!(...args));
await vm.close();
parentPort!.postMessage(result);
