// Files beneath a directory, for a sandbox: every operation names one component of an open directory, and the
// host never follows a symbolic link there. The walk of a path (host/syscalls/walk.ts) decides about links
// and `..`.
//
// Invariants  A directory is held by descriptor and named /proc/self/fd/N, so that another process cannot
//             redirect an operation by renaming it or replacing it with a link. Where the host cannot do that
//             (not Linux, or Deno without all permissions) it is held by path: links are still refused, but
//             there is a window between the test and the use.

import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import { isatty } from 'node:tty';
import { isMainThread } from 'node:worker_threads';
import { isDeno, mayReadProc, unlink } from './deno.ts';
import type { Directory, FileFacts, FileKind } from './file-facts.ts';
import { bytesOf, isEscaped, nameOf } from './file-name.ts';

const DESCRIPTORS = '/proc/self/fd';
const byDescriptor = process.platform === 'linux' && mayReadProc && existsSync(DESCRIPTORS);
const O_PATH = 0o10000000; // Linux: refers to a directory without reading it

export const OPEN = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY,
  readWrite: constants.O_RDWR,
  create: constants.O_CREAT,
  exclusive: constants.O_EXCL,
  truncate: constants.O_TRUNC,
  append: constants.O_APPEND,
  directory: constants.O_DIRECTORY,
  nonBlocking: constants.O_NONBLOCK,
  dataSync: constants.O_DSYNC,
  sync: constants.O_SYNC,
} as const;

function factsOf(stats: BigIntStats): FileFacts {
  const { dev, ino, nlink, size, atimeNs, mtimeNs, ctimeNs } = stats;
  return { kind: kindOf(stats), dev, ino, nlink, size, atimeNs, mtimeNs, ctimeNs };
}

function kindOf(stats: BigIntStats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isCharacterDevice()) return 'character';
  if (stats.isBlockDevice()) return 'block';
  return stats.isSocket() ? 'socket' : 'unknown';
}

/** The directory as an open descriptor; `path` serves where a descriptor cannot be named. */
export function directoryOf(descriptor: number, path: string): Directory {
  return { descriptor, path: byDescriptor ? `${DESCRIPTORS}/${descriptor}` : path };
}

/** Opens a directory of the host by its path; links are followed. */
export function openRoot(path: string): Directory {
  const real = realpathSync(path);
  return directoryOf(openSync(real, OPEN.read | OPEN.directory), real);
}

/** A subdirectory. Fails with ENOTDIR for anything else, including a link to one. */
export function enterDirectory(parent: Directory, name: string): Directory {
  const path = at(parent, name);
  if (byDescriptor) {
    const flags = O_PATH | OPEN.directory | constants.O_NOFOLLOW;
    return directoryOf(openSync(path, flags), `${parent.path}/${name}`);
  }
  if (!lstatSync(path).isDirectory()) throw Object.assign(new Error(name), { code: 'ENOTDIR' });
  return { path: `${parent.path}/${name}`, descriptor: -1 };
}

export function leaveDirectory(directory: Directory): void {
  if (directory.descriptor >= 0) closeSync(directory.descriptor);
}

/** The path of a component, for the host: bytes where the name is not UTF-8 (file-name.ts). */
function at(directory: Directory, name: string): string | Buffer {
  const path = `${directory.path}/${name}`;
  return isEscaped(name) ? Buffer.from(bytesOf(path)) : path;
}

const REPLACED = '\ufffd';

/**
 * Names in a directory. Node decodes names that are not UTF-8 with a replacement character; their bytes are
 * then read again.
 */
function list({ path }: Directory): string[] {
  const names = readdirSync(path);
  if (isDeno || !names.some((name) => name.includes(REPLACED))) return names;
  return readdirSync(path, { encoding: 'buffer' }).map(nameOf);
}

function readLink(path: string | Buffer): string {
  const target = readlinkSync(path);
  if (isDeno || !target.includes(REPLACED)) return target;
  return nameOf(readlinkSync(path, { encoding: 'buffer' }));
}

