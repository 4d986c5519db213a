// A kernel in TypeScript, just enough to run translated images: it marks pages, advances the view when told
// or at random safepoints, and remembers what memory looked like when the view last advanced.

import { epochTable, snapshotTables, vcpuBlocks } from '../../assembly/abi/memory-map.ts';
import { VCPU_PENDING, VCPU_VIEW } from '../../assembly/abi/vcpu-block.ts';

const PAGE = 4096;

export class StubKernel {
  readonly frames: number;
  readonly pagesMax: number;
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly vcpu: number;
  readonly epochs: Uint8Array;
  /** Bytes of guest memory, as memory.size tells it. */
  breakBytes: number;
  view = 1;
  faults = 0;
  safepoints = 0;
  depth = 0;
  /** Called at each safepoint, before the view may be read anew. */
  onSafepoint: () => void = () => {
    this.words[(this.vcpu + VCPU_PENDING) >>> 2] = 0;
  };
  #before: Uint8Array | undefined;

  constructor(pages: number, frames = 4096, pagesMax = (vcpuBlocks(frames) - 65536) / 65536) {
    this.frames = frames;
    this.pagesMax = pagesMax;
    const total = (frames * PAGE) / 65536;
    this.memory = new WebAssembly.Memory({ initial: total, maximum: total, shared: true });
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
    this.vcpu = vcpuBlocks(frames);
    this.epochs = this.bytes.subarray(epochTable(frames), epochTable(frames) + frames);
    this.breakBytes = pages * 65536;
    this.words[(this.vcpu + VCPU_VIEW) >>> 2] = this.view;
  }

  get pending(): boolean {
    return this.words[(this.vcpu + VCPU_PENDING) >>> 2] !== 0;
  }
  set pending(value: boolean) {
    this.words[(this.vcpu + VCPU_PENDING) >>> 2] = value ? 1 : 0;
  }

  /** Begins a new epoch: every page is to be faulted anew. */
  advance(): void {
    this.view = (this.view % 254) + 1;
    if (this.view === 1) this.epochs.fill(0);
    this.words[(this.vcpu + VCPU_VIEW) >>> 2] = this.view;
  }

  /** From now on `unmarkedWrites` compares with what memory holds now. */
  watch(): void {
    this.#before = this.bytes.slice(0, this.breakBytes);
  }

  /** Pages that differ from the last `watch` though they were not marked in this view. */
  unmarkedWrites(): number[] {
    const before = this.#before;
    if (!before) return [];
    const pages: number[] = [];
    for (let page = 0; page < before.length / PAGE; page++) {
      if (this.epochs[page] === this.view) continue;
      const at = page * PAGE;
      const now = Buffer.from(this.memory.buffer, at, PAGE);
      if (now.compare(before, at, at + PAGE) !== 0) pages.push(page);
    }
    return pages;
  }

  fault(address: number): void {
    this.faults++;
    const at = address >>> 0;
    if (at >= this.breakBytes) throw new WebAssembly.RuntimeError('store outside guest memory');
    this.epochs[at >>> 12] = this.view;
  }

  faultRange(address: number, count: number): void {
    const end = (address >>> 0) + (count >>> 0);
    if (end > this.breakBytes) throw new WebAssembly.RuntimeError('store outside guest memory');
    for (let page = address >>> 12; page * PAGE < end; page++) {
      if (this.epochs[page] === this.view) continue;
      this.faults++;
      this.epochs[page] = this.view;
    }
  }

  grow(pages: number): number {
    const old = this.breakBytes / 65536;
    if (old + (pages >>> 0) > this.pagesMax) return -1;
    this.breakBytes += pages * 65536;
    return old;
  }

  /** The imports of the main image. */
  mainImports(): Record<string, unknown> {
    return {
      ...this.#common(),
      fault: (address: number) => this.fault(address),
      faultRange: (address: number, count: number) => this.faultRange(address, count),
    };
  }

  /** The imports of the snapshot image. */
  snapshotImports(viewFault: (address: number) => number): Record<string, unknown> {
    return { ...this.#common(), viewFault };
  }

  #common(): Record<string, unknown> {
    return {
      memory: this.memory,
      vcpu: new WebAssembly.Global({ value: 'i32', mutable: false }, this.vcpu),
      safepoint: () => {
        this.safepoints++;
        this.onSafepoint();
      },
      enter: () => void this.depth++,
      leave: () => void this.depth--,
      size: () => this.breakBytes / 65536,
      grow: (pages: number) => this.grow(pages),
    };
  }

  /** A snapshot of what memory holds now. */
  snapshotWorld(slot = 0): SnapshotWorld {
    return new SnapshotWorld(this, slot);
  }

  /** Address of the page table of snapshot `slot`. */
  table(slot = 0): number {
    return snapshotTables(this.frames) + slot * this.frames * 4;
  }
}

/** One snapshot of a stub kernel's memory, and a main vCPU that overwrites pages under it. */
class SnapshotWorld {
  readonly kernel: StubKernel;
  readonly table: number;
  readonly imports: Record<string, unknown>;
  #nextFrame: number;
  readonly #main = new Map<number, Uint8Array>(); // pages as the main vCPU left them

  constructor(kernel: StubKernel, slot: number) {
    this.kernel = kernel;
    this.table = kernel.table(slot);
    this.#nextFrame = kernel.frames >>> 1;
    this.imports = kernel.snapshotImports((address) => this.#own(address >>> 12));
  }

  #entry(page: number): number {
    return (this.table >>> 2) + page;
  }

  #place(page: number): number {
    const entry = this.kernel.words[this.#entry(page)]!;
    return (page * PAGE + (entry & -PAGE)) >>> 0;
  }

  #copy(page: number, flags: number): number {
    const frame = this.#nextFrame++ * PAGE;
    this.kernel.bytes.copyWithin(frame, this.#place(page), this.#place(page) + PAGE);
    const entry = ((frame - page * PAGE) | flags) >>> 0;
    this.kernel.words[this.#entry(page)] = entry;
    return entry;
  }

  #own(page: number): number {
    if (page * PAGE >= this.kernel.breakBytes) {
      throw new WebAssembly.RuntimeError('store outside guest memory');
    }
    return this.#copy(page, 3) | 0;
  }

  /** The main vCPU writes all over a page: its old content is copied for the snapshot first. */
  overwrite(page: number): void {
    if (this.kernel.words[this.#entry(page)] === 0) this.#copy(page, 1);
    const bytes = this.kernel.bytes.subarray(page * PAGE, page * PAGE + PAGE);
    for (let i = 0; i < PAGE; i++) bytes[i] = (bytes[i]! ^ 0xa5) & 255;
    this.#main.set(page, bytes.slice());
  }

  /** What the snapshot sees at [address, + count); whole pages. */
  read(address: number, count: number): Buffer {
    const out = Buffer.alloc(count);
    for (let at = 0; at < count; at += PAGE) {
      const place = this.#place((address + at) / PAGE);
      out.set(this.kernel.bytes.subarray(place, place + PAGE), at);
    }
    return out;
  }

  /** No page that the main vCPU overwrote was written by the snapshot. */
  mainUntouched(): boolean {
    for (const [page, bytes] of this.#main) {
      const now = Buffer.from(this.kernel.memory.buffer, page * PAGE, PAGE);
      if (now.compare(bytes) !== 0) return false;
    }
    return true;
  }
}
