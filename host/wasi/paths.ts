// WASI: calls on a path in a directory (path_*).

import { OPEN } from '#platform/beneath';
import type { FileFacts } from '../platform/file-facts.ts';
import { bytesOf } from '../platform/file-name.ts';
import { walkTo, type Lookup, type Place } from '../syscalls/walk.ts';
import type { Backend } from './backend.ts';
import {
  DIRECTORY_RIGHTS,
  errno,
  FDFLAG,
  FILE_RIGHTS,
  LOOKUP_FOLLOW,
  OFLAG,
  RIGHT,
  RIGHT_BITS,
  WasiError,
} from './abi.ts';
import type { Calls } from './calls.ts';
import { asDirectory, type Descriptor } from './descriptors.ts';
import { accessOf, hostFlags, putFacts, timesToSet } from './files.ts';

/** A place, and where its files are. */
interface Found extends Place {
  readonly backend: Backend;
}

/** Looks up the path at [path, + bytes) in a directory that has the rights. */
function lookUp<T>(
  { descriptors, memory }: Calls,
  fd: number,
  rights: number,
  path: number,
  bytes: number,
  lookup: Lookup,
  use: (place: Found, from: Descriptor) => T,
): T {
  const from = descriptors.directory(fd, rights);
  const { backend } = from;
  const text = memory.text(path, bytes);
  const found = ({ directory, name, hasSlash }: Place): T =>
    use({ directory, name, hasSlash, backend }, from);
  return walkTo(asDirectory(from), text, lookup, found, backend.walked);
}

/** How a call with lookup flags finds an object. */
const objectBy = (lookup: number): Lookup => (lookup & LOOKUP_FOLLOW ? 'follow' : 'object');

/** How path_open looks up its file; one that must be new is never reached through a link. */
function openBy(lookup: number, oflags: number): Lookup {
  if ((oflags & OFLAG.CREAT) === 0) return objectBy(lookup);
  return (oflags & OFLAG.EXCL) === 0 && lookup & LOOKUP_FOLLOW ? 'create' : 'entry';
}

/**
 * Facts of an existing file. Fails with ENOTDIR when a slash requires a directory, with ENOENT when it does
 * not exist.
 */
function factsOf({ directory, name, hasSlash, backend }: Found): FileFacts {
  const facts = backend.beneath.facts(directory, name);
  if (hasSlash && facts.kind !== 'directory') throw new WasiError('NOTDIR');
  return facts;
}

const isPlain = ({ name }: Found): boolean => name !== '.' && name !== '..';

function exists({ directory, name, backend }: Found): boolean {
  try {
    backend.beneath.facts(directory, name);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return false;
    throw error;
  }
}

/** A name for something new that is not a directory, so a slash may not follow it. */
function checkNew(place: Found): void {
  if (!isPlain(place)) throw new WasiError('EXIST');
  if (place.hasSlash) throw new WasiError(exists(place) ? 'EXIST' : 'NOENT');
}

function makeDirectory(place: Found): void {
  if (!isPlain(place)) throw new WasiError('EXIST');
  place.backend.beneath.makeDirectory(place.directory, place.name);
}

function removeDirectory({ directory, name, backend }: Found): void {
  if (name === '.') throw new WasiError('INVAL');
  if (name === '..') throw new WasiError('NOTEMPTY');
  backend.beneath.removeDirectory(directory, name);
}

function unlink(place: Found): void {
  if (!isPlain(place)) throw new WasiError('ISDIR');
  if (place.hasSlash && factsOf(place).kind === 'directory') throw new WasiError('ISDIR');
  place.backend.beneath.unlink(place.directory, place.name);
}

function rename(old: Found, fresh: Found): void {
  if (old.backend !== fresh.backend) throw new WasiError('XDEV');
  if (!isPlain(old) || !isPlain(fresh)) throw new WasiError('BUSY');
  factsOf({ ...old, hasSlash: old.hasSlash || fresh.hasSlash });
  old.backend.beneath.rename(old.directory, old.name, fresh.directory, fresh.name);
}

