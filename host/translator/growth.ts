// How a program gets more memory, found in its code, because names may be minified.
//
// A C library grows memory in one place, `sbrk`, which compares with memory.size and then calls
// memory.grow or, with Emscripten, an import (`emscripten_resize_heap`). Only the allocator calls that
// place, and it is exported as malloc.
//
// Interface   The pass over the bodies reports each function, memory.size, memory.grow and call; the
//             getters conclude.

import type { ModuleMap } from './module.ts';
import { KIND_FUNCTION } from './kinds.ts';
import { I32 } from './opcode.ts';

export class Growth {
  /** The module has a memory.grow. */
  growsItself = false;
  readonly #map: ModuleMap;
  /** The functions that exported functions of malloc's type call. */
  readonly #callees = new Map<number, Set<number>>();
  /** By function that asks for the size: the import that it calls next. */
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
   * The import that resizes memory to a number of bytes; undefined if there is none, or more than one
   * candidate.
   */
  get importedFunction(): number | undefined {
    const [first, ...others] = new Set(this.#growers.values());
    return others.length === 0 ? first : undefined;
  }

  /** The exported function that allocates memory: the only one that makes it grow. */
  get allocator(): number | undefined {
    if (this.importedFunction === undefined) return undefined;
    const calling = [...this.#callees].filter(
      ([index, callees]) =>
        this.#growers.has(index) || [...callees].some((callee) => this.#growers.has(callee)),
    );
    return calling.length === 1 ? calling[0]![0] : undefined;
  }
}
