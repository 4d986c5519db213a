// A VM: one shared memory, its kernel, its guest, its vCPUs.

import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import type { Bytes } from '../bytes.ts';
import { moduleBytes } from '../translator/reader.ts';
import { checkObject, refuse, RingzeroError } from '../errors.ts';
import { checkMayEnter, leavesAtExit, prepareDirectory } from '#platform';
import { startService, type IoService } from '../io/start.ts';
import { Preopen } from '../syscalls/preopen.ts';
import type { SyscallSink } from '../syscalls/table.ts';
import { bootOf, bootParts, type BootParts } from './boot.ts';
import { Children } from './children.ts';
import { closed } from './closed-memory.ts';
import { importedMemory } from './imported-memory.ts';
import type { KernelExports } from './kernel.ts';
import type { Program } from './program.ts';
import {
  framesOf,
  type AttachOptions,
  type LoadOptions,
  type MicroVMHandle,
  type MicroVMOptions,
} from './options.ts';
import { giveMemory } from './physical-memory.ts';
import { Snapshot, type SnapshotVM } from './snapshot.ts';
import { SnapshotPool } from './snapshot-pool.ts';
import type { StateSource } from './state/source.ts';
import { addWasi } from './system-interface.ts';
import { readStats, type VMStats } from './stats.ts';
import { takeSlot } from './take.ts';
import { startTimers } from './timers.ts';
import { endTrace, keepTrace } from './trace.ts';
import type { ForkedExports, GuestExports } from './exports.ts';
import { Vcpu } from './vcpu.ts';
import type * as Wasm from '../webassembly.ts';

const WARM_UP_SNAPSHOTS = 3;

/** For ringzero/sync, which gathers the parts itself. Not part of the public interface. */
export let bootVM: <Exports extends object>(parts: BootParts) => MicroVM<Exports>;

/**
 * A VM, seen from a thread that created it or attached to it. `enter` runs the guest on this thread,
 * `snapshot` preserves memory as it is now. The type parameter is the type of the guest's exports.
 *
 * @category VM
 */
export class MicroVM<Exports extends object = GuestExports> {
  /** For other threads: `worker.postMessage(vm.handle)`, there `MicroVM.attach(handle)`. */
  readonly handle: MicroVMHandle;
  readonly #vcpu: Vcpu<Exports>;
  readonly #isOwner: boolean;
  readonly #pool: SnapshotPool;
  readonly #snapshots: SnapshotVM;
  readonly #children: Children;
  #preopen: Preopen;
  /** Releases what prepareDirectory() opened. */
  readonly #releaseFiles: () => void;
  #service: IoService | undefined;
  #endTrace: (() => void) | undefined;
  #stay: (() => void) | undefined;
  #stopTimers: (() => Promise<void>) | undefined;
  #closed: string | undefined;

  /**
   * Creates a VM and boots its guest: lays out memory, applies the data segments, runs the start function.
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
   * @throws {@link RingzeroError} RZ_OPTION, RZ_MODULE_MALFORMED, RZ_MODULE_UNSUPPORTED, RZ_OUT_OF_MEMORY, or
   * RZ_GUEST_TRAP when the start function traps.
   */
  static create<Exports extends object = GuestExports>(
    options: MicroVMOptions,
  ): Promise<MicroVM<Exports>> {
    return MicroVM.#create(options, false);
  }

