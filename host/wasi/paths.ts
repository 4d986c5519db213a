// WASI: what is done with a path in a directory.

import { beneath, descriptors as host, OPEN } from '#platform/beneath';
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
import { resolve, type Place } from './resolve.ts';

/** Looks up the path at [path, + bytes) in a directory that has the rights. */
function lookUp<T>(
  { descriptors, memory }: Calls,
  fd: number,
  rights: number,
  path: number,
  bytes: number,
  follow: boolean,
  use: (place: Place, from: Descriptor) => T,
): T {
  const from = descriptors.directory(fd, rights);
  return resolve(asDirectory(from), memory.text(path, bytes), follow, (place) => use(place, from));
}

/** What a trailing slash promises. Fails with ENOTDIR, or ENOENT when there is nothing. */
function mustBeDirectory({ directory, name, hasSlash }: Place): void {
  if (hasSlash && beneath.facts(directory, name).kind !== 'directory')
    throw new WasiError('NOTDIR');
}

/** Opens; WASI asks for access by rights, the host by flags. */
function open(
  place: Place,
  from: Descriptor,
  oflags: number,
  base: number,
  inheriting: number,
  fdflags: number,
): Omit<Descriptor, 'owned' | 'position' | 'preopen' | 'listing' | 'peeked'> {
  const { directory, name, hasSlash } = place;
  const wanted = base & (RIGHT.FD_READ | RIGHT.FD_WRITE);
  if (wanted & ~from.inheriting) throw new WasiError('NOTCAPABLE');
  const isDirectory = (oflags & OFLAG.DIRECTORY) !== 0;
  if (isDirectory && base & RIGHT.FD_WRITE) throw new WasiError('ISDIR');
  const truncates = (oflags & OFLAG.TRUNC) !== 0;
  const creates = (oflags & OFLAG.CREAT) !== 0;
  if (creates && (isDirectory || hasSlash)) throw new WasiError(hasSlash ? 'ISDIR' : 'INVAL');
  const flags =
    accessOf(truncates && (base & RIGHT.FD_WRITE) === 0 ? base | RIGHT.FD_WRITE : base) |
    (creates ? OPEN.create : 0) |
    (oflags & OFLAG.EXCL ? OPEN.exclusive : 0) |
    (truncates ? OPEN.truncate : 0) |
    (isDirectory || hasSlash ? OPEN.directory : 0) |
    hostFlags(fdflags);
  const descriptor = beneath.open(directory, name, flags);
  const { kind } = host.facts(descriptor);
  const possible = from.inheriting & (kind === 'directory' ? DIRECTORY_RIGHTS : FILE_RIGHTS);
  return {
    host: descriptor,
    kind,
    path: `${directory.path}/${name}`,
    base: base & possible,
    inheriting: kind === 'directory' ? inheriting & from.inheriting : 0,
    flags: fdflags,
  };
}

/** Rights over the directory that opening like this takes. */
function rightsToOpen(oflags: number): number {
  return (
    RIGHT.PATH_OPEN |
    (oflags & OFLAG.CREAT ? RIGHT.PATH_CREATE_FILE : 0) |
    (oflags & OFLAG.TRUNC ? RIGHT.PATH_FILESTAT_SET_SIZE : 0)
  );
}

/** Two paths at once: `use` gets where each leads, links at the end not followed. */
function lookUpTwo(
  calls: Calls,
  from: readonly [fd: number, rights: number, path: number, bytes: number],
  to: readonly [fd: number, rights: number, path: number, bytes: number],
  use: (old: Place, fresh: Place) => void,
): number {
  lookUp(calls, from[0], from[1], from[2], from[3], false, (old) =>
    lookUp(calls, to[0], to[1], to[2], to[3], false, (fresh) => use(old, fresh)),
  );
  return 0;
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
    const follow = (lookup & LOOKUP_FOLLOW) !== 0 && (oflags & OFLAG.EXCL) === 0;
    const entry = lookUp(calls, fd, rights, path, bytes, follow, (place, from) =>
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
    lookUp(calls, fd, RIGHT.PATH_CREATE_DIRECTORY, path, bytes, false, ({ directory, name }) =>
      beneath.makeDirectory(directory, name),
    );
    return 0;
  },
  path_remove_directory: (calls: Calls, fd: number, path: number, bytes: number): number => {
    lookUp(calls, fd, RIGHT.PATH_REMOVE_DIRECTORY, path, bytes, false, ({ directory, name }) =>
      beneath.removeDirectory(directory, name),
    );
    return 0;
  },
  path_unlink_file: (calls: Calls, fd: number, path: number, bytes: number): number => {
    lookUp(calls, fd, RIGHT.PATH_UNLINK_FILE, path, bytes, false, (place) => {
      mustBeDirectory(place);
      beneath.unlink(place.directory, place.name);
    });
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
  ): number =>
    lookUpTwo(
      calls,
      [fd, RIGHT.PATH_RENAME_SOURCE, path, bytes],
      [toFd, RIGHT.PATH_RENAME_TARGET, toPath, toBytes],
      (old, fresh) => {
        mustBeDirectory({ ...old, hasSlash: old.hasSlash || fresh.hasSlash });
        beneath.rename(old.directory, old.name, fresh.directory, fresh.name);
      },
    ),
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
    if (lookup & LOOKUP_FOLLOW) return errno('INVAL'); // as every other runtime
    return lookUpTwo(
      calls,
      [fd, RIGHT.PATH_LINK_SOURCE, path, bytes],
      [toFd, RIGHT.PATH_LINK_TARGET, toPath, toBytes],
      (old, fresh) => {
        mustBeDirectory(old);
        if (fresh.hasSlash) throw new WasiError('NOENT');
        beneath.link(old.directory, old.name, fresh.directory, fresh.name);
      },
    );
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
    lookUp(calls, fd, RIGHT.PATH_SYMLINK, path, bytes, false, (place) => {
      if (text === '') throw new WasiError('NOENT');
      if (text.startsWith('/')) throw new WasiError('NOTCAPABLE');
      if (place.hasSlash) {
        mustBeDirectory(place);
        throw new WasiError('EXIST');
      }
      beneath.symlink(text, place.directory, place.name);
    });
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
    const text = lookUp(calls, fd, RIGHT.PATH_READLINK, path, bytes, false, ({ directory, name }) =>
      beneath.readLink(directory, name),
    );
    const part = new TextEncoder().encode(text).subarray(0, bufferBytes);
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
    const follow = (lookup & LOOKUP_FOLLOW) !== 0;
    const facts = lookUp(calls, fd, RIGHT.PATH_FILESTAT_GET, path, bytes, follow, (place) => {
      mustBeDirectory(place);
      return beneath.facts(place.directory, place.name);
    });
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
    const follow = (lookup & LOOKUP_FOLLOW) !== 0;
    lookUp(calls, fd, RIGHT.PATH_FILESTAT_SET_TIMES, path, bytes, follow, (place) => {
      mustBeDirectory(place);
      const { directory, name } = place;
      const times = timesToSet(flags, atime, mtime, () => beneath.facts(directory, name));
      beneath.setTimes(directory, name, ...times);
    });
    return 0;
  },
};
