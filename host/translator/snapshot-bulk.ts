// memory.fill, memory.init and memory.copy of the snapshot image: page by page, with a poll after each.
// A range within one page needs no call of the kernel: the entry of its page proves that the bytes are
// in memory.

import { Code } from './code.ts';
import { DATA, trapIfDropped } from './drops.ts';
import { I32, OP } from './opcode.ts';
import { entry, own } from './exact.ts';
import { i32s } from './indices.ts';
import { copyWords, SHORT_COPY_MAX } from './short-copy.ts';
import type { SnapshotImage } from './snapshot-image.ts';

const [TO, FROM, BYTES] = [0, 1, 2]; // parameters of all three; fill has its value in FROM

export function bulkFill(image: SnapshotImage): number {
  return image.routine('ringzero.fill', i32s(3), [], (code) => {
    code.block();
    leaveUnlessInPages(code, [TO]);
    code.get(TO).call(own(image)).get(FROM).get(BYTES).memoryFill().op(OP.return).end();
    upwards(image, code, false, (bytes) => {
      code.get(TO).call(own(image)).get(FROM).get(bytes).memoryFill();
    });
    return [I32];
  });
}

export function bulkInit(image: SnapshotImage, segment: number): number {
  return image.routine(`ringzero.init${segment}`, i32s(3), [], (code) => {
    image.trapOutsideSegment(code, segment);
    trapIfDropped(code, image.map, image.firstDropGlobal, DATA, segment, [FROM, BYTES]);
    upwards(image, code, false, (bytes) => {
      code.get(TO).call(own(image)).get(FROM).get(bytes).memoryInit(segment);
      code.get(FROM).get(bytes).op(OP.i32Add).set(FROM);
    });
    return [I32];
  });
}

export function bulkCopy(image: SnapshotImage): number {
  return image.routine('ringzero.copy', i32s(3), [], (code) => {
    const [piece, target, source, count] = [3, 4, 5, 6];
    code.block();
    leaveUnlessInPages(code, [TO, FROM]);
    code.get(FROM);
    entry(image, code);
    code.op(OP.i32Eqz).if();
    image.trapOutside(code, FROM, BYTES);
    code.end().get(TO).get(FROM).get(BYTES).call(copyPiece(image)).op(OP.return).end();
    image.trapOutside(code, FROM, BYTES);
    code.get(TO).get(FROM).op(OP.i32GtU).if();
    // Downwards: the last piece first.
    image.trapOutside(code, TO, BYTES);
    code.loop().get(BYTES).if();
    code.get(BYTES).set(piece);
    for (const start of [TO, FROM]) {
      code.get(start).get(BYTES).op(OP.i32Add).i32(1).op(OP.i32Sub).i32(4095).op(OP.i32And);
      code.i32(1).op(OP.i32Add).set(count);
      minimum(code, piece, count);
    }
    code.get(BYTES).get(piece).op(OP.i32Sub).set(BYTES);
    code.get(TO).get(BYTES).op(OP.i32Add).set(target);
    code.get(FROM).get(BYTES).op(OP.i32Add).set(source);
    code.get(target).get(source).get(piece).call(copyPiece(image));
    if (image.choices.safepoints) image.poll(code);
    code.br(1).end().end();
    code.else();
    upwards(image, code, true, (bytes) => {
      code.get(TO).get(FROM).get(bytes).call(copyPiece(image));
      code.get(FROM).get(bytes).op(OP.i32Add).set(FROM);
    });
    code.end();
    return i32s(4);
  });
}

/**
 * copyPiece(to, from, bytes), each side within one page; once more if the source page was copied during
 * the copy.
 */
function copyPiece(image: SnapshotImage): number {
  return image.routine('ringzero.copyPiece', i32s(3), [], (code) => {
    const [target, found] = [3, 4];
    code.get(TO).call(own(image)).set(target);
    code.get(FROM);
    entry(image, code);
    code.set(found);
    const copy = (): void => {
      code.get(target).get(FROM).get(found).i32(-4096).op(OP.i32And).op(OP.i32Add);
      code.get(BYTES).call(move(image));
    };
    copy();
    code.get(found).op(OP.i32Eqz).if().fence().get(FROM);
    entry(image, code);
    code.tee(found).if();
    copy();
    code.end().end();
    return i32s(2);
  });
}

/** move(to, from, bytes) in physical memory. */
function move(image: SnapshotImage): number {
  return image.routine('ringzero.move', i32s(3), [], (code) => {
    code.get(BYTES).i32(1).op(OP.i32Sub).i32(SHORT_COPY_MAX).op(OP.i32LtU).if();
    copyWords(code);
    code.end().get(TO).get(FROM).get(BYTES).memoryCopy();
    return [];
  });
}

/**
 * Branches to the innermost block unless [start, + BYTES) is within one page and under the limit, for
 * each start.
 */
function leaveUnlessInPages(code: Code, starts: readonly number[]): void {
  code.get(BYTES).i32(1).op(OP.i32Sub).i32(4096).op(OP.i32GeU).brIf(0);
  for (const start of starts) {
    code.get(start).get(BYTES).op(OP.i32Add).i32(1).op(OP.i32Sub).get(start).op(OP.i32Xor);
    code.i32(12).op(OP.i32ShrU).get(start).limit().op(OP.i32GtU).op(OP.i32Or).brIf(0);
  }
}

/** Pieces from the start; `piece` is local 3. With `paired`, each side of a piece is within one page. */
function upwards(
  image: SnapshotImage,
  code: Code,
  paired: boolean,
  emit: (bytes: number) => void,
): void {
  const piece = 3;
  image.trapOutside(code, TO, BYTES);
  code.loop().get(BYTES).if();
  code.i32(4096).get(TO).i32(4095).op(OP.i32And).op(OP.i32Sub).set(piece);
  if (paired) {
    code.i32(4096).get(FROM).i32(4095).op(OP.i32And).op(OP.i32Sub).set(4);
    minimum(code, piece, 4);
  }
  minimum(code, piece, BYTES);
  emit(piece);
  code.get(TO).get(piece).op(OP.i32Add).set(TO);
  code.get(BYTES).get(piece).op(OP.i32Sub).set(BYTES);
  if (image.choices.safepoints) image.poll(code);
  code.br(1).end().end();
}

/** local a = min(a, b), unsigned */
function minimum(code: Code, a: number, b: number): void {
  code.get(a).get(b).get(a).get(b).op(OP.i32LtU).op(OP.select).set(a);
}
