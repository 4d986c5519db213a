// The thread of one vCPU: attaches, then does the jobs that it is sent, until it is sent none.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM } from '../host/index.ts';
import { GO, READY, STOP, openStore, type Job, type JobResult, type WorkerSetup } from './vcpus.ts';

const { handle, openFlags } = workerData as WorkerSetup;
const vm = await MicroVM.attach(handle);
openStore(vm, openFlags);
const { exports } = vm.enter();

function once({ name, args }: Job): JobResult {
  const before = performance.now();
  const result = Number(exports[name]!(...args));
  return { result, calls: 1, ms: performance.now() - before };
}

function loop({ name, args }: Job, flags: Int32Array): JobResult {
  const call = exports[name]!;
  Atomics.add(flags, READY, 1);
  Atomics.wait(flags, GO, 0);
  const before = performance.now();
  let calls = 0;
  let result = 0;
  while (result >= 0 && Atomics.load(flags, STOP) === 0) {
    result = Number(call(...args));
    calls += 1;
  }
  return { result, calls, ms: performance.now() - before };
}

parentPort!.on('message', (job: Job | undefined) => {
  if (job === undefined) {
    void vm.close().then(() => parentPort!.close());
    return;
  }
  parentPort!.postMessage(job.flags === undefined ? once(job) : loop(job, job.flags));
});
parentPort!.postMessage('ready');
