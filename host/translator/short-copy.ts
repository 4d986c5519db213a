// Copies of few bytes without memory.copy, which engines compile to a call of a function of theirs.

import { type Code } from './code.ts';
import { OP } from './opcode.ts';

export const SHORT_COPY_MAX = 32; // bytes

/**
 * Copies 1 to 32 bytes (local 2) from local 1 to local 0 and returns: two or four words (three bytes)
 * that may overlap, all read before any is written.
 */
export function copyWords(code: Code): void {
  const at = (address: number, fromEnd: number): void => {
    code.get(address);
    if (fromEnd > 0) code.get(2).op(OP.i32Add).i32(fromEnd).op(OP.i32Sub);
  };
  const words = (
    load: number,
    store: number,
    places: readonly [fromEnd: number, offset: number][],
  ): void => {
    for (const [fromEnd, offset] of places) {
      at(0, fromEnd);
      at(1, fromEnd);
      code.memory(load, 0, offset);
    }
    for (const [, offset] of [...places].reverse()) code.memory(store, 0, offset);
    code.op(OP.return);
  };
  const from = (bytes: number): Code => code.get(2).i32(bytes).op(OP.i32GeU).if();
  from(16);
  words(OP.i64Load, OP.i64Store, [
    [0, 0],
    [0, 8],
    [16, 0],
    [8, 0],
  ]);
  code.end();
  from(8);
  words(OP.i64Load, OP.i64Store, [
    [0, 0],
    [8, 0],
  ]);
  code.end();
  from(4);
  words(OP.i32Load, OP.i32Store, [
    [0, 0],
    [4, 0],
  ]);
  code.end();
  // One to three: the first, the middle and the last.
  code.get(0).get(1).memory(OP.i32Load8U, 0);
  for (const address of [0, 1]) code.get(address).get(2).i32(1).op(OP.i32ShrU).op(OP.i32Add);
  code.memory(OP.i32Load8U, 0);
  for (const address of [0, 1]) at(address, 1);
  code.memory(OP.i32Load8U, 0);
  for (let i = 0; i < 3; i++) code.memory(OP.i32Store8, 0);
  code.op(OP.return);
}
