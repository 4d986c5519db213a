// What generated functions calculate and store: i32 expressions, addresses, stores of every width (aligned or
// not, through one base or many), atomics and vectors.

import { Code } from '../../host/translator/code.ts';
import { F64, I32, I64, OP, PAGE_ATOMIC, V128 } from '../../host/translator/opcode.ts';

export type Random = (below: number) => number;

/** xorshift32: the same seed, the same numbers. */
export function randomOf(seed: number): Random {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export const FUNCTIONS = 5;
export const MASK = 0x7fff; // addresses before offsets
export const SP = 0;
export const FUEL = 1;
const ACCUMULATOR = 2; // an i32 global
export const TICK = 0; // the import

// Locals of every function: two parameters, then these.
export const POINTERS = [2, 3, 4]; // i32, masked addresses
export const INTEGERS = [0, 1, 5, 6];
export const COUNTERS = [7, 8, 9, 10]; // of loops, by nesting
export const FRAME = 11;
export const LONG = 12;
export const DOUBLE = 13;
export const VECTOR = 14;
export const BASES = [15, 16]; // i32, masked addresses that stay, whatever loops there are
export const LOCALS = [I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I64, F64, V128, I32, I32];

export class Accesses {
  readonly code = new Code(4096);
  readonly random: Random;
  /** The function has a stack frame of that many bytes; 0 = none. */
  protected frame = 0;

  constructor(random: Random) {
    this.random = random;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random(items.length)]!;
  }

  /** An i32 expression. */
  integer(depth: number): void {
    const { code } = this;
    if (depth === 0 || this.random(3) === 0) {
      const choice = this.random(4);
      if (choice === 0) code.i32(this.random(70000));
      else if (choice === 1) code.globalGet(ACCUMULATOR);
      else code.get(this.pick([...INTEGERS, ...POINTERS]));
      return;
    }
    switch (this.random(5)) {
      case 0:
        this.address();
        code.memory(this.pick([0x28, 0x2c, 0x2d, 0x2e, 0x2f]), 0, this.random(64));
        return;
      case 1:
        this.integer(depth - 1);
        return void code.op(0x45);
      case 2:
        this.integer(depth - 1);
        code.if(I32);
        this.integer(depth - 1);
        code.else();
        this.integer(depth - 1);
        return void code.end();
      default:
        this.integer(depth - 1);
        this.integer(depth - 1);
        code.op(this.pick([0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x46, 0x48]));
    }
  }

  address(): void {
    const { code } = this;
    switch (this.random(13)) {
      case 10:
      case 11:
      case 12:
        return void code.get(this.pick(BASES));
      case 8:
      case 9:
        code.get(this.pick(COUNTERS));
        if (this.random(2) === 0) code.i32(this.random(4)).op(0x74);
        else code.i32(this.random(20)).op(0x6c);
        return void code.get(this.pick(POINTERS)).op(OP.i32Add);
      case 0:
        code.i32(this.random(MASK));
        return;
      case 1:
        if (this.frame > 0) return void code.get(FRAME);
        return void code.get(POINTERS[0]!);
      case 2:
        this.integer(1);
        return void code.i32(MASK).op(OP.i32And);
      case 3:
        code.get(this.pick(POINTERS)).i32(this.random(200)).op(OP.i32Add);
        return;
      default:
        code.get(this.pick(POINTERS));
    }
  }

  store(): void {
    const { code } = this;
    this.address();
    const offset = this.random(4) === 0 ? this.random(5000) : this.random(12) * 4;
    switch (this.random(9)) {
      case 0:
        code.get(LONG).memory(this.pick([0x37, 0x3c, 0x3d, 0x3e]), 0, offset);
        return;
      case 1:
        code.get(DOUBLE).memory(0x39, this.random(4), offset);
        return;
      case 2:
        code.get(VECTOR).ops(0xfd, 11, this.random(5));
        return void code.u32(offset);
      case 3: {
        const log = this.random(4);
        code.get(VECTOR).ops(0xfd, 88 + log, this.random(log + 1));
        code.u32(offset);
        return void code.byte(this.random(16 >> log));
      }
      case 4:
        return this.atomic(offset & ~7);
      default: {
        this.integer(1);
        const log = this.random(3);
        code.memory([0x3a, 0x3b, 0x36][log]!, this.random(log + 1), offset);
      }
    }
  }

  /** Address on the stack: aligned, then an atomic read-modify-write or store. */
  atomic(offset: number): void {
    const { code } = this;
    code.i32(-8).op(OP.i32And);
    switch (this.random(4)) {
      case 0:
        this.integer(1);
        code.memory(PAGE_ATOMIC + 0x17, 2, offset);
        return;
      case 1:
        code
          .get(LONG)
          .get(LONG)
          .memory(PAGE_ATOMIC + 0x49, 3, offset)
          .set(LONG);
        return;
      case 2:
        this.integer(1);
        code.memory(PAGE_ATOMIC + 0x2e, 0, offset).globalSet(ACCUMULATOR); // i32.atomic.rmw8.sub_u
        return;
      default:
        this.integer(1);
        code.memory(PAGE_ATOMIC + 0x1e, 2, offset).set(this.pick(INTEGERS));
    }
  }
}
