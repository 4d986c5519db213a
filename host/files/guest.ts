// One instance of the file system's image: on the vCPU of the thread that made it.

import { STAGING_BYTES } from '../../assembly/abi/limits.ts';
import * as errno from '../../assembly/abi/errno.ts';
import { bytesOf, nameOf } from '../platform/file-name.ts';
import type * as Wasm from '../webassembly.ts';

/** The functions of guest/fs/index.ts. Addresses are signed; a negative result is an errno. */
interface FileExports {
  attach(topPage: number, vcpu: number): void;
  format(): number;
  recover(): void;
  superblockAddress(): number;
  scratchAddress(): number;
  inodeAddress(ino: number): number;
  openAddress(record: number): number;
  openEnd(): number;
  blockAddress(block: number): number;
  look(parent: number, name: number, bytes: number): number;
  make(parent: number, name: number, bytes: number, mode: number): number;
  symlink(parent: number, name: number, bytes: number, text: number, textBytes: number): number;
  link(ino: number, parent: number, name: number, bytes: number): number;
  unlink(parent: number, name: number, bytes: number): number;
  removeDirectory(parent: number, name: number, bytes: number): number;
  rename(
    parent: number,
    name: number,
    bytes: number,
    newParent: number,
    newName: number,
    newBytes: number,
  ): number;
  list(ino: number, cookie: number): number;
  read(ino: number, offset: number, target: number, bytes: number): number;
  locate(ino: number, offset: number): number;
  located(): number;
  write(ino: number, offset: number, source: number, bytes: number): number;
  resize(ino: number, bytes: number): number;
  clear(address: number, bytes: number): void;
  changes(): number;
  open(ino: number): number;
  close(record: number): number;
  setOpen(record: number, field: number, value: number): void;
  describe(
    record: number,
    owner: number,
    number: number,
    flags: number,
    base: number,
    inheriting: number,
  ): void;
  position(record: number): number;
  seek(record: number, to: number): void;
  readAt(record: number, offset: number, target: number, bytes: number): number;
  writeAt(record: number, offset: number, source: number, bytes: number, appends: number): number;
  readNext(record: number, target: number, bytes: number): number;
  writeNext(record: number, source: number, bytes: number, appends: number): number;
  setMode(ino: number, mode: number, uid: number, gid: number): number;
  setTimes(ino: number, atime: number, atimeHigh: number, mtime: number, mtimeHigh: number): number;
}

type FileFunction = (
  a?: number,
  b?: number,
  c?: number,
  d?: number,
  e?: number,
  f?: number,
) => number;

const CODES = new Map(Object.entries(errno).map(([code, number]) => [number, code]));

/** The name of an error number, negative or not. */
export const codeOf = (number: number): string => CODES.get(Math.abs(number)) ?? 'EIO';

/** An error as node:fs throws it. */
export function fileError(number: number, what: string): Error & { code: string } {
  const code = codeOf(number);
  return Object.assign(new Error(`${code}: ${what}`), { code, errno: -Math.abs(number) });
}

/** Bytes of the staging buffer from which a second name, or the text of a link, is passed. */
const SECOND_AT = 8192;
/** The longest name or text that is passed. */
export const TEXT_BYTES_MAX = SECOND_AT;

/** What an instance of the file system runs on. */
interface FileHost {
  readonly buffer: ArrayBufferLike;
  /** Address of STAGING_BYTES where the file system reads names and content of the host. */
  readonly staging: number;
  /** Pages of 4 KiB that are not the files'. */
  otherPages(): number;
  /** Address where the host may read what the file system has at an address. */
  lend(address: number, bytes: number): number;
  /** After a trap: the error for the caller. */
  failed(what: string, thrown: unknown): unknown;
}

export class FileGuest {
  readonly calls: FileExports;
  /** All memory of the VM. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly staging: number;
  readonly #host: FileHost;
  readonly #top: number;
  /** Bytes of the name that put() has put. */
  #length = 0;

  constructor({ exports }: Wasm.Instance, top: number, host: FileHost) {
    this.#host = host;
    this.#top = top;
    this.bytes = new Uint8Array(host.buffer);
    this.view = new DataView(host.buffer);
    this.staging = host.staging;
    this.calls = this.#guarded(exports);
  }

  /** A trap is that of a lost snapshot, mostly. */
  #guarded(exports: Record<string, unknown>): FileExports {
    const all: Record<string, FileFunction> = {};
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function' || name.startsWith('ringzero.')) continue;
      const fn = value as FileFunction;
      all[name] = (a, b, c, d, e, f) => {
        try {
          return fn(a, b, c, d, e, f); // WebAssembly ignores those that the function does not have
        } catch (error) {
          throw this.#host.failed(name, error);
        }
      };
    }
    return all as unknown as FileExports;
  }

  /** Address where the host may read a structure of the file system. */
  peek(address: number, bytes: number): number {
    return this.#host.lend(address, bytes);
  }

  /** Puts a name where the file system reads it: its address. `length` is its bytes. */
  put(name: string): number {
    const at = this.staging;
    this.#length = this.#encode(name, at);
    return at;
  }

  /** Of the last put() or putSecond(). */
  get length(): number {
    return this.#length;
  }

  putSecond(name: string): number {
    const at = this.staging + SECOND_AT;
    this.#length = this.#encode(name, at);
    return at;
  }

  #encode(name: string, at: number): number {
    const { bytes } = this;
    const { length } = name;
    if (length > TEXT_BYTES_MAX) throw fileError(errno.ENAMETOOLONG, name.slice(0, 100));
    for (let i = 0; i < length; i++) {
      const unit = name.charCodeAt(i);
      if (unit > 127) {
        const encoded = bytesOf(name);
        if (encoded.length > TEXT_BYTES_MAX)
          throw fileError(errno.ENAMETOOLONG, name.slice(0, 100));
        bytes.set(encoded, at);
        return encoded.length;
      }
      bytes[at + i] = unit;
    }
    return length;
  }

  /** A name or text at an address where the host may read. */
  text(at: number, length: number): string {
    let text = '';
    for (let i = 0; i < length; i++) {
      const byte = this.bytes[at + i]!;
      if (byte > 127) return nameOf(this.bytes.slice(at, at + length));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** The most that goes through the staging buffer at once. */
  get stagingBytes(): number {
    return STAGING_BYTES;
  }

  /** Pages that files could have, with what they have. */
  get room(): number {
    return this.#top - this.#host.otherPages();
  }
}
