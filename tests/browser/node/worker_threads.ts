// For test files that run in a browser: node:worker_threads on a browser's workers.

const NAME = 'test thread';
const isThread = (globalThis as { name?: string }).name === NAME;

type Listener = (value: never) => void;

export class Worker {
  readonly #worker: globalThis.Worker;
  readonly #listeners: Record<string, Listener[]> = {};
  #hasEnded = false;

  constructor(url: URL, { workerData: data }: { workerData: unknown }) {
    this.#worker = new globalThis.Worker(url, { type: 'module', name: NAME });
    this.#worker.onmessage = ({ data: message }) => this.#emit('message', message);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#emit('error', new Error(event.message));
      this.#end();
    };
    this.#worker.postMessage(data);
  }

  #emit(name: string, value: unknown): void {
    for (const listener of this.#listeners[name] ?? []) listener(value as never);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#worker.terminate();
    this.#emit('exit', 1);
  }

  on(name: string, listener: Listener): this {
    (this.#listeners[name] ??= []).push(listener);
    return this;
  }
  once(name: string, listener: Listener): this {
    return this.on(name, listener);
  }
  postMessage(message: unknown): void {
    this.#worker.postMessage(message);
  }
  async terminate(): Promise<number> {
    this.#worker.terminate();
    await Promise.resolve();
    this.#end();
    return 1;
  }
}

/** The first message is the thread's data. */
export const workerData: unknown = isThread
  ? await new Promise((resolve) => {
      globalThis.addEventListener('message', ({ data }: MessageEvent) => resolve(data), {
        once: true,
      });
    })
  : undefined;

export const parentPort = {
  postMessage: (message: unknown): void => globalThis.postMessage(message),
  on: (_name: 'message', listener: (message: unknown) => void): void =>
    globalThis.addEventListener('message', ({ data }: MessageEvent) => listener(data)),
  once: (_name: 'message', listener: (message: unknown) => void): void =>
    globalThis.addEventListener('message', ({ data }: MessageEvent) => listener(data), {
      once: true,
    }),
};
