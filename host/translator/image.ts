// One image under construction: its index spaces, the functions that translation adds, and the code so far.
//
//   functions   guest imports | ringzero imports | guest functions | import thunks | export thunks |
//               glued exports, for glue | boot attach save load | routines, in the order of their first use
//   globals     guest imports | ringzero.vcpu | guest globals | view or table | inside, for glue | dropped segments
//
// Where the guest calls one of its imports, it now calls the import's thunk.

import { VCPU_PENDING } from '../../assembly/abi/vcpu-block.ts';
import type { Body } from './body.ts';
import { Code, OP } from './code.ts';
import { setDropped } from './drops.ts';
import { Growth } from './growth.ts';
import type { ExportEntry, FunctionType, ModuleMap } from './module.ts';
import { KIND_FUNCTION, typeKey } from './module.ts';
import { I32 } from './opcode.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Choices {
  readonly safepoints: boolean;
  readonly elision: boolean;
  readonly zeroFilledMemory?: boolean | undefined;
  /** The image is for a program with glue (glue.ts). */
  readonly glue?: boolean;
}

interface Routine {
  readonly name: string;
  readonly type: number;
  readonly build: (code: Code) => number[]; // returns the types of its extra locals
}

/** Functions that the kernel or the host supplies: name, types of parameters and results; a number is this many i32. */
export type KernelCall = readonly [
  name: string,
  params: number | readonly number[],
  results: number | readonly number[],
];

export interface Hint {
  readonly function: number;
  readonly offsets: number[];
}

const SPECIALS = ['boot', 'attach', 'save', 'load'] as const;

export abstract class Image {
  readonly map: ModuleMap;
  readonly choices: Choices;
  /** Bodies so far, each with its size; the code section without its count. */
  readonly bodies = new Writer(1 << 16);
  readonly scratch = new Code(1 << 14);
  /** Of every body the function's index and the places of its unlikely branches. */
  readonly hints: Hint[] = [];
  relocations: number[] = []; // within `bodies`
  fences: number[] = [];
  limits: number[] = [];
  ordered: number[] = [];
  readonly extraTypes: FunctionType[] = [];
  readonly routines: Routine[] = [];
  readonly exported: number[] = []; // guest functions that have an export thunk
  /** How the guest gets more memory. */
  readonly growth: Growth;
  readonly #typeKeys = new Map<string, number>();
  readonly #routineIndex = new Map<string, number>();
  readonly #exportThunk = new Map<number, number>();
  readonly #kernelIndex = new Map<string, number>();
  abstract readonly kernelCalls: readonly KernelCall[];
  /** Exported name of the image's own mutable global. */
  abstract readonly registerName: string;

