// The files of a VM as a file system of Emscripten:
// `FS.mount(ringzeroFS(program, FS), { root: '/data' }, '/data')`. In a fork, the fork takes the program's
// place.
//
// Concurrency Files change under Emscripten's nodes when they are also used otherwise (`program.fs`, WASI). A
//             node remembers its inode until a name has been removed or moved, then it is looked up again.

import { ENOENT } from '../../assembly/abi/errno.ts';
import * as abi from '../../guest/fs/abi.ts';
import { DEVICE, type FileSystem } from '../files/file-system.ts';
import { codeOf } from '../files/guest.ts';
import { existing } from '../files/paths.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import { errno, errnoOfHost } from '../wasi/abi.ts';
import type * as Wasm from '../webassembly.ts';
import type {
  EmscriptenFS,
  EmscriptenNode,
  EmscriptenStream,
  FilesHolder,
} from './emscripten-interface.ts';

interface Place {
  ino: number;
  /** Of the file system, when the inode was looked up. NaN = never looked up: the node has no name. */
  changes: number;
}

/** An open file, as data: a copy of the file system has it open, too. */
export interface OpenFile {
  readonly record: number;
  readonly ino: number;
  readonly uses: number;
}

type Open = { -readonly [Key in keyof OpenFile]: OpenFile[Key] };

const OPEN = Symbol('open');

interface Holder {
  [OPEN]?: Open | undefined;
}

interface Changes {
  mode?: number | null;
  size?: number | null;
  atime?: number | Date | null;
  mtime?: number | Date | null;
  timestamp?: number | null;
}

const ALLOCATORS = ['emscripten_builtin_memalign', 'memalign'] as const;
const MAP_ALIGNMENT = 65536;
const MAP_PRIVATE = 2;

/**
 * A file-system type for `FS.mount`. Option `root`: the directory of the VM's file system that is mounted,
 * '/' by default; it is made if missing.
 *
 * @category Files
 * @example
 * FS.mkdir('/data');
 * FS.mount(ringzeroFS(program, FS), { root: '/data' }, '/data');
 */
export function ringzeroFS(holder: FilesHolder, FS: EmscriptenFS): object {
  return new Mountable(holder, FS).type;
}

/** A file-system type, and what carries its open files to a copy of the program. */
export class Mountable {
  readonly type: object;
  readonly #holder: FilesHolder;
  readonly #fs: EmscriptenFS;
  /** The program's memory, if the files are in it: a branch has them in another. */
  readonly #memory: Wasm.Memory | undefined;
  readonly #system: FileSystem;
  #root: EmscriptenNode | undefined;
  readonly #places = new WeakMap<EmscriptenNode, Place>();
  /** Thrown by each look-up of a new name: one object, because its stack costs more than the look-up. */
  readonly #absent: unknown;
  readonly #nodeOps: object;
  readonly #streamOps: object;

