// Names: making, linking, removing and renaming files. Each operation is done wholly or not at all.
//
// Invariants  FS-6  INODE_LINKS is the number of entries that refer to an inode; of a directory, 2 and the
//                   number of its directories (0 once removed).
//             Errors are Linux's, in Linux's order.

import {
  EEXIST,
  EFBIG,
  EINVAL,
  EISDIR,
  EMLINK,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
} from '../../assembly/abi/errno';
import {
  BLOCK_BYTES,
  INODE_CTIME,
  INODE_ENTRIES,
  INODE_LINKS,
  INODE_MODE,
  INODE_PARENT,
  LINKS_MAX,
  ROOT_INODE,
  TYPE_DIRECTORY,
  TYPE_LINK,
  TYPE_MASK,
} from './abi';
import * as content from './content';
import * as directory from './directory';
import * as inode from './inode';
import * as space from './space';

/** Set by directoryAt(): the negative errno when it returns 0. */
let failure: i32 = 0;

/** Address of an inode that is a directory, or 0. */
function directoryAt(ino: u32, nameBytes: u32): u32 {
  const address = inode.at(ino);
  failure = address == 0 ? -ENOENT : -ENOTDIR;
  if (address == 0 || !inode.isDirectory(address)) return 0;
  failure = -ENOENT; // for a directory that was removed, and is still open
  if (load<u32>(address, INODE_LINKS) == 0) return 0;
  failure = directory.checkName(nameBytes);
  return failure == 0 ? address : 0;
}

/** The inode that a directory has under a name, or a negative errno. */
export function look(parent: u32, name: u32, bytes: u32): i32 {
  const at = directoryAt(parent, bytes);
  if (at == 0) return failure;
  const found = directory.find(at, name, bytes);
  return found != 0 ? <i32>found : -ENOENT;
}

/** A new file, directory or link; returns its inode. */
export function make(parent: u32, name: u32, bytes: u32, mode: u32): i32 {
  const at = directoryAt(parent, bytes);
  if (at == 0) return failure;
  if (directory.find(at, name, bytes) != 0) return -EEXIST;
  const isDirectory = (mode & TYPE_MASK) == TYPE_DIRECTORY;
  if (isDirectory && load<u32>(at, INODE_LINKS) >= LINKS_MAX) return -EMLINK;
  if (!space.reserve(directory.addMost(at) + inode.MOST)) return -ENOSPC;
  const ino = inode.make(mode);
  const address = inode.at(ino);
  store<u32>(address, isDirectory ? 2 : 1, INODE_LINKS);
  if (isDirectory) adopt(address, parent, at);
  directory.add(at, name, bytes, ino, mode);
  content.touch(at);
  return <i32>ino;
}

/** A symbolic link. */
export function symlink(parent: u32, name: u32, bytes: u32, text: u32, textBytes: u32): i32 {
  if (textBytes >= BLOCK_BYTES) return -EFBIG;
  if (!space.reserve(2 * content.MOST)) return -ENOSPC;
  const ino = make(parent, name, bytes, TYPE_LINK | 0o777);
  if (ino < 0) return ino;
  const written = content.write(inode.at(ino), 0, text, textBytes);
  if (written >= 0) return ino;
  unlink(parent, name, bytes);
  return written;
}

function adopt(child: u32, parent: u32, at: u32): void {
  store<u32>(child, parent, INODE_PARENT);
  store<u32>(at, load<u32>(at, INODE_LINKS) + 1, INODE_LINKS);
}

function orphan(at: u32): void {
  store<u32>(at, load<u32>(at, INODE_LINKS) - 1, INODE_LINKS);
}

/** One more name for a file. */
export function link(ino: u32, parent: u32, name: u32, bytes: u32): i32 {
  const address = inode.at(ino);
  if (address == 0) return -ENOENT;
  const at = directoryAt(parent, bytes);
  if (at == 0) return failure;
  if (directory.find(at, name, bytes) != 0) return -EEXIST;
  if (inode.isDirectory(address)) return -EPERM;
  if (load<u32>(address, INODE_LINKS) == 0) return -ENOENT;
  if (load<u32>(address, INODE_LINKS) >= LINKS_MAX) return -EMLINK;
  if (!space.reserve(directory.addMost(at))) return -ENOSPC;
  directory.add(at, name, bytes, ino, load<u32>(address, INODE_MODE));
  inode.link(ino, 1);
  content.touch(at);
  return 0;
}

