// A function's instructions, decoded once: what all passes over it read.
//
// Interface   record() decodes a body. Instruction i has code[i], a[i] and b[i] (decoder.ts) and is at
//             [at[i], at[i + 1]). changed[0 .. changes) are the numbers of those that translation may
//             change.
// Cost        18 bytes for each byte of the largest function, of which systems provide what is used: 18
//             for each instruction.

import { type BodyBytes, Decoder } from './decoder.ts';
import { IS_WRITE } from './instructions.ts';
import type { ModuleMap } from './module.ts';
import { OP } from './opcode.ts';

const CAPACITY_MIN = 8192;

export class Tape {
  length = 0;
  code: Uint16Array = new Uint16Array(CAPACITY_MIN);
  at: Int32Array = new Int32Array(CAPACITY_MIN + 1);
  a: Int32Array = new Int32Array(CAPACITY_MIN);
  b: Int32Array = new Int32Array(CAPACITY_MIN);
  changed: Int32Array = new Int32Array(CAPACITY_MIN);
  changes = 0;
  /** How many of the instructions are loops, and how many write memory. */
  loops = 0;
  writes = 0;
  /** Parameters and declared locals. */
  locals = 0;
  readonly #decoder: Decoder;
  readonly #isChanged: Uint8Array;

  /** `isChanged`: a column of CHANGED (instructions.ts). */
  constructor(map: ModuleMap, isChanged: Uint8Array) {
    this.#isChanged = isChanged;
    this.#decoder = new Decoder(map);
  }

  /** Targets of br_table instructions; a and b say which. */
  get labels(): readonly number[] {
    return this.#decoder.labels;
  }

  record(body: BodyBytes): void {
    this.#reserve(body.end - body.start);
    const decoder = this.#decoder;
    const { code, at, a, b, changed } = this;
    const isChanged = this.#isChanged;
    let i = 0;
    let changes = 0;
    let loops = 0;
    let writes = 0;
    decoder.begin(body);
    do {
      at[i] = decoder.pos;
      decoder.next();
      const instruction = decoder.code;
      code[i] = instruction;
      a[i] = decoder.a;
      b[i] = decoder.b;
      if (isChanged[instruction] !== 0) {
        changed[changes++] = i;
        if (instruction === OP.loop) loops++;
        else writes += IS_WRITE[instruction]!;
      }
      i++;
    } while (decoder.depth > 0);
    at[i] = decoder.pos;
    this.length = i;
    this.changes = changes;
    this.loops = loops;
    this.writes = writes;
    this.locals = body.locals;
  }

  /** Makes room for the instructions of `bytes` bytes. */
  #reserve(bytes: number): void {
    if (bytes <= this.code.length) return;
    this.code = new Uint16Array(bytes);
    this.at = new Int32Array(bytes + 1);
    this.a = new Int32Array(bytes);
    this.b = new Int32Array(bytes);
    this.changed = new Int32Array(bytes);
  }
}
