// An open block, loop or if of the function under analysis: what was so when it began, and what its end needs.

import type { Term } from './locals.ts';
import type { HeadCheck } from './plan.ts';

export const BLOCK = 0;
export const LOOP = 1;
export const IF = 2;
export const ELSE = 3;

export interface Candidate {
  readonly store: number;
  readonly terms: readonly Term[];
  readonly base: number; // where the store writes, relative to their sum
  readonly width: number;
  least: number; // how far the address moves from one iteration to the next
  most: number;
  jumps: boolean;
}

/** `symbol + offset != bound`, or `<`; negated: `==`, or `>=`. */
export interface Comparison {
  readonly result: number; // its symbol
  readonly symbol: number;
  readonly offset: number;
  readonly bound: number;
  readonly orders: boolean;
  readonly negated: boolean;
}

/** A loop goes on while `local + offset` of its head differs from the bound, or is below it. */
export interface Counter {
  readonly local: number;
  readonly offset: number;
  readonly bound: number;
  readonly orders: boolean;
}

export class Frame {
  kind = BLOCK;
  height = 0;
  results = 0;
  params = 0;
  dead = false; // what encloses it was unreachable
  entryClock = 0;
  entryKilled = 0;
  keep = Infinity; // facts older than this were there at every branch to the end
  branchKilled = 0;
  branched = false;
  branchLog = 0; // length of the locals' log at the first branch to the end
  logStart = 0;
  // Loops only.
  loop = 0;
  start = 0; // where the body begins
  clean = true; // no call, no poll, no inner loop so far
  prefix = true; // all so far runs in every iteration
  conditional = 0; // ifs around the current place, within the loop
  floorSerial = 0; // of what encloses it
  floorSymbol = 0; // the loop's own
  outerFloor = 0; // that of what encloses it
  candidates: Candidate[] = [];
  quiet = false; // only its polls can move the view
  carried: HeadCheck[] = []; // what was known before and its polls make sure of again
  backEdges = 0;
  counter: Counter | undefined; // what ends it
  trips = Infinity; // how often the body runs at most, if there is but one back edge
  kept = new Set<number>(); // serials of the facts that this keeps true
}
