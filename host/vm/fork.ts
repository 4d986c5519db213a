// A fork of a program, for code that drives it: the program's exports on a snapshot, in the snapshot's
// thread.
//
// Interface   Snapshot.drive(module, argument) calls the module's function `main(fork, argument)` with a
//             Fork.
// Invariants  Writes, by the program or by write(), are private to the snapshot (SNAP-6).
// Concurrency Belongs to its thread and to one call of main().
// Cost        A read copies twice: from the snapshot to kernel memory, then to a new array.

import { STAGING_BYTES } from '../../assembly/abi/limits.ts';
import { RingzeroError } from '../errors.ts';
import { Files } from '../files/files.ts';
import { functionNames } from './glue.ts';
import { checkState } from './snapshot-state.ts';
import type { ArgumentsOf, FunctionName, GuestExports } from './exports.ts';
import type { Vcpu } from './vcpu.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type * as Wasm from '../webassembly.ts';

const TEXT_BYTES = 256;
/** Names under which common compilers export their allocator, and its arguments for a number of bytes. */
const ALLOCATORS: readonly (readonly [name: string, args: (bytes: number) => number[]])[] = [
  ['malloc', (bytes) => [bytes]],
  ['__wbindgen_malloc', (bytes) => [bytes, 1]],
  ['__new', (bytes) => [bytes, 0]],
  ['cabi_realloc', (bytes) => [0, 0, 1, bytes]],
];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A fork of a program, given to the module that drives it. Its writes are private to the snapshot.
 *
 * @category VM
 */
export class Fork<Exports extends object = GuestExports> {
  readonly #vcpu: Vcpu<Exports>;
  readonly #slot: number;
  readonly #memory: Uint8Array;
  #open = true;
  #files: Files | undefined;

  /** @internal */
  constructor(vcpu: Vcpu<Exports>, slot: number, memory: Wasm.Memory) {
    this.#vcpu = vcpu;
    this.#slot = slot;
    this.#memory = new Uint8Array(physicalBuffer(memory));
  }

