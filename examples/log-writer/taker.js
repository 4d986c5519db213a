// A thread, and therefore a vCPU, that appends the orders of one customer.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM } from 'ringzero';

const REPORT = 50;
const { handle, customer, each } = workerData;
const vm = await MicroVM.attach(handle);
const { order } = vm.enter().exports;
for (let i = 1; i <= each; i++) {
  const result = order(BigInt(customer), BigInt(i));
  if (result < 0) throw new Error(`an order was not taken: ${result}`);
  if (i % REPORT === 0) parentPort.postMessage(REPORT);
}
await vm.close();
