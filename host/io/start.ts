// Starting and stopping a VM's I/O service, from the thread that makes the VM.

import { IO_DEAD, IO_STARTING } from '../../assembly/abi/ring.ts';
import { startsThreadsAlone, startThread } from '#platform';
import { RingMemory } from './ring.ts';
import type { ServiceThreadData } from './service-worker.ts';

/** What the thread posts when it serves. */
export const READY = 'ready';

export interface IoService {
  /** It serves, or will without this thread's doing: entries wait until then. */
  readonly ready: Promise<void>;
  /** What is under way ends first, and nothing is served afterwards. */
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
