// The thread that runs the tasks of bench/preemption: one vCPU for analyses, one inside it for payments, one
// store.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, Scheduler } from '../host/index.ts';
import { openStore, type WorkerSetup } from './vcpus.ts';

const { handle, openFlags } = workerData as WorkerSetup;
const join = (vm: MicroVM, seed: number): void => {
  openStore(vm, openFlags);
  const { exports } = vm.enter();
  if (Number(exports['join']!()) < 0) throw new Error('cannot join the store');
  exports['seed']!(BigInt(seed));
};
const vm = await MicroVM.attach(handle);
join(vm, 1);
const scheduler = await Scheduler.create(vm, {
  functions: ['pay', 'analyse'],
  prepare: (context, level) => join(context, level + 1),
});
parentPort!.postMessage(scheduler.handle);
