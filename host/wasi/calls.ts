// The WASI of one vCPU: a program's imports on one side, one function per call on the other.
//
// Interface   `imports` goes to the program's instance. Each function is a system call: it goes through the kernel, so the
//             guest's own handler sees it first when one is bound (numbers SYS_WASI + index in WASI_FUNCTIONS), and comes
//             back to serve() on the same thread.
// Invariants  WASI-3  serve() never throws for what a program did: it gets an error number. proc_exit is thrown when the
//                     kernel has been left, through the program's frames only.
// Concurrency One per vCPU; descriptors are not shared between vCPUs.

import { SYS_WASI } from '../../assembly/abi/syscall.ts';
import type { Kernel } from '../vm/kernel.ts';
import { errno, errnoOfHost, WASI_FUNCTIONS, WasiError, type WasiFunction } from './abi.ts';
import { Descriptors } from './descriptors.ts';
import { ProgramExit } from './exit.ts';
import { fileCalls } from './files.ts';
import { GuestMemory } from './guest-memory.ts';
import type { WasiSetup } from './options.ts';
import { pathCalls } from './paths.ts';
import { pollCalls } from './poll.ts';
import { processCalls, socketCalls } from './process.ts';

type Row = (calls: Calls, ...args: never[]) => number;
type Argument = number | bigint;

const ROWS: Record<WasiFunction, Row> = {
  ...processCalls,
  ...socketCalls,
  ...fileCalls,
  ...pathCalls,
  ...pollCalls,
};
const TABLE = WASI_FUNCTIONS.map((name) => ROWS[name]) as ((
  calls: Calls,
  ...args: Argument[]
) => number)[];

export class Calls {
  readonly setup: WasiSetup;
  readonly memory: GuestMemory;
  #descriptors: Descriptors | undefined;
  /** Set by proc_exit. */
  exitCode: number | undefined;
  readonly imports: Record<string, (...args: Argument[]) => number> = {};
  readonly #kernel: Kernel;
  readonly #words: BigUint64Array;
  /** Arguments of the call under way. */
  #arguments: Argument[] = [];
  /** Kernel memory where a handler of the guest finds them; 0 until one is bound. */
  #window = 0;

  constructor(setup: WasiSetup, memory: WebAssembly.Memory, kernel: Kernel) {
    this.setup = setup;
    this.memory = new GuestMemory(memory, kernel);
    this.#kernel = kernel;
    this.#words = new BigUint64Array(memory.buffer);
    for (const [index, name] of WASI_FUNCTIONS.entries())
      this.imports[name] = (...args) => this.#call(index, args);
  }

  /** Opened when they are first wanted, and anew after close(). */
  get descriptors(): Descriptors {
    return (this.#descriptors ??= new Descriptors(this.setup.streams, this.setup.preopens));
  }

  #call(index: number, args: Argument[]): number {
    const outer = this.#arguments;
    this.#arguments = args;
    try {
      const { calls, handlesSyscalls } = this.#kernel;
      const number = SYS_WASI + index;
      const window = handlesSyscalls ? this.#show(args) : 0;
      const result = calls.syscall(number, window, args.length, 0, 0, 0);
      if (this.exitCode === undefined) return result;
      const exit = new ProgramExit(this.exitCode);
      this.exitCode = undefined;
      throw exit;
    } finally {
      this.#arguments = outer;
    }
  }

  /** Address of the arguments as 64-bit words, for a handler to read; it cannot change them. */
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

  /** The system call `number`, with the arguments that the program gave. */
  serve(number: number): number {
    const row = TABLE[number - SYS_WASI];
    if (row === undefined) return errno('NOSYS');
    const args = this.#arguments;
    for (let i = 0; i < args.length; i++) {
      const value = args[i]!;
      if (typeof value === 'number') args[i] = value >>> 0;
    }
    try {
      return row(this, ...args);
    } catch (error) {
      if (error instanceof WasiError) return error.number;
      if (error instanceof WebAssembly.RuntimeError) throw error;
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string') throw error;
      return errnoOfHost(code);
    }
  }

  close(): void {
    this.#descriptors?.closeAll();
    this.#descriptors = undefined;
  }
}
