// Four threads append orders to one log; each waits until its order is durable before the next.
//
//   node main.js [orders per thread]

import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { MicroVM } from 'ringzero';

const NAME = 1024;
const THREADS = 4;
const each = Number(process.argv[2] ?? 500);
const vm = await MicroVM.create({
  guest: await readFile(new URL('./guest.wasm', import.meta.url)),
  linked: true,
  memory: 16 << 20,
  preopen: '.',
  rings: true,
});
const { open, orders, total, flushes } = vm.enter().exports;
const bytes = new TextEncoder().encode('orders.log');
new Uint8Array(vm.memory.buffer).set(bytes, NAME);
const opened = open(bytes.length);
if (opened < 0) throw new Error(`cannot open orders.log: ${opened}`);
console.log(`the log has ${orders()} orders, they come to ${total()}`);

let taken = 0;
const threads = Array.from({ length: THREADS }, (_, customer) => {
  const workerData = { handle: vm.handle, customer, each };
  const worker = new Worker(new URL('./taker.js', import.meta.url), { workerData });
  worker.on('message', (durable) => console.log(`${(taken += durable)} orders more`));
  return new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
});
await Promise.all(threads);
console.log(`${taken} orders with ${flushes()} flushes`);
await vm.close();
