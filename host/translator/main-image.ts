// The main image: loads stay as they are, every store makes sure of its page first.
//
//   if ((T[address >>> 12] | address << (32 - log2(width))) != view) ensure(address, width - 1)
//   store
//
// T is the epoch table, `view` the vCPU's 8-bit epoch. `ensure` looks again, page by page, and calls the kernel's
// write fault where needed; so a store that straddles two pages, which is always misaligned, checks both. An address
// whose offset leaves 32 bits may have the wrong page checked: the store itself traps then.

import { FRAME_BYTES, FRAME_SHIFT } from '../../assembly/abi/limits.ts';
import { VCPU_PENDING, VCPU_VIEW } from '../../assembly/abi/vcpu-block.ts';
import type { Body } from './body.ts';
import { Code, OP } from './code.ts';
import { glueCalls } from './glue.ts';
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
import { copyWords, SHORT_COPY_MAX } from './short-copy.ts';
import {
  CHECK_GROUP,
  CHECK_NONE,
  CHECK_OWN,
  HEAD_TABLE,
  HEAD_WINDOW,
  type HeadCheck,
  type LoopPlan,
} from './plan.ts';

/** Emits the first byte of a range that a loop's head checks. */
function startOf(code: Code, { terms, low }: HeadCheck): () => void {
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
const PAGE = FRAME_BYTES;
const PAGE_MASK = -FRAME_BYTES;
const CHUNK = 65536; // bytes of a long fill or copy between two safepoints

export class MainImage extends Image {
  readonly kernelCalls: readonly KernelCall[];
  static readonly #calls: readonly KernelCall[] = [
    ['fault', 1, 0],
    ['faultRange', 2, 0],
    ['safepoint', 0, 0],
    ['enter', 0, 0],
    ['leave', 0, 0],
    ['size', 0, 1],
    ['grow', 1, 1],
  ];
  readonly registerName = 'ringzero.view';
  readonly planned = 'stores';
  readonly #ensureBytes: number[] = [];
  #writes = 0;
  #checks = 0;
  #pollCount = 0;
  #loops = 0;

  constructor(map: ModuleMap, choices: Choices) {
    super(map, choices);
    this.kernelCalls = [...MainImage.#calls, ...(choices.glue === true ? glueCalls(map) : [])];
    this.index();
  }

  statistics(): WriteStatistics {
    return {
      writes: this.#writes,
      checks: this.#checks,
      polls: this.#pollCount,
      loops: this.#loops,
    };
  }

  refresh(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_VIEW);
    code.globalSet(this.registerGlobal);
  }

  override wrapsLoop(body: Body): boolean {
    const loop = body.plan?.loops[body.loop];
    return this.#polls(loop) || (loop !== undefined && loop.heads.length > 0);
  }

  #polls(loop: LoopPlan | undefined): boolean {
    return this.choices.safepoints && !loop?.short;
  }

  override pollAtHead(body: Body): void {
    this.#loops++;
    if (!this.#polls(body.plan?.loops[body.loop])) return;
    this.#pollCount++;
    super.pollAtHead(body);
  }

  override outerHead(body: Body): void {
    const { code } = body;
    const loop = body.plan?.loops[body.loop];
    if (this.#polls(loop)) this.#pollAndEnsure(code, loop?.carried ?? []);
    let window = WINDOW;
    for (const head of loop?.heads ?? []) {
      const start = startOf(code, head);
      const bytes = head.high - head.low;
      if (head.kind === HEAD_TABLE) this.#testBoth(code, start, bytes);
      else this.#test(code, start, bytes);
      if (head.kind === HEAD_WINDOW) {
        code.unlikelyIf(I32);
        start();
        code
          .i32(bytes - 1)
          .call(this.window())
          .else();
        start();
        code.i32(PAGE_MASK).op(OP.i32And).end().set(body.temp(I32, window++));
      } else {
        code.unlikelyIf();
        start();
        code
          .i32(bytes - 1)
          .call(this.ensure())
          .end();
      }
    }
  }

  override innerHead(body: Body): void {
    const { code } = body;
    const loop = body.plan?.loops[body.loop];
    this.#loops++;
    if (this.#polls(loop) && !loop?.pollAtWindow) {
      this.#pollCount++;
      this.breakIfPending(code);
    }
    let window = WINDOW;
    for (const head of loop?.heads ?? []) {
      const start = startOf(code, head);
      const bytes = head.high - head.low;
      if (head.kind === HEAD_WINDOW) {
        start();
        code
          .get(body.temp(I32, window++))
          .op(OP.i32Sub)
          .i32(PAGE - bytes);
        code.op(OP.i32GtU).unlikelyBrIf(1);
      } else if (head.kind === HEAD_TABLE) {
        this.#testBoth(code, start, bytes);
        code.unlikelyBrIf(1);
      }
    }
  }

  poll(code: Code): void {
    this.#pollAndEnsure(code, []);
  }

  /** A poll; if it was taken, the ranges are made sure of again. */
  #pollAndEnsure(code: Code, ranges: readonly HeadCheck[]): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_PENDING).unlikelyIf();
    code.call(this.pollRoutine());
    for (const range of ranges) {
      startOf(code, range)();
      code.i32(range.high - range.low - 1).call(this.ensure());
    }
    code.end();
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
    this.#writes++;
    const store = body.store++;
    const check = body.plan?.check[store] ?? CHECK_OWN;
    if (check === CHECK_NONE) return;
    body.flush(at);
    const { code, offset, access } = body;
    const type = accessType(access);
    const second = kind === CMPXCHG ? body.temp(type, SECOND) : 0;
    const value = body.temp(type, VALUE);
    const address = body.temp(I32, ADDRESS);
    if (kind === CMPXCHG) code.set(second);
    code.set(value).tee(address);
    const group = check === CHECK_GROUP;
    const low = group ? body.plan!.low[store]! : 0;
    const bytes = group ? body.plan!.high[store]! - low : accessWidth(access);
    const atomic = kind === ATOMIC_STORE || kind === RMW || kind === CMPXCHG;
    const aligned = !group && (atomic || 1 << body.align === bytes);
    this.#ensureRange(code, address, offset + low, group || !atomic ? bytes : 1, aligned);
    code.get(value);
    if (kind === CMPXCHG) code.get(second);
    body.emitAccess(offset);
    body.replaced();
  }

  /** Makes sure of `bytes` from the address in the local + offset. */
  #ensureRange(code: Code, address: number, offset: number, bytes: number, aligned = false): void {
    const start = (): void => {
      code.get(address);
      if (offset !== 0) code.i32(offset | 0).op(OP.i32Add);
    };
    this.#checks++;
    this.#test(code, start, bytes, aligned);
    code.unlikelyIf();
    start();
    code.call(this.ensureBytes(bytes)).end();
  }

  /** ensure for a fixed number of bytes: one argument less where it is called. */
  ensureBytes(bytes: number): number {
    const build = (code: Code): number[] => {
      code
        .get(0)
        .i32(bytes - 1)
        .call(this.ensure());
      return [];
    };
    return (this.#ensureBytes[bytes] ??= this.routine(`ringzero.ensure${bytes}`, [I32], [], build));
  }

  /**
   * Leaves on the stack whether [start, + bytes) needs a closer look: its first page is not of this view, or it may
   * reach into a second page. `aligned`: a single access of a power of two that is as good as never misaligned.
   */
  #test(code: Code, start: () => void, bytes: number, aligned = false): void {
    if (bytes > 1 && !aligned) {
      return this.#testPages(code, start, () => {
        start();
        code.i32(bytes - 1).op(OP.i32Add);
      });
    }
    start();
    code.i32(FRAME_SHIFT).op(OP.i32ShrU).epochByte();
    if (bytes > 1) {
      // Bits that no byte has: with one of them set, the epoch differs from any view.
      start();
      code
        .i32(32 - Math.log2(bytes))
        .op(OP.i32Shl)
        .op(OP.i32Or);
    }
    code.globalGet(this.registerGlobal).op(OP.i32Ne);
  }

  /** As #test, of [start, end], which are less than a page apart. */
  #testPages(code: Code, start: () => void, end: () => void): void {
    start();
    code.i32(FRAME_SHIFT).op(OP.i32ShrU).epochByte();
    end();
    start();
    code.op(OP.i32Xor).i32(PAGE).op(OP.i32And).op(OP.i32Or);
    code.globalGet(this.registerGlobal).op(OP.i32Ne);
  }

  /** As #test, but exact: zero once both pages are ensured. */
  #testBoth(code: Code, start: () => void, bytes: number): void {
    this.#test(code, start, 1);
    if (bytes === 1) return;
    const last = (): void => {
      start();
      code.i32(bytes - 1).op(OP.i32Add);
    };
    this.#test(code, last, 1);
    code.op(OP.i32Or);
  }

  /** window(start, last): ensures the range; where a window of a page begins that holds only pages ensured by now. */
  window(): number {
    return this.routine('ringzero.window', i32s(2), [I32], (code) => {
      code.get(0).get(1).call(this.ensure());
      // A range that straddles begins the window: it then ends within the range's second page.
      code.get(0).get(0).i32(PAGE_MASK).op(OP.i32And);
      code.get(0).get(0).get(1).op(OP.i32Add).op(OP.i32Xor).i32(FRAME_SHIFT).op(OP.i32ShrU);
      code.op(OP.select);
      return [];
    });
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
    const { code, plan } = body;
    const store = body.store++;
    const bytes = plan?.bulk[store];
    if (bytes === undefined) {
      code.call(sub === 8 ? this.#init(segment) : sub === 10 ? this.#copy() : this.#fill());
      return;
    }
    this.#writes++;
    const check = plan!.check[store];
    if (check !== CHECK_NONE) {
      const [address, second] = [body.temp(I32, ADDRESS), body.temp(I32, VALUE)];
      code.op(OP.drop).set(second).set(address);
      const low = check === CHECK_GROUP ? plan!.low[store]! : 0;
      const high = check === CHECK_GROUP ? plan!.high[store]! : bytes;
      this.#ensureRange(code, address, low, high - low);
      code.get(address).get(second).i32(bytes);
    }
    code.ops(0xfc, sub);
    if (sub === 8) code.u32(segment);
    code.byte(0);
    if (sub === 10) code.byte(0);
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

  /** copy(to, from, bytes) of few bytes. */
  #shortCopy(code: Code): void {
    const end = (): void => {
      code.get(0).get(2).op(OP.i32Add).i32(1).op(OP.i32Sub);
    };
    code.get(2).i32(1).op(OP.i32Sub).i32(SHORT_COPY_MAX).op(OP.i32LtU);
    code.get(1).i32(-SHORT_COPY_MAX).op(OP.i32LtU).op(OP.i32And).if(); // [from, + bytes) within 32 bits
    this.#testPages(code, () => code.get(0), end);
    code.unlikelyIf();
    code.get(0).get(2).i32(1).op(OP.i32Sub).call(this.ensure()).end();
    copyWords(code);
    code.end();
  }

  #copy(): number {
    return this.routine('ringzero.copy', i32s(3), [], (code) => {
      this.#shortCopy(code);
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