  /** `glue`: the guest is a program, and JavaScript accesses its memory. */
  static async #create<Exports extends object>(
    options: MicroVMOptions,
    glue: boolean,
    restoredPages?: number,
  ): Promise<MicroVM<Exports>> {
    const vm = MicroVM.#boot<Exports>(await bootParts(options, glue, restoredPages));
    if (options.timer === true) await vm.#startTimers();
    await vm.#service?.ready;
    return vm;
  }

  static {
    bootVM = <Exports extends object>(parts: BootParts) => MicroVM.#boot<Exports>(parts);
  }

  static #boot<Exports extends object>(parts: BootParts): MicroVM<Exports> {
    const { options, release, imports, restoredPages } = parts;
    let handle: MicroVMHandle | undefined;
    try {
      const booted = bootOf(parts);
      handle = booted.handle;
      const warm = handle.machine.linked ? 0 : parts.memory.checked.snapshotVcpus;
      const all = { ...options, imports };
      return new MicroVM(
        booted.handle,
        all,
        warm,
        release,
        booted.boot,
        restoredPages !== undefined,
      );
    } catch (error) {
      if (handle?.machine.trace !== undefined) endTrace(handle.machine.trace);
      release();
      throw error;
    }
  }

  /**
   * Loads an unmodified module: translates it, supplies WASI, and runs its constructors if it is a reactor.
   * The result stands in for the WebAssembly.Instance that glue expects.
   *
   * @example
   * const program = await MicroVM.load(await readFile('tool.wasm'), {}, { wasi: { args: ['tool', '-v'] } });
   * process.exitCode = program.start();
   *
   * @throws {@link RingzeroError} As create() does, and RZ_EXIT when a constructor ends the program.
   */
  static async load<Exports extends object = Wasm.Exports>(
    wasm: Bytes,
    imports: Wasm.Imports = {},
    options: LoadOptions = {},
  ): Promise<Program<Exports>> {
    checkObject(imports, 'imports');
    checkObject(options);
    const { loadProgram } = await import('./program.ts'); // loaded on demand
    const create = (all: MicroVMOptions) => MicroVM.#create<ForkedExports<Exports>>(all, true);
    return loadProgram<Exports>(create, wasm, imports, options);
  }

  /**
   * Creates a VM with the state of an exported snapshot: as create() does, but no start function runs and no
   * data segment is applied. `options.guest` is the same module as before; of a list, the first state is
   * whole and each further one is a delta on the one before.
   *
   * @example
   * const vm = await MicroVM.restore([await readFile('state'), await readFile('delta')], { guest });
   *
   * @throws {@link RingzeroError} RZ_FORMAT when a state is damaged, not the next one, or of another module,
   * and as create() does
   */
  static async restore<Exports extends object = GuestExports>(
    state: StateSource | readonly StateSource[],
    options: MicroVMOptions,
  ): Promise<MicroVM<Exports>> {
    checkObject(options);
    if (options.linked === true) refuse('linked', true, 'false: a linked guest has no states');
    const { prepareRestore } = await import('./state/restore.ts'); // loaded on demand
    const { states, pages, into } = await prepareRestore(state, true);
    const vm = await MicroVM.#create<Exports>(options, false, pages);
    try {
      into(states, { vcpu: vm.#vcpu as Vcpu, machine: vm.handle.machine, isFresh: true });
    } catch (error) {
      await vm.close();
      throw error;
    }
    return vm;
  }

  /**
   * Physical memory for a VM that is created later, for glue that wants its memory first. With the module,
   * `buffer` has the length of the program's initial memory; without it, `buffer` is all of physical memory
   * until the program is loaded.
   *
   * @throws {@link RingzeroError} RZ_OPTION, RZ_OUT_OF_MEMORY, RZ_MODULE_MALFORMED
   */
  static memory(bytes: number, wasm?: Bytes): Wasm.Memory {
    const frames = framesOf(bytes);
    return giveMemory(frames, wasm && importedMemory(moduleBytes(wasm))?.initial);
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
    isRestored = false,
  ) {
    this.handle = handle;
    this.#preopen = new Preopen(handle.preopen);
    this.#releaseFiles = release;
    const sink: SyscallSink = { log: () => {}, progress: () => {}, ...options.sink };
    const { machine, importsModule, background } = handle;
    this.#children = new Children({
      isLinked: machine.linked,
      isClosed: () => this.#closed !== undefined,
      vcpu: () => this.#vcpu as Vcpu,
      pool: () => this.#pool,
      root: () => this.#preopen.root,
      files: () => machine.files,
      take: () => takeSlot(this.#vcpu as Vcpu, machine),
    });
    this.#vcpu = new Vcpu(
      machine,
      'main',
      options.imports ?? {},
      this.#preopen,
      sink,
      this.#children,
      options.handlers,
      boot,
      isRestored,
    );
    const shared = { machine, importsModule, background };
    this.#pool = new SnapshotPool(shared, warm, sink, this.#vcpu.kernel.calls);
    const { kernel } = this.#vcpu;
    this.#snapshots = { kernel, machine, pool: this.#pool, root: () => this.#preopen.root };
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

  /**
   * The engine compiles functions at their first call. This makes those calls, so that the first real
   * snapshot does not pay for them.
   */
  #warmUp(): void {
    const vcpu = this.#vcpu as Vcpu;
    for (let i = 0; i < WARM_UP_SNAPSHOTS; i++)
      vcpu.kernel.calls.releaseSnapshot(takeSlot(vcpu, this.handle.machine));
  }

  /** Physical memory. The host may read guest memory here, and write only to windows that it has claimed. */
  get memory(): Wasm.Memory {
    return this.handle.machine.memory;
  }

  /** The vCPU of the calling thread: `vm.enter().exports.f(1, 2)` runs the guest on this very thread. */
  enter(): Vcpu<Exports> {
    this.#check();
    return this.#vcpu;
  }

  /**
   * Takes a snapshot in constant time, regardless of memory size: it increments the epoch. The snapshot has
   * every store that this vCPU has made, and the stores of each other vCPU up to its next safepoint.
   *
   * @throws {@link RingzeroError} RZ_SNAPSHOT_LIMIT when 32 are active, and RZ_LINKED in a VM with a linked
   * guest
   */
  snapshot(): Snapshot<Exports> {
    this.#check();
    return new Snapshot(
      takeSlot(this.#vcpu as Vcpu, this.handle.machine),
      this.#snapshots,
      this.#vcpu.tables!.capture(),
    );
  }

  /**
   * Puts the VM back, or forward, to an exported state of the same module: memory, mutable globals and
   * tables. Snapshots that are active keep what they have. To be called outside the guest.
   *
   * @throws {@link RingzeroError} RZ_FORMAT, RZ_BUSY while a thread is in the guest, RZ_OPTION when a
   * program's glue cannot follow (its memory has grown beyond the state), RZ_OUT_OF_MEMORY. Then nothing has
   * changed.
   */
  async restore(state: StateSource | readonly StateSource[]): Promise<void> {
    this.#check();
    const { prepareRestore } = await import('./state/restore.ts'); // loaded on demand
    const { states, into } = await prepareRestore(state, false);
    this.#check();
    into(states, { vcpu: this.#vcpu as Vcpu, machine: this.handle.machine, isFresh: false });
  }

  /** Microseconds that the last snapshot of spawn() took. */
  get snapshotUs(): number {
    return this.#children.snapshotUs;
  }

  /**
   * Address of `bytes` contiguous bytes outside guest memory, which the host may write and the guest may
   * read: a receive buffer. It is never freed.
   *
   * @throws {@link RingzeroError} RZ_OUT_OF_MEMORY
   */
  claimWindow(bytes: number): number {
    this.#check();
    const address = this.#vcpu.kernel.calls.claimWindow(Math.ceil(bytes / FRAME_BYTES)) >>> 0;
    if (address === 0)
      throw new RingzeroError('RZ_OUT_OF_MEMORY', `no room for a window of ${bytes} bytes`);
    return address;
  }

  /** Sets the directory in which the guest may open files from now on. */
  setPreopen(directory: string | undefined): void {
    this.#preopen = new Preopen(directory);
    this.#vcpu.syscalls.preopen = this.#preopen;
  }

  /**
   * Tells the VM that the thread of a vCPU (`vm.enter().number`) has ended inside the guest, for instance by
   * worker.terminate(). On Linux the other vCPUs notice by themselves within a second; elsewhere they wait
   * for its safepoints until this call.
   */
  bury(vcpu: number): void {
    const { blocks, calls } = this.#vcpu.kernel;
    if (blocks.isOthers(vcpu)) return; // already buried, and its number reused
    if (blocks.claimDead(vcpu)) calls.bury(vcpu);
  }

  /** A thread that ends outside the guest frees its vCPU; one that ends inside it may hold locks. */
  #leaveAtExit(): void {
    if (this.#vcpu.kernel.calls.depth() === 0) this.#vcpu.detach();
  }

  /** Counters and gauges of the VM. */
  stats(): VMStats {
    this.#check();
    return readStats(this.#vcpu.kernel.calls);
  }

  /** Ends this thread's vCPU and its snapshot threads. Snapshots that are still running fail. */
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
