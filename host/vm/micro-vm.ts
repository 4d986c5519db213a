// A VM: one shared memory, its kernel, its guest, its vCPUs.

import { EAGAIN, EBUSY, ECHILD, ENOSYS, EPERM } from '../../assembly/abi/errno.ts';
import { FRAME_BYTES, SNAPSHOTS_MAX } from '../../assembly/abi/limits.ts';
import { VECTOR_CHILD } from '../../assembly/abi/vector.ts';
import type { Bytes } from '../bytes.ts';
import { moduleBytes } from '../translator/reader.ts';
import { checkObject, RingzeroError } from '../errors.ts';
import {
  checkMayEnter,
  checkMayServe,
  isWeakMemory,
  leavesAtExit,
  monotonicUs,
  prepareDirectory,
} from '#platform';
import { DmaWindow } from '../io/dma-window.ts';
import { closed } from './closed-memory.ts';
import { RingFiles } from '../io/files.ts';
import { startService, type IoService } from '../io/start.ts';
import { Preopen } from '../syscalls/preopen.ts';
import type { SyscallSink } from '../syscalls/table.ts';
import type { WasiOptions, WasiSetup } from '../wasi/options.ts';
import { loadImages, type GuestImages } from './images.ts';
import { importedPages } from './imported-memory.ts';
import type { KernelExports } from './kernel.ts';
import { compileKernel } from './kernel-module.ts';
import type { Program } from './program.ts';
import {
  checkOptions,
  framesOf,
  obtainMemory,
  type CheckedOptions,
  type LoadOptions,
  type MicroVMOptions,
} from './options.ts';
import { giveMemory } from './physical-memory.ts';
import { claimRegisters, registersOf } from './registers.ts';
import { Snapshot } from './snapshot.ts';
import { SnapshotPool } from './snapshot-pool.ts';
import { addWasi } from './system-interface.ts';
import { readStats, type VMStats } from './stats.ts';
import { announceTimers, startTimers } from './timers.ts';
import { endTrace, keepTrace, startTrace } from './trace.ts';
import type { GuestExports, GuestFunction } from './exports.ts';
import { Vcpu, type GuestImports, type HypervisorCalls, type Machine } from './vcpu.ts';
import type * as Wasm from '../webassembly.ts';

/** What another thread needs to attach to a VM; can be posted to it. */
export interface MicroVMHandle {
  machine: Machine;
  preopen: string | undefined;
  importsModule: string | undefined;
  background: boolean;
}

/** What attach() takes besides the handle: what cannot be posted. */
export type AttachOptions = Pick<MicroVMOptions, 'imports' | 'handlers' | 'sink' | 'snapshotVcpus'>;

const WARM_UP_SNAPSHOTS = 3;

/** What a VM is booted from, when nothing is left to wait for. */
export interface BootParts {
  readonly options: MicroVMOptions;
  readonly memory: GuestMemory;
  readonly images: GuestImages;
  readonly kernel: Wasm.Module;
  readonly main: Wasm.Module;
  readonly weakMemory: boolean;
  /** The guest is a program, and JavaScript knows its memory. */
  readonly glue: boolean;
  readonly wasi: WasiSetup | undefined;
  /** With WASI. */
  readonly imports: GuestImports;
  /** Lets go of what was made ready for the guest to open. */
  readonly release: () => void;
}

/** For ringzero/sync, which gathers the parts by itself. Not of the public interface. */
export let bootVM: <Exports extends object>(parts: BootParts) => MicroVM<Exports>;

interface GuestMemory {
  readonly memory: Wasm.Memory;
  readonly checked: CheckedOptions;
}

/** Physical memory as the options say, which are checked. */
export function guestMemory(options: MicroVMOptions, glue: boolean): GuestMemory {
  const { memory: given } = options;
  const memory = typeof given === 'object' ? given : obtainMemory(given, glue);
  return { memory, checked: checkOptions({ ...options, memory }) };
}

/** A child of spawn(): running, or ended with a status that the guest has not asked for yet. */
type Child = { slot: number } | { status: number };

