// Emits a function: what translation does not change is copied in runs, indices are rewritten, and
// memory accesses and loops are handed to the image.
//
// Interface   translate() does one function. While it runs, images read the instruction at hand from
//             it, and take temporary locals.
// Invariants  VALID-1  What replaces an instruction takes and leaves operands of the same types, so an
//                      invalid module has an invalid image.
// Cost        50 to 100 ns for an instruction that is replaced; those that are copied are not looked at.

import { Analysis } from './analysis.ts';
import type { Code } from './code.ts';
import { alignmentOf, type BodyBytes, CATCH_ALL, laneOf } from './decoder.ts';
import { DATA, ELEMENTS } from './drops.ts';
import { type Image, LEGACY, STANDARD } from './image.ts';
import { ACCESS, accessKind, CHANGED, LANE_LOAD, LANE_STORE } from './instructions.ts';
import type { ModuleMap } from './module.ts';
import { OP, REF, REF_NULL } from './opcode.ts';
import type { Plan } from './plan.ts';
import { quietFunctions } from './quiet.ts';
import { Reader } from './reader.ts';
import { checkBodySize, fitsEngines } from './refuse.ts';
import { Tape } from './tape.ts';
import { Writer } from './writer.ts';

/** Slots of temporary locals. */
const SLOTS_MAX = 32;

export class Body {
  readonly image: Image;
  readonly map: ModuleMap;
  readonly code: Code;
  /** The instruction at hand: its code (opcode.ts), where it is in the file, [at, end). */
  instruction = 0;
  at = 0;
  end = 0;
  /** Of an access: its ACCESS word and memory argument. */
  access = 0;
  align = 0;
  offset = 0;
  lane = 0;
  /** Which access or loop of the body is at hand, as the plan numbers them. */
  store = 0;
  loop = 0;
  /** The function is too large for an engine otherwise: each access and each poll is a call. */
  isCompact = false;
  readonly #tape: Tape;
  readonly #analysis: Analysis | undefined;
  #labels: number[] = []; // of each open block, the depth of its label in the output
  #level = 0; // depth of the output
  #wrapped = 0; // open loops that have a second loop around them
  #run = 0; // the module from here on is not copied yet
  // Temporary locals: their types, in the order of their indices, and by slot and type the index.
  readonly #temps: number[] = [];
  readonly #tempKeys: number[] = [];
  readonly #tempOf: Int32Array = new Int32Array(SLOTS_MAX << 8); // 0 = none yet
  readonly #header = new Writer(64);

  constructor(image: Image, bodies: readonly BodyBytes[]) {
    const { map, accesses, choices } = image;
    this.image = image;
    this.map = map;
    this.code = image.scratch;
    this.#tape = new Tape(map, CHANGED[accesses]);
    if (accesses === 'none' || !choices.elision) return;
    const pages = accesses === 'all';
    const quiet = pages ? new Uint8Array(map.functions.length) : quietFunctions(map, bodies);
    this.#analysis = new Analysis(map, quiet, pages);
  }

  /** What the analysis decided for this body; undefined if there was none. */
  get plan(): Plan | undefined {
    return this.#analysis?.plan;
  }

  /** Parameters and declared locals of the function. */
  get locals(): number {
    return this.#tape.locals;
  }

  /** How many blocks are open, the function's own included. */
  get depth(): number {
    return this.#labels.length;
  }

  /** An extra local of the type; the same `slot` gives the same local within one body. */
  temp(type: number, slot: number): number {
    const key = (slot << 8) | type;
    const known = this.#tempOf[key]!;
    if (known !== 0) return known - 1;
    const index = this.locals + this.#temps.length;
    this.#temps.push(type);
    this.#tempKeys.push(key);
    this.#tempOf[key] = index + 1;
    return index;
  }

