// The file system on a vCPU: an instance of the image that fits it.

import { originals } from '../constructors.ts';
import { RingzeroError } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type { Kernel } from '../vm/kernel.ts';
import type * as Wasm from '../webassembly.ts';
import { FileGuest } from './guest.ts';
import type { FileImages } from './module.ts';

const PAGES_PER_WASM_PAGE = 16;

export class TranslatedFiles {
  readonly guest: FileGuest;
  readonly #instance: Wasm.Instance;
  readonly #kernel: Kernel;
  readonly #isSnapshot: boolean;
  readonly #top: number;

  constructor(
    { main, snapshot, top }: FileImages,
    memory: Wasm.Memory,
    kernel: Kernel,
    image: 'main' | 'snapshot',
    toError: (what: string, thrown: unknown) => unknown,
  ) {
    const { calls } = kernel;
    this.#kernel = kernel;
    this.#top = top;
    this.#isSnapshot = image === 'snapshot';
    const module = this.#isSnapshot ? new originals.Module(snapshot.slice() as BufferSource) : main;
    this.#instance = new originals.Instance(module, importsOf(memory, kernel));
    (this.#instance.exports['ringzero.attach'] as () => void)();
    this.guest = new FileGuest(this.#instance, top, {
      buffer: physicalBuffer(memory),
      staging: kernel.staging,
      otherPages: () => calls.size() * PAGES_PER_WASM_PAGE,
      lend: (address, bytes) => kernel.lend(address, bytes),
      failed: (what, thrown) => {
        this.#recover();
        return toError(what, thrown);
      },
    });
    if (this.#isSnapshot) this.lookAt(kernel.snapshotSlot);
    else this.guest.calls.attach(top, kernel.vcpu);
  }

  /** A trap leaves the kernel and the lock as they were before. */
  #recover(): void {
    const { depth, unwind } = this.#kernel.calls;
    unwind(depth() - 1);
    if (this.#isSnapshot) return; // it has no second vCPU, and may be lost
    (this.#instance.exports['recover'] as () => void)();
  }

  /** Points the instance at a snapshot, on a vCPU that runs snapshots. */
  lookAt(slot: number): void {
    const table = this.#instance.exports['ringzero.table'] as unknown as { value: number };
    table.value = this.#kernel.calls.snapshotTable(slot);
    this.guest.calls.attach(this.#top, this.#kernel.vcpu);
  }
}

function importsOf(memory: Wasm.Memory, kernel: Kernel): WebAssembly.Imports {
  const { calls, imports, block } = kernel;
  const sleep = imports.sleep as (word: number, value: number, us: number) => void;
  const everything = physicalBuffer(memory).byteLength / 65536;
  return {
    ringzero: {
      memory,
      vcpu: new WebAssembly.Global({ value: 'i32', mutable: false }, block | 0),
      fault: calls.fileFault,
      faultRange: calls.fileFaultRange,
      viewFault: calls.fileViewFault,
      safepoint: calls.safepoint,
      enter: calls.enterFiles,
      leave: calls.leaveFiles,
      size: () => everything,
      grow: () => -1,
    },
    libdbos: { safepoint: calls.poll },
    files: {
      grow: calls.growFiles,
      now: Date.now,
      sleep: (word: number, holder: number, us: number) => {
        if (kernel.blocks.isGone(holder - 1))
          throw new RingzeroError(
            'RZ_VM_CLOSED',
            'a thread was terminated in the middle of an operation on files: the VM is unusable',
          );
        sleep(word, holder, us);
      },
      panic: imports.panic,
    },
  };
}
