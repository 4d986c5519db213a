// What the rest of the host needs from Node or Deno: files, threads, clocks. No other file of host/vm, host/syscalls or
// host/translator imports `node:` modules. Where Deno differs: deno.ts.

import {
  closeSync,
  constants,
  fdatasync,
  fstat,
  fstatSync,
  fsyncSync,
  ftruncate,
  openSync,
  read,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { Worker, parentPort, workerData } from 'node:worker_threads';
import { availableParallelism, setPriority, totalmem } from 'node:os';
import { randomFillSync } from 'node:crypto';
import { clearInterval, setImmediate, setInterval, setTimeout } from 'node:timers'; // a test environment's own may be a browser's
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  OPEN_CREATE,
  OPEN_DIRECT,
  OPEN_READ,
  OPEN_TRUNCATE,
  OPEN_WRITE,
} from '../../assembly/abi/syscall.ts';
import { RingzeroError } from '../errors.ts';
import {
  adopt,
  forget,
  isGranted,
  mayReadProc,
  nameOf,
  onThreadEnd,
  remember,
  unlink,
} from './deno.ts';

// Translated code marks its slow paths as unlikely. V8 11.3 (Node 20) reads those marks only when told to; later ones
// do so by themselves. And it saves time where it allocates registers of a huge function, which its write checks can
// make of one that is only large. Both have to be said before the first module is compiled.
if (process.versions.v8.startsWith('11.3.')) {
  setFlagsFromString('--experimental-wasm-branch-hinting');
  setFlagsFromString('--no-turbo-use-mid-tier-regalloc-for-huge-functions');
}

/** What the environment says to this project's tests; nothing where Deno may not look. */
function choice(variable: string): string | undefined {
  return isGranted({ name: 'env', variable }) ? process.env[variable] : undefined;
}

/**
 * Whether the processor may reorder stores with stores or loads with loads: only x86 surely does not.
 * `RZ_WEAK_MEMORY=1` says so of any, so that the code for others is run.
 */
export function isWeakMemory(): boolean {
  const isStrong = process.arch === 'x64' || process.arch === 'ia32';
  return !isStrong || choice('RZ_WEAK_MEMORY') === '1';
}

/** Says something to whoever runs the program. */
export function warn(text: string): void {
  process.emitWarning(text, 'RingzeroWarning');
}

/** Monotonic time in microseconds, with the resolution the host gives. */
export function monotonicUs(): number {
  return performance.now() * 1000;
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Stops the calling thread for so long. */
export function sleepUs(us: number): void {
  Atomics.wait(nobody, 0, 0, us / 1000);
}

/**
 * A module that the build made, by file name. `RZ_WASM=wasm-checked` takes the checked build of each.
 * Fails with RZ_HOST where a bundler has moved this code away from it.
 */
export function readBuiltModule(name: string): Uint8Array {
  const folder = choice('RZ_WASM') ?? 'wasm';
  const url = new URL(`../../${folder}/${name}`, import.meta.url);
  try {
    const bytes = readFileSync(url);
    const isModule = name.endsWith('.wasm'); // else packed, or about one
    if (!isModule || bytes.readUInt32LE() === WASM_MAGIC) return bytes;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw movedAway(name, url, cause);
  }
  throw movedAway(name, url, undefined);
}

const WASM_MAGIC = 0x6d736100;

function movedAway(name: string, url: URL, cause: unknown): RingzeroError {
  return new RingzeroError(
    'RZ_HOST',
    `${name} is not at ${url.pathname}: a bundler has moved ringzero's code away from its files. ` +
      'Keep the package external: `serverExternalPackages` in Next.js, `--external:ringzero` in esbuild, `external` in Rollup, ' +
      '`ssr.external` in Vite, `externals` in webpack (docs/bundlers.md)',
    { cause },
  );
}

/** Calls back after `ms`, unless the process has ended by then. */
export function onceIdle(ms: number, then: () => void): void {
  setTimeout(then, ms).unref();
}

/** A thread of this process that runs the module at `url`; messages are structured clones. */
export interface Thread {
  post(message: unknown): void;
  terminate(): Promise<unknown>;
  /** Whether the thread keeps the process alive. */
  hold(alive: boolean): void;
}

/** A thread starts while the one that has made it waits. */
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
    // What a thread says last must not let the process go while somebody waits for the thread's end.
    hold: (alive) => {
      if (alive) worker.ref();
      else if (!isEnding) worker.unref();
    },
  };
}

