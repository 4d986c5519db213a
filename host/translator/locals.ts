// Which symbol each local holds: a value computed once, plus a constant. Sums and products with constants of symbols
// are symbols too, the same one for the same operands. At the head of a loop every local becomes a
// new symbol, lazily: one set before the loop's floor is the floor's own symbol of that local.

/** A local times a constant: what a symbol may be made of at the head of a loop. */
export interface Term {
  readonly local: number;
  readonly scale: number;
}

interface Composed {
  readonly left: number;
  readonly right: number; // of a sum, another symbol; of a product, 0
  readonly scale: number; // of a product; 0 = a sum
}

/** The symbol of constants: the offset is the value. */
export const CONSTANT = 0;

const SYMBOL_MAX = 2 ** 22; // beyond it symbols are not composed
const SCALE_MAX = 255;
const TERMS_MAX = 3;

export class Locals {
  readonly #composed = new Map<number, Composed>();
  readonly #composedBy = new Map<number, number>();
  #symbol: number[] = [];
  #offset: number[] = [];
  #serial: number[] = [];
  // What assignments replaced, to go back at `else`.
  #logLocal: number[] = [];
  #logSymbol: number[] = [];
  #logOffset: number[] = [];
  #logSerial: number[] = [];
  logLength = 0;
  count = 0;
  floorSerial = 1;
  floorSymbol = 1;
  nextSymbol = 1;

  reset(count: number): void {
    this.count = count;
    for (let i = 0; i < count; i++) this.#serial[i] = 0;
    this.logLength = 0;
    this.#composed.clear();
    this.#composedBy.clear();
    this.floorSerial = 1;
    this.floorSymbol = CONSTANT + 1;
    this.nextSymbol = 1 + count;
  }

  fresh(): number {
    return this.nextSymbol++;
  }

  #compose(left: number, right: number, scale: number): number {
    if (left >= SYMBOL_MAX || right >= SYMBOL_MAX) return this.fresh();
    const key = (left * SYMBOL_MAX + right) * (SCALE_MAX + 1) + scale;
    let symbol = this.#composedBy.get(key);
    if (symbol === undefined) {
      symbol = this.fresh();
      this.#composedBy.set(key, symbol);
      this.#composed.set(symbol, { left, right, scale });
    }
    return symbol;
  }

  sum(a: number, b: number): number {
    return this.#compose(Math.min(a, b), Math.max(a, b), 0);
  }

  /** A symbol times a constant. */
  product(symbol: number, scale: number): number {
    if (scale < 1 || scale > SCALE_MAX) return this.fresh();
    return scale === 1 ? symbol : this.#compose(symbol, 0, scale);
  }

  /** The symbol in terms of what locals hold at the innermost loop's head; undefined if it is made of other things. */
  terms(symbol: number, scale = 1, found: Term[] = []): Term[] | undefined {
    if (found.length === TERMS_MAX) return undefined;
    const local = symbol - this.floorSymbol;
    if (local >= 0 && local < this.count) {
      found.push({ local, scale });
      return found;
    }
    const parts = this.#composed.get(symbol);
    if (!parts || scale * parts.scale > SCALE_MAX) return undefined;
    if (parts.scale > 0) return this.terms(parts.left, scale * parts.scale, found);
    return this.terms(parts.left, scale, found) && this.terms(parts.right, scale, found);
  }

  /** All locals become unknown at `serial`. */
  raiseFloor(serial: number): void {
    this.floorSerial = serial;
    this.floorSymbol = this.nextSymbol;
    this.nextSymbol += this.count;
  }

  symbol(local: number): number {
    if (this.#serial[local]! < this.floorSerial) return this.floorSymbol + local;
    return this.#symbol[local]!;
  }
  offset(local: number): number {
    return this.#serial[local]! < this.floorSerial ? 0 : this.#offset[local]!;
  }

  set(local: number, symbol: number, offset: number, serial: number): void {
    const i = this.logLength++;
    this.#logLocal[i] = local;
    this.#logSymbol[i] = this.#symbol[local]!;
    this.#logOffset[i] = this.#offset[local]!;
    this.#logSerial[i] = this.#serial[local]!;
    this.#symbol[local] = symbol;
    this.#offset[local] = offset;
    this.#serial[local] = serial;
  }

  /** At a loop's head, of a local that the loop does not assign: it still holds what it did. No assignment, so no log. */
  hold(local: number, symbol: number, offset: number, serial: number): void {
    this.#symbol[local] = symbol;
    this.#offset[local] = offset;
    this.#serial[local] = serial;
  }

  /** The constant that the local was when the log had `length` entries and the floor was `floorSerial`; it was set since. */
  constantAt(length: number, floorSerial: number, local: number): number | undefined {
    const i = this.#logLocal.indexOf(local, length);
    if (i < 0 || i >= this.logLength || this.#logSerial[i]! < floorSerial) return undefined;
    return this.#logSymbol[i] === CONSTANT ? this.#logOffset[i] : undefined;
  }

  /** Back to the values of when the log had `length` entries; the entries stay, for `blur`. */
  restore(length: number): void {
    for (let i = this.logLength - 1; i >= length; i--) {
      const local = this.#logLocal[i]!;
      this.#symbol[local] = this.#logSymbol[i]!;
      this.#offset[local] = this.#logOffset[i]!;
      this.#serial[local] = this.#logSerial[i]!;
    }
  }

  /** Locals assigned since the log had `length` entries become new symbols: the ways that meet here differ. */
  blur(length: number, serial: number): void {
    for (let i = this.logLength - 1; i >= length; i--) {
      const local = this.#logLocal[i]!;
      this.#symbol[local] = this.fresh();
      this.#offset[local] = 0;
      this.#serial[local] = serial;
    }
  }
}
