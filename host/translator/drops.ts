// Which passive segments are dropped, as bits in mutable globals of the image. They are registers, so a
// fork inherits what its parent has dropped, and what it drops itself stays with it.
//
// The main image also drops the segment. A snapshot image never does, because its instance serves many
// forks: its bit makes a dropped segment one of length 0.

import { type Code } from './code.ts';
import type { ModuleMap } from './module.ts';
import { I32, OP } from './opcode.ts';
import type { Writer } from './writer.ts';

export const DATA = 0;
export const ELEMENTS = 1;
const BITS = 32;

/** Globals of 32 bits that both images of a module have for its passive segments. */
export const dropGlobals = (map: ModuleMap): number => Math.ceil(map.passiveSegments / BITS);

/** Undefined = the segment is not passive: it is empty from the start. */
const bitOf = (map: ModuleMap, space: number, segment: number): number | undefined =>
  space === DATA ? map.data[segment]!.passive : map.passiveElements[segment];

/** Notes that the segment is dropped. `first` is the index of the first of the globals. */
export function setDropped(
  code: Code,
  map: ModuleMap,
  first: number,
  space: number,
  segment: number,
): void {
  const bit = bitOf(map, space, segment);
  if (bit === undefined) return;
  const global = first + Math.floor(bit / BITS);
  code
    .globalGet(global)
    .i32(1 << (bit % BITS))
    .op(OP.i32Or)
    .globalSet(global);
}

/** Traps if the segment is dropped and locals `from` and `count` are not both 0. */
export function trapIfDropped(
  code: Code,
  map: ModuleMap,
  first: number,
  space: number,
  segment: number,
  [from, count]: readonly [number, number],
): void {
  const bit = bitOf(map, space, segment);
  if (bit === undefined) return;
  code
    .globalGet(first + Math.floor(bit / BITS))
    .i32(1 << (bit % BITS))
    .op(OP.i32And)
    .if();
  code.get(from).get(count).op(OP.i32Or).if().op(OP.unreachable).end().end();
}

/** Drops the segments that the globals say are dropped: a restored instance has dropped none yet. */
export function dropAgain(code: Code, map: ModuleMap, first: number): void {
  const drop = (bit: number | undefined, emit: () => void): void => {
    if (bit === undefined) return;
    code
      .globalGet(first + Math.floor(bit / BITS))
      .i32(1 << (bit % BITS))
      .op(OP.i32And)
      .if();
    emit();
    code.end();
  };
  map.data.forEach(({ passive }, i) => drop(passive, () => code.op(OP.dataDrop).u32(i)));
  map.passiveElements.forEach((bit, i) => drop(bit, () => code.op(OP.elemDrop).u32(i)));
}

/** Declares the globals. */
export function declareDropGlobals(map: ModuleMap, out: Writer): void {
  for (let left = dropGlobals(map); left > 0; left--) out.ops(I32, 1, 0x41, 0, OP.end);
}
