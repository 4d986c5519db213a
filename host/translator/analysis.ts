// Decides which accesses of a function need no check of their own, before it is emitted. An abstract
// interpreter: it follows operands and locals as symbols plus constants, and knows what a poll or a
// call voids. docs/translator.md explains it.
//
// Interface   run() leaves its decisions in `plan`.
// Invariants  VALID-1  It presumes a valid module. For another it makes some plan, and the engine
//                      refuses the image.
//             BOUND-1  Its work is linear in the size of the function; beyond the bound each access
//                      checks for itself.
// Cost        25 ns for an instruction; 35 for the snapshot image.

import { BLOCK, type Comparison, IF, LOOP, TRY } from './frame.ts';
import {
  ACCESS,
  accessKind,
  accessWidth,
  CMPXCHG,
  EFFECT,
  isWrite,
  LANE_LOAD,
  LANE_STORE,
  LOAD,
  STORE,
} from './instructions.ts';
import { branch, clause, end, enter, handler, otherwise } from './joins.ts';
import { CONSTANT, SYMBOLS_MAX } from './locals.ts';
import type { ModuleMap } from './module.ts';
import { OP } from './opcode.ts';
import { OFFSET_MAX, type Pages } from './pages.ts';
import { CHECK_NONE, type Plan } from './plan.ts';
import { State } from './state.ts';
import type { Tape } from './tape.ts';
import { noteCondition } from './trips.ts';

const FRAME_BYTES_MAX = 2048; // of a function's stack frame
const SHORT_BULK_MAX = 256; // bytes
const NO_SYMBOL = -1;

