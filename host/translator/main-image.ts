// The main image: loads stay as they are, every store makes sure of its page first.
//
//   if (T[address >>> 12] != view | address & (width - 1)) ensure(address, width - 1)
//   store
//
// T is the epoch table, `view` the vCPU's 8-bit epoch. `ensure` looks again, page by page, and calls the kernel's
// write fault where needed; so a store that straddles two pages, which is always misaligned, checks both. An address
// whose offset leaves 32 bits may have the wrong page checked: the store itself traps then.

import { VCPU_PENDING, VCPU_VIEW } from '../../assembly/abi/vcpu-block.ts';
import type { Body } from './body.ts';
import { Code, OP } from './code.ts';
import { type Choices, Image, i32s, type KernelCall } from './image.ts';
import type { WriteStatistics } from './index.ts';
import type { ModuleMap } from './module.ts';
import {
  ATOMIC_LOAD,
  ATOMIC_STORE,
  accessKind,
  accessType,
  accessWidth,
  CMPXCHG,
  I32,
  LANE_LOAD,
  LOAD,
  NOTIFY,
  RMW,
  WAIT,
} from './opcode.ts';

const ADDRESS = 0; // slots of Body.temp
const VALUE = 1;
const SECOND = 2;
const CHUNK = 65536; // bytes of a long fill or copy between two safepoints

export class MainImage extends Image {
  readonly kernelCalls: readonly KernelCall[] = [
    ['fault', 1, 0],
    ['faultRange', 2, 0],
    ['safepoint', 0, 0],
    ['enter', 0, 0],
    ['leave', 0, 0],
    ['size', 0, 1],
    ['grow', 1, 1],
  ];
  readonly registerName = 'ringzero.view';
  #writes = 0;
  #checks = 0;
  #polls = 0;
  #loops = 0;

  constructor(map: ModuleMap, choices: Choices) {
    super(map, choices);
    this.index();
  }

  statistics(): WriteStatistics {
    return { writes: this.#writes, checks: this.#checks, polls: this.#polls, loops: this.#loops };
  }

  refresh(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_VIEW);
    code.globalSet(this.registerGlobal);
  }

  lowerLoop(body: Body): void {
    this.#loops++;
    this.#polls++;
    this.poll(body.code);
  }