/**
 * Niceness of work that nobody waits for: a little less than its share of a busy core. The longer a saver waits, the
 * more pages are copied for it: with 5 or 19 beside other busy programs, a VM that was more than half full ran out of frames.
 */
const BACKGROUND_NICE = 2;

/** The other end, in the thread itself. */
export const thread = {
  data: (): unknown => workerData,
  post: (message: unknown): void => parentPort!.postMessage(message),
  onMessage: (receive: (message: unknown) => void): void => {
    parentPort!.on('message', receive);
  },
  /** Gives way to the other threads of the machine: for work that nobody waits for. */
  yieldPriority: (): void => {
    if (!isGranted({ name: 'sys', kind: 'setPriority' })) return;
    try {
      setPriority(0, BACKGROUND_NICE); // Linux: of the calling thread alone
    } catch {
      // a host that refuses keeps its priorities
    }
  },
};

/**
 * This thread, as others of the process can find it: what the system numbers it by, and when it began, as that number may be another's later.
 * 0 where the host does not say (not Linux, Deno without all permissions).
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

/** Field 22 of its stat, cut to 32 bits; the name in field 2 may hold spaces and parentheses. */
function threadStart(id: number, process: number | 'self' = 'self'): number {
  const text = readFileSync(`/proc/${process}/task/${id}/stat`, 'latin1');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]) | 0;
}

/** Whether a thread of this process, or of another, as its thisThread() has given it, has certainly ended. */
export function hasThreadEnded(id: number, start: number, process?: number): boolean {
  try {
    return threadStart(id, process) !== start;
  } catch (error) {
    return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

/** What open(2) gets for OPEN_* flags (assembly/abi/syscall.ts). */
function openFlags(flags: number): number {
  const reads = (flags & OPEN_READ) !== 0;
  const writes = (flags & OPEN_WRITE) !== 0;
  return (
    (writes ? (reads ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY) |
    ((flags & OPEN_CREATE) !== 0 ? constants.O_CREAT : 0) |
    ((flags & OPEN_TRUNCATE) !== 0 ? constants.O_TRUNC : 0)
  );
}

function open(path: string, flags: number, more = 0): number {
  const plain = openFlags(flags) | more;
  if ((flags & OPEN_DIRECT) === 0) return openSync(path, plain);
  try {
    return openSync(path, plain | constants.O_DIRECT);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return openSync(path, plain);
  }
}

/** Files by absolute path; every function throws the host's own error with a `code` such as ENOENT. */
export const files = {
  /**
   * `flags`: OPEN_*. OPEN_DIRECT goes past the page cache, or through it where the file system knows no other way.
   * Fails with ELOOP when the last component is a symbolic link.
   */
  open(path: string, flags: number): number {
    const descriptor = open(path, flags, constants.O_NOFOLLOW);
    remember(descriptor, path, flags & ~(OPEN_CREATE | OPEN_TRUNCATE));
    return descriptor;
  },
  close(descriptor: number): void {
    forget(descriptor);
    closeSync(descriptor);
  },
  /** By what another thread can have the file as well; undefined where the descriptor itself will do. */
  nameOf,
  /** This thread's descriptor for a file that another has open. */
  adopt: (name: string): number => adopt(name, open),
  /** Bytes that came to `address` of `memory`; a position of null is the file's own. */
  read: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number | null,
  ): number => readSync(descriptor, memory, address, bytes, position),
  write: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number | null,
  ): number => writeSync(descriptor, memory, address, bytes, position),
  sync: fsyncSync,
  size: (descriptor: number): number => fstatSync(descriptor).size,
  unlink,
  /** Renames within a directory and makes the new name durable. */
  rename: (from: string, to: string): void => {
    renameSync(from, to);
    const directory = openSync(dirname(to), 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  },
};

/** Whether there is a way past the host's page cache. */
export const hasDirectIO = true;

/** What the host did, or why not. */
export type Done = (error: { code?: string | undefined } | null, result: number) => void;

/** The same files without waiting: as many operations under way as one likes. */
export const asyncFiles = {
  read: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number,
    done: Done,
  ): void => read(descriptor, memory, address, bytes, position, done),
  write: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number,
    done: Done,
  ): void => write(descriptor, memory, address, bytes, position, done),
  datasync: (descriptor: number, done: Done): void =>
    fdatasync(descriptor, (error) => done(error, 0)),
  truncate: (descriptor: number, size: number, done: Done): void =>
    ftruncate(descriptor, size, (error) => done(error, 0)),
  size: (descriptor: number, done: Done): void =>
    fstat(descriptor, (error, stats) => done(error, error === null ? stats.size : 0)),
};

