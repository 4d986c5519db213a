// An assembler for the instructions that translation adds: a writer that emits them by name, and
// records the places of epoch table addresses, fences, limits, ordered loads and unlikely branches.

import { F32, F64, I32, I64, OP, prefixOf, subOf, V128, VOID } from './opcode.ts';
import { Writer } from './writer.ts';

/** Load and store of a whole value of each type. */
const WHOLE: Readonly<Record<number, readonly [load: number, store: number]>> = {
  [I32]: [OP.i32Load, OP.i32Store],
  [I64]: [OP.i64Load, OP.i64Store],
  [F32]: [OP.f32Load, OP.f32Store],
  [F64]: [OP.f64Load, OP.f64Store],
  [V128]: [OP.v128Load, OP.v128Store],
};

export class Code extends Writer {
  /** Places of the epoch table's address: five-byte LEB128 each. */
  relocations: number[] = [];
  /** Places of `atomic.fence`: three bytes each, dispensable on a strongly ordered processor. */
  fences: number[] = [];
  /** Places of the highest address of stores without a closer look: five-byte LEB128 each. */
  limits: number[] = [];
  /** Places of loads that stay in order: four bytes each, `i32.atomic.load` or, with a `nop`, `i32.load`. */
  ordered: number[] = [];
  /** Places of `if` and `br_if` that are almost never taken. */
  unlikely: number[] = [];

  reset(): void {
    this.pos = 0;
    this.relocations.length = 0;
    this.fences.length = 0;
    this.limits.length = 0;
    this.ordered.length = 0;
    this.unlikely.length = 0;
  }

  /** An instruction by its code (opcode.ts), without what follows it. */
  op(instruction: number): this {
    if (instruction < 0x100) this.byte(instruction);
    else {
      this.byte(prefixOf(instruction));
      this.u32(subOf(instruction));
    }
    return this;
  }

  /** The same, one byte. */
  #plain(opcode: number, immediate: number): this {
    this.byte(opcode);
    this.u32(immediate);
    return this;
  }

  get(local: number): this {
    return this.#plain(OP.localGet, local);
  }
  set(local: number): this {
    return this.#plain(OP.localSet, local);
  }
  tee(local: number): this {
    return this.#plain(OP.localTee, local);
  }
  globalGet(index: number): this {
    return this.#plain(OP.globalGet, index);
  }
  globalSet(index: number): this {
    return this.#plain(OP.globalSet, index);
  }
  call(index: number): this {
    return this.#plain(OP.call, index);
  }
  br(depth: number): this {
    return this.#plain(OP.br, depth);
  }
  brIf(depth: number): this {
    return this.#plain(OP.brIf, depth);
  }

  i32(value: number): this {
    this.byte(OP.i32Const);
    this.s32(value);
    return this;
  }

  /** An i64 constant that fits 32 bits. */
  i64(value: number): this {
    this.byte(OP.i64Const);
    this.s32(value);
    return this;
  }

  block(type: number = VOID): this {
    this.byte(OP.block);
    this.byte(type);
    return this;
  }
  loop(): this {
    this.byte(OP.loop);
    this.byte(VOID);
    return this;
  }
  if(type: number = VOID): this {
    this.byte(OP.if);
    this.byte(type);
    return this;
  }
  /** An `if` whose type is a function type. */
  ifOf(type: number): this {
    this.byte(OP.if);
    this.s32(type);
    return this;
  }
  unlikelyIf(type: number = VOID): this {
    this.unlikely.push(this.pos);
    return this.if(type);
  }
  unlikelyBrIf(depth: number): this {
    this.unlikely.push(this.pos);
    return this.brIf(depth);
  }
  else(): this {
    return this.op(OP.else);
  }
  end(): this {
    return this.op(OP.end);
  }

  /** A load or store with its alignment (log2) and offset. */
  memory(instruction: number, align: number, offset = 0): this {
    this.op(instruction);
    this.u32(align);
    this.u32(offset);
    return this;
  }

  /** A load or store of a whole value of the type, at an address without alignment. */
  loadValue(type: number, offset = 0): this {
    return this.#value(type, 0, offset);
  }
  storeValue(type: number, offset = 0): this {
    return this.#value(type, 1, offset);
  }
  #value(type: number, which: number, offset: number): this {
    return this.memory(WHOLE[type]![which]!, 0, offset);
  }

  /** memory.fill, memory.copy and memory.init within the image's memory. */
  memoryFill(): this {
    this.op(OP.memoryFill).byte(0);
    return this;
  }
  memoryCopy(): this {
    this.op(OP.memoryCopy).ops(0, 0);
    return this;
  }
  memoryInit(segment: number): this {
    this.op(OP.memoryInit).u32(segment);
    this.byte(0);
    return this;
  }

  /** Page number on the stack -> its byte in the epoch table. */
  epochByte(): this {
    this.byte(OP.i32Load8U);
    this.byte(0);
    this.relocations.push(this.pos);
    this.padded(0);
    return this;
  }

  /** The limit as an i32 constant. */
  limit(): this {
    this.byte(OP.i32Const);
    this.limits.push(this.pos);
    this.padded(0);
    return this;
  }

  /** i32.atomic.load, or i32.load where the processor and the engine keep loads in order. */
  orderedLoad(): this {
    this.ordered.push(this.pos);
    return this.memory(OP.i32AtomicLoad, 2);
  }

  fence(): this {
    this.fences.push(this.pos);
    this.op(OP.atomicFence).byte(0);
    return this;
  }
}
