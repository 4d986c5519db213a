// The operand stack of the function under analysis: of each operand the symbol and the constant that is
// added to it.
//
// Interface   push(), pushFresh(), pop() and effect() follow the stack; add(), subtract() and
//             multiply() also follow the values. In unreachable code, operands below the height of the
//             block are unknown.

import { effectGives, effectTakes } from './instructions.ts';
import { CONSTANT, type Locals } from './locals.ts';

const TAKES_2_GIVES_1 = 1 + 2 * 4 + 1;

export class Operands {
  symbols: Int32Array = new Int32Array(1024);
  offsets: Int32Array = new Int32Array(1024);
  top = 0;
  /** The height at which the innermost block began. */
  height = 0;
  #instructions = 0;
  readonly #locals: Locals;

  constructor(locals: Locals) {
    this.#locals = locals;
  }

  /**
   * For a function of `instructions` instructions, each of which pushes one operand at most, or calls
   * pushFresh().
   */
  reset(instructions: number): void {
    this.top = this.height = 0;
    this.#instructions = instructions;
    this.#reserve(0);
  }

  #reserve(count: number): void {
    const need = this.top + count + this.#instructions + 1;
    if (need <= this.symbols.length) return;
    const [symbols, offsets] = [new Int32Array(2 * need), new Int32Array(2 * need)];
    symbols.set(this.symbols);
    offsets.set(this.offsets);
    this.symbols = symbols;
    this.offsets = offsets;
  }

  push(symbol: number, offset: number): void {
    this.symbols[this.top] = symbol;
    this.offsets[this.top++] = offset;
  }

  pushFresh(count: number): void {
    if (count === 0) return;
    this.#reserve(count);
    for (; count > 0; count--) this.push(this.#locals.fresh(), 0);
  }

  pop(count: number): void {
    this.top = Math.max(this.top - count, this.height);
  }

  /** An instruction of this effect (instructions.ts) whose result is not followed. */
  effect(effect: number): void {
    const top = Math.max(this.top - effectTakes(effect), this.height);
    this.top = top;
    if (effectGives(effect) === 0) return;
    this.symbols[top] = this.#locals.nextSymbol++;
    this.offsets[top] = 0;
    this.top = top + 1;
  }

  /** Whether `count` operands are on the stack of this block. */
  has(count: number): boolean {
    return this.top >= this.height + count;
  }

  add(): void {
    if (!this.has(2)) return this.effect(TAKES_2_GIVES_1);
    const { symbols, offsets } = this;
    const right = --this.top;
    const left = right - 1;
    if (symbols[left] === CONSTANT) symbols[left] = symbols[right]!;
    else if (symbols[right] !== CONSTANT)
      symbols[left] = this.#locals.sum(symbols[left]!, symbols[right]!);
    offsets[left] = offsets[left]! + offsets[right]!;
  }

  subtract(): void {
    const right = this.top - 1;
    if (!this.has(2) || this.symbols[right] !== CONSTANT) return this.effect(TAKES_2_GIVES_1);
    this.top = right;
    this.offsets[right - 1] = this.offsets[right - 1]! - this.offsets[right]!;
  }

  /** i32.mul or i32.shl, by a constant. */
  multiply(isShift: boolean): void {
    const { symbols, offsets, top } = this;
    const right = top - 1;
    const left = top - 2;
    if (!this.has(2) || symbols[right] !== CONSTANT || symbols[left] === CONSTANT)
      return this.effect(TAKES_2_GIVES_1);
    this.top = right;
    const constant = offsets[right]!;
    const scale = isShift ? 1 << (constant & 31) : constant;
    symbols[left] = this.#locals.product(symbols[left]!, scale);
    offsets[left] = Math.imul(offsets[left]!, scale);
  }
}
