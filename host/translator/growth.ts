// How a program gets more memory, found in its code, because names may be minified.
//
// A C library grows memory in one place, `sbrk`, which compares with memory.size and then calls memory.grow or, from
// Emscripten, an import (`emscripten_resize_heap`). Only the allocator calls that place, and it is exported as malloc.
//
// Interface   A pass over the bodies tells of each function, memory.size, memory.grow and call; the getters say what
//             that means.

import type { ModuleMap } from './module.ts';
import { KIND_FUNCTION } from './kinds.ts';
import { I32 } from './opcode.ts';

export class Growth {
  /** The module has a memory.grow. */
  growsItself = false;
  readonly #map: ModuleMap;
  /** What exported functions of malloc's type call. */
  readonly #callees = new Map<number, Set<number>>();
  /** By function that asks for the size: the import that it calls then. */
  readonly #growers = new Map<number, number>();
  #function = -1;
  #current: Set<number> | undefined;
  #isSized = false;

  constructor(map: ModuleMap) {
    this.#map = map;
    for (const { kind, index } of map.exports)
      if (kind === KIND_FUNCTION && this.#isUnary(index)) this.#callees.set(index, new Set());
  }

  #isUnary(index: number): boolean {
    const { params, results } = this.#map.typeOf(index);
    return params.length === 1 && params[0] === I32 && results.length === 1 && results[0] === I32;
  }

  /** The body of a function begins. */
  enter(index: number): void {
    this.#function = index;
    this.#current = this.#callees.get(index);
    this.#isSized = false;
  }

  size(): void {
    this.#isSized = true;
  }

  grow(): void {
    this.growsItself = true;
  }

  call(index: number): void {
    this.#current?.add(index);
    if (!this.#isSized) return;
    this.#isSized = false;
    if (index < this.#map.importedFunctions && this.#isUnary(index))
      this.#growers.set(this.#function, index);
  }

  /**
   * The import that makes memory have this many bytes; undefined when there is none, or more than one may be
   * it.
   */
  get importedFunction(): number | undefined {
    const [first, ...others] = new Set(this.#growers.values());
    return others.length === 0 ? first : undefined;
  }

  /** The exported function that gives memory, and alone has it grow. */
  get allocator(): number | undefined {
    if (this.importedFunction === undefined) return undefined;
    const calling = [...this.#callees].filter(
      ([index, callees]) =>
        this.#growers.has(index) || [...callees].some((callee) => this.#growers.has(callee)),
    );
    return calling.length === 1 ? calling[0]![0] : undefined;
  }
}
