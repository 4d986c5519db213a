// The first look at a function that writes memory: which of its stores need a check of their own. It follows the
// operand stack and the locals as symbols (symbol + constant), knows what a poll or a call voids, and leaves its
// decisions in a Plan. It assumes a valid module; an invalid one gets some plan, and the engine refuses the result.

import { RingzeroError } from '../errors.ts';
import { EFFECT, effectGives, effectTakes, MISC_EFFECT, SIMD_EFFECT } from './effect.ts';
import { Facts } from './facts.ts';
import { BLOCK, type Comparison, ELSE, Frame, IF, LOOP } from './frame.ts';
import { noteSteps, planHeads, tripsOf } from './heads.ts';
import { CONSTANT, Locals } from './locals.ts';
import { Loops } from './loops.ts';
import { bounded, type ModuleMap } from './module.ts';
import * as op from './opcode.ts';
import { OFFSET_MAX, Pages } from './pages.ts';
import { CHECK_NONE, HEAD_ONCE, Plan } from './plan.ts';
import { quietFunctions } from './quiet.ts';
import { Reader } from './reader.ts';

const FRAME_BYTES_MAX = 2048;
const SHORT_BULK_MAX = 256; // bytes
const CARRIED_MAX = 8;

interface Home {
  readonly local: number;
  readonly symbol: number;
  readonly offset: number;
}

export class Analysis {
  readonly plan = new Plan();
  readonly #map: ModuleMap;
  readonly #quiet: Uint8Array;
  readonly #reader: Reader;
  readonly #facts = new Facts();
  /** Instead of facts, for the snapshot image: loads count as stores do. */
  readonly #pages: Pages | undefined;
  readonly #locals = new Locals();
  readonly #frames: Frame[] = [];
  #depth = 0; // frames in use
  readonly #bodyLoops: Loops;
  #loops: Frame[] = [];
  readonly #symbols: number[] = []; // the operand stack
  readonly #offsets: number[] = [];
  #top = 0;
  #height = 0; // of the operand stack where the innermost block began
  #dead = false;
  #stores = 0;
  #loopCount = 0;
  #work = 0;
  #lastGlobal = -1; // the last global.get, to recognize the stack pointer
  #lastGlobalSymbol = -1;
  #frameSymbol = -1;
  #frameLow = 0;
  #comparison: Comparison | undefined; // the last one
  readonly #assignedIn: number[] = []; // by local: the last loop found to assign it

  constructor(map: ModuleMap, pages: boolean) {
    this.#map = map;
    this.#pages = pages ? new Pages() : undefined;
    this.#quiet = pages ? new Uint8Array(map.functions.length) : quietFunctions(map);
    this.#bodyLoops = new Loops(map, this.#quiet);
    this.#reader = new Reader(map.bytes);
  }

  /** Decides for the function whose instructions are at [start, end). */
  run(functionIndex: number, localCount: number, start: number, end: number): void {
    this.plan.reset();
    this.#facts.reset();
    this.#pages?.reset();
    this.#locals.reset(localCount);
    this.#depth = 0;
    this.#loops.length = 0;
    this.#top = 0;
    this.#dead = false;
    this.#stores = 0;
    this.#loopCount = 0;
    this.#work = 64 * (end - start) + 65536;
    this.#lastGlobal = -1;
    this.#lastGlobalSymbol = -1;
    this.#frameSymbol = -1;
    this.#comparison = undefined;
    const results = this.#map.typeOf(functionIndex).results.length;
    this.#enter(BLOCK, 0, results);
    this.#reader.pos = start;
    this.#reader.end = end;
    this.#bodyLoops.scan(this.#reader);
    this.#assignedIn.length = 0;
    this.#reader.pos = start;
    try {
      while (this.#depth > 0 && this.#work > 0) this.#instruction();
    } catch (error) {
      if (!(error instanceof RingzeroError)) throw error;
      this.#work = 0; // the pass that emits refuses the module, and says why
    }
    if (this.#work <= 0) this.plan.reset(); // too tangled: every access checks for itself
  }

  #push(symbol: number, offset: number): void {
    this.#symbols[this.#top] = symbol;
    this.#offsets[this.#top++] = offset;
  }

  #pushFresh(count: number): void {
    for (; count > 0; count--) this.#push(this.#locals.fresh(), 0);
  }