  constructor(holder: FilesHolder, FS: EmscriptenFS) {
    this.#holder = holder;
    this.#fs = FS;
    this.#absent = new FS.ErrnoError(errno('NOENT'));
    this.#system = holder.fs.system;
    const { memory } = holder;
    const isShared =
      memory !== undefined && physicalBuffer(memory) === this.#system.guest.bytes.buffer;
    this.#memory = isShared ? memory : undefined;
    this.#nodeOps = this.#caught({
      getattr: (node: EmscriptenNode) => this.#attributes(this.#ino(node)),
      setattr: (node: EmscriptenNode, changes: Changes) => this.#change(this.#ino(node), changes),
      lookup: (parent: EmscriptenNode, name: string) => this.#lookup(parent, name),
      mknod: (parent: EmscriptenNode, name: string, mode: number) => this.#make(parent, name, mode),
      rename: (node: EmscriptenNode, to: EmscriptenNode, name: string) =>
        this.#rename(node, to, name),
      unlink: (parent: EmscriptenNode, name: string) =>
        this.#system.unlink(this.#ino(parent), name),
      rmdir: (parent: EmscriptenNode, name: string) =>
        this.#system.removeDirectory(this.#ino(parent), name),
      readdir: (node: EmscriptenNode) => this.#names(this.#ino(node)),
      symlink: (parent: EmscriptenNode, name: string, target: string) => {
        const ino = this.#system.symlink(this.#ino(parent), name, target);
        return this.#node(parent, name, ino);
      },
      readlink: (node: EmscriptenNode) => this.#readLink(this.#ino(node)),
      statfs: () => this.#usage(),
    });
    this.#streamOps = this.#caught(this.#streams());
    this.type = this.#caught({
      mount: (mount: { opts?: { root?: string } }) => this.#mount(mount),
      createNode: (parent: EmscriptenNode, name: string, mode: number) =>
        this.#make(parent, name, mode),
      node_ops: this.#nodeOps,
      stream_ops: this.#streamOps,
    });
  }

  #streams(): object {
    return {
      open: (stream: EmscriptenStream) => this.#open(stream),
      close: (stream: EmscriptenStream) => this.#close(stream),
      dup: (stream: EmscriptenStream) => void (this.#openOf(stream).uses += 1),
      getattr: (stream: EmscriptenStream) => this.#attributes(this.#openOf(stream).ino),
      setattr: (stream: EmscriptenStream, changes: Changes) =>
        this.#change(this.#openOf(stream).ino, changes),
      read: this.#read,
      write: this.#write,
      llseek: (stream: EmscriptenStream, offset: number, whence: number) =>
        this.#seek(stream, offset, whence),
      allocate: (stream: EmscriptenStream, offset: number, bytes: number) => {
        const { ino } = this.#openOf(stream);
        this.#system.resize(ino, Math.max(this.#system.size(ino), offset + bytes));
      },
      mmap: (stream: EmscriptenStream, bytes: number, position: number) =>
        this.#map(stream, bytes, position),
      msync: (
        stream: EmscriptenStream,
        buffer: Uint8Array,
        offset: number,
        bytes: number,
        flags: number,
      ) => {
        if ((flags & MAP_PRIVATE) === 0) this.#write(stream, buffer, 0, bytes, offset);
        return 0;
      },
    };
  }

  /** Operations whose errors are Emscripten's. */
  #caught<T extends object>(operations: T): T {
    const all: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(operations)) {
      if (typeof value !== 'function') {
        all[name] = value;
        continue;
      }
      const operation = value as (...args: unknown[]) => unknown;
      all[name] = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown) => {
        try {
          return operation(a, b, c, d, e);
        } catch (error) {
          throw this.#errorOf(error);
        }
      };
    }
    return all as T;
  }

  #errorOf(error: unknown): unknown {
    const { code, errno: number } = error as { code?: unknown; errno?: unknown };
    const isOfFiles = typeof code === 'string' && typeof number === 'number' && number < 0;
    return isOfFiles ? new this.#fs.ErrnoError(errnoOfHost(code)) : error;
  }

  #mount(mount: { opts?: { root?: string } }): unknown {
    const root = mount.opts?.root ?? '/';
    this.#holder.fs.mkdirSync(root, { recursive: true });
    const ino = existing(this.#system, root);
    return (this.#root = this.#node(null, '/', ino));
  }

  #node(parent: EmscriptenNode | null, name: string, ino: number): EmscriptenNode {
    const node = this.#fs.createNode(parent, name, this.#system.mode(ino), 0) as EmscriptenNode;
    node.node_ops = this.#nodeOps;
    node.stream_ops = this.#streamOps;
    this.#places.set(node, { ino, changes: this.#system.changes() });
    return node;
  }

  /** The inode of a node, by its names when they may have changed. Fails with ENOENT. */
  #ino(node: EmscriptenNode): number {
    const place = this.#places.get(node)!;
    const changes = this.#system.changes();
    if (place.changes === changes || Number.isNaN(place.changes)) return place.ino;
    if (node.parent === node || node.parent === undefined || !this.#places.has(node.parent))
      place.ino = existing(this.#system, node.mount.opts?.root ?? '/');
    else place.ino = this.#look(this.#ino(node.parent), node.name);
    place.changes = changes;
    return place.ino;
  }

  #look(parent: number, name: string): number {
    const ino = this.#system.look(parent, name);
    if (ino < 0) throw ino === -ENOENT ? this.#absent : new this.#fs.ErrnoError(numberOf(ino));
    return ino;
  }

  #lookup(parent: EmscriptenNode, name: string): unknown {
    return this.#node(parent, name, this.#look(this.#ino(parent), name));
  }

  #make(parent: EmscriptenNode, name: string, mode: number): unknown {
    const type = mode & abi.TYPE_MASK;
    if (type !== abi.TYPE_FILE && type !== abi.TYPE_DIRECTORY)
      throw new this.#fs.ErrnoError(errno('PERM'));
    return this.#node(parent, name, this.#system.make(this.#ino(parent), name, mode));
  }

  #readLink(ino: number): string {
    if ((this.#system.mode(ino) & abi.TYPE_MASK) !== abi.TYPE_LINK)
      throw new this.#fs.ErrnoError(errno('INVAL'));
    return this.#system.readLink(ino);
  }

  #rename(node: EmscriptenNode, to: EmscriptenNode, name: string): void {
    this.#system.rename(this.#ino(node.parent), node.name, this.#ino(to), name);
    node.name = name;
  }

  #names(ino: number): string[] {
    const names = ['.', '..'];
    for (let cookie = 0; ;) {
      const some = this.#system.list(ino, cookie);
      if (some.length === 0) return names;
      for (const { name } of some) names.push(name);
      cookie = some.at(-1)!.cookie;
    }
  }

  #attributes(ino: number): object {
    const { mode, links, size, atime, mtime, ctime, uid, gid } = this.#system.attributes(ino);
    const date = (ns: bigint): Date => new Date(Number(ns / 1000000n));
    return {
      ...{ dev: DEVICE, ino, mode, nlink: links, uid, gid, rdev: 0, size },
      ...{ atime: date(atime), mtime: date(mtime), ctime: date(ctime) },
      blksize: abi.BLOCK_BYTES,
      blocks: Math.ceil(size / 512),
    };
  }

  #change(ino: number, { mode, size, atime, mtime, timestamp }: Changes): void {
    if (size != null) this.#system.resize(ino, size);
    const old = this.#system.attributes(ino);
    if (mode != null) this.#system.setMode(ino, mode, old.uid, old.gid);
    const ns = (value: number | Date | null | undefined, kept: bigint): bigint =>
      value == null ? kept : BigInt(Math.round(Number(value) * 1e3)) * 1000n;
    const access = atime ?? timestamp;
    const change = mtime ?? timestamp;
    if (access != null || change != null)
      this.#system.setTimes(ino, ns(access, old.atime), ns(change, old.mtime));
  }

  #usage(): object {
    const { blocks, used, blockBytes, files } = this.#system.usage();
    const free = blocks - used;
    return {
      ...{ bsize: blockBytes, frsize: blockBytes, blocks, bfree: free, bavail: free },
      ...{ files: files + free * abi.INODES_PER_BLOCK, ffree: free * abi.INODES_PER_BLOCK },
      ...{ fsid: DEVICE, flags: 0, namelen: abi.NAME_BYTES_MAX },
    };
  }

  /** Duplicates of a descriptor share what Emscripten calls `shared`; the open file is noted there. */
  #holderOf(stream: EmscriptenStream): Holder {
    return stream.shared ?? stream;
  }

  #open(stream: EmscriptenStream): void {
    const ino = this.#ino(stream.node);
    this.#holderOf(stream)[OPEN] = { ino, record: this.#system.open(ino), uses: 1 };
  }

  #openOf(stream: EmscriptenStream): Open {
    const open = this.#holderOf(stream)[OPEN];
    if (open === undefined) throw new this.#fs.ErrnoError(errno('BADF'));
    return open;
  }

  /** What the stream has open; undefined = a file of another file system. */
  openFile(stream: EmscriptenStream): OpenFile | undefined {
    const open = this.#holderOf(stream)[OPEN];
    return open && { ...open };
  }

  /** A stream on a file that is open already, which may have no name any more. */
  streamOn(file: OpenFile): object {
    const node = this.#node(this.#root!, '', file.ino);
    this.#fs.destroyNode(node);
    this.#places.get(node)!.changes = NaN;
    const shared: Holder = { [OPEN]: { ...file } };
    return { node, stream_ops: this.#streamOps, seekable: true, ungotten: [], shared };
  }

  #close(stream: EmscriptenStream): void {
    const open = this.#openOf(stream);
    if (--open.uses > 0) return;
    this.#holderOf(stream)[OPEN] = undefined;
    this.#system.close(open.record);
  }

  /** Address of a part of a buffer in the memory that has the files; -1 = it is elsewhere. */
  #addressOf(buffer: Uint8Array, offset: number): number {
    const isShown = buffer.buffer === (this.#memory?.buffer as unknown);
    return isShown ? buffer.byteOffset + offset : -1;
  }

  readonly #read = (
    stream: EmscriptenStream,
    buffer: Uint8Array,
    offset: number,
    bytes: number,
    position: number,
  ): number => {
    const { ino } = this.#openOf(stream);
    const address = this.#addressOf(buffer, offset);
    if (address < 0)
      return this.#system.read(ino, position, bytesOf(buffer).subarray(offset, offset + bytes));
    return this.#result(this.#system.readTo(ino, position, address, bytes));
  };

  readonly #write = (
    stream: EmscriptenStream,
    buffer: Uint8Array,
    offset: number,
    bytes: number,
    position: number,
  ): number => {
    const { ino } = this.#openOf(stream);
    const address = this.#addressOf(buffer, offset);
    if (address >= 0) return this.#result(this.#system.writeFrom(ino, position, address, bytes));
    this.#system.write(ino, position, bytesOf(buffer).subarray(offset, offset + bytes));
    return bytes;
  };

  #result(result: number): number {
    if (result < 0) throw new this.#fs.ErrnoError(numberOf(result));
    return result;
  }

  #seek(stream: EmscriptenStream, offset: number, whence: number): number {
    const from =
      whence === 1
        ? stream.position
        : whence === 2
          ? this.#system.size(this.#openOf(stream).ino)
          : 0;
    if (from + offset < 0) throw new this.#fs.ErrnoError(errno('INVAL'));
    return from + offset;
  }

  /** A copy of a part of the file, in memory of the program's allocator. */
  #map(stream: EmscriptenStream, bytes: number, position: number): object {
    const exports = this.#holder.exports as Record<string, unknown>;
    const name = ALLOCATORS.find((known) => typeof exports[known] === 'function');
    if (name === undefined || this.#memory === undefined)
      throw new this.#fs.ErrnoError(errno('NODEV'));
    const allocate = exports[name] as (alignment: number, bytes: number) => number;
    const whole = Math.ceil(bytes / MAP_ALIGNMENT) * MAP_ALIGNMENT;
    const ptr = allocate(MAP_ALIGNMENT, whole) >>> 0;
    if (ptr === 0) throw new this.#fs.ErrnoError(errno('NOMEM'));
    const { ino } = this.#openOf(stream);
    const got = this.#result(this.#system.readTo(ino, position, ptr, bytes));
    this.#system.clear(ptr + got, whole - got);
    return { ptr, allocated: true };
  }
}

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);

/** The number that Emscripten has for a negative result. */
function numberOf(result: number): number {
  return result === -ENOENT ? errno('NOENT') : errnoOfHost(codeOf(result));
}
