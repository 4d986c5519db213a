// WASI: calls on an open descriptor (fd_*).

import { OPEN } from '#platform/beneath';
import { kindOf } from '../files/file-system.ts';
import type { FileFacts } from '../platform/file-facts.ts';
import { bytesOf } from '../platform/file-name.ts';
import {
  ADVICE_LAST,
  DIRENT_BYTES,
  errno,
  FDFLAG,
  FDSTAT_BYTES,
  FILETYPE,
  FILESTAT_BYTES,
  PRESTAT_BYTES,
  RIGHT,
  TIME,
  WasiError,
  WHENCE,
} from './abi.ts';
import type { Calls } from './calls.ts';
import { asDirectory, fileType, isSeekable, type Descriptor } from './descriptors.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { MemoryFiles } from './memory-files.ts';
import { read, readFiles, write, writeFiles } from './transfer.ts';

const COOKIE_MAX = 0xffffffff;
const POSITION_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** A position or length as a number. Fails with EINVAL for one beyond any file. */
function safe(value: bigint): number {
  const number = Number(value);
  if (number < 0 || number > Number.MAX_SAFE_INTEGER) throw new WasiError('INVAL');
  return number;
}

export function putFacts(memory: GuestMemory, address: number, facts: FileFacts): void {
  const view = new DataView(new ArrayBuffer(FILESTAT_BYTES));
  view.setBigUint64(0, facts.dev, true);
  view.setBigUint64(8, facts.ino, true);
  view.setUint8(16, fileType(facts.kind));
  view.setBigUint64(24, facts.nlink, true);
  view.setBigUint64(32, facts.size, true);
  view.setBigUint64(40, BigInt.asUintN(64, facts.atimeNs), true);
  view.setBigUint64(48, BigInt.asUintN(64, facts.mtimeNs), true);
  view.setBigUint64(56, BigInt.asUintN(64, facts.ctimeNs), true);
  memory.put(address, new Uint8Array(view.buffer));
}

/** The two times to set, in seconds, for flags of TIME; a time that is not to change keeps its value. */
export function timesToSet(
  flags: number,
  atime: bigint,
  mtime: bigint,
  facts: () => FileFacts,
): [atimeS: number, mtimeS: number] {
  const both = (value: number, now: number): boolean => (flags & (value | now)) === (value | now);
  if (both(TIME.ATIM, TIME.ATIM_NOW) || both(TIME.MTIM, TIME.MTIM_NOW) || flags > 15)
    throw new WasiError('INVAL');
  const old = facts();
  const seconds = (ns: bigint): number => Number(ns) / 1e9;
  const choose = (set: number, now: number, value: bigint, kept: bigint): number =>
    flags & now ? Date.now() / 1000 : seconds(flags & set ? BigInt.asUintN(64, value) : kept);
  return [
    choose(TIME.ATIM, TIME.ATIM_NOW, atime, old.atimeNs),
    choose(TIME.MTIM, TIME.MTIM_NOW, mtime, old.mtimeNs),
  ];
}

/** The host's flags for those of WASI. */
export function hostFlags(flags: number): number {
  return (
    (flags & FDFLAG.APPEND ? OPEN.append : 0) |
    (flags & FDFLAG.NONBLOCK ? OPEN.nonBlocking : 0) |
    (flags & FDFLAG.DSYNC ? OPEN.dataSync : 0) |
    (flags & (FDFLAG.SYNC | FDFLAG.RSYNC) ? OPEN.sync : 0)
  );
}

export function accessOf(rights: number): number {
  if ((rights & RIGHT.FD_WRITE) === 0) return OPEN.read;
  return rights & RIGHT.FD_READ ? OPEN.readWrite : OPEN.write;
}

const factsOf = ({ backend, host }: Descriptor): FileFacts => backend.descriptors.facts(host);

function listing(entry: Descriptor): readonly string[] {
  return ['.', '..', ...entry.backend.beneath.list(asDirectory(entry))];
}

