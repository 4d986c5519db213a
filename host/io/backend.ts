// What the ring service does with a file: the host's asynchronous calls, with Linux's error numbers.

import { originals } from '../constructors.ts';
import { EIO } from '../../assembly/abi/errno.ts';
import * as errno from '../../assembly/abi/errno.ts';
import { FRAME_BYTES, WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import { asyncFiles, type Done } from '#platform';

/** Number of bytes, 0, or a negative errno. */
export type Result = (result: number) => void;

export interface Backend {
  read(host: number, address: number, bytes: number, position: number, done: Result): void;
  write(host: number, address: number, bytes: number, position: number, done: Result): void;
  datasync(host: number, done: Result): void;
  /**
   * Makes the file at least `size` bytes long. The new bytes are zeros that are written, so that their blocks
   * are allocated.
   */
  allocate(host: number, size: number, done: Result): void;
  truncate(host: number, size: number, done: Result): void;
}

const NUMBERS = new Map<string | undefined, number>(Object.entries(errno));

function finish(done: Result): Done {
  return (error, result) => done(error === null ? result : -(NUMBERS.get(error.code) ?? EIO));
}

const ZEROS_BYTES = 1 << 20;

/** The host's files, and the memory for transfers. */
export class HostFiles implements Backend {
  readonly #memory: Uint8Array;
  #zeros: Uint8Array | undefined;

  constructor(memory: Uint8Array) {
    this.#memory = memory;
  }

  read(host: number, address: number, bytes: number, position: number, done: Result): void {
    asyncFiles.read(host, this.#memory, address, bytes, position, finish(done));
  }

  write(host: number, address: number, bytes: number, position: number, done: Result): void {
    asyncFiles.write(host, this.#memory, address, bytes, position, finish(done));
  }

  datasync(host: number, done: Result): void {
    asyncFiles.datasync(host, finish(done));
  }

  truncate(host: number, size: number, done: Result): void {
    asyncFiles.truncate(host, size, finish(done));
  }

  /**
   * A file that bypasses the page cache takes only whole blocks at multiples of their size, so what is
   * written may extend beyond `size`; it is truncated afterwards. The block in which the file ends is already
   * allocated.
   */
  allocate(host: number, size: number, done: Result): void {
    const finished = finish(done);
    const extend = (from: number): void => {
      if (from >= size) return asyncFiles.truncate(host, size, finished);
      const bytes = Math.min(ZEROS_BYTES, roundUp(size - from));
      asyncFiles.write(host, this.#zeroBytes(), 0, bytes, from, (error, written) =>
        error !== null || written === 0 ? finished(error, -EIO) : extend(from + written),
      );
    };
    asyncFiles.size(host, (error, now) => {
      const from = roundUp(now);
      if (error !== null || now >= size) finished(error, 0);
      else if (from === now) extend(now);
      else
        asyncFiles.truncate(host, from, (failed) => (failed ? finished(failed, 0) : extend(from)));
    });
  }

  /** At an address at which direct transfers can start. */
  #zeroBytes(): Uint8Array {
    if (this.#zeros !== undefined) return this.#zeros;
    const memory = new originals.Memory({ initial: ZEROS_BYTES / WASM_PAGE_BYTES });
    return (this.#zeros = new Uint8Array(memory.buffer));
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / FRAME_BYTES) * FRAME_BYTES;
}