export class Analysis {
  readonly plan: Plan;
  readonly #map: ModuleMap;
  readonly #quiet: Uint8Array;
  readonly #state: State;
  #accesses = 0; // so far: writes, or all of them for the snapshot image
  // The last global.get, and the symbol and extent of the stack frame, once there is one.
  #lastGlobal = -1;
  #lastGlobalSymbol = NO_SYMBOL;
  #frameSymbol = NO_SYMBOL;
  #frameLow = 0;
  /** The last comparison. */
  readonly #comparison: Comparison = {
    result: NO_SYMBOL,
    symbol: 0,
    offset: 0,
    bound: 0,
    orders: false,
    negated: false,
  };

  /** `quiet`: by function, 1 = it cannot move the view. With `pages` it is for the snapshot image. */
  constructor(map: ModuleMap, quiet: Uint8Array, pages: boolean) {
    this.#map = map;
    this.#quiet = quiet;
    this.#state = new State(quiet, pages);
    this.plan = this.#state.plan;
  }

  /** Decides for the function on the tape. */
  run(functionIndex: number, tape: Tape): void {
    const state = this.#state;
    state.reset(tape);
    this.#accesses = 0;
    this.#lastGlobal = -1;
    this.#lastGlobalSymbol = this.#frameSymbol = this.#comparison.result = NO_SYMBOL;
    enter(state, BLOCK, 0, this.#map.typeOf(functionIndex).results.length);
    const { length } = tape;
    for (let i = 0; i < length && state.work > 0; i++) this.#instruction(tape, i);
    if (state.work <= 0 || state.locals.nextSymbol >= SYMBOLS_MAX) state.plan.reset(tape.changes);
  }

  #instruction(tape: Tape, i: number): void {
    const { operands, locals } = this.#state;
    const code = tape.code[i]!;
    switch (code) {
      case OP.localGet: {
        const local = tape.a[i]!;
        return operands.push(locals.symbol(local), locals.offset(local));
      }
      case OP.i32Const:
        return operands.push(CONSTANT, tape.a[i]!);
      case OP.localSet:
      case OP.localTee:
        return this.#setLocal(tape.a[i]!, code === OP.localTee);
      case OP.i32Add:
        return operands.add();
      case OP.i32Sub:
        return operands.subtract();
      case OP.i32Mul:
      case OP.i32Shl:
        return operands.multiply(code === OP.i32Shl);
    }
    if (ACCESS[code] !== 0) return this.#access(code, tape.a[i]!);
    this.#other(code, tape, i);
  }

  #other(code: number, tape: Tape, i: number): void {
    switch (code) {
      case OP.i32Eq:
      case OP.i32Ne:
      case OP.i32LtS:
      case OP.i32LtU:
      case OP.i32GeS:
      case OP.i32GeU:
        return this.#compare(code);
      case OP.globalGet:
        this.#lastGlobal = tape.a[i]!;
        this.#lastGlobalSymbol = this.#state.locals.nextSymbol;
        break;
      case OP.globalSet:
        return this.#setGlobal(tape.a[i]!);
      case OP.memoryInit:
      case OP.memoryCopy:
      case OP.memoryFill:
        return this.#bulk();
      case OP.memoryGrow:
        this.#state.kill();
        break;
    }
    const effect = EFFECT[code]!;
    if (effect !== 0) return this.#state.operands.effect(effect);
    this.#state.end = tape.at[i + 1]!;
    this.#control(code, tape, i);
  }

  #control(code: number, tape: Tape, i: number): void {
    const state = this.#state;
    const { operands } = state;
    const a = tape.a[i]!;
    switch (code) {
      case OP.block:
      case OP.loop:
      case OP.if:
        return this.#block(code, a, tape.b[i]!);
      case OP.else:
        return otherwise(state);
      case OP.end:
        return end(state);
      case OP.call:
        return this.#callDirect(a);
      case OP.callIndirect:
      case OP.callRef:
        operands.pop(1);
        this.#call(a);
        return state.kill();
      case OP.br:
        branch(state, a);
        return state.unreachable();
      case OP.brIf:
        if (!state.dead && operands.has(1)) noteCondition(state, a, this.#comparison);
        operands.pop(1);
        branch(state, a);
        return state.endPrefix();
      case OP.brOnNull:
      case OP.brOnNonNull:
        operands.pop(1);
        branch(state, a);
        if (code === OP.brOnNull) operands.pushFresh(1);
        return state.endPrefix();
      case OP.brTable:
        operands.pop(1);
        for (let j = 0; j < tape.b[i]!; j++) branch(state, tape.labels[a + j]!);
        return state.unreachable();
      default:
        return this.#exception(code, tape, i);
    }
  }

  #exception(code: number, tape: Tape, i: number): void {
    const state = this.#state;
    const a = tape.a[i]!;
    const b = tape.b[i]!;
    switch (code) {
      case OP.try:
        state.operands.pop(a);
        return enter(state, TRY, a, b);
      case OP.catch:
        return handler(state, this.#map.types[this.#map.tags[a]!]!.params.length);
      case OP.catchAll:
        return handler(state, 0);
      case OP.delegate:
        return end(state);
      case OP.tryTable:
        return this.#tryTable(tape.labels, a, b & 0xffff, b >>> 16);
      default: // unreachable, return, tail calls, throw, throw_ref, rethrow
        return state.unreachable();
    }
  }

  #tryTable(labels: readonly number[], first: number, params: number, results: number): void {
    const state = this.#state;
    state.kill();
    state.operands.pop(params);
    for (let left = labels[first]!, at = first + 3; left > 0; left--, at += 3)
      clause(state, labels[at]!);
    enter(state, BLOCK, params, results);
  }

  #block(code: number, params: number, results: number): void {
    const { operands, facts } = this.#state;
    if (code === OP.if) {
      operands.pop(1);
      facts.region++;
    }
    operands.pop(params);
    const kind = code === OP.block ? BLOCK : code === OP.loop ? LOOP : IF;
    enter(this.#state, kind, params, results);
  }

  #setLocal(local: number, isTee: boolean): void {
    const { operands, locals, facts } = this.#state;
    const known = operands.has(1);
    const symbol = known ? operands.symbols[operands.top - 1]! : locals.fresh();
    const offset = known ? operands.offsets[operands.top - 1]! : 0;
    locals.set(local, symbol, offset, ++facts.clock);
    if (isTee && !known) operands.push(symbol, offset);
    else if (!isTee && known) operands.top--;
  }

  #compare(code: number): void {
    const { operands, locals } = this.#state;
    const { top } = operands;
    if (operands.has(2) && operands.symbols[top - 1] === CONSTANT) {
      const comparison = this.#comparison;
      comparison.result = locals.nextSymbol;
      comparison.symbol = operands.symbols[top - 2]!;
      comparison.offset = operands.offsets[top - 2]!;
      comparison.bound = operands.offsets[top - 1]!;
      comparison.orders = code > OP.i32Ne;
      comparison.negated = code === OP.i32Eq || code >= OP.i32GeS;
    }
    operands.effect(EFFECT[code]!);
  }

  /**
   * `sp = sp - n` on a global marks the symbol of the old sp: [-n, 0) around it is this function's
   * stack frame.
   */
  #setGlobal(global: number): void {
    const { operands } = this.#state;
    const { top } = operands;
    if (top > 0 && global === this.#lastGlobal) {
      const offset = operands.offsets[top - 1]!;
      const isLower = operands.symbols[top - 1] === this.#lastGlobalSymbol && offset < 0;
      if (isLower && offset >= -FRAME_BYTES_MAX) {
        this.#frameSymbol = this.#lastGlobalSymbol;
        this.#frameLow = offset;
      }
    }
    operands.pop(1);
  }

  #access(code: number, offset: number): void {
    const { operands, pages, dead } = this.#state;
    const access = ACCESS[code]!;
    const kind = accessKind(access);
    if (pages) this.#touch(pages, access, offset >>> 0);
    else if (isWrite(kind)) {
      const count = kind === CMPXCHG ? 3 : 2;
      const store = this.#accesses++;
      const at = operands.top - count;
      if (!dead && operands.has(count)) {
        const address = operands.offsets[at]! + (offset >>> 0);
        if (address < 0x7fffffff)
          this.#store(store, operands.symbols[at]!, address, accessWidth(access));
      }
    }
    operands.effect(EFFECT[code]!);
  }

  /** A plain load or store, for the snapshot image; accesses of other kinds are numbered only. */
  #touch(pages: Pages, access: number, offset: number): void {
    const number = this.#accesses++;
    const kind = accessKind(access);
    const stores = kind === STORE || kind === LANE_STORE;
    if (!stores && kind !== LOAD && kind !== LANE_LOAD) return;
    const { operands, facts, plan, dead } = this.#state;
    const at = operands.top - (kind === LOAD ? 1 : 2);
    if (at < operands.height || dead || offset > OFFSET_MAX) return;
    const width = accessWidth(access);
    const base = (operands.offsets[at]! + offset) | 0;
    pages.touch(plan, number, operands.symbols[at]!, base, width, stores, ++facts.clock);
  }

  #write(store: number, symbol: number, base: number, high: number): void {
    const { facts, plan } = this.#state;
    if (symbol === this.#frameSymbol && base >= this.#frameLow && high <= 0) {
      facts.write(plan, store, symbol, base, high, this.#frameLow, 0);
    } else facts.write(plan, store, symbol, base, high, base, high);
  }

  #store(store: number, symbol: number, base: number, width: number): void {
    this.#write(store, symbol, base, base + width);
    const { loop, locals, plan } = this.#state;
    if (!loop || !loop.clean || !loop.prefix || loop.conditional > 0) return;
    if (plan.check[store] === CHECK_NONE) return;
    const terms = symbol === CONSTANT ? [] : locals.terms(symbol);
    if (!terms) return;
    const steps = { least: Infinity, most: -Infinity, jumps: false };
    loop.candidates.push({ store, terms, base, width, ...steps });
  }

  /** One of constant length up to SHORT_BULK_MAX is checked like a store; others may poll. */
  #bulk(): void {
    const { operands, pages, dead, plan } = this.#state;
    if (pages) return operands.pop(3);
    const store = this.#accesses++;
    const at = operands.top - 3;
    const isConstant = !dead && operands.has(3) && operands.symbols[at + 2] === CONSTANT;
    const bytes = isConstant ? operands.offsets[at + 2]! : 0;
    if (bytes > 0 && bytes <= SHORT_BULK_MAX) {
      const base = operands.offsets[at]!;
      this.#write(store, operands.symbols[at]!, base, base + bytes);
      plan.bulk[store] = bytes;
    } else this.#state.kill();
    operands.pop(3);
  }

  #call(type: number): void {
    const { params, results } = this.#map.types[type]!;
    const { operands } = this.#state;
    operands.pop(params.length);
    operands.pushFresh(results.length);
  }

  #callDirect(index: number): void {
    const state = this.#state;
    this.#call(this.#map.functions[index]!);
    if (this.#quiet[index] === 0) return state.kill();
    // It may trap, so the rest may not run. And checks do not move to the head of a loop that contains
    // a call.
    state.endPrefix();
    const { loop } = state;
    if (loop) loop.clean = false;
  }
}