function link(old: Found, fresh: Found): void {
  checkNew(fresh);
  if (old.backend !== fresh.backend) throw new WasiError('XDEV');
  old.backend.beneath.link(old.directory, old.name, fresh.directory, fresh.name);
}

function symlink(text: string, place: Found): void {
  if (text === '') throw new WasiError('NOENT');
  if (text.startsWith('/')) throw new WasiError('NOTCAPABLE');
  checkNew(place);
  place.backend.beneath.symlink(text, place.directory, place.name);
}

/** Opens a file. WASI describes access by rights, the host by flags. */
function open(
  place: Found,
  from: Descriptor,
  oflags: number,
  base: number,
  inheriting: number,
  fdflags: number,
): Omit<Descriptor, 'owned' | 'position' | 'preopen' | 'listing' | 'peeked' | 'reader' | 'writer'> {
  const { directory, name, backend } = place;
  const hasSlash = place.hasSlash && isPlain(place);
  const wanted = base & (RIGHT.FD_READ | RIGHT.FD_WRITE);
  if (wanted & ~from.inheriting) throw new WasiError('NOTCAPABLE');
  const isDirectory = (oflags & OFLAG.DIRECTORY) !== 0;
  if (isDirectory && base & RIGHT.FD_WRITE) throw new WasiError('ISDIR');
  const truncates = (oflags & OFLAG.TRUNC) !== 0;
  const creates = (oflags & OFLAG.CREAT) !== 0;
  if (creates && hasSlash) throw new WasiError('ISDIR');
  if (creates && isDirectory) throw new WasiError('INVAL');
  if (creates && !isPlain(place)) throw new WasiError(oflags & OFLAG.EXCL ? 'EXIST' : 'ISDIR');
  const flags =
    accessOf(truncates && (base & RIGHT.FD_WRITE) === 0 ? base | RIGHT.FD_WRITE : base) |
    (creates ? OPEN.create : 0) |
    (oflags & OFLAG.EXCL ? OPEN.exclusive : 0) |
    (truncates ? OPEN.truncate : 0) |
    (isDirectory || hasSlash ? OPEN.directory : 0) |
    hostFlags(fdflags);
  const descriptor = backend.beneath.open(directory, name, flags);
  const kind = backend.kindOf(descriptor);
  const possible = from.inheriting & (kind === 'directory' ? DIRECTORY_RIGHTS : FILE_RIGHTS);
  return {
    host: descriptor,
    backend,
    kind,
    path: `${directory.path}/${name}`,
    base: base & possible,
    inheriting: kind === 'directory' ? inheriting & from.inheriting : 0,
    flags: fdflags,
  };
}

/** Rights over the directory that opening like this requires. */
function rightsToOpen(oflags: number): number {
  return (
    RIGHT.PATH_OPEN |
    (oflags & OFLAG.CREAT ? RIGHT.PATH_CREATE_FILE : 0) |
    (oflags & OFLAG.TRUNC ? RIGHT.PATH_FILESTAT_SET_SIZE : 0)
  );
}

