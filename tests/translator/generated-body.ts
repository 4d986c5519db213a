// The bodies of generated functions (generator.ts): loops that walk memory, stores of every width (aligned or
// not, through one base or many), stack frames, calls, joins, bulk operations, atomics and vectors. They end
// by themselves: every loop counts down, functions call only later ones, and one fuel counter bounds it all.

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
const MASK = 0x7fff; // addresses before offsets
const SP = 0;
const FUEL = 1;
const ACCUMULATOR = 2; // an i32 global
const TICK = 0; // the import

// Locals of every function: two parameters, then these.
const POINTERS = [2, 3, 4]; // i32, masked addresses
const INTEGERS = [0, 1, 5, 6];
const COUNTERS = [7, 8, 9, 10]; // of loops, by nesting
const FRAME = 11;
const LONG = 12;
const DOUBLE = 13;
const VECTOR = 14;
const BASES = [15, 16]; // i32, masked addresses that stay, whatever loops there are
export const LOCALS = [I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I64, F64, V128, I32, I32];

export class Generator {
  readonly code = new Code(4096);
  readonly random: Random;
  #index: number;
  #loops = 0;
  #frame = false;
  #budget = 160;
  #labels: boolean[] = []; // open blocks; true = a branch there leaves a loop or block without values

  constructor(random: Random, index: number) {
    this.random = random;
    this.#index = index;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random(items.length)]!;
  }

  body(): void {
    const { code } = this;
    this.#frame = this.random(2) === 0;
    const size = this.pick([16, 32, 64, 160]);
    if (this.#frame) {
      code.globalGet(SP).i32(size).op(OP.i32Sub).tee(FRAME).globalSet(SP);
    }
    for (const pointer of [...POINTERS, ...BASES]) {
      this.integer(2);
      code.i32(MASK).op(OP.i32And).set(pointer);
    }
    for (let i = 0; i < 4; i++) this.statements(6);
    if (this.#frame) code.get(FRAME).i32(size).op(OP.i32Add).globalSet(SP);
    this.integer(2);
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
        if (this.#frame) return void code.get(FRAME);
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

  statements(count: number): void {
    for (let i = this.random(count) + 1; i > 0 && this.#budget > 0; i--) this.statement();
  }

  statement(): void {
    const { code } = this;
    this.#budget--;
    switch (this.random(22)) {
      case 0:
      case 1:
      case 2:
        return this.loop();
      case 3:
        this.integer(1);
        code.if();
        this.#labels.push(true);
        this.statements(3);
        if (this.random(2) === 0) {
          code.else();
          this.statements(3);
        }
        this.#labels.pop();
        return void code.end();
      case 4:
        code.block();
        this.#labels.push(true);
        this.statements(4);
        this.#labels.pop();
        return void code.end();
      case 5:
      case 6:
        return this.branch();
      case 7:
        return this.call();
      case 8:
        return this.bulk();
      case 9:
        this.integer(2);
        return void code.set(this.pick(INTEGERS));
      case 10:
        this.integer(1);
        return void code.i32(MASK).op(OP.i32And).set(this.pick(POINTERS));
      case 11:
        return this.values();
      case 12: {
        const pointer = this.pick(POINTERS);
        code.get(pointer).i32(this.random(64)).op(OP.i32Add).set(pointer);
        return;
      }
      default:
        for (let i = this.random(4); i >= 0; i--) this.store();
    }
  }

  loop(): void {
    const { code } = this;
    if (this.#loops >= COUNTERS.length) return this.store();
    const counter = COUNTERS[this.#loops++]!;
    code.i32(this.pick([1, 3, 20, 150])).set(counter);
    const walker = this.pick(POINTERS);
    const step = this.pick([0, 1, 4, 8, 24, 100, -4, -16, 1500]);
    const exits = this.random(3) === 0;
    if (exits) {
      code.block();
      this.#labels.push(true);
    }
    code.loop();
    this.#labels.push(false);
    if (exits && this.random(2) === 0) code.get(walker).i32(MASK).op(OP.i32GtU).brIf(1);
    if (this.random(2) === 0) {
      code
        .get(this.pick(BASES))
        .memory(0x28, 2, this.random(3) * 4)
        .set(this.pick(INTEGERS));
    }
    if (this.random(2) === 0) {
      code.get(walker);
      this.integer(1);
      code.memory(0x36, 2, this.random(3) * 4);
    }
    this.statements(3);
    code.get(walker).i32(step).op(OP.i32Add);
    if (this.random(3) === 0) code.i32(MASK).op(OP.i32And);
    code.set(walker);
    code.globalGet(FUEL).i32(1).op(OP.i32Sub).globalSet(FUEL);
    code.get(counter).i32(1).op(OP.i32Sub).tee(counter).i32(0).op(0x4a);
    code.globalGet(FUEL).i32(0).op(0x4a).op(OP.i32And).brIf(0);
    this.#labels.pop();
    code.end();
    if (exits) {
      this.#labels.pop();
      code.end();
    }
    this.#loops--;
    code.get(walker).i32(MASK).op(OP.i32And).set(walker);
  }

  branch(): void {
    const { code } = this;
    const targets: number[] = [];
    this.#labels.forEach((open, i) => {
      if (open) targets.push(this.#labels.length - 1 - i);
    });
    if (targets.length === 0) return this.store();
    if (this.random(4) === 0) {
      code.block();
      this.integer(1);
      code.i32(3).op(OP.i32And).ops(0x0e, 2, 0);
      code.u32(this.pick(targets) + 1);
      code.u32(0);
      code.end();
      return;
    }
    this.integer(1);
    if (this.random(3) === 0)
      code
        .if()
        .br(this.pick(targets) + 1)
        .end();
    else code.brIf(this.pick(targets));
  }

  call(): void {
    const { code } = this;
    if (this.#index + 1 < FUNCTIONS && this.random(3) > 0) {
      this.integer(1);
      this.integer(1);
      const callee = this.#index + 1 + this.random(FUNCTIONS - this.#index - 1);
      if (this.random(3) === 0) code.i32(callee).ops(OP.call + 1, 1, 0);
      else code.call(callee + 1);
      code.set(this.pick(INTEGERS));
    } else code.call(TICK);
  }

  bulk(): void {
    const { code } = this;
    this.address();
    switch (this.random(3)) {
      case 0:
        code.i32(this.random(256)).i32(this.random(9000)).ops(0xfc, 11, 0);
        return;
      case 1:
        this.address();
        if (this.random(2) === 0) code.i32(this.random(9000));
        else code.get(this.pick(INTEGERS)).i32(63).op(OP.i32And);
        code.ops(0xfc, 10, 0, 0);
        return;
      default:
        code.i32(this.random(10)).i32(this.random(40)).ops(0xfc, 8, 0, 0);
    }
  }

  /** Several values through a block, a loop with parameters, a long, a vector. */
  values(): void {
    const { code } = this;
    this.integer(1);
    this.integer(1);
    if (this.random(2) === 0) {
      code.ops(OP.loop, 2).op(OP.i32Add).i32(1).end(); // (i32 i32) -> (i32 i32)
    } else code.ops(OP.block, 2).op(OP.i32Xor).i32(7).end();
    code.op(OP.i32Add).set(this.pick(INTEGERS));
    code.get(LONG).get(this.pick(INTEGERS)).op(OP.i64ExtendI32U).op(OP.i64Add).set(LONG);
    code.get(this.pick(INTEGERS)).op(0xb7).set(DOUBLE);
    code.get(this.pick(INTEGERS)).ops(0xfd, 17).set(VECTOR);
  }
}
