// A branch, in its own thread: the program's plain module on a memory of its own, first as glue starts it,
// then as it is in a snapshot.
//
// Interface   The user's module instantiates it with branch.instantiate() or instantiateWasm(); the thread
//             calls become() with each state.
// Invariants  What is in the tables beyond what the modules themselves put there belongs to glue: become()
//             leaves it where the state has a JavaScript function, or refuses.

import { FRAME_BYTES, FRAME_SHIFT } from '../../../assembly/abi/limits.ts';
import { originals } from '../../constructors.ts';
import { RingzeroError } from '../../errors.ts';
import { FileSystem } from '../../files/file-system.ts';
import { Files } from '../../files/files.ts';
import { PlainFiles } from '../../files/plain.ts';
import { physicalBuffer } from '../../physical-buffer.ts';
import type { SideState } from '../side/side-module.ts';
import { baseOf, dynamicNeeds, linkSideModules } from '../side/intercept.ts';
import { Tables } from '../tables.ts';
import type * as Wasm from '../../webassembly.ts';
import { copySnapshot, type Source } from './copy.ts';
import { setGlobals } from './globals.ts';
import { MEMORY, plainModule, type PlainGlobal } from './plain-module.ts';
import type { BranchState, BranchThreadData } from './state.ts';

/** A side module has started in the parent already. */
const STARTS = new Set(['__wasm_apply_data_relocs', '__wasm_call_ctors']);

/**
 * A program in a thread of its own, given to the module that runs it there (see `Program.branch`).
 *
 * @category Programs
 */
export class Branch {
  /** For glue that creates its memory itself, such as Emscripten's (`wasmMemory`). */
  readonly memory: Wasm.Memory;
  readonly #data: BranchThreadData;
  #instance: WebAssembly.Instance | undefined;
  #tables: Tables | undefined;
  #exports: Wasm.Exports = {};
  /** The snapshot that memory equals, until the program runs. */
  #held: number | undefined;
  readonly #sides: { readonly globals: readonly PlainGlobal[]; exports: WebAssembly.Exports }[] =
    [];
  #toLink: readonly SideState[] = [];
  #plain: PlainFiles | undefined;
  #files: Files | undefined;

