// What a function costs an engine to compile, as far as that grows faster than its code.
//
// At every branch, block's begin and block's end a compiler records each value that is live: locals and
// operands. V8's baseline compiler takes 13 bytes for each (measured on 11.3: 26 bytes for an `if` and
// its `end`), its optimizing compiler up to 10; a call takes some 600 for each of its parameters and
// results. So a few kilobytes of code with 50,000 locals take gigabytes.
//
//   units = sum over branches, targets of br_table, begins and ends of blocks: locals + operands there,
//           and once more for each loop that is left
//         + sum over calls: CALL_UNITS x (parameters + results)
//
// SQLite's largest function, the interpreter of its statements, has 0.2 million units and 64 locals;
// all of SQLite has 3 million.
//
// Interface   excessiveTypes() and excessive() say why a module is refused; functionCosts() returns the
//             figures.
// Invariants  BOUND-4  What an engine keeps at branches is bounded for each function and for the module.
// Cost        One pass over the code, as for finding what is reachable (reach.ts).

import { bodiesOf, type BodyBytes, Decoder } from './decoder.ts';
import { ACCESS, EFFECT, effectGives, effectTakes } from './instructions.ts';
import type { FunctionType, ModuleMap } from './module.ts';
import { OP } from './opcode.ts';

const CALL_UNITS = 32;
const LOCALS_MAX = 5000;
const SIGNATURE_MAX = 50;
/** Engines compare each type with the earlier ones: 20,000 take 3 s, 100,000 more than a minute. */
const TYPES_MAX = 2000;
/** Nested loops: 10,000 keep an optimizing compiler busy for 10 s, 43,000 for more than a minute. */
const LOOPS_MAX = 1000;
/** For the whole module, which bounds the time: 10 to 20 ns for each unit. */
const UNITS_PER_BYTE = 64;
const TOTAL_MIN = 16_000_000;

/** What translation adds to the code, as branches. */
interface Added {
  /** For each memory access: a check of its page. */
  readonly access: number;
  /** At the head of each loop, and of the function. */
  readonly loop: number;
}

/**
 * Bounds for metered images: 30 MB and 50 ms in the baseline compiler, five times that in the
 * optimizing one.
 */
export const METERED: Bound = {
  access: 0,
  loop: 2,
  units: 2_000_000,
  bytes: 131_072,
  globals: 10_000,
};
/** Bounds for images for a VM: their checks and polls are branches, and whole programs are loaded. */
export const TRANSLATED: Bound = {
  access: 2,
  loop: 4,
  units: 8_000_000,
  bytes: 524_288,
  globals: 50_000,
};

export interface Bound extends Added {
  /** The most that one function may have. */
  readonly units: number;
  /**
   * Bytes of code: an optimizing compiler takes up to 800 bytes for each, at worst for calls through
   * tables.
   */
  readonly bytes: number;
  /** Globals of the module; an engine takes 650 bytes for each. */
  readonly globals: number;
}

interface FunctionCost {
  readonly locals: number;
  readonly units: number;
  readonly bytes: number;
  /** The deepest nesting of loops. */
  readonly loops: number;
}

interface Open {
  /** Of the operand stack, without the block's parameters. */
  readonly height: number;
  readonly params: number;
  readonly results: number;
  /** Loops that are open here, this block included, and whether exceptions may be caught. */
  readonly loops: number;
  readonly catches: boolean;
}

/**
 * Types that an untrusted module may not have: even validation takes an engine 30 bytes for each
 * parameter of each block. To be called before the module is validated.
 */
export function excessiveTypes(map: ModuleMap): string | undefined {
  if (map.types.length > TYPES_MAX)
    return `has ${map.types.length} function types; ${TYPES_MAX} at most`;
  let longest = 0;
  for (const { params, results } of map.types)
    longest = Math.max(longest, params.length + results.length);
  if (longest <= SIGNATURE_MAX) return undefined;
  return `has a function type of ${longest} parameters and results; ${SIGNATURE_MAX} at most`;
}

/** Which bound the functions of the module exceed; undefined = none. The module must be valid. */
export function excessive(map: ModuleMap, bound: Bound): string | undefined {
  const { length: globals } = map.globals;
  if (globals > bound.globals) return `has ${globals} globals; ${bound.globals} at most`;
  let total = 0;
  for (const [i, { locals, units, bytes, loops }] of functionCosts(map, bound).entries()) {
    const which = `function ${map.importedFunctions + i}`;
    if (locals > LOCALS_MAX) return `has ${locals} locals in ${which}; ${LOCALS_MAX} at most`;
    if (bytes > bound.bytes)
      return `has ${bytes} bytes of code in ${which}; ${bound.bytes} at most`;
    if (units > bound.units)
      return `takes too much memory to compile: ${which} has ${locals} locals, and branches that keep ${units} values; ${bound.units} at most`;
    if (loops > LOOPS_MAX)
      return `has ${loops} loops within each other in ${which}; ${LOOPS_MAX} at most`;
    total += units;
  }
  const most = Math.max(TOTAL_MIN, UNITS_PER_BYTE * map.bytes.length);
  if (total <= most) return undefined;
  return `takes too long to compile: its functions keep ${total} values at their branches; ${most} at most for ${map.bytes.length} bytes`;
}

