// A pool for tests: a VM with the test guest, a file, and a pool over it.

import { mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPEN_READ, OPEN_WRITE } from '../../assembly/abi/syscall.ts';
import { type Faults, MicroVM, type MicroVMHandle } from '../../host/index.ts';
import { readBuiltModule } from '#platform';

const MIB = 2 ** 20;
const FILE = 'store';

/** The guest's functions with page numbers as numbers. */
export interface Guest {
  vm: MicroVM;
  call(name: string, ...args: (number | bigint)[]): number;
}

export interface Pool extends Guest {
  directory: string;
  path: string;
  close(): Promise<void>;
}

function guestOf(vm: MicroVM): Guest {
  const { exports } = vm.enter();
  return { vm, call: (name, ...args) => Number(exports[name]!(...args)) };
}

/** Descriptor of the store's file on this vCPU. */
function openFile({ call }: Guest, flags = OPEN_READ | OPEN_WRITE): number {
  for (let i = 0; i < FILE.length; i++) call('put', 2048 + i, FILE.charCodeAt(i));
  return call('open', 2048, FILE.length, flags);
}

/** Guests with the baseline designs: the same functions. */
export type Design = 'test' | 'eager' | 'hash' | 'swizzle';

interface PoolOptions {
  /** Bytes of the VM. */
  memory?: number;
  design?: Design;
  /** Flags that the file is opened with on this vCPU. */
  flags?: number;
  rings?: boolean;
  faults?: Faults | undefined;
}

export async function createPool(frames: number, options: PoolOptions = {}): Promise<Pool> {
  const { memory = 64 * MIB, design = 'test', flags, rings = false, faults } = options;
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-tabby-'));
  const path = join(directory, FILE);
  closeSync(openSync(path, 'w'));
  const vm = await MicroVM.create({
    guest: readBuiltModule(`tabby-${design}.wasm`),
    linked: true,
    memory,
    preopen: directory,
    rings,
    ...(faults && { faults }),
  });
  const guest = guestOf(vm);
  const result = guest.call('create', frames, openFile(guest, flags));
  if (result !== 0) throw new Error(`no pool: ${result}`);
  const close = async (): Promise<void> => {
    await vm.close();
    rmSync(directory, { recursive: true });
  };
  return { ...guest, directory, path, close };
}

/** The pool of another thread's VM, on this thread. */
export async function joinPool(handle: MicroVMHandle): Promise<Guest> {
  const guest = guestOf(await MicroVM.attach(handle));
  openFile(guest);
  const result = guest.call('join');
  if (result !== 0) throw new Error(`cannot join the pool: ${result}`);
  return guest;
}
