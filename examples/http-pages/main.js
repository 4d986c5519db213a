// Memory behind a URL: a page-fault handler in JavaScript fetches each page that the guest uses from an HTTP server, by a
// range request. The handler must return with the page, so a second thread fetches it while the handler waits.

import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { MicroVM } from 'ringzero';

const PAGE = 4096;
const EIO = 5;

const start = (file, data) => {
  const worker = new Worker(new URL(file, import.meta.url), { workerData: data });
  return new Promise((resolve) => worker.once('message', (value) => resolve({ worker, value })));
};

const server = await start('./server.js');
const shared = new SharedArrayBuffer(8 + PAGE); // word 0: 1 when the page has arrived; word 1: its length, or -1
const words = new Int32Array(shared, 0, 2);
const fetcher = await start('./fetcher.js', { shared, url: server.value });
let faults = 0;

function onPageFault(page) {
  faults++;
  fetcher.worker.postMessage(page);
  Atomics.wait(words, 0, 0);
  Atomics.store(words, 0, 0);
  const bytes = words[1];
  return bytes < 0 ? -EIO : new Uint8Array(shared, 8, bytes);
}

const vm = await MicroVM.create({
  guest: await readFile(new URL('./guest.wasm', import.meta.url)),
  linked: true,
  memory: 16 << 20,
  handlers: { onPageFault },
});
const { sum } = vm.enter().exports;
console.log(
  `bytes 100000 to 200000 add up to ${sum(100_000n, 200_000n)}: ${faults} pages came over HTTP`,
);
console.log(`the same again: ${sum(100_000n, 200_000n)}, still ${faults}`);
console.log(`where the server has nothing: ${sum(1n << 40n, (1n << 40n) + 1n)}`);
await vm.close();
await Promise.all([server.worker.terminate(), fetcher.worker.terminate()]);
