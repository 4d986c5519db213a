// A thread that fetches the requested pages and reports when one has arrived.

import { parentPort, workerData } from 'node:worker_threads';

const PAGE = 4096;
const { shared, url } = workerData;
const words = new Int32Array(shared, 0, 2);
const bytes = new Uint8Array(shared, 8);

async function fetchPage(page) {
  const range = `bytes=${page * PAGE}-${page * PAGE + PAGE - 1}`;
  const response = await fetch(url, { headers: { range } });
  if (response.status !== 206) return -1;
  const content = new Uint8Array(await response.arrayBuffer());
  bytes.set(content);
  return content.length;
}

parentPort.on('message', async (page) => {
  words[1] = await fetchPage(page).catch(() => -1);
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
});
parentPort.postMessage('ready');
