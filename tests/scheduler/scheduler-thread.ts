// The thread whose vCPU runs tasks, for tests: attaches, says how to submit to it, and ends when told to.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, Scheduler, type MicroVMHandle } from '../../host/index.ts';

const { handle, levels } = workerData as { handle: MicroVMHandle; levels: number };
const vm = await MicroVM.attach(handle);
const scheduler = await Scheduler.create(vm, {
  functions: ['work', 'workAlone', 'fail', 'hang', 'deepest'],
  levels,
});
parentPort!.once('message', async () => {
  await scheduler.close();
  await vm.close();
  parentPort!.postMessage('ended');
});
parentPort!.postMessage(scheduler.handle);
