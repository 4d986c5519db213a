// Which symbol each local holds: a value computed once, plus a constant. At the head of a loop every local becomes a
// new symbol, lazily: one set before the loop's floor is the floor's own symbol of that local.

export class Locals {
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
    this.floorSerial = 1;
    this.floorSymbol = 1; // 0 is the symbol of constants
    this.nextSymbol = 1 + count;
  }

  fresh(): number {
    return this.nextSymbol++;
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

  /** The local whose value at the innermost loop's head the symbol is, or -1. */
  floorLocal(symbol: number): number {
    const local = symbol - this.floorSymbol;
    return local >= 0 && local < this.count ? local : -1;
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
