// One writer of the hammer: attaches to the VM and moves amounts until its turns are over.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

const { handle, seed, words, turns, rounds, stop } = workerData as {
  handle: MicroVMHandle;
  seed: number;
  words: number;
  turns: number;
  rounds: number;
  stop: SharedArrayBuffer;
};

const vm = await MicroVM.attach(handle);
const { exports } = vm.enter();
const flag = new Int32Array(stop);
Atomics.add(flag, 1, 1);
Atomics.notify(flag, 1);
let done = 0;
while (done < rounds && Atomics.load(flag, 0) === 0) {
  exports['transfer']!((seed + done * 7919) | 1, words, turns);
  done += 1;
}
await vm.close();
parentPort!.postMessage(done);
