// The WASI of one vCPU: a program's imports, and one function per call.
//
// Interface   `imports` goes to the program's instance. Each function is a system call through the kernel, so
//             that the guest's own handler, if one is bound, sees it first (numbers SYS_WASI + index in
//             WASI_FUNCTIONS); it returns to serve() on the same thread.
// Invariants  WASI-3  serve() never throws because of a program's arguments: the call returns an error
//                     number. proc_exit is thrown after the kernel has been left, through the program's
//                     frames only.
// Concurrency One per vCPU; vCPUs do not share descriptors.

import { SYS_WASI } from '../../assembly/abi/syscall.ts';
import type { FileSystem } from '../files/file-system.ts';
import type { Kernel, KernelExports } from '../vm/kernel.ts';
import { errno, errnoOfHost, WASI_FUNCTIONS, WasiError, type WasiFunction } from './abi.ts';
import { Descriptors } from './descriptors.ts';
import { uncatchable } from '../trap.ts';
import { ProgramExit } from './exit.ts';
import { fileCalls } from './files.ts';
import { GuestMemory } from './guest-memory.ts';
import { MemoryFiles } from './memory-files.ts';
import type { WasiSetup } from './options.ts';
import { pathCalls } from './paths.ts';
import { pollCalls } from './poll.ts';
import { processCalls, socketCalls } from './process.ts';
import { physicalBuffer } from '../physical-buffer.ts';

export { unblockInput } from '#platform/beneath';
export { plantSeeds } from './seeds.ts';

type Row = (calls: Calls, ...args: never[]) => number;
type Argument = number | bigint;

const ROWS: Record<WasiFunction, Row> = {
  ...processCalls,
  ...socketCalls,
  ...fileCalls,
  ...pathCalls,
  ...pollCalls,
};
/** No function of WASI has more arguments; surplus ones are undefined. */
type Nine = [
  Argument,
  Argument,
  Argument,
  Argument,
  Argument,
  Argument,
  Argument,
  Argument,
  Argument,
];
const TABLE = WASI_FUNCTIONS.map((name) => ROWS[name]) as ((
  calls: Calls,
  ...args: Nine
) => number)[];
const NONE: readonly Argument[] = [];
const SIGPIPE = 13;

/** The files in the VM, as the vCPU has them. */
export interface FilesOfVcpu {
  readonly files: () => FileSystem | undefined;
  readonly isFork: boolean;
  readonly isRestored: boolean;
}

export class Calls {
  readonly setup: WasiSetup;
  readonly memory: GuestMemory;
  #descriptors: Descriptors | undefined;
  /** Set by proc_exit. */
  exitCode: number | undefined;
  readonly imports: Record<string, (...args: Partial<Nine>) => number> = {};
  readonly #kernel: Kernel;
  readonly #syscall: KernelExports['syscall'];
  readonly #words: BigUint64Array;
  /**
   * Arguments of the calls in progress: a handler of the guest may make calls before it passes on its own.
   */
  readonly #arguments: Argument[][] = [];
  /** The functions of those calls, as system-call numbers. */
  readonly #numbers: number[] = [];
  #depth = 0;
  /** Kernel memory where a handler of the guest finds them; 0 until a handler is bound. */
  #window = 0;

  /** The vCPU whose descriptors these are: in a fork, the one that took the snapshot. */
  owner: number;
  /** Descriptors of files in the VM are as memory has them: in a fork, or after a state was restored. */
  adopts: boolean;
  readonly #isFork: boolean;
  readonly #files: () => FileSystem | undefined;

