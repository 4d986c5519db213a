// A thread that enters the VM and never leaves.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../../host/index.ts';

const vm = await MicroVM.attach(workerData as MicroVMHandle);
const vcpu = vm.enter();
parentPort!.postMessage(vcpu.number);
vcpu.exports['spin']!();
