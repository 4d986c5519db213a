// What the vCPUs of a VM share, and what functions that supply a guest's imports are given.

import type { FileImages } from '../files/module.ts';
import type { ModuleIdentity, ModuleInfo } from '../translator/index.ts';
import type { Syscalls } from '../syscalls/table.ts';
import type { WasiSetup } from '../wasi/options.ts';
import type * as Wasm from '../webassembly.ts';
import type { CarriedImport } from './carried.ts';
import type { Kernel } from './kernel.ts';
import type { Registers } from './registers.ts';
import type { TraceSetup } from './trace.ts';
import type { VcpuFiles } from './vcpu-files.ts';

/**
 * Shared by every vCPU of a VM; can be posted to another thread.
 *
 * @category Internals
 */
export interface Machine {
  memory: Wasm.Memory;
  frames: number;
  kernel: Wasm.Module;
  main: Wasm.Module;
  /** Bytes in shared memory: only threads that run a snapshot compile them. */
  snapshot: Uint8Array;
  /** The main image is the guest as it was compiled, linked with libdbos' machine. */
  linked: boolean;
  /** The main image is a program, and JavaScript accesses its memory (translator/glue.ts). */
  glue: boolean;
  /** The processor may reorder loads. */
  weakMemory: boolean;
  /** How the guest grows its memory. */
  growth: Pick<ModuleInfo, 'growsItself' | 'growImport' | 'allocator'>;
  /** The globals and tables that the guest imports; with their values once the first vCPU has started. */
  carried: readonly CarriedImport[];
  /** The files that ring entries may name; undefined = the VM has no I/O service. */
  ringFiles: SharedArrayBuffer | undefined;
  /** The frames that the host may access on its own (io/dma-window.ts). */
  dmaWindow: SharedArrayBuffer;
  /** Injected storage faults (io/faults.ts). */
  faults: SharedArrayBuffer | undefined;
  /** Where snapshots keep the guest's mutable globals; set when the VM boots. */
  registers: Registers;
  /** Names the guest's module in exported states; undefined = images of an earlier release. */
  source: ModuleIdentity | undefined;
  /** The file system in the VM, once it is open. */
  files: FileImages | undefined;
  /** Whether side modules are refused whose compilation takes memory out of proportion. */
  boundCompilation: boolean;
  /** What a WASI program is given; undefined = no WASI. */
  wasi: WasiSetup | undefined;
  /** The file that vCPUs write their trace to; undefined = no trace. */
  trace: TraceSetup | undefined;
}

/**
 * What a function that makes a guest's imports is given: memory, and the calls of libdbos on this vCPU.
 *
 * @category VM
 */
export interface ImportContext {
  memory: Wasm.Memory;
  libdbos: {
    /** Copies guest memory to kernel memory. */
    fetch(address: number, bytes: number, target: number): void;
    /** A system call of the guest: a result, or a negative errno. */
    syscall(nr: number, a: number, b: number, c: number, d: number, e: number): number;
  };
  /** Address of `bytes` of kernel memory, aligned to 4096, never freed; 0 without room. */
  claimWindow(bytes: number): number;
}

/**
 * The same for the system interfaces of this package.
 *
 * @internal
 */
export interface VcpuParts extends ImportContext {
  kernel: Kernel;
  syscalls: Syscalls;
  files: VcpuFiles;
}

/**
 * A guest's imports, or how to make them for a vCPU.
 *
 * @category VM
 */
export type GuestImports = Wasm.Imports | ((context: ImportContext) => Wasm.Imports);

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
