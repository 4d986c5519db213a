/**
 * Puts the machine beneath packages that instantiate their module themselves, without a hook.
 *
 * @module ringzero/intercept
 */

import { asBytes, type Bytes } from './bytes.ts';
import { originals, watch, type Watcher } from './constructors.ts';
import { checkNames, checkObject, refuse, RingzeroError } from './errors.ts';
import { loadSync } from './sync.ts';
import type { Branch } from './vm/branch/branch.ts';
import { importedMemory, type MemoryLimits } from './vm/imported-memory.ts';
import { MicroVM } from './vm/micro-vm.ts';
import { obtainMemory, type LoadOptions } from './vm/options.ts';
import { giveMemory, isPhysicalMemory } from './vm/physical-memory.ts';
import type { Program } from './vm/program.ts';
import type * as Wasm from './webassembly.ts';

export type { LoadOptions } from './vm/options.ts';
export type { Branch } from './vm/branch/branch.ts';
export type { Program } from './vm/program.ts';
export { RingzeroError, type RingzeroErrorCode } from './errors.ts';
export { prepare } from './sync.ts';

/** Whether a module is to run on the machine. */
type Filter = (module: Wasm.Module, bytes: Uint8Array) => boolean;

/**
 * Options of `intercept`: those of MicroVM.load, for each program, and more.
 *
 * @category Programs
 */
export interface InterceptOptions extends Omit<LoadOptions, 'initialize'> {
  /** Chooses modules by what they export and import (`WebAssembly.Module.exports(module)`) or their bytes. */
  filter: Filter;
  /**
   * A module that imports its memory. Needed where glue creates the memory before it has compiled the module:
   * the next memory with the limits that this module declares is the VM's.
   */
  memoryOf?: Bytes;
}

/**
 * Options of `intercept` in the thread of a branch: the program is the branch's.
 *
 * @category Programs
 */
export interface BranchInterceptOptions extends Pick<InterceptOptions, 'filter' | 'memoryOf'> {
  /** What the module of the branch was given. */
  branch: Branch;
}

/**
 * The programs of an interception, in the order of their instantiation: `const [program] = programs`.
 *
 * @category Programs
 */
export class Interception implements Iterable<Program> {
  readonly #programs: readonly Program[];
  readonly #end: () => void;

  /** @internal */
  constructor(programs: readonly Program[], end: () => void) {
    this.#programs = programs;
    this.#end = end;
  }

  /** The programs so far. */
  [Symbol.iterator](): Iterator<Program> {
    return this.#programs[Symbol.iterator]();
  }

  /** Puts WebAssembly's constructors back. Programs go on. */
  restore(): void {
    this.#end();
  }
  /** `restore`, for `using`. */
  [Symbol.dispose](): void {
    this.restore();
  }
}

/**
 * Replaces `WebAssembly.Module`, `Instance`, `Memory`, `compile`, `instantiate` and their streaming forms in
 * this thread: instances of modules that the filter chooses are programs on the machine. All else is as it
 * was. In the thread of a branch, the chosen module's instance is the branch's.
 *
 * Constructors (`_initialize`) are left to the glue.
 *
 * @category Programs
 * @example
 * const filter = (module) => WebAssembly.Module.exports(module).some(({ name }) => name === 'parse');
 * const programs = intercept({ filter });
 * const parser = createRequire(import.meta.url)('a-parser');
 * programs.restore();
 * const [program] = programs;
 *
 * @throws {@link RingzeroError} RZ_OPTION. The glue gets what MicroVM.load throws, or loadSync where it calls
 * `new WebAssembly.Instance`; RZ_OPTION when it has created the module's memory unnoticed: see `memoryOf`
 */
export function intercept(options: InterceptOptions | BranchInterceptOptions): Interception {
  checkObject(options);
  const { filter, memoryOf, ...others } = options;
  if (typeof filter !== 'function') refuse('filter', filter, 'a function of a module');
  const isBranch = 'branch' in others;
  if (isBranch) checkNames(others, { branch: true });
  const programs: Program[] = [];
  const source: Source = isBranch
    ? new FromBranch(others.branch)
    : new FromMachine({ ...others, initialize: false }, programs);
  const watcher = new Interceptor(filter, expectedLimits(memoryOf), source);
  return new Interception(programs, watch(watcher, isBranch));
}

function expectedLimits(memoryOf: Bytes | undefined): MemoryLimits | undefined {
  if (memoryOf === undefined) return undefined;
  const bytes = asBytes(memoryOf);
  const limits = bytes && WebAssembly.validate(bytes as BufferSource) && importedMemory(bytes);
  if (!limits) refuse('memoryOf', typeof memoryOf, 'the bytes of a module that imports its memory');
  return limits;
}

