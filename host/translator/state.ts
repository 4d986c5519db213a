// What the analysis of a function knows at the instruction it is at. Its parts work on it together:
// analysis.ts takes the instructions, joins.ts the control flow, carry.ts, heads.ts and trips.ts the
// loops.

import { Facts } from './facts.ts';
import { Frame, LoopFrame } from './frame.ts';
import { Homes } from './homes.ts';
import { Locals } from './locals.ts';
import { Loops } from './loops.ts';
import { Operands } from './operands.ts';
import { Pages } from './pages.ts';
import { Plan } from './plan.ts';
import type { Tape } from './tape.ts';

/** BOUND-1: steps beyond one for each instruction. */
const STEPS_PER_BYTE = 64;
const STEPS_MIN = 65536;

export class State {
  readonly plan = new Plan();
  readonly facts = new Facts();
  /** Instead of facts, for the snapshot image: loads count as stores do. */
  readonly pages: Pages | undefined;
  readonly locals = new Locals();
  readonly operands = new Operands(this.locals);
  readonly loops: Loops;
  /** For carry.ts. */
  readonly homes = new Homes();
  /** The code at hand is never reached. */
  dead = false;
  /** Steps that are left; below 0 the function is not analysed. */
  work = 0;
  /** Where the instruction at hand ends in the file. */
  end = 0;
  depth = 0; // open blocks
  loopDepth = 0; // open loops
  loopCount = 0; // loops so far
  readonly #frames: Frame[] = [];
  readonly #loopFrames: LoopFrame[] = [];

  constructor(quietFunctions: Uint8Array, pages: boolean) {
    this.pages = pages ? new Pages() : undefined;
    this.loops = new Loops(quietFunctions);
  }

  reset(tape: Tape): void {
    this.plan.reset(tape.changes);
    this.facts.reset();
    this.pages?.reset();
    this.locals.reset(tape.locals);
    this.operands.reset(tape.length);
    this.loops.scan(tape);
    this.dead = false;
    this.work = STEPS_PER_BYTE * (tape.at[tape.length]! - tape.at[0]!) + STEPS_MIN;
    this.depth = this.loopDepth = this.loopCount = 0;
  }

  /** The open block that a label names. */
  frame(label: number): Frame {
    return this.#frames[this.depth - 1 - label]!;
  }

  /** Whether the loop is one that a branch to the label leaves. */
  leaves(loop: LoopFrame, label: number): boolean {
    for (let i = label - 1; i >= 0; i--) if (this.frame(i).loop === loop) return true;
    return false;
  }

  pushFrame(): Frame {
    return (this.#frames[this.depth++] ??= new Frame());
  }

  popFrame(): Frame {
    return this.#frames[--this.depth]!;
  }

  /** The innermost open loop. */
  get loop(): LoopFrame | undefined {
    return this.loopDepth > 0 ? this.#loopFrames[this.loopDepth - 1] : undefined;
  }

  pushLoop(): LoopFrame {
    return (this.#loopFrames[this.loopDepth++] ??= new LoopFrame());
  }

  popLoop(): void {
    this.loopDepth--;
  }

  /** What follows may not run whenever what came before does. */
  endPrefix(): void {
    this.facts.region++;
    const { loop } = this;
    if (loop) loop.prefix = false;
  }

  /** The view may move here. */
  kill(): void {
    this.facts.kill();
    const { loop } = this;
    if (loop) loop.clean = loop.prefix = false;
  }

  unreachable(): void {
    this.endPrefix();
    this.dead = true;
    this.operands.top = this.operands.height;
  }
}
