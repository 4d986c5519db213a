// The data segments of an image. All are passive; boot() applies those that were active.
//
// Active segments that follow each other closely in memory are joined, with zeros between them, in the
// place of the first; the others become empty, like dropped segments. Where memory may have contents
// before boot(), only segments without a gap are joined.

import { type Code } from './code.ts';
import { ATTACH } from './indices.ts';
import type { VmImage } from './vm-image.ts';
import type { DataEntry, ModuleMap } from './module.ts';
import { I32, OP } from './opcode.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** A longer gap takes more bytes than the code for a run of its own. */
const GAP_MAX = 32;
const PAGE_BYTES = 65536;
/** Of a segment whose address depends on a global. */
const UNKNOWN = -1;

interface Piece {
  readonly segment: number;
  readonly address: number;
  /** As in DataEntry. */
  readonly offsetStart: number;
  readonly offsetEnd: number;
  readonly start: number;
  readonly end: number;
}

/** Segments that are applied together, in ascending order. */
export type Run = readonly [first: Piece, ...others: Piece[]];

const endOf = ({ address, start, end }: Piece): number => address + end - start;
const lastOf = (run: Run): Piece => run.at(-1)!;
const bytesIn = (run: Run): number => endOf(lastOf(run)) - run[0].address;

/** What boot() applies, in the order of the segments; nothing in an image that never boots. */
export function runsOf({ map, boots, choices }: VmImage): readonly Run[] {
  if (!boots) return [];
  const gapMax = (choices.zeroFilledMemory ?? !map.memoryImported) ? GAP_MAX : 0;
  const memoryBytes = map.memoryMinimum * PAGE_BYTES;
  const runs: [Piece, ...Piece[]][] = [];
  let highest = 0; // from there on memory is untouched
  map.data.forEach((data, segment) => {
    if (!data.active) return;
    const { offsetStart, offsetEnd, start, end } = data;
    const piece = { segment, address: addressOf(map, data), offsetStart, offsetEnd, start, end };
    const run = runs.at(-1);
    const gap = piece.address - highest;
    // A segment that may leave memory is applied by itself: when it traps, the earlier ones have been
    // applied.
    const follows = gap >= 0 && gap <= gapMax && endOf(piece) <= memoryBytes;
    if (follows && run && endOf(lastOf(run)) === highest) run.push(piece);
    else runs.push([piece]);
    highest = piece.address === UNKNOWN ? Infinity : Math.max(highest, endOf(piece));
  });
  return runs;
}

function addressOf(map: ModuleMap, { offsetStart, offsetEnd }: DataEntry): number {
  const reader = new Reader(map.bytes, offsetStart, offsetEnd);
  if (reader.byte() !== OP.i32Const) return UNKNOWN;
  const address = reader.s32() >>> 0;
  return reader.pos === offsetEnd ? address : UNKNOWN; // more follows in an extended constant
}

/**
 * boot(): the active data segments, each within guest memory or a trap, then the start function. A
 * snapshot's vCPU never boots.
 */
export function boot(image: VmImage, code: Code, runs: readonly Run[]): number[] {
  const { map } = image;
  if (!image.boots) {
    code.op(OP.unreachable);
    return [];
  }
  const checked = image.routine('ringzero.within', [I32, I32], [], (routine) => {
    image.trapOutside(routine, 0, 1);
    return [];
  });
  for (const run of runs) {
    const { segment, offsetStart, offsetEnd } = run[0];
    image.constant(code, offsetStart, offsetEnd);
    code.i32(bytesIn(run)).call(checked);
    image.constant(code, offsetStart, offsetEnd);
    code.i32(0).i32(bytesIn(run)).memoryInit(segment);
  }
  code.call(image.special(ATTACH));
  if (map.startFunction >= 0) {
    code.call(image.kernel('enter'));
    image.refresh(code);
    code.call(image.functionIndex(map.startFunction)).call(image.kernel('leave'));
  }
  return [];
}

/** attach(): what another vCPU's boot has applied is dropped here. */
export function dropSegments(code: Code, runs: readonly Run[]): number[] {
  for (const [{ segment }] of runs) {
    code.op(OP.dataDrop).u32(segment);
  }
  return [];
}

export function dataSection({ map }: VmImage, runs: readonly Run[]): Uint8Array {
  const { bytes } = map;
  const contents = map.data.map(({ active, start, end }) =>
    active ? new Uint8Array() : bytes.subarray(start, end),
  );
  for (const run of runs) {
    const joined = new Uint8Array(bytesIn(run));
    for (const { address, start, end } of run)
      joined.set(bytes.subarray(start, end), address - run[0].address);
    contents[run[0].segment] = joined;
  }
  const out = new Writer(bytes.length);
  out.u32(contents.length);
  for (const content of contents) {
    out.byte(1);
    out.nameBytes(content);
  }
  return out.finish();
}
