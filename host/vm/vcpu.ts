// A vCPU: one instance of a guest image beside one instance of the kernel, on the thread that made it.

import { FRAME_BYTES, WASM_PAGE_BYTES } from '../../assembly/abi/limits.ts';
import { VECTOR_COUNT } from '../../assembly/abi/vector.ts';
import { EINVAL, ENOSYS } from '../../assembly/abi/errno.ts';
import { TIMER_US_MAX, TIMER_US_MIN } from '../../assembly/abi/timer.ts';
import { RingzeroError } from '../errors.ts';
import type * as Wasm from '../webassembly.ts';
import type { ModuleInfo } from '../translator/index.ts';
import type { Preopen } from '../syscalls/preopen.ts';
import { Syscalls, type SyscallSink } from '../syscalls/table.ts';
import type { WasiSetup } from '../wasi/options.ts';
import type { FunctionName, GuestExports, GuestFunction } from './exports.ts';
import { closed, guestTrap } from './guest-trap.ts';
import { Glue } from './glue.ts';
import { importsOf } from './imports.ts';
import { carriedImport, carriedOf, type CarriedImport } from './carried.ts';
import { bindHandlers, I32, wasmFunction, type Handlers, type Trapping } from './handlers.ts';
import { Kernel, TRAP_SLOTS, type HostSyscall, type KernelExports } from './kernel.ts';
import { seesAll } from './physical-memory.ts';
import { Tables } from './tables.ts';
import type { Registers } from './registers.ts';
import { tracedSyscall, Tracer, type TraceSetup } from './trace.ts';

/** What every vCPU of a VM shares; can be posted to another thread. */
export interface Machine {
  memory: Wasm.Memory;
  frames: number;
  kernel: Wasm.Module;
  main: Wasm.Module;
  /** Bytes, shared between threads: only those that look at a snapshot compile them, off everybody's way. */
  snapshot: Uint8Array;
  /** The main image is the guest as it was compiled, linked with libdbos' machine. */
  linked: boolean;
  /** The main image is a program's, and JavaScript knows its memory (translator/glue.ts). */
  glue: boolean;
  /** What the guest makes its memory larger with. */
  growth: Pick<ModuleInfo, 'growsItself' | 'growImport' | 'allocator'>;
  /** The globals and tables that the guest imports; with their values once the first vCPU is there. */
  carried: readonly CarriedImport[];
  /** The files that entries of rings may name; undefined = the VM has no I/O service. */
  ringFiles: SharedArrayBuffer | undefined;
  /** The frames that the host may touch by itself (io/dma-window.ts). */
  dmaWindow: SharedArrayBuffer;
  /** Faults of storage, on purpose (io/faults.ts). */
  faults: SharedArrayBuffer | undefined;
  /** Where snapshots keep the guest's mutable globals; set when the VM boots. */
  registers: Registers;
  /** What a WASI program is given; undefined = no WASI. */
  wasi: WasiSetup | undefined;
  /** The file that vCPUs write what they do to; undefined = nothing is traced. */
  trace: TraceSetup | undefined;
}

/** What a module beside a guest is made on: for functions that make a guest's imports. */
export interface Beside {
  memory: Wasm.Memory;
  libdbos: {
    /** Copies guest memory to kernel memory. */
    fetch(address: number, bytes: number, target: number): void;
    /** A system call of the guest: a result, or a negative errno. */
    syscall(nr: number, a: number, b: number, c: number, d: number, e: number): number;
  };
  /** Address of so many bytes of kernel memory, aligned to 4096, for good; 0 when there is no room. */
  claimWindow(bytes: number): number;
}

/**
 * The same for the system interfaces of this package.
 *
 * @internal
 */
export interface VcpuParts extends Beside {
  kernel: Kernel;
  syscalls: Syscalls;
}

/** A guest's imports, or how to make them for a vCPU. */
export type GuestImports = Wasm.Imports | ((beside: Beside) => Wasm.Imports);

/**
 * Calls of module `libdbos` that only the hypervisor can serve; the kernel serves the others.
 *
 * @internal
 */
export interface HypervisorCalls {
  spawn(fn: number, arg: number): number;
  childStatus(child: number): number;
  killChild(child: number): void;
}

const NO_CHILDREN: HypervisorCalls = {
  spawn: () => -ENOSYS, // no snapshot of a snapshot
  childStatus: () => -ENOSYS,
  killChild: () => {},
};

