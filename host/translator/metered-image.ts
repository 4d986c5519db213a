// The metered image: a module with its own memory that runs only as long as its fuel lasts. It knows no VM.
//
//   at a function's beginning and at the head of each loop:   if ((fuel -= cost) < 0) exhausted()
//
// `cost` is one unit, and one more for every 64 bytes of code that may run before fuel is looked at
// again, so straight code is paid for. An instruction on a range pays for the range before it begins,
// by its worst-case time: one unit for 16 bytes of memory, 16 units for an entry of a table. A long
// range of memory is processed in chunks, each paid for separately, so that the host gets a chance to
// check the clock. `exhausted` is the image's only import: it throws, or it sets `ringzero.fuel` again
// and returns.
//
//   functions   exhausted | the module's | export thunks | routines
//   globals     the module's | fuel | low
//
// Interface   The memory and the functions are exported, each function through a thunk that begins with
//             a full slice of fuel. A thunk whose only result is an i64 returns the upper half, and
//             `ringzero.low` has the lower: no BigInt is made.
// Invariants  METER-1  Between two looks at fuel a bounded amount of code runs: every loop, every call
//                      and every range is paid for before it runs. The start function is metered like
//                      any other.
//             METER-2  Neither memory nor tables grow beyond the limits, whatever the module declares.
// Cost        Four instructions and a branch that is not taken, for each iteration of a loop and each call.

import {
  elementSection,
  hintSection,
  ownGlobals,
  translateBodies,
  typeSection,
} from './assemble.ts';
import type { Body } from './body.ts';
import { Code } from './code.ts';
import { Image } from './image.ts';
import { i32s, type KernelCall } from './indices.ts';
import {
  KIND_FUNCTION,
  KIND_GLOBAL,
  KIND_MEMORY,
  MAGIC,
  type ModuleMap,
  TABLE_WITH_VALUE,
} from './module.ts';
import { writeType } from './types.ts';
import { I32, I64, OP } from './opcode.ts';
import { writePadded, Writer } from './writer.ts';

/** The most entries of a table, however it grows, and the most tables. */
export const TABLE_ENTRIES_MAX = 65536;
export const TABLES_MAX = 4;

const UNIT_SHIFT = 6; // bytes of code that one unit of fuel pays for
const MEMORY_SHIFT = 4; // bytes of memory: 2 ns when warm, 30 ns when the system has to supply the page first
const ENTRY_SHIFT = 4; // units for an entry of a table: 14 to 30 ns
const CHUNK = 2 ** 20; // bytes between two looks at fuel
const LOCAL_BYTES = 8;
const GROW_COST = 1024; // the host makes a new view of the memory
const THROW_COST = 1024; // an object with a stack trace
const FUEL = 0; // slots of Body.temp
const RANGE = 1;

/** Limits of a module. A call begins with less than 2^30 of fuel, so that an overdraft fits as well. */
export interface MeterOptions {
  /** The most memory of the module, in pages of 64 KiB. */
  readonly memoryPages: number;
  /** Fuel of a call, and of the start function. */
  readonly slice: number;
  readonly startFuel: number;
}

interface OpenLoop {
  readonly depth: number;
  /** Where the loop begins in the module, and where its cost is in the code. */
  readonly start: number;
  readonly costAt: number;
}

export class MeteredImage extends Image {
  readonly kernelCalls: readonly KernelCall[] = [['exhausted', 0, 0]];
  readonly registerName = 'ringzero.fuel';
  readonly accesses = 'none';
  readonly #options: MeterOptions;
  readonly #loops: OpenLoop[] = [];

  /** Of a module that imports nothing, and whose memory and tables are within the limits. */
  constructor(map: ModuleMap, options: MeterOptions) {
    super(map, { safepoints: true, elision: false });
    this.#options = options;
    this.index();
  }