/**
 * A VM as the thread that made it, or that attached to it, sees it: `enter` makes the thread a vCPU, `snapshot` keeps memory as it is.
 * The type parameter is what the guest exports.
 */
export class MicroVM<Exports extends object = GuestExports> {
  /** For other threads: `worker.postMessage(vm.handle)`, there `MicroVM.attach(handle)`. */
  readonly handle: MicroVMHandle;
  readonly #vcpu: Vcpu<Exports>;
  readonly #isOwner: boolean;
  readonly #pool: SnapshotPool;
  readonly #children = new Map<number, Child>();
  #preopen: Preopen;
  /** Lets go of what was made ready for the guest to open. */
  readonly #releaseFiles: () => void;
  #service: IoService | undefined;
  #endTrace: (() => void) | undefined;
  #stay: (() => void) | undefined;
  #stopTimers: (() => Promise<void>) | undefined;
  #snapshotUs = 0;
  #closed: string | undefined;

  /**
   * Makes a VM and boots its guest: memory is laid out, data segments are applied, the start function runs.
   *
   * @example
   * const vm = await MicroVM.create({ guest: await readFile('guest.wasm'), memory: 64 << 20 });
   * const { exports } = vm.enter();
   * exports.put(1, 2);
   * const snapshot = vm.snapshot();
   * exports.put(1, 3);
   * await snapshot.run('get', 1); // 2
   *
   * @example
   * // With a type, calls are checked.
   * type Exports = { put(key: number, value: number): void; get(key: number): number };
   * const vm = await MicroVM.create<Exports>({ guest });
   * const value = vm.enter().exports.get(1); // a number
   *
   * Fails with RZ_OPTION, RZ_MODULE_MALFORMED, RZ_MODULE_UNSUPPORTED, RZ_OUT_OF_MEMORY, or RZ_GUEST_TRAP when the
   * start function traps.
   */
  static create<Exports extends object = GuestExports>(
    options: MicroVMOptions,
  ): Promise<MicroVM<Exports>> {
    return MicroVM.#create(options, false);
  }

