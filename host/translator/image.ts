// An image under construction: its code so far, and how it lowers what translation changes. The base of
// all images copies every instruction; each image says what it replaces.

import type { Body } from './body.ts';
import { Code } from './code.ts';
import { Decoder } from './decoder.ts';
import { Growth } from './growth.ts';
import { type Choices, Indices } from './indices.ts';
import type { CHANGED } from './instructions.ts';
import type { FunctionType, ModuleMap } from './module.ts';
import { OP } from './opcode.ts';
import { Writer } from './writer.ts';

/** Of a body, the function's index and the places of its unlikely branches. */
interface Hint {
  readonly function: number;
  readonly offsets: number[];
}

/** How a module catches exceptions: an engine takes one way in each module. */
export const LEGACY = 1; // try, catch
export const STANDARD = 2; // try_table

export abstract class Image extends Indices {
  /** Bodies so far, each with its size; the code section without its count. */
  readonly bodies: Writer;
  readonly scratch = new Code(1 << 14);
  readonly hints: Hint[] = [];
  // Places within `bodies`, see code.ts.
  readonly relocations: number[] = [];
  readonly fences: number[] = [];
  readonly limits: number[] = [];
  readonly ordered: number[] = [];
  /** How the guest gets more memory. */
  readonly growth: Growth;
  /** Its code has instructions that change tables. */
  changesTables = false;
  /** LEGACY or STANDARD; 0 = its code catches nothing. */
  handlers = 0;
  /** Functions that code may get as values, in addition to those that tables hold at first. */
  readonly valueFunctions: Set<number>;
  /** New indices of functions that bodies take references to. */
  readonly referenced = new Set<number>();
  /** Which accesses the image changes, and the analysis decides on. */
  abstract readonly accesses: keyof typeof CHANGED;

  constructor(map: ModuleMap, choices: Choices) {
    super(map, choices);
    const { start, end } = map.codeSection ?? { start: 0, end: 0 };
    this.bodies = new Writer(1024 + 2 * (end - start)); // most need less
    this.growth = new Growth(map);
    this.valueFunctions = new Set(map.valueFunctions);
  }

  /** Whether the image has a guest function; a call of one that it lacks traps. It has all imports. */
  has(_old: number): boolean {
    return true;
  }
  get hasElements(): boolean {
    return this.map.elementSection !== undefined || this.referenced.size > 0;
  }

  /** Appends a body: local declarations (already encoded) and what is in `scratch`. */
  addBody(functionIndex: number, locals: Writer): void {
    const { bodies, scratch } = this;
    bodies.u32(locals.pos + scratch.pos);
    const start = bodies.pos;
    bodies.copy(locals.bytes, 0, locals.pos);
    const shift = bodies.pos;
    bodies.copy(scratch.bytes, 0, scratch.pos);
    for (const at of scratch.relocations) this.relocations.push(at + shift);
    for (const at of scratch.fences) this.fences.push(at + shift);
    for (const at of scratch.limits) this.limits.push(at + shift);
    for (const at of scratch.ordered) this.ordered.push(at + shift);
    if (scratch.unlikely.length > 0) {
      const offsets = scratch.unlikely.map((at) => at + shift - start);
      this.hints.push({ function: functionIndex, offsets });
    }
    scratch.reset();
  }

  /** Appends a body that translation made itself. */
  addOwnBody(functionIndex: number, build: (code: Code) => number[]): void {
    const locals = build(this.scratch);
    this.scratch.end();
    const header = new Writer(16);
    header.u32(locals.length);
    for (const type of locals) header.ops(1, type);
    this.addBody(functionIndex, header);
  }

  /** Builds the routines; those that a routine uses first are appended in turn. */
  addRoutines(): void {
    for (let i = 0; i < this.routines.length; i++) {
      this.addOwnBody(this.firstRoutine + i, this.routines[i]!.build);
    }
  }

  /** Before a function's first instruction; its body has `bytes` bytes. */
  enterBody(_body: Body, _bytes: number): void {}
  /** The body that was just emitted is emitted anew. */
  leaveOut(): void {}
  /** At the `end` of each block. */
  leaveBlock(_body: Body): void {}
  /** The access at hand; its operands are on the stack. */
  lowerAccess(_body: Body): void {}
  /** memory.init (of the segment), memory.copy or memory.fill. What is emitted replaces it. */
  abstract lowerBulk(body: Body, segment: number): void;
  /** memory.size or memory.grow. What is emitted replaces it. */
  abstract lowerMemorySize(body: Body, instruction: number): void;
  /** A bulk instruction on tables; table.init takes entries of the segment. */
  lowerTable(_body: Body, _segment: number): void {}
  /** data.drop or elem.drop. */
  lowerDrop(_body: Body, _space: number, _segment: number): void {}
  /** Whether the loop at hand gets a second loop around it, where slow paths run. */
  wrapsLoop(_body: Body): boolean {
    return false;
  }
  /** Before a tail call; its operands are on the stack. */
  pollAtTailCall(_body: Body): void {}
  /** Before throw, throw_ref or rethrow. */
  lowerThrow(_body: Body): void {}
  /** The head of a loop that stands alone. */
  abstract pollAtHead(body: Body): void;
  /** Between the heads of the two loops. */
  outerHead(_body: Body): void {}
  /** At the head of the inner loop: `br_if 1` where the outer head has something to do. */
  innerHead(_body: Body): void {}

  /** A constant expression (without its end) under new indices. */
  constant(out: Writer, start: number, end: number): void {
    const decoder = new Decoder(this.map, start, end);
    while (decoder.pos < end) {
      decoder.next();
      const { code, a, at, pos } = decoder;
      if (code === OP.globalGet || code === OP.refFunc) {
        out.byte(code);
        out.u32(code === OP.globalGet ? this.globalIndex(a) : this.referenceIndex(a));
      } else out.copy(decoder.bytes, at, pos);
    }
  }

  /** Emits the arguments of a function as its own locals. */
  arguments(code: Code, type: FunctionType): void {
    for (let i = 0; i < type.params.length; i++) code.get(i);
  }
}