  constructor(
    setup: WasiSetup,
    memory: WebAssembly.Memory,
    kernel: Kernel,
    { files, isFork, isRestored }: FilesOfVcpu,
  ) {
    this.owner = kernel.vcpu;
    this.adopts = isFork || isRestored;
    this.#isFork = isFork;
    this.#files = files;
    this.setup = setup;
    this.memory = new GuestMemory(memory, kernel);
    this.#kernel = kernel;
    this.#syscall = kernel.calls.syscall;
    this.#words = new BigUint64Array(physicalBuffer(memory));
    for (const [index, name] of WASI_FUNCTIONS.entries())
      this.imports[name] = (a, b, c, d, e, f, g, h, i) =>
        this.#call(index, a!, b!, c!, d!, e!, f!, g!, h!, i!);
  }

  /** Opened at first use, and again after close(). */
  get descriptors(): Descriptors {
    if (this.#descriptors !== undefined) return this.#descriptors;
    const { streams, preopens } = this.setup;
    const files = preopens.some(({ memory }) => memory) ? this.#files() : undefined;
    const memory = files && new MemoryFiles(files, this.owner);
    return (this.#descriptors = new Descriptors(streams, preopens, memory, this.adopts));
  }

  /** Opens directories in the VM before any snapshot: a fork has those that its parent has open. */
  openFiles(): void {
    if (this.setup.preopens.some(({ memory }) => memory)) void this.descriptors;
  }

  /** A call allocates nothing: a rest parameter and its spreading took a tenth of a read's time. */

  #call(
    index: number,
    a: Argument,
    b: Argument,
    c: Argument,
    d: Argument,
    e: Argument,
    f: Argument,
    g: Argument,
    h: Argument,
    i: Argument,
  ): number {
    this.#numbers[this.#depth] = SYS_WASI + index;
    const args = (this.#arguments[this.#depth++] ??= []);
    args[0] = a;
    args[1] = b;
    args[2] = c;
    args[3] = d;
    args[4] = e;
    args[5] = f;
    args[6] = g;
    args[7] = h;
    args[8] = i;
    try {
      const { handlesSyscalls } = this.#kernel;
      const shown = handlesSyscalls ? args.filter((value) => value !== undefined) : NONE;
      const window = handlesSyscalls ? this.#show(shown) : 0;
      const result = this.#syscall(SYS_WASI + index, window, shown.length, 0, 0, 0);
      if (this.exitCode === undefined) return result;
      const exit = uncatchable(new ProgramExit(this.exitCode)); // not by the program's handlers
      this.exitCode = undefined;
      throw exit;
    } finally {
      this.#depth--;
    }
  }

  /** Address of the arguments as 64-bit words, for a handler to read; changing them has no effect. */
  #show(args: readonly Argument[]): number {
    this.#window ||= this.#kernel.calls.claimWindow(1) >>> 0;
    if (this.#window === 0) return 0;
    for (const [index, value] of args.entries())
      this.#words[this.#window / 8 + index] = BigInt.asUintN(
        typeof value === 'number' ? 32 : 64,
        BigInt(value),
      );
    return this.#window;
  }

  /**
   * The system call `number`, with the program's arguments. A handler can pass on only the call that it was
   * asked about: the arguments of one function have the wrong types for another.
   */
  serve(number: number): number {
    const row = TABLE[number - SYS_WASI];
    if (row === undefined || this.#numbers[this.#depth - 1] !== number) return errno('NOSYS');
    const args = this.#arguments[this.#depth - 1]!;
    const at = (index: number): Argument => {
      const value = args[index]!;
      return typeof value === 'number' ? value >>> 0 : value;
    };
    try {
      return row(this, at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8));
    } catch (error) {
      if (error instanceof WasiError) return error.number;
      if (error instanceof WebAssembly.RuntimeError) throw error;
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string') throw error;
      if (code === 'EPIPE' && this.setup.exitsOnBrokenPipe) this.exitCode = 128 + SIGPIPE;
      return errnoOfHost(code);
    }
  }

  /** Memory, with the files in it, has become that of a state. */
  restored(): void {
    this.adopts = true;
    this.#descriptors?.closeAll(true);
    this.#descriptors = undefined;
  }

  close(): void {
    this.#descriptors?.closeAll(this.#isFork);
    this.#descriptors = undefined;
  }
}
