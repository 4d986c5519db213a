// A vCPU: an instance of a guest image and an instance of the kernel, on the thread that created it.

import { originals } from '../constructors.ts';
import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { EINVAL, ENOSYS } from '../../assembly/abi/errno.ts';
import { HANDLER_SYSCALL, TRAP_SLOTS } from '../../assembly/abi/handler.ts';
import { TIMER_US_MAX, TIMER_US_MIN } from '../../assembly/abi/timer.ts';
import { RingzeroError } from '../errors.ts';
import type * as Wasm from '../webassembly.ts';
import type { Preopen } from '../syscalls/preopen.ts';
import { Syscalls, type SyscallSink } from '../syscalls/table.ts';
import type { FunctionName, GuestExports, GuestFunction } from './exports.ts';
import { VcpuFiles } from './vcpu-files.ts';
import { closed, guestTrap } from './guest-trap.ts';
import { Glue } from './glue.ts';
import { importsOf } from './imports.ts';
import { carriedImport, carriedOf } from './carried.ts';
import { bindHandlers, I32, wasmFunction, type Handlers, type Trapping } from './handlers.ts';
import { growthFunction, growthImports, isGrowth, resizeHeap } from './heap-growth.ts';
import { Kernel, type HostSyscall, type KernelExports } from './kernel.ts';
import type { GuestImports, HypervisorCalls, Machine, VcpuParts } from './machine.ts';
import type { SideModule } from './side/side-module.ts';
import { Tables } from './tables.ts';
import { tracedSyscall, Tracer } from './trace.ts';

const NO_CHILDREN: HypervisorCalls = {
  spawn: () => -ENOSYS, // no snapshot of a snapshot
  childStatus: () => -ENOSYS,
  killChild: () => {},
};

/**
 * A vCPU: an instance of the guest and one of the kernel, on the thread that entered the VM.
 *
 * @category VM
 */
export class Vcpu<Exports extends object = GuestExports> {
  /** @internal */
  readonly kernel: Kernel;
  /** @internal */
  readonly files: VcpuFiles;
  /** @internal */
  readonly syscalls: Syscalls;
  /** The guest's exported functions by name; a trap in one is a RingzeroError. */
  readonly exports: Exports;
  /** The image. */
  readonly module: Wasm.Module;
  /** The instance itself: exported tables, globals and memory, and functions without the error handling. */
  readonly instance: Wasm.Instance;
  /**
   * The calls between the program and its glue.
   *
   * @internal
   */
  readonly glue: Glue | undefined;
  /**
   * The program's tables, for forks; undefined = it cannot be forked.
   *
   * @internal
   */
  readonly tables: Tables | undefined;
  /**
   * The import by which the program's glue grows memory to a number of bytes.
   *
   * @internal
   */
  readonly resize: ((bytes: number) => unknown) | undefined;
  /**
   * Writes the trace of this vCPU.
   *
   * @internal
   */
  readonly tracer: Tracer | undefined;
  /**
   * Modules that the program's glue has linked to it.
   *
   * @internal
   */
  readonly sides: SideModule[] = [];
  readonly #view: Wasm.Global | undefined;
  /** Nesting of calls into a linked guest on this vCPU. */
  #depth = 0;
  /** Each makes one exported function fail from now on. */
  readonly #closers: (() => void)[] = [];

