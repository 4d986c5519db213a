// An unmodified program: a module as its compiler left it, loaded, translated and initialised.

import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { asBytes, type Bytes } from '../bytes.ts';
import { moduleBytes } from '../translator/reader.ts';
import { checkNames, checkObject, refuse, RingzeroError } from '../errors.ts';
import { Files } from '../files/files.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import { ProgramExit } from '../wasi/exit.ts';
import { Branches } from './branches.ts';
import { importedMemory } from './imported-memory.ts';
import { supplied } from './imports.ts';
import type { ProgramBranch } from './branch/program-branch.ts';
import type { ForkedExports } from './exports.ts';
import type { Exposure } from './exposure.ts';
import type { MicroVM } from './micro-vm.ts';
import { framesOf, type LoadOptions, type MicroVMOptions } from './options.ts';
import { isPhysicalMemory, showProgram } from './physical-memory.ts';
import { isDynamic, linkSideModules } from './side/intercept.ts';
import { SideModule } from './side/side-module.ts';
import type { Snapshot } from './snapshot.ts';
import type { Vcpu } from './vcpu.ts';
import { filesOf, loadFileModule } from './file-access.ts';
import type { StateSource } from './state/source.ts';
import type * as Wasm from '../webassembly.ts';

/** The options of a VM for an unmodified module. */
export function optionsOf(
  wasm: Bytes,
  imports: Wasm.Imports,
  options: LoadOptions,
): MicroVMOptions {
  const { initialize, ...others } = options;
  if (initialize !== undefined && typeof initialize !== 'boolean')
    refuse('initialize', initialize, 'true or false');
  const imported = givenMemory(wasm, imports);
  const memory = imported ?? options.memory;
  if (imported !== undefined && !isSameMemory(options.memory, imported))
    refuse('memory', 'another memory', 'the memory among the imports or its size, or leave it out');
  const all = { wasi: {}, safepoints: false, ...others, guest: wasm, imports };
  return memory === undefined ? all : { ...all, memory };
}

function isSameMemory(given: MicroVMOptions['memory'], imported: Wasm.Memory): boolean {
  if (typeof given !== 'number') return given === undefined || given === imported;
  return framesOf(given) * FRAME_BYTES === physicalBuffer(imported).byteLength;
}

/** The program of a VM that was created with optionsOf(). */
export function programOf<Exports extends object>(
  vm: MicroVM<ForkedExports<Exports>>,
  wasm: Bytes,
  { initialize = true }: LoadOptions,
): Program<Exports> {
  const program = new Program<Exports>(vm, asBytes(wasm)!);
  if (initialize && '_initialize' in program.exports) program.initialize();
  return program;
}

/** For MicroVM.load, which creates the VM. */
export async function loadProgram<Exports extends object>(
  create: (options: MicroVMOptions) => Promise<MicroVM<ForkedExports<Exports>>>,
  wasm: Bytes,
  imports: Wasm.Imports,
  options: LoadOptions,
): Promise<Program<Exports>> {
  await loadFileModule();
  return programOf<Exports>(await create(optionsOf(wasm, imports, options)), wasm, options);
}

/**
 * The memory that glue supplies for the module's import, which must then be physical memory. Only what the
 * module imports is looked at: Emscripten's imports take each name that is asked for as one that is needed.
 */
function givenMemory(wasm: Bytes, imports: Wasm.Imports): Wasm.Memory | undefined {
  const declared = importedMemory(moduleBytes(wasm));
  const value: unknown = declared && supplied(imports, declared.module, declared.name);
  if (!(value instanceof WebAssembly.Memory)) return undefined;
  if (isPhysicalMemory(value)) return value;
  throw new RingzeroError(
    'RZ_OPTION',
    'the imports hold a memory of their own, which the program would not run on: give the glue one from `MicroVM.memory(bytes)` (Emscripten: `wasmMemory`)',
  );
}

/**
 * Options of `Program.branch`.
 *
 * @category Programs
 */
export interface BranchOptions {
  /** Threads that start in advance and wait for the next branch. Default 0. */
  warm?: number;
}

const WARM_MAX = 16;

/**
 * The result of MicroVM.load. It has the form of a WebAssembly.Instance, which glue expects.
 *
 * The functions in `exports` run in the calling thread; a trap in one is a RingzeroError and the program
 * stays usable.
 *
 * @category Programs
 */
export class Program<Exports extends object = Wasm.Exports> {
  readonly vm: MicroVM<ForkedExports<Exports>>;
  readonly exports: Exports;
  readonly #exposure: Exposure;
  readonly #wasm: Uint8Array;
  /** By the module that runs them. */
  readonly #branches = new Map<string, Branches>();
  #files: Files | undefined;

