// Files in the origin private file system (OPFS), through synchronous access handles: a read or write
// transfers directly between the file and shared memory, on the calling thread.
//
// Interface   prepareDirectory() opens a handle for each file in a directory; files.open() can open only
//             those afterwards, because a browser opens handles asynchronously. Paths are absolute; `/` is
//             the root of the file system.
// Invariants  OPFS-1  Handles are opened so that other threads may have theirs (`readwrite-unsafe`), like
//                     descriptors of a process; store-lock.ts decides who may write.
//             Errors have a `code` such as ENOSPC, like Node's.
// Concurrency Handles and descriptors belong to their thread.
// Cost        4 KiB read into shared memory: 3 us in an ordinary profile of Chromium, 400 us in a private
//             one.

import {
  OPEN_CREATE,
  OPEN_READ,
  OPEN_TRUNCATE,
  OPEN_WRITE,
} from '../../../assembly/abi/syscall.ts';
import { RingzeroError } from '../../errors.ts';

/** Parts of the interface that TypeScript's library does not have yet. */
interface Handle {
  read(target: Uint8Array, options: { at: number }): number;
  write(source: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface AccessHandles {
  createSyncAccessHandle(options: { mode: 'readwrite' | 'readwrite-unsafe' }): Promise<Handle>;
}

interface OpenFile {
  readonly handle: Handle;
  /** Number of times it was prepared and not released. */
  users: number;
}

interface Descriptor {
  readonly path: string;
  readonly handle: Handle;
  position: number;
}

const prepared = new Map<string, OpenFile>();
const descriptors: (Descriptor | undefined)[] = [];

/** Linux's name for a browser's error. */
const CODES = new Map([
  ['NotFoundError', 'ENOENT'],
  ['TypeMismatchError', 'EISDIR'],
  ['NoModificationAllowedError', 'EBUSY'],
  ['InvalidModificationError', 'ENOTEMPTY'],
  ['InvalidStateError', 'EBADF'],
  ['NotAllowedError', 'EACCES'],
  ['SecurityError', 'EACCES'],
  ['QuotaExceededError', 'ENOSPC'],
]);

/** An error with a `code`, from a browser's error. */
export function withCode(error: unknown, what: string): Error {
  if (error instanceof RingzeroError) return error;
  const { name, message } = error as Error;
  const code = CODES.get(name) ?? 'EIO';
  return Object.assign(new Error(`${code}: ${what}: ${message}`, { cause: error }), { code });
}

function failed(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

/** The directory at an absolute path. Fails with NotFoundError, unless it may be created with its parents. */
export async function directoryAt(
  path: string,
  create = false,
): Promise<FileSystemDirectoryHandle> {
  let directory = await navigator.storage.getDirectory();
  for (const name of path.split('/')) {
    if (name !== '') directory = await directory.getDirectoryHandle(name, { create });
  }
  return directory;
}

/** Folder and name of a path. */
export function split(path: string): [folder: string, name: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}

export async function openHandle(
  file: FileSystemFileHandle,
  mode: 'readwrite' | 'readwrite-unsafe',
): Promise<Handle> {
  const { createSyncAccessHandle } = file as unknown as AccessHandles;
  return createSyncAccessHandle.call(file, { mode });
}

/** Throws RZ_HOST where a worker cannot open files. */
export function checkHasFiles(): void {
  const hasFolder = typeof navigator.storage?.getDirectory === 'function';
  if (hasFolder && 'createSyncAccessHandle' in FileSystemFileHandle.prototype) return;
  throw new RingzeroError(
    'RZ_HOST',
    'no files: this browser has no origin private file system (OPFS) with synchronous access handles here. ' +
      'They are in dedicated workers of pages served over https or from localhost, in Chromium 102, Firefox 111, Safari 15.2 and later',
  );
}

/**
 * Prepares the files of a directory so that this thread can open them. Returns a function that releases them
 * and closes those that were opened. Files that are open exclusively elsewhere, such as locks, are skipped.
 */
export async function prepareDirectory(path: string | undefined): Promise<() => void> {
  if (path === undefined) return () => {};
  const mine: string[] = [];
  try {
    const directory = await directoryAt(path);
    for await (const [name, entry] of directory as unknown as AsyncIterable<
      [string, FileSystemHandle]
    >)
      if (entry.kind === 'file')
        await prepare(`${path}/${name}`, entry as FileSystemFileHandle, mine);
  } catch (error) {
    letGo(mine);
    throw withCode(error, `prepare ${path}`);
  }
  return () => letGo(mine.splice(0));
}

async function prepare(path: string, entry: FileSystemFileHandle, mine: string[]): Promise<void> {
  let file = prepared.get(path);
  if (file === undefined) {
    let handle: Handle;
    try {
      handle = await openHandle(entry, 'readwrite-unsafe');
    } catch (error) {
      if ((error as Error).name === 'NoModificationAllowedError') return;
      throw error;
    }
    file = { handle, users: 0 };
    prepared.set(path, file);
  }
  file.users += 1;
  mine.push(path);
}

function letGo(paths: readonly string[]): void {
  for (const path of paths) {
    const file = prepared.get(path)!;
    file.users -= 1;
    if (file.users > 0) continue;
    prepared.delete(path);
    file.handle.close();
  }
}

function at(descriptor: number): Descriptor {
  const open = descriptors[descriptor];
  if (open === undefined) throw failed('EBADF', `descriptor ${descriptor}`);
  return open;
}

function attempt<T>(what: string, { path }: Descriptor, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw withCode(error, `${what} ${path}`);
  }
}

/** A position of null is the file's current one. */
function move(
  how: 'read' | 'write',
  file: Descriptor,
  range: Uint8Array,
  position: number | null,
): number {
  const at = position ?? file.position;
  const done = attempt(how, file, () => file.handle[how](range, { at }));
  if (position === null) file.position += done;
  return done;
}

/** Files by absolute path; every function throws an error with a `code` such as ENOENT. */
export const files = {
  /** `flags`: OPEN_*. A browser cannot bypass its caches, so OPEN_DIRECT has no effect. */
  open(path: string, flags: number): number {
    const file = prepared.get(path);
    if (file === undefined) {
      const isNew = (flags & OPEN_CREATE) !== 0;
      throw failed(
        isNew ? 'ENOSYS' : 'ENOENT',
        `open ${path}: a browser can open only files that were in the directory when the VM was created`,
      );
    }
    const free = descriptors.indexOf(undefined);
    const descriptor = free >= 0 ? free : descriptors.length;
    const opened = { path, handle: file.handle, position: 0 };
    if ((flags & OPEN_TRUNCATE) !== 0) attempt('truncate', opened, () => file.handle.truncate(0));
    descriptors[descriptor] = opened;
    return descriptor;
  },
  close(descriptor: number): void {
    at(descriptor);
    descriptors[descriptor] = undefined;
  },
  /** The name under which another thread can adopt() the file, if it has prepared the directory. */
  nameOf: (descriptor: number): string | undefined => at(descriptor).path,
  /** This thread's descriptor for a file that another has open. */
  adopt: (name: string): number => files.open(name, OPEN_READ | OPEN_WRITE),
  read: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number | null,
  ): number => move('read', at(descriptor), memory.subarray(address, address + bytes), position),
  write: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number | null,
  ): number => move('write', at(descriptor), memory.subarray(address, address + bytes), position),
  sync(descriptor: number): void {
    const file = at(descriptor);
    attempt('flush', file, () => file.handle.flush());
  },
  size(descriptor: number): number {
    const file = at(descriptor);
    return attempt('size of', file, () => file.handle.getSize());
  },
  unlink(path: string): void {
    throw failed('ENOSYS', `unlink ${path}: a browser removes files asynchronously only`);
  },
  rename(from: string, to: string): void {
    throw failed('ENOSYS', `rename ${from} to ${to}: a browser renames files asynchronously only`);
  },
};