  override globalIndex(old: number): number {
    return old;
  }
  override get registerGlobal(): number {
    return this.map.globals.length;
  }
  override get firstRoutine(): number {
    return this.exportThunks + this.exported.length;
  }
  get #lowGlobal(): number {
    return this.map.globals.length + 1;
  }

  override enterBody(body: Body, bytes: number): void {
    this.#loops.length = 0;
    // A local takes hardly any code, but is cleared.
    this.#charge(body, 1 + ((bytes + LOCAL_BYTES * body.locals) >>> UNIT_SHIFT));
  }

  pollAtHead(body: Body): void {
    const costAt = this.#charge(body, 0);
    this.#loops.push({ depth: body.depth + 1, start: body.end, costAt });
  }

  /** At a loop's end its cost is known. */
  override leaveBlock(body: Body): void {
    const loop = this.#loops[this.#loops.length - 1];
    if (loop === undefined || loop.depth !== body.depth) return;
    this.#loops.pop();
    const bytes = body.end - loop.start;
    writePadded(body.code.bytes, loop.costAt, 1 + (bytes >>> UNIT_SHIFT));
  }

  /** Takes fuel. Returns where the amount is in the code: five bytes. */
  #charge(body: Body, cost: number): number {
    const { code } = body;
    code.globalGet(this.registerGlobal).op(OP.i32Const);
    const costAt = code.pos;
    code.padded(cost);
    this.#take(body);
    return costAt;
  }

  /** Takes fuel; the fuel and the amount are on the stack. */
  #take(body: Body): void {
    const { code } = body;
    const left = body.temp(I32, FUEL);
    code.op(OP.i32Sub).tee(left).globalSet(this.registerGlobal);
    code.get(left).i32(0).op(OP.i32LtS).unlikelyIf().call(this.kernel('exhausted')).end();
  }

  /** Unwinding is paid for by the calls that it leaves. */
  override lowerThrow(body: Body): void {
    body.flush(body.at);
    this.#charge(body, THROW_COST);
  }

  lowerMemorySize(body: Body, instruction: number): void {
    if (instruction === OP.memoryGrow) this.#charge(body, GROW_COST);
    body.code.ops(instruction, 0);
  }

  lowerBulk(body: Body, segment: number): void {
    const { code, instruction } = body;
    if (instruction !== OP.memoryInit) {
      code.call(instruction === OP.memoryCopy ? this.#copy() : this.#fill());
      return;
    }
    const bytes = body.temp(I32, RANGE); // no more than the segment has
    code.tee(bytes).globalGet(this.registerGlobal);
    code.get(bytes).i32(MEMORY_SHIFT).op(OP.i32ShrU);
    this.#take(body);
    code.memoryInit(segment);
  }

  /** fill(to, value, bytes) */
  #fill(): number {
    return this.routine('ringzero.fill', i32s(3), [], (code) => {
      const fill = (): Code => code.memoryFill();
      this.#chunks(code, fill, [0], () => {
        code.get(0).get(1).i32(CHUNK);
        fill();
        code.get(0).i32(CHUNK).op(OP.i32Add).set(0);
      });
      return [I32];
    });
  }

  /** copy(to, from, bytes) */
  #copy(): number {
    return this.routine('ringzero.copy', i32s(3), [], (code) => {
      const copy = (): Code => code.memoryCopy();
      this.#chunks(code, copy, [0, 1], () => {
        // Overlapping and upwards: the end goes first.
        code.get(0).get(1).op(OP.i32Sub).get(2).op(OP.i32LtU).if();
        for (const address of [0, 1])
          code.get(address).get(2).op(OP.i32Add).i32(CHUNK).op(OP.i32Sub);
        code.i32(CHUNK);
        copy();
        code.else().get(0).get(1).i32(CHUNK);
        copy();
        for (const address of [0, 1]) code.get(address).i32(CHUNK).op(OP.i32Add).set(address);
        code.end();
      });
      return [I32];
    });
  }

  /** Processes `local 2` bytes in chunks, then the rest; each is paid for first. */
  #chunks(code: Code, whole: () => Code, addresses: readonly number[], chunk: () => void): void {
    const pay = (cost: () => void): void => {
      code.globalGet(this.registerGlobal);
      cost();
      code.op(OP.i32Sub).tee(3).globalSet(this.registerGlobal);
      code.get(3).i32(0).op(OP.i32LtS).unlikelyIf().call(this.kernel('exhausted')).end();
    };
    const all = (): Code => code.get(0).get(1).get(2);
    code.get(2).i32(CHUNK).op(OP.i32GtU).if();
    for (const address of addresses) {
      // It leaves memory: the instruction itself traps, and has done nothing.
      code.get(address).op(OP.i64ExtendI32U).get(2).op(OP.i64ExtendI32U).op(OP.i64Add);
      code.ops(OP.memorySize, 0).op(OP.i64ExtendI32U).i64(16).op(OP.i64Shl).op(OP.i64GtU).if();
      all();
      whole();
      code.op(OP.unreachable).end();
    }
    code.loop();
    pay(() => code.i32(CHUNK >>> MEMORY_SHIFT));
    chunk();
    code.get(2).i32(CHUNK).op(OP.i32Sub).tee(2).i32(CHUNK).op(OP.i32GtU).brIf(0);
    code.end().end();
    pay(() => code.get(2).i32(MEMORY_SHIFT).op(OP.i32ShrU));
    all();
    whole();
  }

  /** The number of entries is the topmost operand. table.size has none, and is not paid for. */
  override lowerTable(body: Body): void {
    const { code, instruction } = body;
    if (instruction === OP.tableSize) return;
    body.flush(body.at);
    const entries = body.temp(I32, RANGE);
    code.tee(entries).globalGet(this.registerGlobal).get(entries);
    code.i32(TABLE_ENTRIES_MAX).get(entries).i32(TABLE_ENTRIES_MAX).op(OP.i32LtU).op(OP.select);
    code.i32(ENTRY_SHIFT).op(OP.i32Shl);
    if (instruction === OP.tableGrow) code.i32(GROW_COST).op(OP.i32Add);
    this.#take(body);
  }

  /** The finished module. */
  assemble(): Uint8Array {
    const { map } = this;
    translateBodies(this);
    for (const [i, old] of this.exported.entries())
      this.addOwnBody(this.exportThunks + i, (code) => this.#thunk(code, old));
    this.addRoutines();
    const out = new Writer(this.bodies.pos + map.bytes.length / 2 + 4096);
    out.append(MAGIC);
    const section = (id: number, write: (contents: Writer) => void): void => {
      const contents = new Writer(256);
      write(contents);
      out.byte(id);
      out.nameBytes(contents.view());
    };
    const types = this.exported.map((old) => this.#thunkType(old));
    types.push(...this.routines.map(({ type }) => type));
    const none = this.type([], []);
    section(1, (to) => to.append(typeSection(this)));
    section(2, (to) => {
      to.u32(1);
      to.name('ringzero');
      to.name('exhausted');
      to.byte(KIND_FUNCTION);
      to.u32(none);
    });
    section(3, (to) => {
      to.u32(map.functions.length + types.length);
      for (const type of [...map.functions, ...types]) to.u32(type);
    });
    section(4, (to) => this.#tables(to));
    section(5, (to) => this.#memory(to));
    const { tagSection } = map;
    if (tagSection) section(13, (to) => to.copy(map.bytes, tagSection.start, tagSection.end));
    section(6, (to) => this.#globals(to));
    section(7, (to) => this.#exports(to));
    if (map.startFunction >= 0) section(8, (to) => to.u32(this.functionIndex(map.startFunction)));
    if (this.hasElements) section(9, (to) => to.append(elementSection(this)));
    section(12, (to) => to.u32(map.data.length));
    if (this.hints.length > 0) section(0, (to) => to.append(hintSection(this)));
    section(10, (to) => {
      to.u32(map.functions.length + types.length);
      to.append(this.bodies.view());
    });
    section(11, (to) => this.#data(to));
    return out.finish();
  }

  #isSplit(old: number): boolean {
    const { results } = this.map.typeOf(old);
    return results.length === 1 && results[0] === I64;
  }

  #thunkType(old: number): number {
    const { params, results } = this.map.typeOf(old);
    return this.type([...params], this.#isSplit(old) ? [I32] : [...results]);
  }

  #thunk(code: Code, old: number): number[] {
    const type = this.map.typeOf(old);
    code.i32(this.#options.slice).globalSet(this.registerGlobal);
    this.arguments(code, type);
    code.call(this.functionIndex(old));
    if (!this.#isSplit(old)) return [];
    const result = type.params.length;
    code.tee(result).op(OP.i32WrapI64).globalSet(this.#lowGlobal);
    code.get(result).i64(32).op(OP.i64ShrU).op(OP.i32WrapI64);
    return [I64];
  }

  #tables(to: Writer): void {
    const { tables } = this.map;
    to.u32(tables.length);
    for (const { type, minimum, maximum, start, end } of tables) {
      if (start > 0) to.ops(TABLE_WITH_VALUE, 0);
      writeType(to, type);
      to.byte(1);
      to.u32(minimum);
      to.u32(Math.min(maximum ?? TABLE_ENTRIES_MAX, TABLE_ENTRIES_MAX));
      if (start === 0) continue;
      this.constant(to, start, end);
      to.byte(OP.end);
    }
  }

  #memory(to: Writer): void {
    const { memories, memoryMinimum, memoryMaximum } = this.map;
    const { memoryPages } = this.#options;
    to.u32(memories);
    if (memories === 0) return;
    to.byte(1);
    to.u32(memoryMinimum);
    to.u32(Math.min(memoryMaximum ?? memoryPages, memoryPages));
  }

  #globals(to: Writer): void {
    to.u32(this.map.globals.length + 2);
    ownGlobals(this, to);
    to.ops(I32, 1, OP.i32Const);
    to.s32(this.#options.startFuel);
    to.byte(OP.end);
    to.ops(I32, 1, OP.i32Const, 0, OP.end);
  }

  #exports(to: Writer): void {
    const shown = this.map.exports.filter(({ kind }) => kind <= KIND_MEMORY && kind !== 1);
    to.u32(shown.length + 2);
    for (const { name, kind, index } of shown) {
      to.exported(name, kind, kind === KIND_FUNCTION ? this.exportThunk(index) : index);
    }
    to.exported(this.registerName, KIND_GLOBAL, this.registerGlobal);
    to.exported('ringzero.low', KIND_GLOBAL, this.#lowGlobal);
  }

  #data(to: Writer): void {
    const { data, bytes } = this.map;
    to.u32(data.length);
    for (const { active, offsetStart, offsetEnd, start, end } of data) {
      to.byte(active ? 0 : 1);
      if (active) {
        this.constant(to, offsetStart, offsetEnd);
        to.byte(OP.end);
      }
      to.nameBytes(bytes.subarray(start, end));
    }
  }
}
