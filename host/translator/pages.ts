// Groups of accesses around one address, so that the place of their page's entry in a snapshot's table
// is computed once. A group is a symbol and a range of bytes around it. Its first access leaves the
// place in a local; all later accesses on every way from there use it.
//
// Invariants  PLACE-1  The place of an entry depends on the address alone: nothing voids it. Each
//                      access reads the entry itself.
//             PLACE-2  The first access of a group runs before each other access of it, on every way.
//             PLACE-4  A local is used for another group only when its group is gone: at a join that
//                      not every way reaches through it, at a loop if no local keeps its symbol, or for
//                      a newer group. Within a loop no group from before it is given up for a newer
//                      one, because the next iteration may use it.

import { CONSTANT } from './locals.ts';
import type { Plan } from './plan.ts';

/** A range that crosses a page sends all of its group the slow way, so it is short. */
const RANGE_MAX = 128;
const LOCALS_MAX = 12;
/**
 * Accesses with larger offsets stand alone: an address under the limit of stores (relocation.ts) would
 * not prove that the sum fits 32 bits.
 */
export const OFFSET_MAX = 1024;

/** Accesses whose entry is at one place of the table. */
export class Group {
  readonly first: number; // the access that computes the place
  readonly symbol: number;
  readonly base: number; // where the first access lies, relative to the symbol
  readonly local: number;
  readonly serial: number;
  low: number; // the range of all of them, relative to the symbol
  high: number;
  size = 1;
  stores: boolean;

  constructor(
    first: number,
    symbol: number,
    base: number,
    width: number,
    local: number,
    serial: number,
    stores: boolean,
  ) {
    this.first = first;
    this.symbol = symbol;
    this.base = this.low = base;
    this.high = base + width;
    this.local = local;
    this.serial = serial;
    this.stores = stores;
  }
}

export class Pages {
  readonly #live: Group[] = []; // the oldest first
  readonly #pinned: number[] = []; // of each open loop, the serial at its head

  reset(): void {
    this.#live.length = this.#pinned.length = 0;
  }

  /** Access number `access` touches [base, + width) around the symbol. */
  touch(
    plan: Plan,
    access: number,
    symbol: number,
    base: number,
    width: number,
    stores: boolean,
    serial: number,
  ): void {
    const live = this.#live;
    for (let i = live.length - 1; i >= 0; i--) {
      const group = live[i]!;
      if (group.symbol !== symbol) continue;
      const low = Math.min(group.low, base);
      const high = Math.max(group.high, base + width);
      if (high - low > RANGE_MAX) continue;
      group.low = low;
      group.high = high;
      group.size++;
      group.stores ||= stores;
      plan.group[access] = group;
      return;
    }
    const local = this.#freeLocal();
    if (local < 0) return;
    const group = new Group(access, symbol, base, width, local, serial, stores);
    live.push(group);
    plan.group[access] = group;
  }

  #freeLocal(): number {
    const live = this.#live;
    if (live.length === LOCALS_MAX) {
      const pin = this.#pin;
      const i = live.findIndex(({ serial }) => serial > pin);
      if (i < 0) return -1;
      live.splice(i, 1);
    }
    for (let local = 0; ; local++) {
      if (!live.some((group) => group.local === local)) return local;
    }
  }

  /** Forgets the groups that began at `serial` or later. */
  keepOlder(serial: number): void {
    const live = this.#live;
    while (live.length > 0 && live[live.length - 1]!.serial >= serial) live.pop();
  }

  get #pin(): number {
    return this.#pinned[this.#pinned.length - 1] ?? 0;
  }

  /**
   * At a loop's head: of the groups that may be given up, keeps those whose symbols locals still hold
   * in the loop.
   */
  enterLoop(serial: number, holds: (symbol: number) => boolean): void {
    const live = this.#live;
    const pin = this.#pin;
    let kept = 0;
    for (const group of live) {
      const stays = group.serial <= pin || group.symbol === CONSTANT || holds(group.symbol);
      if (stays) live[kept++] = group;
    }
    live.length = kept;
    this.#pinned.push(serial);
  }

  leaveLoop(): void {
    this.#pinned.pop();
  }
}