/** Calls back after `ms`. */
export function after(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}

/** Calls back when this turn of the event loop is over. */
export function atTurnEnd(then: () => void): void {
  setImmediate(then);
}

/** Calls back again and again until told to stop. */
export function every(ms: number, then: () => void): () => void {
  const timer = setInterval(then, ms);
  return () => clearInterval(timer);
}

/** Calls back once, in this thread, when it ends by itself or by an error. */
export function onEnd(then: () => void): void {
  onThreadEnd(then);
}

/** The same for a vCPU, which gives its place back then, unless the result is called before. */
export function leavesAtExit(then: () => void): () => void {
  process.setMaxListeners(0);
  return onThreadEnd(then);
}

/** Every thread of Node may run a guest, and everything that a VM needs is there. */
export function checkMayEnter(): void {}
export function checkHasFiles(): void {}
export function checkMayServe(): void {}

/** Makes ready what guests may open in a directory; the result lets go of it. Here there is nothing to do. */
export function prepareDirectory(_path: string | undefined): () => void {
  return () => {};
}

/** Whether `import(url)` can be asked for this module. */
export function isModuleUrl(url: string): boolean {
  return url.startsWith('file:');
}

/** Lets the runtime's own functions take views of shared memory, in this thread. Node's do. */
export function acceptSharedViews(): void {}

export function fillRandom(target: Uint8Array): void {
  randomFillSync(target);
}

export function absolutePath(path: string): string {
  return resolve(path.startsWith('file://') ? fileURLToPath(path) : path);
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Threads that can run at once. */
export function cores(): number {
  return availableParallelism();
}

const MEMORY_GUESS_BYTES = 2 ** 31;

/** Bytes of memory that this process may use: the container's limit, else what the machine has; a guess where the host does not say. */
export function totalMemory(): number {
  if (!isGranted({ name: 'sys', kind: 'systemMemoryInfo' })) return MEMORY_GUESS_BYTES;
  const machine = totalmem();
  const limit = containerLimit();
  return limit > 0 && limit < machine ? limit : machine; // 0 and about 2^64 both mean that there is none
}

function containerLimit(): number {
  try {
    return process.constrainedMemory?.() ?? 0;
  } catch {
    return 0;
  }
}

type Collect = () => void;
let collect: Collect | undefined;

/** Has the engine collect all garbage of this thread; false where it cannot be asked. */
export function collectGarbage(): boolean {
  try {
    if (collect === undefined) {
      setFlagsFromString('--expose-gc'); // seen by contexts made from here on, of which there is this one
      collect = runInNewContext('gc') as Collect;
      setFlagsFromString('--no-expose-gc');
    }
    collect();
    return true;
  } catch {
    return false;
  }
}

/** Bytes that collecting garbage has to look at; bytes of memory that the process has. */
export function heapBytes(): number {
  return process.memoryUsage().heapUsed;
}
export function residentBytes(): number {
  return process.memoryUsage.rss();
}
