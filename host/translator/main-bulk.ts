// memory.fill, memory.init and memory.copy of the main image: the whole range becomes writable first. A
// long one is done in chunks, with a poll after each.

import type { Code } from './code.ts';
import { ensure, ensureRange, testPages } from './ensure.ts';
import { i32s } from './indices.ts';
import { OP } from './opcode.ts';
import { copyWords, SHORT_COPY_MAX } from './short-copy.ts';
import type { VmImage } from './vm-image.ts';

const CHUNK = 65536; // bytes between two polls
const [TO, FROM, BYTES] = [0, 1, 2]; // parameters of all three; fill has its value in FROM

/** What the source of the bytes is; a segment by its number. */
const NO_SOURCE = -2;
const MEMORY = -1;

/** Index of the routine for the instruction; memory.init takes bytes of the segment. */
export function bulkRoutine(image: VmImage, instruction: number, segment: number): number {
  if (instruction === OP.memoryFill) return fill(image);
  return instruction === OP.memoryCopy ? copy(image) : init(image, segment);
}

function fill(image: VmImage): number {
  return image.routine('ringzero.fill', i32s(3), [], (code) => {
    const piece = (bytes: () => void): void => pieceOf(image, code, bytes, () => code.memoryFill());
    chunks(image, code, NO_SOURCE, () => {
      piece(() => code.i32(CHUNK));
      advance(code, TO);
    });
    piece(() => code.get(BYTES));
    return [];
  });
}

function init(image: VmImage, segment: number): number {
  return image.routine(`ringzero.init${segment}`, i32s(3), [], (code) => {
    const piece = (bytes: () => void): void =>
      pieceOf(image, code, bytes, () => code.memoryInit(segment));
    chunks(image, code, segment, () => {
      piece(() => code.i32(CHUNK));
      advance(code, TO);
      advance(code, FROM);
    });
    piece(() => code.get(BYTES));
    return [];
  });
}

function copy(image: VmImage): number {
  return image.routine('ringzero.copy', i32s(3), [], (code) => {
    const target = 3;
    shortCopy(image, code);
    const piece = (bytes: () => void): void => pieceOf(image, code, bytes, () => code.memoryCopy());
    chunks(image, code, MEMORY, () => {
      // Overlapping and upwards: the end goes first.
      code.get(TO).get(FROM).op(OP.i32Sub).get(BYTES).op(OP.i32LtU).if();
      code.get(TO).get(BYTES).op(OP.i32Add).i32(CHUNK).op(OP.i32Sub).tee(target).i32(CHUNK);
      code.call(ensureRange(image)).get(target);
      code.get(FROM).get(BYTES).op(OP.i32Add).i32(CHUNK).op(OP.i32Sub).i32(CHUNK).memoryCopy();
      code.else();
      piece(() => code.i32(CHUNK));
      advance(code, TO);
      advance(code, FROM);
      code.end();
    });
    piece(() => code.get(BYTES));
    return i32s(1);
  });
}

/** A piece of `bytes` at TO from FROM, both as they are now. */
function pieceOf(image: VmImage, code: Code, bytes: () => void, instruction: () => void): void {
  code.get(TO);
  bytes();
  code.call(ensureRange(image)).get(TO).get(FROM);
  bytes();
  instruction();
}

function advance(code: Code, local: number): void {
  code.get(local).i32(CHUNK).op(OP.i32Add).set(local);
}

/** A copy of few bytes is done and returns. */
function shortCopy(image: VmImage, code: Code): void {
  const last = (): void => {
    code.get(TO).get(BYTES).op(OP.i32Add).i32(1).op(OP.i32Sub);
  };
  code.get(BYTES).i32(1).op(OP.i32Sub).i32(SHORT_COPY_MAX).op(OP.i32LtU);
  code.get(FROM).i32(-SHORT_COPY_MAX).op(OP.i32LtU).op(OP.i32And).if(); // [from, + bytes) within 32 bits
  testPages(image, code, () => code.get(TO), last);
  code.unlikelyIf();
  code.get(TO).get(BYTES).i32(1).op(OP.i32Sub).call(ensure(image)).end();
  copyWords(code);
  code.end();
}

/**
 * While more than CHUNK bytes are left, does one chunk and polls; the caller does the rest. A range
 * that leaves memory or segment traps before anything is written.
 */
function chunks(image: VmImage, code: Code, source: number, chunk: () => void): void {
  code.get(BYTES).i32(CHUNK).op(OP.i32GtU).if();
  image.trapOutside(code, TO, BYTES);
  if (source === MEMORY) image.trapOutside(code, FROM, BYTES);
  if (source >= 0) image.trapOutsideSegment(code, source);
  code.loop();
  chunk();
  code.get(BYTES).i32(CHUNK).op(OP.i32Sub).set(BYTES);
  if (image.choices.safepoints) image.poll(code);
  code.get(BYTES).i32(CHUNK).op(OP.i32GtU).brIf(0);
  code.end().end();
}
