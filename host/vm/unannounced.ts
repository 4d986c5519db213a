// Detects writes of JavaScript to memory that exposure.ts did not expect, so that a fork that such a write
// made wrong is reported.
//
// A few of the addresses that are no longer remembered are examined when a snapshot is taken, and again at
// the next one: a page whose content changed without a store by the program was written by glue. That is
// reported once, and the page is preserved in each later snapshot.
//
// Interface   drop() for an address that is no longer remembered; check() and look() when a snapshot is
//             taken, before and after known pages are preserved for it; pages are those found.
// Cost        About 5 us per snapshot, once more pages than are remembered have been passed.

import { warn } from '#platform';
import { FRAME_BYTES, FRAME_SHIFT } from '../../assembly/abi/limits.ts';

const DROPPED_MAX = 4096; // pages, a ring
const LOOKS = 4;
const WORDS = FRAME_BYTES / 4;

interface Look {
  readonly page: number;
  readonly mark: number;
  readonly sum: number;
}

export class Unannounced {
  /** Pages that glue wrote to unexpectedly. */
  readonly pages: number[] = [];
  readonly #words: Uint32Array;
  readonly #epochs: Uint8Array;
  readonly #dropped: number[] = [];
  #next = 0;
  #turn = 0;
  #looks: Look[] = [];

  constructor(words: Uint32Array, epochs: Uint8Array) {
    this.#words = words;
    this.#epochs = epochs;
  }

  drop(address: number): void {
    this.#dropped[this.#next] = address >>> FRAME_SHIFT;
    this.#next = (this.#next + 1) % DROPPED_MAX;
  }

  /** Compares with the content seen last. */
  check(): void {
    for (const { page, mark, sum } of this.#looks)
      if (this.#epochs[page] === mark && this.#sumOf(page) !== sum) this.#found(page);
    this.#looks = [];
  }

  /**
   * Chooses what to compare next time: pages that the program marks when it stores to them, because they are
   * not of `view`.
   */
  look(view: number): void {
    for (let i = Math.min(LOOKS, this.#dropped.length); i > 0; i--) {
      const page = this.#dropped[this.#turn++ % this.#dropped.length]!;
      const mark = this.#epochs[page]!;
      if (mark !== view) this.#looks.push({ page, mark, sum: this.#sumOf(page) });
    }
  }

  #sumOf(page: number): number {
    let sum = 0;
    for (let at = page * WORDS; at < (page + 1) * WORDS; at++)
      sum = (Math.imul(sum, 31) + this.#words[at]!) | 0;
    return sum;
  }

  #found(page: number): void {
    if (this.pages.includes(page)) return;
    if (this.pages.length === 0)
      warn(
        `JavaScript wrote to a program's memory near address ${page * FRAME_BYTES} without \`program.beforeWrite(address, bytes)\`, and forks may have seen it: see "What glue writes by itself" in docs/programs.md`,
      );
    this.pages.push(page);
  }
}
