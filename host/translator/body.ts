// One pass over a function's body: what translation does not change is copied in runs; indices are rewritten;
// memory accesses and loops are handed to the image.

import { Analysis } from './analysis.ts';
import { Code, OP } from './code.ts';
import { DATA, ELEMENTS } from './drops.ts';
import type { Image } from './image.ts';
import { bounded, type ModuleMap, valueType } from './module.ts';
import {
  ACCESS,
  ATOMIC_ACCESS,
  accessKind,
  accessWidth,
  FUNCREF,
  EXTERNREF,
  IMM_ACCESS,
  IMM_BLOCK,
  IMM_BR_TABLE,
  IMM_BRANCH,
  IMM_CALL,
  IMM_CALL_INDIRECT,
  IMM_ELSE,
  IMM_END,
  IMM_F32,
  IMM_F64,
  IMM_GLOBAL,
  IMM_I32,
  IMM_I64,
  IMM_INDEX,
  IMM_MEMORY,
  IMM_NONE,
  IMM_PREFIX,
  IMM_REF_NULL,
  IMM_SELECT,
  IMMEDIATE,
  LANE_LOAD,
  LANE_STORE,
  SIMD_ACCESS,
  SIMD_UNASSIGNED,
  VOID,
  simdImmediateBytes,
} from './opcode.ts';
import type { Plan } from './plan.ts';
import { malformed, Reader } from './reader.ts';
import { checkBodySize, LOCALS_MAX } from './refuse.ts';
import {
  GC,
  MEMORIES,
  MEMORY64,
  RELAXED_SIMD,
  refuseOpcode,
  refuseType,
  unsupported,
} from './refuse.ts';
import { Writer } from './writer.ts';

const TABLE_SET = 0x26;
const REF_FUNC = 0xd2;

/** Whether any byte could be the opcode of a store; most functions without one need no analysis. */
function mayStore(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if ((byte >= 0x36 && byte <= 0x3e) || byte === 0xfd || byte === 0xfe) return true;
  }
  return false;
}

export class Body {
  readonly image: Image;
  readonly map: ModuleMap;
  readonly reader: Reader;
  readonly code: Code;
  /** The access at hand: prefix byte (0 = none), opcode or sub-opcode, ACCESS_* word, memarg, lane. */
  prefix = 0;
  opcode = 0;
  access = 0;
  align = 0;
  offset = 0;
  lane = 0;
  /** Which store or loop of the body is at hand, as the plan numbers them. */
  store = 0;
  loop = 0;
  #analysis: Analysis | undefined;
  #labels: number[] = []; // of each open block, the depth at which its label lies in the output
  #level = 0; // depth of the output
  #wrapped = 0; // open loops that have a second loop around them
  #run = 0; // input from here on is not copied yet
  #locals = 0;
  #temps: number[] = []; // their types; indices follow the locals
  #tempOf = new Map<number, number>();
  readonly #declarations = new Writer(64);
  readonly #header = new Writer(64);

  constructor(image: Image) {
    this.image = image;
    this.map = image.map;
    this.reader = new Reader(image.map.bytes);
    this.code = image.scratch;
    if (image.planned !== '' && image.choices.elision)
      this.#analysis = new Analysis(image.map, image.planned === 'pages');
  }

  /** What the analysis decided for this body; undefined if there was none. */
  get plan(): Plan | undefined {
    return this.#analysis?.plan;
  }

  /** An extra local of the type; the same `slot` gives the same local within one body. */
  temp(type: number, slot: number): number {
    const key = (slot << 8) | type;
    let index = this.#tempOf.get(key);
    if (index === undefined) {
      index = this.#locals + this.#temps.length;
      this.#temps.push(type);
      this.#tempOf.set(key, index);
    }
    return index;
  }

