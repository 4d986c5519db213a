// The index spaces of an image: the module's items under their new indices, and what translation adds.
//
//   functions   guest imports | ringzero imports | guest functions | import thunks | export thunks |
//               glued exports, for glue | boot attach save load | routines, in the order of their first use
//   globals     guest imports | ringzero.vcpu | guest globals | view or table | inside, for glue |
//               dropped segments
//
// Where the guest calls one of its imports, it calls the import's thunk.

import type { Code } from './code.ts';
import { KIND_FUNCTION, typeKey } from './module.ts';
import type { ExportEntry, FunctionType, ModuleMap } from './module.ts';
import { I32 } from './opcode.ts';

/** What the caller of the translator chooses. */
export interface Choices {
  readonly safepoints: boolean;
  readonly elision: boolean;
  readonly zeroFilledMemory?: boolean | undefined;
  /** The image is for a program with glue (glue.ts). */
  readonly glue?: boolean;
  /** For tests: longer bodies are compact (body.ts; default: those that no engine takes otherwise). */
  readonly bodyBytesMax?: number;
}

/**
 * A function that the kernel or the host supplies: name, types of parameters and results; a number is
 * this many i32.
 */
export type KernelCall = readonly [
  name: string,
  params: number | readonly number[],
  results: number | readonly number[],
];

/** The types of a KernelCall. */
export const typesOf = (types: number | readonly number[]): readonly number[] =>
  typeof types === 'number' ? i32s(types) : types;

export const i32s = (count: number): number[] => new Array<number>(count).fill(I32);

interface Routine {
  readonly name: string;
  readonly type: number;
  readonly build: (code: Code) => number[]; // returns the types of its extra locals
}

// Functions that each image for a VM exports, in the order of their indices.
export const BOOT = 0;
export const ATTACH = 1;
export const SAVE = 2;
export const LOAD = 3;
export const SPECIALS = ['boot', 'attach', 'save', 'load'] as const;

export abstract class Indices {
  readonly map: ModuleMap;
  readonly choices: Choices;
  readonly extraTypes: FunctionType[] = [];
  readonly routines: Routine[] = [];
  readonly exported: number[] = []; // guest functions that have an export thunk
  abstract readonly kernelCalls: readonly KernelCall[];
  /** Exported name of the image's own mutable global. */
  abstract readonly registerName: string;
  readonly #typeKeys = new Map<string, number>();
  readonly #routineIndex = new Map<string, number>();
  readonly #exportThunk = new Map<number, number>();
  readonly #kernelIndex = new Map<string, number>();

  constructor(map: ModuleMap, choices: Choices) {
    this.map = map;
    this.choices = choices;
    map.types.forEach((type, i) => {
      const key = typeKey(type);
      if (!this.#typeKeys.has(key)) this.#typeKeys.set(key, i);
    });
  }

  /** To be called once by the constructors of subclasses, when kernelCalls and exports are set. */
  protected index(): void {
    this.kernelCalls.forEach(([name], i) =>
      this.#kernelIndex.set(name, this.map.importedFunctions + i),
    );
    for (const entry of this.exports) {
      if (entry.kind !== KIND_FUNCTION || this.#exportThunk.has(entry.index)) continue;
      this.#exportThunk.set(entry.index, this.exported.length);
      this.exported.push(entry.index);
    }
  }

  /** What the image exports of the guest. */
  get exports(): readonly ExportEntry[] {
    return this.map.exports;
  }

  get importThunks(): number {
    return this.map.functions.length + this.kernelCalls.length;
  }
  get exportThunks(): number {
    return this.importThunks + this.map.importedFunctions;
  }
  /** The exported functions as glue and tables have them. */
  get gluedExports(): number {
    return this.exportThunks + this.exported.length;
  }
  /** BOOT, ATTACH, SAVE or LOAD. */
  special(which: number): number {
    return this.gluedExports + (this.choices.glue === true ? this.exported.length : 0) + which;
  }
  get firstRoutine(): number {
    return this.special(SPECIALS.length);
  }

  /** New index of a guest function, as its callers must know it. */
  functionIndex(old: number): number {
    return old < this.map.importedFunctions
      ? this.importThunks + old
      : old + this.kernelCalls.length;
  }
  /** New index of a guest function as a value: in tables, by `ref.func`. */
  referenceIndex(old: number): number {
    const place = this.choices.glue === true ? this.#exportThunk.get(old) : undefined;
    return place === undefined ? this.functionIndex(old) : this.gluedExports + place;
  }
  exportThunk(old: number): number {
    return this.exportThunks + this.#exportThunk.get(old)!;
  }
  kernel(name: string): number {
    return this.#kernelIndex.get(name)!;
  }

  globalIndex(old: number): number {
    return old < this.map.importedGlobals ? old : old + 1;
  }
  get vcpuGlobal(): number {
    return this.map.importedGlobals;
  }
  /** The view (main image) or the base of the page table (snapshot image). */
  get registerGlobal(): number {
    return this.map.globals.length + 1;
  }
  /** Nonzero while the program runs, in an image for glue. */
  get insideGlobal(): number {
    return this.registerGlobal + 1;
  }
  get firstDropGlobal(): number {
    return this.registerGlobal + (this.choices.glue === true ? 2 : 1);
  }

  type(params: readonly number[], results: readonly number[]): number {
    const type = { params: Int32Array.from(params), results: Int32Array.from(results) };
    const key = typeKey(type);
    let index = this.#typeKeys.get(key);
    if (index === undefined) {
      index = this.map.types.length + this.extraTypes.length;
      this.#typeKeys.set(key, index);
      this.extraTypes.push(type);
    }
    return index;
  }

  /** Index of a function that translation adds once, at its first use. */
  routine(
    name: string,
    params: readonly number[],
    results: readonly number[],
    build: (code: Code) => number[],
  ): number {
    const known = this.#routineIndex.get(name);
    if (known !== undefined) return known;
    const index = this.firstRoutine + this.routines.length;
    this.#routineIndex.set(name, index);
    this.routines.push({ name, type: this.type(params, results), build });
    return index;
  }
}
