// Imported globals, tables and tags for threads without the user's imports, such as a fork's. Globals are
// carried with the values that they had when the first instance was created; mutable ones are also among the
// fork's registers. A table is as long as the parent's and has the entries that the module itself put there
// (vm/tables.ts carries the others).
//
// Interface   carriedOf() describes what an instance was given, as data that can be posted; carriedImport()
//             recreates it.
// Invariants  A reference to a JavaScript object cannot go to another thread: it becomes null.

import type { ImportedValue } from '../translator/index.ts';
import type * as Wasm from '../webassembly.ts';
import { JSTag, Tag } from './tags.ts';

export interface CarriedImport extends ImportedValue {
  /** Of a global with a number: its value. */
  readonly value?: number | bigint | undefined;
  /** Of a table: its length in entries. */
  readonly length?: number;
  /** Of a tag: it is `WebAssembly.JSTag`. */
  readonly isJavaScript?: boolean;
}

/** Describes what the instance with these imports was given under the names of `values`. */
export function carriedOf(
  values: readonly ImportedValue[],
  imports: Wasm.Imports,
): CarriedImport[] {
  return values.flatMap((entry): CarriedImport[] => {
    const given = imports[entry.module]?.[entry.name];
    if (entry.kind === 'table')
      return given instanceof WebAssembly.Table ? [{ ...entry, length: given.length }] : [];
    if (entry.kind === 'tag')
      return given === undefined ? [] : [{ ...entry, isJavaScript: given === JSTag }];
    const isNumber = NUMBERS.has(entry.type);
    const value: unknown = given instanceof WebAssembly.Global && isNumber ? given.value : given;
    if (!isNumber) return entry.type === 'v128' ? [] : [entry];
    return [{ ...entry, value: value as number | bigint }];
  });
}

const NUMBERS: ReadonlySet<string> = new Set(['i32', 'i64', 'f32', 'f64']);

/** A global, table or tag like that of the first instance; undefined when it had none of that name. */
export function carriedImport(
  carried: readonly CarriedImport[],
  module: string,
  name: string,
): Wasm.ModuleImports[string] | undefined {
  const found = carried.find((entry) => entry.module === module && entry.name === name);
  if (found === undefined) return undefined;
  const { kind, type, mutable, value, length, maximum } = found;
  if (kind === 'tag') {
    const own = found.isJavaScript === true ? JSTag : undefined;
    const tag = own ?? new Tag({ parameters: type === '' ? [] : type.split(',') });
    return tag as Wasm.ModuleImports[string];
  }
  if (kind === 'table') {
    const element = type as WebAssembly.TableKind;
    return new WebAssembly.Table({
      element,
      initial: length!,
      ...(maximum === undefined ? {} : { maximum }),
    });
  }
  const content = NUMBERS.has(type) ? value : null;
  return new WebAssembly.Global(
    { value: type as WebAssembly.ValueType, mutable },
    content as never,
  );
}
