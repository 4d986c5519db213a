// Threads of this process, and how others can tell that one has ended. Node and Deno.

import { readFileSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { Worker, parentPort, workerData } from 'node:worker_threads';
import { isGranted, mayReadProc } from './deno.ts';

/** A thread of this process that runs the module at `url`; messages are structured clones. */
export interface Thread {
  post(message: unknown): void;
  terminate(): Promise<unknown>;
  /** Whether the thread keeps the process alive. */
  hold(alive: boolean): void;
}

/** A new thread starts even while the thread that made it is blocked. */
export const startsThreadsAlone = true;

export function startThread(
  url: URL,
  data: unknown,
  onMessage: (message: unknown) => void,
  onEnd: (error: Error | undefined) => void,
): Thread {
  const worker = new Worker(url, { workerData: data });
  let failure: Error | undefined;
  worker.on('message', onMessage);
  worker.on('error', (error: Error) => (failure = error));
  worker.on('exit', () => onEnd(failure));
  worker.unref();
  let isEnding = false;
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      isEnding = true;
      return worker.terminate();
    },
    // The last message of a thread must not let the process exit while its end is awaited.
    hold: (alive) => {
      if (alive) worker.ref();
      else if (!isEnding) worker.unref();
    },
  };
}

/**
 * Niceness of background work: slightly less than a fair share of a busy core. The longer a saver waits, the
 * more pages are copied for it:
 * at 5 or 19, on a machine with other busy programs, a VM that was more than half full ran out of frames.
 */
const BACKGROUND_NICE = 2;

/** The other end, in the thread itself. */
export const thread = {
  data: (): unknown => workerData,
  post: (message: unknown): void => parentPort!.postMessage(message),
  onMessage: (receive: (message: unknown) => void): void => {
    parentPort!.on('message', receive);
  },
  /** Lowers the priority of this thread, for background work. */
  yieldPriority: (): void => {
    if (!isGranted({ name: 'sys', kind: 'setPriority' })) return;
    try {
      setPriority(0, BACKGROUND_NICE); // on Linux, of the calling thread only
    } catch {
      // not allowed: the priority stays
    }
  },
};

/**
 * Identifies this thread for other threads: its number in the system, and when it started, because numbers
 * are reused. 0 where the host does not say (not Linux, Deno without all permissions).
 */
export function thisThread(): { id: number; start: number } {
  return (own ??= identifyThread());
}

let own: { id: number; start: number } | undefined;

function identifyThread(): { id: number; start: number } {
  try {
    if (process.platform !== 'linux' || !mayReadProc) return { id: 0, start: 0 };
    const id = Number(basename(readlinkSync('/proc/thread-self')));
    return { id, start: threadStart(id) };
  } catch {
    return { id: 0, start: 0 };
  }
}

/**
 * Field 22 of /proc/.../stat, truncated to 32 bits; the name in field 2 may contain spaces and parentheses.
 */
function threadStart(id: number, process: number | 'self' = 'self'): number {
  const text = readFileSync(`/proc/${process}/task/${id}/stat`, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]) | 0;
}

/** Whether the thread that thisThread() identified, in this process or another, has certainly ended. */
export function hasThreadEnded(id: number, start: number, process?: number): boolean {
  try {
    return threadStart(id, process) !== start;
  } catch (error) {
    return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}
