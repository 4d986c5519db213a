// Value types, as modules encode them, and their codes (opcode.ts): one number for each.

import {
  EXNREF,
  EXTERNREF,
  FUNCREF,
  I32,
  NULLEXNREF,
  NULLEXTERNREF,
  NULLFUNCREF,
  REF,
  REF_EXN,
  REF_EXTERN,
  REF_FUNC,
  REF_NULL,
  V128,
} from './opcode.ts';
import type { Reader } from './reader.ts';
import { refuseType } from './refuse.ts';
import type { Writer } from './writer.ts';

const NON_NULL = new Map([
  [FUNCREF, REF_FUNC],
  [EXTERNREF, REF_EXTERN],
  [EXNREF, REF_EXN],
]);
// References to functions of type i have negative codes: below all others, as references are.
const typedRef = (index: number, nullable: boolean): number => -1 - 2 * index - (nullable ? 1 : 0);
const NULLABLE = new Map([...NON_NULL].map(([nullable, code]) => [code, nullable]));

/** `types`: how many types the module has so far. */
export function valueType(reader: Reader, types: number): number {
  const type = reader.byte();
  if (type >= V128 && type <= I32) return type;
  if (isHeapType(type)) return type;
  if (type !== REF && type !== REF_NULL) throw refuseType(type, reader.pos - 1);
  if (isTypeIndex(reader)) return typedRef(reader.index(types, 'type'), type === REF_NULL);
  const nullable = heapType(reader, types);
  return type === REF_NULL ? nullable : (NON_NULL.get(nullable) ?? refuse(nullable, reader));
}

const isHeapType = (type: number): boolean =>
  type === FUNCREF || type === EXTERNREF || type === EXNREF || type === NULLEXNREF;

/** Whether a heap type that begins here is one of the module's; others are negative numbers of one byte. */
const isTypeIndex = ({ bytes, pos }: Reader): boolean => (bytes[pos]! & 0xc0) !== 0x40;

/** Steps over what ref.null names. */
export function skipNull(reader: Reader, types: number): void {
  const type = reader.bytes[reader.pos];
  if (type === NULLFUNCREF || type === NULLEXTERNREF) reader.skip(1);
  else heapType(reader, types);
}

/** As the nullable reference. */
function heapType(reader: Reader, types: number): number {
  if (isTypeIndex(reader)) return typedRef(reader.index(types, 'type'), true);
  const type = reader.byte();
  return isHeapType(type) ? type : refuse(type, reader);
}

/** The type of a table's elements, or of a segment's: functions or JavaScript values, or null. */
export function elementType(reader: Reader, types: number): number {
  const type = valueType(reader, types);
  return type < 0 || type === REF_FUNC || type === FUNCREF || type === EXTERNREF
    ? type
    : refuse(type, reader);
}

function refuse(type: number, reader: Reader): never {
  throw refuseType(type, reader.pos - 1);
}

export function writeType(out: Writer, type: number): void {
  if (type < 0) {
    out.byte((-1 - type) & 1 ? REF_NULL : REF);
    out.s32((-1 - type) >> 1);
    return;
  }
  const nullable = NULLABLE.get(type);
  if (nullable !== undefined) out.byte(REF);
  out.byte(nullable ?? type);
}

/** Types by their codes. */
export type Types = Uint8Array | Int32Array;

/** A vector of types. */
export function writeTypes(out: Writer, types: Types): void {
  out.u32(types.length);
  for (const type of types) writeType(out, type);
}