/** Of each function that the module defines, in order. The module must be valid. */
function functionCosts(map: ModuleMap, added: Added): FunctionCost[] {
  const counter = new Counter(map, added);
  return bodiesOf(map).map((body, i) => counter.run(map.typeOf(map.importedFunctions + i), body));
}

class Counter {
  readonly #map: ModuleMap;
  readonly #added: Added;
  readonly #decoder: Decoder;
  readonly #open: Open[] = [];
  #locals = 0;
  #height = 0;
  #units = 0;
  #loops = 0;

  constructor(map: ModuleMap, added: Added) {
    this.#map = map;
    this.#added = added;
    this.#decoder = new Decoder(map);
  }

  run({ results }: FunctionType, body: BodyBytes): FunctionCost {
    const decoder = this.#decoder;
    decoder.begin(body);
    this.#locals = body.locals;
    this.#height = this.#units = this.#loops = 0;
    this.#open.push({ height: 0, params: 0, results: results.length, loops: 0, catches: false });
    this.#branches(this.#added.loop);
    do {
      decoder.next();
      const { code } = decoder;
      const effect = EFFECT[code]!;
      if (effect === 0) this.#control(decoder, code);
      else this.#stack(effectTakes(effect), effectGives(effect));
      if (ACCESS[code] !== 0 || isMemoryBulk(code)) this.#branches(this.#added.access);
    } while (decoder.depth > 0);
    return {
      locals: this.#locals,
      units: this.#units,
      bytes: body.end - body.start,
      loops: this.#loops,
    };
  }

  #branches(count: number): void {
    this.#units += count * (this.#locals + this.#height);
  }

  /** Takes and leaves operands. In code that is never reached there are only the block's own. */
  #stack(takes: number, gives: number): void {
    const base = this.#open[this.#open.length - 1]!.height;
    this.#height = Math.max(base, this.#height - takes) + gives;
  }

  #control(decoder: Decoder, code: number): void {
    const { a, b } = decoder;
    switch (code) {
      case OP.block:
      case OP.loop:
      case OP.if:
      case OP.try:
        return this.#begin(code, a, b);
      case OP.tryTable:
        for (let left = decoder.labels[a]!; left > 0; left--) this.#branches(1);
        return this.#begin(code, b & 0xffff, b >>> 16);
      case OP.catch:
      case OP.catchAll:
        return this.#handler(code === OP.catch ? this.#map.tags[a]! : undefined);
      case OP.else: {
        this.#branches(1);
        const { height, params } = this.#open[this.#open.length - 1]!;
        this.#height = height + params;
        return;
      }
      case OP.end:
      case OP.delegate: {
        this.#exit(0);
        const { height, results } = this.#open.pop()!;
        this.#height = height + results;
        return;
      }
      case OP.call:
        return this.#call(this.#map.typeOf(a));
      case OP.callIndirect:
      case OP.callRef:
        this.#stack(1, 0);
        return this.#call(this.#map.types[a]!);
      case OP.returnCall:
        this.#call(this.#map.typeOf(a));
        return this.#leave(decoder, code);
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        this.#call(this.#map.types[a]!);
        return this.#leave(decoder, code);
      case OP.brOnNull:
      case OP.brOnNonNull:
        this.#stack(1, 0);
        this.#exit(a);
        return this.#stack(0, code === OP.brOnNull ? 1 : 0);
      default:
        return this.#leave(decoder, code);
    }
  }

  /** A handler begins; the exception of the tag leaves values. */
  #handler(type: number | undefined): void {
    this.#branches(1);
    const values = type === undefined ? 0 : this.#map.types[type]!.params.length;
    this.#height = this.#open[this.#open.length - 1]!.height + values;
  }

  #leave({ a, b, labels }: Decoder, code: number): void {
    if (code === OP.brTable) {
      for (let i = 0; i < b; i++) this.#exit(labels[a + i]!);
    } else if (code === OP.br || code === OP.brIf) {
      this.#stack(code === OP.brIf ? 1 : 0, 0);
      this.#exit(a);
    } else if (code === OP.return) this.#exit(this.#open.length - 1);
    if (code !== OP.brIf) this.#height = this.#open[this.#open.length - 1]!.height;
  }

  /** A branch to a label, or past the end of the innermost block; it may leave loops. */
  #exit(label: number): void {
    const { length } = this.#open;
    const outside = this.#open[length - 2 - label]?.loops ?? 0;
    this.#branches(1 + this.#open[length - 1]!.loops - outside);
  }

  #begin(code: number, params: number, results: number): void {
    if (code === OP.if) this.#stack(1, 0);
    this.#branches(1 + (code === OP.loop ? this.#added.loop : 0));
    this.#stack(params, 0);
    const loops = this.#open[this.#open.length - 1]!.loops + (code === OP.loop ? 1 : 0);
    this.#loops = Math.max(this.#loops, loops);
    const catches =
      code === OP.try || code === OP.tryTable || this.#open[this.#open.length - 1]!.catches;
    this.#open.push({ height: this.#height, params, results, loops, catches });
    this.#height += params;
  }

  #call({ params, results }: FunctionType): void {
    this.#units += CALL_UNITS * (params.length + results.length);
    // A call that may throw is a branch to a handler.
    if (this.#open[this.#open.length - 1]!.catches) this.#branches(1);
    this.#stack(params.length, results.length);
  }
}

const isMemoryBulk = (code: number): boolean => code >= OP.memoryInit && code <= OP.memoryFill;