  /** @internal */
  constructor(vm: MicroVM<ForkedExports<Exports>>, wasm: Uint8Array) {
    this.#wasm = wasm;
    const { instance, kernel, glue } = vm.enter();
    const exports = Object.create(null) as Record<string, WebAssembly.ExportValue>;
    for (const [name, value] of Object.entries(instance.exports))
      if (!name.startsWith('ringzero.')) exports[name] = value;
    this.vm = vm;
    this.#exposure = glue!.exposure;
    this.exports = Object.freeze(exports) as Exports;
    showProgram(vm.memory, kernel, vm.handle.machine.growth.growsItself);
    if (isDynamic(vm.handle.machine.main))
      linkSideModules(vm.memory, (bytes, imports) => this.#link(bytes, imports));
  }

  /** The files in the program's VM. */
  get fs(): Files {
    return (this.#files ??= new Files(filesOf(this.vm.enter() as Vcpu, this.vm.handle.machine)));
  }

  get memory(): Wasm.Memory {
    return this.vm.memory;
  }

  /** A fork in constant time: the program as it is now, for other threads (see Snapshot). */
  snapshot(): Snapshot<ForkedExports<Exports>> {
    return this.vm.snapshot();
  }

  /**
   * Runs a command, a program with `_start`, to its end. Returns its exit code.
   *
   * @throws {@link RingzeroError} RZ_EXPORT when it is not a command, RZ_GUEST_TRAP
   */
  start(): number {
    try {
      this.#call('_start');
      return 0;
    } catch (error) {
      if (error instanceof ProgramExit) return error.exitCode;
      throw error;
    }
  }

  /** Initialises a reactor, a program with `_initialize`, before its other exports are called. */
  initialize(): void {
    this.#call('_initialize');
  }

  /**
   * Call this before JavaScript writes to memory of the program that it did not just get from one of the
   * program's allocators: active snapshots then keep the old content. See docs/programs.md.
   */
  beforeWrite(address: number, bytes: number): void {
    this.#exposure.expose(address >>> 0, bytes);
  }

  /**
   * Puts the program back, or forward, to an exported state: see `MicroVM.restore`. Its glue is not changed.
   */
  restore(state: StateSource | readonly StateSource[]): Promise<void> {
    return this.vm.restore(state);
  }

  #call(name: string): void {
    const fn = (this.exports as Wasm.Exports)[name];
    if (typeof fn !== 'function')
      throw new RingzeroError('RZ_EXPORT', `the program exports no function \`${name}\``);
    fn();
  }

  /** Translates a side module and puts it on the program's vCPU. */
  #link(bytes: Uint8Array, imports: object): SideModule {
    const vcpu = this.vm.enter() as Vcpu;
    const side = new SideModule(vcpu, this.vm.handle.machine, bytes, imports);
    vcpu.sides.push(side);
    return side;
  }

  /**
   * The program as it is now, whole, in a thread of its own: a module of yours starts the program's glue
   * there, and answers calls for as long as you want. See docs/programs.md.
   *
   * @example
   * const branch = await program.branch(new URL('./branch.js', import.meta.url));
   * await branch.call('query', 'SELECT 1');
   * await branch.close();
   *
   * @throws {@link RingzeroError} RZ_OPTION, RZ_EXPORT (the module has no `main`), RZ_SNAPSHOT_LIMIT,
   * RZ_SNAPSHOT_LOST, RZ_MODULE_UNSUPPORTED (the program has a state that a branch cannot carry),
   * RZ_VM_CLOSED, and what the module throws
   */
  async branch(
    module: string | { readonly href: string },
    argument?: unknown,
    options: BranchOptions = {},
  ): Promise<ProgramBranch> {
    return this.#branchesOf(module, options).take(argument);
  }

  /** Starts the threads that are to wait for branches, and resolves when they do. Fails as branch() does. */
  async warmBranches(
    module: string | { readonly href: string },
    options: BranchOptions = { warm: 1 },
  ): Promise<void> {
    await this.#branchesOf(module, options).ready();
  }

  #branchesOf(module: string | { readonly href: string }, options: BranchOptions): Branches {
    const url = String(module);
    if (!URL.canParse(url))
      throw new RingzeroError(
        'RZ_OPTION',
        `branch('${url}'): give a whole URL, such as new URL('./branch.js', import.meta.url)`,
      );
    checkObject(options);
    checkNames(options, { warm: true } satisfies Record<keyof BranchOptions, true>);
    const { warm = 0 } = options;
    if (!Number.isInteger(warm) || warm < 0 || warm > WARM_MAX)
      refuse('warm', warm, `a whole number up to ${WARM_MAX}`);
    const vcpu = this.vm.enter() as Vcpu;
    let branches = this.#branches.get(url);
    if (branches === undefined) {
      branches = new Branches({ vcpu, machine: this.vm.handle.machine, wasm: this.#wasm }, url);
      this.#branches.set(url, branches);
    }
    branches.warm = Math.max(branches.warm, warm);
    return branches;
  }

  /** Closes the program's VM, and its branches. */
  async close(): Promise<void> {
    await Promise.all([...this.#branches.values()].map((branches) => branches.closeAll()));
    await this.vm.close();
  }
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Glue tests `instanceof WebAssembly.Instance` (wasm-bindgen's does). `exports` is the program's own object.
 */
Object.setPrototypeOf(Program.prototype, WebAssembly.Instance.prototype);
