// Values that straddle two pages of a snapshot, built from and taken apart into bytes: for each load the instruction
// that makes its result from the raw bits, for each store the one that yields them.

import type { Code } from './code.ts';
import { OP } from './code.ts';
import type { SnapshotImage } from './snapshot-image.ts';

/** Address in local 0 -> the value that the load would give. A lane load has its vector on the stack already. */
export function assembleValue(
  image: SnapshotImage,
  code: Code,
  prefix: number,
  opcode: number,
  width: number,
  lane: number,
): void {
  const raw = (at: number, bytes: number): void => {
    code.get(0);
    if (at > 0) code.i32(at).op(OP.i32Add);
    code.i32(bytes).call(image.pieces());
  };
  if (prefix === 0) {
    raw(0, width);
    code.ops(...SCALAR_FROM_RAW[opcode]!);
    return;
  }
  const zero = opcode === 92 || opcode === 93;
  if (zero) code.ops(0xfd, 12, ...new Array<number>(16).fill(0));
  raw(0, Math.min(width, 8));
  if (opcode === 0) {
    code.ops(0xfd, 18);
    raw(8, 8);
    code.ops(0xfd, 30, 1);
  } else if (opcode <= 6) {
    code.ops(0xfd, 18, 0xfd);
    code.u32([0x87, 0x89, 0xa7, 0xa9, 0xc7, 0xc9][opcode - 1]!);
  } else {
    if (width < 8) code.op(OP.i32WrapI64);
    if (opcode <= 10) code.ops(0xfd, opcode + 8);
    else code.ops(0xfd, REPLACE_LANE[width]!, zero ? 0 : lane);
  }
}

const REPLACE_LANE: Record<number, number> = { 1: 23, 2: 26, 4: 28, 8: 30 };
const EXTRACT_LANE: Record<number, number> = { 1: 22, 2: 25, 4: 27, 8: 29 };

/** Opcodes from the raw bits in an i64 to the result of the scalar load. */
const SCALAR_FROM_RAW: Record<number, number[]> = {
  0x28: [0xa7],
  0x29: [],
  0x2a: [0xa7, 0xbe],
  0x2b: [0xbf],
  0x2e: [0xa7, 0xc1],
  0x2f: [0xa7],
  0x32: [0xc3],
  0x33: [],
  0x34: [0xc4],
  0x35: [],
};

/** Opcodes from the stored value to its raw bits in an i64. */
const SCALAR_TO_RAW: Record<number, number[]> = {
  0x36: [0xad],
  0x37: [],
  0x38: [0xbc, 0xad],
  0x39: [0xbd],
  0x3b: [0xad],
  0x3d: [],
  0x3e: [],
};

/** Stores the local `value` at the local `address` piece by piece. */
export function valueToPieces(
  image: SnapshotImage,
  code: Code,
  prefix: number,
  opcode: number,
  width: number,
  lane: number,
  locals: { address: number; value: number },
): void {
  const put = (at: number, bytes: number, extract: readonly number[]): void => {
    code.get(locals.address);
    if (at > 0) code.i32(at).op(OP.i32Add);
    code.i32(bytes).get(locals.value);
    code.ops(...extract);
    code.call(image.putPieces());
  };
  if (prefix === 0) return put(0, width, SCALAR_TO_RAW[opcode]!);
  if (opcode === 11) {
    put(0, 8, [0xfd, 29, 0]);
    put(8, 8, [0xfd, 29, 1]);
    return;
  }
  const widen = width < 8 ? [0xad] : [];
  put(0, width, [0xfd, EXTRACT_LANE[width]!, lane, ...widen]);
}