/** Entries from `cookie`, until `bytes` are full; the last one may be truncated. */
function entriesFrom(entry: Descriptor, cookie: number, bytes: number): Uint8Array {
  const names = (entry.listing = cookie === 0 ? listing(entry) : (entry.listing ?? listing(entry)));
  const directory = asDirectory(entry);
  const result = new Uint8Array(bytes);
  let used = 0;
  for (let index = cookie; index < names.length && used < bytes; index++) {
    const name = names[index]!;
    let facts: FileFacts;
    try {
      facts = entry.backend.beneath.facts(directory, name === '..' ? '.' : name); // the parent stays hidden
    } catch {
      continue; // removed in between
    }
    const one = direntOf(name, index + 1, facts.ino, fileType(facts.kind));
    const part = one.subarray(0, bytes - used);
    result.set(part, used);
    used += part.length;
  }
  return result.subarray(0, used);
}

function direntOf(name: string, cookie: number, ino: bigint, type: number): Uint8Array {
  const text = bytesOf(name);
  const one = new Uint8Array(DIRENT_BYTES + text.length);
  const view = new DataView(one.buffer);
  view.setBigUint64(0, BigInt(cookie), true);
  view.setBigUint64(8, ino, true);
  view.setUint32(16, text.length, true);
  view.setUint8(20, type);
  one.set(text, DIRENT_BYTES);
  return one;
}

/** The same for a directory in the VM, where cookies belong to entries. */
function entriesInMemory(
  { files }: MemoryFiles,
  ino: number,
  cookie: number,
  bytes: number,
): Uint8Array {
  const result = new Uint8Array(bytes);
  let used = 0;
  const add = (name: string, next: number, of: number, type: number): void => {
    const one = direntOf(name, next, BigInt(of), type).subarray(0, bytes - used);
    result.set(one, used);
    used += one.length;
  };
  let next = Math.min(cookie, COOKIE_MAX);
  let some = files.list(ino, next);
  for (const name of ['.', '..'].slice(next)) add(name, ++next, ino, FILETYPE.directory);
  while (some.length > 0 && used < bytes) {
    for (const entry of some) {
      add(entry.name, entry.cookie, entry.ino, fileType(kindOf(entry.type)));
      if (used === bytes) break;
    }
    some = files.list(ino, some.at(-1)!.cookie);
  }
  return result.subarray(0, used);
}

