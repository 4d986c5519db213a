// Which functions cannot move the view: no loop that would poll, no call through a table or of an
// import, no bulk operation that may poll, no memory.grow, and calls only of functions of the same
// kind. Facts outlive a call of one.

import { type BodyBytes, Decoder } from './decoder.ts';
import { MAY_MOVE_VIEW } from './instructions.ts';
import type { ModuleMap } from './module.ts';
import { OP } from './opcode.ts';

const CALLEES_MAX = 64; // a function that calls more is not worth following

/** By function index: 1 = cannot move the view. */
export function quietFunctions(map: ModuleMap, bodies: readonly BodyBytes[]): Uint8Array {
  const quiet = new Uint8Array(map.functions.length);
  const callers: number[][] = [];
  const noisy: number[] = [];
  const decoder = new Decoder(map);
  for (let i = 0; i < map.importedFunctions; i++) noisy.push(i);
  bodies.forEach((body, i) => {
    const index = map.importedFunctions + i;
    decoder.begin(body);
    const callees = calleesOf(decoder);
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
function calleesOf(decoder: Decoder): number[] | undefined {
  const callees: number[] = [];
  do {
    decoder.next();
    const { code } = decoder;
    if (code === OP.loop || MAY_MOVE_VIEW[code] !== 0) return undefined;
    if (code === OP.call) {
      callees.push(decoder.a);
      if (callees.length > CALLEES_MAX) return undefined;
    }
  } while (decoder.depth > 0);
  return callees;
}
