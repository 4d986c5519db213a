// One instance of libdbos.wasm: a vCPU's kernel, typed.

import { originals } from '../constructors.ts';
import { vcpuBlocks, vmBlock } from '../../assembly/abi/memory-map.ts';
import { FRAME_BYTES, VCPUS_MAX, WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import {
  VCPU_COUNTERS,
  VCPU_MASK,
  VCPU_PENDING,
  VCPU_SNAPSHOT,
  VCPU_STAGING,
  VCPU_TRAP_ADDRESS,
  VCPU_TRAP_CAUSE,
  VCPU_VIEW,
} from '../../assembly/abi/vcpu-block.ts';
import * as panics from '../../assembly/abi/panic.ts';
import { TRAP_SLOTS } from '../../assembly/abi/handler.ts';
import { VM_ACTIVE, VM_ALLOCATOR, VM_GUEST_LIMIT, VM_WEAK } from '../../assembly/abi/vm-block.ts';
import { monotonicUs } from '#platform';
import { RingzeroError } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import { lookForDeparted, Patience, replaceable, VcpuBlocks } from './departed.ts';
import { tracedKernel, type Tracer } from './trace.ts';
import type * as Wasm from '../webassembly.ts';

/** The functions of assembly/libdbos.ts that the host calls. Addresses are signed. */
export interface KernelExports {
  boot(frames: number, guestPages: number, guestLimit: number, guard: number, weak: number): void;
  attach(frames: number): number;
  replace(frames: number, vcpu: number): void;
  detach(): void;
  bury(vcpu: number): void;
  block(): number;
  enter(): void;
  leave(): void;
  enterFiles(): void;
  leaveFiles(): void;
  fileFault(address: number): void;
  fileFaultRange(address: number, bytes: number): void;
  fileViewFault(address: number): number;
  growFiles(pages: number): number;
  openFiles(): number;
  openedFiles(): number;
  filePages(slot: number): number;
  fault(address: number): void;
  faultRange(address: number, bytes: number): void;
  viewFault(address: number): number;
  safepoint(): void;
  size(): number;
  grow(pages: number): number;
  shrink(pages: number): void;
  forget(address: number, bytes: number): void;
  fetch(address: number, bytes: number, target: number): void;
  pageFault(page: bigint, access: number): number;
  serveCall(fn: number, arg: bigint): bigint;
  poll(): void;
  syscall(nr: number, a: number, b: number, c: number, d: number, e: number): number;
  proxy(nr: number, a: number, b: number, c: number, d: number, e: number): number;
  counter(index: number): number;
  setTimer(us: number, everyUs: number): number;
  takeSnapshot(): number;
  forkSnapshot(slot: number): number;
  settleSnapshot(slot: number): void;
  releaseSnapshot(slot: number): void;
  stopReaders(slot: number): void;
  endSnapshot(slot: number, by: number): number;
  snapshotState(slot: number): number;
  snapshotBlock(slot: number): number;
  snapshotTable(slot: number): number;
  snapshotBytes(slot: number): number;
  snapshotFrames(slot: number): number;
  lookAt(slotPlusOne: number): void;
  readSnapshot(slot: number, address: number, bytes: number): number;
  isGuestRange(address: number, bytes: number): number;
  isKernelRange(address: number, bytes: number): number;
  lend(address: number, bytes: number): number;
  receive(address: number, bytes: number): number;
  deliver(address: number, bytes: number): void;
  claimWindow(frames: number): number;
  allocFrame(): number;
  freeFrame(address: number): void;
  post(vcpu: number, vector: number): void;
  bindHandler(slot: number): void;
  unbindHandler(slot: number): void;
  depth(): number;
  unwind(depth: number): void;
}

export type HostSyscall = (
  nr: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
) => number;

const panicName = (code: number): string =>
  Object.entries(panics).find(([, number]) => number === code)?.[0] ?? `${code}`;

/** A vCPU's kernel, and the address of its block. */
export class Kernel {
  readonly calls: KernelExports;
  readonly frames: number;
  /** Number of this vCPU in the VM. */
  readonly vcpu: number = -1;
  /** Addresses of its block and of its staging buffer. */
  readonly block: number = 0;
  readonly staging: number = 0;
  /** Functions of the guest that the kernel calls (assembly/kernel/trap.ts). */
  readonly traps: Wasm.Table = new WebAssembly.Table({ element: 'anyfunc', initial: TRAP_SLOTS });
  /** Whether the guest has bound a handler for system calls. */
  handlesSyscalls = false;
  /**
   * What the kernel imports from the hypervisor; a linked guest, which contains parts of the kernel, imports
   * it too.
   */
  readonly imports: Record<'sleep' | 'clock' | 'panic', Wasm.ModuleImports[string]>;
  readonly blocks: VcpuBlocks;
  /**
   * Called when a wait has become long; the owner of the guest may replace it. It throws when the wait cannot
   * end.
   */
  onLongWait: () => void = () => this.#endWaitForDead();
  readonly #words: Int32Array;
  /** Cached for calls with a buffer: reading an instance's exports is a dictionary look-up. */
  readonly deliver: KernelExports['deliver'];
  readonly #receive: KernelExports['receive'];
  readonly #lend: KernelExports['lend'];
  readonly #isGuestRange: KernelExports['isGuestRange'];

  /**
   * Instantiates the kernel on `memory` and makes it a vCPU of the VM there, or boots that VM first.
   * Fails with RZ_OUT_OF_MEMORY when the VM has no room for another vCPU.
   */
  constructor(
    module: Wasm.Module,
    memory: Wasm.Memory,
    frames: number,
    syscall: HostSyscall,
    boot?: (kernel: KernelExports) => void,
    tracer?: Tracer,
  ) {
    const words = new Int32Array(physicalBuffer(memory));
    const patience = new Patience();
    this.blocks = new VcpuBlocks(memory, frames);
    this.imports = {
      sleep: (word: number, value: number, us: number) => {
        Atomics.wait(words, (word >>> 0) / 4, value, us / 1000);
        if (patience.isLong(monotonicUs() / 1000)) this.onLongWait();
      },
      clock: monotonicUs,
      panic: (code: number) => {
        throw new RingzeroError(
          'RZ_VM_CLOSED',
          `assertion ${panicName(code)} failed (assembly/abi/panic.ts): the VM is unusable. Please report this`,
        );
      },
    };
    const instance = new originals.Instance(module, {
      env: { memory, table: this.traps },
      hypervisor: { syscall, ...this.imports },
    });
    const calls = instance.exports as unknown as KernelExports;
    this.calls = tracer === undefined ? calls : tracedKernel(calls, tracer, this);
    this.deliver = this.calls.deliver;
    this.#receive = this.calls.receive;
    this.#lend = this.calls.lend;
    this.#isGuestRange = this.calls.isGuestRange;
    this.frames = frames;
    boot?.(this.calls);
    this.vcpu = this.calls.attach(frames);
    if (this.vcpu < 0) this.vcpu = this.#replaceDead();
    if (this.vcpu < 0) {
      throw new RingzeroError(
        'RZ_OUT_OF_MEMORY',
        `no room for another vCPU: a VM has at most ${VCPUS_MAX}, and each takes some of \`memory\``,
      );
    }
    this.block = vcpuBlocks(frames) + this.vcpu * FRAME_BYTES;
    this.#words = words;
    this.staging = this.#word(VCPU_STAGING) >>> 0;
  }

  #replaceDead(): number {
    const vcpu = replaceable(this.blocks);
    if (vcpu >= 0) this.calls.replace(this.frames, vcpu);
    return vcpu;
  }

  #endWaitForDead(): void {
    if (!this.buryDeparted()) return;
    throw new RingzeroError(
      'RZ_VM_CLOSED',
      'a thread of the VM was terminated in the middle of a call (worker.terminate()), and may hold a lock that this call waits for: the VM is unusable',
    );
  }

  /**
   * Frees the numbers of threads that have ended and hold nothing; true when a dead thread may hold
   * something.
   */
  buryDeparted(): boolean {
    return lookForDeparted(this.blocks, this.vcpu, (vcpu) => this.calls.bury(vcpu));
  }

  #word(offset: number): number {
    return this.#words[(this.block + offset) / 4]!;
  }

  /** The most guest memory, in pages of 64 KiB. */
  get guestLimitPages(): number {
    return (
      (this.#words[(vmBlock(this.frames) + VM_GUEST_LIMIT) / 4]! * FRAME_BYTES) / WASM_PAGE_BYTES
    );
  }

  /**
   * The exported function, numbered as glue.ts does, that JavaScript was seen to allocate with; undefined if
   * none was.
   */
  get allocator(): number | undefined {
    const found = this.#words[(vmBlock(this.frames) + VM_ALLOCATOR) / 4]!;
    return found === 0 ? undefined : found - 1;
  }

  /** Whether the processor may reorder loads and stores. */
  get hasWeakMemory(): boolean {
    return this.#words[(vmBlock(this.frames) + VM_WEAK) / 4] !== 0;
  }

  /** Active snapshots, a bit each. */
  get activeSnapshots(): number {
    return this.#words[(vmBlock(this.frames) + VM_ACTIVE) / 4]!;
  }

  /** The 8-bit view of this vCPU's stores: its epoch. */
  get view(): number {
    return this.#word(VCPU_VIEW);
  }

  /** Whether this vCPU runs a snapshot. */
  get isSnapshot(): boolean {
    return this.#word(VCPU_SNAPSHOT) !== 0;
  }

  /** Slot of that snapshot; -1 = it runs none. */
  get snapshotSlot(): number {
    return this.#word(VCPU_SNAPSHOT) - 1;
  }

  /** Interrupt vectors that the next safepoint would take, a bit each. */
  get deliverable(): number {
    return Atomics.load(this.#words, (this.block + VCPU_PENDING) / 4) & ~this.#word(VCPU_MASK);
  }

  /** One of this vCPU's counters (abi/counter.ts), modulo 2^32. */
  counted(counter: number): number {
    return this.#word(VCPU_COUNTERS + counter * 8);
  }

  /**
   * Whether another vCPU, whose thread lives as far as the host knows, is in the guest or in a host call from
   * there.
   */
  hasOthersInside(): boolean {
    for (let vcpu = 0; vcpu < VCPUS_MAX; vcpu++)
      if (vcpu !== this.vcpu && this.blocks.isInside(vcpu) && !this.blocks.isGone(vcpu))
        return true;
    return false;
  }

  /** Cause and address of the last trap that the kernel raised on this vCPU. Clears the cause. */
  takeTrap(): { cause: number; address: number } {
    const cause = this.#word(VCPU_TRAP_CAUSE);
    this.#words[(this.block + VCPU_TRAP_CAUSE) / 4] = 0;
    return { cause, address: this.#word(VCPU_TRAP_ADDRESS) >>> 0 };
  }

  lend(address: number, bytes: number): number {
    return this.#lend(address, bytes) >>> 0;
  }
  receive(address: number, bytes: number): number {
    return this.#receive(address, bytes) >>> 0;
  }
  isGuestRange(address: number, bytes: number): boolean {
    return this.#isGuestRange(address, bytes) !== 0;
  }
  isKernelRange(address: number, bytes: number): boolean {
    return this.calls.isKernelRange(address, bytes) !== 0;
  }
}
