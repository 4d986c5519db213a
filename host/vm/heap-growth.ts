// Imports by which a program grows its memory, served by the kernel.

import { WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import type * as Wasm from '../webassembly.ts';
import type { Kernel } from './kernel.ts';
import type { Machine } from './machine.ts';
import { seesAll } from './physical-memory.ts';

/** Whether a program grows its memory by calling this import. */
export function isGrowth({ growth }: Pick<Machine, 'growth'>, from: string, name: string): boolean {
  const { growImport } = growth;
  if (growImport?.module === from && growImport.name === name) return true;
  return name === 'emscripten_resize_heap';
}

/**
 * `emscripten_resize_heap` for a program without glue, as in a fork: grows memory to at least `bytes`.
 * Returns 1, or 0 on failure, which the program's malloc reports as NULL.
 */
export function resizeHeap({ calls }: Kernel): (bytes: number) => number {
  return (bytes) => {
    const missing = Math.ceil((bytes >>> 0) / WASM_PAGE_BYTES) - calls.size();
    return missing <= 0 || calls.grow(missing) >= 0 ? 1 : 0;
  };
}

/**
 * Imports that grow memory, for glue that sees all of physical memory: it takes that for the program's
 * memory, and would conclude that memory need not grow. With other glue, the glue's own function is called.
 */
export function growthImports(
  growth: Machine['growth'],
  module: Wasm.Module,
  memory: Wasm.Memory,
  kernel: Kernel,
): Record<string, Wasm.ModuleImports> {
  const all = Object.create(null) as Record<string, Wasm.ModuleImports>;
  if (!seesAll(memory)) return all;
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function' || !isGrowth({ growth }, from, name)) continue;
    const names = (all[from] ??= Object.create(null) as Wasm.ModuleImports);
    names[name] = resizeHeap(kernel);
  }
  return all;
}

/** The import by which glue grows memory to a number of bytes, if the program has one. */
export function growthFunction(
  { growth }: Pick<Machine, 'growth'>,
  imports: Wasm.Imports,
): ((bytes: number) => unknown) | undefined {
  const { module, name } = growth.growImport ?? { module: 'env', name: 'emscripten_resize_heap' };
  const found = imports[module]?.[name];
  return typeof found === 'function' ? (found as (bytes: number) => unknown) : undefined;
}
