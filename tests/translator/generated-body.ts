// The bodies of generated functions (generator.ts): loops that walk memory, stack frames, calls, joins, bulk
// operations, exceptions and tail calls. They end by themselves: every loop counts down, functions call only
// later ones, and one fuel counter bounds it all.

import { EXNREF, I32, OP, VOID } from '../../host/translator/opcode.ts';
import {
  Accesses,
  BASES,
  COUNTERS,
  DOUBLE,
  FRAME,
  FUEL,
  FUNCTIONS,
  INTEGERS,
  LONG,
  MASK,
  POINTERS,
  type Random,
  SP,
  TICK,
  VECTOR,
} from './generated-accesses.ts';

/** How exceptions are caught: an engine takes one way in a module, and some engines only the first. */
export type Handlers = 'none' | 'legacy' | 'standard';

const VALUE_TAG = 0; // with an i32
const PLAIN_TAG = 1;
export const TABLES = 2;

export class Generator extends Accesses {
  #index: number;
  #handlers: Handlers;
  #loops = 0;
  #budget = 160;
  #labels: boolean[] = []; // open blocks; true = a branch there leaves a loop or block without values

  constructor(random: Random, index: number, handlers: Handlers) {
    super(random);
    this.#index = index;
    this.#handlers = handlers;
  }

  body(): void {
    const { code } = this;
    if (this.random(2) === 0) {
      this.frame = this.pick([16, 32, 64, 160]);
      code.globalGet(SP).i32(this.frame).op(OP.i32Sub).tee(FRAME).globalSet(SP);
    }
    for (const pointer of [...POINTERS, ...BASES]) {
      this.integer(2);
      code.i32(MASK).op(OP.i32And).set(pointer);
    }
    for (let i = 0; i < 4; i++) this.statements(6);
    this.#leave();
    this.integer(2);
  }

  #leave(): void {
    if (this.frame > 0) this.code.get(FRAME).i32(this.frame).op(OP.i32Add).globalSet(SP);
  }

  statements(count: number): void {
    for (let i = this.random(count) + 1; i > 0 && this.#budget > 0; i--) this.statement();
  }

  statement(): void {
    const { code } = this;
    this.#budget--;
    switch (this.random(this.#handlers === 'none' ? 22 : 26)) {
      case 22:
        return this.tailCall();
      case 23:
        return this.throws();
      case 24:
      case 25:
        return this.#handlers === 'legacy' ? this.tries() : this.tryTable();
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
      if (this.random(3) === 0) code.i32(callee).ops(OP.callIndirect, 1, this.random(TABLES));
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

  /** Something seldom. */
  #seldom(then: () => void): void {
    const { code } = this;
    this.integer(1);
    code.i32(15).op(OP.i32And).op(OP.i32Eqz).if();
    then();
    code.end();
  }

  /** A later function instead of the rest of this one. */
  tailCall(): void {
    const { code } = this;
    if (this.#index + 1 >= FUNCTIONS) return this.store();
    const callee = this.#index + 1 + this.random(FUNCTIONS - this.#index - 1);
    this.#seldom(() => {
      this.#leave();
      this.integer(1);
      this.integer(1);
      if (this.random(2) === 0) code.op(OP.returnCall).u32(callee + 1);
      else code.i32(callee).ops(OP.returnCallIndirect, 1, this.random(TABLES));
    });
  }

  throws(): void {
    const { code } = this;
    this.#seldom(() => {
      const hasValue = this.random(2) === 0;
      if (hasValue) this.integer(1);
      code.op(OP.throw).u32(hasValue ? VALUE_TAG : PLAIN_TAG);
    });
  }

  /** What a handler does first: the stack is as it was. */
  #caught(): void {
    if (this.frame > 0) this.code.get(FRAME).globalSet(SP);
  }

  tries(): void {
    const { code } = this;
    code.ops(OP.try, VOID);
    this.#labels.push(true);
    this.statements(4);
    const kind = this.random(4);
    if (kind === 3) {
      this.#labels.pop();
      code.op(OP.delegate).u32(this.random(this.#labels.length + 1));
      return;
    }
    if (kind !== 1) {
      code.op(OP.catch).u32(VALUE_TAG);
      code.set(this.pick(INTEGERS));
      this.#handler();
    }
    if (kind !== 0) {
      code.op(OP.catchAll);
      this.#handler();
    }
    this.#labels.pop();
    code.end();
  }

  #handler(): void {
    this.#caught();
    this.statements(3);
    if (this.random(3) === 0) this.#seldom(() => this.code.op(OP.rethrow).u32(1));
  }

  tryTable(): void {
    const { code } = this;
    const kind = this.random(4); // of a clause, as in the binary; no clause with a value and a reference
    const hasValue = kind === 0;
    const hasReference = kind === 3;
    code.block(hasValue ? I32 : hasReference ? EXNREF : VOID);
    this.#labels.push(kind === 2);
    code.ops(OP.tryTable, VOID, kind === 1 ? 0 : 1);
    if (hasValue) code.ops(kind, VALUE_TAG, 0);
    else if (kind > 1) code.ops(kind, 0);
    this.#labels.push(true);
    this.statements(4);
    this.#labels.pop();
    code.end();
    if (hasValue) code.i32(5);
    if (hasReference) code.ops(OP.refNull, EXNREF);
    this.#labels.pop();
    code.end();
    this.#caught();
    if (hasValue) code.set(this.pick(INTEGERS));
    if (hasReference) {
      this.integer(1);
      code.i32(3).op(OP.i32And).op(OP.i32Eqz).ops(OP.if, 4); // (exnref) -> ()
      code.op(OP.throwRef).else().op(OP.drop).end();
    }
  }
}
