// SQLite's files in the VM: a VFS over its file system, installed the same way in a program and in its forks,
// so that its functions have the same places in the table.
//
// Invariants  What a connection has open is in its `sqlite3_file`, in memory: a fork has it open, too. Locks
//             are kept here: a fork has one connection, and what others had not committed is rolled back by
//             the journal, as after a crash.

import type { FileSystem } from '../files/file-system.ts';
import type { Files } from '../files/files.ts';
import { existing, find, placeOf } from '../files/paths.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type * as Wasm from '../webassembly.ts';

/** A program, or the branch of one. */
export interface FilesOwner {
  readonly fs: Files;
  readonly memory: Wasm.Memory;
  beforeWrite?(address: number, bytes: number): void;
}

type Struct = Record<string, unknown>;
type StructType = new (pointer?: number) => Struct;

/** What is used of the package's interface to C structures. */
export interface VfsApi {
  readonly capi: {
    sqlite3_vfs: StructType;
    sqlite3_io_methods: StructType;
    sqlite3_vfs_find(name: null): number;
  };
  readonly wasm: { cstrToJs(address: number): string; allocCString(text: string): number };
  readonly vfs: { installVfs(options: object): void };
}

const NAME = 'ringzero';
const OK = 0;
const BUSY = 5;
const NOTFOUND = 12;
const CANTOPEN = 14;
const IOERR = 10;
const IOERR_SHORT_READ = 522;
const IOERR_DELETE_NOENT = 5898;
const OPEN_CREATE = 4;
const OPEN_EXCLUSIVE = 16;
const OPEN_DELETEONCLOSE = 8;
const [SHARED, RESERVED, PENDING, EXCLUSIVE] = [1, 2, 3, 4] as const;
const POWERSAFE_OVERWRITE = 0x1000;
const FILE_MODE = 0o100644;
const SECTOR_BYTES = 4096;
const PATH_BYTES = 1024;
/** Offsets of words in `sqlite3_file`, whose first is SQLite's. */
const INO = 4;
const RECORD = 8;
const FILE_BYTES = 16;
/** In `sqlite3_vfs`, the word for the VFS's own use: address of the methods of files. */
const METHODS = 20;

class VmFiles {
  readonly #owner: FilesOwner;
  readonly #api: VfsApi;
  readonly #system: FileSystem;
  readonly #isShared: boolean;
  /** By inode: levels of the connections that have locks. */
  readonly #locks = new Map<number, Map<number, number>>();
  #temporary = 0;

  constructor(api: VfsApi, owner: FilesOwner) {
    this.#api = api;
    this.#owner = owner;
    this.#system = owner.fs.system;
    this.#isShared = physicalBuffer(owner.memory) === this.#system.guest.bytes.buffer;
  }

  #view(address: number, bytes: number): DataView {
    this.#owner.beforeWrite?.(address, bytes);
    return new DataView(physicalBuffer(this.#owner.memory), address, bytes);
  }
  #put(address: number, value: number): void {
    this.#view(address >>> 0, 4).setInt32(0, value, true);
  }
  #word(structure: number, at: number): number {
    const view = new DataView(physicalBuffer(this.#owner.memory));
    return view.getInt32((structure >>> 0) + at, true);
  }
  #ino(file: number): number {
    return this.#word(file, INO);
  }