export const fileCalls = {
  fd_advise: (
    { descriptors }: Calls,
    fd: number,
    _offset: bigint,
    _bytes: bigint,
    advice: number,
  ): number => {
    descriptors.file(fd, RIGHT.FD_ADVISE);
    return advice > ADVICE_LAST ? errno('INVAL') : 0;
  },
  fd_allocate: ({ descriptors }: Calls, fd: number, offset: bigint, bytes: bigint): number => {
    const entry = descriptors.file(fd, RIGHT.FD_ALLOCATE);
    const end = safe(offset) + safe(bytes);
    if (bytes === 0n || end > Number.MAX_SAFE_INTEGER) return errno('INVAL');
    if (!isSeekable(entry)) return errno('SPIPE');
    if (Number(factsOf(entry).size) < end) entry.backend.descriptors.truncate(entry.host, end);
    return 0;
  },
  fd_close: ({ descriptors }: Calls, fd: number): number => {
    descriptors.close(fd);
    return 0;
  },
  fd_datasync: ({ descriptors }: Calls, fd: number): number => {
    const entry = descriptors.get(fd, RIGHT.FD_DATASYNC);
    entry.backend.descriptors.dataSync(entry.host);
    return 0;
  },
  fd_sync: ({ descriptors }: Calls, fd: number): number => {
    const entry = descriptors.get(fd, RIGHT.FD_SYNC);
    entry.backend.descriptors.sync(entry.host);
    return 0;
  },

  fd_fdstat_get: ({ descriptors, memory }: Calls, fd: number, result: number): number => {
    const entry = descriptors.get(fd);
    const view = new DataView(new ArrayBuffer(FDSTAT_BYTES));
    view.setUint8(0, fileType(entry.kind));
    view.setUint16(2, entry.flags, true);
    view.setUint32(8, entry.base, true);
    view.setUint32(16, entry.inheriting, true);
    memory.put(result, new Uint8Array(view.buffer));
    return 0;
  },
  fd_fdstat_set_flags: ({ descriptors }: Calls, fd: number, flags: number): number => {
    const entry = descriptors.get(fd, RIGHT.FD_FDSTAT_SET_FLAGS);
    if (flags > 31) return errno('INVAL');
    const synchronous = FDFLAG.DSYNC | FDFLAG.RSYNC | FDFLAG.SYNC;
    if ((flags & synchronous) !== (entry.flags & synchronous)) return errno('NOTSUP');
    if (entry.owned && entry.kind !== 'directory' && flags !== entry.flags) {
      const fresh = entry.backend.descriptors.reopen(
        entry.host,
        accessOf(entry.base) | hostFlags(flags),
      );
      descriptors.replaceHost(entry, fresh);
    }
    entry.flags = flags;
    return 0;
  },
  fd_fdstat_set_rights: (
    { descriptors }: Calls,
    fd: number,
    base: bigint,
    inheriting: bigint,
  ): number => {
    const entry = descriptors.get(fd);
    const has = (all: number, wanted: bigint): boolean => (wanted & ~BigInt(all)) === 0n;
    if (!has(entry.base, base) || !has(entry.inheriting, inheriting)) return errno('NOTCAPABLE');
    entry.base = Number(base);
    entry.inheriting = Number(inheriting);
    return 0;
  },

  fd_filestat_get: ({ descriptors, memory }: Calls, fd: number, result: number): number => {
    putFacts(memory, result, factsOf(descriptors.get(fd, RIGHT.FD_FILESTAT_GET)));
    return 0;
  },
  fd_filestat_set_size: ({ descriptors }: Calls, fd: number, bytes: bigint): number => {
    const entry = descriptors.file(fd, RIGHT.FD_FILESTAT_SET_SIZE);
    entry.backend.descriptors.truncate(entry.host, safe(bytes));
    return 0;
  },
  fd_filestat_set_times: (
    { descriptors }: Calls,
    fd: number,
    atime: bigint,
    mtime: bigint,
    flags: number,
  ): number => {
    const entry = descriptors.get(fd, RIGHT.FD_FILESTAT_SET_TIMES);
    const times = timesToSet(flags, atime, mtime, () => factsOf(entry));
    entry.backend.descriptors.setTimes(entry.host, ...times);
    return 0;
  },

  fd_read: (
    { descriptors, memory }: Calls,
    fd: number,
    vectors: number,
    count: number,
    result: number,
  ): number => {
    const entry = descriptors.file(fd, RIGHT.FD_READ);
    if (entry.backend.memory !== undefined)
      return readFiles(memory, entry, entry.backend.memory, vectors, count, result);
    const at = isSeekable(entry) ? entry.position : null;
    const got = read(memory, entry, vectors, count, result, at);
    if (at !== null) entry.position = at + got;
    return 0;
  },
  fd_pread: (
    { descriptors, memory }: Calls,
    fd: number,
    vectors: number,
    count: number,
    offset: bigint,
    result: number,
  ): number => {
    const entry = descriptors.file(fd, RIGHT.FD_READ | RIGHT.FD_SEEK);
    if (!isSeekable(entry)) return errno('SPIPE');
    if (entry.backend.memory !== undefined)
      return readFiles(memory, entry, entry.backend.memory, vectors, count, result, safe(offset));
    read(memory, entry, vectors, count, result, safe(offset));
    return 0;
  },
  fd_write: (
    { descriptors, memory }: Calls,
    fd: number,
    vectors: number,
    count: number,
    result: number,
  ): number => {
    const entry = descriptors.file(fd, RIGHT.FD_WRITE);
    if (entry.backend.memory !== undefined)
      return writeFiles(memory, entry, entry.backend.memory, vectors, count, result);
    const at = isSeekable(entry) ? entry.position : null;
    const done = write(memory, entry, vectors, count, result, at);
    if (at === null) return 0;
    const appended = (entry.flags & FDFLAG.APPEND) !== 0;
    entry.position = appended ? Number(factsOf(entry).size) : at + done;
    return 0;
  },
  fd_pwrite: (
    { descriptors, memory }: Calls,
    fd: number,
    vectors: number,
    count: number,
    offset: bigint,
    result: number,
  ): number => {
    const entry = descriptors.file(fd, RIGHT.FD_WRITE | RIGHT.FD_SEEK);
    if (!isSeekable(entry)) return errno('SPIPE');
    if (entry.backend.memory !== undefined)
      return writeFiles(memory, entry, entry.backend.memory, vectors, count, result, safe(offset));
    write(memory, entry, vectors, count, result, safe(offset));
    return 0;
  },
  fd_seek: (
    { descriptors, memory }: Calls,
    fd: number,
    offset: bigint,
    whence: number,
    result: number,
  ): number => {
    const entry = descriptors.file(fd);
    const isTell = offset === 0n && whence === WHENCE.CUR;
    descriptors.file(fd, isTell ? RIGHT.FD_TELL : RIGHT.FD_SEEK);
    if (!isSeekable(entry)) return errno('SPIPE');
    if (whence > WHENCE.END) return errno('INVAL');
    const from =
      whence === WHENCE.SET
        ? 0n
        : whence === WHENCE.CUR
          ? BigInt(entry.position)
          : factsOf(entry).size;
    const to = from + offset;
    if (to < 0n || to > POSITION_MAX) return errno('INVAL');
    memory.putU64(result, to);
    entry.position = Number(to);
    return 0;
  },
  fd_tell: ({ descriptors, memory }: Calls, fd: number, result: number): number => {
    const entry = descriptors.file(fd, RIGHT.FD_TELL);
    if (!isSeekable(entry)) return errno('SPIPE');
    memory.putU64(result, BigInt(entry.position));
    return 0;
  },

  fd_prestat_get: ({ descriptors, memory }: Calls, fd: number, result: number): number => {
    const { preopen } = descriptors.get(fd);
    if (preopen === undefined) return errno('BADF');
    const view = new DataView(new ArrayBuffer(PRESTAT_BYTES)); // tag 0: a directory
    view.setUint32(4, new TextEncoder().encode(preopen).length, true);
    memory.put(result, new Uint8Array(view.buffer));
    return 0;
  },
  fd_prestat_dir_name: (
    { descriptors, memory }: Calls,
    fd: number,
    buffer: number,
    bytes: number,
  ): number => {
    const { preopen } = descriptors.get(fd);
    if (preopen === undefined) return errno('BADF');
    const name = new TextEncoder().encode(preopen);
    if (bytes < name.length) return errno('NAMETOOLONG');
    memory.put(buffer, name);
    return 0;
  },
  fd_readdir: (
    { descriptors, memory }: Calls,
    fd: number,
    buffer: number,
    bytes: number,
    cookie: bigint,
    result: number,
  ): number => {
    const entry = descriptors.directory(fd, RIGHT.FD_READDIR);
    memory.check(buffer, bytes);
    memory.check(result, 4);
    const inMemory = entry.backend.memory;
    const part =
      inMemory === undefined
        ? entriesFrom(entry, safe(cookie), bytes)
        : entriesInMemory(inMemory, inMemory.ino(entry.host), safe(cookie), bytes);
    memory.put(buffer, part);
    memory.putU32(result, part.length);
    return 0;
  },
  fd_renumber: ({ descriptors }: Calls, from: number, to: number): number => {
    descriptors.renumber(from, to);
    return 0;
  },
};
