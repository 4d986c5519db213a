// An open block, loop or if of the function under analysis: the state at its beginning, and what its
// end needs.

import type { Term } from './locals.ts';
import type { HeadCheck } from './plan.ts';

export const BLOCK = 0;
export const LOOP = 1;
export const IF = 2;
export const ELSE = 3;
/** A try, and its handlers. */
export const TRY = 4;
export const HANDLER = 5;

/** Larger than any number of the clock. */
export const NEVER = 0x7fffffff;

export class Frame {
  kind = BLOCK;
  /** Height of the operand stack, without parameters. */
  height = 0;
  params = 0;
  results = 0;
  /** What encloses it was unreachable. */
  dead = false;
  entryClock = 0;
  entryKilled = 0;
  /** Length of the log of assignments at its beginning. */
  logStart = 0;
  /** Of the branches to its end: there were some; facts older than `keep` were there at each of them. */
  branched = false;
  keep = NEVER;
  branchKilled = 0;
  branchLog = 0; // length of the log at the first of them
  loop: LoopFrame | undefined;
}

/** A store of a loop whose check may move to the loop's head. */
interface Candidate {
  readonly store: number;
  readonly terms: readonly Term[];
  /** Where the store writes, relative to their sum. */
  readonly base: number;
  readonly width: number;
  /** How far the address moves from one iteration to the next. */
  least: number;
  most: number;
  jumps: boolean;
}

/** `symbol + offset != bound`, or `<`; negated: `==`, or `>=`. */
export interface Comparison {
  result: number; // its symbol
  symbol: number;
  offset: number;
  bound: number;
  orders: boolean;
  negated: boolean;
}

/** A loop goes on while `local + offset` of its head differs from the bound, or is below it. */
export interface Counter {
  readonly local: number;
  readonly offset: number;
  readonly bound: number;
  readonly orders: boolean;
}

/** The part of a frame that only loops have. */
export class LoopFrame {
  /** Its number in the function, and where its body begins in the file. */
  number = 0;
  start = 0;
  /** No call, no poll, no inner loop so far. */
  clean = true;
  /** All so far runs in every iteration. */
  prefix = true;
  /** Ifs around the current place, within the loop. */
  conditional = 0;
  /** The floor of its own symbols, and what it was around the loop. */
  floorSymbol = 0;
  outerFloorSymbol = 0;
  outerFloorSerial = 0;
  candidates: Candidate[] = [];
  /** Only its polls can move the view. */
  quiet = false;
  /**
   * Ranges that were known before it and that its polls make writable again, and the serials of those
   * facts.
   */
  carried: HeadCheck[] = [];
  kept = new Set<number>();
  /** What ends it, and how often its body runs at most, if it has one back edge. */
  counter: Counter | undefined;
  backEdges = 0;
  trips = Infinity;
}
