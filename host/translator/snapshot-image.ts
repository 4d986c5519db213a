// The snapshot image: every access goes through the snapshot's page table.
//
//   value = load main[address]                        (traps as the original does)
//   fence                                             (weakly ordered processors only)
//   entry = [place of the page's entry]
//   if (entry | the access leaves its page)
//     value = load main[address + (entry & ~4095)], or the exact way if it leaves its page
//
// Main memory is read first and the table afterwards: if the page was not copied by then, the value is
// what the snapshot must see, because the kernel publishes the copy before the page changes. An entry
// stays once it is there. A store goes straight to a frame if its entry says that the frame is the
// snapshot's own. Atomics, bulk instructions and all other stores go the exact way (exact.ts):
// own(address) returns the place in physical memory, after `viewFault` if needed.
//
// Where the analysis finds several accesses around one address (pages.ts), the first leaves the place
// of the entry in a local.
//
// Invariants  PLACE-3  If the range of a group crosses a page, or a store of it may be above the limit,
//                      the local is the place of ENTRY_CLOSER, which sends each access the exact way.
//                      The limit is below what the table covers, and so low that no offset leads out of
//                      32 bits.
// Cost        A load of main memory: one more load, a test, a branch. A store: a load, a test, a branch.

import { ENTRY_CLOSER, ENTRY_OWNED } from '../../assembly/abi/snapshot-block.ts';
import { VCPU_CLOSER, VCPU_PENDING } from '../../assembly/abi/vcpu-block.ts';
import type { Body } from './body.ts';
import type { Code } from './code.ts';
import { ELEMENTS, trapIfDropped } from './drops.ts';
import { entry, entryPlace, exactLoad, exactStore, locate, own, PAGE_MASK } from './exact.ts';
import type { Choices, KernelCall } from './indices.ts';
import {
  ACCESS_EFFECT,
  accessKind,
  accessType,
  accessWidth,
  ATOMIC_LOAD,
  CMPXCHG,
  LANE_LOAD,
  LANE_STORE,
  LOAD,
  STORE,
  WAIT,
} from './instructions.ts';
import { KIND_FUNCTION, type ExportEntry, type ModuleMap } from './module.ts';
import { I32, I64, OP } from './opcode.ts';
import { type Group, OFFSET_MAX } from './pages.ts';
import { reachable } from './reach.ts';
import { bulkCopy, bulkFill, bulkInit } from './snapshot-bulk.ts';
import { VmImage } from './vm-image.ts';

const ADDRESS = 0; // slots of Body.temp
const VALUE = 1;
const SECOND = 2;
const ENTRY = 3;
const STRADDLE = 4;
const GROUP = 5; // and the slots after it
const LANES = 16;
/** An address under the limit plus an offset below this fits 32 bits. */
const NEAR = 65536;

export class SnapshotImage extends VmImage {
  readonly kernelCalls: readonly KernelCall[] = [
    ['viewFault', 1, 1],
    ['safepoint', 0, 0],
    ['enter', 0, 0],
    ['leave', 0, 0],
    ['size', 0, 1],
    ['grow', 1, 1],
  ];
  readonly registerName = 'ringzero.table';
  readonly accesses = 'all';
  override readonly boots = false;

  readonly #roots: ReadonlyMap<unknown, number> | undefined;
  /** By function index, 1 = it can run; undefined = all can. */
  readonly #reached: Uint8Array | undefined;
  /** Routines of the exact way, by instruction and lane. */
  readonly #exact = new Map<number, number>();
  readonly #identities: number[] = []; // by type

  /** With `roots`, exported functions by name, the image contains only those and what they reach. */
  constructor(map: ModuleMap, choices: Choices, roots?: ReadonlyMap<unknown, number>) {
    super(map, choices);
    this.#roots = roots;
    this.#reached = roots && reachable(map, roots.values());
    this.index();
  }

  override get exports(): readonly ExportEntry[] {
    const { exports } = this.map;
    const roots = this.#roots;
    if (roots === undefined) return exports;
    return exports.filter(({ kind, name }) => kind !== KIND_FUNCTION || roots.has(name));
  }

  override has(old: number): boolean {
    return old < this.map.importedFunctions || this.#reached?.[old] !== 0;
  }

  refresh(): void {
    // The table stays where it is for the snapshot's life.
  }

  poll(code: Code): void {
    code.globalGet(this.vcpuGlobal).memory(OP.i32Load, 2, VCPU_PENDING).unlikelyIf();
    code.call(this.kernel('safepoint')).end();
  }

  override attach(code: Code): void {
    code.globalGet(this.vcpuGlobal).i32(ENTRY_CLOSER).memory(OP.i32Store, 2, VCPU_CLOSER);
  }

