// The file system in the VM: directories and files in file memory, which snapshots cover, so that a fork has
// them as they were. It has an image of its own next to the program's, and the host calls it.
//
// Interface   Names and content are at addresses: of the program, or of the host's staging buffer. Results
//             are >= 0, or a negative errno. The host reads inodes and blocks for results in place, and
//             resolves paths, one name at a time.

import { EBADF, ENOENT, ENOTDIR, EISDIR } from '../../assembly/abi/errno';
import {
  INODE_ATIME,
  INODE_CTIME,
  INODE_GID,
  INODE_LINKS,
  INODE_MODE,
  INODE_MTIME,
  INODE_UID,
  OPEN_BASE,
  OPEN_FLAGS,
  OPEN_INHERITING,
  OPEN_INODE,
  OPEN_NUMBER,
  OPEN_OWNER,
  OPEN_POSITION,
  ROOT_INODE,
  SCRATCH_BLOCK,
  SUPER_CHANGES,
  SUPER_OPEN_END,
  TYPE_DIRECTORY,
  TYPE_MASK,
} from './abi';
import * as content from './content';
import * as directory from './directory';
import * as inode from './inode';
import * as lock from './lock';
import * as names from './names';
import * as opens from './opens';
import * as space from './space';

let scratch: u32 = 0;

/** Once per instance: the page after file memory, and the number of the vCPU. */
export function attach(topPage: u32, vcpu: u32): void {
  space.attach(topPage);
  lock.attach(vcpu);
  scratch = space.addressOf(SCRATCH_BLOCK + vcpu);
}

/** Makes an empty file system, unless there is one; false if memory is too small. */
export function format(): bool {
  if (!space.format()) return false;
  if (inode.at(ROOT_INODE) != 0) return true;
  if (!space.reserve(inode.MOST)) return false;
  const root = inode.at(inode.make(TYPE_DIRECTORY | 0o777));
  store<u32>(root, 2, INODE_LINKS);
  return true;
}

/** After an operation that trapped. */
export function recover(): void {
  lock.recover();
}

/** Addresses for the host: of the superblock, and of this vCPU's block for results. */
export function superblockAddress(): u32 {
  return space.superblock;
}
export function scratchAddress(): u32 {
  return scratch;
}
export function inodeAddress(ino: u32): u32 {
  return inode.at(ino);
}
/** Records are numbered below it. */
export function openEnd(): u32 {
  return load<u32>(space.superblock, SUPER_OPEN_END);
}
export function openAddress(record: u32): u32 {
  return opens.at(record);
}
/** For the audit. */
export function blockAddress(block: u32): u32 {
  return space.addressOf(block);
}

// --- names -------------------------------------------------------------------------------------------------

export function look(parent: u32, name: u32, bytes: u32): i32 {
  lock.acquire();
  const result = names.look(parent, name, bytes);
  lock.release();
  return result;
}

export function make(parent: u32, name: u32, bytes: u32, mode: u32): i32 {
  lock.acquire();
  const result = names.make(parent, name, bytes, mode);
  lock.release();
  return result;
}

export function symlink(parent: u32, name: u32, bytes: u32, text: u32, textBytes: u32): i32 {
  lock.acquire();
  const result = names.symlink(parent, name, bytes, text, textBytes);
  lock.release();
  return result;
}

export function link(ino: u32, parent: u32, name: u32, bytes: u32): i32 {
  lock.acquire();
  const result = names.link(ino, parent, name, bytes);
  lock.release();
  return result;
}

export function unlink(parent: u32, name: u32, bytes: u32): i32 {
  lock.acquire();
  const result = names.unlink(parent, name, bytes);
  lock.release();
  return result;
}

export function removeDirectory(parent: u32, name: u32, bytes: u32): i32 {
  lock.acquire();
  const result = names.removeDirectory(parent, name, bytes);
  lock.release();
  return result;
}

export function rename(
  parent: u32,
  name: u32,
  bytes: u32,
  newParent: u32,
  newName: u32,
  newBytes: u32,
): i32 {
  lock.acquire();
  const result = names.rename(parent, name, bytes, newParent, newName, newBytes);
  lock.release();
  return result;
}

/** Puts a part of a directory's entries into the block for results; returns their bytes, 0 at the end. */
export function list(ino: u32, cookie: u32): i32 {
  lock.acquire();
  const address = inode.at(ino);
  let result: i32 = -ENOENT;
  if (address != 0 && !inode.isDirectory(address)) result = -ENOTDIR;
  else if (address != 0) result = <i32>directory.list(address, cookie, scratch);
  lock.release();
  return result;
}

// --- content -----------------------------------------------------------------------------------------------

/** Address of a file's inode, or 0. */
function fileAt(ino: u32): u32 {
  const address = inode.at(ino);
  return address == 0 || inode.isDirectory(address) ? 0 : address;
}

function noFile(ino: u32): i32 {
  return inode.at(ino) == 0 ? -ENOENT : -EISDIR;
}

export function read(ino: u32, offset: f64, target: u32, bytes: u32): i32 {
  lock.acquire();
  const address = fileAt(ino);
  const result = address == 0 ? noFile(ino) : <i32>content.read(address, offset, target, bytes);
  lock.release();
  return result;
}

/** Address of a byte of the content; 0 at the end, or in a hole. located() says how many bytes. */
export function locate(ino: u32, offset: f64): u32 {
  lock.acquire();
  const address = fileAt(ino);
  const result = address == 0 ? 0 : content.locate(address, offset);
  lock.release();
  return result;
}
export function located(): u32 {
  return content.locatedBytes;
}

