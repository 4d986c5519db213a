// The main image: loads stay as they are, every store checks its page first.
//
//   if ((T[address >>> 12] | address << (32 - log2(width))) != view) ensure(address, width - 1)
//   store
//
// T is the epoch table, `view` the vCPU's 8-bit epoch. ensure() looks again, page by page, and calls
// the kernel's write fault where needed; so a store that straddles two pages, which is always
// misaligned, checks both. If an address and its offset leave 32 bits, the wrong page may be checked:
// the store itself traps then.
//
// Invariants  ELIDE-1  Every write is checked as the plan says; without a plan, by itself.
//             ELIDE-6  At a loop's head: what stays is checked before the loop and after each poll,
//                      what walks is compared with the page checked last, and what jumps is looked up,
//                      in each iteration.
// Cost        A check is a load, a compare and a branch; docs/rationale.md has what programs pay.

import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { VCPU_PENDING, VCPU_VIEW } from '../../assembly/abi/vcpu-block.ts';
import type { Body } from './body.ts';
import type { Code } from './code.ts';
import { dropAgain } from './drops.ts';
import { ensure, ensureBytes, type Start, test, testBoth, window } from './ensure.ts';
import { glueCalls } from './glue.ts';
import type { Choices, KernelCall } from './indices.ts';
import { accessKind, accessType, accessWidth, CMPXCHG, LANE_STORE, STORE } from './instructions.ts';
import { bulkRoutine } from './main-bulk.ts';
import type { ModuleMap } from './module.ts';
import { I32, OP } from './opcode.ts';
import {
  CHECK_GROUP,
  CHECK_NONE,
  CHECK_OWN,
  HEAD_TABLE,
  HEAD_WINDOW,
  type HeadCheck,
  type LoopPlan,
  type WriteStatistics,
} from './plan.ts';
import { VmImage } from './vm-image.ts';

/** Emits the first byte of a range that a loop's head checks. */
function startOf(code: Code, { terms, low }: HeadCheck): Start {
  return () => {
    terms.forEach(({ local, scale }, i) => {
      code.get(local);
      if (scale !== 1) code.i32(scale).op(OP.i32Mul);
      if (i > 0) code.op(OP.i32Add);
    });
    if (terms.length === 0) code.i32(low | 0);
    else if (low !== 0) code.i32(low | 0).op(OP.i32Add);
  };
}

const ADDRESS = 0; // slots of Body.temp
const VALUE = 1;
const SECOND = 2;
const WINDOW = 3; // and the slots after it
const PAGE_MASK = -FRAME_BYTES;

const CALLS: readonly KernelCall[] = [
  ['fault', 1, 0],
  ['faultRange', 2, 0],
  ['safepoint', 0, 0],
  ['enter', 0, 0],
  ['leave', 0, 0],
  ['size', 0, 1],
  ['grow', 1, 1],
];

export class MainImage extends VmImage {
  readonly kernelCalls: readonly KernelCall[];
  readonly registerName = 'ringzero.view';
  readonly accesses = 'writes';
  readonly #ensureBytes: number[] = []; // indices of routines
  #writes = 0;
  #checks = 0;
  #polls = 0;
  #loops = 0;
  /** Before the body at hand. */
  #before = this.statistics();

  constructor(map: ModuleMap, choices: Choices) {
    super(map, choices);
    this.kernelCalls = [...CALLS, ...(choices.glue === true ? glueCalls(map) : [])];
    this.index();
  }

  statistics(): WriteStatistics {
    return { writes: this.#writes, checks: this.#checks, polls: this.#polls, loops: this.#loops };
  }

  refresh(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_VIEW);
    code.globalSet(this.registerGlobal);
  }

  override enterBody(): void {
    this.#before = this.statistics();
  }

  override leaveOut(): void {
    const { writes, checks, polls, loops } = this.#before;
    [this.#writes, this.#checks, this.#polls, this.#loops] = [writes, checks, polls, loops];
  }

  override wrapsLoop(body: Body): boolean {
    const loop = body.plan?.loops[body.loop];
    return this.#pollsIn(loop) || (loop !== undefined && loop.heads.length > 0);
  }

  #pollsIn(loop: LoopPlan | undefined): boolean {
    return this.choices.safepoints && !loop?.short;
  }