  override lowerAccess(body: Body): void {
    const kind = accessKind(body.access);
    const number = body.store++;
    if (body.isCompact) return this.#compactly(body, kind);
    body.flush(body.at);
    const found = body.plan?.group[number];
    const group = found !== undefined && found.size > 1 ? found : undefined;
    if (kind === LOAD || kind === ATOMIC_LOAD || kind === LANE_LOAD)
      this.#load(body, kind, group, number);
    else if (kind === STORE || kind === LANE_STORE) this.#store(body, group, number);
    else this.#atomic(body, kind);
    body.replaced();
  }

  #compactly(body: Body, kind: number): void {
    const { offset, instruction, align } = body;
    const width = accessWidth(body.access);
    const loads = kind === LOAD || kind === ATOMIC_LOAD || kind === LANE_LOAD;
    const stores = kind === STORE || kind === LANE_STORE;
    const exact = loads ? this.#exactLoad(body) : stores ? this.#exactStore(body) : -1;
    const [operands] = ACCESS_EFFECT[kind]!;
    this.lowerCompactly(body, (code) => {
      code.get(0);
      if (exact >= 0) {
        if (operands > 1) code.get(1);
        code.i32(offset).call(exact);
        return;
      }
      code
        .i32(offset)
        .i32(width - 1)
        .call(locate(this))
        .call(own(this));
      for (let i = 1; i < operands; i++) code.get(i);
      code.memory(instruction, align);
    });
  }

  #load(body: Body, kind: number, group: Group | undefined, number: number): void {
    const { code, offset } = body;
    const type = accessType(body.access);
    const address = body.temp(I32, ADDRESS);
    const found = body.temp(I32, ENTRY);
    const vector = kind === LANE_LOAD ? body.temp(type, SECOND) : -1;
    const width = kind === ATOMIC_LOAD ? 1 : accessWidth(body.access);
    const straddle = !group && width > 1 ? body.temp(I32, STRADDLE) : 0;
    const access = (): void => {
      if (vector >= 0) code.get(vector);
      body.emitAccess(offset);
    };
    if (vector >= 0) code.set(vector);
    code.tee(address);
    access();
    code.fence();
    if (group) {
      this.#groupPlace(body, group, number);
      code.get(body.temp(I32, GROUP + group.local)).orderedLoad();
    } else {
      this.#effective(code, address, offset);
      entry(this, code);
    }
    code.tee(found);
    if (!group && width > 1) {
      this.#crosses(code, address, offset, width);
      code.tee(straddle).op(OP.i32Or);
    }
    code.ifOf(this.#identity(type)).op(OP.drop); // else what was read
    const exact = group !== undefined || width > 1;
    if (exact) {
      if (group) code.get(found).i32(ENTRY_CLOSER).op(OP.i32And);
      else code.get(straddle);
      code.unlikelyIf(type).get(address);
      if (vector >= 0) code.get(vector);
      code.i32(offset).call(this.#exactLoad(body)).else();
    }
    code.get(address).get(found).i32(PAGE_MASK).op(OP.i32And).op(OP.i32Add);
    access();
    if (exact) code.end();
    code.end();
  }

  /** Branches to the innermost block if the access is above the limit, or beyond 32 bits. */
  #leaveUnlessNear({ code, offset }: Body, address: number, scratch: number): void {
    if (offset < NEAR) code.get(address).limit().op(OP.i32GtU).unlikelyBrIf(0);
    else {
      this.#effective(code, address, offset);
      code.tee(scratch).i32(offset).op(OP.i32LtU).unlikelyBrIf(0);
      code.get(scratch).limit().op(OP.i32GtU).unlikelyBrIf(0);
    }
  }

  #store(body: Body, group: Group | undefined, number: number): void {
    const { code, offset } = body;
    const address = body.temp(I32, ADDRESS);
    const found = body.temp(I32, ENTRY);
    const value = body.temp(accessType(body.access), VALUE);
    code.set(value).set(address);
    if (!group) code.block().block();
    if (group) {
      this.#groupPlace(body, group, number);
      code.get(body.temp(I32, GROUP + group.local)).memory(OP.i32Load, 2);
      code.tee(found).i32(ENTRY_OWNED).op(OP.i32And).if();
    } else this.#plainStoreCheck(body, address, found);
    code.get(address).get(found).i32(PAGE_MASK).op(OP.i32And).op(OP.i32Add).get(value);
    body.emitAccess(offset);
    if (group) code.else();
    else code.br(1).end();
    code.get(address).get(value).i32(offset).call(this.#exactStore(body)).end();
  }

  /** Branches to the inner one of two blocks unless the store may go to the frame of the entry. */
  #plainStoreCheck(body: Body, address: number, found: number): void {
    const { code, offset } = body;
    const width = accessWidth(body.access);
    this.#leaveUnlessNear(body, address, found);
    this.#effective(code, address, offset);
    entryPlace(this, code);
    code.memory(OP.i32Load, 2);
    code.tee(found).i32(ENTRY_OWNED).op(OP.i32And);
    if (width > 1 && 1 << body.align === width) {
      this.#effective(code, address, offset);
      code
        .i32(32 - Math.log2(width))
        .op(OP.i32Shl)
        .op(OP.i32Or);
    } else if (width > 1) {
      this.#crosses(code, address, offset, width);
      code.i32(2).op(OP.i32Shl).op(OP.i32Or);
    }
    code.i32(ENTRY_OWNED).op(OP.i32Ne).unlikelyBrIf(0);
  }

  /**
   * For tests: the place of the group's entry is in its local, and the access at hand belongs to the
   * group.
   */
  protected audit(_body: Body, _address: number, _place: number): void {}

  /** At the group's first access: leaves the place of its entry in a local, or that of ENTRY_CLOSER. */
  #groupPlace(body: Body, group: Group, number: number): void {
    const address = body.temp(I32, ADDRESS);
    const place = body.temp(I32, GROUP + group.local);
    if (group.first === number) this.#setPlace(body, group, address, place);
    this.audit(body, address, place);
  }

  #setPlace({ code, offset }: Body, group: Group, address: number, place: number): void {
    const at = (distance: number): void => this.#effective(code, address, (offset + distance) | 0);
    code.globalGet(this.vcpuGlobal).i32(VCPU_CLOSER).op(OP.i32Add);
    at(0);
    entryPlace(this, code);
    at(group.low - group.base);
    at(group.high - group.base - 1);
    code.op(OP.i32Xor).i32(12).op(OP.i32ShrU);
    if (group.stores) {
      at(-OFFSET_MAX);
      code.limit().op(OP.i32GtU).op(OP.i32Or);
    }
    code.op(OP.select).set(place);
  }

  #effective(code: Code, address: number, offset: number): void {
    code.get(address);
    if (offset !== 0) code.i32(offset).op(OP.i32Add);
  }

  /** Nonzero if the access leaves its page. */
  #crosses(code: Code, address: number, offset: number, width: number): void {
    code
      .get(address)
      .i32((offset + width - 1) | 0)
      .op(OP.i32Add);
    this.#effective(code, address, offset);
    code.op(OP.i32Xor).i32(12).op(OP.i32ShrU);
  }

  /** Atomic writes, wait and notify: in place, on a page of the snapshot's own. They trap if misaligned. */
  #atomic(body: Body, kind: number): void {
    const { code } = body;
    const type = accessType(body.access);
    const second = kind === CMPXCHG || kind === WAIT;
    const secondType = kind === WAIT ? I64 : type;
    const valueLocal = body.temp(type, VALUE);
    const secondLocal = second ? body.temp(secondType, SECOND) : 0;
    if (second) code.set(secondLocal);
    code.set(valueLocal);
    code
      .i32(body.offset)
      .i32(accessWidth(body.access) - 1)
      .call(locate(this))
      .call(own(this));
    code.get(valueLocal);
    if (second) code.get(secondLocal);
    body.emitAccess(0);
  }

  override lowerBulk(body: Body, segment: number): void {
    const { instruction } = body;
    if (instruction === OP.memoryInit) body.code.call(bulkInit(this, segment));
    else body.code.call(instruction === OP.memoryCopy ? bulkCopy(this) : bulkFill(this));
  }

  override lowerTable(body: Body, segment: number): void {
    if (body.instruction !== OP.tableInit) return;
    body.flush(body.at);
    const { code } = body;
    const [from, count] = [body.temp(I32, VALUE), body.temp(I32, SECOND)] as const;
    code.set(count).tee(from).get(count);
    trapIfDropped(code, this.map, this.firstDropGlobal, ELEMENTS, segment, [from, count]);
  }

  /** The instance serves other forks, which may still have the segment. */
  override lowerDrop(body: Body, space: number, segment: number): void {
    super.lowerDrop(body, space, segment);
    body.replaced();
  }

  #exactLoad(body: Body): number {
    const key = body.instruction * LANES + (accessKind(body.access) === LANE_LOAD ? body.lane : 0);
    let routine = this.#exact.get(key);
    if (routine === undefined) this.#exact.set(key, (routine = exactLoad(this, body)));
    return routine;
  }

  #exactStore(body: Body): number {
    const key = body.instruction * LANES + (accessKind(body.access) === LANE_STORE ? body.lane : 0);
    let routine = this.#exact.get(key);
    if (routine === undefined) this.#exact.set(key, (routine = exactStore(this, body)));
    return routine;
  }

  /** The type of a block that replaces a value of the type. */
  #identity(type: number): number {
    return (this.#identities[type] ??= this.type([type], [type]));
  }
}
