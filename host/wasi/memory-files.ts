// Files in the VM for WASI: the operations that the host's directories have, on guest/fs. What is open is a
// record there, with the state of its descriptor, so that a fork has it, too.
//
// Invariants  Answers and errors are those of Linux, in its order (open(2), path_resolution(7)):
//             tests/files/wasi.test.ts compares them with a directory of the host.

import { OPEN } from '#platform/beneath';
import * as abi from '../../guest/fs/abi.ts';
import { kindOf, type FileSystem } from '../files/file-system.ts';
import { codeOf } from '../files/guest.ts';
import type { Directory, FileKind } from '../platform/file-facts.ts';
import type { Backend, Beneath, OpenFiles } from './backend.ts';
import { pathError, type Walked } from '../syscalls/walk.ts';
import { FDFLAG } from './abi.ts';

interface MemoryDirectory extends Directory {
  readonly ino: number;
}

const inoOf = (directory: Directory): number => (directory as MemoryDirectory).ino;
const MODE = 0o644; // of new files: WASI has no permissions
const DIRECTORY_MODE = 0o755;
const ACCESS = OPEN.write | OPEN.readWrite;

function fail(code: string): never {
  throw pathError(code, 'a file in the VM');
}

/** The result, unless it is a negative errno. */
function good(result: number): number {
  if (result >= 0) return result;
  return fail(codeOf(result));
}

const nanoseconds = (seconds: number): bigint => BigInt(Math.round(seconds * 1e6)) * 1000n;

export class MemoryFiles implements Backend {
  readonly files: FileSystem;
  readonly memory = this;
  readonly beneath: Beneath;
  readonly descriptors: OpenFiles;
  readonly walked: Walked;
  /** The vCPU whose descriptors they are: in a fork, its parent's. */
  readonly owner: number;

  constructor(files: FileSystem, owner: number) {
    this.files = files;
    this.owner = owner;
    this.beneath = this.#beneath();
    this.descriptors = this.#descriptors();
    this.walked = {
      enterDirectory: (parent, name) => this.#enter(parent, name),
      leaveDirectory: () => {},
      isLink: this.beneath.isLink,
      readLink: this.beneath.readLink,
    };
  }

  directoryOf(record: number): MemoryDirectory {
    return { descriptor: -1, path: '', ino: this.ino(record) };
  }

  kindOf(record: number): FileKind {
    return kindOf(this.files.mode(this.ino(record)));
  }