  /**
   * The files of the program as they were; changes are private to the snapshot.
   *
   * @throws {@link RingzeroError} RZ_OPTION when the parent had no file system
   */
  get fs(): Files {
    this.#check();
    const files = this.#vcpu.files.system;
    if (files === undefined)
      throw new RingzeroError(
        'RZ_OPTION',
        'the program had no files when the snapshot was taken: ' +
          'use `program.fs` or the option `preopens` before',
      );
    return (this.#files ??= new Files(files));
  }

  /** The program's functions. No constructor runs: memory and globals are those of the parent. */
  get exports(): Readonly<Exports> {
    this.#check();
    return this.#vcpu.exports;
  }

  /**
   * Calls an exported function.
   *
   * @throws {@link RingzeroError} RZ_EXPORT, RZ_GUEST_TRAP, RZ_SNAPSHOT_LOST
   */
  call<Name extends FunctionName<Exports>>(
    name: Name,
    ...args: ArgumentsOf<Exports, Name>
  ): number {
    this.#check();
    return this.#call(name, args);
  }

  #call(name: string, args: readonly (number | bigint)[]): number {
    return Number((this.#vcpu as Vcpu).function(name)(...args));
  }

  /**
   * A copy of memory.
   *
   * @throws {@link RingzeroError} RZ_OPTION for a range outside it, RZ_SNAPSHOT_LOST
   */
  read(address: number, bytes: number): Uint8Array {
    const result = new Uint8Array(bytes);
    this.#readInto(address, result);
    return result;
  }

  /** A 32-bit word of memory. */
  u32(address: number): number {
    const staged = this.#stage(address, 4);
    return (staged[0]! | (staged[1]! << 8) | (staged[2]! << 16) | (staged[3]! << 24)) >>> 0;
  }

  /** UTF-8 text up to a zero byte. */
  text(address: number): string {
    let at = address;
    let end: number;
    do {
      const part = this.#stage(at, Math.min(TEXT_BYTES, this.#size - at));
      if (part.length === 0)
        throw new RingzeroError('RZ_OPTION', `text(${address}): no zero byte follows`);
      end = part.indexOf(0);
      at += end < 0 ? part.length : end;
    } while (end < 0);
    return decoder.decode(this.read(address, at - address));
  }

  /** Changes memory of this snapshot only. Fails as read() does. */
  write(address: number, source: Uint8Array): void {
    this.#range(address, source.length);
    const { kernel } = this.#vcpu;
    kernel.calls.enter(); // delivery counts as running in the guest
    try {
      for (let done = 0; done < source.length; done += STAGING_BYTES) {
        const part = source.subarray(done, done + STAGING_BYTES);
        this.#memory.set(part, kernel.staging);
        kernel.deliver(address + done, part.length);
      }
    } catch (error) {
      checkState(kernel.calls, this.#slot);
      throw error;
    } finally {
      kernel.calls.leave();
    }
  }

  /**
   * Copies a value into memory from the program's own allocator, a string as UTF-8 with a zero byte; returns
   * its address. The allocator is `malloc`, its equivalent in other compilers, or the exported function that
   * the parent's glue was seen to allocate with; or the one named here, which takes a number of bytes. The
   * memory ends with the snapshot.
   *
   * @throws {@link RingzeroError} RZ_EXPORT when none is known, RZ_OUT_OF_MEMORY, and as call() does
   */
  put(value: string | Uint8Array, allocator?: string): number {
    const bytes = typeof value === 'string' ? encoder.encode(`${value}\0`) : value;
    const length = Math.max(1, bytes.length);
    const [name, ...args] =
      allocator === undefined ? this.#allocation(length) : [allocator, length];
    const address = this.#call(name, args) >>> 0;
    if (address === 0)
      throw new RingzeroError(
        'RZ_OUT_OF_MEMORY',
        `the program's ${name}(${args.join()}) returned 0`,
      );
    this.write(address, bytes);
    return address;
  }

  /**
   * Ends the fork: main() has returned.
   *
   * @internal
   */
  end(): void {
    this.#open = false;
  }

  /** The call that allocates this many bytes. */
  #allocation(bytes: number): [name: string, ...args: number[]] {
    const { exports, module, instance, kernel } = this.#vcpu;
    for (const [name, args] of ALLOCATORS) if (name in exports) return [name, ...args(bytes)];
    const learned = kernel.allocator;
    const name = learned === undefined ? undefined : functionNames(module, instance)[learned];
    if (name !== undefined) return [name, bytes];
    throw new RingzeroError(
      'RZ_EXPORT',
      'put(): the program’s allocator is not known: its export names are minified and its glue has not called it yet. Name it: `put(value, allocator)`',
    );
  }

  get #size(): number {
    return (this.#vcpu.kernel.calls.size() >>> 0) * 65536;
  }

  #readInto(address: number, target: Uint8Array): void {
    this.#range(address, target.length);
    for (let done = 0; done < target.length; done += STAGING_BYTES)
      target.set(this.#stage(address + done, Math.min(STAGING_BYTES, target.length - done)), done);
  }

  /** Copies up to STAGING_BYTES of the snapshot to kernel memory, where they stay until the next call. */
  #stage(address: number, bytes: number): Uint8Array {
    this.#range(address, bytes);
    const { kernel } = this.#vcpu;
    const start = kernel.lend(address, bytes);
    checkState(kernel.calls, this.#slot);
    return this.#memory.subarray(start, start + bytes);
  }

  #range(address: number, bytes: number): void {
    this.#check();
    const isWhole = Number.isInteger(address) && address >= 0 && bytes >= 0;
    if (!isWhole || address + bytes > this.#size)
      throw new RingzeroError(
        'RZ_OPTION',
        `${bytes} bytes at ${address}: the program's memory has ${this.#size}`,
      );
  }

  #check(): void {
    if (!this.#open) throw new RingzeroError('RZ_SNAPSHOT_CLOSED', 'main() of this fork has ended');
  }
}
