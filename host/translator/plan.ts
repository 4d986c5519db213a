// What the analysis of a function decides, for the pass that emits it. Stores and loops are numbered in the order in
// which they come in the body.

import type { Term } from './locals.ts';
import type { Group } from './pages.ts';

/** How a store's page is made sure of. */
export const CHECK_OWN = 0; // by a check of its own bytes
export const CHECK_NONE = 1; // an earlier check covers it
export const CHECK_GROUP = 2; // by a check of the bytes [low, high) around its address, for later stores too

/** How a loop makes sure of a range at its head, before an iteration begins. */
export const HEAD_ONCE = 0; // the address does not change: before the loop, and after each poll
export const HEAD_WINDOW = 1; // it walks: a compare with the page that was checked last
export const HEAD_TABLE = 2; // it jumps: a look at the epoch table

export interface HeadCheck {
  readonly terms: readonly Term[]; // the address is their sum; none: a constant
  readonly low: number; // first byte, relative to that sum
  readonly high: number; // one past the last
  readonly kind: number;
}

export interface LoopPlan {
  readonly heads: readonly HeadCheck[];
  /** Ranges known before the loop that stay known in it: each poll makes sure of them again. */
  readonly carried: readonly HeadCheck[];
  /** A window's end comes up often enough to poll there alone. */
  readonly pollAtWindow: boolean;
  /** It ends so soon that it need not poll. */
  readonly short: boolean;
}

export class Plan {
  /** CHECK_* of each store. */
  check: number[] = [];
  /** Of a CHECK_GROUP: the range relative to the store's own address (memarg offset included). */
  low: number[] = [];
  high: number[] = [];
  /** Of a bulk operation of short constant length: its bytes. */
  bulk: number[] = [];
  /** By the loop's number; absent = nothing to do at its head. */
  loops: (LoopPlan | undefined)[] = [];
  /** For the snapshot image, by the access's number. */
  group: (Group | undefined)[] = [];

  reset(): void {
    this.check.length = 0;
    this.low.length = 0;
    this.high.length = 0;
    this.bulk.length = 0;
    this.loops.length = 0;
    this.group.length = 0;
  }
}
