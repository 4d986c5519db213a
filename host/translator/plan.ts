// What the analysis of a function decides, for the pass that emits it. Stores (for the snapshot image,
// all accesses) and loops are numbered in the order of the body.

import type { Term } from './locals.ts';
import type { Group } from './pages.ts';

/** How the pages of a store are checked. */
export const CHECK_OWN = 0; // its own bytes
export const CHECK_NONE = 1; // an earlier check covers it
export const CHECK_GROUP = 2; // the bytes [low, high) around its address, for later stores too

/** How a loop checks a range at its head, before an iteration begins. */
export const HEAD_ONCE = 0; // the address does not change: before the loop, and after each poll
export const HEAD_WINDOW = 1; // it moves a little: a compare with the page that was checked last
export const HEAD_TABLE = 2; // it jumps: a look at the epoch table

export interface HeadCheck {
  readonly terms: readonly Term[]; // the address is their sum; none: a constant
  readonly low: number; // first byte, relative to that sum
  readonly high: number; // one past the last
  readonly kind: number;
}

export interface LoopPlan {
  readonly heads: readonly HeadCheck[];
  /** Ranges known before the loop that stay known in it: each poll makes them writable again. */
  readonly carried: readonly HeadCheck[];
  /** A window ends often enough: the loop polls only there. */
  readonly pollAtWindow: boolean;
  /** It ends soon: it does not poll. */
  readonly short: boolean;
}

export class Plan {
  /** CHECK_* of each store. */
  check: Uint8Array = new Uint8Array(1024);
  /** Of a CHECK_GROUP: the range relative to the store's own address (memarg offset included). */
  low: Int32Array = new Int32Array(1024);
  high: Int32Array = new Int32Array(1024);
  /** Of a bulk operation of short constant length: its bytes; 0 = it is another. */
  bulk: Int32Array = new Int32Array(1024);
  /** By the loop's number; absent = nothing to do at its head. */
  readonly loops: (LoopPlan | undefined)[] = [];
  /** For the snapshot image, by the access's number; absent = it stands alone. */
  readonly group: (Group | undefined)[] = [];
  #accesses = 0;

  /** Nothing is decided yet for a function of at most `accesses` accesses: each one checks for itself. */
  reset(accesses: number): void {
    this.check.fill(CHECK_OWN, 0, this.#accesses);
    this.bulk.fill(0, 0, this.#accesses);
    if (this.loops.length > 0) this.loops.length = 0;
    if (this.group.length > 0) this.group.length = 0;
    this.#accesses = accesses;
    if (accesses <= this.check.length) return;
    this.check = new Uint8Array(2 * accesses);
    this.low = new Int32Array(2 * accesses);
    this.high = new Int32Array(2 * accesses);
    this.bulk = new Int32Array(2 * accesses);
  }
}

/**
 * How many writes and loops the main image has, how many checks and polls they need.
 *
 * @category Translator
 */
export interface WriteStatistics {
  readonly writes: number;
  readonly checks: number;
  readonly polls: number;
  readonly loops: number;
}
