// Values that straddle two pages of a snapshot, built from and taken apart into bytes: for each load
// the instructions that make its result from the raw bits, for each store those that yield them.

import type { Code } from './code.ts';
import { OP, PAGE_SIMD } from './opcode.ts';

/** Vector instructions by their names. */
const V = {
  i8x16Splat: PAGE_SIMD + 15,
  i64x2Splat: PAGE_SIMD + 18,
  i8x16ExtractLaneU: PAGE_SIMD + 22,
  i8x16ReplaceLane: PAGE_SIMD + 23,
  i16x8ExtractLaneU: PAGE_SIMD + 25,
  i16x8ReplaceLane: PAGE_SIMD + 26,
  i32x4ExtractLane: PAGE_SIMD + 27,
  i32x4ReplaceLane: PAGE_SIMD + 28,
  i64x2ReplaceLane: PAGE_SIMD + 30,
} as const;

/** v128.load8x8_s, 8x8_u, 16x4_s, 16x4_u, 32x2_s, 32x2_u: the extension of the low half. */
const EXTEND_LOW = [0x87, 0x89, 0xa7, 0xa9, 0xc7, 0xc9].map((sub) => PAGE_SIMD + sub);

// By width.
const REPLACE: Readonly<Record<number, number>> = {
  1: V.i8x16ReplaceLane,
  2: V.i16x8ReplaceLane,
  4: V.i32x4ReplaceLane,
  8: V.i64x2ReplaceLane,
};
const EXTRACT: Readonly<Record<number, number>> = {
  1: V.i8x16ExtractLaneU,
  2: V.i16x8ExtractLaneU,
  4: V.i32x4ExtractLane,
  8: OP.i64x2ExtractLane,
};

/**
 * Address in local 0 -> the value that the load would give. A lane load has its vector on the stack already.
 * `pieces` is the index of the routine pieces() of exact.ts.
 */
export function assembleValue(
  code: Code,
  pieces: number,
  load: number,
  width: number,
  lane: number,
): void {
  const raw = (at: number, bytes: number): void => {
    code.get(0);
    if (at > 0) code.i32(at).op(OP.i32Add);
    code.i32(bytes).call(pieces);
  };
  if (load < PAGE_SIMD) {
    raw(0, width);
    for (const instruction of SCALAR_FROM_RAW[load]!) code.op(instruction);
    return;
  }
  const isZero = load === OP.v128Load32Zero || load === OP.v128Load64Zero;
  if (isZero) code.op(OP.v128Const).ops(...new Array<number>(16).fill(0));
  raw(0, Math.min(width, 8));
  if (load === OP.v128Load) {
    code.op(V.i64x2Splat);
    raw(8, 8);
    code.op(V.i64x2ReplaceLane).byte(1);
  } else if (load <= OP.v128Load32x2U) {
    code.op(V.i64x2Splat).op(EXTEND_LOW[load - OP.v128Load8x8S]!);
  } else {
    if (width < 8) code.op(OP.i32WrapI64);
    if (load <= OP.v128Load64Splat) code.op(V.i8x16Splat + load - OP.v128Load8Splat);
    else code.op(REPLACE[width]!).byte(isZero ? 0 : lane);
  }
}

/** From the raw bits in an i64 to the result of the scalar load. */
const SCALAR_FROM_RAW: Readonly<Record<number, readonly number[]>> = {
  [OP.i32Load]: [OP.i32WrapI64],
  [OP.i64Load]: [],
  [OP.f32Load]: [OP.i32WrapI64, OP.f32ReinterpretI32],
  [OP.f64Load]: [OP.f64ReinterpretI64],
  [OP.i32Load16S]: [OP.i32WrapI64, OP.i32Extend16S],
  [OP.i32Load16U]: [OP.i32WrapI64],
  [OP.i64Load16S]: [OP.i64Extend16S],
  [OP.i64Load16U]: [],
  [OP.i64Load32S]: [OP.i64Extend32S],
  [OP.i64Load32U]: [],
};

/** From the stored value to its raw bits in an i64. */
const SCALAR_TO_RAW: Readonly<Record<number, readonly number[]>> = {
  [OP.i32Store]: [OP.i64ExtendI32U],
  [OP.i64Store]: [],
  [OP.f32Store]: [OP.i32ReinterpretF32, OP.i64ExtendI32U],
  [OP.f64Store]: [OP.i64ReinterpretF64],
  [OP.i32Store16]: [OP.i64ExtendI32U],
  [OP.i64Store16]: [],
  [OP.i64Store32]: [],
};

/** Stores the local `value` at the local `address` by putPieces() of exact.ts. */
export function valueToPieces(
  code: Code,
  putPieces: number,
  store: number,
  width: number,
  lane: number,
  locals: { address: number; value: number },
): void {
  const put = (at: number, bytes: number, extract: () => void): void => {
    code.get(locals.address);
    if (at > 0) code.i32(at).op(OP.i32Add);
    code.i32(bytes).get(locals.value);
    extract();
    code.call(putPieces);
  };
  if (store < PAGE_SIMD)
    return put(0, width, () =>
      SCALAR_TO_RAW[store]!.forEach((instruction) => code.op(instruction)),
    );
  if (store === OP.v128Store) {
    put(0, 8, () => code.op(OP.i64x2ExtractLane).byte(0));
    return put(8, 8, () => code.op(OP.i64x2ExtractLane).byte(1));
  }
  put(0, width, () => {
    code.op(EXTRACT[width]!).byte(lane);
    if (width < 8) code.op(OP.i64ExtendI32U);
  });
}