  /** `glue`: the guest is a program, and JavaScript knows its memory. */
  static async #create<Exports extends object>(
    options: MicroVMOptions,
    glue: boolean,
  ): Promise<MicroVM<Exports>> {
    checkObject(options);
    checkMayEnter();
    if (options.rings === true) checkMayServe();
    const memory = guestMemory(options, glue);
    const weakMemory = await isWeakMemory();
    const images = await loadImages(memory.checked.frames, weakMemory, options, glue);
    const [kernel, main] = await Promise.all([
      compileKernel(),
      WebAssembly.compile(images.main as BufferSource),
    ]);
    const wasi = await checkedWasi(options.wasi, images);
    const imports = await addWasi(wasi, options.imports ?? {});
    const release = await prepareDirectory(options.preopen);
    const about = { options, memory, images, kernel, main, weakMemory, glue, wasi };
    const vm = MicroVM.#boot<Exports>({ ...about, imports, release });
    if (options.timer === true) await vm.#startTimers();
    await vm.#service?.ready;
    return vm;
  }

  static {
    bootVM = <Exports extends object>(parts: BootParts) => MicroVM.#boot<Exports>(parts);
  }

  static #boot<Exports extends object>(parts: BootParts): MicroVM<Exports> {
    const { options, images, release } = parts;
    const { checked } = parts.memory;
    let machine: Machine | undefined;
    try {
      const guestPages = images.info.initialPages * 16;
      const limit = guestLimit(parts);
      const made = (machine = machineOf(parts));
      if (options.trace !== undefined) machine.trace = startTrace(options.trace);
      const handle: MicroVMHandle = {
        machine,
        preopen: options.preopen,
        importsModule: options.importsModule,
        background: options.snapshotsInBackground ?? false,
      };
      const warm = machine.linked ? 0 : checked.snapshotVcpus;
      return new MicroVM(handle, { ...options, imports: parts.imports }, warm, release, (calls) => {
        const weak = parts.weakMemory ? 1 : 0;
        calls.boot(checked.frames, guestPages, limit, checked.guardPages, weak);
        made.registers = claimRegisters(calls, images.info.registerBytes);
        if (options.timer === true) announceTimers(made);
      });
    } catch (error) {
      if (machine?.trace !== undefined) endTrace(machine.trace);
      release();
      throw error;
    }
  }

  /**
   * Loads a module as its compiler left it: translated, with WASI, its data in place, its constructors run when it is a
   * reactor. Glue takes the result for its instance.
   *
   * @example
   * const program = await MicroVM.load(await readFile('tool.wasm'), {}, { wasi: { args: ['tool', '-v'] } });
   * process.exitCode = program.start();
   *
   * Fails as create(), and with RZ_EXIT when a constructor ends the program.
   */
  static async load<Exports extends object = Wasm.Exports>(
    wasm: Bytes,
    imports: Wasm.Imports = {},
    options: LoadOptions = {},
  ): Promise<Program<Exports>> {
    checkObject(imports, 'imports');
    checkObject(options);
    const { optionsOf, programOf } = await import('./program.ts'); // not for those who load none
    return programOf(await MicroVM.#create(optionsOf(wasm, imports, options), true));
  }

  /**
   * Physical memory for a VM that is made later: glue that makes its memory itself is given this one first. With the module,
   * its `buffer` is as long as the program's memory from the start; without, it is all of it until the program is loaded.
   * Fails with RZ_OPTION, RZ_OUT_OF_MEMORY and RZ_MODULE_MALFORMED.
   */
  static memory(bytes: number, wasm?: Bytes): Wasm.Memory {
    const frames = framesOf(bytes);
    return giveMemory(frames, wasm && importedPages(moduleBytes(wasm)));
  }

  /** Attaches this thread to a VM that another thread created: it becomes one more vCPU. */
  static async attach<Exports extends object = GuestExports>(
    handle: MicroVMHandle,
    options: AttachOptions = {},
  ): Promise<MicroVM<Exports>> {
    checkObject(
      (handle as Partial<MicroVMHandle> | undefined)?.machine,
      'handle',
      'what `vm.handle` of a VM is',
    );
    checkObject(options);
    checkMayEnter();
    const imports = await addWasi(handle.machine.wasi, options.imports ?? {});
    const release = await prepareDirectory(handle.preopen);
    try {
      const all = { ...options, imports };
      return new MicroVM(handle, all, options.snapshotVcpus ?? 0, release, undefined);
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor(
    handle: MicroVMHandle,
    options: AttachOptions,
    warm: number,
    release: () => void,
    boot: ((calls: KernelExports) => void) | undefined,
  ) {
    this.handle = handle;
    this.#preopen = new Preopen(handle.preopen);
    this.#releaseFiles = release;
    const sink: SyscallSink = { log: () => {}, progress: () => {}, ...options.sink };
    const { machine, importsModule, background } = handle;
    this.#vcpu = new Vcpu(
      machine,
      'main',
      options.imports ?? {},
      this.#preopen,
      sink,
      this.#hypervisor(),
      options.handlers,
      boot,
    );
    const shared = { machine, importsModule, background };
    this.#pool = new SnapshotPool(shared, warm, sink, this.#vcpu.kernel.calls);
    this.#isOwner = boot !== undefined;
    if (boot === undefined) {
      this.#stay = leavesAtExit(() => this.#leaveAtExit());
      return;
    }
    if (machine.trace !== undefined) this.#endTrace = keepTrace(machine.trace);
    if (!machine.linked) this.#warmUp();
    const { memory, frames, dmaWindow, ringFiles: files, faults } = machine;
    const { preopen } = handle;
    if (files !== undefined)
      this.#service = startService({ memory, frames, files, dmaWindow, faults, preopen });
  }

  async #startTimers(): Promise<void> {
    try {
      const { memory, frames } = this.handle.machine;
      this.#stopTimers = await startTimers({ memory, frames });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** The engine compiles at first calls: they are here, not in the first snapshot that somebody waits for. */
  #warmUp(): void {
    for (let i = 0; i < WARM_UP_SNAPSHOTS; i++)
      this.#vcpu.kernel.calls.releaseSnapshot(this.#take());
  }

  /** Physical memory. The host reads guest memory here; it writes only to windows that it has claimed. */
  get memory(): Wasm.Memory {
    return this.handle.machine.memory;
  }

  /** The vCPU of the calling thread: `vm.enter().exports.f(1, 2)` runs the guest on this very thread. */
  enter(): Vcpu<Exports> {
    this.#check();
    return this.#vcpu;
  }

  /**
   * Takes a snapshot: an increment of the epoch, whatever the memory holds. It shows all stores that this vCPU has
   * made, and those of every other vCPU up to its next safepoint.
   *
   * Fails with RZ_SNAPSHOT_LIMIT when 32 are active, and with RZ_LINKED in a VM with a linked guest.
   */
  snapshot(): Snapshot<Exports> {
    this.#check();
    if (this.handle.machine.linked) {
      throw new RingzeroError(
        'RZ_LINKED',
        'a linked guest stores unchecked, so its VM has no snapshots: run the guest translated to have them',
      );
    }
    return new Snapshot(
      this.#take(),
      this.#vcpu.kernel,
      this.memory,
      this.#pool,
      () => this.#preopen.root,
      this.#vcpu.tables!.capture(),
    );
  }

  /** Slot of a new snapshot that holds this vCPU's registers. */
  #take(): number {
    const { calls } = this.#vcpu.kernel;
    const slot = calls.takeSnapshot();
    if (slot === -EPERM)
      throw new RingzeroError('RZ_GUEST_TRAP', 'no snapshot can be taken in a page-fault handler: take it when the handler has returned'); // prettier-ignore
    if (slot < 0) {
      throw new RingzeroError(
        'RZ_SNAPSHOT_LIMIT',
        `${SNAPSHOTS_MAX} snapshots are active: release one first`,
      );
    }
    this.#vcpu.loadView();
    this.#vcpu.glue?.exposure.taken();
    this.#save(registersOf(calls, this.handle.machine.registers, slot));
    return slot;
  }

  #save(address: number): void {
    (this.#vcpu.instance.exports['ringzero.save'] as GuestFunction)(address);
  }

  /** Microseconds that the last snapshot of spawn() took. */
  get snapshotUs(): number {
    return this.#snapshotUs;
  }

  #hypervisor(): HypervisorCalls {
    return {
      spawn: (fn, arg) => this.#spawn(fn, arg),
      childStatus: (id) => this.#childStatus(id),
      killChild: (id) => {
        const child = this.#children.get(id);
        if (child === undefined || !('slot' in child)) return;
        this.#vcpu.kernel.calls.stopReaders(child.slot);
        this.#pool.stop(child.slot);
      },
    };
  }

  #spawn(fn: number, arg: number): number {
    if (this.handle.machine.linked) return -ENOSYS;
    const id = firstFree(this.#children);
    if (id === undefined) return -EAGAIN;
    const before = monotonicUs();
    let slot: number;
    try {
      slot = this.#take();
    } catch {
      return -EBUSY;
    }
    this.#snapshotUs = monotonicUs() - before;
    this.#children.set(id, { slot });
    const about = { slot, preopen: this.#preopen.root, tables: this.#vcpu.tables!.capture() };
    const job = { ...about, call: { fn, arg }, release: true };
    this.#pool.run(job, ({ result, failure, died }) => {
      if (died) this.#vcpu.kernel.calls.releaseSnapshot(slot);
      this.#children.set(id, { status: failure === undefined ? Number(result) : -failure.errno });
      if (this.#closed !== undefined) return;
      this.#vcpu.kernel.calls.post(this.#vcpu.kernel.vcpu, VECTOR_CHILD);
      this.#vcpu.deliverInterrupts();
    });
    return id;
  }

  #childStatus(id: number): number {
    const child = this.#children.get(id);
    if (child === undefined) return -ECHILD;
    if ('slot' in child) return -EAGAIN;
    this.#children.delete(id);
    return child.status;
  }

  /**
   * Address of `bytes` contiguous bytes outside guest memory, which the host may write and the guest may read:
   * where received bytes land. Never given back. Fails with RZ_OUT_OF_MEMORY.
   */
  claimWindow(bytes: number): number {
    this.#check();
    const address = this.#vcpu.kernel.calls.claimWindow(Math.ceil(bytes / FRAME_BYTES)) >>> 0;
    if (address === 0)
      throw new RingzeroError('RZ_OUT_OF_MEMORY', `no room for a window of ${bytes} bytes`);
    return address;
  }

  /** Lets the guest open files in another directory from now on. */
  setPreopen(directory: string | undefined): void {
    this.#preopen = new Preopen(directory);
    this.#vcpu.syscalls.preopen = this.#preopen;
  }

  /**
   * Tells the VM that the thread of a vCPU (`vm.enter().number`) has ended inside the guest, for instance by
   * worker.terminate(). On Linux the others find out by themselves within a second; elsewhere they wait for its safepoints until this.
   */
  bury(vcpu: number): void {
    const { blocks, calls } = this.#vcpu.kernel;
    if (blocks.isOthers(vcpu)) return; // it was buried, and its number is another thread's by now
    if (blocks.claimDead(vcpu)) calls.bury(vcpu);
  }

  /** A thread that ends in order gives its place back; one that ends inside the guest may hold something. */
  #leaveAtExit(): void {
    if (this.#vcpu.kernel.calls.depth() === 0) this.#vcpu.detach();
  }

  /** What the VM has done and what it has left, now. */
  stats(): VMStats {
    this.#check();
    return readStats(this.#vcpu.kernel.calls);
  }

  /** Ends this thread's vCPU and its snapshot threads. Snapshots still running end with an error. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#closed = 'it was closed';
    await this.#pool.close();
    await this.#service?.stop();
    await this.#stopTimers?.();
    this.#stay?.();
    this.#vcpu.detach();
    this.#endTrace?.();
    this.#releaseFiles();
    if (this.#isOwner) await closed();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closed !== undefined)
      throw new RingzeroError('RZ_VM_CLOSED', `the VM is unusable: ${this.#closed}`);
  }
}

/** Pages of 4096 bytes that the guest may have. Fails with RZ_OUT_OF_MEMORY when it begins with more. */
function guestLimit({ images: { info }, memory: { checked } }: BootParts): number {
  const guestPages = info.initialPages * 16;
  const limit = Math.min(checked.guestLimitPages, (info.maximumPages ?? 65536) * 16);
  if (guestPages <= limit) return limit;
  throw new RingzeroError(
    'RZ_OUT_OF_MEMORY',
    `the guest asks for ${guestPages * FRAME_BYTES} bytes at the start, guestLimit is ${limit * FRAME_BYTES}`,
  );
}

function machineOf({ options, images, memory, kernel, main, glue, wasi }: BootParts): Machine {
  const { frames } = memory.checked;
  const { info } = images;
  return {
    ...{ memory: memory.memory, frames, kernel, main, glue, wasi },
    snapshot: shared(images.snapshot),
    linked: options.linked ?? false,
    growth: {
      growsItself: info.growsItself ?? true,
      growImport: info.growImport,
      allocator: info.allocator,
    },
    carried: info.importedValues ?? [],
    dmaWindow: new DmaWindow(frames).shared,
    ringFiles: options.rings === true ? new RingFiles().shared : undefined,
    faults: options.faults?.shared,
    registers: { address: 0, stride: 0 },
    trace: undefined,
  };
}

async function checkedWasi(
  options: WasiOptions | undefined,
  { info }: GuestImages,
): Promise<WasiSetup | undefined> {
  if (options === undefined) return undefined;
  const { checkWasiOptions } = await import('../wasi/options.ts'); // not for guests without WASI
  return checkWasiOptions(options, info.imports);
}

function firstFree(children: ReadonlyMap<number, Child>): number | undefined {
  for (let id = 0; id < SNAPSHOTS_MAX; id++) if (!children.has(id)) return id;
  return undefined;
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
