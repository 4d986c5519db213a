// Steps over code without looking at it: for those who want to know a little of a function before it is translated.

import {
  ATOMIC_ACCESS,
  accessKind,
  IMM_ACCESS,
  IMM_BLOCK,
  IMM_BR_TABLE,
  IMM_BRANCH,
  IMM_CALL,
  IMM_F32,
  IMM_F64,
  IMM_GLOBAL,
  IMM_I32,
  IMM_I64,
  IMM_INDEX,
  IMM_MEMORY,
  IMM_REF_NULL,
  IMM_SELECT,
  LANE_LOAD,
  LANE_STORE,
  SIMD_ACCESS,
  simdImmediateBytes,
  WAIT,
} from './opcode.ts';
import type { ModuleMap } from './module.ts';
import { Reader } from './reader.ts';

/** A function's instructions, and how many locals it declares. */
export interface Uncompiled {
  readonly code: Reader;
  readonly locals: number;
}

/** Each body, in the order of the functions that the module defines. */
export function bodiesOf(map: ModuleMap): Uncompiled[] {
  const bodies: Uncompiled[] = [];
  if (!map.codeSection) return bodies;
  const reader = new Reader(map.bytes, map.codeSection.start, map.codeSection.end);
  for (let left = reader.count(); left > 0; left--) {
    const size = reader.count();
    const code = new Reader(map.bytes, reader.pos, reader.pos + size);
    bodies.push({ locals: skipLocals(code), code });
    reader.skip(size);
  }
  return bodies;
}

function skipLocals(reader: Reader): number {
  let locals = 0;
  for (let groups = reader.u32(); groups > 0; groups--) {
    locals += reader.u32();
    reader.pos++;
  }
  return locals;
}

export function skipImmediate(reader: Reader, immediate: number): void {
  switch (immediate) {
    case IMM_INDEX:
    case IMM_BRANCH:
    case IMM_GLOBAL:
    case IMM_CALL:
    case IMM_MEMORY:
      reader.u32();
      return;
    case IMM_ACCESS:
      reader.u32();
      reader.u32();
      return;
    case IMM_I32:
    case IMM_I64:
    case IMM_BLOCK:
      return reader.skipS64();
    case IMM_F32:
      return reader.skip(4);
    case IMM_F64:
      return reader.skip(8);
    case IMM_REF_NULL:
      return reader.skip(1);
    case IMM_SELECT:
      return reader.skip(reader.count());
    case IMM_BR_TABLE:
      for (let left = reader.count() + 1; left > 0; left--) reader.u32();
  }
}

/** Steps over the rest of the instruction; false if it may poll or wait. */
export function skipPrefixed(reader: Reader, opcode: number): boolean {
  const sub = reader.u32();
  if (opcode === 0xfc) {
    if (sub >= 8) reader.u32();
    if (sub === 8 || sub === 10 || sub === 12 || sub === 14) reader.u32();
    return sub !== 8 && sub !== 10 && sub !== 11;
  }
  if (opcode === 0xfe && sub === 3) {
    reader.skip(1);
    return true;
  }
  const access = opcode === 0xfd ? SIMD_ACCESS[sub & 255]! : ATOMIC_ACCESS[sub & 255]!;
  if (access === 0) {
    reader.skip(opcode === 0xfd ? simdImmediateBytes(sub) : 0);
    return true;
  }
  reader.u32();
  reader.u32();
  const kind = accessKind(access);
  if (kind === LANE_LOAD || kind === LANE_STORE) reader.skip(1);
  return kind !== WAIT;
}