  poll(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_PENDING).unlikelyIf();
    code.call(this.pollRoutine()).end();
  }

  /** The slow path of a poll: the kernel's safepoint, then the view anew. */
  pollRoutine(): number {
    return this.routine('ringzero.poll', [], [], (code) => {
      code.call(this.kernel('safepoint'));
      this.refresh(code);
      return [];
    });
  }

  lowerAccess(body: Body, at: number): void {
    const kind = accessKind(body.access);
    if (kind === LOAD || kind === LANE_LOAD || kind === ATOMIC_LOAD) return;
    if (kind === WAIT || kind === NOTIFY) return;
    body.flush(at);
    this.#writes++;
    this.#checks++;
    const { code, offset } = body;
    const type = accessType(body.access);
    const second = kind === CMPXCHG ? body.temp(type, SECOND) : 0;
    const value = body.temp(type, VALUE);
    const address = body.temp(I32, ADDRESS);
    if (kind === CMPXCHG) code.set(second);
    code.set(value).tee(address);
    const width = accessWidth(body.access);
    const atomic = kind === ATOMIC_STORE || kind === RMW || kind === CMPXCHG;
    this.#check(code, address, offset, atomic ? 1 : width);
    code.get(value);
    if (kind === CMPXCHG) code.get(second);
    body.emitAccess(offset);
    body.replaced();
  }

  /** Makes sure of [address + offset, + width). A width of 1 stands for an access that cannot straddle. */
  #check(code: Code, address: number, offset: number, width: number): void {
    const effective = (): void => {
      code.get(address);
      if (offset !== 0) code.i32(offset).op(OP.i32Add);
    };
    effective();
    code.i32(12).op(OP.i32ShrU).epochByte().globalGet(this.registerGlobal);
    if (width > 1) {
      code.op(OP.i32Xor);
      effective();
      code
        .i32(width - 1)
        .op(OP.i32And)
        .op(OP.i32Or);
    } else code.op(OP.i32Ne);
    code.unlikelyIf();
    effective();
    code
      .i32(width - 1)
      .call(this.ensure())
      .end();
  }

  /** ensure(address, last): the pages of the bytes [address, address + last] become writable; last < 4096. */
  ensure(): number {
    return this.routine('ringzero.ensure', i32s(2), [], (code) => {
      const page = (last: boolean): void => {
        code.get(0).i32(12).op(OP.i32ShrU).epochByte().globalGet(this.registerGlobal).op(OP.i32Ne);
        code.if().get(0).call(this.kernel('fault')).end();
        if (last) return;
        code.get(0).get(1).op(OP.i32Add).tee(1).i32(12).op(OP.i32ShrU);
        code.get(0).i32(12).op(OP.i32ShrU).op(OP.i32LeU).if().op(OP.return).end();
        code.get(1).set(0);
      };
      page(false);
      page(true);
      return [];
    });
  }

  /** ensureRange(address, bytes): as ensure, for any number of bytes. */
  ensureRange(): number {
    return this.routine('ringzero.ensureRange', i32s(2), [], (code) => {
      const [address, bytes, page, last] = [0, 1, 2, 3];
      code.get(bytes).op(OP.i32Eqz).if().op(OP.return).end();
      code.get(address).get(bytes).op(OP.i32Add).i32(1).op(OP.i32Sub).tee(last);
      code.get(address).op(OP.i32LtU).if().op(OP.return).end(); // leaves 32 bits: the instruction traps
      code.get(address).i32(12).op(OP.i32ShrU).set(page);
      code.get(last).i32(12).op(OP.i32ShrU).set(last);
      code.loop();
      code.get(page).epochByte().globalGet(this.registerGlobal).op(OP.i32Ne).if();
      code.get(address).get(bytes).call(this.kernel('faultRange')).op(OP.return).end();
      code.get(page).get(last).op(OP.i32LtU).if();
      code.get(page).i32(1).op(OP.i32Add).set(page).br(1).end();
      code.end();
      return i32s(2);
    });
  }

  lowerBulk(body: Body, sub: number, segment: number): void {
    body.code.call(sub === 8 ? this.#init(segment) : sub === 10 ? this.#copy() : this.#fill());
  }

  #fill(): number {
    return this.routine('ringzero.fill', i32s(3), [], (code) => {
      const run = (bytes: () => void): void => {
        code.get(0);
        bytes();
        code.call(this.ensureRange()).get(0).get(1);
        bytes();
        code.ops(0xfc, 11, 0);
      };
      this.#chunks(code, () => {
        run(() => code.i32(CHUNK));
        code.get(0).i32(CHUNK).op(OP.i32Add).set(0);
      });
      run(() => code.get(2));
      return [];
    });
  }

  #init(segment: number): number {
    return this.routine(`ringzero.init${segment}`, i32s(3), [], (code) => {
      const run = (bytes: () => void): void => {
        code.get(0);
        bytes();
        code.call(this.ensureRange()).get(0).get(1);
        bytes();
        code.ops(0xfc, 8);
        code.u32(segment);
        code.byte(0);
      };
      this.#chunks(
        code,
        () => {
          run(() => code.i32(CHUNK));
          code.get(0).i32(CHUNK).op(OP.i32Add).set(0);
          code.get(1).i32(CHUNK).op(OP.i32Add).set(1);
        },
        segment,
      );
      run(() => code.get(2));
      return [];
    });
  }

  #copy(): number {
    return this.routine('ringzero.copy', i32s(3), [], (code) => {
      const run = (bytes: () => void): void => {
        code.get(0);
        bytes();
        code.call(this.ensureRange()).get(0).get(1);
        bytes();
        code.ops(0xfc, 10, 0, 0);
      };
      this.#chunks(
        code,
        () => {
          // Overlapping and upwards: the end goes first.
          code.get(0).get(1).op(OP.i32Sub).get(2).op(OP.i32LtU).if();
          code.get(0).get(2).op(OP.i32Add).i32(CHUNK).op(OP.i32Sub).tee(3).i32(CHUNK);
          code.call(this.ensureRange()).get(3);
          code.get(1).get(2).op(OP.i32Add).i32(CHUNK).op(OP.i32Sub).i32(CHUNK).ops(0xfc, 10, 0, 0);
          code.else();
          run(() => code.i32(CHUNK));
          code.get(0).i32(CHUNK).op(OP.i32Add).set(0);
          code.get(1).i32(CHUNK).op(OP.i32Add).set(1);
          code.end();
        },
        -1,
      );
      run(() => code.get(2));
      return i32s(1);
    });
  }

  /**
   * While more than CHUNK bytes are left (local 2), does one chunk and polls; what is left is the caller's. A range
   * that leaves memory or segment traps before anything is written. `source`: -2 none, -1 memory, else a segment.
   */
  #chunks(code: Code, chunk: () => void, source = -2): void {
    code.get(2).i32(CHUNK).op(OP.i32GtU).if();
    this.trapOutside(code, 0, 2);
    if (source === -1) this.trapOutside(code, 1, 2);
    if (source >= 0) this.trapOutsideSegment(code, source);
    code.loop();
    chunk();
    code.get(2).i32(CHUNK).op(OP.i32Sub).set(2);
    if (this.choices.safepoints) this.poll(code);
    code.get(2).i32(CHUNK).op(OP.i32GtU).brIf(0);
    code.end().end();
  }
}