export function unlink(parent: u32, name: u32, bytes: u32): i32 {
  const at = directoryAt(parent, bytes);
  if (at == 0) return failure;
  const ino = directory.find(at, name, bytes);
  if (ino == 0) return -ENOENT;
  if (inode.isDirectory(inode.at(ino))) return -EISDIR;
  directory.removeFound(at);
  content.touch(at);
  inode.link(ino, -1);
  return 0;
}

export function removeDirectory(parent: u32, name: u32, bytes: u32): i32 {
  const at = directoryAt(parent, bytes);
  if (at == 0) return failure;
  const ino = directory.find(at, name, bytes);
  if (ino == 0) return -ENOENT;
  const address = inode.at(ino);
  if (!inode.isDirectory(address)) return -ENOTDIR;
  if (load<u32>(address, INODE_ENTRIES) != 0) return -ENOTEMPTY;
  directory.removeFound(at);
  orphan(at);
  content.touch(at);
  inode.link(ino, -2);
  return 0;
}

/** Whether directory `above` is `ino` or one of its ancestors. */
function contains(above: u32, ino: u32): bool {
  while (ino != above && ino != ROOT_INODE && ino != 0)
    ino = load<u32>(inode.at(ino), INODE_PARENT);
  return ino == above;
}

/** Moves an entry; what has the new name is replaced. */
export function rename(
  parent: u32,
  name: u32,
  bytes: u32,
  newParent: u32,
  newName: u32,
  newBytes: u32,
): i32 {
  const from = directoryAt(parent, bytes);
  if (from == 0) return failure;
  const to = directoryAt(newParent, newBytes);
  if (to == 0) return failure;
  const ino = directory.find(from, name, bytes);
  if (ino == 0) return -ENOENT;
  const replaced = directory.find(to, newName, newBytes);
  const refusal = refusalOf(ino, parent, replaced, newParent, to);
  if (refusal != 0) return refusal;
  if (replaced == ino) return 0;
  if (replaced == 0 && !space.reserve(directory.addMost(to))) return -ENOSPC;
  move(ino, from, name, bytes, newParent, to, newName, newBytes, replaced);
  return 0;
}

function refusalOf(ino: u32, parent: u32, replaced: u32, newParent: u32, to: u32): i32 {
  const isDirectory = inode.isDirectory(inode.at(ino));
  if (isDirectory && contains(ino, newParent)) return -EINVAL;
  if (replaced == 0) {
    if (isDirectory && newParent != parent && load<u32>(to, INODE_LINKS) >= LINKS_MAX)
      return -EMLINK;
    return 0;
  }
  const target = inode.at(replaced);
  const ontoDirectory = inode.isDirectory(target);
  if (ontoDirectory && contains(replaced, parent)) return -ENOTEMPTY;
  if (replaced == ino) return 0;
  if (isDirectory && !ontoDirectory) return -ENOTDIR;
  if (!isDirectory && ontoDirectory) return -EISDIR;
  return ontoDirectory && load<u32>(target, INODE_ENTRIES) != 0 ? -ENOTEMPTY : 0;
}

function move(
  ino: u32,
  from: u32,
  name: u32,
  bytes: u32,
  newParent: u32,
  to: u32,
  newName: u32,
  newBytes: u32,
  replaced: u32,
): void {
  const address = inode.at(ino);
  const mode = load<u32>(address, INODE_MODE);
  if (replaced == 0) directory.add(to, newName, newBytes, ino, mode);
  else {
    directory.find(to, newName, newBytes);
    directory.setFound(ino, mode);
  }
  directory.find(from, name, bytes);
  directory.removeFound(from);
  if (inode.isDirectory(address)) {
    orphan(from);
    adopt(address, newParent, to);
  }
  content.touch(from);
  content.touch(to);
  store<i64>(address, inode.now(), INODE_CTIME);
  if (replaced == 0) return;
  if (!inode.isDirectory(inode.at(replaced))) return inode.link(replaced, -1);
  orphan(to);
  inode.link(replaced, -2);
}