  /** Translates the function. */
  translate(functionIndex: number, body: BodyBytes): void {
    const { image, code } = this;
    this.#tape.record(body);
    image.growth.enter(functionIndex);
    this.#analyse(functionIndex);
    this.#emit(body);
    let locals = this.locals + this.#temps.length;
    let bytes = this.#header.pos + code.pos;
    if (!fitsEngines(locals, bytes, image.choices.bodyBytesMax)) {
      this.#emitCompactly(body);
      locals = this.locals + this.#temps.length;
      bytes = this.#header.pos + code.pos;
    }
    checkBodySize(`function ${functionIndex}`, locals, this.locals, bytes);
    image.addBody(image.functionIndex(functionIndex), this.#header);
  }

  /** Everything but the header, and that. */
  #emit(body: BodyBytes): void {
    const { image, code } = this;
    for (const key of this.#tempKeys) this.#tempOf[key] = 0;
    this.#temps.length = this.#tempKeys.length = 0;
    this.store = this.loop = this.#level = this.#wrapped = 0;
    this.#labels.length = 0;
    this.#labels.push(0);
    this.#run = this.end = body.start;
    image.enterBody(this, body.size);
    this.#changes();
    code.copy(this.map.bytes, this.#run, body.end);
    this.#declare(body);
  }

  /** Again, with calls in place of checks. */
  #emitCompactly(body: BodyBytes): void {
    const { image, code } = this;
    code.reset();
    this.#analysis?.plan.reset(this.#tape.changes);
    image.leaveOut();
    this.isCompact = true;
    this.#emit(body);
    this.isCompact = false;
  }

  /** A function that neither writes nor loops needs no plan. */
  #analyse(functionIndex: number): void {
    const tape = this.#tape;
    const isPlanned = this.image.accesses === 'all' || tape.writes > 0 || tape.loops > 0;
    if (isPlanned) this.#analysis?.run(functionIndex, tape);
    else this.#analysis?.plan.reset(0);
  }

  /** The declarations of locals: the function's own, and the temporary ones. */
  #declare({ groups, groupsStart, start }: BodyBytes): void {
    const header = this.#header;
    header.pos = 0;
    header.u32(groups + this.#temps.length);
    header.copy(this.map.bytes, groupsStart, start);
    for (const type of this.#temps) {
      header.byte(1);
      header.byte(type);
    }
  }

  /** Copies the module up to `at`, and goes on with it there or where replaced() says. */
  flush(at: number): void {
    if (at > this.#run) this.code.copy(this.map.bytes, this.#run, at);
    this.#run = at;
  }

  /** The instruction at hand is replaced by what was emitted. */
  replaced(): void {
    this.#run = this.end;
  }

  /** The access at hand, with another offset and its own alignment. */
  emitAccess(offset: number): void {
    const { code } = this;
    code.op(this.instruction);
    code.u32(this.align);
    code.u32(offset);
    const kind = accessKind(this.access);
    if (kind === LANE_LOAD || kind === LANE_STORE) code.byte(this.lane);
  }

  #changes(): void {
    const { changed, changes, code, at } = this.#tape;
    for (let j = 0; j < changes; j++) {
      const i = changed[j]!;
      const instruction = code[i]!;
      this.instruction = instruction;
      this.at = at[i]!;
      this.end = at[i + 1]!;
      if (ACCESS[instruction] !== 0) this.#access(i);
      else this.#change(i);
    }
  }

