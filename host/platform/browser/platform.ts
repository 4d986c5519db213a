// What the rest of the host needs from a browser: threads, clocks, modules of the build. Same interface as
// ../node.ts.
//
// Invariants  Loading this file has no effects, so a page that lacks a feature gets an error where it uses
//             it, not before.
// Concurrency A page's main thread may not wait, so it cannot enter a VM: checkMayEnter() refuses it.

import { RingzeroError } from '../../errors.ts';

export {
  asyncFiles,
  checkHasFiles,
  checkMayServe,
  files,
  hasDirectIO,
  prepareDirectory,
  type Done,
} from './files.ts';

const THREAD_NAME = 'ringzero';
const GIB = 2 ** 30;
/** What a browser does not report. */
const MEMORY_GUESS_BYTES = 2 * GIB;
const RANDOM_BYTES_MAX = 65536;

interface BrowserNavigator extends Navigator {
  readonly deviceMemory?: number;
  readonly userAgentData?: {
    getHighEntropyValues(hints: string[]): Promise<{ architecture?: string }>;
  };
}

const navigator = globalThis.navigator as BrowserNavigator;

/** How a page gets shared memory. */
const ISOLATION =
  'Serve the page, and every worker script, with the headers `Cross-Origin-Opener-Policy: same-origin` and ' +
  '`Cross-Origin-Embedder-Policy: require-corp`, over https or from localhost; `crossOriginIsolated` is then true. See docs/browser.md';

/** Throws where guests cannot run: RZ_HOST, or RZ_MAIN_THREAD. */
export function checkMayEnter(): void {
  if (globalThis.isSecureContext === false)
    throw new RingzeroError('RZ_HOST', `the page is not a secure context. ${ISOLATION}`);
  if (globalThis.crossOriginIsolated !== true)
    throw new RingzeroError(
      'RZ_HOST',
      `the page is not cross-origin isolated, so it has no shared memory. ${ISOLATION}`,
    );
  if (typeof SharedArrayBuffer !== 'function')
    throw new RingzeroError('RZ_HOST', 'this browser has no SharedArrayBuffer: use a newer one');
  if (typeof document !== 'undefined')
    throw new RingzeroError(
      'RZ_MAIN_THREAD',
      "a page's main thread may not wait, so it runs no guest: do this in a worker, and talk to it by messages",
    );
}

/**
 * Whether the processor may reorder stores with stores, or loads with loads; assumed where the browser does
 * not say.
 */
export async function isWeakMemory(): Promise<boolean> {
  try {
    const { architecture } = await navigator.userAgentData!.getHighEntropyValues(['architecture']);
    return architecture !== 'x86';
  } catch {
    return true;
  }
}

/** Warns the user of the page. */
export function warn(text: string): void {
  console.warn(text);
}

/** Monotonic time in microseconds, with the browser's resolution: 5 us. */
export function monotonicUs(): number {
  return performance.now() * 1000;
}

let nobody: Int32Array | undefined;

/** Blocks this thread. */
export function sleepUs(us: number): void {
  nobody ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(nobody, 0, 0, us / 1000);
}

/** A file that the build made, by name: next to this file. Bundlers recognise all but the last. */
export async function readBuiltModule(name: string): Promise<Uint8Array> {
  const base = import.meta.url;
  const url =
    name === 'libdbos.wasm'
      ? new URL('./libdbos.wasm', import.meta.url)
      : name === 'kv.wasm'
        ? new URL('./kv.wasm', import.meta.url)
        : name === 'states.wasm'
          ? new URL('./states.wasm', import.meta.url)
          : name === 'fs.wasm'
            ? new URL('./fs.wasm', import.meta.url)
            : new URL(name, base);
  const response = await fetch(url);
  if (!response.ok)
    throw new RingzeroError(
      'RZ_HOST',
      `${url.href} was not found (status ${response.status}): copy the whole folder dist/browser`,
    );
  return new Uint8Array(await response.arrayBuffer());
}

/** A file of another package. */
export async function readPackageFile(url: URL): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** Pages have no CommonJS modules. */
export function requireAgain(specifier: string): never {
  throw new RingzeroError('RZ_HOST', `a page cannot load the CommonJS module ${specifier}`);
}

/** Calls back after `ms`. */
export function onceIdle(ms: number, then: () => void): void {
  setTimeout(then, ms);
}

/** A thread that runs the module at `url`; messages are structured clones. */
export interface Thread {
  post(message: unknown): void;
  terminate(): Promise<unknown>;
  /** A page lives as long as it is open, whatever its threads do. */
  hold(alive: boolean): void;
}

/** A worker's worker starts only when its creator returns to its event loop. */
export const startsThreadsAlone = false;

export function startThread(
  url: URL,
  data: unknown,
  onMessage: (message: unknown) => void,
  onEnd: (error: Error | undefined) => void,
): Thread {
  const worker = new Worker(url, { type: 'module', name: THREAD_NAME });
  let hasEnded = false;
  const end = (error?: Error): void => {
    if (hasEnded) return;
    hasEnded = true;
    worker.terminate();
    onEnd(error);
  };
  worker.onmessage = ({ data: message }) => onMessage(message);
  worker.onerror = (event) => {
    event.preventDefault(); // reported to the thread's owner, not to the page
    end(new Error(event.message ?? `${url.href} did not load`));
  };
  worker.onmessageerror = () => end(new Error('a message could not be read'));
  worker.postMessage(data);
  return {
    post: (message) => worker.postMessage(message),
    terminate: async () => end(),
    hold: () => {},
  };
}