  /** Methods whose failures are SQLite's. */
  #safely<Args extends number[]>(
    code: number,
    method: (...args: Args) => number,
  ): (...args: Args) => number {
    return (...args) => {
      try {
        return method(...args);
      } catch {
        return code;
      }
    };
  }

  /** Of `sqlite3_io_methods`. */
  get io(): object {
    return {
      xClose: this.#safely(IOERR, (file) => {
        this.#setLock(file, 0);
        this.#system.close(this.#word(file, RECORD));
        return OK;
      }),
      xRead: this.#safely(IOERR, (file, to, bytes, offset) => this.#read(file, to, bytes, offset)),
      xWrite: this.#safely(IOERR, (file, from, bytes, offset) =>
        this.#write(file, from, bytes, offset),
      ),
      xTruncate: this.#safely(IOERR, (file, bytes) => {
        this.#system.resize(this.#ino(file), Number(bytes));
        return OK;
      }),
      xSync: () => OK,
      xFileSize: this.#safely(IOERR, (file, at) => {
        this.#view(at >>> 0, 8).setBigInt64(0, BigInt(this.#system.size(this.#ino(file))), true);
        return OK;
      }),
      xLock: (file: number, level: number) => this.#lock(file, level),
      xUnlock: (file: number, level: number) => this.#setLock(file, level),
      xCheckReservedLock: this.#safely(IOERR, (file, at) => {
        const levels = [...(this.#locks.get(this.#ino(file))?.values() ?? [])];
        this.#put(at, levels.some((level) => level >= RESERVED) ? 1 : 0);
        return OK;
      }),
      xFileControl: () => NOTFOUND,
      xSectorSize: () => SECTOR_BYTES,
      xDeviceCharacteristics: () => POWERSAFE_OVERWRITE,
    };
  }

  /** Of `sqlite3_vfs`. */
  get vfs(): object {
    return {
      xOpen: this.#safely(CANTOPEN, (vfs, name, file, flags, out) => {
        const result = this.#open(name, file, flags, out);
        if (result === OK) this.#put(file, this.#word(vfs, METHODS));
        return result;
      }),
      xDelete: this.#safely(IOERR, (_vfs, name) => {
        const { parent, name: last, ino } = placeOf(this.#system, this.#path(name));
        if (ino === 0) return IOERR_DELETE_NOENT;
        this.#system.unlink(parent, last);
        return OK;
      }),
      xAccess: this.#safely(IOERR, (_vfs, name, _flags, out) => {
        this.#put(out, this.#exists(this.#path(name)) ? 1 : 0);
        return OK;
      }),
      xFullPathname: this.#safely(CANTOPEN, (_vfs, name, bytes, out) => {
        const path = this.#path(name);
        const text = new TextEncoder().encode(path.startsWith('/') ? path : `/${path}`);
        if (text.length >= bytes) return CANTOPEN;
        const view = this.#view(out >>> 0, text.length + 1);
        text.forEach((byte, i) => view.setUint8(i, byte));
        view.setUint8(text.length, 0);
        return OK;
      }),
    };
  }

  #path(name: number): string {
    return this.#api.wasm.cstrToJs(name);
  }

  #exists(path: string): boolean {
    try {
      return find(this.#system, path, true).ino !== 0;
    } catch {
      return false;
    }
  }

  #open(name: number, file: number, flags: number, out: number): number {
    const system = this.#system;
    const isNamed = name !== 0;
    const path = isNamed ? this.#path(name) : `/.sqlite-${++this.#temporary}`;
    const { parent, name: last, ino: found } = placeOf(system, path, true);
    if (found !== 0 && (flags & OPEN_EXCLUSIVE) !== 0) return CANTOPEN;
    if (found === 0 && (flags & OPEN_CREATE) === 0) return CANTOPEN;
    if (found !== 0 && system.isDirectory(found)) return CANTOPEN;
    const ino = found === 0 ? system.make(parent, last, FILE_MODE) : existing(system, path);
    this.#put(file + INO, ino);
    this.#put(file + RECORD, system.open(ino));
    if (!isNamed || (flags & OPEN_DELETEONCLOSE) !== 0) system.unlink(parent, last);
    if (out !== 0) this.#put(out, flags);
    return OK;
  }

  #read(file: number, to: number, bytes: number, offset: number): number {
    const [ino, at, position] = [this.#ino(file), to >>> 0, Number(offset)];
    if (this.#isShared) {
      const got = this.#system.readTo(ino, position, at, bytes);
      if (got < 0) return IOERR;
      if (got === bytes) return OK;
      this.#system.clear(at + got, bytes - got);
      return IOERR_SHORT_READ;
    }
    const target = new Uint8Array(physicalBuffer(this.#owner.memory), at, bytes);
    const got = this.#system.read(ino, position, target);
    target.fill(0, got);
    return got === bytes ? OK : IOERR_SHORT_READ;
  }

  #write(file: number, from: number, bytes: number, offset: number): number {
    const [ino, at, position] = [this.#ino(file), from >>> 0, Number(offset)];
    if (this.#isShared)
      return this.#system.writeFrom(ino, position, at, bytes) === bytes ? OK : IOERR;
    const source = new Uint8Array(physicalBuffer(this.#owner.memory), at, bytes);
    this.#system.write(ino, position, source);
    return OK;
  }

  #lock(file: number, level: number): number {
    const others = [...(this.#locks.get(this.#ino(file)) ?? [])]
      .filter(([other]) => other !== file)
      .map(([, held]) => held);
    const most = Math.max(0, ...others);
    const limit = level === SHARED ? PENDING : level === RESERVED ? RESERVED : SHARED;
    if (most < limit) return this.#setLock(file, level);
    if (level === EXCLUSIVE && most === SHARED) this.#setLock(file, PENDING);
    return BUSY;
  }

  #setLock(file: number, level: number): number {
    const ino = this.#ino(file);
    const levels = this.#locks.get(ino) ?? new Map<number, number>();
    if (level > 0) this.#locks.set(ino, levels.set(file, level));
    else levels.delete(file);
    if (levels.size === 0) this.#locks.delete(ino);
    return OK;
  }
}

const INHERITED = [
  '$xRandomness',
  '$xSleep',
  '$xCurrentTime',
  '$xCurrentTimeInt64',
  '$xGetLastError',
];

/** Makes files of the VM what SQLite's paths name from now on. */
export function installVmFiles(api: VfsApi, owner: FilesOwner): void {
  const { sqlite3_vfs: Vfs, sqlite3_io_methods: Methods, sqlite3_vfs_find } = api.capi;
  const stock = new Vfs(sqlite3_vfs_find(null));
  const vfs = new Vfs();
  const io = new Methods();
  for (const name of INHERITED) vfs[name] = stock[name];
  Object.assign(vfs, { $iVersion: 2, $szOsFile: FILE_BYTES, $mxPathname: PATH_BYTES });
  vfs['$zName'] = api.wasm.allocCString(NAME);
  io['$iVersion'] = 1;
  vfs['$pAppData'] = io['pointer'];
  const files = new VmFiles(api, owner);
  api.vfs.installVfs({
    io: { struct: io, methods: files.io },
    vfs: { struct: vfs, methods: files.vfs, asDefault: true },
  });
}
