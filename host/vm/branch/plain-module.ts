// A program's module as its compiler left it, except that it exports what makes up its state: memory, mutable
// globals and tables, under the names that a translated image has for them (vm/tables.ts).

import { RingzeroError } from '../../errors.ts';
import { KIND_FUNCTION, KIND_GLOBAL, KIND_MEMORY, KIND_TABLE } from '../../translator/kinds.ts';
import { mapModule, type ModuleMap } from '../../translator/module.ts';
import { F32, F64, FUNCREF, I32, I64, V128 } from '../../translator/opcode.ts';
import { malformed, Reader } from '../../translator/reader.ts';
import { Writer } from '../../translator/writer.ts';

const HEADER_BYTES = 8;
const SECTION_MEMORY = 5;
const SECTION_EXPORT = 7;

const TYPES = new Map([
  [I32, 'i32'],
  [I64, 'i64'],
  [F32, 'f32'],
  [F64, 'f64'],
] as const);

/** The exported name of the memory. */
export const MEMORY = 'ringzero.memory';

export interface PlainGlobal {
  readonly name: string;
  readonly type: 'i32' | 'i64' | 'f32' | 'f64';
}

export interface PlainModule {
  readonly bytes: Uint8Array;
  /** Its mutable globals with numbers, in the order in which `ringzero.save` stores them. */
  readonly globals: readonly PlainGlobal[];
  /** The import that is its memory; undefined = it has its own. */
  readonly memoryImport: { readonly module: string; readonly name: string } | undefined;
  /** Pages of 64 KiB that its memory may have. */
  readonly maximumPages: number;
}

type Exported = [name: string, kind: number, index: number];

/**
 * `pages`: what a memory of its own starts with. `values`: functions that its code takes as values, which are
 * exported, too. Fails with RZ_MODULE_UNSUPPORTED for a mutable global that JavaScript cannot set.
 */
export function plainModule(
  wasm: Uint8Array,
  pages: number,
  values: readonly number[],
): PlainModule {
  const map = mapModule(wasm);
  const globals = globalsOf(map);
  const out = new Writer(wasm.length + 4096);
  out.append(wasm.subarray(0, HEADER_BYTES));
  const reader = new Reader(wasm, HEADER_BYTES);
  let hasExports = false;
  while (reader.pos < reader.end) {
    const id = reader.byte();
    const bytes = reader.count();
    const section = wasm.subarray(reader.pos, reader.pos + bytes);
    reader.skip(bytes);
    out.byte(id);
    if (id === SECTION_MEMORY) out.nameBytes(memorySection(map, pages));
    else if (id === SECTION_EXPORT) out.nameBytes(exportSection(section, stateOf(map, values)));
    else out.nameBytes(section);
    hasExports ||= id === SECTION_EXPORT;
  }
  if (!hasExports) throw malformed('it exports nothing', wasm.length);
  const memory = map.imports.find(({ kind }) => kind === KIND_MEMORY);
  return {
    bytes: out.finish(),
    globals,
    memoryImport: memory && { module: memory.module, name: memory.name },
    maximumPages: map.memoryMaximum ?? 65536,
  };
}

function globalsOf({ globals }: ModuleMap): PlainGlobal[] {
  return globals.flatMap(({ mutable, type }, index) => {
    if (!mutable || type < V128) return [];
    const name = TYPES.get(type as typeof I32);
    if (name !== undefined) return [{ name: `ringzero.global.${index}`, type: name }];
    throw new RingzeroError(
      'RZ_MODULE_UNSUPPORTED',
      `a branch cannot carry mutable global ${index}, a vector, which JavaScript cannot set`,
    );
  });
}

/** What a copy of the program needs to reach, as exports. */
function stateOf(map: ModuleMap, values: readonly number[]): Exported[] {
  const { globals, tables } = map;
  const mutable = [...globals.keys()].filter((index) => globals[index]!.mutable);
  const numbers = mutable.filter((index) => globals[index]!.type >= V128);
  const references = mutable.filter((index) => globals[index]!.type < V128);
  const places = [...tables.keys()];
  const functions = places.filter((index) => tables[index]!.type === FUNCREF);
  const objects = places.filter((index) => tables[index]!.type !== FUNCREF);
  return [
    [MEMORY, KIND_MEMORY, 0],
    ...numbers.map((index): Exported => [`ringzero.global.${index}`, KIND_GLOBAL, index]),
    ...functions.map((index, i): Exported => [`ringzero.tables.${i}`, KIND_TABLE, index]),
    ...[
      ...objects.map((index): [number, number] => [KIND_TABLE, index]),
      ...references.map((index): [number, number] => [KIND_GLOBAL, index]),
    ].map(([kind, index], i): Exported => [`ringzero.references.${i}`, kind, index]),
    ...values.map((index): Exported => [`ringzero.function.${index}`, KIND_FUNCTION, index]),
  ];
}

function exportSection(old: Uint8Array, added: readonly Exported[]): Uint8Array {
  const reader = new Reader(old, 0);
  const out = new Writer(old.length + 64 * added.length);
  out.u32(reader.count() + added.length);
  out.append(old.subarray(reader.pos));
  for (const [name, kind, index] of added) out.exported(name, kind, index);
  return out.finish();
}

function memorySection({ memoryMaximum, memoryShared }: ModuleMap, pages: number): Uint8Array {
  const out = new Writer(16);
  out.u32(1);
  out.byte((memoryMaximum === undefined ? 0 : 1) | (memoryShared ? 2 : 0));
  out.u32(pages);
  if (memoryMaximum !== undefined) out.u32(memoryMaximum);
  return out.finish();
}
