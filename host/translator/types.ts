// Value types, as modules encode them.

import { EXTERNREF, FUNCREF, I32, V128 } from './opcode.ts';
import type { Reader } from './reader.ts';
import { refuseType } from './refuse.ts';

export function valueType(reader: Reader): number {
  const type = reader.byte();
  if (type >= V128 && type <= I32) return type;
  if (type === FUNCREF || type === EXTERNREF) return type;
  throw refuseType(type, reader.pos - 1);
}

/** The type of a table's elements, or what ref.null names. */
export function heapType(reader: Reader): number {
  const type = reader.byte();
  if (type !== FUNCREF && type !== EXTERNREF) throw refuseType(type, reader.pos - 1);
  return type;
}