  #access(i: number): void {
    const tape = this.#tape;
    const b = tape.b[i]!;
    this.access = ACCESS[this.instruction]!;
    this.offset = tape.a[i]! >>> 0;
    this.align = alignmentOf(b);
    this.lane = laneOf(b);
    this.image.lowerAccess(this);
  }

  #change(i: number): void {
    const a = this.#tape.a[i]!;
    switch (this.instruction) {
      case OP.block:
      case OP.loop:
      case OP.if:
        return this.#block(a);
      case OP.end:
        return this.#endBlock();
      case OP.br:
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
        if (this.#wrapped > 0) this.#branch(a);
        return;
      case OP.brTable:
        if (this.#wrapped > 0) this.#branchTable(a, this.#tape.b[i]!);
        return;
      case OP.call:
        this.image.growth.call(a);
        return this.#renumbered(this.image.functionIndex(a));
      case OP.returnCall:
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        return this.#tailCall(a);
      case OP.refFunc:
        this.image.valueFunctions.add(a);
        this.image.referenced.add(this.image.referenceIndex(a));
        return this.#renumbered(this.image.referenceIndex(a));
      case OP.globalGet:
      case OP.globalSet:
        if (a >= this.map.importedGlobals) this.#renumbered(this.image.globalIndex(a));
        return;
      case OP.memorySize:
        this.image.growth.size();
        return this.#memorySize();
      case OP.memoryGrow:
        this.image.growth.grow();
        return this.#memorySize();
      default:
        if (this.instruction >= OP.memoryInit) this.#bulk(a);
        else this.#exception(a);
    }
  }

  /** Tail calls make loops, which must poll. */
  #tailCall(a: number): void {
    const { image } = this;
    this.flush(this.at);
    image.pollAtTailCall(this);
    if (this.instruction !== OP.returnCall) return;
    image.growth.call(a);
    this.#renumbered(image.functionIndex(a));
  }

  #exception(a: number): void {
    switch (this.instruction) {
      case OP.try:
        this.image.handlers = LEGACY;
        this.#labels.push(++this.#level);
        return;
      case OP.tryTable:
        this.image.handlers = STANDARD;
        if (this.#wrapped > 0) this.#tryTable(a);
        this.#labels.push(++this.#level);
        return;
      case OP.delegate:
        this.#endBlock();
        if (this.#wrapped > 0) this.#branch(a);
        return;
      case OP.tableSet:
        this.image.changesTables = true;
        return;
      default: // throw, throw_ref, rethrow
        this.image.lowerThrow(this);
        if (this.instruction === OP.rethrow && this.#wrapped > 0) this.#branch(a);
    }
  }

  /** The block's beginning with its clauses, whose labels are those outside of it. */
  #tryTable(first: number): void {
    const { bytes } = this.map;
    const { labels } = this.#tape;
    const reader = new Reader(bytes, this.at + 1, this.end);
    if (bytes[reader.pos] === REF || bytes[reader.pos] === REF_NULL) reader.byte();
    reader.s32();
    this.flush(reader.pos);
    const count = labels[first]!;
    this.code.u32(count);
    for (let at = first + 1; at <= first + 3 * count; at += 3) {
      const kind = labels[at]!;
      this.code.byte(kind);
      if (kind < CATCH_ALL) this.code.u32(labels[at + 1]!);
      this.#label(labels[at + 2]!);
    }
    this.replaced();
  }

  /** The same instruction with another index. */
  #renumbered(index: number): void {
    this.flush(this.at);
    this.code.op(this.instruction);
    this.code.u32(index);
    this.replaced();
  }

  #memorySize(): void {
    this.flush(this.at);
    this.image.lowerMemorySize(this, this.instruction);
    this.replaced();
  }

  /** Instructions on segments and ranges, of memory and of tables. */
  #bulk(a: number): void {
    const { image, instruction } = this;
    switch (instruction) {
      case OP.memoryInit:
      case OP.memoryCopy:
      case OP.memoryFill:
        this.flush(this.at);
        image.lowerBulk(this, a);
        return this.replaced();
      case OP.dataDrop:
        return image.lowerDrop(this, DATA, a);
      case OP.elemDrop:
        return image.lowerDrop(this, ELEMENTS, a);
      default: // table.init, copy, grow, size, fill
        if (instruction !== OP.tableSize) image.changesTables = true;
        return image.lowerTable(this, a);
    }
  }

  #block(params: number): void {
    const { image, code } = this;
    const { bytes } = this.map;
    const isLoop = this.instruction === OP.loop;
    const wrap = isLoop && params === 0 && !this.isCompact && image.wrapsLoop(this);
    if (wrap) {
      const type = this.at + 1;
      this.flush(this.at);
      code.op(OP.loop);
      code.copy(bytes, type, this.end);
      image.outerHead(this);
      code.op(OP.loop);
      code.copy(bytes, type, this.end);
      image.innerHead(this);
      this.replaced();
      this.#wrapped++;
    } else if (isLoop && image.choices.safepoints) {
      this.flush(this.end);
      image.pollAtHead(this);
    }
    this.#level += wrap ? 2 : 1;
    this.#labels.push(this.#level);
    if (isLoop) this.loop++;
  }

  #endBlock(): void {
    this.image.leaveBlock(this);
    const label = this.#labels.pop()!;
    const enclosing = this.#labels[this.#labels.length - 1] ?? 0;
    if (label === enclosing + 2) {
      this.flush(this.end);
      this.code.op(OP.end);
      this.#wrapped--;
    }
    this.#level = enclosing;
  }

  /** Emits a label, which may be deeper than it was. */
  #label(label: number): void {
    this.code.u32(this.#level - this.#labels[this.#labels.length - 1 - label]!);
  }

  #branch(label: number): void {
    this.flush(this.at);
    this.code.op(this.instruction);
    this.#label(label);
    this.replaced();
  }

  #branchTable(first: number, count: number): void {
    this.flush(this.at);
    this.code.op(OP.brTable);
    this.code.u32(count - 1);
    for (let i = 0; i < count; i++) this.#label(this.#tape.labels[first + i]!);
    this.replaced();
  }
}
