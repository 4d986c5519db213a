// A side module of a program that is linked dynamically (Emscripten's `dlopen`): a module that shares its
// program's memory and table. It is translated as the program was, and runs on the program's own vCPU.
//
// Interface   new SideModule() stands in for a WebAssembly.Instance; taken() is part of taking a snapshot.
// Invariants  SIDE-1  Its view is the vCPU's: both change only at the outermost entry and when this thread
//                     takes a snapshot, and setView() follows each time.
// Cost        Translation when it is loaded; then as the program itself.

import { FRAME_BYTES, SNAPSHOTS_MAX } from '../../../assembly/abi/limits.ts';
import { originals } from '../../constructors.ts';
import { RingzeroError } from '../../errors.ts';
import { translateMain } from '../../translator/index.ts';
import type * as Wasm from '../../webassembly.ts';
import type { GuestFunction } from '../exports.ts';
import { Glue } from '../glue.ts';
import { guestTrap } from '../guest-trap.ts';
import { importsOf } from '../imports.ts';
import type { Machine } from '../machine.ts';
import { imageImports, type Vcpu } from '../vcpu.ts';
import { baseOf, dynamicNeeds } from './intercept.ts';

/** What a copy of the program on another memory needs in order to have the module, too. */
export interface SideState {
  /** The module, in shared memory. */
  readonly bytes: Uint8Array;
  readonly memoryBase: number;
  readonly memoryBytes: number;
  readonly tableBase: number;
  /** Its mutable globals, as `ringzero.save` stores them. */
  readonly registers: Uint8Array;
}

export class SideModule {
  readonly exports: Wasm.Exports;
  readonly #glue: Glue;
  readonly #instance: WebAssembly.Instance;
  readonly #registers: { address: number; stride: number; bytes: number };
  readonly #module: Omit<SideState, 'registers'>;

  constructor(vcpu: Vcpu, machine: Machine, bytes: Uint8Array, given: object) {
    const { kernel } = vcpu;
    const { main, info } = translateMain(bytes, {
      frames: machine.frames,
      weakMemory: machine.weakMemory,
      safepoints: false,
      glue: true,
      zeroFilledMemory: false,
      boundCompilation: machine.boundCompilation,
    });
    const module = new originals.Module(main as BufferSource);
    this.#glue = new Glue(kernel, machine.memory);
    const machineImports = {
      ringzero: { ...imageImports(kernel, machine.memory), ...this.#glue.imports(module) },
    };
    const imports = importsOf(module, machineImports, given, (kind, from, name) =>
      kind === 'function' ? missing(from, name) : undefined,
    );
    this.#registers = claim(kernel.calls, info.registerBytes);
    const { memoryBytes, tableEntries } = dynamicNeeds(module);
    const tableBase = baseOf(given, '__table_base');
    const memoryBase = baseOf(given, '__memory_base');
    this.#module = { bytes: sharedCopy(bytes), memoryBase, memoryBytes, tableBase };
    this.#instance = new originals.Instance(module, imports);
    this.#glue.bind(module, this.#instance, info.allocator);
    this.setView(kernel.view);
    try {
      (this.#instance.exports['ringzero.boot'] as GuestFunction)();
    } catch (error) {
      throw guestTrap(kernel, 'the start of a side module', error);
    }
    vcpu.tables!.nameSide(vcpu.sides.length, this.#instance.exports, tableBase, tableEntries);
    this.setView(kernel.view);
    this.exports = Object.create(null) as Wasm.Exports;
    for (const [name, value] of Object.entries(this.#instance.exports))
      if (!name.startsWith('ringzero.')) (this.exports as Record<string, unknown>)[name] = value;
    Object.freeze(this.exports);
  }

  /**
   * After the host has changed the vCPU's view. Calls that come from the program need no entry of their own,
   * so the module always counts as running.
   */
  setView(view: number): void {
    const { 'ringzero.view': seen, 'ringzero.inside': inside } = this.#instance.exports;
    // A module without stores, or without exported functions, has no use for them.
    if (seen instanceof WebAssembly.Global) seen.value = view;
    if (inside instanceof WebAssembly.Global) inside.value = 1;
  }

  /** A snapshot was taken in this slot. */
  taken(slot: number): void {
    this.#glue.exposure.taken();
    const { address, stride } = this.#registers;
    (this.#instance.exports['ringzero.save'] as GuestFunction)(address + slot * stride);
  }

  /** What it is in the snapshot in a slot. */
  state(slot: number, memory: ArrayBufferLike): SideState {
    const { address, stride, bytes } = this.#registers;
    return {
      ...this.#module,
      registers: new Uint8Array(memory, address + slot * stride, bytes).slice(),
    };
  }

  /** Every exported function fails from now on. */
  close(): void {
    this.#glue.close();
  }
}

/** Glue tests `instanceof WebAssembly.Instance`. */
Object.setPrototypeOf(SideModule.prototype, WebAssembly.Instance.prototype);

/** Kernel memory for the module's mutable globals in each snapshot. */
function claim(
  calls: { claimWindow(frames: number): number },
  bytes: number,
): { address: number; stride: number; bytes: number } {
  const stride = Math.max(16, bytes);
  const address = calls.claimWindow(Math.ceil((stride * SNAPSHOTS_MAX) / FRAME_BYTES)) >>> 0;
  if (address === 0)
    throw new RingzeroError(
      'RZ_OUT_OF_MEMORY',
      `the mutable globals of a side module take ${bytes} bytes in each of ${SNAPSHOTS_MAX} snapshots, which does not fit \`memory\`: raise it`,
    );
  return { address, stride, bytes };
}

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function missing(from: string, name: string): () => never {
  return () => {
    throw new RingzeroError(
      'RZ_EXPORT',
      `a side module called its import ${from}.${name}, which was not supplied`,
    );
  };
}
