// The second writer of bench/snapshot.ts: faults on its own pages when told to, and says how long each took.

import { parentPort, workerData } from 'node:worker_threads';
import { MicroVM, type MicroVMHandle } from '../host/index.ts';
import type { TouchExports } from './guests.ts';
import { faultLoop } from './snapshot-faults.ts';

const { handle, first, pages } = workerData as {
  handle: MicroVMHandle;
  first: number;
  pages: number;
};
const vm = await MicroVM.attach(handle);
const guest = vm.enter().exports as unknown as TouchExports;
parentPort!.on('message', (start: Int32Array) =>
  parentPort!.postMessage(faultLoop(guest, first, pages, start)),
);
parentPort!.postMessage('ready');
