// What each loop of a function may change, found before the analysis. A loop is quiet if nothing in it
// but its polls can move the view: facts from before it live on in it, because its polls make them true
// again.

import type { Tape } from './tape.ts';
import { MAY_MOVE_VIEW } from './instructions.ts';
import { OP } from './opcode.ts';

const NO_LOOP = -1;

export class Loops {
  readonly #quietFunctions: Uint8Array;
  readonly #assigned: number[] = []; // locals, in the order of their assignments within loops
  readonly #from: number[] = []; // of each loop, its part of #assigned
  readonly #to: number[] = [];
  readonly #quiet: boolean[] = [];
  readonly #open: number[] = []; // of each open block the loop's number, or -1
  readonly #openLoops: number[] = [];
  // By local, the last loop that was found to assign it.
  #marks: Int32Array = new Int32Array(64).fill(NO_LOOP);

  constructor(quietFunctions: Uint8Array) {
    this.#quietFunctions = quietFunctions;
  }

  quiet(loop: number): boolean {
    return this.#quiet[loop]!;
  }

  /** How many assignments the loop holds. */
  assignments(loop: number): number {
    return this.#to[loop]! - this.#from[loop]!;
  }

  /** By local, `loop` if the loop assigns it; of `locals` locals. Valid until the next call. */
  markAssigned(loop: number, locals: number): Int32Array {
    if (locals > this.#marks.length) this.#marks = new Int32Array(2 * locals).fill(NO_LOOP);
    const marks = this.#marks;
    for (let i = this.#from[loop]!; i < this.#to[loop]!; i++) marks[this.#assigned[i]!] = loop;
    return marks;
  }

  assigns(loop: number, local: number): boolean {
    const i = this.#assigned.indexOf(local, this.#from[loop]!);
    return i >= 0 && i < this.#to[loop]!;
  }

  scan(tape: Tape): void {
    this.#assigned.length = this.#from.length = this.#to.length = this.#quiet.length = 0;
    if (tape.loops === 0) return;
    this.#open.length = this.#openLoops.length = 0;
    this.#marks.fill(NO_LOOP);
    const { code, a, length } = tape;
    for (let i = 0; i < length - 1; i++) {
      const instruction = code[i]!;
      switch (instruction) {
        case OP.localSet:
        case OP.localTee:
          if (this.#openLoops.length > 0) this.#assigned.push(a[i]!);
          break;
        case OP.block:
        case OP.if:
        case OP.try:
          this.#open.push(-1);
          break;
        case OP.loop:
          this.#enter(a[i]!);
          break;
        case OP.tryTable:
          this.#open.push(-1);
          this.#noise();
          break;
        case OP.end:
        case OP.delegate:
          this.#leave(this.#open.pop()!);
          break;
        case OP.call:
          if (this.#quietFunctions[a[i]!] !== 1) this.#noise();
          break;
        default:
          if (MAY_MOVE_VIEW[instruction] !== 0) this.#noise();
      }
    }
  }

  #enter(params: number): void {
    const loop = this.#from.length;
    this.#open.push(loop);
    this.#openLoops.push(loop);
    this.#from.push(this.#assigned.length);
    this.#to.push(this.#assigned.length);
    this.#quiet.push(true);
    if (params !== 0) this.#noise(); // its poll is not at an outer head: it makes no fact true again
  }

  #leave(loop: number): void {
    if (loop < 0) return;
    this.#openLoops.pop();
    this.#to[loop] = this.#assigned.length;
  }

  /** Something here may move the view: none of the loops around it is quiet. */
  #noise(): void {
    for (let i = this.#openLoops.length - 1; i >= 0; i--) {
      const loop = this.#openLoops[i]!;
      if (!this.#quiet[loop]) return; // then none around that one is
      this.#quiet[loop] = false;
    }
  }
}