// In a thread that startThread() made, the first message is its data; later ones are queued until there is a
// listener.
let receive: ((message: unknown) => void) | undefined;
const early: unknown[] = [];
const isOwnThread =
  typeof document === 'undefined' && (globalThis as { name?: string }).name === THREAD_NAME;
const started = !isOwnThread
  ? Promise.resolve(undefined)
  : new Promise<unknown>((resolve) => {
      const first = ({ data }: MessageEvent): void => {
        resolve(data);
        globalThis.removeEventListener('message', first);
        globalThis.addEventListener('message', ({ data: message }) =>
          receive === undefined ? early.push(message) : receive(message),
        );
      };
      globalThis.addEventListener('message', first);
    });

/** The other end, in the thread itself. */
export const thread = {
  data: (): Promise<unknown> => started,
  post: (message: unknown): void => globalThis.postMessage(message),
  onMessage: (then: (message: unknown) => void): void => {
    receive = then;
    for (const message of early.splice(0)) then(message);
  },
  /** A browser has no priorities. */
  yieldPriority: (): void => {},
};

/** Calls back after `ms`. */
export function after(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}

const waiting: (() => void)[] = [];
let turns: MessageChannel | undefined;

/** Calls back at the end of this turn of the event loop. A timer would wait 4 ms. */
export function atTurnEnd(then: () => void): void {
  if (turns === undefined) {
    turns = new MessageChannel();
    turns.port1.onmessage = () => waiting.shift()!();
  }
  waiting.push(then);
  turns.port2.postMessage(undefined);
}

/** Calls back every `ms`, until the returned function is called. */
export function every(ms: number, then: () => void): () => void {
  const timer = setInterval(then, ms);
  return () => clearInterval(timer);
}

/** Calls back when an error ends this thread; a browser does not report other ends. */
export function onEnd(then: () => void): void {
  globalThis.addEventListener('error', then);
}

/** A worker is not told of its end. */
export function leavesAtExit(_then: () => void): () => void {
  return () => {};
}

/** A browser does not tell which of its workers still live. */
export function thisThread(): { id: number; start: number } {
  return { id: 0, start: 0 };
}

export function hasThreadEnded(_id: number, _start: number): boolean {
  return false;
}

/** Whether `import(url)` can load this module. */
export function isModuleUrl(url: string): boolean {
  return /^(https?|blob|data):/.test(url);
}

/**
 * Makes the runtime's functions accept views of shared memory, in this thread: glue passes them to text
 * decoders, encoders and random numbers, and a browser's functions refuse them. Calling it again has no
 * effect.
 */
export function acceptSharedViews(): void {
  if (acceptsShared) return;
  acceptsShared = true;
  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (view, options) {
    return decode.call(this, isShared(view) ? bytesOf(view).slice() : view, options);
  };
  const { encodeInto } = TextEncoder.prototype;
  TextEncoder.prototype.encodeInto = function (text, target) {
    if (!isShared(target)) return encodeInto.call(this, text, target);
    const copy = new Uint8Array(target.length);
    const done = encodeInto.call(this, text, copy);
    target.set(copy.subarray(0, done.written));
    return done;
  };
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = (target) => {
    if (!isShared(target)) return getRandomValues(target);
    fillRandom(bytesOf(target));
    return target;
  };
}

let acceptsShared = false;

function isShared(view: unknown): view is ArrayBufferView {
  return ArrayBuffer.isView(view) && view.buffer instanceof SharedArrayBuffer;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Accepts shared memory too, which the browser's function refuses. */
export function fillRandom(target: Uint8Array): void {
  const bytes = new Uint8Array(Math.min(RANDOM_BYTES_MAX, target.length));
  for (let done = 0; done < target.length; done += bytes.length) {
    crypto.getRandomValues(bytes);
    target.set(bytes.subarray(0, target.length - done), done);
  }
}

/** Path in the origin private file system: `/` is its root, where relative paths also begin. */
export function absolutePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Number of threads that can run in parallel. */
export function cores(): number {
  return navigator.hardwareConcurrency;
}

/** Bytes of memory that the machine has, as far as the browser reports: at most 8 GiB. */
export function totalMemory(): number {
  return navigator.deviceMemory === undefined ? MEMORY_GUESS_BYTES : navigator.deviceMemory * GIB;
}

/** A page can neither force a collection nor read its memory use. */
export function collectGarbage(): boolean {
  return false;
}
export function heapBytes(): number {
  return 0;
}
export function residentBytes(): number {
  return 0;
}

/** Compares the same range of two arrays, a multiple of 8 bytes: whether it has equal bytes. */
export function comparer(a: Uint8Array, b: Uint8Array): (start: number, end: number) => boolean {
  const wordsOf = ({ buffer, byteOffset, length }: Uint8Array): Int32Array =>
    new Int32Array(buffer, byteOffset, length >>> 2);
  const [one, other] = [wordsOf(a), wordsOf(b)];
  return (start, end) => {
    for (let i = start >>> 2; i < end >>> 2; i++) if (one[i] !== other[i]) return false;
    return true;
  };
}
