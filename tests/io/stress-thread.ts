import { parentPort, workerData } from 'node:worker_threads';
import type { MicroVMHandle } from '../../host/index.ts';
import { joinRings } from './machine.ts';
import { runStress, type Stress } from './stress.ts';

const { handle, buffers, stress } = workerData as {
  handle: MicroVMHandle;
  buffers: number;
  stress: Stress;
};
const at = await joinRings(handle, buffers);
parentPort!.postMessage(runStress(at, stress));