  /** @internal */
  constructor(
    machine: Machine,
    image: 'main' | 'snapshot',
    imports: GuestImports,
    preopen: Preopen,
    sink: SyscallSink,
    hypervisor: HypervisorCalls = NO_CHILDREN,
    handlers: Handlers = {},
    boot?: (kernel: KernelExports) => void,
    isRestored = false,
  ) {
    const { memory, frames } = machine;
    const syscall: HostSyscall = (nr, a, b, c, d, e) => this.syscalls.call(nr, a, b, c, d, e);
    const tracer = (this.tracer = machine.trace && new Tracer(machine.trace));
    this.kernel = new Kernel(
      machine.kernel,
      memory,
      frames,
      tracer === undefined ? syscall : tracedSyscall(syscall, tracer),
      boot,
      tracer,
    );
    if (image === 'main') this.kernel.blocks.sayThread(this.kernel.vcpu); // the pool knows those of snapshots
    tracer?.name(this.kernel.vcpu, image);
    this.files = new VcpuFiles(machine, this.kernel, image, boot !== undefined, isRestored);
    this.syscalls = new Syscalls(machine, this.kernel, preopen, sink);
    if (image === 'main' && machine.glue) this.glue = new Glue(this.kernel, memory);
    const given = typeof imports === 'function' ? imports(this.#context(memory)) : imports;
    const module = (this.module =
      image === 'main'
        ? machine.main
        : new originals.Module(machine.snapshot.slice() as BufferSource));
    const all = this.#machineImports(machine, module, hypervisor);
    const supplied = importsOf(module, all, given, (kind, from, name) => {
      if (kind !== 'function')
        return boot === undefined ? carriedImport(machine.carried, from, name) : undefined;
      return isGrowth(machine, from, name)
        ? resizeHeap(this.kernel)
        : missingFunction(from, name, image);
    });
    if (boot !== undefined) machine.carried = carriedOf(machine.carried, supplied);
    this.resize = growthFunction(machine, supplied);
    this.instance = new originals.Instance(module, supplied);
    if (!machine.linked) this.tables = new Tables(this.instance.exports);
    const view = this.instance.exports['ringzero.view'];
    if (view instanceof WebAssembly.Global) this.#view = view;
    const exports = Object.create(null) as GuestExports;
    for (const [name, value] of Object.entries(this.instance.exports)) {
      if (typeof value !== 'function') continue;
      const fn = value as GuestFunction;
      if (this.glue !== undefined) exports[name] = fn;
      else exports[name] = machine.linked ? this.#entered(name, fn) : this.#guarded(name, fn);
    }
    this.exports = exports as Exports;
    this.glue?.bind(module, this.instance, machine.growth.allocator);
    bindHandlers(this.#trapping(machine.linked), this.instance.exports, handlers);
    if (machine.linked) this.#start(boot !== undefined);
    else this.#startImage(boot !== undefined && !isRestored); // memory and globals follow (state/restore.ts)
  }

  #startImage(boots: boolean): void {
    this.kernel.blocks.countHolds(this.kernel.vcpu);
    try {
      (this.instance.exports[boots ? 'ringzero.boot' : 'ringzero.attach'] as GuestFunction)();
    } catch (error) {
      throw guestTrap(this.kernel, 'its start', error);
    }
  }

  /** A linked guest sets itself up: once per VM, and once per vCPU. */
  #start(boots: boolean): void {
    const call = (name: string): unknown => (this as Vcpu).function(name)(this.kernel.frames);
    if (boots) call('boot');
    call('attach');
  }