/** A browser cannot bypass its caches. */
export const hasDirectIO = false;

/** Throws RZ_HOST where a service cannot open the files of other threads. */
export function checkMayServe(): void {
  checkHasFiles();
  const { FileSystemSyncAccessHandle: handles } = globalThis as unknown as Record<
    string,
    { prototype: object }
  >;
  if (handles !== undefined && 'mode' in handles.prototype) return;
  throw new RingzeroError(
    'RZ_HOST',
    '`rings`: a file can be open in one worker only here, so no service can transfer for others. Chromium 121 and later can (`readwrite-unsafe`)',
  );
}

/** Called with the result of an operation, or its error. */
export type Done = (error: { code?: string | undefined } | null, result: number) => void;

let turn: MessageChannel | undefined;
const jobs: (() => void)[] = [];

/**
 * Handles are synchronous: operations run in the thread's next turn, together with others that were requested
 * until then.
 */
function later(done: Done, body: () => number): void {
  jobs.push(() => {
    let result: number;
    try {
      result = body();
    } catch (error) {
      done(error as { code?: string }, 0);
      return;
    }
    done(null, result);
  });
  if (jobs.length > 1) return;
  if (turn === undefined) {
    turn = new MessageChannel();
    turn.port1.onmessage = () => {
      for (const job of jobs.splice(0)) job();
    };
  }
  turn.port2.postMessage(0);
}

/** The same files for a service of rings. */
export const asyncFiles = {
  read: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number,
    done: Done,
  ): void => later(done, () => files.read(descriptor, memory, address, bytes, position)),
  write: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number,
    done: Done,
  ): void => later(done, () => files.write(descriptor, memory, address, bytes, position)),
  datasync: (descriptor: number, done: Done): void =>
    later(done, () => (files.sync(descriptor), 0)),
  truncate: (descriptor: number, size: number, done: Done): void =>
    later(done, () => {
      const file = at(descriptor);
      attempt('truncate', file, () => file.handle.truncate(size));
      return 0;
    }),
  size: (descriptor: number, done: Done): void => later(done, () => files.size(descriptor)),
};
