// The thread of the I/O service.

import { IO_DEAD } from '../../assembly/abi/ring.ts';
import { onEnd, prepareDirectory, thread } from '#platform';
import { HostFiles, type Backend } from './backend.ts';
import { DmaWindow } from './dma-window.ts';
import { Faults, FaultyBackend } from './faults.ts';
import { RingFiles } from './files.ts';
import { RingMemory } from './ring.ts';
import { Service } from './service.ts';
import { READY } from './start.ts';

export interface ServiceThreadData {
  memory: WebAssembly.Memory;
  frames: number;
  files: SharedArrayBuffer;
  dmaWindow: SharedArrayBuffer;
  faults: SharedArrayBuffer | undefined;
  /** The guest's directory. */
  preopen: string | undefined;
}

const data = (await thread.data()) as ServiceThreadData;
const memory = new RingMemory(data.memory, data.frames);
const files = new HostFiles(memory.bytes);
const backend: Backend =
  data.faults === undefined ? files : new FaultyBackend(files, new Faults({ shared: data.faults }));
const window = new DmaWindow(data.frames, data.dmaWindow);
const service = new Service(memory, new RingFiles(data.files), window, backend);
thread.onMessage(() => service.stop(() => thread.post('stopped')));
onEnd(() => (memory.state = IO_DEAD));
await prepareDirectory(data.preopen);
service.start();
thread.post(READY);
