// Which functions can run once these exports are called: what they call, what those call, and where one calls through a table
// every function of that type, whether a table has it or not.

import { RingzeroError } from '../errors.ts';
import { KIND_FUNCTION, type ModuleMap } from './module.ts';
import { IMM_CALL, IMM_CALL_INDIRECT, IMM_PREFIX, IMMEDIATE } from './opcode.ts';
import { skipImmediate, skipLocals, skipPrefixed } from './quiet.ts';
import { Reader } from './reader.ts';

/** By function index: 1 = it can be reached. Throws RZ_OPTION for a name that no function is exported by. */
export function reachable(map: ModuleMap, names: readonly string[]): Uint8Array {
  const bodies = bodiesOf(map);
  const reached = new Uint8Array(map.functions.length);
  const followed = new Set<string>(); // types that were called through a table
  const next: number[] = [];
  const reach = (index: number): void => {
    if (reached[index] === 1) return;
    reached[index] = 1;
    next.push(index);
  };
  const reachType = (type: number): void => {
    const key = keyOf(map, type);
    if (followed.has(key)) return;
    followed.add(key);
    map.functions.forEach((own, index) => {
      if (keyOf(map, own) === key) reach(index);
    });
  };
  for (const name of names) reach(exportedFunction(map, name));
  while (next.length > 0) {
    const body = bodies[next.pop()! - map.importedFunctions];
    if (body) scan(body, reach, reachType);
  }
  return reached;
}

const keyOf = (map: ModuleMap, type: number): string => {
  const { params, results } = map.types[type]!;
  return `${params.join()}:${results.join()}`;
};

function exportedFunction(map: ModuleMap, name: string): number {
  const found = map.exports.find((entry) => entry.kind === KIND_FUNCTION && entry.name === name);
  if (found) return found.index;
  throw new RingzeroError('RZ_OPTION', `the module exports no function '${name}'`);
}

function bodiesOf(map: ModuleMap): Reader[] {
  const bodies: Reader[] = [];
  if (!map.codeSection) return bodies;
  const reader = new Reader(map.bytes, map.codeSection.start, map.codeSection.end);
  for (let left = reader.u32(); left > 0; left--) {
    const size = reader.u32();
    bodies.push(new Reader(map.bytes, reader.pos, reader.pos + size));
    reader.skip(size);
  }
  return bodies;
}

/** Tells the functions that the body calls or takes a reference to, and the types that it calls through a table. */
function scan(
  reader: Reader,
  reach: (index: number) => void,
  reachType: (type: number) => void,
): void {
  skipLocals(reader);
  while (reader.pos < reader.end) {
    const opcode = reader.byte();
    const immediate = IMMEDIATE[opcode]!;
    if (immediate === IMM_CALL) reach(reader.u32());
    else if (immediate === IMM_CALL_INDIRECT) {
      reachType(reader.u32());
      reader.u32();
    } else if (immediate === IMM_PREFIX) skipPrefixed(reader, opcode);
    else skipImmediate(reader, immediate);
  }
}