  /** What the machine supplies, by module and name. */
  #machineImports(
    { memory, linked, growth }: Machine,
    module: Wasm.Module,
    hypervisor: HypervisorCalls,
  ): Record<string, Wasm.ModuleImports> {
    return Object.assign(Object.create(null) as Record<string, Wasm.ModuleImports>, {
      ...growthImports(growth, module, memory, this.kernel),
      ringzero: {
        ...imageImports(this.kernel, memory),
        ...this.glue?.imports(module),
      },
      libdbos: this.#libdbos(hypervisor, linked),
      ...(linked ? { env: { memory }, hypervisor: { ...this.kernel.imports } } : {}),
    });
  }

  #context(memory: Wasm.Memory): VcpuParts {
    const { fetch, syscall, claimWindow } = this.kernel.calls;
    return {
      memory,
      kernel: this.kernel,
      syscalls: this.syscalls,
      files: this.files,
      libdbos: { fetch, syscall },
      claimWindow: (bytes) => claimWindow(Math.ceil(bytes / FRAME_BYTES)) >>> 0,
    };
  }

  #libdbos(hypervisor: HypervisorCalls, linked: boolean): Wasm.ModuleImports {
    const { syscall, proxy, forget, counter, poll, setTimer } = this.kernel.calls;
    const { claimWindow, allocFrame, freeFrame, pageFault, serveCall } = this.kernel.calls;
    const { setDmaWindow } = this.syscalls;
    return {
      ...(linked
        ? { claimFrames: claimWindow, allocFrame, freeFrame, setDmaWindow, pageFault, serveCall }
        : {}),
      syscall,
      proxy,
      forget,
      counter,
      setTimer,
      safepoint: poll,
      setHandler: (slot: number, fn: number) => this.#bind(slot, fn),
      spawn: (fn: number, arg: number) => hypervisor.spawn(fn, arg),
      childStatus: (child: number) => hypervisor.childStatus(child),
      killChild: (child: number) => hypervisor.killChild(child),
    };
  }

  /** Sets an entry of the kernel's trap table to a function of the guest's table; function 0 clears it. */
  #bind(slot: number, fn: number): void {
    if (slot < 0 || slot >= TRAP_SLOTS)
      throw new RingzeroError('RZ_OPTION', `no trap slot ${slot}`);
    this.#setTrap(slot, fn === 0 ? null : this.functionAt(fn));
  }

  #setTrap(slot: number, fn: Wasm.ExportValue | null): void {
    this.kernel.traps.set(slot, fn);
    if (slot === HANDLER_SYSCALL) this.kernel.handlesSyscalls = fn !== null;
    if (fn === null) this.kernel.calls.unbindHandler(slot);
    else this.kernel.calls.bindHandler(slot);
  }

  /** Handles the interrupts of one vector on this vCPU from now on. */
  onInterrupt(vector: number, handler: () => void): void {
    this.#setTrap(vector, wasmFunction([I32], [], handler));
  }

  /**
   * VECTOR_TIMER becomes pending on this vCPU after `us` microseconds, and then every `everyUs`; 0 is never,
   * so (0, 0) turns it off. To be called on the vCPU's own thread.
   *
   * @throws {@link RingzeroError} RZ_OPTION for times outside 100 µs to an hour, RZ_HOST in a VM without the
   * option `timer`
   */
  setTimer(us: number, everyUs = 0): void {
    const isWhole = Number.isInteger(us) && Number.isInteger(everyUs);
    const isFitting = isWhole && Math.max(us, everyUs) < 2 ** 32 && Math.min(us, everyUs) >= 0;
    const result = isFitting ? this.kernel.calls.setTimer(us, everyUs) : -EINVAL;
    if (result === 0) return;
    const what = `a timer of ${us} us, then every ${everyUs} us`;
    throw result === -EINVAL
      ? new RingzeroError(
          'RZ_OPTION',
          `${what}; allowed: ${TIMER_US_MIN} to ${TIMER_US_MAX}, 0 = never`,
        )
      : new RingzeroError(
          'RZ_HOST',
          `${what}: the VM has no timers, create it with \`timer: true\``,
        );
  }

  #trapping(linked: boolean): Trapping {
    return {
      linked,
      bind: (slot, fn) => this.#setTrap(slot, fn),
      staging: (bytes) => this.syscalls.staging(bytes),
      proxy: (nr, a = 0, b = 0, c = 0, d = 0, e = 0) => this.kernel.calls.proxy(nr, a, b, c, d, e),
    };
  }

  /** Number of the vCPU in the VM; 0 is the one that created it. */
  get number(): number {
    return this.kernel.vcpu;
  }

  /** The function at an index of the guest's exported table. */
  functionAt(index: number): GuestFunction {
    for (const [name, value] of Object.entries(this.instance.exports)) {
      if (!(value instanceof WebAssembly.Table) || OTHER_TABLE.test(name)) continue;
      const fn: unknown = index >>> 0 < value.length ? value.get(index >>> 0) : null;
      if (typeof fn === 'function') return fn as GuestFunction;
    }
    throw new RingzeroError(
      'RZ_EXPORT',
      `the guest exports no table with a function at index ${index}`,
    );
  }

  #guarded(name: string, fn: GuestFunction): GuestFunction {
    let call = fn;
    this.#closers.push(() => (call = closed));
    const guarded: GuestFunction = (...args) => {
      const depth = this.kernel.calls.depth();
      try {
        return call(...args);
      } catch (error) {
        this.kernel.calls.unwind(depth);
        throw guestTrap(this.kernel, `call of \`${name}\``, error);
      }
    };
    return Object.defineProperty(guarded, 'length', { value: fn.length }); // glue checks it
  }

  /**
   * A linked guest's function: the vCPU enters before and leaves after it, which translated images do
   * themselves. The depth is counted here as well, which saves a third call.
   */
  #entered(name: string, fn: GuestFunction): GuestFunction {
    const { enter, leave } = this.kernel.calls;
    let call = fn;
    this.#closers.push(() => (call = closed));
    return (...args) => {
      const before = this.#depth++;
      try {
        enter();
        const result = call(...args);
        leave();
        this.#depth = before;
        return result;
      } catch (error) {
        this.#depth = before;
        this.kernel.calls.unwind(before);
        throw guestTrap(this.kernel, `call of \`${name}\``, error);
      }
    };
  }

  /** An exported function of the guest; throws RZ_EXPORT when there is none of that name. */
  function<Name extends FunctionName<Exports>>(name: Name): Exports[Name] {
    const fn = (this.exports as Partial<Exports>)[name];
    if (fn === undefined)
      throw new RingzeroError('RZ_EXPORT', `the guest's image exports no function \`${name}\``);
    return fn;
  }

  /**
   * Runs guest code that is not an export (an interrupt handler, a function of the table) as a vCPU: in the
   * guest's view, and with a trap turned into an error.
   */
  run<T>(what: string, body: () => T): T {
    const { enter, leave, depth, unwind } = this.kernel.calls;
    const before = depth();
    try {
      enter();
      this.loadView();
      const result = body();
      leave();
      return result;
    } catch (error) {
      unwind(before);
      throw guestTrap(this.kernel, what, error);
    }
  }

  /** Tells the guest's write checks which view this vCPU is in, after the host changed it. */
  loadView(): void {
    const { view } = this.kernel;
    if (this.#view !== undefined) this.#view.value = view;
    for (const side of this.sides) side.setView(view);
  }

  /** Delivers pending interrupts while the guest is idle. */
  deliverInterrupts(): void {
    this.run('interrupt handler', () => this.kernel.calls.poll());
  }

  /** Detaches the thread from the VM, and closes its files. */
  detach(): void {
    for (const close of this.#closers) close();
    this.glue?.close();
    for (const side of this.sides) side.close();
    this.syscalls.closeAll();
    this.kernel.calls.detach();
    this.tracer?.close();
  }
}

/** What every image imports from `ringzero`. */
export function imageImports(kernel: Kernel, memory: Wasm.Memory): Wasm.ModuleImports {
  const { fault, faultRange, viewFault, safepoint, enter, leave, size, grow } = kernel.calls;
  const vcpu = new WebAssembly.Global({ value: 'i32', mutable: false }, kernel.block | 0);
  return { memory, vcpu, fault, faultRange, viewFault, safepoint, enter, leave, size, grow };
}

/** Tables that the program does not call through. */
const OTHER_TABLE = /^ringzero\.(references\.|entries$)/;

/** Stands in for an imported function that was not supplied: only a call of it is an error. */
function missingFunction(
  from: string,
  name: string,
  image: 'main' | 'snapshot',
): Wasm.ModuleImports[string] {
  const why =
    image === 'main'
      ? 'which was not supplied'
      : 'which its fork does not have: a fork has WASI and what the option `importsModule` supplies, not the JavaScript of its parent';
  return () => {
    throw new RingzeroError('RZ_EXPORT', `the guest called its import ${from}.${name}, ${why}`);
  };
}