export function write(ino: u32, offset: f64, source: u32, bytes: u32): i32 {
  lock.acquire();
  const address = fileAt(ino);
  const result = address == 0 ? noFile(ino) : content.write(address, offset, source, bytes);
  lock.release();
  return result;
}

export function resize(ino: u32, bytes: f64): i32 {
  lock.acquire();
  const address = fileAt(ino);
  const result = address == 0 ? noFile(ino) : content.resize(address, bytes);
  lock.release();
  return result;
}

/** Zeroes memory, for a host that cannot store there unchecked. */
export function clear(address: u32, bytes: u32): void {
  for (let done: u32 = 0; done < bytes; done += 65536)
    memory.fill(address + done, 0, min<u32>(65536, bytes - done));
}

export function changes(): u32 {
  return load<u32>(space.superblock, SUPER_CHANGES);
}

// --- open files --------------------------------------------------------------------------------------------

export function open(ino: u32): i32 {
  lock.acquire();
  const result = opens.open(ino);
  lock.release();
  return result;
}

export function close(record: u32): i32 {
  lock.acquire();
  const result = opens.close(record);
  lock.release();
  return result;
}

/** Sets a word of a record. */
export function setOpen(record: u32, field: u32, value: u32): void {
  const address = opens.at(record);
  if (address != 0 && field < 64) store<u32>(address + (field & 60), value);
}

/** Whose descriptor it is, and the state of that. */
export function describe(
  record: u32,
  owner: u32,
  number: u32,
  flags: u32,
  base: u32,
  inheriting: u32,
): void {
  const address = opens.at(record);
  if (address == 0) return;
  store<u32>(address, owner, OPEN_OWNER);
  store<u32>(address, number, OPEN_NUMBER);
  store<u32>(address, flags, OPEN_FLAGS);
  store<u32>(address, base, OPEN_BASE);
  store<u32>(address, inheriting, OPEN_INHERITING);
}

export function position(record: u32): f64 {
  const address = opens.at(record);
  return address == 0 ? 0 : <f64>load<u64>(address, OPEN_POSITION);
}

export function seek(record: u32, to: f64): void {
  const address = opens.at(record);
  if (address != 0) store<u64>(address, <u64>to, OPEN_POSITION);
}

/** Reads at the position, and moves it. */
export function readNext(record: u32, target: u32, bytes: u32): i32 {
  const address = opens.at(record);
  if (address == 0) return -EBADF;
  const at = load<u64>(address, OPEN_POSITION);
  const result = read(load<u32>(address, OPEN_INODE), <f64>at, target, bytes);
  if (result > 0) store<u64>(address, at + result, OPEN_POSITION);
  return result;
}

/** Reads at an offset. */
export function readAt(record: u32, offset: f64, target: u32, bytes: u32): i32 {
  const address = opens.at(record);
  return address == 0 ? -EBADF : read(load<u32>(address, OPEN_INODE), offset, target, bytes);
}

/** Writes at an offset, or at the end. */
export function writeAt(record: u32, offset: f64, source: u32, bytes: u32, appends: bool): i32 {
  const address = opens.at(record);
  if (address == 0) return -EBADF;
  lock.acquire();
  const ino = load<u32>(address, OPEN_INODE);
  const file = fileAt(ino);
  const at = appends && file != 0 ? <f64>content.size(file) : offset;
  const result = file == 0 ? noFile(ino) : content.write(file, at, source, bytes);
  lock.release();
  return result;
}

/** Writes at the position, or at the end, and moves it. */
export function writeNext(record: u32, source: u32, bytes: u32, appends: bool): i32 {
  const address = opens.at(record);
  if (address == 0) return -EBADF;
  lock.acquire();
  const ino = load<u32>(address, OPEN_INODE);
  const file = fileAt(ino);
  let result = noFile(ino);
  if (file != 0) {
    const at = appends ? content.size(file) : load<u64>(address, OPEN_POSITION);
    result = content.write(file, <f64>at, source, bytes);
    if (result > 0) store<u64>(address, at + result, OPEN_POSITION);
  }
  lock.release();
  return result;
}

// --- attributes --------------------------------------------------------------------------------------------

export function setMode(ino: u32, mode: u32, uid: u32, gid: u32): i32 {
  lock.acquire();
  const address = inode.at(ino);
  if (address != 0) {
    const type = load<u32>(address, INODE_MODE) & TYPE_MASK;
    store<u32>(address, type | (mode & 0o7777), INODE_MODE);
    store<u32>(address, uid, INODE_UID);
    store<u32>(address, gid, INODE_GID);
    store<i64>(address, inode.now(), INODE_CTIME);
  }
  lock.release();
  return address == 0 ? -ENOENT : 0;
}

/** Times in nanoseconds since 1970, in two halves each. */
export function setTimes(ino: u32, atime: u32, atimeHigh: u32, mtime: u32, mtimeHigh: u32): i32 {
  lock.acquire();
  const address = inode.at(ino);
  if (address != 0) {
    store<u64>(address, ((<u64>atimeHigh) << 32) | (<u64>atime), INODE_ATIME);
    store<u64>(address, ((<u64>mtimeHigh) << 32) | (<u64>mtime), INODE_MTIME);
    store<i64>(address, inode.now(), INODE_CTIME);
  }
  lock.release();
  return address == 0 ? -ENOENT : 0;
}
