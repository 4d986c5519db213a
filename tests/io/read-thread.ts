// Another vCPU reads one block and reports the result.

import { parentPort, workerData } from 'node:worker_threads';
import type { MicroVMHandle } from '../../host/index.ts';
import { joinRings } from './machine.ts';

const { handle, buffers, file } = workerData as {
  handle: MicroVMHandle;
  buffers: number;
  file: number;
};
const at = await joinRings(handle, buffers);
parentPort!.postMessage(at.read(file, 1));
