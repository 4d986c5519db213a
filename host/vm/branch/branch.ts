// A branch, in its own thread: the program's plain module on a memory of its own, first as glue starts it,
// then as it is in a snapshot.
//
// Interface   The user's module instantiates it with branch.instantiate() or instantiateWasm(); the thread
//             calls become() with each state.
// Invariants  What is in the tables beyond what the modules themselves put there belongs to glue: become()
//             leaves it where the state has a JavaScript function, or refuses.

import { RingzeroError } from '../../errors.ts';
import { physicalBuffer } from '../../physical-buffer.ts';
import type { SideState } from '../side/side-module.ts';
import { baseOf, dynamicNeeds, linkSideModules, originals } from '../side/intercept.ts';
import { Tables } from '../tables.ts';
import type * as Wasm from '../../webassembly.ts';
import { copyAll, copyChanges } from './copy.ts';
import { setGlobals } from './globals.ts';
import { MEMORY, plainModule, type PlainGlobal } from './plain-module.ts';
import type { BranchState, BranchThreadData } from './state.ts';

/** What hides a side module's start: its memory is the parent's. */
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

  /** @internal */
  constructor(data: BranchThreadData) {
    this.#data = data;
    this.memory = new originals.Memory({ initial: data.pages, maximum: data.maximumPages });
    linkSideModules(this.memory, (bytes, imports) => this.#link(bytes, imports));
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
    this.#tables = new Tables(instance.exports);
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
    return {} as Wasm.Exports;
  };

  /**
   * `load` has glue instantiate these side modules, in their order.
   *
   * @internal
   */
  async link(sides: readonly SideState[], load: () => unknown): Promise<void> {
    if (this.#sides.length >= sides.length) return;
    this.#toLink = sides;
    await load();
    this.#toLink = [];
  }

  /**
   * Copies memory, if the program may still run on it.
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
    const source = { ...state, memory: physicalBuffer(state.memory) };
    if (state.base !== undefined && this.#held === state.base.id)
      copyChanges(source, memory.buffer, state.base.table);
    else copyAll(source, memory.buffer);
    this.#held = state.id;
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

  /** A side module on the branch's memory: what it starts with is there already. */
  #link(bytes: Uint8Array, imports: object): WebAssembly.Instance {
    const index = this.#sides.length;
    const state = this.#toLink[index];
    if (state === undefined || !isEqual(state.bytes, bytes)) return this.#linkNew(bytes, imports);
    const { memoryBase, memoryBytes } = state;
    const memory = this.#instance!.exports[MEMORY] as WebAssembly.Memory;
    const content = new Uint8Array(memory.buffer, memoryBase, memoryBytes).slice();
    const shown = this.#linkNew(bytes, imports, STARTS);
    new Uint8Array(memory.buffer).set(content, memoryBase);
    return shown;
  }

  #linkNew(
    bytes: Uint8Array,
    imports: object,
    hidden: ReadonlySet<string> = new Set(),
  ): WebAssembly.Instance {
    const plain = plainModule(bytes, 0, false);
    const module = new originals.Module(plain.bytes as BufferSource);
    const instance = new originals.Instance(module, imports as WebAssembly.Imports);
    const { tableEntries } = dynamicNeeds(module);
    const tableBase = baseOf(imports, '__table_base');
    this.#tables!.nameSide(this.#sides.length, instance.exports, tableBase, tableEntries);
    this.#sides.push({ globals: plain.globals, exports: instance.exports });
    const shown = Object.create(WebAssembly.Instance.prototype) as WebAssembly.Instance;
    Object.defineProperty(shown, 'exports', { value: plainExports(instance, hidden) });
    return shown;
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
