// What a VM is booted from: checked options, physical memory, the guest's images, the machine that its vCPUs
// share.

import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { originals } from '../constructors.ts';
import { checkObject, RingzeroError } from '../errors.ts';
import { checkMayEnter, checkMayServe, isWeakMemory, prepareDirectory } from '#platform';
import { DmaWindow } from '../io/dma-window.ts';
import { RingFiles } from '../io/files.ts';
import type { WasiOptions, WasiSetup } from '../wasi/options.ts';
import type * as Wasm from '../webassembly.ts';
import { loadImages, type GuestImages } from './images.ts';
import type { KernelExports } from './kernel.ts';
import { compileKernel } from './kernel-module.ts';
import type { GuestImports, Machine } from './machine.ts';
import {
  checkOptions,
  obtainMemory,
  type CheckedOptions,
  type MicroVMHandle,
  type MicroVMOptions,
} from './options.ts';
import { allocateMemory, allocateSteps } from './physical-memory.ts';
import { claimRegisters } from './registers.ts';
import { addWasi } from './system-interface.ts';
import { announceTimers } from './timers.ts';
import { startTrace } from './trace.ts';

/** Everything that booting needs, so that it can be done synchronously. */
export interface BootParts {
  readonly options: MicroVMOptions;
  readonly memory: GuestMemory;
  readonly images: GuestImages;
  readonly kernel: Wasm.Module;
  readonly main: Wasm.Module;
  readonly weakMemory: boolean;
  /** The guest is a program, and JavaScript accesses its memory. */
  readonly glue: boolean;
  readonly wasi: WasiSetup | undefined;
  /** Including WASI. */
  readonly imports: GuestImports;
  /** Gives the VM a file system when it boots: the program has directories in memory. */
  readonly beginFiles?: typeof import('./file-access.ts').beginFiles | undefined;
  /** Releases what prepareDirectory() opened. */
  readonly release: () => void;
  /**
   * Of a VM that is restored: its pages of 64 KiB. Nothing of the guest runs, and no data segment is applied.
   */
  readonly restoredPages?: number | undefined;
}

export interface GuestMemory {
  readonly memory: Wasm.Memory;
  readonly checked: CheckedOptions;
}

/** Checks the options and obtains the physical memory that they ask for. */
export function guestMemory(options: MicroVMOptions, glue: boolean): GuestMemory {
  const { memory: given } = options;
  const memory =
    typeof given === 'object' ? given : obtainMemory(given, glue ? allocateSteps : allocateMemory);
  return { memory, checked: checkOptions({ ...options, memory }) };
}

/** Pages of 4096 bytes with which the guest starts. */
function guestPagesOf({ images: { info }, restoredPages }: BootParts): number {
  return (restoredPages ?? info.initialPages) * 16;
}

/**
 * The most pages of 4096 bytes that the guest may have. Fails with RZ_OUT_OF_MEMORY when it starts with more.
 */
function guestLimit(parts: BootParts): number {
  const {
    images: { info },
    memory: { checked },
  } = parts;
  const guestPages = guestPagesOf(parts);
  const limit = Math.min(checked.guestLimitPages, (info.maximumPages ?? 65536) * 16);
  if (guestPages <= limit) return limit;
  throw new RingzeroError(
    'RZ_OUT_OF_MEMORY',
    `the guest starts with ${guestPages * FRAME_BYTES} bytes of memory, guestLimit is ${limit * FRAME_BYTES}`,
  );
}

function machineOf(parts: BootParts): Machine {
  const { options, images, memory, kernel, main, weakMemory, glue, wasi } = parts;
  const { frames } = memory.checked;
  const { info } = images;
  return {
    ...{ memory: memory.memory, frames, kernel, main, weakMemory, glue, wasi },
    snapshot: sharedCopy(images.snapshot),
    linked: options.linked ?? false,
    boundCompilation: options.boundCompilation ?? false,
    growth: {
      growsItself: info.growsItself ?? true,
      growImport: info.growImport,
      allocator: info.allocator,
    },
    carried: info.importedValues ?? [],
    dmaWindow: new DmaWindow(frames).shared,
    ringFiles: options.rings === true ? new RingFiles().shared : undefined,
    faults: options.faults?.shared,
    registers: { address: 0, stride: 0, bytes: 0, dropBytes: 0 },
    source: info.source,
    files: undefined,
    trace: undefined,
  };
}

async function checkedWasi(
  options: WasiOptions | undefined,
  { info }: GuestImages,
): Promise<WasiSetup | undefined> {
  if (options === undefined) return undefined;
  const { checkWasiOptions } = await import('../wasi/options.ts'); // loaded on demand
  return checkWasiOptions(options, info.imports);
}

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** What a VM's handle has, and how its first vCPU boots it. */
export function bootOf(parts: BootParts): {
  handle: MicroVMHandle;
  boot: (calls: KernelExports) => void;
} {
  const { options, images, weakMemory } = parts;
  const { frames, guardPages } = parts.memory.checked;
  const guestPages = guestPagesOf(parts);
  const limit = guestLimit(parts);
  const machine = machineOf(parts);
  if (options.trace !== undefined) machine.trace = startTrace(options.trace);
  const handle = {
    machine,
    preopen: options.preopen,
    importsModule: options.importsModule,
    background: options.snapshotsInBackground ?? false,
  };
  const boot = (calls: KernelExports): void => {
    calls.boot(frames, guestPages, limit, guardPages, weakMemory ? 1 : 0);
    machine.registers = claimRegisters(calls, images.info);
    parts.beginFiles?.(machine, calls, weakMemory);
    if (options.timer === true) announceTimers(machine);
  };
  return { handle, boot };
}

export const hasMemoryFiles = (wasi: WasiSetup | undefined): boolean =>
  wasi?.preopens.some(({ memory }) => memory) === true;

async function fileBeginner(): Promise<BootParts['beginFiles']> {
  const { beginFiles, loadFileModule } = await import('./file-access.ts'); // loaded on demand
  await loadFileModule();
  return beginFiles;
}

/** Loads, translates and compiles what the options name. Fails as MicroVM.create does. */
export async function bootParts(
  options: MicroVMOptions,
  glue: boolean,
  restoredPages: number | undefined,
): Promise<BootParts> {
  checkObject(options);
  checkMayEnter();
  if (options.rings === true) checkMayServe();
  const memory = guestMemory(options, glue);
  const weakMemory = await isWeakMemory();
  const images = await loadImages(memory.checked.frames, weakMemory, options, glue);
  const [kernel, main] = await Promise.all([
    compileKernel(),
    originals.compile(images.main as BufferSource),
  ]);
  const wasi = await checkedWasi(options.wasi, images);
  const imports = await addWasi(wasi, options.imports ?? {});
  const release = await prepareDirectory(options.preopen);
  const beginFiles = hasMemoryFiles(wasi) ? await fileBeginner() : undefined;
  const about = { options, memory, images, kernel, main, weakMemory, glue, wasi, restoredPages };
  return { ...about, imports, release, beginFiles };
}
