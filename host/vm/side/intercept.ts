// Side modules are instantiated by the program's glue, which knows nothing of the machine. From the first
// dynamically linked program on, WebAssembly's constructors look at what they are given: a module that is
// dynamically linked, and whose memory is a program's, is linked to the program; all else is as before.

import { asBytes } from '../../bytes.ts';
import { Reader } from '../../translator/reader.ts';
import type * as Wasm from '../../webassembly.ts';

/** Links a module's bytes, with the imports that glue gives them. */
type Linker = (bytes: Uint8Array, imports: object) => Wasm.Instance;

/** WebAssembly's own constructors. */
export const originals = {
  Memory: WebAssembly.Memory,
  Module: WebAssembly.Module,
  Instance: WebAssembly.Instance,
};

const linkers = new WeakMap<WebAssembly.Memory, Linker>();
/** The bytes of the dynamically linked modules that glue compiled. */
const compiled = new WeakMap<WebAssembly.Module, Uint8Array>();
let isInstalled = false;

/** Whether a module is part of a dynamically linked program. */
export const isDynamic = (module: WebAssembly.Module): boolean =>
  WebAssembly.Module.customSections(module, 'dylink.0').length > 0;

/** Side modules that import this memory are linked by `linker` from now on. */
export function linkSideModules(memory: WebAssembly.Memory, linker: Linker): void {
  linkers.set(memory, linker);
  if (!isInstalled) install();
  isInstalled = true;
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

/** The instance, if the module is a side module of a program. */
function linked(module: WebAssembly.Module, imports: unknown): WebAssembly.Instance | undefined {
  const bytes = compiled.get(module);
  if (bytes === undefined) return undefined;
  return linkerOf(module, imports)?.(bytes, imports as object);
}

function keep(module: WebAssembly.Module, bytes: BufferSource): WebAssembly.Module {
  if (isDynamic(module)) compiled.set(module, asBytes(bytes)!.slice());
  return module;
}

function install(): void {
  const { Module, Instance } = originals;
  const { compile, instantiate } = WebAssembly;
  WebAssembly.Module = new Proxy(Module, {
    construct: (target, args: [BufferSource], newTarget) =>
      keep(Reflect.construct(target, args, newTarget) as WebAssembly.Module, args[0]),
  });
  WebAssembly.Instance = new Proxy(Instance, {
    construct: (target, args: [WebAssembly.Module, WebAssembly.Imports?], newTarget) =>
      (args[0] instanceof Module
        ? linked(...(args as [WebAssembly.Module, unknown]))
        : undefined) ?? (Reflect.construct(target, args, newTarget) as WebAssembly.Instance),
  });
  WebAssembly.compile = async (bytes) => keep(await compile(bytes), bytes);
  WebAssembly.instantiate = (async (
    source: WebAssembly.Module | BufferSource,
    imports?: WebAssembly.Imports,
  ) => {
    if (source instanceof Module)
      return linked(source, imports) ?? (await instantiate(source, imports));
    const module = keep(await compile(source), source);
    const instance = linked(module, imports) ?? (await instantiate(module, imports));
    return { module, instance };
  }) as typeof instantiate;
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