/** Operations on one component of a directory; each throws the host's error with a `code`. */
export const beneath = {
  /** Fails with ELOOP when it is a link. */
  open: (directory: Directory, name: string, flags: number): number =>
    openSync(at(directory, name), flags | constants.O_NOFOLLOW, 0o666),
  isLink: (directory: Directory, name: string): boolean =>
    lstatSync(at(directory, name), { throwIfNoEntry: false })?.isSymbolicLink() === true,
  facts: (directory: Directory, name: string): FileFacts =>
    factsOf(lstatSync(at(directory, name), { bigint: true })),
  readLink: (directory: Directory, name: string): string => readLink(at(directory, name)),
  makeDirectory: (directory: Directory, name: string): void => mkdirSync(at(directory, name)),
  removeDirectory: (directory: Directory, name: string): void => rmdirSync(at(directory, name)),
  // Accepts bytes too.
  unlink: (directory: Directory, name: string): void => unlink(at(directory, name) as string),
  rename: (from: Directory, name: string, to: Directory, newName: string): void =>
    renameSync(at(from, name), at(to, newName)),
  link: (from: Directory, name: string, to: Directory, newName: string): void =>
    linkSync(at(from, name), at(to, newName)),
  symlink: (target: string, directory: Directory, name: string): void =>
    symlinkSync(isEscaped(target) ? Buffer.from(bytesOf(target)) : target, at(directory, name)),
  setTimes: (directory: Directory, name: string, atimeS: number, mtimeS: number): void =>
    lutimesSync(at(directory, name), atimeS, mtimeS),
  list,
} as const;

/** Operations on a descriptor; a position of null is the host's current one. */
export const descriptors = {
  read: (
    descriptor: number,
    memory: Uint8Array,
    address: number,
    bytes: number,
    position: number | null,
  ): number => readSync(descriptor, memory, address, bytes, position),
  write: (descriptor: number, source: Uint8Array, position: number | null): number =>
    writeSync(descriptor, source, 0, source.length, position),
  close: closeSync,
  facts: (descriptor: number): FileFacts => factsOf(fstatSync(descriptor, { bigint: true })),
  truncate: (descriptor: number, bytes: number): void => ftruncateSync(descriptor, bytes),
  setTimes: (descriptor: number, atimeS: number, mtimeS: number): void =>
    futimesSync(descriptor, atimeS, mtimeS),
  sync: fsyncSync,
  dataSync: fdatasyncSync,
  isTerminal: (descriptor: number): boolean => isatty(descriptor),
  /** Opens the same file again with other flags. Fails where the host cannot do that (not Linux, sockets). */
  reopen: (descriptor: number, flags: number): number => {
    if (!byDescriptor) throw Object.assign(new Error('reopen'), { code: 'ENOTSUP' });
    return openSync(`${DESCRIPTORS}/${descriptor}`, flags);
  },
} as const;

/**
 * The same pipe or terminal through a non-blocking descriptor, for a thread that may be terminated: a thread
 * that waits in the system cannot be. Undefined where waiting is harmless or unavoidable: files, sockets, the
 * main thread.
 */
export function withoutWaiting(descriptor: number, flags: number): number | undefined {
  if (isMainThread || !byDescriptor) return undefined;
  try {
    if (!fstatSync(descriptor).isFIFO() && !isatty(descriptor)) return undefined;
    return openSync(`${DESCRIPTORS}/${descriptor}`, flags | OPEN.nonBlocking);
  } catch {
    return undefined;
  }
}

/** Makes a socket as standard input non-blocking in every thread, as Node does when it first looks at it. */
export function unblockInput(): void {
  if (!isMainThread || isDeno) return;
  try {
    if (fstatSync(0).isSocket()) void process.stdin;
  } catch {
    // closed
  }
}

export function isExistingDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Nanoseconds of Unix time, since some start, or of processor time of the process. */
export const clocks = {
  realtime: (): bigint =>
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
  monotonic: (): bigint => process.hrtime.bigint(),
  processTime: (): bigint => {
    const { user, system } = process.cpuUsage();
    return BigInt(user + system) * 1000n;
  },
} as const;

const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread; not possible on a browser's main thread. */
export function sleepMs(ms: number): void {
  Atomics.wait(never, 0, 0, ms);
}
