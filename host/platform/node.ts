// What the rest of the host needs from Node or Deno: files, threads, clocks. Outside this folder and
// host/cli, no file imports `node:` modules. Where Deno differs: deno.ts.

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
  readSync,
  renameSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { availableParallelism, totalmem } from 'node:os';
import { randomFillSync } from 'node:crypto';
// Those of a test environment may be a browser's.
import { clearInterval, setImmediate, setInterval, setTimeout } from 'node:timers';
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
import { adopt, choice, forget, isGranted, nameOf, onThreadEnd, remember, unlink } from './deno.ts';

export { readBuiltModule, readPackageFile, requireAgain } from './built-module.ts';
export {
  hasThreadEnded,
  startsThreadsAlone,
  startThread,
  thisThread,
  thread,
  type Thread,
} from './threads.ts';

// Translated code marks its slow paths as unlikely. V8 11.3 (Node 20) reads those marks only with a flag;
// later versions always do. It also uses a cheaper register allocator for huge functions, and write checks
// can make a large function huge. Both flags must be set before the first module is compiled.
if (process.versions.v8.startsWith('11.3.')) {
  setFlagsFromString('--experimental-wasm-branch-hinting');
  setFlagsFromString('--no-turbo-use-mid-tier-regalloc-for-huge-functions');
}

/**
 * Whether the processor may reorder stores with stores, or loads with loads: all but x86. `RZ_WEAK_MEMORY=1`
 * makes it true anywhere, so that tests run the code for weak memory.
 */
export function isWeakMemory(): boolean {
  const isStrong = process.arch === 'x64' || process.arch === 'ia32';
  return !isStrong || choice('RZ_WEAK_MEMORY') === '1';
}

/** Warns the user of the program. */
export function warn(text: string): void {
  process.emitWarning(text, 'RingzeroWarning');
}

/** Monotonic time in microseconds, with the resolution the host gives. */
export function monotonicUs(): number {
  return performance.now() * 1000;
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the calling thread. */
export function sleepUs(us: number): void {
  Atomics.wait(neverNotified, 0, 0, us / 1000);
}

/** Calls back after `ms`, unless the process has ended by then. */
export function onceIdle(ms: number, then: () => void): void {
  setTimeout(then, ms).unref();
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
   * `flags`: OPEN_*. OPEN_DIRECT bypasses the page cache where the file system supports that.
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
  /** A name under which another thread can adopt() the file; undefined where it can use the descriptor. */
  nameOf,
  /** This thread's descriptor for a file that another has open. */
  adopt: (name: string): number => adopt(name, open),
  /** Number of bytes read to `address` of `memory`; a position of null is the file's current one. */
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

/** Whether the host's page cache can be bypassed. */
export const hasDirectIO = true;

/** Called with the result of an operation, or its error. */
export type Done = (error: { code?: string | undefined } | null, result: number) => void;

/** The same files, asynchronously. */
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

/** Calls back after `ms`, unless the returned function is called before. */
export function after(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}

/** Calls back when this turn of the event loop is over. */
export function atTurnEnd(then: () => void): void {
  setImmediate(then);
}

/** Calls back every `ms`, until the returned function is called. */
export function every(ms: number, then: () => void): () => void {
  const timer = setInterval(then, ms);
  return () => clearInterval(timer);
}

/** Calls back once, in this thread, when it ends normally or by an error. */
export function onEnd(then: () => void): void {
  onThreadEnd(then);
}

/** The same for a vCPU, which then frees its number. Returns a function that cancels it. */
export function leavesAtExit(then: () => void): () => void {
  process.setMaxListeners(0);
  return onThreadEnd(then);
}

/** In Node every thread may run a guest, open files and serve rings. */
export function checkMayEnter(): void {}
export function checkHasFiles(): void {}
export function checkMayServe(): void {}

/**
 * Prepares a directory so that guests can open its files synchronously. Returns a function that releases it.
 * Nothing to do here.
 */
export function prepareDirectory(_path: string | undefined): () => void {
  return () => {};
}

/** Whether `import(url)` can load this module. */
export function isModuleUrl(url: string): boolean {
  return url.startsWith('file:');
}

/** Makes the runtime's functions accept views of shared memory, in this thread. Node's do. */
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

/** Number of threads that can run in parallel. */
export function cores(): number {
  return availableParallelism();
}

const MEMORY_GUESS_BYTES = 2 ** 31;

/**
 * Bytes of memory that this process may use: the container's limit, else the machine's memory; a guess where
 * the host does not say.
 */
export function totalMemory(): number {
  if (!isGranted({ name: 'sys', kind: 'systemMemoryInfo' })) return MEMORY_GUESS_BYTES;
  const machine = totalmem();
  const limit = containerLimit();
  return limit > 0 && limit < machine ? limit : machine; // 0 and about 2^64 both mean no limit
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

/** Makes the engine collect all garbage of this thread; false where that cannot be done. */
export function collectGarbage(): boolean {
  try {
    if (collect === undefined) {
      setFlagsFromString('--expose-gc'); // applies to contexts created from now on: the next one
      collect = runInNewContext('gc') as Collect;
      setFlagsFromString('--no-expose-gc');
    }
    collect();
    return true;
  } catch {
    return false;
  }
}

/** Bytes of the JavaScript heap, which a collection scans. */
export function heapBytes(): number {
  return process.memoryUsage().heapUsed;
}

let residentAtLast = 0;

/** Bytes of memory that are resident; those of the last time when no descriptor is left to ask with. */
export function residentBytes(): number {
  try {
    residentAtLast = process.memoryUsage.rss();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
  return residentAtLast;
}

/** Compares the same range of two arrays: whether it has equal bytes. */
export function comparer(a: Uint8Array, b: Uint8Array): (start: number, end: number) => boolean {
  const one = Buffer.from(a.buffer, a.byteOffset, a.length);
  const other = Buffer.from(b.buffer, b.byteOffset, b.length);
  return (start, end) => one.compare(other, start, end, start, end) === 0;
}