/** A vCPU: one instance of the guest beside one of the kernel, on the thread that entered the VM. */
export class Vcpu<Exports extends object = GuestExports> {
  /** @internal */
  readonly kernel: Kernel;
  /** @internal */
  readonly syscalls: Syscalls;
  /** The guest's exported functions by name; a trap in one is a RingzeroError. */
  readonly exports: Exports;
  /** The image. */
  readonly module: Wasm.Module;
  /** The instance itself: exported tables, globals and memory, and functions without the error handling. */
  readonly instance: Wasm.Instance;
  /**
   * The crossings between the program and its glue.
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
   * Where what this vCPU does is traced.
   *
   * @internal
   */
  readonly tracer: Tracer | undefined;
  readonly #view: Wasm.Global | undefined;
  /** How often a linked guest is entered on this vCPU. */
  #depth = 0;
  /** Each makes one exported function fail from then on. */
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
  ) {
    const { memory, frames } = machine;
    let syscalls: Syscalls | undefined;
    const syscall: HostSyscall = (nr, a, b, c, d, e) => syscalls!.call(nr, a, b, c, d, e);
    const tracer = (this.tracer = machine.trace && new Tracer(machine.trace));
    this.kernel = new Kernel(
      machine.kernel,
      memory,
      frames,
      tracer === undefined ? syscall : tracedSyscall(syscall, tracer),
      boot,
      tracer,
    );
    if (image === 'main') this.kernel.blocks.sayThread(this.kernel.vcpu); // of a snapshot's the pool knows
    tracer?.name(this.kernel.vcpu, image);
    this.syscalls = syscalls = new Syscalls(machine, this.kernel, preopen, sink);
    if (image === 'main' && machine.glue) this.glue = new Glue(this.kernel, memory);
    const given = typeof imports === 'function' ? imports(this.#beside(memory)) : imports;
    const module = (this.module =
      image === 'main'
        ? machine.main
        : new WebAssembly.Module(machine.snapshot.slice() as BufferSource));
    const all = this.#machineImports(machine, module, hypervisor);
    const supplied = importsOf(module, all, given, (kind, from, name) => {
      if (kind !== 'function')
        return boot === undefined ? carriedImport(machine.carried, from, name) : undefined;
      return isGrowth(machine, from, name)
        ? resizeHeap(this.kernel)
        : missingFunction(from, name, image);
    });
    if (boot !== undefined) machine.carried = carriedOf(machine.carried, supplied);
    this.instance = new WebAssembly.Instance(module, supplied);
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
    else this.#startImage(boot !== undefined);
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
    const { fault, faultRange, viewFault, safepoint, enter, leave, size, grow } = this.kernel.calls;
    const vcpu = new WebAssembly.Global({ value: 'i32', mutable: false }, this.kernel.block | 0);
    const all = Object.assign(Object.create(null) as Record<string, Wasm.ModuleImports>, {
      ringzero: {
        ...{ memory, vcpu, fault, faultRange, viewFault, safepoint, enter, leave, size, grow },
        ...this.glue?.imports(module),
      },
      libdbos: this.#libdbos(hypervisor, linked),
      ...(linked ? { env: { memory }, hypervisor: { ...this.kernel.imports } } : {}),
    });
    if (!seesAll(memory)) return all;
    // Glue that sees all of memory takes it for the program's, and would find that it need not grow.
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      if (kind !== 'function' || !isGrowth({ growth }, from, name)) continue;
      const names = (all[from] ??= Object.create(null) as Wasm.ModuleImports);
      names[name] = resizeHeap(this.kernel);
    }
    return all;
  }

  #beside(memory: Wasm.Memory): VcpuParts {
    const { fetch, syscall, claimWindow } = this.kernel.calls;
    return {
      memory,
      kernel: this.kernel,
      syscalls: this.syscalls,
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

  /** Puts a function of the guest's table into the kernel's trap table; function 0 takes it out again. */
  #bind(slot: number, fn: number): void {
    if (slot < 0 || slot >= TRAP_SLOTS)
      throw new RingzeroError('RZ_OPTION', `no trap slot ${slot}`);
    this.#setTrap(slot, fn === 0 ? null : this.functionAt(fn));
  }

  #setTrap(slot: number, fn: Wasm.ExportValue | null): void {
    this.kernel.traps.set(slot, fn);
    if (slot === VECTOR_COUNT + 1) this.kernel.handlesSyscalls = fn !== null;
    if (fn === null) this.kernel.calls.unbindHandler(slot);
    else this.kernel.calls.bindHandler(slot);
  }

  /** Takes the interrupts of one vector on this vCPU from now on. */
  onInterrupt(vector: number, handler: () => void): void {
    this.#setTrap(vector, wasmFunction([I32], [], handler));
  }

  /**
   * VECTOR_TIMER is pending on this vCPU when `us` microseconds have passed, and every `everyUs` from then on; 0 is never, so
   * (0, 0) turns it off. On the vCPU's own thread. Fails with RZ_OPTION for other times than 100 us to an hour, with RZ_HOST in
   * a VM without the option `timer`.
   */
  setTimer(us: number, everyUs = 0): void {
    const isWhole = Number.isInteger(us) && Number.isInteger(everyUs);
    const isFitting = isWhole && Math.max(us, everyUs) < 2 ** 32 && Math.min(us, everyUs) >= 0;
    const result = isFitting ? this.kernel.calls.setTimer(us, everyUs) : -EINVAL;
    if (result === 0) return;
    const what = `a timer of ${us} us, then every ${everyUs} us`;
    throw result === -EINVAL
      ? new RingzeroError('RZ_OPTION', `${what}; allowed: ${TIMER_US_MIN} to ${TIMER_US_MAX}, 0 = never`) // prettier-ignore
      : new RingzeroError('RZ_HOST', `${what}: the VM has no timers, create it with \`timer: true\``); // prettier-ignore
  }

  #trapping(linked: boolean): Trapping {
    return {
      linked,
      bind: (slot, fn) => this.#setTrap(slot, fn),
      staging: (bytes) => this.syscalls.staging(bytes),
      proxy: (nr, a = 0, b = 0, c = 0, d = 0, e = 0) => this.kernel.calls.proxy(nr, a, b, c, d, e),
    };
  }

  /** Which vCPU of the VM this is: 0 is the one that created it. */
  get number(): number {
    return this.kernel.vcpu;
  }

  /** The function at an index of the guest's exported table. */
  functionAt(index: number): GuestFunction {
    for (const [name, value] of Object.entries(this.instance.exports)) {
      if (!(value instanceof WebAssembly.Table) || name.startsWith('ringzero.references.'))
        continue;
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
   * A linked guest's function: the vCPU enters before and leaves after, which an image does by itself. The depth is
   * counted here as well, so that a call costs two short calls more and no third one.
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
   * Runs guest code that is no export (an interrupt handler, a function of the table) as a vCPU: in the guest's own
   * view, and with a trap turned into an error.
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

  /** Tells the guest's write checks which view this vCPU is in, after the host has changed it. */
  loadView(): void {
    if (this.#view !== undefined) this.#view.value = this.kernel.view;
  }

  /** Delivers pending interrupts while the guest does nothing else. */
  deliverInterrupts(): void {
    this.run('interrupt handler', () => this.kernel.calls.poll());
  }

  /** Takes the thread out of the VM, and closes what it has open. */
  detach(): void {
    for (const close of this.#closers) close();
    this.glue?.close();
    this.syscalls.closeAll();
    this.kernel.calls.detach();
    this.tracer?.close();
  }
}

/** Whether a program asks for more memory by this import. */
function isGrowth({ growth }: Pick<Machine, 'growth'>, from: string, name: string): boolean {
  const { growImport } = growth;
  if (growImport?.module === from && growImport.name === name) return true;
  return name === 'emscripten_resize_heap';
}

/** What stands for an imported function that nothing supplies: only its call is an error. */
function missingFunction(
  from: string,
  name: string,
  image: 'main' | 'snapshot',
): Wasm.ModuleImports[string] {
  const why =
    image === 'main'
      ? 'which was not supplied'
      : 'which its fork does not have: a fork has WASI and what the option `importsModule` supplies, not the JavaScript of its parent'; // prettier-ignore
  return () => {
    throw new RingzeroError('RZ_EXPORT', `the guest called its import ${from}.${name}, ${why}`);
  };
}

/**
 * What Emscripten's glue does for `emscripten_resize_heap`, for a fork, which has no glue: moves the break so that memory has as many
 * bytes. 1, or 0 when there is no room, which for the program is an allocation that failed.
 */
function resizeHeap({ calls }: Kernel): (bytes: number) => number {
  return (bytes) => {
    const missing = Math.ceil((bytes >>> 0) / WASM_PAGE_BYTES) - calls.size();
    return missing <= 0 || calls.grow(missing) >= 0 ? 1 : 0;
  };
}