  /** Translates the body at [start, end) of the file. */
  translate(functionIndex: number, start: number, end: number): void {
    const { reader, code } = this;
    reader.pos = start;
    reader.end = end;
    this.image.growth.enter(functionIndex);
    const groups = this.#readLocals(functionIndex);
    const groupsStart = this.#declarations.pos;
    this.#run = reader.pos;
    this.#analyse(functionIndex, reader.pos, end);
    this.image.enterBody(this, end - start);
    this.#instructions();
    code.copy(reader.bytes, this.#run, end);
    const header = this.#header;
    header.pos = 0;
    header.u32(groups + this.#temps.length);
    header.copy(this.#declarations.bytes, 0, groupsStart);
    for (const type of this.#temps) {
      header.byte(1);
      header.byte(type);
    }
    checkBodySize(
      `function ${functionIndex}`,
      this.#locals + this.#temps.length,
      this.#locals,
      header.pos + code.pos,
    );
    this.image.addBody(this.image.functionIndex(functionIndex), header);
  }

  #analyse(functionIndex: number, start: number, end: number): void {
    this.store = this.loop = this.#level = this.#wrapped = 0;
    this.#labels.length = 0;
    this.#labels.push(0);
    if (!this.#analysis) return;
    if (this.image.planned === 'pages' || mayStore(this.reader.bytes, start, end)) {
      this.#analysis.run(functionIndex, this.#locals, start, end);
    } else this.#analysis.plan.reset();
  }

  #readLocals(functionIndex: number): number {
    const { reader } = this;
    this.#temps.length = 0;
    this.#tempOf.clear();
    this.#declarations.pos = 0;
    let count = this.map.typeOf(functionIndex).params.length;
    const groups = reader.count();
    const start = reader.pos;
    for (let i = 0; i < groups; i++) {
      count += reader.u32();
      if (count > LOCALS_MAX) throw malformed('too many locals', reader.pos);
      valueType(reader);
    }
    this.#declarations.copy(reader.bytes, start, reader.pos);
    this.#locals = count;
    return groups;
  }

  /** Copies the input up to `at`, and goes on with it at `resume` once that is set. */
  flush(at: number): void {
    if (at > this.#run) this.code.copy(this.reader.bytes, this.#run, at);
    this.#run = at;
  }

  /** What was read so far is replaced by what was emitted. */
  replaced(): void {
    this.#run = this.reader.pos;
  }

  /** The instruction of the current access, with another offset and its own alignment. */
  emitAccess(offset: number): void {
    const { code } = this;
    if (this.prefix !== 0) {
      code.byte(this.prefix);
      code.u32(this.opcode);
    } else code.byte(this.opcode);
    code.u32(this.align);
    code.u32(offset);
    const kind = accessKind(this.access);
    if (kind === LANE_LOAD || kind === LANE_STORE) code.byte(this.lane);
  }

  #instructions(): void {
    const { reader } = this;
    const { bytes, end } = reader;
    const labels = this.#labels;
    while (labels.length > 0) {
      const at = reader.pos;
      if (at >= end) throw malformed('unexpected end of a function', at);
      const opcode = bytes[at]!;
      reader.pos = at + 1;
      switch (IMMEDIATE[opcode]) {
        case IMM_NONE:
        case IMM_ELSE:
          break;
        case IMM_INDEX:
          if (opcode === TABLE_SET) this.image.changesTables = true;
          reader.u32();
          break;
        case IMM_I32:
          reader.s32();
          break;
        case IMM_ACCESS:
          this.#memoryAccess(at, 0, opcode, ACCESS[opcode]!);
          break;
        case IMM_BLOCK:
          this.#block(at, opcode);
          break;
        case IMM_BRANCH:
          if (this.#wrapped === 0) reader.u32();
          else this.#branch(at, opcode);
          break;
        case IMM_END:
          this.#end();
          break;
        default:
          this.#rare(at, opcode);
      }
    }
    if (reader.pos !== end) throw malformed('code after the end of a function', reader.pos);
  }

  #rare(at: number, opcode: number): void {
    const { reader } = this;
    switch (IMMEDIATE[opcode]) {
      case IMM_CALL:
        return this.#call(at, opcode);
      case IMM_GLOBAL:
        return this.#global(at, opcode);
      case IMM_BR_TABLE:
        return this.#branchTable(at);
      case IMM_CALL_INDIRECT:
        bounded(reader, this.map.types.length, 'type');
        bounded(reader, this.map.tables.length, 'table');
        return;
      case IMM_MEMORY:
        return this.#memorySize(at, opcode);
      case IMM_I64:
        return reader.skipS64();
      case IMM_F32:
        return reader.skip(4);
      case IMM_F64:
        return reader.skip(8);
      case IMM_SELECT:
        for (let left = reader.count(); left > 0; left--) valueType(reader);
        return;
      case IMM_REF_NULL:
        return this.#heapType();
      case IMM_PREFIX:
        if (opcode === 0xfc) return this.#miscellaneous(at);
        if (opcode === 0xfd) return this.#vector(at);
        return this.#atomic(at);
      default:
        throw refuseOpcode(opcode, at);
    }
  }

  #heapType(): void {
    const type = this.reader.byte();
    if (type !== FUNCREF && type !== EXTERNREF) throw refuseType(type, this.reader.pos - 1);
  }

  #block(at: number, opcode: number): void {
    const { reader, image, code } = this;
    const typeAt = reader.pos;
    const first = reader.bytes[typeAt]!;
    let params = 0;
    if (first === VOID) reader.pos++;
    else if (first > VOID && first < 0x80) valueType(reader);
    else {
      const index = reader.s32();
      if (index < 0 || index >= this.map.types.length) throw malformed('unknown block type', at);
      params = this.map.types[index]!.params.length;
    }
    const wrap = opcode === OP.loop && params === 0 && image.wrapsLoop(this);
    if (wrap) {
      this.flush(at);
      code.byte(OP.loop);
      code.copy(reader.bytes, typeAt, reader.pos);
      image.outerHead(this);
      code.byte(OP.loop);
      code.copy(reader.bytes, typeAt, reader.pos);
      image.innerHead(this);
      this.replaced();
      this.#wrapped++;
    } else if (opcode === OP.loop && image.choices.safepoints) {
      this.flush(reader.pos);
      image.pollAtHead(this);
    }
    this.#level += wrap ? 2 : 1;
    this.#labels.push(this.#level);
    if (opcode === OP.loop) this.loop++;
  }

