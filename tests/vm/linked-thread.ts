// A thread that attaches to a VM with a linked guest, stores a word and leaves.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

const vm = await MicroVM.attach(workerData as MicroVMHandle);
vm.enter().exports['put']!(16, 77);
await vm.close();
parentPort!.postMessage('done');
