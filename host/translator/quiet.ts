// Which functions cannot move the view: no loop that would poll, no call through a table or of an import, no bulk
// operation that may poll on its way, no memory.grow, and only calls of functions of the same kind. A write check
// stays good across a call of one of them.

import {
  ATOMIC_ACCESS,
  accessKind,
  IMM_ACCESS,
  IMM_BLOCK,
  IMM_BR_TABLE,
  IMM_CALL,
  IMM_CALL_INDIRECT,
  IMM_F32,
  IMM_F64,
  IMM_GLOBAL,
  IMM_I32,
  IMM_I64,
  IMM_BRANCH,
  IMM_INDEX,
  IMM_MEMORY,
  IMM_PREFIX,
  IMM_REF_NULL,
  IMM_REFUSED,
  IMM_SELECT,
  IMMEDIATE,
  LANE_LOAD,
  LANE_STORE,
  SIMD_ACCESS,
  simdImmediateBytes,
  WAIT,
} from './opcode.ts';
import type { ModuleMap } from './module.ts';
import { Reader } from './reader.ts';

const CALLEES_MAX = 64; // a function that calls more is not worth following

/** By function index: 1 = cannot move the view. */
export function quietFunctions(map: ModuleMap): Uint8Array {
  const quiet = new Uint8Array(map.functions.length);
  if (!map.codeSection) return quiet;
  const callers: number[][] = [];
  const noisy: number[] = [];
  for (let i = 0; i < map.importedFunctions; i++) noisy.push(i);
  const reader = new Reader(map.bytes, map.codeSection.start, map.codeSection.end);
  let left = reader.u32();
  for (let index = map.importedFunctions; left > 0 && index < map.functions.length; index++) {
    left--;
    const end = reader.u32() + reader.pos;
    const callees = calleesOf(reader, end);
    if (callees) {
      quiet[index] = 1;
      for (const callee of callees) (callers[callee] ??= []).push(index);
    } else noisy.push(index);
    reader.pos = end;
  }
  while (noisy.length > 0) {
    for (const caller of callers[noisy.pop()!] ?? []) {
      if (quiet[caller] === 0) continue;
      quiet[caller] = 0;
      noisy.push(caller);
    }
  }
  return quiet;
}

/** The functions that the body calls, or undefined if it may move the view by itself. */
function calleesOf(reader: Reader, end: number): number[] | undefined {
  const callees: number[] = [];
  skipLocals(reader);
  while (reader.pos < end) {
    const opcode = reader.byte();
    const immediate = IMMEDIATE[opcode]!;
    if (opcode === 0x03 || immediate === IMM_CALL_INDIRECT) return undefined;
    if (immediate === IMM_REFUSED || opcode === 0x40) return undefined;
    if (opcode === 0x10) {
      callees.push(reader.u32());
      if (callees.length > CALLEES_MAX) return undefined;
    } else if (immediate === IMM_PREFIX) {
      if (!skipPrefixed(reader, opcode)) return undefined;
    } else skipImmediate(reader, immediate);
  }
  return callees;
}

export function skipLocals(reader: Reader): void {
  for (let groups = reader.u32(); groups > 0; groups--) {
    reader.u32();
    reader.pos++;
  }
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
