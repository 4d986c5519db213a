// What is known at a point of a function: which byte ranges were made writable since the last point
// where the view may have moved. A fact is a range around a symbol. Facts are kept in a stack, in the
// order of the clock, so those that every way to a join had are those older than the first branch to
// it.
//
// Interface   write() decides how a store is checked, and notes what is known after it. kill(),
//             keepOlder() and filter() forget.
// Invariants  ELIDE-1  Between the last point where the view may have moved and a write, each page of
//                      the write has been checked.
//             ELIDE-2  A point where the view may move voids all facts but those that its poll makes
//                      true again.
//             ELIDE-3  A fact holds at a join only if every way to the join had it.
//             ELIDE-4  A check is widened only for a store in its own region, where all runs or
//                      nothing: it makes no page writable that the program does not write. By
//                      construction: write() compares regions.
// Cost        A search through at most 24 facts for each store.

import { grown } from './grown.ts';
import { CHECK_GROUP, CHECK_NONE, CHECK_OWN, type Plan } from './plan.ts';

export const GROUP_BYTES_MAX = 1024; // a longer range would straddle two pages too often
const SEARCH_MAX = 24;
const NO_REGION = -1;

export class Facts {
  #symbol: Int32Array = new Int32Array(256);
  #low = new Float64Array(256); // ranges may reach out of 32 bits
  #high = new Float64Array(256);
  #base = new Float64Array(256); // where the store writes, relative to the symbol
  #store: Int32Array = new Int32Array(256); // the store whose check made it true
  #region: Int32Array = new Int32Array(256);
  #serial: Int32Array = new Int32Array(256);
  length = 0;
  /** Facts with a smaller serial are void. */
  killed = 0;
  /** Changes wherever control flow may enter or leave: within one region all runs or nothing. */
  region = 0;
  clock = 1;

  reset(): void {
    this.length = 0;
    this.killed = 0;
    this.region = 0;
    this.clock = 1;
  }

  /** The view may move here. */
  kill(): void {
    this.killed = ++this.clock;
    this.region++;
  }

  /** Of the facts in force keeps those for which `holds`. */
  filter(holds: (serial: number, symbol: number, low: number, high: number) => boolean): void {
    const { length } = this;
    let i = length;
    while (i > 0 && this.#serial[i - 1]! >= this.killed) i--;
    this.length = i;
    for (; i < length; i++) {
      const symbol = this.#symbol[i]!;
      const low = this.#low[i]!;
      const high = this.#high[i]!;
      if (!holds(this.#serial[i]!, symbol, low, high)) continue;
      this.#move(i, this.length++);
    }
  }

  #move(from: number, to: number): void {
    this.#symbol[to] = this.#symbol[from]!;
    this.#low[to] = this.#low[from]!;
    this.#high[to] = this.#high[from]!;
    this.#store[to] = this.#store[from]!;
    this.#base[to] = this.#base[from]!;
    this.#region[to] = this.#region[from]!;
    this.#serial[to] = this.#serial[from]!;
  }

  /** Notes a fact that holds without a check here, and returns its serial. */
  assume(symbol: number, low: number, high: number): number {
    return this.#add(symbol, low, high, 0, NO_REGION); // so it is never widened
  }

  /** Notes a fact, and returns its serial. */
  #add(symbol: number, low: number, high: number, store: number, region: number): number {
    if (this.length === this.#symbol.length) this.#grow();
    const i = this.length++;
    this.#symbol[i] = symbol;
    this.#low[i] = this.#base[i] = low;
    this.#high[i] = high;
    this.#store[i] = store;
    this.#region[i] = region;
    return (this.#serial[i] = ++this.clock);
  }

  #grow(): void {
    const longer = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(column.length * 2);
      copy.set(column);
      return copy;
    };
    this.#symbol = grown(this.#symbol);
    this.#low = longer(this.#low);
    this.#high = longer(this.#high);
    this.#base = longer(this.#base);
    this.#store = grown(this.#store);
    this.#region = grown(this.#region);
    this.#serial = grown(this.#serial);
  }

  /** Forgets what was added at `serial` or later. */
  keepOlder(serial: number): void {
    while (this.length > 0 && this.#serial[this.length - 1]! >= serial) this.length--;
  }

  /**
   * Notes a write of [low, high) around the symbol by store number `store`, and decides how it is
   * checked. If it needs a check, [wideLow, wideHigh) is checked: for a stack frame, all of the frame.
   */
  write(
    plan: Plan,
    store: number,
    symbol: number,
    low: number,
    high: number,
    wideLow = low,
    wideHigh = high,
  ): void {
    let extend = -1;
    const oldest = Math.max(0, this.length - SEARCH_MAX);
    for (let i = this.length - 1; i >= oldest && this.#serial[i]! >= this.killed; i--) {
      if (this.#symbol[i] !== symbol) continue;
      if (low >= this.#low[i]! && high <= this.#high[i]!) {
        plan.check[store] = CHECK_NONE;
        return;
      }
      if (this.#region[i] !== this.region || extend >= 0) continue;
      const span = Math.max(high, this.#high[i]!) - Math.min(low, this.#low[i]!);
      if (span <= GROUP_BYTES_MAX) extend = i;
    }
    if (extend >= 0) {
      this.#widen(
        plan,
        extend,
        Math.min(low, this.#low[extend]!),
        Math.max(high, this.#high[extend]!),
      );
      plan.check[store] = CHECK_NONE;
      return;
    }
    plan.check[store] = CHECK_OWN;
    this.#add(symbol, low, high, store, this.region);
    const i = this.length - 1;
    if (wideLow !== low || wideHigh !== high) this.#widen(plan, i, wideLow, wideHigh);
  }

  #widen(plan: Plan, i: number, low: number, high: number): void {
    this.#low[i] = low;
    this.#high[i] = high;
    const store = this.#store[i]!;
    plan.check[store] = CHECK_GROUP;
    plan.low[store] = low - this.#base[i]!;
    plan.high[store] = high - this.#base[i]!;
  }
}
