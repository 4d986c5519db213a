// Narrows a DMA window: reports that it begins, and then the result.

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
