// Which functions cannot move the view: no loop that would poll, no call through a table or of an import, no bulk
// operation that may poll on its way, no memory.grow, and only calls of functions of the same kind. A write check
// stays good across a call of one of them.

import { IMM_CALL_INDIRECT, IMM_PREFIX, IMM_REFUSED, IMMEDIATE } from './opcode.ts';
import type { ModuleMap } from './module.ts';
import type { Reader } from './reader.ts';
import { bodiesOf, skipImmediate, skipPrefixed } from './skip.ts';

const CALLEES_MAX = 64; // a function that calls more is not worth following

/** By function index: 1 = cannot move the view. */
export function quietFunctions(map: ModuleMap): Uint8Array {
  const quiet = new Uint8Array(map.functions.length);
  const callers: number[][] = [];
  const noisy: number[] = [];
  for (let i = 0; i < map.importedFunctions; i++) noisy.push(i);
  bodiesOf(map).forEach(({ code }, i) => {
    const index = map.importedFunctions + i;
    const callees = calleesOf(code);
    if (callees) {
      quiet[index] = 1;
      for (const callee of callees) (callers[callee] ??= []).push(index);
    } else noisy.push(index);
  });
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
function calleesOf(reader: Reader): number[] | undefined {
  const callees: number[] = [];
  while (reader.pos < reader.end) {
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
