// Paths of the file system in a VM, as JavaScript names them: absolute, or relative to its root. Symbolic
// links are followed, and none leads outside.

import { ELOOP, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR } from '../../assembly/abi/errno.ts';
import { refuse } from '../errors.ts';
import * as abi from '../../guest/fs/abi.ts';
import type { FileSystem } from './file-system.ts';
import { fileError } from './guest.ts';

const LINKS_MAX = 40;
const COMPONENTS_MAX = 4096;

/** Where a path leads: to `name` in directory `parent`, which has it as `ino`, 0 = it has none. */
export interface Found {
  readonly parent: number;
  /** Empty for the root, and after `.` or `..`. */
  readonly name: string;
  readonly ino: number;
}

/** Looks a path up. `follows`: through a symbolic link at its end. */
export function find(files: FileSystem, path: string, follows: boolean): Found {
  if (typeof path !== 'string') refuse('path', path, 'text');
  if (path.includes('\0')) throw fileError(EINVAL, path);
  if (path === '') throw fileError(ENOENT, path);
  let links = 0;
  const left = path.split('/');
  const mustBeDirectory = path.endsWith('/');
  let here: Found = { parent: 0, name: '', ino: abi.ROOT_INODE };
  const above: number[] = [];
  while (left.length > 0) {
    const name = left.shift()!;
    if (name === '' || name === '.') continue;
    if (here.ino === 0) throw fileError(ENOENT, path);
    if (!files.isDirectory(here.ino)) throw fileError(ENOTDIR, path);
    if (name === '..') {
      here = { parent: 0, name: '', ino: above.pop() ?? abi.ROOT_INODE };
      continue;
    }
    const isLast = left.every((rest) => rest === '' || rest === '.');
    const ino = entryOf(files, here.ino, name, path);
    if (ino !== 0 && (!isLast || follows || mustBeDirectory) && isLink(files, ino)) {
      if (++links > LINKS_MAX) throw fileError(ELOOP, path);
      const text = files.readLink(ino);
      if (text.startsWith('/')) {
        here = { parent: 0, name: '', ino: abi.ROOT_INODE };
        above.length = 0;
      }
      left.unshift(...text.split('/'));
      if (left.length > COMPONENTS_MAX) throw fileError(ENAMETOOLONG, path);
      continue;
    }
    above.push(here.ino);
    here = { parent: here.ino, name, ino };
  }
  if (mustBeDirectory && here.ino !== 0 && !files.isDirectory(here.ino))
    throw fileError(ENOTDIR, path);
  return here;
}

/** The inode of an existing file. */
export function existing(files: FileSystem, path: string, follows = true): number {
  const { ino } = find(files, path, follows);
  if (ino === 0) throw fileError(ENOENT, path);
  return ino;
}

/** A place where something new may be made or something old removed. */
export function placeOf(files: FileSystem, path: string, follows = false): Found {
  const found = find(files, path, follows);
  if (found.name === '') throw fileError(EINVAL, path);
  return found;
}

function entryOf(files: FileSystem, parent: number, name: string, path: string): number {
  const ino = files.look(parent, name);
  if (ino >= 0) return ino;
  if (ino === -ENOENT) return 0;
  throw fileError(ino, path);
}

const isLink = (files: FileSystem, ino: number): boolean =>
  (files.mode(ino) & abi.TYPE_MASK) === abi.TYPE_LINK;
