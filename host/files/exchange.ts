// Copies trees of files between the host and the file system of a VM. Files, directories and symbolic links
// with their times; what else a directory of the host has (sockets, devices) is left out.

import {
  beneath,
  descriptors as host,
  enterDirectory,
  leaveDirectory,
  OPEN,
  openRoot,
} from '#platform/beneath';
import * as abi from '../../guest/fs/abi.ts';
import type { Directory } from '../platform/file-facts.ts';
import type { FileSystem } from './file-system.ts';

const PART_BYTES = 65536;

/** Copies the content of a directory of the host into directory `to`. */
export function importFrom(files: FileSystem, path: string, to: number): void {
  const root = openRoot(path);
  try {
    importDirectory(files, root, to);
  } finally {
    leaveDirectory(root);
  }
}

function importDirectory(files: FileSystem, from: Directory, to: number): void {
  for (const name of beneath.list(from)) {
    const { kind, atimeNs, mtimeNs } = beneath.facts(from, name);
    let ino = Math.max(0, files.look(to, name));
    if (kind === 'directory') {
      if (ino === 0) ino = files.make(to, name, abi.TYPE_DIRECTORY | 0o755);
      const inner = enterDirectory(from, name);
      try {
        importDirectory(files, inner, ino);
      } finally {
        leaveDirectory(inner);
      }
    } else {
      if (ino !== 0) files.unlink(to, name);
      if (kind === 'link') ino = files.symlink(to, name, beneath.readLink(from, name));
      else if (kind === 'file') {
        ino = files.make(to, name, abi.TYPE_FILE | 0o644);
        importFile(files, from, name, ino);
      } else continue;
    }
    files.setTimes(ino, atimeNs, mtimeNs);
  }
}

function importFile(files: FileSystem, from: Directory, name: string, ino: number): void {
  const descriptor = beneath.open(from, name, OPEN.read);
  try {
    const part = new Uint8Array(PART_BYTES);
    for (let at = 0; ;) {
      const got = host.read(descriptor, part, 0, PART_BYTES, at);
      if (got === 0) break;
      files.write(ino, at, part.subarray(0, got));
      at += got;
    }
  } finally {
    host.close(descriptor);
  }
}

/** Copies the content of directory `from` into a directory of the host. */
export function exportTo(files: FileSystem, from: number, path: string): void {
  const root = openRoot(path);
  try {
    exportDirectory(files, from, root);
  } finally {
    leaveDirectory(root);
  }
}

function exportDirectory(files: FileSystem, from: number, to: Directory): void {
  for (let cookie = 0; ;) {
    const some = files.list(from, cookie);
    if (some.length === 0) return;
    for (const { ino, name, type } of some) {
      if (type === abi.TYPE_DIRECTORY) exportInto(files, ino, to, name);
      else exportFile(files, ino, type, to, name);
      const { atime, mtime } = files.attributes(ino);
      beneath.setTimes(to, name, Number(atime) / 1e9, Number(mtime) / 1e9);
    }
    cookie = some.at(-1)!.cookie;
  }
}

const exists = (to: Directory, name: string): boolean => {
  try {
    beneath.facts(to, name);
    return true;
  } catch {
    return false;
  }
};

function exportInto(files: FileSystem, ino: number, to: Directory, name: string): void {
  if (!exists(to, name)) beneath.makeDirectory(to, name);
  const inner = enterDirectory(to, name);
  try {
    exportDirectory(files, ino, inner);
  } finally {
    leaveDirectory(inner);
  }
}

function exportFile(
  files: FileSystem,
  ino: number,
  type: number,
  to: Directory,
  name: string,
): void {
  if (exists(to, name)) beneath.unlink(to, name);
  if (type === abi.TYPE_LINK) return beneath.symlink(files.readLink(ino), to, name);
  const descriptor = beneath.open(to, name, OPEN.write | OPEN.create | OPEN.exclusive);
  try {
    const part = new Uint8Array(PART_BYTES);
    for (let at = 0, got; (got = files.read(ino, at, part)) > 0;)
      at += host.write(descriptor, part.subarray(0, got), at);
  } finally {
    host.close(descriptor);
  }
}