  override pollAtHead(body: Body): void {
    this.#loops++;
    if (!this.#pollsIn(body.plan?.loops[body.loop])) return;
    this.#polls++;
    super.pollAtHead(body);
  }

  override pollAtTailCall(body: Body): void {
    if (this.choices.safepoints) this.#polls++;
    super.pollAtTailCall(body);
  }

  override outerHead(body: Body): void {
    const { code } = body;
    const loop = body.plan?.loops[body.loop];
    if (this.#pollsIn(loop)) this.#pollAndEnsure(code, loop?.carried ?? []);
    let slot = WINDOW;
    for (const head of loop?.heads ?? []) {
      const start = startOf(code, head);
      const bytes = head.high - head.low;
      if (head.kind === HEAD_TABLE) testBoth(this, code, start, bytes);
      else test(this, code, start, bytes, false);
      if (head.kind === HEAD_WINDOW) this.#beginWindow(body, start, bytes, slot++);
      else {
        code.unlikelyIf();
        this.#ensure(code, start, bytes);
        code.end();
      }
    }
  }

  /**
   * After a test of the range: the local of the slot becomes the start of a page, or what the routine
   * says.
   */
  #beginWindow(body: Body, start: Start, bytes: number, slot: number): void {
    const { code } = body;
    code.unlikelyIf(I32);
    start();
    code
      .i32(bytes - 1)
      .call(window(this))
      .else();
    start();
    code.i32(PAGE_MASK).op(OP.i32And).end().set(body.temp(I32, slot));
  }

  override innerHead(body: Body): void {
    const { code } = body;
    const loop = body.plan?.loops[body.loop];
    this.#loops++;
    if (this.#pollsIn(loop) && !loop?.pollAtWindow) {
      this.#polls++;
      this.breakIfPending(code);
    }
    let slot = WINDOW;
    for (const head of loop?.heads ?? []) {
      const start = startOf(code, head);
      const bytes = head.high - head.low;
      if (head.kind === HEAD_WINDOW) {
        start();
        code
          .get(body.temp(I32, slot++))
          .op(OP.i32Sub)
          .i32(FRAME_BYTES - bytes);
        code.op(OP.i32GtU).unlikelyBrIf(1);
      } else if (head.kind === HEAD_TABLE) {
        testBoth(this, code, start, bytes);
        code.unlikelyBrIf(1);
      }
    }
  }

  poll(code: Code): void {
    this.#pollAndEnsure(code, []);
  }

  override loaded(code: Code): void {
    dropAgain(code, this.map, this.firstDropGlobal);
  }

  /** A poll; if it was taken, the ranges become writable again. */
  #pollAndEnsure(code: Code, ranges: readonly HeadCheck[]): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_PENDING).unlikelyIf();
    code.call(this.#pollRoutine());
    for (const range of ranges) this.#ensure(code, startOf(code, range), range.high - range.low);
    code.end();
  }

  #ensure(code: Code, start: Start, bytes: number): void {
    start();
    code.i32(bytes - 1).call(ensure(this));
  }

  /** The slow path of a poll: the kernel's safepoint, then the view anew. */
  #pollRoutine(): number {
    return this.routine('ringzero.poll', [], [], (code) => {
      code.call(this.kernel('safepoint'));
      this.refresh(code);
      return [];
    });
  }

  override lowerAccess(body: Body): void {
    const kind = accessKind(body.access);
    this.#writes++;
    const store = body.store++;
    if (body.isCompact) return this.#compactly(body, kind);
    const { plan } = body;
    const check = plan ? plan.check[store]! : CHECK_OWN;
    if (check === CHECK_NONE) return;
    body.flush(body.at);
    const { code, offset, access } = body;
    const type = accessType(access);
    const second = kind === CMPXCHG ? body.temp(type, SECOND) : 0;
    const value = body.temp(type, VALUE);
    const address = body.temp(I32, ADDRESS);
    if (kind === CMPXCHG) code.set(second);
    code.set(value).tee(address);
    const isAtomic = kind !== STORE && kind !== LANE_STORE;
    if (check === CHECK_GROUP) {
      const low = plan!.low[store]!;
      this.#check(code, address, offset + low, plan!.high[store]! - low, false);
    } else {
      const width = accessWidth(access);
      this.#check(code, address, offset, isAtomic ? 1 : width, 1 << body.align === width);
    }
    code.get(value);
    if (kind === CMPXCHG) code.get(second);
    body.emitAccess(offset);
    body.replaced();
  }

  #compactly(body: Body, kind: number): void {
    const { instruction, offset, align, lane } = body;
    const isPlain = kind === STORE || kind === LANE_STORE;
    const width = isPlain ? accessWidth(body.access) : 1;
    this.#checks++;
    this.lowerCompactly(body, (code) => {
      code.get(0);
      if (offset !== 0) code.i32(offset | 0).op(OP.i32Add);
      code.call(ensureBytes(this, width));
      code.get(0).get(1);
      if (kind === CMPXCHG) code.get(2);
      code.memory(instruction, align, offset);
      if (kind === LANE_STORE) code.byte(lane);
    });
  }

  /** Makes `bytes` from the address in the local + offset writable. */
  #check(code: Code, address: number, offset: number, bytes: number, isAligned: boolean): void {
    const start = (): void => {
      code.get(address);
      if (offset !== 0) code.i32(offset | 0).op(OP.i32Add);
    };
    this.#checks++;
    test(this, code, start, bytes, isAligned);
    code.unlikelyIf();
    start();
    code.call((this.#ensureBytes[bytes] ??= ensureBytes(this, bytes))).end();
  }

  override lowerBulk(body: Body, segment: number): void {
    const { code, plan, instruction } = body;
    const store = body.store++;
    const bytes = plan ? plan.bulk[store]! : 0;
    if (bytes === 0) {
      code.call(bulkRoutine(this, instruction, segment));
      return;
    }
    this.#writes++;
    const check = plan!.check[store];
    if (check !== CHECK_NONE) {
      const [address, second] = [body.temp(I32, ADDRESS), body.temp(I32, VALUE)];
      code.op(OP.drop).set(second).set(address);
      const low = check === CHECK_GROUP ? plan!.low[store]! : 0;
      const high = check === CHECK_GROUP ? plan!.high[store]! : bytes;
      this.#check(code, address, low, high - low, false);
      code.get(address).get(second).i32(bytes);
    }
    if (instruction === OP.memoryInit) code.memoryInit(segment);
    else if (instruction === OP.memoryCopy) code.memoryCopy();
    else code.memoryFill();
  }
}
