// The file system of a VM, one name at a time: what paths, WASI and Emscripten's interface build on. Files
// are named by inode. An error is thrown with its code, or returned as a negative errno where this says so.
//
// Invariants  FILES-4  A program may have damaged its files. The host relies on nothing in them before it has
//                      checked it: names, sizes.

import * as errno from '../../assembly/abi/errno.ts';
import * as abi from '../../guest/fs/abi.ts';
import type { FileFacts, FileKind } from '../platform/file-facts.ts';
import { nameOf } from '../platform/file-name.ts';
import { fileError, FileGuest, TEXT_BYTES_MAX } from './guest.ts';

/** An entry of a directory. `cookie` is where the listing continues after it. */
interface Listed {
  readonly ino: number;
  readonly name: string;
  readonly type: number;
  readonly cookie: number;
}

/** Attributes of a file, as numbers; times in nanoseconds since 1970. */
export interface Attributes {
  readonly ino: number;
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
  readonly birthtime: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly blocks: number;
}

/** Room and files of a file system. */
export interface Usage {
  /** Blocks that the VM could have for files now, and that files use, of `blockBytes` each. */
  readonly blocks: number;
  readonly used: number;
  readonly blockBytes: number;
  readonly files: number;
}

/** Number by which files of the VM differ from those of the host (`st_dev`). */
export const DEVICE = 0x727a;

const KINDS = new Map<number, FileKind>([
  [abi.TYPE_DIRECTORY, 'directory'],
  [abi.TYPE_FILE, 'file'],
  [abi.TYPE_LINK, 'link'],
]);
const WRITTEN_AT = 16384; // bytes of the staging buffer before it are for names

export const kindOf = (mode: number): FileKind => KINDS.get(mode & abi.TYPE_MASK) ?? 'unknown';

export class FileSystem {
  readonly guest: FileGuest;
  #replaced = 0;

  constructor(guest: FileGuest) {
    this.guest = guest;
  }

  // --- names -----------------------------------------------------------------------------------------------

  /** The inode under a name, or a negative errno. */
  look(parent: number, name: string): number {
    const { guest } = this;
    const at = guest.put(name);
    return guest.calls.look(parent, at, guest.length);
  }

  /** A new file or directory: its inode. */
  make(parent: number, name: string, mode: number): number {
    const { guest } = this;
    const at = guest.put(name);
    return checked(guest.calls.make(parent, at, guest.length, mode), name);
  }

  symlink(parent: number, name: string, text: string): number {
    const { guest } = this;
    const at = guest.put(name);
    const { length } = guest;
    const second = guest.putSecond(text);
    return checked(guest.calls.symlink(parent, at, length, second, guest.length), name);
  }

  link(ino: number, parent: number, name: string): void {
    const { guest } = this;
    const at = guest.put(name);
    checked(guest.calls.link(ino, parent, at, guest.length), name);
  }

  unlink(parent: number, name: string): void {
    const { guest } = this;
    const at = guest.put(name);
    checked(guest.calls.unlink(parent, at, guest.length), name);
  }

  removeDirectory(parent: number, name: string): void {
    const { guest } = this;
    const at = guest.put(name);
    checked(guest.calls.removeDirectory(parent, at, guest.length), name);
  }

  rename(parent: number, name: string, newParent: number, newName: string): void {
    const { guest } = this;
    const at = guest.put(name);
    const { length } = guest;
    const second = guest.putSecond(newName);
    checked(guest.calls.rename(parent, at, length, newParent, second, guest.length), name);
  }

  /** Some entries from a cookie on, 0 = from the start; none at the end. */
  list(ino: number, cookie: number): Listed[] {
    const { guest } = this;
    const bytes = checked(guest.calls.list(ino, cookie >>> 0), `directory ${ino}`);
    const entries: Listed[] = [];
    if (bytes === 0) return entries;
    const start = guest.peek(guest.calls.scratchAddress(), bytes);
    for (let at = start; at < start + bytes;) {
      const length = guest.view.getUint8(at + abi.LISTED_NAME_BYTES);
      entries.push({
        ino: guest.view.getUint32(at, true),
        cookie: guest.view.getUint32(at + abi.LISTED_COOKIE, true),
        type: guest.view.getUint8(at + abi.LISTED_TYPE) << 12,
        name: checkedName(guest.text(at + abi.LISTED_NAME, length)),
      });
      at += (abi.LISTED_NAME + length + 3) & ~3;
    }
    return entries;
  }

  // --- attributes ------------------------------------------------------------------------------------------

