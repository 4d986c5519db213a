// Which symbol each local holds. A symbol is a value that was computed once; a local or operand is a
// symbol plus a constant. At the head of a loop every local becomes a new symbol, lazily: one that was
// set before the loop's floor is the floor's own symbol of that local.
//
// Invariants  ELIDE-5  A local that is assigned has another symbol afterwards, as it has at a join and
//                      at the head of a loop that assigns it.
//             BOUND-2  Symbols stay below SYMBOLS_MAX: they fit 32 bits.

import { Composites } from './composites.ts';
import { grown } from './grown.ts';

/** A local times a constant: what a symbol may be made of at the head of a loop. */
export interface Term {
  readonly local: number;
  readonly scale: number;
}

/** The symbol of constants: the offset is the value. */
export const CONSTANT = 0;

/** An analysis that needs more has no plan: its columns are of 32 bits. */
export const SYMBOLS_MAX = 2 ** 30;
const SCALE_MAX = 255;
const TERMS_MAX = 3;

/** What an assignment replaced, in four columns. */
class AssignmentLog {
  length = 0;
  local: Int32Array = new Int32Array(256);
  symbol: Int32Array = new Int32Array(256);
  offset: Int32Array = new Int32Array(256);
  serial: Int32Array = new Int32Array(256);

  grow(): void {
    this.local = grown(this.local);
    this.symbol = grown(this.symbol);
    this.offset = grown(this.offset);
    this.serial = grown(this.serial);
  }
}

export class Locals {
  readonly #composites = new Composites();
  #symbol: Int32Array = new Int32Array(64);
  #offset: Int32Array = new Int32Array(64);
  #serial: Int32Array = new Int32Array(64);
  readonly #log = new AssignmentLog();
  count = 0;
  floorSerial = 1;
  floorSymbol = 1;
  nextSymbol = 1;

  reset(count: number): void {
    this.count = count;
    if (count > this.#serial.length) {
      this.#symbol = new Int32Array(count);
      this.#offset = new Int32Array(count);
      this.#serial = new Int32Array(count);
    } else this.#serial.fill(0, 0, count);
    this.#log.length = 0;
    this.#composites.reset();
    this.floorSerial = 1;
    this.floorSymbol = CONSTANT + 1;
    this.nextSymbol = 1 + count;
  }

  /** Length of the log of assignments: a point to go back to. */
  get logLength(): number {
    return this.#log.length;
  }

  fresh(): number {
    return this.nextSymbol++;
  }

  #compose(left: number, right: number, scale: number): number {
    const symbol = this.#composites.symbolOf(left, right, scale, this.nextSymbol);
    if (symbol === this.nextSymbol) this.nextSymbol++;
    return symbol;
  }

  sum(a: number, b: number): number {
    return a < b ? this.#compose(a, b, 0) : this.#compose(b, a, 0);
  }

  /** A symbol times a constant. */
  product(symbol: number, scale: number): number {
    if (scale < 1 || scale > SCALE_MAX) return this.fresh();
    return scale === 1 ? symbol : this.#compose(symbol, 0, scale);
  }

  /**
   * The symbol in terms of what locals hold at the innermost loop's head; undefined if it is made of
   * other things.
   */
  terms(symbol: number, scale = 1, found: Term[] = []): Term[] | undefined {
    if (found.length === TERMS_MAX) return undefined;
    const local = symbol - this.floorSymbol;
    if (local >= 0 && local < this.count) {
      found.push({ local, scale });
      return found;
    }
    const parts = this.#composites.partsOf(symbol);
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
    const log = this.#log;
    if (log.length === log.local.length) log.grow();
    const i = log.length++;
    log.local[i] = local;
    log.symbol[i] = this.#symbol[local]!;
    log.offset[i] = this.#offset[local]!;
    log.serial[i] = this.#serial[local]!;
    this.hold(local, symbol, offset, serial);
  }

  /**
   * At the head of a loop, for a local that the loop does not assign: it keeps its value. This is not
   * an assignment, so it is not logged.
   */
  hold(local: number, symbol: number, offset: number, serial: number): void {
    this.#symbol[local] = symbol;
    this.#offset[local] = offset;
    this.#serial[local] = serial;
  }

  /**
   * The constant that the local was when the log had `length` entries and the floor was `floorSerial`;
   * it was set since.
   */
  constantAt(length: number, floorSerial: number, local: number): number | undefined {
    const log = this.#log;
    const i = log.local.indexOf(local, length);
    if (i < 0 || i >= log.length || log.serial[i]! < floorSerial) return undefined;
    return log.symbol[i] === CONSTANT ? log.offset[i] : undefined;
  }

  /** Goes back to the values of when the log had `length` entries. The entries stay, for blur(). */
  restore(length: number): void {
    const log = this.#log;
    for (let i = log.length - 1; i >= length; i--)
      this.hold(log.local[i]!, log.symbol[i]!, log.offset[i]!, log.serial[i]!);
  }

  /**
   * Locals assigned since the log had `length` entries become new symbols: they differ on the ways that
   * meet here.
   */
  blur(length: number, serial: number): void {
    const { local } = this.#log;
    for (let i = this.#log.length - 1; i >= length; i--)
      if (this.#serial[local[i]!] !== serial) this.hold(local[i]!, this.fresh(), 0, serial);
  }
}
