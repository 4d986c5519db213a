// What a VM is made of: every option with its default, its bounds and its check, in one place.

import { FRAMES_MAX, FRAMES_MIN, FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { isModuleUrl } from '#platform';
import { asBytes, type Bytes } from '../bytes.ts';
import { checkNames, checkObject, refuse } from '../errors.ts';
import { physicalBuffer } from '../physical-buffer.ts';
import type { WasiOptions } from '../wasi/options.ts';
import type { Faults } from '../io/faults.ts';
import type { SyscallSink } from '../syscalls/table.ts';
import type { Handlers } from './handlers.ts';
import type { GuestImports } from './machine.ts';
import type { GuestImages } from './images.ts';
import { checkTrace } from './trace.ts';
import { allocateMemory, allocateSteps, isPhysicalMemory } from './physical-memory.ts';
import type * as Wasm from '../webassembly.ts';

/** What `MicroVM.create` is given. */
export interface MicroVMOptions {
  /**
   * The guest: any WebAssembly module, translated at load (any runtime language; see `translate` for what is
   * refused), or images translated before.
   */
  guest: Bytes | GuestImages;
  /**
   * The guest is linked with libdbos' machine: it runs untranslated, reaches every frame and has no snapshots. It
   * imports its memory as `env.memory` and exports `boot(frames)` and `attach(frames)`. Default false.
   */
  linked?: boolean;
  /**
   * Physical memory in bytes, 16 MiB to 4 GiB, rounded down to a multiple of 16 MiB. Default 4 GiB, or the half, a
   * quarter ... of it where the host has no such range of addresses: memory is committed only where it is touched. Or what `MicroVM.memory` gave, for glue that wants it first.
   */
  memory?: number | Wasm.Memory;
  /**
   * Largest guest memory in bytes. The rest is for the kernel's tables (3.5 %) and for the copies that snapshots
   * need. Default: three quarters of `memory`, as a 3G/1G kernel.
   */
  guestLimit?: number;
  /**
   * Whether loops of the main image look for interrupts. Default true; MicroVM.load: false, which makes a
   * program a little faster. Without, a second thread that attaches waits for calls of the first one to end, and handlers of
   * interrupts run between calls only.
   */
  safepoints?: boolean;
  /**
   * The guest's imports, as for WebAssembly.instantiate, or a function that makes them; `libdbos` is added. The function
   * gets what a module needs that is to run beside the guest, untranslated.
   */
  imports?: GuestImports;
  /** The guest's handlers of page faults, system calls and interrupts on this thread's vCPU, in TypeScript: for prototypes. */
  handlers?: Handlers;
  /**
   * Module (file URL) whose function `imports()` makes the guest's imports in snapshot vCPUs, which are threads of
   * their own. Without it, an imported function that a snapshot calls throws.
   */
  importsModule?: string;
  /** The guest is a WASI program: what it is given. Default: no WASI (MicroVM.load: nothing but standard streams). */
  wasi?: WasiOptions;
  /**
   * Starts an I/O service: a thread that serves the vCPUs' submission queues, many operations at once. Default false.
   * Where the host can drive io_uring (Node: UV_USE_IO_URING=1 in the environment), it does.
   */
  rings?: boolean;
  /**
   * Starts a thread for the vCPUs' timers (`setTimer` of ringzero/assembly, `Vcpu.setTimer`); it sleeps until one is due.
   * Default false: a timer cannot be set.
   */
  timer?: boolean;
  /** Faults of storage, on purpose: for tests. Default: none. */
  faults?: Faults;
  /** Directory in which the guest may open files with libdbos' system calls. Default: none. */
  preopen?: string;
  /** Snapshot vCPUs kept warm, 1 to 32. Default 1. More start when more snapshots run at once. */
  snapshotVcpus?: number;
  /**
   * Whether snapshot vCPUs give way to other threads of the machine, a little. Default false.
   * A saver in the background wants it; a query on a snapshot that somebody waits for does not.
   */
  snapshotsInBackground?: boolean;
  /**
   * Refuse a guest whose compilation would take memory or time out of proportion to its size: for modules from strangers. Default
   * false. Fails with RZ_MODULE_UNSUPPORTED; docs/programs.md has the bounds. Not with images that were translated before.
   */
  boundCompilation?: boolean;
  /** Bytes from address 0 that trap when stored to, a multiple of 4096. Default 0: C programs keep data there. */
  guardBytes?: number;
  /**
   * A file that every vCPU writes its faults, system calls and interrupts to, for https://ui.perfetto.dev or chrome://tracing.
   * What is there is overwritten; close() completes it. Default: nothing is traced, which costs nothing; docs/observing.md
   * says what it costs. Fails with RZ_IO when it cannot be written, with RZ_HOST in a browser.
   */
  trace?: string;
  /** Where the guest's messages and progress go. Default: nowhere. */
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

/** Options of MicroVM.load. */
export type LoadOptions = Omit<MicroVMOptions, 'guest' | 'imports' | 'linked'>;

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

/** Frames of a VM of so many bytes; throws RZ_OPTION. */
export function framesOf(bytes: unknown): number {
  const most = FRAMES_MAX * FRAME_BYTES;
  const memory = whole('memory', bytes, FRAMES_MIN * FRAME_BYTES, most, 'bytes');
  return Math.floor(memory / FRAME_BYTES / FRAMES_MIN) * FRAMES_MIN;
}

/** Memory of a VM: of so many bytes, or the most that the host gives. Fails with RZ_OPTION, RZ_OUT_OF_MEMORY. */
export function obtainMemory(bytes: number | undefined, inSteps = false): Wasm.Memory {
  const allocate = inSteps ? allocateSteps : allocateMemory;
  if (bytes !== undefined) return allocate(framesOf(bytes));
  for (let frames = FRAMES_MAX; ; frames /= 2) {
    try {
      return allocate(frames);
    } catch (error) {
      if (frames / 2 < FRAMES_MIN) throw error;
    }
  }
}

/** Checks everything that has bounds; throws RZ_OPTION naming the option, its value and what is allowed. */
export function checkOptions(options: MicroVMOptions): CheckedOptions {
  checkNames(options, NAMES);
  const given = options.memory!;
  if (typeof given === 'object' && !isPhysicalMemory(given))
    refuse('memory', 'a memory of other origin', 'bytes, or what `MicroVM.memory` returned');
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
