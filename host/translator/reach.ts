// Which functions can run once these exports are called: those that they call, and so on. A call
// through a table may reach every function of its type, whether a table holds it or not. A function
// whose reference is taken counts as called.

import { refuse } from '../errors.ts';
import { bodiesOf, Decoder } from './decoder.ts';
import { KIND_FUNCTION, type FunctionType, type ModuleMap } from './module.ts';
import { OP } from './opcode.ts';

/** Exports that the kernel calls in every instance that has them (host/vm/handlers.ts). */
const HANDLERS = ['onPageFault', 'onSyscall', 'onInterrupt'];

/**
 * `names` and the handlers that the module has, by name. Throws RZ_OPTION for names that it exports no
 * function as.
 */
export function rootsOf(map: ModuleMap, names: readonly string[]): ReadonlyMap<unknown, number> {
  const list: readonly unknown[] = [names].flat(); // untyped callers may pass a string
  const wanted = new Set([...list, ...HANDLERS]);
  const roots = new Map<unknown, number>();
  for (const { kind, name, index } of map.exports)
    if (kind === KIND_FUNCTION && wanted.has(name)) roots.set(name, index);
  for (const name of list)
    if (!roots.has(name))
      refuse('snapshotRuns', name, 'names of functions that the module exports');
  return roots;
}

/** Equal for structurally equal types, and for some that differ in references to types. */
const looseKey = ({ params, results }: FunctionType): string =>
  [params, results]
    .map((types) => Array.from(types, (type) => Math.max(type, -1)).join())
    .join(':');

/** By function index: 1 = it can be reached from `roots`. */
export function reachable(map: ModuleMap, roots: Iterable<number>): Uint8Array {
  const bodies = bodiesOf(map);
  const decoder = new Decoder(map);
  const reached = new Uint8Array(map.functions.length);
  const next: number[] = [];
  const reach = (index: number): void => {
    if (reached[index] === 1) return;
    reached[index] = 1;
    next.push(index);
  };
  const ofType = new Map<string, number[]>(); // types not yet called through a table
  map.functions.forEach((type, index) => {
    const key = looseKey(map.types[type]!);
    if (!ofType.get(key)?.push(index)) ofType.set(key, [index]);
  });
  const reachType = (type: number): void => {
    const key = looseKey(map.types[type]!);
    ofType.get(key)?.forEach(reach);
    ofType.delete(key);
  };
  for (const root of roots) reach(root);
  while (next.length > 0) {
    const body = bodies[next.pop()! - map.importedFunctions];
    if (body === undefined) continue; // an import
    decoder.begin(body);
    scan(decoder, reach, reachType);
  }
  return reached;
}

const CALLS_TYPE: ReadonlySet<number> = new Set([
  OP.callIndirect,
  OP.returnCallIndirect,
  OP.callRef,
  OP.returnCallRef,
]);

/**
 * Tells the functions that a body calls or takes a reference to, and the types that it calls through a
 * table.
 */
function scan(
  decoder: Decoder,
  reach: (index: number) => void,
  reachType: (type: number) => void,
): void {
  do {
    decoder.next();
    const { code } = decoder;
    if (code === OP.call || code === OP.refFunc || code === OP.returnCall) reach(decoder.a);
    else if (CALLS_TYPE.has(code)) reachType(decoder.a);
  } while (decoder.depth > 0);
}
