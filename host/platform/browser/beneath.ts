// What WASI needs from a browser: standard streams, which are the console, and clocks. Programs have no
// directories, because WASI opens files synchronously and a browser only asynchronously. For the VM's own
// system calls a directory is just a path, without links. Same interface as ../beneath.ts.

import { sleepUs } from './platform.ts';
import type { Directory, FileFacts } from '../file-facts.ts';

export const OPEN = {
  read: 0,
  write: 1,
  readWrite: 2,
  create: 0o100,
  exclusive: 0o200,
  truncate: 0o1000,
  append: 0o2000,
  directory: 0o200000,
  nonBlocking: 0o4000,
  dataSync: 0o10000,
  sync: 0o4010000,
} as const;

const STREAM: FileFacts = {
  kind: 'character',
  dev: 0n,
  ino: 0n,
  nlink: 1n,
  size: 0n,
  atimeNs: 0n,
  mtimeNs: 0n,
  ctimeNs: 0n,
};

const STANDARD_ERROR = 2;
const STREAMS = 3;

function refuse(code: string, what: string): never {
  throw Object.assign(new Error(`${code}: ${what}`), { code });
}

const noDirectory = (): never => refuse('ENOSYS', 'a browser has no directories for WASI');

function checkStream(descriptor: number): void {
  if (!(descriptor >= 0 && descriptor < STREAMS)) refuse('EBADF', `descriptor ${descriptor}`);
}

export function directoryOf(descriptor: number, path: string): Directory {
  return { descriptor, path };
}

export const openRoot = (path: string): Directory => directoryOf(-1, path);
export const enterDirectory = (parent: Directory, name: string): Directory =>
  directoryOf(-1, `${parent.path}/${name}`);
export function leaveDirectory(_directory: Directory): void {}

export const beneath = {
  open: (_directory: Directory, _name: string, _flags: number): number => noDirectory(),
  isLink: (_directory: Directory, _name: string): boolean => false,
  facts: (_directory: Directory, _name: string): FileFacts => noDirectory(),
  readLink: (_directory: Directory, _name: string): string => noDirectory(),
  makeDirectory: (_directory: Directory, _name: string): void => noDirectory(),
  removeDirectory: (_directory: Directory, _name: string): void => noDirectory(),
  unlink: (_directory: Directory, _name: string): void => noDirectory(),
  rename: (_from: Directory, _name: string, _to: Directory, _newName: string): void =>
    noDirectory(),
  link: (_from: Directory, _name: string, _to: Directory, _newName: string): void => noDirectory(),
  symlink: (_target: string, _directory: Directory, _name: string): void => noDirectory(),
  setTimes: (_directory: Directory, _name: string, _atimeS: number, _mtimeS: number): void =>
    noDirectory(),
  list: (_directory: Directory): string[] => noDirectory(),
} as const;

/** Text of each stream after its last line end. */
const lines = ['', '', ''];
const decoders: TextDecoder[] = [];

export const descriptors = {
  /** Standard input is always at its end. */
  read: (descriptor: number): number => {
    checkStream(descriptor);
    return 0;
  },
  /** Writes whole lines to the console. */
  write: (descriptor: number, source: Uint8Array, _position: number | null): number => {
    checkStream(descriptor);
    const decoder = (decoders[descriptor] ??= new TextDecoder());
    const text = lines[descriptor] + decoder.decode(source.slice(), { stream: true });
    const whole = text.split('\n');
    lines[descriptor] = whole.pop()!;
    const print = descriptor === STANDARD_ERROR ? console.error : console.log;
    for (const line of whole) print(line);
    return source.length;
  },
  close: checkStream,
  facts: (descriptor: number): FileFacts => {
    checkStream(descriptor);
    return STREAM;
  },
  truncate: (descriptor: number, _bytes: number): void => {
    checkStream(descriptor);
    refuse('EINVAL', 'truncate of a stream');
  },
  setTimes: checkStream as (descriptor: number, atimeS: number, mtimeS: number) => void,
  sync: checkStream,
  dataSync: checkStream,
  isTerminal: (_descriptor: number): boolean => true,
  reopen: (_descriptor: number, _flags: number): number => refuse('ENOTSUP', 'reopen'),
} as const;

export function isExistingDirectory(_path: string): boolean {
  return false;
}

/** Nanoseconds of Unix time, or since some start; a browser does not report processor time. */
export const clocks = {
  realtime: (): bigint =>
    BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
  monotonic: (): bigint => BigInt(Math.round(performance.now() * 1e6)),
  processTime: (): bigint => BigInt(Math.round(performance.now() * 1e6)),
} as const;

/** Blocks this thread. */
/** No stream of a page waits. */
export const withoutWaiting = (): undefined => undefined;
export const unblockInput = (): void => {};

export function sleepMs(ms: number): void {
  sleepUs(ms * 1000);
}