  constructor(map: ModuleMap, choices: Choices) {
    this.map = map;
    this.choices = choices;
    this.growth = new Growth(map);
    this.valueFunctions = new Set(map.valueFunctions);
    map.types.forEach((type, i) => {
      const key = typeKey(type);
      if (!this.#typeKeys.has(key)) this.#typeKeys.set(key, i);
    });
  }

  /** To be called once by the constructors of subclasses, when kernelCalls is set. */
  protected index(): void {
    this.kernelCalls.forEach(([name], i) =>
      this.#kernelIndex.set(name, this.map.importedFunctions + i),
    );
    for (const entry of this.exports) {
      if (entry.kind !== KIND_FUNCTION || this.#exportThunk.has(entry.index)) continue;
      this.#exportThunk.set(entry.index, this.exported.length);
      this.exported.push(entry.index);
    }
  }

  get importThunks(): number {
    return this.map.functions.length + this.kernelCalls.length;
  }
  get exportThunks(): number {
    return this.importThunks + this.map.importedFunctions;
  }
  /** The exported functions as glue and tables have them. */
  get gluedExports(): number {
    return this.exportThunks + this.exported.length;
  }
  get specials(): number {
    return this.gluedExports + (this.choices.glue === true ? this.exported.length : 0);
  }
  get firstRoutine(): number {
    return this.specials + SPECIALS.length;
  }
  specialNames(): readonly string[] {
    return SPECIALS;
  }

  /** New index of a guest function, as its callers must know it. */
  functionIndex(old: number): number {
    return old < this.map.importedFunctions
      ? this.importThunks + old
      : old + this.kernelCalls.length;
  }
  /** New index of a guest function as a value: in tables, by `ref.func`. */
  referenceIndex(old: number): number {
    const place = this.choices.glue === true ? this.#exportThunk.get(old) : undefined;
    return place === undefined ? this.functionIndex(old) : this.gluedExports + place;
  }
  exportThunk(old: number): number {
    return this.exportThunks + this.#exportThunk.get(old)!;
  }
  kernel(name: string): number {
    return this.#kernelIndex.get(name)!;
  }
  globalIndex(old: number): number {
    return old < this.map.importedGlobals ? old : old + 1;
  }
  get vcpuGlobal(): number {
    return this.map.importedGlobals;
  }
  /** Nonzero while the program runs, in an image for glue. */
  get insideGlobal(): number {
    return this.registerGlobal + 1;
  }
  get firstDropGlobal(): number {
    return this.registerGlobal + (this.choices.glue === true ? 2 : 1);
  }
  /** The view (main image) or the base of the page table (snapshot image). */
  get registerGlobal(): number {
    return this.map.globals.length + 1;
  }

  type(params: readonly number[], results: readonly number[]): number {
    const type = { params: Uint8Array.from(params), results: Uint8Array.from(results) };
    const key = typeKey(type);
    let index = this.#typeKeys.get(key);
    if (index === undefined) {
      index = this.map.types.length + this.extraTypes.length;
      this.#typeKeys.set(key, index);
      this.extraTypes.push(type);
    }
    return index;
  }

  /** Index of a function that translation adds once, at its first use. */
  routine(
    name: string,
    params: readonly number[],
    results: readonly number[],
    build: (code: Code) => number[],
  ): number {
    const known = this.#routineIndex.get(name);
    if (known !== undefined) return known;
    const index = this.firstRoutine + this.routines.length;
    this.#routineIndex.set(name, index);
    this.routines.push({ name, type: this.type(params, results), build });
    return index;
  }

  /** Appends a body: local declarations (already encoded) and what is in `scratch`. */
  addBody(functionIndex: number, locals: Writer): void {
    const { bodies, scratch } = this;
    bodies.u32(locals.pos + scratch.pos);
    const start = bodies.pos;
    bodies.copy(locals.bytes, 0, locals.pos);
    const shift = bodies.pos;
    bodies.copy(scratch.bytes, 0, scratch.pos);
    for (const at of scratch.relocations) this.relocations.push(at + shift);
    for (const at of scratch.fences) this.fences.push(at + shift);
    for (const at of scratch.limits) this.limits.push(at + shift);
    for (const at of scratch.ordered) this.ordered.push(at + shift);
    if (scratch.unlikely.length > 0) {
      const offsets = scratch.unlikely.map((at) => at + shift - start);
      this.hints.push({ function: functionIndex, offsets });
    }
    scratch.reset();
  }

  /** Appends a body that translation made itself. */
  addOwnBody(functionIndex: number, build: (code: Code) => number[]): void {
    const locals = build(this.scratch);
    this.scratch.end();
    const header = new Writer(16);
    header.u32(locals.length);
    for (const type of locals) header.ops(1, type);
    this.addBody(functionIndex, header);
  }

  /** Builds the routines; those that a routine uses first are appended in turn. */
  addRoutines(): void {
    for (let i = 0; i < this.routines.length; i++) {
      this.addOwnBody(this.firstRoutine + i, this.routines[i]!.build);
    }
  }

  /** After a call that may have moved the view, and on entry. */
  abstract refresh(code: Code): void;
  /** A load, store or atomic instruction; its operands are on the stack, and it begins at `at`. */
  abstract lowerAccess(body: Body, at: number): void;
  /** memory.init (segment), memory.copy, memory.fill. */
  abstract lowerBulk(body: Body, sub: number, segment: number): void;
  /** memory.size or memory.grow. */
  lowerMemorySize({ code }: Body, opcode: number): void {
    code.call(this.kernel(opcode === OP.memorySize ? 'size' : 'grow'));
  }
  /** A bulk instruction on tables, which begins at `at`; table.init takes entries of the segment. */
  lowerTable(_body: Body, _sub: number, _at: number, _segment: number): void {}
  /** data.drop or elem.drop, which begins at `at`. */
  lowerDrop(body: Body, space: number, segment: number, at: number): void {
    body.flush(at);
    setDropped(body.code, this.map, this.firstDropGlobal, space, segment);
  }
  /** Before a function's first instruction; its body has so many bytes. */
  enterBody(_body: Body, _bytes: number): void {}
  /** At the `end` of each block. */
  leaveBlock(_body: Body): void {}
  /** Its code has instructions that change tables. */
  changesTables = false;
  /** Functions that code may come to have as a value, besides those that tables have at first. */
  readonly valueFunctions: Set<number>;
  /** New indices of functions that bodies take references to. */
  readonly referenced = new Set<number>();
  get hasElements(): boolean {
    return this.map.elementSection !== undefined || this.referenced.size > 0;
  }
  /** What the image exports of the guest. */
  get exports(): readonly ExportEntry[] {
    return this.map.exports;
  }
  /** Whether the image has a guest function; a call of one that it lacks traps. It has all imports. */
  has(_old: number): boolean {
    return true;
  }
  /** A vCPU of this image may be the one that boots. */
  readonly boots: boolean = true;
  /** What the analysis of a body looks for. */
  abstract readonly planned: '' | 'stores' | 'pages';
  /** What else a vCPU does when it attaches. */
  attach(_code: Code): void {}
  /** Looks for interrupts. */
  abstract poll(code: Code): void;
  /** Whether the loop at hand gets a second loop around it, from which it runs until a poll or a check breaks it. */
  wrapsLoop(_body: Body): boolean {
    return this.choices.safepoints;
  }
  /** The head of a loop that stands alone. */
  pollAtHead(body: Body): void {
    this.poll(body.code);
  }
  /** Between the heads of the two loops: the slow path of what the inner head looks at. */
  outerHead(body: Body): void {
    if (this.choices.safepoints) this.poll(body.code);
  }
  /** At the head of the inner loop: `br_if 1` where the outer head has something to do. */
  innerHead(body: Body): void {
    if (this.choices.safepoints) this.breakIfPending(body.code);
  }
  protected breakIfPending(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_PENDING).unlikelyBrIf(1);
  }

  /** A constant expression (without its end) under new indices. */
  constant(out: Writer, start: number, end: number): void {
    const reader = new Reader(this.map.bytes, start, end);
    while (reader.pos < end) {
      const at = reader.pos;
      const opcode = reader.byte();
      if (opcode === 0x23 || opcode === 0xd2) {
        const old = reader.u32();
        out.byte(opcode);
        out.u32(opcode === 0x23 ? this.globalIndex(old) : this.referenceIndex(old));
        continue;
      }
      if (opcode === 0x41) reader.s32();
      else if (opcode === 0x42) reader.skipS64();
      else if (opcode === 0x43) reader.skip(4);
      else if (opcode === 0x44) reader.skip(8);
      else if (opcode === 0xd0) reader.skip(1);
      else if (opcode === 0xfd) {
        reader.u32();
        reader.skip(16);
      }
      out.copy(reader.bytes, at, reader.pos);
    }
  }

  /** Emits the arguments of a function as its own locals. */
  arguments(code: Code, type: FunctionType): void {
    for (let i = 0; i < type.params.length; i++) code.get(i);
  }

  /** Traps unless [local start, + local bytes) lies within guest memory. */
  trapOutside(code: Code, start: number, bytes: number): void {
    code.get(start).op(OP.i64ExtendI32U).get(bytes).op(OP.i64ExtendI32U).op(OP.i64Add);
    code.call(this.kernel('size')).op(OP.i64ExtendI32U).i64(16).op(OP.i64Shl);
    code.op(OP.i64GtU).if().op(OP.unreachable).end();
  }

  /** Traps unless [local 1, + local 2) lies within the data segment: an empty memory.init at the range's end does. */
  trapOutsideSegment(code: Code, segment: number): void {
    code.get(1).get(2).op(OP.i32Add).get(1).op(OP.i32LtU).if().op(OP.unreachable).end();
    code.i32(0).get(1).get(2).op(OP.i32Add).i32(0).ops(0xfc, 8);
    code.u32(segment);
    code.byte(0);
  }
}

/** The types of a KernelCall. */
export const typesOf = (types: number | readonly number[]): readonly number[] =>
  typeof types === 'number' ? i32s(types) : types;

export const i32s = (count: number): number[] => new Array<number>(count).fill(I32);
