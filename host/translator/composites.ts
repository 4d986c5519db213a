// Symbols that are sums of two symbols, or products of one with a constant: the same symbol for the
// same operands.
//
// Format      A hash table with open addressing. Entries are in the order in which they were made,
//             which is that of their symbols; each knows its slot, so that reset() empties only slots
//             in use.
// Cost        One probe for a look-up, as a rule.

import { grown } from './grown.ts';

export interface Parts {
  readonly left: number;
  /** Of a sum, the other symbol; of a product, 0. */
  readonly right: number;
  /** Of a product; 0 = a sum. */
  readonly scale: number;
}

/** Operands from here on are not composed: their sums are fresh symbols. */
const OPERAND_MAX = 2 ** 22;
const ENTRIES_MIN = 512;

export class Composites {
  #slots: Int32Array = new Int32Array(2 * ENTRIES_MIN); // number of an entry + 1; 0 = free
  #length = 0;
  #left: Int32Array = new Int32Array(ENTRIES_MIN);
  #right: Int32Array = new Int32Array(ENTRIES_MIN);
  #scale: Int32Array = new Int32Array(ENTRIES_MIN);
  #symbol: Int32Array = new Int32Array(ENTRIES_MIN);
  #slot: Int32Array = new Int32Array(ENTRIES_MIN);

  reset(): void {
    for (let i = 0; i < this.#length; i++) this.#slots[this.#slot[i]!] = 0;
    this.#length = 0;
  }

  /** The symbol that was made of these operands; if there is none, it is `next` from now on. */
  symbolOf(left: number, right: number, scale: number, next: number): number {
    if (left >= OPERAND_MAX || right >= OPERAND_MAX) return next;
    let slot = this.#first(left, right, scale);
    for (;;) {
      const i = this.#slots[slot]! - 1;
      if (i < 0) break;
      if (this.#left[i] === left && this.#right[i] === right && this.#scale[i] === scale)
        return this.#symbol[i]!;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    if (this.#length === this.#left.length) {
      this.#grow();
      return this.symbolOf(left, right, scale, next);
    }
    const i = this.#length++;
    this.#left[i] = left;
    this.#right[i] = right;
    this.#scale[i] = scale;
    this.#symbol[i] = next;
    this.#slot[i] = slot;
    this.#slots[slot] = i + 1;
    return next;
  }

  /** What the symbol was made of; undefined if it is not a composite. */
  partsOf(symbol: number): Parts | undefined {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#symbol[middle]! < symbol) low = middle + 1;
      else high = middle;
    }
    if (low === this.#length || this.#symbol[low] !== symbol) return undefined;
    return { left: this.#left[low]!, right: this.#right[low]!, scale: this.#scale[low]! };
  }

  #first(left: number, right: number, scale: number): number {
    const mixed = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 1, 0x85ebca6b) ^ (scale << 7);
    return (mixed ^ (mixed >>> 15)) & (this.#slots.length - 1);
  }

  #grow(): void {
    this.#left = grown(this.#left);
    this.#right = grown(this.#right);
    this.#scale = grown(this.#scale);
    this.#symbol = grown(this.#symbol);
    this.#slot = grown(this.#slot);
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let i = 0; i < this.#length; i++) {
      let slot = this.#first(this.#left[i]!, this.#right[i]!, this.#scale[i]!);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = i + 1;
      this.#slot[i] = slot;
    }
  }
}
