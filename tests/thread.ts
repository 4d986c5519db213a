// Threads for tests: each is given a deadline and ended at the end, whatever it does.

import { Worker } from 'node:worker_threads';

const DEADLINE_MS = 120_000;

/** Runs `dist/tests/...` module `url` in a thread with `data`; resolves with the first message it posts. */
export function runThread(url: URL, data: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(url, { workerData: data });
    // a deadline
    const timer = setTimeout(
      () => finish(new Error(`${url.pathname}: no answer in time`)),
      DEADLINE_MS,
    );
    const finish = (error: Error | undefined, value?: unknown): void => {
      clearTimeout(timer);
      if (error === undefined) resolve(value);
      else reject(error);
      void worker.terminate(); // 'exit' may come before this returns
    };
    worker.on('message', (value) => finish(undefined, value));
    worker.on('error', (error) => finish(error));
    worker.on('exit', () =>
      finish(new Error(`${url.pathname}: the thread ended without an answer`)),
    );
  });
}
