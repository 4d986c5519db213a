// What a function costs an engine to compile, as far as that grows faster than its code.
//
// At every branch, block's begin and block's end a compiler keeps what each value is that lives there: locals and operands. V8's
// baseline compiler takes 13 bytes for each of them (measured on 11.3: 26 bytes for an `if` and its `end`), its optimizing compiler up
// to 10; a call takes some 600 for each parameter and result that it has. So a few kilobytes of code with 50,000 locals take gigabytes.
//
//   units = sum over branches, targets of br_table, begins and ends of blocks: locals + operands there, and once more for
//           each loop that is left
//         + sum over calls: CALL_UNITS x (parameters + results)
//
// The largest function of SQLite, the interpreter of its statements, has 0.2 million units and 64 locals, all of SQLite 3 million.
//
// Interface   excessiveTypes() and excessive() say why a module is not let in; functionCosts() has the figures.
// Cost        one pass over the code, as for finding what is reachable (reach.ts).

import { EFFECT, effectGives, effectTakes, MISC_EFFECT, SIMD_EFFECT } from './effect.ts';
import type { FunctionType, ModuleMap } from './module.ts';
import {
  ATOMIC_ACCESS,
  ATOMIC_LOAD,
  ATOMIC_STORE,
  accessKind,
  CMPXCHG,
  IMM_ACCESS,
  IMM_PREFIX,
  IMM_REFUSED,
  IMMEDIATE,
  LANE_LOAD,
  LANE_STORE,
  LOAD,
  NOTIFY,
  RMW,
  SIMD_ACCESS,
  STORE,
  VOID,
  WAIT,
} from './opcode.ts';
import type { Reader } from './reader.ts';
import { refuseOpcode } from './refuse.ts';
import { bodiesOf, skipImmediate, skipPrefixed } from './skip.ts';

const CALL_UNITS = 32;
const LOCALS_MAX = 5000;
const SIGNATURE_MAX = 50;
/** An engine looks for each type among those before it: 20,000 take 3 s, 100,000 more than a minute. */
const TYPES_MAX = 2000;
/** Loops within loops: 10,000 keep an optimizing compiler busy for 10 s, 43,000 for more than a minute. */
const LOOPS_MAX = 1000;
/** Of all together, which is time: 10 to 20 ns for each. */
const UNITS_PER_BYTE = 64;
const TOTAL_MIN = 16_000_000;
const [BLOCK, LOOP, IF, ELSE, END] = [0x02, 0x03, 0x04, 0x05, 0x0b];
const [UNREACHABLE, BR, BR_IF, BR_TABLE, RETURN] = [0x00, 0x0c, 0x0d, 0x0e, 0x0f];
const [CALL, CALL_INDIRECT] = [0x10, 0x11];

/** What translation adds to the code, as branches. */
export interface Added {
  /** For each memory access: a check of its page. */
  readonly access: number;
  /** At the head of each loop, and of the function. */
  readonly loop: number;
}

/** What a function of a metered image may take: 30 MB and 50 ms in the baseline compiler, five times that in the other. */
export const METERED: Bound = {
  access: 0,
  loop: 2,
  units: 2_000_000,
  bytes: 131_072,
  globals: 10_000,
};
/** Images for a VM: their checks and polls are branches, and whole programs are loaded. */
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
  /** Its code: an optimizing compiler takes up to 800 bytes for each byte, calls through tables at worst. */
  readonly bytes: number;
  /** Globals that the module may have; each takes an engine 650 bytes. */
  readonly globals: number;
}

export interface FunctionCost {
  readonly locals: number;
  readonly units: number;
  readonly bytes: number;
  /** The most loops within each other. */
  readonly loops: number;
}

interface Open {
  readonly height: number;
  readonly type: FunctionType;
  /** Loops that are open here, this block included. */
  readonly loops: number;
}

const NOTHING: FunctionType = { params: new Uint8Array(), results: new Uint8Array() };
const ONE: FunctionType = { params: new Uint8Array(), results: new Uint8Array(1) };

/**
 * Types that a module from strangers may not have: even to validate blocks of many parameters takes an engine 30 bytes for each
 * of them. Asked before the module is known to be valid.
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

/** What is out of proportion in such a module's functions; undefined = nothing. The module must be valid. */
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
      return `takes too much memory to compile: ${which} has ${locals} locals and so many branches that ${units} values are kept at them; ${bound.units} at most`; // prettier-ignore
    if (loops > LOOPS_MAX)
      return `has ${loops} loops within each other in ${which}; ${LOOPS_MAX} at most`;
    total += units;
  }
  const most = Math.max(TOTAL_MIN, UNITS_PER_BYTE * map.bytes.length);
  if (total <= most) return undefined;
  return `takes too long to compile: its functions keep ${total} values at their branches; ${most} at most for ${map.bytes.length} bytes`; // prettier-ignore
}

/** Of each function that the module defines, in order. The module must be valid. */
export function functionCosts(map: ModuleMap, added: Added): FunctionCost[] {
  const counter = new Counter(map, added);
  return bodiesOf(map).map(({ code, locals }, i) =>
    counter.run(map.typeOf(map.importedFunctions + i), locals, code),
  );
}

class Counter {
  readonly #map: ModuleMap;
  readonly #added: Added;
  readonly #open: Open[] = [];
  #locals = 0;
  #height = 0;
  #units = 0;
  #loops = 0;

  constructor(map: ModuleMap, added: Added) {
    this.#map = map;
    this.#added = added;
  }

