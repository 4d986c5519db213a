// The exact way of the snapshot image: routines for accesses that leave their page, for pages without a
// frame of the snapshot's own, and for addresses that may be outside.
//
// Interface   own(), locate(), pieces(), putPieces(), exactLoad() and exactStore() are indices of
//             routines. entry() and entryPlace() emit the look at the snapshot's table.

import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import type { Body } from './body.ts';
import type { Code } from './code.ts';
import { i32s } from './indices.ts';
import {
  accessKind,
  accessType,
  accessWidth,
  ATOMIC_LOAD,
  LANE_LOAD,
  LANE_STORE,
} from './instructions.ts';
import { I32, I64, OP, prefixOf, subOf, V128 } from './opcode.ts';
import { assembleValue, valueToPieces } from './pieces.ts';
import type { SnapshotImage } from './snapshot-image.ts';

export const PAGE_MASK = -FRAME_BYTES;

/** Address on the stack -> its table entry. Atomic: it must not be taken from an earlier read. */
export function entry(image: SnapshotImage, code: Code): void {
  entryPlace(image, code);
  code.orderedLoad();
}

/** Address on the stack -> the place of its entry. */
export function entryPlace(image: SnapshotImage, code: Code): void {
  code.i32(12).op(OP.i32ShrU).i32(2).op(OP.i32Shl);
  code.globalGet(image.registerGlobal).op(OP.i32Add);
}

/** Begins an `if` of the bytes [address, + width) that leave their page. */
function ifCrosses(code: Code, address: number, width: number): void {
  code.get(address).i32(4095).op(OP.i32And);
  code
    .i32(FRAME_BYTES - width)
    .op(OP.i32GtU)
    .if();
}

const nameOf = (what: string, { instruction, lane }: Body, isLaned: boolean): string =>
  `ringzero.${what}${prefixOf(instruction)}.${subOf(instruction)}${isLaned ? `.${lane}` : ''}`;

/** load(address, [vector,] offset): through the table, byte by byte if it leaves its page. */
export function exactLoad(image: SnapshotImage, body: Body): number {
  const { instruction, lane, align } = body;
  const kind = accessKind(body.access);
  const type = accessType(body.access);
  const width = accessWidth(body.access);
  const isLaned = kind === LANE_LOAD;
  const params = isLaned ? [I32, V128, I32] : [I32, I32];
  return image.routine(nameOf('load', body, isLaned), params, [type], (code) => {
    const [address, vector] = [0, 1];
    const found = params.length - 1; // the offset first, then the entry
    const value = params.length;
    const access = (): void => {
      if (isLaned) code.get(vector);
      code.memory(instruction, kind === ATOMIC_LOAD ? align : 0);
      if (isLaned) code.byte(lane);
    };
    code.get(address).get(found).op(OP.i32Add).tee(address).get(found).op(OP.i32LtU);
    code.if().op(OP.unreachable).end();
    if (width > 1 && kind !== ATOMIC_LOAD) {
      ifCrosses(code, address, width);
      if (isLaned) code.get(vector);
      assembleValue(code, pieces(image), instruction, width, lane);
      code.op(OP.return).end();
    }
    code.get(address);
    access();
    code.set(value).fence().get(address);
    entry(image, code);
    code.tee(found).if();
    code.get(address).get(found).i32(PAGE_MASK).op(OP.i32And).op(OP.i32Add);
    access();
    code.set(value).end().get(value);
    return [type];
  });
}

/** store(address, value, offset): into the snapshot's own frame, byte by byte if it leaves its page. */
export function exactStore(image: SnapshotImage, body: Body): number {
  const { instruction, lane } = body;
  const type = accessType(body.access);
  const width = accessWidth(body.access);
  const isLaned = accessKind(body.access) === LANE_STORE;
  return image.routine(nameOf('store', body, isLaned), [I32, type, I32], [], (code) => {
    const [address, value, offset] = [0, 1, 2];
    code
      .get(address)
      .get(offset)
      .i32(width - 1)
      .call(locate(image))
      .set(address);
    if (width > 1) {
      ifCrosses(code, address, width);
      // The second page first: if it is not the guest's, nothing is written.
      code
        .get(address)
        .i32(width - 1)
        .op(OP.i32Add)
        .call(own(image))
        .op(OP.drop);
      valueToPieces(code, putPieces(image), instruction, width, lane, { address, value });
      code.op(OP.return).end();
    }
    code.get(address).call(own(image)).get(value).memory(instruction, 0);
    if (isLaned) code.byte(lane);
    return [];
  });
}

/** pieces(address, bytes): up to 8 bytes in an i64, each read through the table. */
export function pieces(image: SnapshotImage): number {
  return image.routine('ringzero.pieces', i32s(2), [I64], (code) => {
    const [address, bytes, found, byte, result] = [0, 1, 2, 3, 4];
    code.loop();
    code.get(bytes).i32(1).op(OP.i32Sub).set(bytes);
    code.get(address).get(bytes).op(OP.i32Add).tee(found).memory(OP.i32Load8U, 0).set(byte);
    code.fence().get(found);
    entry(image, code);
    code.tee(found).if();
    code.get(address).get(bytes).op(OP.i32Add).get(found).i32(PAGE_MASK).op(OP.i32And);
    code.op(OP.i32Add).memory(OP.i32Load8U, 0).set(byte).end();
    code.get(result).i64(8).op(OP.i64Shl).get(byte).op(OP.i64ExtendI32U).op(OP.i64Or);
    code.set(result).get(bytes).brIf(0).end().get(result);
    return [I32, I32, I64];
  });
}

/** putPieces(address, bytes, value): the low bytes of an i64, each to the snapshot's own page. */
export function putPieces(image: SnapshotImage): number {
  return image.routine('ringzero.putPieces', [I32, I32, I64], [], (code) => {
    const [address, bytes, value] = [0, 1, 2];
    code.loop();
    code.get(address).call(own(image)).get(value).memory(OP.i64Store8, 0);
    code.get(value).i64(8).op(OP.i64ShrU).set(value);
    code.get(address).i32(1).op(OP.i32Add).set(address);
    code.get(bytes).i32(1).op(OP.i32Sub).tee(bytes).brIf(0).end();
    return [];
  });
}

/**
 * own(address): where the byte is, in a frame that belongs to the snapshot alone. The address is in
 * guest memory.
 */
export function own(image: SnapshotImage): number {
  return image.routine('ringzero.own', [I32], [I32], (code) => {
    code.get(0);
    entry(image, code);
    code.tee(1).i32(2).op(OP.i32And).op(OP.i32Eqz).unlikelyIf();
    code.get(0).call(image.kernel('viewFault')).set(1).end();
    code.get(0).get(1).i32(PAGE_MASK).op(OP.i32And).op(OP.i32Add);
    return [I32];
  });
}

/**
 * locate(address, offset, last): the effective address; traps unless it and `last` more bytes are in
 * memory.
 */
export function locate(image: SnapshotImage): number {
  return image.routine('ringzero.locate', i32s(3), [I32], (code) => {
    code.get(0).get(1).op(OP.i32Add).tee(0).get(1).op(OP.i32LtU).if().op(OP.unreachable).end();
    code.get(0).get(2).op(OP.i32Add).tee(2).get(0).op(OP.i32LtU).if().op(OP.unreachable).end();
    code.get(2).memory(OP.i32Load8U, 0).op(OP.drop).get(0);
    return [];
  });
}