export const pathCalls = {
  path_open: (
    calls: Calls,
    fd: number,
    lookup: number,
    path: number,
    bytes: number,
    oflags: number,
    base: bigint,
    inheriting: bigint,
    fdflags: number,
    result: number,
  ): number => {
    const { memory, descriptors } = calls;
    memory.check(result, 4);
    if (oflags > 15 || fdflags > 31) return errno('INVAL');
    const rights = rightsToOpen(oflags);
    const entry = lookUp(calls, fd, rights, path, bytes, openBy(lookup, oflags), (place, from) =>
      open(
        place,
        from,
        oflags,
        Number(BigInt.asUintN(RIGHT_BITS, base)),
        Number(BigInt.asUintN(RIGHT_BITS, inheriting)),
        fdflags & (FDFLAG.APPEND | FDFLAG.NONBLOCK | FDFLAG.DSYNC | FDFLAG.RSYNC | FDFLAG.SYNC),
      ),
    );
    memory.putU32(result, descriptors.add(entry));
    return 0;
  },

  path_create_directory: (calls: Calls, fd: number, path: number, bytes: number): number => {
    lookUp(calls, fd, RIGHT.PATH_CREATE_DIRECTORY, path, bytes, 'entry', makeDirectory);
    return 0;
  },
  path_remove_directory: (calls: Calls, fd: number, path: number, bytes: number): number => {
    lookUp(calls, fd, RIGHT.PATH_REMOVE_DIRECTORY, path, bytes, 'entry', removeDirectory);
    return 0;
  },
  path_unlink_file: (calls: Calls, fd: number, path: number, bytes: number): number => {
    lookUp(calls, fd, RIGHT.PATH_UNLINK_FILE, path, bytes, 'entry', unlink);
    return 0;
  },
  path_rename: (
    calls: Calls,
    fd: number,
    path: number,
    bytes: number,
    toFd: number,
    toPath: number,
    toBytes: number,
  ): number => {
    lookUp(calls, fd, RIGHT.PATH_RENAME_SOURCE, path, bytes, 'entry', (old) =>
      lookUp(calls, toFd, RIGHT.PATH_RENAME_TARGET, toPath, toBytes, 'entry', (fresh) =>
        rename(old, fresh),
      ),
    );
    return 0;
  },
  path_link: (
    calls: Calls,
    fd: number,
    lookup: number,
    path: number,
    bytes: number,
    toFd: number,
    toPath: number,
    toBytes: number,
  ): number => {
    if (lookup & LOOKUP_FOLLOW) return errno('INVAL'); // like other runtimes
    lookUp(calls, fd, RIGHT.PATH_LINK_SOURCE, path, bytes, 'object', (old) => {
      factsOf(old);
      lookUp(calls, toFd, RIGHT.PATH_LINK_TARGET, toPath, toBytes, 'entry', (fresh) =>
        link(old, fresh),
      );
    });
    return 0;
  },
  path_symlink: (
    calls: Calls,
    target: number,
    targetBytes: number,
    fd: number,
    path: number,
    bytes: number,
  ): number => {
    const text = calls.memory.text(target, targetBytes);
    lookUp(calls, fd, RIGHT.PATH_SYMLINK, path, bytes, 'entry', (place) => symlink(text, place));
    return 0;
  },
  path_readlink: (
    calls: Calls,
    fd: number,
    path: number,
    bytes: number,
    buffer: number,
    bufferBytes: number,
    result: number,
  ): number => {
    const { memory } = calls;
    memory.check(buffer, bufferBytes);
    memory.check(result, 4);
    const text = lookUp(calls, fd, RIGHT.PATH_READLINK, path, bytes, 'object', (place) => {
      factsOf(place);
      return place.backend.beneath.readLink(place.directory, place.name);
    });
    const part = bytesOf(text).subarray(0, bufferBytes);
    memory.put(buffer, part);
    memory.putU32(result, part.length);
    return 0;
  },

  path_filestat_get: (
    calls: Calls,
    fd: number,
    lookup: number,
    path: number,
    bytes: number,
    result: number,
  ): number => {
    const how = objectBy(lookup);
    const facts = lookUp(calls, fd, RIGHT.PATH_FILESTAT_GET, path, bytes, how, factsOf);
    putFacts(calls.memory, result, facts);
    return 0;
  },
  path_filestat_set_times: (
    calls: Calls,
    fd: number,
    lookup: number,
    path: number,
    bytes: number,
    atime: bigint,
    mtime: bigint,
    flags: number,
  ): number => {
    const how = objectBy(lookup);
    lookUp(calls, fd, RIGHT.PATH_FILESTAT_SET_TIMES, path, bytes, how, (place) => {
      const times = timesToSet(flags, atime, mtime, () => factsOf(place));
      if (place.hasSlash) factsOf(place);
      place.backend.beneath.setTimes(place.directory, place.name, ...times);
    });
    return 0;
  },
};
