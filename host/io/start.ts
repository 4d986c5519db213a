// Starts and stops a VM's I/O service, from the thread that creates the VM.

import { IO_DEAD, IO_STARTING } from '../../assembly/abi/ring.ts';
import { startsThreadsAlone, startThread } from '#platform';
import { RingMemory } from './ring.ts';
import type { ServiceThreadData } from './service-worker.ts';

/** What the thread posts once it serves. */
export const READY = 'ready';

export interface IoService {
  /** Resolves when it serves; entries wait until then. */
  readonly ready: Promise<void>;
  /** Waits for operations in flight; afterwards nothing is served. */
  stop(): Promise<void>;
}

export function startService(data: ServiceThreadData): IoService {
  const memory = new RingMemory(data.memory, data.frames);
  memory.state = IO_STARTING;
  let [started, stopped] = [(): void => {}, (): void => {}];
  const ready = new Promise<void>((resolve) => (started = resolve));
  const ended = new Promise<void>((resolve) => (stopped = resolve));
  const url = new URL('./service-worker.js', import.meta.url);
  const end = (): void => {
    memory.state = IO_DEAD;
    started();
    stopped();
  };
  const thread = startThread(url, data, (message) => (message === READY ? started() : end()), end);
  return {
    ready: startsThreadsAlone ? Promise.resolve() : ready,
    stop: async () => {
      thread.hold(true);
      thread.post('stop');
      await ended;
      await thread.terminate();
    },
  };
}
