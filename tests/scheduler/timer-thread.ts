// A thread that attaches to a VM, sets its vCPU's timer, computes until it has fired so often, and ends
// inside the guest or properly.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

export interface TimerJob {
  handle: MicroVMHandle;
  periodUs: number;
  wanted: number;
}

if (parentPort !== null) {
  const { handle, periodUs, wanted } = workerData as TimerJob;
  const vm = await MicroVM.attach(handle);
  const { exports } = vm.enter();
  const result = Number(exports['timer']!(periodUs, periodUs));
  const turns = exports['computeUntil']!(wanted, 20_000_000_000n)!;
  const ticks = Number(exports['tickCount']!());
  await vm.close();
  parentPort.postMessage({ result, isDone: turns > 0, ticks });
}