  run({ params, results }: FunctionType, declared: number, code: Reader): FunctionCost {
    this.#locals = params.length + declared;
    this.#height = this.#units = this.#loops = 0;
    this.#open.push({ height: 0, type: { params: NOTHING.params, results }, loops: 0 });
    this.#branches(this.#added.loop);
    const start = code.pos;
    while (this.#open.length > 0) {
      const at = code.pos;
      const opcode = code.byte();
      const immediate = IMMEDIATE[opcode]!;
      if (immediate === IMM_REFUSED) throw refuseOpcode(opcode, at);
      if (immediate === IMM_PREFIX) this.#prefixed(code, opcode);
      else if (opcode <= CALL_INDIRECT) this.#control(code, opcode);
      else this.#plain(code, opcode, immediate);
    }
    return {
      locals: this.#locals,
      units: this.#units,
      bytes: code.pos - start,
      loops: this.#loops,
    };
  }

  #branches(count: number): void {
    this.#units += count * (this.#locals + this.#height);
  }

  /** Operands go and come. In code that is never reached they come out of nothing: the block's own are all there is. */
  #stack(takes: number, gives: number): void {
    const base = this.#open[this.#open.length - 1]!.height;
    this.#height = Math.max(base, this.#height - takes) + gives;
  }

  #plain(code: Reader, opcode: number, immediate: number): void {
    skipImmediate(code, immediate);
    const effect = EFFECT[opcode]!;
    if (effect !== 0) this.#stack(effectTakes(effect), effectGives(effect));
    else if (opcode === 0x20 || opcode === 0x23) this.#stack(0, 1);
    else if (opcode === 0x21 || opcode === 0x24) this.#stack(1, 0);
    else if (immediate === IMM_ACCESS) this.#stack(2, 0); // a store; local.tee takes what it gives
    if (immediate === IMM_ACCESS) this.#branches(this.#added.access);
  }

  #control(code: Reader, opcode: number): void {
    switch (opcode) {
      case BLOCK:
      case LOOP:
      case IF:
        return this.#begin(opcode, this.#blockType(code));
      case ELSE: {
        this.#branches(1);
        const { height, type } = this.#open[this.#open.length - 1]!;
        this.#height = height + type.params.length;
        return;
      }
      case END: {
        this.#exit(0);
        const { height, type } = this.#open.pop()!;
        this.#height = height + type.results.length;
        return;
      }
      case CALL:
        return this.#call(this.#map.typeOf(code.u32()));
      case CALL_INDIRECT:
        this.#stack(1, 0);
        this.#call(this.#map.types[code.u32()]!);
        code.u32();
        return;
      default:
        return this.#leave(code, opcode);
    }
  }

  #leave(code: Reader, opcode: number): void {
    if (opcode === BR_TABLE) {
      for (let left = code.count() + 1; left > 0; left--) this.#exit(code.u32());
    } else if (opcode === BR || opcode === BR_IF) {
      this.#stack(opcode === BR_IF ? 1 : 0, 0);
      this.#exit(code.u32());
    } else if (opcode === RETURN) this.#exit(this.#open.length - 1);
    const isEnd = opcode === UNREACHABLE || opcode === BR || opcode === BR_TABLE;
    if (isEnd || opcode === RETURN) this.#height = this.#open[this.#open.length - 1]!.height;
  }

  /** A branch to a label, or past the end of the innermost block: out of loops, perhaps. */
  #exit(label: number): void {
    const { length } = this.#open;
    const outside = this.#open[length - 2 - label]?.loops ?? 0;
    this.#branches(1 + this.#open[length - 1]!.loops - outside);
  }

  #begin(opcode: number, type: FunctionType): void {
    if (opcode === IF) this.#stack(1, 0);
    this.#branches(1 + (opcode === LOOP ? this.#added.loop : 0));
    this.#stack(type.params.length, 0);
    const loops = this.#open[this.#open.length - 1]!.loops + (opcode === LOOP ? 1 : 0);
    this.#loops = Math.max(this.#loops, loops);
    this.#open.push({ height: this.#height, type, loops });
    this.#height += type.params.length;
  }

  #call({ params, results }: FunctionType): void {
    this.#units += CALL_UNITS * (params.length + results.length);
    this.#stack(params.length, results.length);
  }

  #blockType(code: Reader): FunctionType {
    const first = code.bytes[code.pos]!;
    if (first >= VOID && first < 0x80) {
      code.pos++;
      return first === VOID ? NOTHING : ONE;
    }
    return this.#map.types[code.s32()]!;
  }

  #prefixed(code: Reader, opcode: number): void {
    const at = code.pos;
    const sub = code.u32();
    code.pos = at;
    skipPrefixed(code, opcode);
    if (opcode === 0xfc) {
      const effect = MISC_EFFECT[sub]!;
      this.#stack(effectTakes(effect), effectGives(effect));
      if (sub >= 8 && sub <= 11) this.#branches(this.#added.access);
      return;
    }
    if (opcode === 0xfe && sub === 3) return;
    const access = opcode === 0xfd ? SIMD_ACCESS[sub]! : ATOMIC_ACCESS[sub]!;
    if (access === 0) {
      const effect = SIMD_EFFECT[sub]!;
      return this.#stack(effectTakes(effect), effectGives(effect));
    }
    const [takes, gives] = ACCESS_EFFECT.get(accessKind(access))!;
    this.#stack(takes, gives);
    this.#branches(this.#added.access);
  }
}

/** Operands of accesses beyond the first instruction set. */
const ACCESS_EFFECT = new Map<number, readonly [takes: number, gives: number]>([
  [LOAD, [1, 1]],
  [STORE, [2, 0]],
  [LANE_LOAD, [2, 1]],
  [LANE_STORE, [2, 0]],
  [ATOMIC_LOAD, [1, 1]],
  [ATOMIC_STORE, [2, 0]],
  [RMW, [2, 1]],
  [CMPXCHG, [3, 1]],
  [WAIT, [3, 1]],
  [NOTIFY, [2, 1]],
]);