  /** Pops; in dead code the stack gives whatever is asked of it. */
  #pop(count: number): void {
    this.#top = Math.max(this.#top - count, this.#height);
  }

  #instruction(): void {
    const reader = this.#reader;
    const opcode = reader.byte();
    switch (opcode) {
      case 0x20: {
        const local = bounded(reader, this.#locals.count, 'local');
        return this.#push(this.#locals.symbol(local), this.#locals.offset(local));
      }
      case 0x21:
      case 0x22:
        return this.#setLocal(opcode === 0x22);
      case 0x41:
        return this.#push(CONSTANT, reader.s32());
      case 0x6a:
      case 0x6b:
        return this.#addition(opcode === 0x6b);
      case 0x6c:
      case 0x74:
        return this.#multiplication(opcode === 0x74);
      case 0x46:
      case 0x47:
      case 0x48:
      case 0x49:
      case 0x4e:
      case 0x4f:
        return this.#compare(opcode);
      case 0x23:
        this.#lastGlobal = reader.u32();
        this.#lastGlobalSymbol = this.#locals.fresh();
        return this.#push(this.#lastGlobalSymbol, 0);
      case 0x24:
        return this.#setGlobal();
    }
    if (opcode >= 0x28 && opcode <= 0x3e) return this.#access(op.ACCESS[opcode]!);
    const immediate = op.IMMEDIATE[opcode]!;
    if (immediate === op.IMM_NONE && EFFECT[opcode] !== 0) return this.#effect(EFFECT[opcode]!);
    this.#other(opcode, immediate);
  }

  #effect(effect: number): void {
    const top = Math.max(this.#top - effectTakes(effect), this.#height);
    this.#top = top;
    if (effectGives(effect) === 0) return;
    this.#symbols[top] = this.#locals.nextSymbol++;
    this.#offsets[top] = 0;
    this.#top = top + 1;
  }

  #setLocal(tee: boolean): void {
    const local = bounded(this.#reader, this.#locals.count, 'local');
    const known = this.#top > this.#height;
    const symbol = known ? this.#symbols[this.#top - 1]! : this.#locals.fresh();
    const offset = known ? this.#offsets[this.#top - 1]! : 0;
    this.#locals.set(local, symbol, offset, ++this.#facts.clock);
    if (tee && !known) this.#push(symbol, offset);
    else if (!tee && known) this.#top--;
  }

  #addition(subtract: boolean): void {
    const top = this.#top;
    if (top < this.#height + 2) {
      this.#pop(2);
      return this.#pushFresh(1);
    }
    const left = this.#symbols[top - 2]!;
    const right = this.#symbols[top - 1]!;
    const offset = this.#offsets[top - 1]!;
    this.#top = top - 1;
    if (right === CONSTANT) {
      const sum = this.#offsets[top - 2]! + (subtract ? -offset : offset);
      this.#offsets[top - 2] = sum | 0;
    } else if (left === CONSTANT && !subtract) {
      this.#offsets[top - 2] = (this.#offsets[top - 2]! + offset) | 0;
      this.#symbols[top - 2] = right;
    } else if (!subtract) {
      this.#symbols[top - 2] = this.#locals.sum(left, right);
      this.#offsets[top - 2] = (this.#offsets[top - 2]! + offset) | 0;
    } else {
      this.#symbols[top - 2] = this.#locals.fresh();
      this.#offsets[top - 2] = 0;
    }
  }

  /** i32.mul, or i32.shl, by a constant. */
  #multiplication(shift: boolean): void {
    const top = this.#top - 1;
    const height = this.#height;
    if (top <= height || this.#symbols[top] !== CONSTANT || this.#symbols[top - 1] === CONSTANT) {
      return this.#effect(EFFECT[0x6c]!);
    }
    this.#top = top;
    const constant = this.#offsets[top]!;
    const scale = shift ? 1 << (constant & 31) : constant;
    this.#symbols[top - 1] = this.#locals.product(this.#symbols[top - 1]!, scale);
    this.#offsets[top - 1] = Math.imul(this.#offsets[top - 1]!, scale);
  }

  /** i32.eq, i32.ne, i32.lt_s, i32.lt_u, i32.ge_s, i32.ge_u. */
  #compare(opcode: number): void {
    const top = this.#top;
    if (top >= this.#height + 2 && this.#symbols[top - 1] === CONSTANT) {
      this.#comparison = {
        result: this.#locals.nextSymbol,
        symbol: this.#symbols[top - 2]!,
        offset: this.#offsets[top - 2]!,
        bound: this.#offsets[top - 1]!,
        orders: opcode > 0x47,
        negated: opcode === 0x46 || opcode > 0x49,
      };
    }
    this.#effect(EFFECT[0x46]!);
  }

  /** `sp = sp - n` on a global marks the symbol of the old sp: [-n, 0) around it is this function's stack frame. */
  #setGlobal(): void {
    const global = this.#reader.u32();
    const offset = this.#offsets[this.#top - 1]!;
    if (
      this.#top > 0 &&
      global === this.#lastGlobal &&
      this.#symbols[this.#top - 1] === this.#lastGlobalSymbol &&
      offset < 0 &&
      offset >= -FRAME_BYTES_MAX
    ) {
      this.#frameSymbol = this.#lastGlobalSymbol;
      this.#frameLow = offset;
    }
    this.#pop(1);
  }

  #access(access: number): void {
    const reader = this.#reader;
    reader.u32();
    const offset = reader.u32();
    const kind = op.accessKind(access);
    if (kind === op.LANE_LOAD || kind === op.LANE_STORE) reader.byte();
    if (this.#pages) this.#touch(this.#pages, access, offset);
    switch (kind) {
      case op.LOAD:
      case op.ATOMIC_LOAD:
        return this.#effect(EFFECT[0x28]!);
      case op.LANE_LOAD:
      case op.NOTIFY:
        return this.#effect(EFFECT[0x6a]!);
      case op.WAIT:
        return this.#effect(EFFECT[0x1b]!);
    }
    const operands = kind === op.CMPXCHG ? 3 : 2;
    const known = this.#top >= this.#height + operands && !this.#dead;
    const at = this.#top - operands;
    const store = this.#pages ? -1 : this.#stores++;
    const ea = known ? this.#offsets[at]! + offset : Infinity;
    if (ea < 0x7fffffff) this.#store(store, this.#symbols[at]!, ea, op.accessWidth(access));
    this.#pop(operands);
    if (kind === op.RMW || kind === op.CMPXCHG) this.#pushFresh(1);
  }

  /** A plain load or store; accesses of other kinds are numbered only. */
  #touch(pages: Pages, access: number, offset: number): void {
    const number = this.#stores++;
    const kind = op.accessKind(access);
    const stores = kind === op.STORE || kind === op.LANE_STORE;
    if (!stores && kind !== op.LOAD && kind !== op.LANE_LOAD) return;
    const at = this.#top - (kind === op.LOAD ? 1 : 2);
    if (at < this.#height || this.#dead || offset > OFFSET_MAX) return;
    const width = op.accessWidth(access);
    const base = (this.#offsets[at]! + offset) | 0;
    pages.touch(this.plan, number, this.#symbols[at]!, base, width, stores, ++this.#facts.clock);
  }

  #write(store: number, symbol: number, base: number, high: number): void {
    if (this.#pages) return;
    const facts = this.#facts;
    if (symbol === this.#frameSymbol && base >= this.#frameLow && high <= 0) {
      facts.write(this.plan, store, symbol, base, high, this.#frameLow, 0);
    } else facts.write(this.plan, store, symbol, base, high);
  }

  #store(store: number, symbol: number, base: number, width: number): void {
    this.#write(store, symbol, base, base + width);
    const loop = this.#loops[this.#loops.length - 1];
    if (!loop || !loop.clean || !loop.prefix || loop.conditional > 0) return;
    if (this.plan.check[store] === CHECK_NONE) return;
    const terms = symbol === CONSTANT ? [] : this.#locals.terms(symbol);
    if (!terms) return;
    const none = { least: Infinity, most: -Infinity, jumps: false };
    loop.candidates.push({ store, terms, base, width, ...none });
  }

  #kill(): void {
    this.#facts.kill();
    const loop = this.#loops[this.#loops.length - 1];
    if (loop) loop.clean = loop.prefix = false;
  }

  #other(opcode: number, immediate: number): void {
    const reader = this.#reader;
    switch (immediate) {
      case op.IMM_BLOCK:
        return this.#block(opcode);
      case op.IMM_ELSE:
        return this.#else();
      case op.IMM_END:
        return this.#end();
      case op.IMM_CALL:
        if (opcode === 0xd2) {
          reader.u32();
          return this.#pushFresh(1);
        }
        return this.#callDirect(bounded(reader, this.#map.functions.length, 'function'));
      case op.IMM_CALL_INDIRECT: {
        const type = bounded(reader, this.#map.types.length, 'type');
        reader.u32();
        this.#pop(1);
        this.#call(type);
        return this.#kill();
      }
      case op.IMM_PREFIX:
        return this.#prefixed(opcode);
      case op.IMM_MEMORY:
        reader.byte();
        if (opcode === 0x40) this.#kill();
        break;
      case op.IMM_I64:
        reader.skipS64();
        break;
      case op.IMM_F32:
        reader.skip(4);
        break;
      case op.IMM_F64:
        reader.skip(8);
        break;
      case op.IMM_SELECT:
        reader.skip(reader.count());
        break;
      case op.IMM_REF_NULL:
        reader.byte();
        break;
      default:
        return this.#branches(opcode);
    }
    this.#effect(EFFECT[opcode]!);
  }

  #branches(opcode: number): void {
    const reader = this.#reader;
    switch (opcode) {
      case 0x0c:
        this.#branch(reader.u32());
        return this.#unreachable();
      case 0x0d: {
        const depth = reader.u32();
        if (!this.#dead && this.#top > this.#height) this.#countTrips(depth);
        this.#pop(1);
        this.#branch(depth);
        this.#endPrefix();
        return;
      }
      case 0x0e: {
        this.#pop(1);
        for (let left = reader.count() + 1; left > 0; left--) this.#branch(reader.u32());
        return this.#unreachable();
      }
      case 0x00:
      case 0x0f:
        return this.#unreachable();
      case 0x25:
      case 0x26:
        reader.u32();
        return this.#effect(EFFECT[opcode]!);
      default:
        this.#effect(EFFECT[0x01]!); // the emitting pass refuses it
    }
  }

  #call(type: number): void {
    const { params, results } = this.#map.types[type]!;
    this.#pop(params.length);
    this.#pushFresh(results.length);
  }

  #callDirect(index: number): void {
    this.#call(this.#map.functions[index]!);
    if (this.#quiet[index] === 0) return this.#kill();
    // It may trap: what follows does not run for certain. And a loop that holds a call is no place for head checks.
    this.#endPrefix();
    const loop = this.#loops[this.#loops.length - 1];
    if (loop) loop.clean = false;
  }

  #prefixed(opcode: number): void {
    const reader = this.#reader;
    const sub = reader.u32();
    if (opcode === 0xfd) {
      const access = op.SIMD_ACCESS[sub & 255]!;
      if (access !== 0) return this.#access(access);
      reader.skip(op.simdImmediateBytes(sub));
      return this.#effect(SIMD_EFFECT[sub & 255]!);
    }
    if (opcode === 0xfe) {
      if (sub === 3) reader.byte();
      else this.#access(op.ATOMIC_ACCESS[sub & 255]!);
      return;
    }
    if (sub >= 8 && sub <= 17) {
      reader.u32();
      if (sub === 8 || sub === 10 || sub === 12 || sub === 14) reader.u32();
    }
    if (sub === 8 || sub === 10 || sub === 11) return this.#bulk();
    const effect = MISC_EFFECT[sub & 31]!;
    if (effect !== 0) this.#effect(effect);
  }

  /** memory.init, memory.copy, memory.fill: a short one of constant length is a write like a store's. */
  #bulk(): void {
    if (this.#pages) return this.#pop(3);
    const store = this.#stores++;
    const at = this.#top - 3;
    const known = at >= this.#height && !this.#dead;
    const bytes = known && this.#symbols[at + 2] === CONSTANT ? this.#offsets[at + 2]! : 0;
    if (bytes > 0 && bytes <= SHORT_BULK_MAX) {
      const symbol = this.#symbols[at]!;
      const base = this.#offsets[at]!;
      this.#write(store, symbol, base, base + bytes);
      this.plan.bulk[store] = bytes;
    } else this.#kill();
    this.#pop(3);
  }

  #endPrefix(): void {
    this.#facts.region++;
    const loop = this.#loops[this.#loops.length - 1];
    if (loop) loop.prefix = false;
  }

  #unreachable(): void {
    this.#endPrefix();
    this.#dead = true;
    this.#top = this.#height;
  }

  /** At a br_if whose condition lies on top of the stack: is it what ends a loop that counts? */
  #countTrips(depth: number): void {
    const loop = this.#loops[this.#loops.length - 1];
    if (!loop || loop.counter) return;
    const target = this.#depth - 1 - depth;
    const goesOn = this.#frames[target] === loop;
    const leaves = loop.prefix && loop.conditional === 0 && this.#frames.indexOf(loop) > target;
    if (!goesOn && !leaves) return;
    const condition = this.#symbols[this.#top - 1]!;
    const offset = this.#offsets[this.#top - 1]!;
    const comparison =
      this.#comparison?.result === condition
        ? this.#comparison
        : { symbol: condition, offset, bound: 0, orders: false, negated: false };
    const local = comparison.symbol - loop.floorSymbol;
    if (comparison.negated === goesOn || local < 0 || local >= this.#locals.count) return;
    loop.counter = { local, ...comparison };
  }

  /** At a back edge of a loop that counts: how often it runs, if this is the only one. */
  #noteTrips(frame: Frame): void {
    frame.backEdges++;
    const { counter } = frame;
    const locals = this.#locals;
    if (!counter || locals.symbol(counter.local) !== frame.floorSymbol + counter.local) return;
    this.#work -= locals.logLength - frame.logStart;
    const first = locals.constantAt(frame.logStart, frame.floorSerial, counter.local);
    if (first !== undefined) frame.trips = tripsOf(counter, first, locals.offset(counter.local));
  }

  #branch(depth: number): void {
    if (this.#dead) return;
    const frame = this.#frames[this.#depth - 1 - depth];
    if (!frame) return;
    if (frame.kind === LOOP) {
      this.#noteTrips(frame);
      return noteSteps(frame, this.#locals);
    }
    const { clock, killed } = this.#facts;
    if (!frame.branched) {
      frame.branched = true;
      frame.branchLog = this.#locals.logLength;
    }
    frame.keep = Math.min(frame.keep, clock + 1);
    frame.branchKilled = Math.max(frame.branchKilled, killed);
  }

  #block(opcode: number): void {
    const reader = this.#reader;
    const first = reader.bytes[reader.pos]!;
    let params = 0;
    let results = 0;
    if (first === op.VOID) reader.pos++;
    else if (first > op.VOID && first < 0x80) {
      reader.pos++;
      results = 1;
    } else {
      const type = this.#map.types[bounded(reader, this.#map.types.length, 'type')]!;
      params = type.params.length;
      results = type.results.length;
    }
    if (opcode === 0x04) {
      this.#pop(1);
      this.#facts.region++;
    }
    this.#pop(params);
    this.#enter(opcode === 0x02 ? BLOCK : opcode === 0x03 ? LOOP : IF, params, results);
    this.#pushFresh(params);
  }

  #enter(kind: number, params: number, results: number): void {
    const facts = this.#facts;
    const locals = this.#locals;
    const frame = (this.#frames[this.#depth++] ??= new Frame());
    frame.kind = kind;
    frame.height = this.#height = this.#top;
    frame.params = params;
    frame.results = results;
    frame.dead = this.#dead;
    frame.keep = Infinity;
    frame.branchKilled = 0;
    frame.branched = false;
    frame.logStart = locals.logLength;
    if (kind === IF) {
      const loop = this.#loops[this.#loops.length - 1];
      if (loop) loop.conditional++;
    } else if (kind === LOOP) {
      const outer = this.#loops[this.#loops.length - 1];
      if (outer) outer.clean = outer.prefix = false;
      frame.loop = this.#loopCount++;
      this.#carry(frame, outer);
      frame.start = this.#reader.pos;
      frame.clean = frame.prefix = params === 0;
      frame.conditional = 0;
      frame.floorSerial = locals.floorSerial;
      frame.floorSymbol = locals.floorSymbol;
      frame.candidates = [];
      frame.backEdges = 0;
      frame.trips = Infinity;
      frame.counter = undefined;
      const homes = this.#pages && this.#homes(frame.loop);
      locals.raiseFloor(++facts.clock);
      const outerFloor = frame.floorSymbol;
      frame.floorSymbol = locals.floorSymbol;
      frame.outerFloor = outerFloor;
      for (const { terms, low, high } of frame.carried) {
        if (terms.length === 0) continue;
        frame.kept.add(facts.assume(frame.floorSymbol + terms[0]!.local, low, high));
      }
      this.#loops.push(frame);
      if (homes) this.#enterPages(homes);
    }
    frame.entryClock = ++facts.clock;
    frame.entryKilled = facts.killed;
  }

  /**
   * At a loop's head: decides which facts live on in it. What a quiet loop carries, the loops within it carry
   * too, for it has to be true again when the next iteration begins.
   */
  #carry(frame: Frame, outer: Frame | undefined): void {
    const facts = this.#facts;
    frame.quiet = this.#bodyLoops.quiet(frame.loop);
    frame.carried = outer?.quiet ? [...outer.carried] : [];
    frame.kept = new Set(outer?.quiet ? outer.kept : undefined);
    if (!frame.quiet) return facts.kill();
    facts.region++;
    const { carried, kept } = frame;
    let homes: Map<number, number> | undefined;
    facts.filter((serial, symbol, low, high) => {
      if (kept.has(serial)) return true;
      if (carried.length === CARRIED_MAX) return false;
      if (symbol === CONSTANT) carried.push({ terms: [], low, high, kind: HEAD_ONCE });
      else {
        const local = (homes ??= this.#unassigned(frame.loop)).get(symbol);
        if (local === undefined) return false;
        const offset = this.#locals.offset(local);
        const terms = [{ local, scale: 1 }];
        carried.push({ terms, low: low - offset, high: high - offset, kind: HEAD_ONCE });
      }
      kept.add(serial);
      return true;
    });
  }

  /** What the locals that the loop does not assign hold. */
  #homes(loop: number): Home[] {
    const locals = this.#locals;
    this.#markAssigned(loop);
    const homes: Home[] = [];
    for (let local = 0; local < locals.count; local++) {
      if (this.#assignedIn[local] === loop) continue;
      homes.push({ local, symbol: locals.symbol(local), offset: locals.offset(local) });
    }
    return homes;
  }

  /** At a loop's head: locals that it does not assign keep their symbols, and groups around those go on. */
  #enterPages(homes: readonly Home[]): void {
    const facts = this.#facts;
    const symbols = new Set<number>();
    for (const { local, symbol, offset } of homes) {
      symbols.add(symbol);
      this.#locals.hold(local, symbol, offset, ++facts.clock);
    }
    this.#pages!.enterLoop(++facts.clock, (symbol) => symbols.has(symbol));
  }

  /** The locals that the loop does not assign, by the symbols that they hold. */
  #unassigned(loop: number): Map<number, number> {
    const homes = new Map<number, number>();
    this.#markAssigned(loop);
    const { count } = this.#locals;
    for (let local = 0; local < count; local++) {
      if (this.#assignedIn[local] !== loop) homes.set(this.#locals.symbol(local), local);
    }
    return homes;
  }

  #markAssigned(loop: number): void {
    const loops = this.#bodyLoops;
    const assignments = loops.assignments(loop);
    for (let i = 0; i < assignments; i++) this.#assignedIn[loops.assigned(loop, i)] = loop;
    this.#work -= assignments + this.#locals.count;
  }

  #else(): void {
    const frame = this.#frames[this.#depth - 1]!;
    const facts = this.#facts;
    if (frame.kind !== IF) return;
    // The end of the first arm is a branch to the end of the if.
    this.#branch(0);
    facts.keepOlder(frame.entryClock);
    this.#pages?.keepOlder(frame.entryClock);
    facts.killed = frame.entryKilled;
    facts.region++;
    this.#work -= this.#locals.logLength - frame.logStart;
    this.#locals.restore(frame.logStart);
    frame.kind = ELSE;
    this.#dead = frame.dead;
    this.#top = frame.height;
    this.#pushFresh(frame.params);
  }

  #end(): void {
    const frame = this.#frames[--this.#depth]!;
    const facts = this.#facts;
    const locals = this.#locals;
    if (frame.kind === LOOP) this.#endLoop(frame);
    else {
      if (frame.kind === IF) {
        // Without an else, the condition itself is a branch to the end, from before the arm.
        frame.keep = Math.min(frame.keep, frame.entryClock);
        frame.branchKilled = Math.max(frame.branchKilled, frame.entryKilled);
        frame.branched = !frame.dead;
      }
      const conditional = frame.kind !== BLOCK;
      if (conditional || frame.branched) {
        const from = conditional ? frame.logStart : frame.branchLog;
        this.#work -= locals.logLength - from;
        locals.blur(from, ++facts.clock);
        facts.region++;
      }
      if (frame.branched) {
        facts.keepOlder(frame.keep);
        this.#pages?.keepOlder(frame.keep);
        facts.killed = this.#dead ? frame.branchKilled : Math.max(facts.killed, frame.branchKilled);
      }
      if (conditional) {
        const loop = this.#loops[this.#loops.length - 1];
        if (loop) loop.conditional--;
      }
      this.#dead = frame.dead || (this.#dead && !frame.branched);
    }
    this.#top = frame.height;
    this.#height = this.#depth > 0 ? this.#frames[this.#depth - 1]!.height : 0;
    this.#pushFresh(frame.results);
  }

  #endLoop(frame: Frame): void {
    const locals = this.#locals;
    this.#loops.pop();
    this.#pages?.leaveLoop();
    const { carried } = frame;
    if (carried.length > 0) {
      this.plan.loops[frame.loop] = { heads: [], carried, pollAtWindow: false, short: false };
    }
    locals.floorSerial = frame.floorSerial;
    locals.floorSymbol = frame.outerFloor;
    this.#facts.region++;
    if (!frame.clean || frame.dead) return;
    const stays = (local: number): boolean => !this.#bodyLoops.assigns(frame.loop, local);
    planHeads(this.plan, frame, this.#reader.pos, locals, stays);
  }
}
