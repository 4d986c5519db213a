// Side modules are instantiated by the program's glue, which knows nothing of the machine. From the first
// dynamically linked program on, a module that is dynamically linked, and whose memory is a program's, is
// linked to the program.

import { watch } from '../../constructors.ts';
import { Reader } from '../../translator/reader.ts';
import type * as Wasm from '../../webassembly.ts';

/** Links a module's bytes, with the imports that glue gives them. */
type Linker = (bytes: Uint8Array, imports: object) => Wasm.Instance;

const linkers = new WeakMap<WebAssembly.Memory, Linker>();
let isWatching = false;

/** Whether a module is part of a dynamically linked program. */
export const isDynamic = (module: WebAssembly.Module): boolean =>
  WebAssembly.Module.customSections(module, 'dylink.0').length > 0;

/** Side modules that import this memory are linked by `linker` from now on. */
export function linkSideModules(memory: WebAssembly.Memory, linker: Linker): void {
  linkers.set(memory, linker);
  if (isWatching) return;
  isWatching = true;
  const instance = (module: WebAssembly.Module, bytes: Uint8Array, imports: unknown) =>
    linkerOf(module, imports)?.(bytes, imports as object);
  watch({ wants: isDynamic, instance }, true);
}

/** The linker of the memory that the module imports, if it is a program's. */
function linkerOf(module: WebAssembly.Module, imports: unknown): Linker | undefined {
  if (typeof imports !== 'object' || imports === null) return undefined;
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'memory' || from === 'ringzero') continue;
    const memory = (imports as Record<string, Record<string, unknown>>)[from]?.[name];
    if (memory instanceof WebAssembly.Memory) return linkers.get(memory);
  }
  return undefined;
}

/** What a side module asks for, from its section `dylink.0`. */
interface DynamicNeeds {
  readonly memoryBytes: number;
  readonly tableEntries: number;
}

const MEMORY_INFO = 1;

/** Fails with RZ_MODULE_MALFORMED. */
export function dynamicNeeds(module: WebAssembly.Module): DynamicNeeds {
  const [section] = WebAssembly.Module.customSections(module, 'dylink.0');
  const reader = new Reader(new Uint8Array(section ?? new ArrayBuffer(0)));
  while (reader.pos < reader.end) {
    const kind = reader.byte();
    const bytes = reader.count();
    const end = reader.pos + bytes;
    if (kind === MEMORY_INFO) {
      const memoryBytes = reader.u32();
      reader.u32(); // its alignment
      return { memoryBytes, tableEntries: reader.u32() };
    }
    reader.pos = end;
  }
  return { memoryBytes: 0, tableEntries: 0 };
}

/** Where a side module is linked: its imports `__memory_base` and `__table_base`. */
export function baseOf(imports: object, name: '__memory_base' | '__table_base'): number {
  const value: unknown = (imports as { env?: Record<string, unknown> }).env?.[name];
  return Number(value instanceof WebAssembly.Global ? value.value : value) >>> 0;
}