  #enter(parent: Directory, name: string): MemoryDirectory {
    const ino = good(this.files.look(inoOf(parent), name));
    if (!this.files.isDirectory(ino)) fail('ENOTDIR');
    return { descriptor: -1, path: '', ino };
  }

  /** The inode that a record refers to. */
  ino(record: number): number {
    return this.word(record, abi.OPEN_INODE);
  }

  word(record: number, field: number): number {
    const { guest } = this.files;
    const address = guest.calls.openAddress(record);
    if (address === 0) fail('EBADF');
    return guest.view.getUint32(guest.peek(address, abi.OPEN_BYTES) + field, true);
  }

  setWord(record: number, field: number, value: number): void {
    this.files.guest.calls.setOpen(record, field, value);
  }

  /** Notes whose descriptor the record is, and its state. */
  describe(record: number, number: number, flags: number, base: number, inheriting: number): void {
    const { calls } = this.files.guest;
    calls.describe(record, this.owner + 1, number, flags, base, inheriting);
  }

  /** Opens an inode: its record. */
  open(ino: number, access: number): number {
    const record = good(this.files.guest.calls.open(ino));
    this.setWord(record, abi.OPEN_ACCESS, access & ACCESS);
    return record;
  }

  /** Records of the descriptors of the owner. */
  *owned(): Generator<number, void> {
    const { guest } = this.files;
    for (let record = 0; record < guest.calls.openEnd(); record++) {
      if (guest.calls.openAddress(record) === 0) continue;
      if (this.word(record, abi.OPEN_OWNER) === this.owner + 1) yield record;
    }
  }

  #object(directory: Directory, name: string): number {
    if (name === '.') return inoOf(directory);
    return good(this.files.look(inoOf(directory), name));
  }

  #beneath(): Beneath {
    const { files } = this;
    return {
      open: (directory, name, flags) => this.#open(directory, name, flags),
      isLink: (directory, name) => {
        const ino = files.look(inoOf(directory), name);
        if (codeOf(ino) === 'ENOENT') return false;
        return (files.mode(good(ino)) & abi.TYPE_MASK) === abi.TYPE_LINK;
      },
      facts: (directory, name) => files.facts(this.#object(directory, name)),
      readLink: (directory, name) => {
        const ino = this.#object(directory, name);
        if ((files.mode(ino) & abi.TYPE_MASK) !== abi.TYPE_LINK) fail('EINVAL');
        return files.readLink(ino);
      },
      makeDirectory: (directory, name) =>
        void files.make(inoOf(directory), name, abi.TYPE_DIRECTORY | DIRECTORY_MODE),
      removeDirectory: (directory, name) => files.removeDirectory(inoOf(directory), name),
      unlink: (directory, name) => files.unlink(inoOf(directory), name),
      rename: (from, name, to, newName) => files.rename(inoOf(from), name, inoOf(to), newName),
      link: (from, name, to, newName) => files.link(this.#object(from, name), inoOf(to), newName),
      symlink: (target, directory, name) => void files.symlink(inoOf(directory), name, target),
      setTimes: (directory, name, atimeS, mtimeS) =>
        files.setTimes(this.#object(directory, name), nanoseconds(atimeS), nanoseconds(mtimeS)),
      list: () => fail('ENOSYS'), // fd_readdir lists by cookies
    };
  }

  /** As open(2) with O_NOFOLLOW. */
  #open(directory: Directory, name: string, flags: number): number {
    const { files } = this;
    const found = name === '.' ? inoOf(directory) : files.look(inoOf(directory), name);
    const creates = (flags & OPEN.create) !== 0;
    if (creates && codeOf(found) === 'ENOENT')
      return this.open(files.make(inoOf(directory), name, abi.TYPE_FILE | MODE), flags);
    const ino = good(found);
    const type = files.mode(ino) & abi.TYPE_MASK;
    const isDirectory = type === abi.TYPE_DIRECTORY;
    if (creates && flags & OPEN.exclusive) fail('EEXIST');
    if (creates && isDirectory) fail('EISDIR');
    if (flags & OPEN.directory && !isDirectory) fail('ENOTDIR');
    if (type === abi.TYPE_LINK) fail('ELOOP');
    const writes = (flags & ACCESS) !== 0 || (flags & OPEN.truncate) !== 0;
    if (isDirectory && writes) fail('EISDIR');
    const record = this.open(ino, flags);
    if (flags & OPEN.truncate) files.resize(ino, 0);
    return record;
  }

  #descriptors(): OpenFiles {
    const { files } = this;
    return {
      close: (record) => files.close(record),
      facts: (record) => files.facts(this.ino(record)),
      truncate: (record, bytes) => {
        if (this.word(record, abi.OPEN_ACCESS) === 0) fail('EINVAL');
        files.resize(this.ino(record), bytes);
      },
      setTimes: (record, atimeS, mtimeS) =>
        files.setTimes(this.ino(record), nanoseconds(atimeS), nanoseconds(mtimeS)),
      sync: () => {},
      dataSync: () => {},
      reopen: (record, flags) => this.open(this.ino(record), flags),
    };
  }

  /** Reads at a position, or at the record's own, which moves. */
  read(record: number, address: number, bytes: number, position: number | undefined): number {
    const { calls } = this.files.guest;
    return good(
      position === undefined
        ? calls.readNext(record, address, bytes)
        : calls.readAt(record, position, address, bytes),
    );
  }

  /** The same for writing. With the flag, it is always at the end. */
  write(
    record: number,
    address: number,
    bytes: number,
    position: number | undefined,
    flags: number,
  ): number {
    const { calls } = this.files.guest;
    const appends = flags & FDFLAG.APPEND;
    return position === undefined
      ? calls.writeNext(record, address, bytes, appends)
      : calls.writeAt(record, position, address, bytes, appends);
  }

  /** Throws the error of a negative result. */
  check(result: number): void {
    if (result < 0) good(result);
  }
}
