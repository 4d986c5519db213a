// What the locals hold at a loop's head that the loop does not assign.

export class Homes {
  length = 0;
  local: Int32Array = new Int32Array(64);
  symbol: Int32Array = new Int32Array(64);
  offset: Int32Array = new Int32Array(64);

  /** None yet, of a function with this many locals. */
  reset(locals: number): void {
    this.length = 0;
    if (locals <= this.local.length) return;
    this.local = new Int32Array(locals);
    this.symbol = new Int32Array(locals);
    this.offset = new Int32Array(locals);
  }

  add(local: number, symbol: number, offset: number): void {
    const i = this.length++;
    this.local[i] = local;
    this.symbol[i] = symbol;
    this.offset[i] = offset;
  }

  /** Whether one of the locals holds the symbol, plus a constant. */
  holds(symbol: number): boolean {
    const i = this.symbol.indexOf(symbol);
    return i >= 0 && i < this.length;
  }
}
