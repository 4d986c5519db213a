// Value types, as modules encode them, and their codes (opcode.ts): one number for each.

import {
  EXNREF,
  EXTERNREF,
  FUNCREF,
  I32,
  NULLEXNREF,
  REF,
  REF_EXN,
  REF_EXTERN,
  REF_FUNC,
  REF_NULL,
  V128,
} from './opcode.ts';
import type { Reader } from './reader.ts';
import { GC, refuseType, unsupported } from './refuse.ts';
import type { Writer } from './writer.ts';

const NON_NULL = new Map([
  [FUNCREF, REF_FUNC],
  [EXTERNREF, REF_EXTERN],
  [EXNREF, REF_EXN],
]);
const NULLABLE = new Map([...NON_NULL].map(([nullable, code]) => [code, nullable]));

export function valueType(reader: Reader): number {
  const type = reader.byte();
  if (type >= V128 && type <= I32) return type;
  if (isHeapType(type)) return type;
  if (type !== REF && type !== REF_NULL) throw refuseType(type, reader.pos - 1);
  const nullable = heapType(reader);
  return type === REF_NULL ? nullable : (NON_NULL.get(nullable) ?? refuse(nullable, reader));
}

const isHeapType = (type: number): boolean =>
  type === FUNCREF || type === EXTERNREF || type === EXNREF || type === NULLEXNREF;

/** What ref.null names, as the nullable reference. */
export function heapType(reader: Reader): number {
  const type = reader.byte();
  if (type < 0x40) throw unsupported(GC); // of a type that the module defines
  return isHeapType(type) ? type : refuse(type, reader);
}

/** The type of a table's elements, or of a segment's: functions or JavaScript values, or null. */
export function elementType(reader: Reader): number {
  const type = valueType(reader);
  return type === FUNCREF || type === EXTERNREF ? type : refuse(type, reader);
}

function refuse(type: number, reader: Reader): never {
  throw refuseType(type, reader.pos - 1);
}

export function writeType(out: Writer, type: number): void {
  const nullable = NULLABLE.get(type);
  if (nullable !== undefined) out.byte(REF);
  out.byte(nullable ?? type);
}

/** A vector of types. */
export function writeTypes(out: Writer, types: Uint8Array): void {
  out.u32(types.length);
  for (const type of types) writeType(out, type);
}