  /** Address where the host may read an inode's fields. */
  #inode(ino: number): number {
    const { guest } = this;
    const address = guest.calls.inodeAddress(ino);
    if (address === 0) throw fileError(errno.ENOENT, `file ${ino}`);
    return guest.peek(address, abi.INODE_BYTES);
  }

  mode(ino: number): number {
    return this.guest.view.getUint32(this.#inode(ino) + abi.INODE_MODE, true);
  }

  size(ino: number): number {
    const size = Number(this.guest.view.getBigUint64(this.#inode(ino) + abi.INODE_SIZE, true));
    if (size > abi.FILE_BYTES_MAX) throw fileError(errno.EIO, `file ${ino}`);
    return size;
  }

  isDirectory(ino: number): boolean {
    return (this.mode(ino) & abi.TYPE_MASK) === abi.TYPE_DIRECTORY;
  }

  attributes(ino: number): Attributes {
    const { view } = this.guest;
    const at = this.#inode(ino);
    return {
      ino,
      mode: view.getUint32(at + abi.INODE_MODE, true),
      links: view.getUint32(at + abi.INODE_LINKS, true),
      size: Number(view.getBigUint64(at + abi.INODE_SIZE, true)),
      atime: view.getBigInt64(at + abi.INODE_ATIME, true),
      mtime: view.getBigInt64(at + abi.INODE_MTIME, true),
      ctime: view.getBigInt64(at + abi.INODE_CTIME, true),
      birthtime: view.getBigInt64(at + abi.INODE_BTIME, true),
      uid: view.getUint32(at + abi.INODE_UID, true),
      gid: view.getUint32(at + abi.INODE_GID, true),
      blocks: view.getUint32(at + abi.INODE_MAP + abi.MAP_BLOCKS, true),
    };
  }

  /** The attributes as those of host files are reported. */
  facts(ino: number): FileFacts {
    const { mode, links, size, atime, mtime, ctime } = this.attributes(ino);
    const times = { atimeNs: atime, mtimeNs: mtime, ctimeNs: ctime };
    const numbers = { dev: BigInt(DEVICE), ino: BigInt(ino), nlink: BigInt(links) };
    return { kind: kindOf(mode), ...numbers, size: BigInt(size), ...times };
  }

  setMode(ino: number, mode: number, uid: number, gid: number): void {
    checked(this.guest.calls.setMode(ino, mode, uid, gid), `file ${ino}`);
  }

  setTimes(ino: number, atime: bigint, mtime: bigint): void {
    const half = (value: bigint, shift: bigint): number =>
      Number((BigInt.asUintN(64, value) >> shift) & 0xffffffffn);
    const { calls } = this.guest;
    const times = [half(atime, 0n), half(atime, 32n), half(mtime, 0n), half(mtime, 32n)] as const;
    checked(calls.setTimes(ino, ...times), `file ${ino}`);
  }

  // --- content ---------------------------------------------------------------------------------------------

  /** Reads to memory of the VM: bytes read, or a negative errno. */
  readTo(ino: number, offset: number, address: number, bytes: number): number {
    return this.guest.calls.read(ino, offset, address, bytes);
  }

  /** Writes from memory of the VM: bytes written, or a negative errno. */
  writeFrom(ino: number, offset: number, address: number, bytes: number): number {
    return this.guest.calls.write(ino, offset, address, bytes);
  }

  /** Reads to an array: bytes read. */
  read(ino: number, offset: number, target: Uint8Array): number {
    const { guest } = this;
    let done = 0;
    while (done < target.length) {
      const address = guest.calls.locate(ino, offset + done) >>> 0;
      const part = Math.min(guest.calls.located(), guest.stagingBytes, target.length - done);
      if (part === 0) break;
      if (address === 0) target.fill(0, done, done + part);
      else {
        const at = guest.peek(address, part);
        target.set(guest.bytes.subarray(at, at + part), done);
      }
      done += part;
    }
    return done;
  }

  /** Writes an array: all of it, or it fails; what was written before it failed stays. */
  write(ino: number, offset: number, source: Uint8Array): void {
    const { guest } = this;
    const at = guest.staging + WRITTEN_AT;
    const most = guest.stagingBytes - WRITTEN_AT;
    for (let done = 0; done < source.length;) {
      const part = source.subarray(done, done + most);
      guest.bytes.set(part, at);
      const written = guest.calls.write(ino, offset + done, at, part.length);
      done += checked(written, `file ${ino}`);
    }
  }

  resize(ino: number, bytes: number): void {
    checked(this.guest.calls.resize(ino, bytes), `file ${ino}`);
  }

  /** The text of a symbolic link. */
  readLink(ino: number): string {
    const bytes = this.size(ino);
    if (bytes > TEXT_BYTES_MAX) throw fileError(errno.EIO, `link ${ino}`);
    const text = new Uint8Array(bytes);
    this.read(ino, 0, text);
    return nameOf(text);
  }

  /** Zeroes memory of the VM. */
  clear(address: number, bytes: number): void {
    this.guest.calls.clear(address, bytes);
  }

  // --- open files ------------------------------------------------------------------------------------------

  /** A record that keeps the file while it has no name. */
  open(ino: number): number {
    return checked(this.guest.calls.open(ino), `file ${ino}`);
  }

  close(record: number): void {
    checked(this.guest.calls.close(record), `open file ${record}`);
  }

  /** Changes when a name is removed or moved. */
  changes(): number {
    return this.guest.calls.changes() + this.#replaced * 2 ** 32;
  }

  /** Memory has become another one: what remembers inodes must look names up again. */
  replaced(): void {
    this.#replaced++;
  }

  usage(): Usage {
    const { guest } = this;
    const at = guest.peek(guest.calls.superblockAddress(), abi.BLOCK_BYTES);
    const word = (offset: number): number => guest.view.getUint32(at + offset, true);
    const [total, free, files] = [
      word(abi.SUPER_TOTAL),
      word(abi.SUPER_FREE),
      word(abi.SUPER_INODE_COUNT),
    ];
    const room = Math.max(total, guest.room);
    return { blocks: room, used: total - free, blockBytes: abi.BLOCK_BYTES, files };
  }
}

/** A name of one component: others would lead elsewhere, on the host too. */
function checkedName(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw fileError(errno.EIO, JSON.stringify(name));
  return name;
}

/** A result, unless it is a negative errno. */
export function checked(result: number, what: string): number {
  if (result < 0) throw fileError(result, what);
  return result;
}
