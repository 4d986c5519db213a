// Another vCPU appends and commits; says how many commits succeeded, or why one did not.

import { parentPort, workerData } from 'node:worker_threads';
import type { MicroVMHandle } from '../../host/index.ts';
import { joinLogGuest } from './log-machine.ts';

const { handle, writer, times, bytes } = workerData as {
  handle: MicroVMHandle;
  writer: number;
  times: number;
  bytes: number;
};
const guest = await joinLogGuest(handle);
parentPort!.postMessage(guest.call('appendMany', writer, times, bytes));
