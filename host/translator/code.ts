// An assembler for the instructions that translation adds: a writer that speaks opcodes, and remembers where it
// left the address of the epoch table, fences, and branches that are seldom taken.

import { F32, F64, I32, I64, VOID } from './opcode.ts';
import { Writer } from './writer.ts';

/** Opcodes by their text names, as far as translation emits them. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8U: 0x2d,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i32GeU: 0x4f,
  i64GtU: 0x56,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Or: 0x84,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i32WrapI64: 0xa7,
  i64ExtendI32U: 0xad,
} as const;

/** Whole-value load and store opcode of each scalar type. */
const SCALAR: Record<number, readonly [number, number]> = {
  [I32]: [OP.i32Load, OP.i32Store],
  [I64]: [OP.i64Load, OP.i64Store],
  [F32]: [OP.f32Load, OP.f32Store],
  [F64]: [OP.f64Load, OP.f64Store],
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

  op(opcode: number): this {
    this.byte(opcode);
    return this;
  }

  #index(opcode: number, index: number): this {
    this.byte(opcode);
    this.u32(index);
    return this;
  }

  get(local: number): this {
    return this.#index(0x20, local);
  }
  set(local: number): this {
    return this.#index(0x21, local);
  }
  tee(local: number): this {
    return this.#index(0x22, local);
  }
  globalGet(index: number): this {
    return this.#index(OP.globalGet, index);
  }
  globalSet(index: number): this {
    return this.#index(OP.globalSet, index);
  }
  call(index: number): this {
    return this.#index(OP.call, index);
  }
  br(depth: number): this {
    return this.#index(OP.br, depth);
  }
  brIf(depth: number): this {
    return this.#index(OP.brIf, depth);
  }

  i32(value: number): this {
    this.byte(0x41);
    this.s32(value);
    return this;
  }

  /** An i64 constant that fits 32 bits. */
  i64(value: number): this {
    this.byte(0x42);
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
  memory(opcode: number, align: number, offset = 0): this {
    this.byte(opcode);
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
    const pair = SCALAR[type];
    if (pair) return this.memory(pair[which]!, 0, offset);
    this.byte(0xfd);
    this.u32(which === 0 ? 0 : 11);
    this.u32(0);
    this.u32(offset);
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
    this.byte(0x41);
    this.limits.push(this.pos);
    this.padded(0);
    return this;
  }

  /** i32.atomic.load, or i32.load where the processor and the engine keep loads in order. */
  orderedLoad(): this {
    this.ordered.push(this.pos);
    return this.atomic(0x10, 2);
  }

  fence(): this {
    this.fences.push(this.pos);
    this.ops(0xfe, 0x03, 0x00);
    return this;
  }

  /** `atomic` instruction of 0xfe with its natural alignment. */
  atomic(sub: number, align: number, offset = 0): this {
    this.byte(0xfe);
    this.u32(sub);
    this.u32(align);
    this.u32(offset);
    return this;
  }
}
