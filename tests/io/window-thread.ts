// Narrows a DMA window: says that it begins, and then what came of it.

import { parentPort, workerData } from 'node:worker_threads';
import { DmaWindow } from '../../host/io/dma-window.ts';

const { frames, shared, start, end } = workerData as {
  frames: number;
  shared: SharedArrayBuffer;
  start: number;
  end: number;
};
const window = new DmaWindow(frames, shared);
parentPort!.postMessage('begins');
parentPort!.postMessage(window.set(start, end));
