// Starting and stopping a VM's I/O service, from the thread that makes the VM.

import { IO_DEAD, IO_STARTING } from '../../assembly/abi/ring.ts';
import { startThread } from '#platform';
import { RingMemory } from './ring.ts';
import type { ServiceThreadData } from './service-worker.ts';

/**
 * Starts it; it serves as soon as its thread is there, and entries wait until then. The result stops it: what is under
 * way ends first, and nothing is served afterwards.
 */
export function startService(data: ServiceThreadData): () => Promise<void> {
  const memory = new RingMemory(data.memory, data.frames);
  memory.state = IO_STARTING;
  let stopped: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => (stopped = resolve));
  const url = new URL('./service-worker.js', import.meta.url);
  const end = (): void => {
    memory.state = IO_DEAD;
    stopped!();
  };
  const thread = startThread(url, data, end, end);
  return async () => {
    thread.hold(true);
    thread.post('stop');
    await ended;
    await thread.terminate();
  };
}
