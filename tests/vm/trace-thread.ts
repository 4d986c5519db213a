// A thread that attaches to a VM that is traced, makes system calls and leaves.

import { parentPort, workerData } from 'node:worker_threads';
import { SYS_CLOCK } from '../../assembly/abi/syscall.ts';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

export interface TraceJob {
  handle: MicroVMHandle;
  calls: number;
}

if (parentPort !== null) {
  const { handle, calls } = workerData as TraceJob;
  const vm = await MicroVM.attach(handle);
  const { number, exports } = vm.enter();
  for (let i = 0; i < calls; i++) exports['syscall']!(SYS_CLOCK, 512, 0, 0);
  await vm.close();
  parentPort.postMessage(number);
}
