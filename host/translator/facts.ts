// What is known at a point of a function: which byte ranges were made writable since the last point where the view
// may have moved. A fact speaks of a symbol, a value that was computed once; facts are kept in a stack, and a join
// of control flow keeps those that every way to it had: `clock` numbers them, so "older than the first branch to
// here" is a comparison.

import { CHECK_GROUP, CHECK_NONE, CHECK_OWN, type Plan } from './plan.ts';

export const GROUP_BYTES_MAX = 1024; // a longer range would straddle two pages too often
const SEARCH_MAX = 24;

export class Facts {
  #symbol: number[] = [];
  #low: number[] = [];
  #high: number[] = [];
  #store: number[] = []; // the store whose check made it true
  #base: number[] = []; // where that store itself writes, relative to the symbol
  #region: number[] = [];
  #serial: number[] = [];
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
      const to = this.length++;
      this.#symbol[to] = symbol;
      this.#low[to] = low;
      this.#high[to] = high;
      this.#store[to] = this.#store[i]!;
      this.#base[to] = this.#base[i]!;
      this.#region[to] = this.#region[i]!;
      this.#serial[to] = this.#serial[i]!;
    }
  }

  /** Notes a fact that no check here made true, and gives its serial. */
  assume(symbol: number, low: number, high: number): number {
    const i = this.length++;
    this.#symbol[i] = symbol;
    this.#low[i] = low;
    this.#high[i] = high;
    this.#store[i] = this.#base[i] = 0;
    this.#region[i] = -1; // so that it is never widened
    return (this.#serial[i] = ++this.clock);
  }

  /** Forgets what was added at `serial` or later. */
  keepOlder(serial: number): void {
    while (this.length > 0 && this.#serial[this.length - 1]! >= serial) this.length--;
  }

  /**
   * Notes a write of [low, high) around the symbol by store number `store` and decides its check. `wide` is the
   * range to check instead if a check is needed: the function's whole stack frame.
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
    const i = this.length++;
    this.#symbol[i] = symbol;
    this.#low[i] = low;
    this.#high[i] = high;
    this.#store[i] = store;
    this.#base[i] = low;
    this.#region[i] = this.region;
    this.#serial[i] = ++this.clock;
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
