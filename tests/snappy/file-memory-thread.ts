// A vCPU that makes file memory larger without a pause, and notes by epoch how far it came.

import { parentPort, workerData } from 'node:worker_threads';
import { FILES_CHUNK_PAGES } from '../../assembly/abi/limits.ts';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import { VCPU_EPOCH } from '../../assembly/abi/vcpu-block.ts';
import { VM_FILES, VM_FILES_TOP } from '../../assembly/abi/vm-block.ts';
import { Kernel } from '../../host/vm/kernel.ts';

export interface GrowerData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  frames: number;
  /** First page of file memory at the end of each epoch, by its low bits; 0 = it did not grow there. */
  grown: Int32Array;
  /** 0 = not begun, 1 = it works, 2 = it is to end. */
  state: Int32Array;
}

function work({ module, memory, frames, grown, state }: GrowerData): void {
  const { calls, block } = new Kernel(module, memory, frames, () => -38);
  const words = new Int32Array(memory.buffer);
  const files = (vmBlock(frames) + VM_FILES) / 4;
  const epochOf = (): number => Atomics.load(words, (block + VCPU_EPOCH) / 4);
  calls.enter();
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
  for (let pages = 0; Atomics.load(state, 0) === 1; calls.safepoint()) {
    const epoch = epochOf();
    const note = epoch & (grown.length - 1);
    if (calls.growFiles(pages) !== 0) {
      pages += FILES_CHUNK_PAGES;
      Atomics.store(grown, note, Atomics.load(words, files));
      continue;
    }
    // It begins again, and goes on in the next epoch.
    pages = 0;
    Atomics.store(grown, note, 0);
    Atomics.store(words, files, Atomics.load(words, (vmBlock(frames) + VM_FILES_TOP) / 4));
    while (Atomics.load(state, 0) === 1 && epochOf() === epoch) calls.safepoint();
  }
  calls.leave();
  calls.detach();
}

work(workerData as GrowerData);
parentPort!.postMessage('ended');
