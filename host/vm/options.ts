// The options of a VM: each with its default, its bounds and its check.

import { FRAMES_MAX, FRAMES_MIN, FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { isModuleUrl } from '#platform';
import { asBytes, type Bytes } from '../bytes.ts';
import { checkNames, checkObject, refuse } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type { WasiOptions } from '../wasi/options.ts';
import type { Faults } from '../io/faults.ts';
import type { SyscallSink } from '../syscalls/table.ts';
import type { Handlers } from './handlers.ts';
import type { GuestImports, Machine } from './machine.ts';
import type { GuestImages } from './images.ts';
import { checkTrace } from './trace.ts';
import { isPhysicalMemory } from './physical-memory.ts';
import type * as Wasm from '../webassembly.ts';

/**
 * Options of `MicroVM.create`.
 *
 * @category VM
 */
export interface MicroVMOptions {
  /**
   * The guest: any WebAssembly module, translated at load (from any language; see `translate` for what is
   * rejected), or images translated before.
   */
  guest: Bytes | GuestImages;
  /**
   * The guest is linked with libdbos' machine: it runs untranslated, can address every frame, and has no
   * snapshots. It imports its memory as `env.memory` and exports `boot(frames)` and `attach(frames)`. Default
   * false.
   */
  linked?: boolean;
  /**
   * Physical memory in bytes, 16 MiB to 4 GiB, rounded down to a multiple of 16 MiB. Memory is committed only
   * where it is touched. Default
   * 4 GiB; half, a quarter ... of it where the host cannot reserve that many addresses. Or the result of
   *   `MicroVM.memory`, for glue that wants
   * its memory first.
   */
  memory?: number | Wasm.Memory;
  /**
   * Largest guest memory in bytes. The rest is for the kernel's tables (3.5 %) and for the copies that
   * snapshots need. Default: three quarters of `memory`, like a 3G/1G kernel.
   */
  guestLimit?: number;
  /**
   * Whether loops of the main image poll for interrupts. Default true; false for MicroVM.load, which makes a
   * program slightly faster. Without polls, a second thread that attaches waits until calls of the first one
   * end, and interrupt handlers run only between calls.
   */
  safepoints?: boolean;
  /**
   * The guest's imports, as for WebAssembly.instantiate, or a function that makes them; `libdbos` is added.
   * The function is given what an untranslated module needs to work with the guest's memory.
   */
  imports?: GuestImports;
  /**
   * TypeScript handlers of page faults, system calls and interrupts on this thread's vCPU, for prototypes.
   */
  handlers?: Handlers;
  /**
   * URL of a module whose function `imports()` makes the guest's imports in snapshot vCPUs, which are
   * separate threads. Without it, an imported function that a snapshot calls throws.
   */
  importsModule?: string;
  /**
   * Makes the guest a WASI program, and says what it is given. Default: no WASI (MicroVM.load: standard
   * streams only).
   */
  wasi?: WasiOptions;
  /**
   * Starts an I/O service: a thread that serves the vCPUs' submission queues, many operations at a time.
   * Default false. It uses io_uring where the host does (Node: UV_USE_IO_URING=1 in the environment).
   */
  rings?: boolean;
  /**
   * Starts a thread for the vCPUs' timers (`setTimer` of ringzero/assembly, `Vcpu.setTimer`); it sleeps until
   * one is due. Default false: timers cannot be set.
   */
  timer?: boolean;
  /** Injected storage faults, for tests. Default: none. */
  faults?: Faults;
  /** Directory in which the guest may open files with libdbos' system calls. Default: none. */
  preopen?: string;
  /** Snapshot vCPUs kept warm, 1 to 32. Default 1. More start when more snapshots run at the same time. */
  snapshotVcpus?: number;
  /**
   * Whether snapshot vCPUs run at a slightly lower priority. Default false. Right for a background save,
   * wrong for a query that a user waits for.
   */
  snapshotsInBackground?: boolean;
  /**
   * Rejects a guest whose compilation would take memory or time out of proportion to its size: for untrusted
   * modules. Default false. Fails with RZ_MODULE_UNSUPPORTED; docs/programs.md has the bounds. Not with
   * images that were translated before.
   */
  boundCompilation?: boolean;
  /** Bytes from address 0 where stores trap, a multiple of 4096. Default 0: C programs keep data there. */
  guardBytes?: number;
  /**
   * A file to which every vCPU writes its faults, system calls and interrupts, for https://ui.perfetto.dev or
   * chrome://tracing. An existing file is overwritten; close() completes it. Default: no trace, at no cost;
   * docs/observing.md gives the cost of a trace. Fails with RZ_IO when the file cannot be written, with
   * RZ_HOST in a browser.
   */
  trace?: string;
  /** Where the guest's messages and progress go. Default: discarded. */
  sink?: Partial<SyscallSink>;
}

const NAMES = {
  guest: true,
  linked: true,
  memory: true,
  guestLimit: true,
  imports: true,
  importsModule: true,
  wasi: true,
  handlers: true,
  safepoints: true,
  rings: true,
  timer: true,
  faults: true,
  preopen: true,
  snapshotVcpus: true,
  snapshotsInBackground: true,
  guardBytes: true,
  boundCompilation: true,
  trace: true,
  sink: true,
} satisfies Record<keyof MicroVMOptions, true>;

/**
 * Options of MicroVM.load.
 *
 * @category Programs
 */
export interface LoadOptions extends Omit<MicroVMOptions, 'guest' | 'imports' | 'linked'> {
  /**
   * Whether `_initialize` of a reactor is called. Default true; false for glue that calls it itself.
   */
  initialize?: boolean;
}

/**
 * What another thread needs to attach to a VM; can be posted.
 *
 * @category VM
 */
export interface MicroVMHandle {
  machine: Machine;
  preopen: string | undefined;
  importsModule: string | undefined;
  background: boolean;
}

/**
 * Options of attach(): what a handle cannot carry.
 *
 * @category VM
 */
export type AttachOptions = Pick<MicroVMOptions, 'imports' | 'handlers' | 'sink' | 'snapshotVcpus'>;

export interface CheckedOptions {
  frames: number;
  guestLimitPages: number;
  guardPages: number;
  snapshotVcpus: number;
}

function whole(name: string, value: unknown, least: number, most: number, unit: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    refuse(name, value, `a whole number of ${unit} from ${least} to ${most}`);
  }
  return value;
}