  /** Parameters and declared locals of the function. */
  get locals(): number {
    return this.#locals;
  }

  /** How many blocks are open, the function's own among them. */
  get depth(): number {
    return this.#labels.length;
  }

  #end(): void {
    this.image.leaveBlock(this);
    const label = this.#labels.pop()!;
    const enclosing = this.#labels[this.#labels.length - 1] ?? 0;
    if (label === enclosing + 2) {
      this.flush(this.reader.pos);
      this.code.byte(OP.end);
      this.#wrapped--;
    }
    this.#level = enclosing;
  }

  /** Emits a label, which may lie deeper than it was. */
  #label(): void {
    const at = this.reader.pos;
    const depth = this.reader.u32();
    const label = this.#labels[this.#labels.length - 1 - depth];
    if (label === undefined) throw malformed('unknown label', at);
    this.code.u32(this.#level - label);
  }

  #branch(at: number, opcode: number): void {
    this.flush(at);
    this.code.byte(opcode);
    this.#label();
    this.replaced();
  }

  #branchTable(at: number): void {
    const { reader, code } = this;
    const count = reader.count();
    if (this.#wrapped === 0) {
      for (let left = count + 1; left > 0; left--) reader.u32();
      return;
    }
    this.flush(at);
    code.byte(0x0e);
    code.u32(count);
    for (let left = count + 1; left > 0; left--) this.#label();
    this.replaced();
  }

  #call(at: number, opcode: number): void {
    const index = bounded(this.reader, this.map.functions.length, 'function');
    this.flush(at);
    const isReference = opcode === REF_FUNC;
    if (!isReference) this.image.growth.call(index);
    const renamed = isReference
      ? this.image.referenceIndex(index)
      : this.image.functionIndex(index);
    if (isReference) {
      this.image.referenced.add(renamed);
      this.image.valueFunctions.add(index);
    }
    this.code.byte(opcode);
    this.code.u32(renamed);
    this.replaced();
  }

  #global(at: number, opcode: number): void {
    const index = bounded(this.reader, this.map.globals.length, 'global');
    if (index < this.map.importedGlobals) return;
    this.flush(at);
    this.code.byte(opcode);
    this.code.u32(this.image.globalIndex(index));
    this.replaced();
  }

  #needMemory(at: number): void {
    if (this.map.memories === 0) throw malformed('memory instruction without a memory', at);
  }

  #memorySize(at: number, opcode: number): void {
    this.#needMemory(at);
    if (this.reader.byte() !== 0) throw unsupported(MEMORIES);
    this.flush(at);
    if (opcode === OP.memorySize) this.image.growth.size();
    else this.image.growth.grow();
    this.image.lowerMemorySize(this, opcode);
    this.replaced();
  }

  #memoryAccess(at: number, prefix: number, opcode: number, access: number): void {
    const { reader } = this;
    if (this.map.memories === 0) this.#needMemory(at);
    const align = reader.u32();
    if (align >= 0x20) {
      if (align >= 0x40 && align < 0x80) throw unsupported(MEMORIES);
      throw malformed('malformed alignment', at);
    }
    if (1 << align > accessWidth(access)) throw malformed('alignment too large', at);
    this.prefix = prefix;
    this.opcode = opcode;
    this.access = access;
    this.align = align;
    this.offset = this.#memoryOffset();
    const kind = accessKind(access);
    if (kind === LANE_LOAD || kind === LANE_STORE) this.lane = reader.byte();
    this.image.lowerAccess(this, at);
  }

  #memoryOffset(): number {
    const at = this.reader.pos;
    try {
      return this.reader.u32();
    } catch (error) {
      this.reader.pos = at;
      this.reader.skipS64();
      throw this.reader.pos - at > 5 ? unsupported(MEMORY64) : error;
    }
  }

  #miscellaneous(at: number): void {
    const { reader } = this;
    const sub = reader.u32();
    if (sub < 8) return;
    if (sub > 17) {
      if (sub >= 19 && sub <= 22) throw unsupported('wide arithmetic');
      throw malformed(`unknown opcode 0xfc ${sub}`, at);
    }
    if (sub >= 12) {
      // table.init, elem.drop, table.copy, table.grow, table.size, table.fill
      const isOfSegment = sub === 12 || sub === 13;
      const segment = isOfSegment ? bounded(reader, this.map.elements, 'element segment') : 0;
      if (sub !== 13) bounded(reader, this.map.tables.length, 'table');
      if (sub === 14) bounded(reader, this.map.tables.length, 'table');
      if (sub !== 13 && sub !== 16) this.image.changesTables = true;
      if (sub === 13) this.image.lowerDrop(this, ELEMENTS, segment, at);
      else this.image.lowerTable(this, sub, at, segment);
      return;
    }
    let segment = 0;
    if (sub === 8 || sub === 9) {
      if (this.map.dataCount < 0) throw malformed('data count section missing', at);
      segment = bounded(reader, this.map.data.length, 'data segment');
      if (sub === 9) return this.image.lowerDrop(this, DATA, segment, at);
    }
    this.#needMemory(at);
    if (reader.byte() !== 0) throw unsupported(MEMORIES);
    if (sub === 10 && reader.byte() !== 0) throw unsupported(MEMORIES);
    this.flush(at);
    this.image.lowerBulk(this, sub, segment);
    this.replaced();
  }

  #vector(at: number): void {
    const { reader } = this;
    const sub = reader.u32();
    if (sub >= 0x100) {
      if (sub <= 0x12f) throw unsupported(RELAXED_SIMD);
      throw malformed(`unknown opcode 0xfd ${sub}`, at);
    }
    if (SIMD_UNASSIGNED.has(sub)) throw malformed(`unknown opcode 0xfd ${sub}`, at);
    const access = SIMD_ACCESS[sub]!;
    if (access !== 0) this.#memoryAccess(at, 0xfd, sub, access);
    else reader.skip(simdImmediateBytes(sub));
  }

  #atomic(at: number): void {
    const { reader } = this;
    const sub = reader.u32();
    if (sub === 3) {
      if (reader.byte() !== 0) throw malformed('malformed fence', at);
      return;
    }
    const access = sub < 256 ? ATOMIC_ACCESS[sub]! : 0;
    if (access !== 0) return this.#memoryAccess(at, 0xfe, sub, access);
    if (sub >= 0x4f && sub <= 0x70) throw unsupported(GC); // shared-everything threads
    throw malformed(`unknown opcode 0xfe ${sub}`, at);
  }
}
