// One instance of the file system's image: on the vCPU of the thread that made it.

import { FRAME_BYTES, STAGING_BYTES } from '../../assembly/abi/limits.ts';
import * as errno from '../../assembly/abi/errno.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import { bytesOf, nameOf } from '../platform/file-name.ts';
import type { Kernel } from '../vm/kernel.ts';
import type * as Wasm from '../webassembly.ts';
import type { FileImages } from './module.ts';

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

export class FileGuest {
  readonly calls: FileExports;
  /** All memory of the VM. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly kernel: Kernel;
  /** What the caller gets for a trap. */
  readonly toError: (what: string, thrown: unknown) => unknown;
  readonly #instance: Wasm.Instance;
  readonly #isSnapshot: boolean;
  readonly #top: number;
  /** Bytes of the name that put() has put. */
  #length = 0;

  constructor(
    { main, snapshot, top }: FileImages,
    memory: Wasm.Memory,
    kernel: Kernel,
    image: 'main' | 'snapshot',
    toError: (what: string, thrown: unknown) => unknown,
  ) {
    this.toError = toError;
    const { calls } = kernel;
    this.kernel = kernel;
    this.#isSnapshot = image === 'snapshot';
    this.#top = top;
    this.bytes = new Uint8Array(physicalBuffer(memory));
    this.view = new DataView(physicalBuffer(memory));
    const module = this.#isSnapshot
      ? new WebAssembly.Module(snapshot.slice() as BufferSource)
      : main;
    const everything = this.bytes.length / 65536;
    this.#instance = new WebAssembly.Instance(module, {
      ringzero: {
        memory,
        vcpu: new WebAssembly.Global({ value: 'i32', mutable: false }, kernel.block | 0),
        fault: calls.fileFault,
        faultRange: calls.fileFaultRange,
        viewFault: calls.fileViewFault,
        safepoint: calls.safepoint,
        enter: calls.enterFiles,
        leave: calls.leaveFiles,
        size: () => everything,
        grow: () => -1,
      },
      libdbos: { safepoint: calls.poll },
      files: {
        grow: calls.growFiles,
        now: Date.now,
        sleep: kernel.imports.sleep,
        panic: kernel.imports.panic,
      },
    });
    const { exports } = this.#instance;
    (exports['ringzero.attach'] as () => void)();
    this.calls = this.#guarded(exports);
    if (!this.#isSnapshot) this.calls.attach(top, kernel.vcpu);
  }

  /** A trap, such as that of a lost snapshot, leaves the kernel and the lock as they were before. */
  #guarded(exports: Record<string, unknown>): FileExports {
    const all: Record<string, FileFunction> = {};
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function' || name.startsWith('ringzero.')) continue;
      const fn = value as FileFunction;
      all[name] = (a, b, c, d, e, f) => {
        try {
          return fn(a, b, c, d, e, f); // WebAssembly ignores those that the function does not have
        } catch (error) {
          this.#recover();
          throw this.toError(name, error);
        }
      };
    }
    return all as unknown as FileExports;
  }

  #recover(): void {
    const { depth, unwind } = this.kernel.calls;
    unwind(depth() - 1);
    if (this.#isSnapshot) return; // it has no second vCPU, and may be lost
    (this.#instance.exports['recover'] as () => void)();
  }

  /** Points the instance at a snapshot, on a vCPU that runs snapshots. */
  lookAt(slot: number): void {
    const table = this.#instance.exports['ringzero.table'] as unknown as { value: number };
    table.value = this.kernel.calls.snapshotTable(slot);
    this.calls.attach(this.#top, this.kernel.vcpu);
  }

  /** Address where the host may read a structure of the file system. */
  peek(address: number, bytes: number): number {
    return this.kernel.lend(address, bytes);
  }

  /** Puts a name where the file system reads it: its address. `length` is its bytes. */
  put(name: string): number {
    const at = this.kernel.staging;
    this.#length = this.#encode(name, at);
    return at;
  }

  /** Of the last put() or putSecond(). */
  get length(): number {
    return this.#length;
  }

  putSecond(name: string): number {
    const at = this.kernel.staging + SECOND_AT;
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

  /** Bytes of file memory that the VM can have. */
  get topBytes(): number {
    return this.#top * FRAME_BYTES;
  }
}