/** Number of frames of a VM with that memory; throws RZ_OPTION. */
export function framesOf(bytes: unknown): number {
  const most = FRAMES_MAX * FRAME_BYTES;
  const memory = whole('memory', bytes, FRAMES_MIN * FRAME_BYTES, most, 'bytes');
  return Math.floor(memory / FRAME_BYTES / FRAMES_MIN) * FRAMES_MIN;
}

/**
 * Memory of a VM: of the given size, or the most that the host allows. Fails with RZ_OPTION,
 * RZ_OUT_OF_MEMORY.
 */
export function obtainMemory(
  bytes: number | undefined,
  allocate: (frames: number) => Wasm.Memory,
): Wasm.Memory {
  if (bytes !== undefined) return allocate(framesOf(bytes));
  for (let frames = FRAMES_MAX; ; frames /= 2) {
    try {
      return allocate(frames);
    } catch (error) {
      if (frames / 2 < FRAMES_MIN) throw error;
    }
  }
}

/** Checks all options that have bounds; throws RZ_OPTION with the option, its value and what is allowed. */
export function checkOptions(options: MicroVMOptions): CheckedOptions {
  checkNames(options, NAMES);
  const given = options.memory!;
  if (typeof given === 'object' && !isPhysicalMemory(given))
    refuse('memory', 'another memory', 'bytes, or what `MicroVM.memory` returned');
  const frames = framesOf(typeof given === 'object' ? physicalBuffer(given).byteLength : given);
  const memory = frames * FRAME_BYTES;
  const guestLimit = whole(
    'guestLimit',
    options.guestLimit ?? frames * FRAME_BYTES * 0.75,
    65536,
    memory,
    'bytes',
  );
  const guard = whole('guardBytes', options.guardBytes ?? 0, 0, guestLimit, 'bytes');
  if (guard % FRAME_BYTES !== 0) refuse('guardBytes', guard, `multiples of ${FRAME_BYTES}`);
  const isModule = asBytes(options.guest) !== undefined;
  if (!isModule && !areImages(options.guest)) {
    refuse('guest', typeof options.guest, 'the bytes of a module, or what `translate` returns');
  }
  if (options.imports !== undefined && typeof options.imports !== 'function')
    checkObject(options.imports, 'imports', 'an object, or a function that makes it');
  checkTrace(options.trace);
  if (options.timer !== undefined && typeof options.timer !== 'boolean')
    refuse('timer', options.timer, 'true or false');
  const { boundCompilation } = options;
  if (boundCompilation !== undefined && typeof boundCompilation !== 'boolean')
    refuse('boundCompilation', boundCompilation, 'true or false');
  if (boundCompilation === true && (options.linked === true || areImages(options.guest)))
    refuse('boundCompilation', true, 'only with a module as `guest` that is translated at load');
  if (options.linked === true && !isModule)
    refuse('linked', true, 'only with the bytes of a module as `guest`');
  if (options.importsModule !== undefined && !isModuleUrl(options.importsModule)) {
    refuse('importsModule', options.importsModule, 'the URL of a module (file: in Node)');
  }
  return {
    frames,
    guestLimitPages: Math.floor(guestLimit / FRAME_BYTES),
    guardPages: guard / FRAME_BYTES,
    snapshotVcpus: whole('snapshotVcpus', options.snapshotVcpus ?? 1, 1, 32, 'vCPUs'),
  };
}

function areImages(guest: unknown): boolean {
  const { main, snapshot, info } = (guest ?? {}) as Partial<GuestImages>;
  return asBytes(main) !== undefined && asBytes(snapshot) !== undefined && info !== undefined;
}
