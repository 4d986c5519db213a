// A vCPU's memory for WASI's functions. Every range is checked first. Input is copied or lent; output goes to
// the staging buffer, and the kernel delivers it with checked stores; only files are read directly into guest
// memory.
//
// Invariants  The host stores to guest memory directly only where receive() has made it writable, so
//             snapshots do not change; a pointer outside guest memory is EFAULT. Each word of an array of
//             pointers is read once: another vCPU may change it.

import { STAGING_BYTES } from '../../assembly/abi/limits.ts';
import { nameOf } from '../platform/file-name.ts';
import type { Kernel } from '../vm/kernel.ts';
import { IOVEC_BYTES, WasiError } from './abi.ts';
import { physicalBuffer } from '../physical-buffer.ts';

/** Buffers of one call of fd_read or fd_write. */
const VECTORS_MAX = 1024;

export class GuestMemory {
  /** All memory of the VM. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #kernel: Kernel;
  /**
   * Address and length of each buffer of the vectored call in progress. The guest does not run during such a
   * call.
   */
  readonly ranges: Uint32Array = new Uint32Array(2 * VECTORS_MAX);

  /** Address where the host may put up to STAGING_BYTES for the guest. */
  readonly stagingAddress: number;

  constructor(memory: WebAssembly.Memory, kernel: Kernel) {
    this.bytes = new Uint8Array(physicalBuffer(memory));
    this.#view = new DataView(physicalBuffer(memory));
    this.#kernel = kernel;
    this.stagingAddress = kernel.staging;
  }

  /** Fails with EFAULT unless the range is guest memory. */
  check(address: number, bytes: number): void {
    if (!this.#kernel.isGuestRange(address, bytes)) throw new WasiError('FAULT');
  }

  /** Up to `bytes` bytes for the host to read, valid until the next call: all of them in the main image. */
  lend(address: number, bytes: number): Uint8Array {
    const start = this.#kernel.lend(address, bytes);
    const length = start === address >>> 0 ? bytes : Math.min(bytes, STAGING_BYTES);
    return this.bytes.subarray(start, start + length);
  }

  /** A copy of a range. */
  copy(address: number, bytes: number): Uint8Array {
    this.check(address, bytes);
    const result = new Uint8Array(bytes);
    for (let done = 0; done < bytes;) {
      const part = this.lend(address + done, bytes - done);
      result.set(part, done);
      done += part.length;
    }
    return result;
  }

  view(address: number, bytes: number): DataView {
    return new DataView(this.copy(address, bytes).buffer);
  }

  /** A name or path. Fails with EINVAL when it has a zero byte, with ENAMETOOLONG when it is too long. */
  text(address: number, bytes: number): string {
    if (bytes > STAGING_BYTES) throw new WasiError('NAMETOOLONG');
    const copy = this.copy(address, bytes);
    if (copy.includes(0)) throw new WasiError('INVAL');
    return nameOf(copy);
  }

  /**
   * Checks the `count` buffers of a vectored call and stores them in `ranges`; returns their total length.
   */
  takeRanges(address: number, count: number): number {
    if (count > VECTORS_MAX) throw new WasiError('INVAL');
    this.check(address, count * IOVEC_BYTES);
    const words = this.#kernel.lend(address, count * IOVEC_BYTES);
    let total = 0;
    for (let i = 0; i < count; i++) {
      // Each word is read once, so that what is checked is what is used.
      const buffer = this.#view.getUint32(words + i * IOVEC_BYTES, true);
      const bytes = this.#view.getUint32(words + i * IOVEC_BYTES + 4, true);
      this.check(buffer, bytes);
      this.ranges[2 * i] = buffer;
      this.ranges[2 * i + 1] = bytes;
      total += bytes;
    }
    if (total > 0xffffffff) throw new WasiError('INVAL');
    return total;
  }

  /** Address where the host may put up to `bytes` bytes for the guest, at most STAGING_BYTES. */
  staging(bytes: number): Uint8Array {
    const start = this.stagingAddress;
    return this.bytes.subarray(start, start + Math.min(bytes, STAGING_BYTES));
  }

  /**
   * Address where the host may read to for a checked range: the range itself, or `stagingAddress`, to be
   * delivered.
   */
  receive(address: number, bytes: number): number {
    return this.#kernel.receive(address, bytes);
  }

  /** Delivers what the host put there; the range was checked before. */
  deliver(address: number, bytes: number): void {
    if (bytes > 0) this.#kernel.deliver(address, bytes);
  }

  put(address: number, source: Uint8Array): void {
    this.check(address, source.length);
    for (let done = 0; done < source.length; done += STAGING_BYTES) {
      const part = source.subarray(done, done + STAGING_BYTES);
      this.staging(part.length).set(part);
      this.deliver(address + done, part.length);
    }
  }

  putU32(address: number, value: number): void {
    this.check(address, 4);
    this.#view.setUint32(this.stagingAddress, value, true);
    this.#kernel.deliver(address, 4);
  }

  putU64(address: number, value: bigint): void {
    this.check(address, 8);
    this.#view.setBigUint64(this.stagingAddress, value, true);
    this.#kernel.deliver(address, 8);
  }
}
