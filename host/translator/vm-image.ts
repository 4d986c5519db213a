// What both images for a VM have in common: vCPUs enter and leave them, poll for interrupts, and see
// memory of the kernel's size.

import { VCPU_PENDING } from '../../assembly/abi/vcpu-block.ts';
import type { Body } from './body.ts';
import type { Code } from './code.ts';
import { setDropped } from './drops.ts';
import { Image } from './image.ts';
import { ACCESS_EFFECT, accessKind, accessType, NOTIFY, WAIT } from './instructions.ts';
import { I32, I64, OP, prefixOf, subOf } from './opcode.ts';

export abstract class VmImage extends Image {
  /** A vCPU of this image may be the one that boots. */
  readonly boots: boolean = true;

  /** After a call that may have moved the view, and on entry. */
  abstract refresh(code: Code): void;
  /** Looks for interrupts. */
  abstract poll(code: Code): void;
  /** What else a vCPU does when it attaches. */
  attach(_code: Code): void {}
  /** What else it does after the registers are loaded. */
  loaded(_code: Code): void {}

  override lowerMemorySize({ code }: Body, instruction: number): void {
    code.call(this.kernel(instruction === OP.memorySize ? 'size' : 'grow'));
  }

  override lowerDrop(body: Body, space: number, segment: number): void {
    body.flush(body.at);
    setDropped(body.code, this.map, this.firstDropGlobal, space, segment);
  }

  override wrapsLoop(_body: Body): boolean {
    return this.choices.safepoints;
  }

  override pollAtHead(body: Body): void {
    if (body.isCompact) body.code.call(this.#pollRoutine());
    else this.poll(body.code);
  }

  /** A poll as a call. */
  #pollRoutine(): number {
    return this.routine('ringzero.look', [], [], (code) => {
      this.poll(code);
      return [];
    });
  }

  /** The access at hand as a call of a routine, which finds the operands in its first locals. */
  protected lowerCompactly(body: Body, emit: (code: Code) => void): void {
    const { code, instruction, offset, align, lane } = body;
    const kind = accessKind(body.access);
    const type = accessType(body.access);
    const [takes, gives] = ACCESS_EFFECT[kind]!;
    const params = [I32, type, kind === WAIT ? I64 : type].slice(0, takes);
    const results = gives === 0 ? [] : [kind === WAIT || kind === NOTIFY ? I32 : type];
    const which = `${prefixOf(instruction)}.${subOf(instruction)}`;
    const name = `ringzero.access${which}.${offset}.${align}.${lane}`;
    body.flush(body.at);
    const build = (routine: Code): number[] => {
      emit(routine);
      return [];
    };
    code.call(this.routine(name, params, results, build));
    body.replaced();
  }

  override pollAtTailCall(body: Body): void {
    if (this.choices.safepoints) this.poll(body.code);
  }

  override outerHead(body: Body): void {
    if (this.choices.safepoints) this.poll(body.code);
  }

  override innerHead(body: Body): void {
    if (this.choices.safepoints) this.breakIfPending(body.code);
  }

  protected breakIfPending(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_PENDING).unlikelyBrIf(1);
  }

  /** Traps unless [local start, + local bytes) is within guest memory. */
  trapOutside(code: Code, start: number, bytes: number): void {
    code.get(start).op(OP.i64ExtendI32U).get(bytes).op(OP.i64ExtendI32U).op(OP.i64Add);
    code.call(this.kernel('size')).op(OP.i64ExtendI32U).i64(16).op(OP.i64Shl);
    code.op(OP.i64GtU).if().op(OP.unreachable).end();
  }

  /**
   * Traps unless [local 1, + local 2) is within the data segment: an empty memory.init at the range's
   * end does.
   */
  trapOutsideSegment(code: Code, segment: number): void {
    code.get(1).get(2).op(OP.i32Add).get(1).op(OP.i32LtU).if().op(OP.unreachable).end();
    code.i32(0).get(1).get(2).op(OP.i32Add).i32(0).memoryInit(segment);
  }
}