/** Where instances and memories come from. */
interface Source {
  load(bytes: Uint8Array, imports: Wasm.Imports): Wasm.Instance | undefined;
  loadLater(bytes: Uint8Array, imports: Wasm.Imports): Promise<Wasm.Instance | undefined>;
  memory(limits: MemoryLimits): Wasm.Memory;
  isMemory(memory: Wasm.Memory): boolean;
}

class FromMachine implements Source {
  readonly #options: LoadOptions;
  readonly #programs: Program[];

  constructor(options: LoadOptions, programs: Program[]) {
    this.#options = options;
    this.#programs = programs;
  }

  load(bytes: Uint8Array, imports: Wasm.Imports): Wasm.Instance {
    return this.#add(loadSync(bytes, imports, this.#options));
  }
  async loadLater(bytes: Uint8Array, imports: Wasm.Imports): Promise<Wasm.Instance> {
    return this.#add(await MicroVM.load(bytes, imports, this.#options));
  }
  #add(program: Program): Program {
    this.#programs.push(program);
    return program;
  }

  memory({ initial }: MemoryLimits): Wasm.Memory {
    const { memory } = this.#options;
    if (typeof memory === 'object') return memory;
    return obtainMemory(memory, (frames) => giveMemory(frames, initial));
  }
  isMemory(memory: Wasm.Memory): boolean {
    return isPhysicalMemory(memory);
  }
}

class FromBranch implements Source {
  readonly #branch: Branch;
  #isLoaded = false;

  constructor(branch: Branch) {
    this.#branch = branch;
  }

  /** The first is the program; its side modules are linked by the branch itself. */
  load(_bytes: Uint8Array, imports: Wasm.Imports): Wasm.Instance | undefined {
    if (this.#isLoaded) return undefined;
    this.#isLoaded = true;
    return this.#branch.instantiate(imports).instance;
  }
  async loadLater(bytes: Uint8Array, imports: Wasm.Imports): Promise<Wasm.Instance | undefined> {
    return this.load(bytes, imports);
  }
  memory(): Wasm.Memory {
    return this.#branch.memory;
  }
  isMemory(memory: Wasm.Memory): boolean {
    return memory === this.#branch.memory;
  }
}

class Interceptor implements Watcher {
  readonly #filter: Filter;
  readonly #source: Source;
  readonly #expected: MemoryLimits | undefined;
  /** Of modules that were chosen and have no memory yet. */
  readonly #awaited = new Map<WebAssembly.Module, MemoryLimits>();

  constructor(filter: Filter, expected: MemoryLimits | undefined, source: Source) {
    this.#filter = filter;
    this.#expected = expected;
    this.#source = source;
  }

  wants(module: WebAssembly.Module, bytes: Uint8Array): boolean {
    if (!this.#filter(module, bytes)) return false;
    const limits = importedMemory(bytes);
    if (limits !== undefined) this.#awaited.set(module, limits);
    return true;
  }

  instance(
    module: WebAssembly.Module,
    bytes: Uint8Array,
    imports: unknown,
  ): WebAssembly.Instance | undefined {
    return this.#source.load(bytes, this.#checked(module, imports)) as WebAssembly.Instance;
  }
  async instanceLater(
    module: WebAssembly.Module,
    bytes: Uint8Array,
    imports: unknown,
  ): Promise<WebAssembly.Instance | undefined> {
    const checked = this.#checked(module, imports);
    return (await this.#source.loadLater(bytes, checked)) as WebAssembly.Instance;
  }

  memory({ initial, maximum }: WebAssembly.MemoryDescriptor): WebAssembly.Memory | undefined {
    const isOf = (limits: MemoryLimits): boolean =>
      limits.initial === initial && limits.maximum === maximum;
    for (const [module, limits] of this.#awaited) {
      if (!isOf(limits)) continue;
      this.#awaited.delete(module);
      return this.#source.memory(limits) as WebAssembly.Memory;
    }
    const expected = this.#expected;
    if (expected === undefined || !isOf(expected)) return undefined;
    return this.#source.memory(expected) as WebAssembly.Memory;
  }

  /** The imports, if the memory among them is one that the program can run on. */
  #checked(module: WebAssembly.Module, imports: unknown): Wasm.Imports {
    this.#awaited.delete(module);
    const given = (imports ?? {}) as Wasm.Imports;
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      const memory: unknown = kind === 'memory' ? given[from]?.[name] : undefined;
      if (!(memory instanceof originals.Memory) || this.#source.isMemory(memory)) continue;
      throw new RingzeroError(
        'RZ_OPTION',
        `the glue created the memory ${from}.${name} before it was known to be this module’s: give intercept() the module’s bytes as \`memoryOf\`, before the glue starts`,
      );
    }
    return given;
  }
}