  /** @internal */
  constructor(data: BranchThreadData) {
    this.#data = data;
    this.memory = new originals.Memory({ initial: data.pages, maximum: data.maximumPages });
    linkSideModules(this.memory, (bytes, imports) => this.#link(bytes, imports));
  }

  /**
   * The files of the program as they were; before the branch has become the program, an empty file system to
   * be mounted (`ringzeroFS(branch, FS)`). Changes are the branch's.
   *
   * @throws {@link RingzeroError} RZ_OPTION when the program had no files yet
   */
  get fs(): Files {
    if (this.#files !== undefined) return this.#files;
    const { files } = this.#data;
    if (files === undefined)
      throw new RingzeroError(
        'RZ_OPTION',
        'the program had no files when the branch’s thread started: use `program.fs` before',
      );
    this.#plain = new PlainFiles(files);
    return (this.#files = new Files(new FileSystem(this.#plain.guest)));
  }

  /** The program's exports, once glue has instantiated it. */
  get exports(): Wasm.Exports {
    return this.#exports;
  }

  /** What glue gets instead of `WebAssembly.instantiate`. */
  instantiate(imports: Wasm.Imports): { instance: Wasm.Instance; module: Wasm.Module } {
    if (this.#instance !== undefined)
      throw new RingzeroError('RZ_OPTION', 'a branch is instantiated once');
    const { module } = this.#data;
    const instance = new originals.Instance(module, imports as WebAssembly.Imports);
    this.#instance = instance;
    this.#tables = new Tables(instance.exports, this.#data.changesTables);
    this.#exports = plainExports(instance);
    const shown = Object.create(WebAssembly.Instance.prototype) as { exports: Wasm.Exports };
    Object.defineProperty(shown, 'exports', { value: this.#exports });
    return { instance: shown as unknown as Wasm.Instance, module };
  }

  /** Emscripten's hook: `instantiateWasm: branch.instantiateWasm`. */
  readonly instantiateWasm = (
    imports: Wasm.Imports,
    done: (instance: Wasm.Instance, module: Wasm.Module) => unknown,
  ): Wasm.Exports => {
    const { instance, module } = this.instantiate(imports);
    done(instance, module);
    return this.exports; // older glue uses what is returned
  };

  /**
   * `load` has glue instantiate these side modules, in their order. Whether it had to.
   *
   * @internal
   */
  async link(sides: readonly SideState[], load: () => unknown): Promise<boolean> {
    if (this.#sides.length >= sides.length) return false;
    this.#toLink = sides;
    await load();
    this.#toLink = [];
    this.#held = undefined; // glue has written to memory
    return true;
  }

  /** Grows the table to where the next side module's functions are. To be called before glue loads it. */
  placeNext(): void {
    const state = this.#toLink[this.#sides.length];
    if (state !== undefined) this.#tables!.growTo(state.tableBase);
  }

  /**
   * Copies memory.
   *
   * @internal
   */
  hold(state: BranchState): void {
    const instance = this.#instance;
    if (instance === undefined)
      throw new RingzeroError('RZ_OPTION', 'main() of a branch has not instantiated the program');
    const memory = instance.exports[MEMORY] as WebAssembly.Memory;
    if (memory.buffer.byteLength < state.bytes)
      throw new RingzeroError('RZ_OUT_OF_MEMORY', 'the parent has grown since the thread started');
    const { bytes, base, table, files } = state;
    const known = base !== undefined && this.#held === base.id ? base.table : undefined;
    const snapshot = { memory: physicalBuffer(state.memory), table };
    const pages = bytes >>> FRAME_SHIFT;
    const content = new Uint8Array(memory.buffer, 0, bytes);
    copySnapshot({ ...snapshot, end: pages, pages }, content, known);
    if (known === undefined) new Uint8Array(memory.buffer).fill(0, bytes);
    if (files.pages > 0) this.#copyFiles({ ...snapshot, ...files }, known);
    this.#held = state.id;
  }

  #copyFiles(source: Source, base: number | undefined): void {
    const bytes = source.pages * FRAME_BYTES;
    const { system } = this.fs;
    const all = this.#plain!.bytes;
    if (bytes >= all.length)
      throw new RingzeroError('RZ_OUT_OF_MEMORY', 'the program has more files than a branch can');
    copySnapshot(source, all.subarray(all.length - bytes), base);
    system.replaced();
  }

  /**
   * Makes the program what it was, after memory has been copied and side modules have been linked.
   *
   * @internal
   */
  become(state: BranchState): void {
    const { exports } = this.#instance!;
    this.#held = undefined; // it runs from now on
    if (state.sides.length !== this.#sides.length)
      throw new RingzeroError(
        'RZ_MODULE_UNSUPPORTED',
        `the program has ${state.sides.length} side modules, and its branch ${this.#sides.length}`,
      );
    setGlobals(exports, this.#data.globals, state.registers);
    state.sides.forEach(({ registers }, i) => {
      const side = this.#sides[i]!;
      setGlobals(side.exports, side.globals, registers);
    });
    this.#tables!.follow(state.tables);
  }

  /**
   * Sets the tables in advance, which takes long where they are long.
   *
   * @internal
   */
  followTables(state: BranchState): void {
    if (state.sides.length === this.#sides.length) this.#tables!.follow(state.tables);
  }

  /** Whether glue has linked nothing since become(): what it knows of the tables is true of the parent. */
  get isReusable(): boolean {
    return !this.#tables!.hasChanged;
  }

  /** A side module where the parent has it. Its memory is copied afterwards. */
  #link(bytes: Uint8Array, given: object): WebAssembly.Instance {
    const state = this.#toLink[this.#sides.length];
    const isKnown = state !== undefined && isEqual(state.bytes, bytes);
    if (state !== undefined && (!isKnown || baseOf(given, '__table_base') !== state.tableBase))
      throw new RingzeroError(
        'RZ_MODULE_UNSUPPORTED',
        `side module ${this.#sides.length} of the branch is not the parent’s, or has another place in the table`,
      );
    const memoryBase = state?.memoryBase ?? baseOf(given, '__memory_base');
    const plain = plainModule(bytes, 0, []);
    const module = new originals.Module(plain.bytes as BufferSource);
    const instance = new originals.Instance(module, placed(module, given, memoryBase));
    const { tableEntries } = dynamicNeeds(module);
    const tableBase = baseOf(given, '__table_base');
    this.#tables!.nameSide(this.#sides.length, instance.exports, tableBase, tableEntries);
    this.#sides.push({ globals: plain.globals, exports: instance.exports });
    const hidden = state === undefined ? new Set<string>() : STARTS;
    const shown = Object.create(WebAssembly.Instance.prototype) as WebAssembly.Instance;
    const moved = memoryBase - baseOf(given, '__memory_base');
    return Object.defineProperty(shown, 'exports', {
      value: movedExports(plainExports(instance, hidden), moved),
    });
  }
}

/** The imports that a module names, with another place for its data. */
function placed(
  module: WebAssembly.Module,
  given: object,
  memoryBase: number,
): WebAssembly.Imports {
  const result = Object.create(null) as Record<string, WebAssembly.ModuleImports>;
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const names = (result[from] ??= Object.create(null) as WebAssembly.ModuleImports);
    names[name] = (given as WebAssembly.Imports)[from]![name]!;
    if (from !== 'env' || name !== '__memory_base') continue;
    names[name] = new WebAssembly.Global({ value: 'i32' }, memoryBase | 0);
  }
  return result;
}

/** Exports whose addresses glue adds its own base to, which is not the module's. */
function movedExports(exports: Wasm.Exports, by: number): Wasm.Exports {
  if (by === 0) return exports;
  const moved = Object.entries(exports).map(([name, value]) => {
    const isAddress = value instanceof WebAssembly.Global && !isMutable(value);
    if (!isAddress) return [name, value];
    return [name, new WebAssembly.Global({ value: 'i32' }, (Number(value.value) + by) | 0)];
  });
  return Object.freeze(Object.fromEntries(moved)) as Wasm.Exports;
}

function isMutable(global: WebAssembly.Global): boolean {
  try {
    global.value = global.value as never;
    return true;
  } catch {
    return false;
  }
}

function plainExports(
  { exports }: WebAssembly.Instance,
  hidden: ReadonlySet<string> = new Set(),
): Wasm.Exports {
  const all = Object.entries(exports).filter(
    ([name]) => !name.startsWith('ringzero.') && !hidden.has(name),
  );
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(all))) as Wasm.Exports;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
