// The limits of the memory that a module imports, for glue that creates it.

import {
  KIND_FUNCTION,
  KIND_GLOBAL,
  KIND_MEMORY,
  KIND_TABLE,
  KIND_TAG,
} from '../translator/kinds.ts';
import { malformed, Reader } from '../translator/reader.ts';
import { valueType } from '../translator/types.ts';

const IMPORT_SECTION = 2;
const HEADER_BYTES = 8;

/** Its limits, in pages of 64 KiB. */
export interface MemoryLimits {
  readonly initial: number;
  readonly maximum: number | undefined;
}

/** With the names under which a module imports it. */
interface ImportedMemory extends MemoryLimits {
  readonly module: string;
  readonly name: string;
}

/** Undefined when the module imports no memory. Fails with RZ_MODULE_MALFORMED. */
export function importedMemory(wasm: Uint8Array): ImportedMemory | undefined {
  const reader = new Reader(wasm);
  reader.skip(HEADER_BYTES);
  while (reader.pos < reader.end) {
    const id = reader.byte();
    const size = reader.count();
    if (id === IMPORT_SECTION) return inImports(reader);
    reader.skip(size);
  }
  return undefined;
}

function inImports(reader: Reader): ImportedMemory | undefined {
  for (let left = reader.count(); left > 0; left--) {
    const module = reader.nameBytes();
    const name = reader.nameBytes();
    const kind = reader.byte();
    if (kind === KIND_FUNCTION) reader.u32();
    else if (kind === KIND_GLOBAL) {
      valueType(reader, Infinity);
      reader.skip(1);
    } else if (kind === KIND_TAG) {
      reader.skip(1);
      reader.u32();
    } else if (kind === KIND_TABLE) {
      reader.skip(1);
      if (reader.u32() & 1) reader.u32();
      reader.u32();
    } else if (kind === KIND_MEMORY) {
      const hasMaximum = (reader.u32() & 1) !== 0;
      const initial = reader.u32();
      const maximum = hasMaximum ? reader.u32() : undefined;
      return { module: textOf(module), name: textOf(name), initial, maximum };
    } else throw malformed('unknown kind of import', reader.pos - 1);
  }
  return undefined;
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
