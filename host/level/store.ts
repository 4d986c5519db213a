// A store that this thread has open: the file in its directory, the VM with its pool, this thread's vCPU.
//
// Interface   create() opens it for the process, attach() for one more of its threads; close() ends either.
//             Errors are RingzeroErrors.
// Invariants  STORE-2  The lock file is held from before data.rz is looked at until after the clean
//                      superblock is written.
//             LEVEL-1  (guest.ts) A close sets the state first and then waits until no thread is inside.
// Concurrency The thread that created the store closes it for all: the others' calls fail from then on.
// Cost        opening 2 ms and two pages read; closing writes every changed page.

import {
  OPEN_CREATE,
  OPEN_DIRECT,
  OPEN_READ,
  OPEN_TRUNCATE,
  OPEN_WRITE,
} from '../../assembly/abi/syscall.ts';
import { RingzeroError } from '../errors.ts';
import { absolutePath, hasDirectIO, onceIdle, readBuiltModule, sleepUs } from '#platform';
import { atExit, directory } from '#platform/store-directory';
import { MicroVM } from '../vm/micro-vm.ts';
import type { MicroVMHandle } from '../vm/options.ts';
import type { VMStats } from '../vm/stats.ts';
import { hostError, notOpen, storeError } from './errors.ts';
import { BROKEN, CLOSED, Guest, LOST, OPEN } from './guest.ts';
import { acquire, join, type Lock } from '#platform/store-lock';
import type { CheckedStoreOptions } from './options.ts';
import { Operations } from './operations.ts';

const FILE = 'data.rz';
const LOG = 'log.rz';
const LOCK = 'lock';

/** How long a close waits for threads that are inside an operation. */
const CLOSE_WAIT_MS = 10_000;
const CLOSE_POLL_US = 200;

/** How long a change of another thread, which has not ended its turn, may stay in this process's memory. */
const WRITE_MS = 50;

/**
 * What another thread needs to open the same store; can be posted to it.
 *
 * @category Store
 */
export interface RingzeroHandle {
  readonly location: string;
  readonly vm: MicroVMHandle;
  /** The store's state (guest.ts). */
  readonly state: SharedArrayBuffer;
  /** The word of its lock (store-lock.ts). */
  readonly lock: string;
  readonly directIO: boolean;
  readonly durable: boolean;
}

interface OpenOptions extends CheckedStoreOptions {
  createIfMissing: boolean;
  errorIfExists: boolean;
}

export class Store {
  readonly operations: Operations;
  readonly handle: RingzeroHandle;
  readonly #vm: MicroVM;
  /** In the thread that opened it gives the lock back, in others leaves it. */
  readonly #unlock: () => void;
  readonly #isOpener: boolean;
  readonly #forget: () => void;
  #isShared = false;
  #isOver = false;

  private constructor(
    vm: MicroVM,
    guest: Guest,
    handle: RingzeroHandle,
    unlock: () => void,
    isOpener: boolean,
  ) {
    this.#vm = vm;
    this.operations = new Operations(guest, handle.durable);
    this.handle = handle;
    this.#unlock = unlock;
    this.#isOpener = isOpener;
    this.#forget = atExit(() => this.#closeAtExit());
  }

  /** Opens the store of a directory, or makes it. */
  static async create(location: string, options: OpenOptions): Promise<Store> {
    const path = absolutePath(location);
    const isNew = await findFile(path, options);
    const held = await lock(path, options.takeLock);
    try {
      return await Store.#open(path, isNew, options, held);
    } catch (error) {
      held.release();
      throw hostError(error, 'open', path);
    }
  }

  static async #open(
    location: string,
    isNew: boolean,
    options: OpenOptions,
    lock: Lock,
  ): Promise<Store> {
    const { directIO, durable } = options;
    const wasDurable = (await directory.sizeOf(`${location}/${LOG}`)) !== undefined;
    if (isNew) await directory.create(`${location}/${FILE}`);
    if (durable) await directory.create(`${location}/${LOG}`);
    const vm = await MicroVM.create({
      guest: await readBuiltModule('kv.wasm'),
      linked: true,
      memory: options.memory,
      preopen: location,
      ...(options.trace !== undefined && { trace: options.trace }),
      rings: directIO && hasDirectIO, // what the page cache has is here sooner by a system call
    });
    let isMade = false;
    try {
      const state = new SharedArrayBuffer(4);
      const guest = new Guest(vm, new Int32Array(state), location);
      const flags = accessFlags(directIO);
      const descriptor = openFile(guest, FILE, flags | (isNew ? OPEN_CREATE | OPEN_TRUNCATE : 0));
      isMade = isNew;
      const logFile = durable
        ? openFile(guest, LOG, accessFlags(false) | OPEN_CREATE)
        : wasDurable
          ? openFile(guest, LOG, accessFlags(false))
          : -1;
      if (isNew || durable) await directory.sync(location);
      const recover = options.recover ? 1 : 0;
      const result = guest.call(OPEN, () =>
        guest.exports.open(descriptor, options.poolFrames, logFile, durable ? 1 : 0, recover),
      );
      if (result < 0) throw storeError(result, 'open', location);
      isMade = false;
      const handle = { location, vm: vm.handle, state, lock: lock.word, directIO, durable };
      return new Store(vm, guest, handle, () => lock.release(), true);
    } catch (error) {
      await vm.close();
      if (isMade) await directory.unlink(`${location}/${FILE}`);
      if (durable && !wasDurable) await removeLog(location);
      throw error;
    }
  }

  /** Opens a store for this thread that another thread of the process has open. */
  static async attach(handle: RingzeroHandle): Promise<Store> {
    const { location } = handle;
    const state = new Int32Array(handle.state);
    if (Atomics.load(state, 0) !== OPEN) throw notOpen(location);
    const leave = await enter(handle);
    try {
      return await Store.#attach(handle, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  static async #attach(handle: RingzeroHandle, leave: () => void): Promise<Store> {
    const { location } = handle;
    const state = new Int32Array(handle.state);
    const vm = await MicroVM.attach(handle.vm);
    try {
      const guest = new Guest(vm, state, location);
      openFile(guest, FILE, accessFlags(handle.directIO));
      if (handle.durable) openFile(guest, LOG, accessFlags(false));
      const joined = guest.call(OPEN, () => guest.exports.join());
      if (joined < 0) throw storeError(joined, 'attach', location);
      return new Store(vm, guest, handle, leave, false);
    } catch (error) {
      await vm.close();
      throw error;
    }
  }

  /** The handle, for another thread. */
  share(): RingzeroHandle {
    if (!this.#isShared && this.#isOpener && this.handle.durable) {
      this.#isShared = true;
      this.#keepWriting();
    }
    return this.handle;
  }

  /** A thread that works on and on, or waits, does not get to write what it has changed. */
  #keepWriting(): void {
    onceIdle(WRITE_MS, () => {
      if (this.#isOver) return;
      this.operations.write();
      this.#keepWriting();
    });
  }

  /**
   * In the thread that opened it: refuses the other threads, waits until none is inside, writes everything
   * back and gives the lock back. In another: leaves the store. After a failure the store is open as before.
   */
  async close(): Promise<void> {
    const isClosed = this.#isOpener && this.#closeFile();
    this.operations.end();
    this.#isOver = true;
    this.#forget();
    try {
      await this.#vm.close();
      if (isClosed) await removeLog(this.handle.location);
    } finally {
      this.#unlock();
    }
  }

  /** The numbers of its VM. */
  stats(): VMStats {
    return this.#vm.stats();
  }

  /** Whether the file says that it is closed. */
  #closeFile(): boolean {
    const { guest } = this.operations;
    const was = guest.shut();
    try {
      const isSound = this.#awaitOthers();
      if (was === BROKEN || was === LOST || !isSound) return false; // the file stays marked as not closed
      const result = guest.call(CLOSED, () => guest.exports.close());
      if (result < 0) throw storeError(result, 'close', guest.location);
      return true;
    } catch (error) {
      guest.reopen(was);
      throw error;
    }
  }

  /** False when one of them has ended in the middle of a call, and may have left something half done. */
  #awaitOthers(): boolean {
    const { kernel } = this.#vm.enter();
    const end = Date.now() + CLOSE_WAIT_MS;
    while (kernel.hasOthersInside()) {
      if (Date.now() > end) {
        throw new RingzeroError(
          'RZ_BUSY',
          `close of the store ${this.handle.location}: a thread does not come out of it. Was it terminated in an operation?`,
        );
      }
      sleepUs(CLOSE_POLL_US);
    }
    return this.operations.guest.buryDeparted();
  }

  /** A program that ends without having closed its store has not asked to lose it. */
  #closeAtExit(): void {
    try {
      if (!this.#isOpener) this.operations.end();
      else if (this.#closeFile()) void removeLog(this.handle.location);
      this.#unlock();
    } catch (error) {
      console.error(`ringzero: ${(error as Error).message}`);
    }
  }

  /** Removes the store of a directory, and the directory if nothing else is in it. */
  static async destroy(location: string): Promise<void> {
    const path = absolutePath(location);
    const data = `${path}/${FILE}`;
    try {
      const hasData = (await directory.sizeOf(data)) !== undefined;
      if (!hasData && (await directory.sizeOf(`${path}/${LOG}`)) === undefined) return;
      const held = await lock(path, false);
      try {
        if (hasData) await directory.unlink(data);
        await removeLog(path);
      } finally {
        held.release();
      }
      await directory.removeIfEmpty(path);
    } catch (error) {
      throw hostError(error, 'destroy', path);
    }
  }
}

/**
 * Whether the store is to be made; the options say whether it may, or must. An empty file is what is left of
 * a store that was never made.
 */
async function findFile(path: string, options: OpenOptions): Promise<boolean> {
  try {
    const isNew = ((await directory.sizeOf(`${path}/${FILE}`)) ?? 0) === 0;
    if (isNew && !options.createIfMissing)
      throw absent(path, 'does not exist and `createIfMissing` is false');
    if (!isNew && options.errorIfExists) throw absent(path, 'exists and `errorIfExists` is true');
    if (isNew) await directory.make(path);
    return isNew;
  } catch (error) {
    throw hostError(error, 'open', path);
  }
}

function absent(path: string, why: string): RingzeroError {
  return new RingzeroError('LEVEL_DATABASE_NOT_OPEN', `the store ${path} ${why}`);
}

async function lock(path: string, isForced: boolean): Promise<Lock> {
  try {
    return await acquire(`${path}/${LOCK}`, isForced);
  } catch (error) {
    throw hostError(error, 'lock', path);
  }
}

/** Makes the lock last until this thread has left. */
async function enter({ location, lock }: RingzeroHandle): Promise<() => void> {
  try {
    const leave = await join(`${location}/${LOCK}`, lock);
    if (leave !== undefined) return leave;
  } catch (error) {
    throw hostError(error, 'attach', location);
  }
  throw notOpen(location);
}

/** A closed store needs no log; one that is left over does no harm. */
async function removeLog(location: string): Promise<void> {
  try {
    await directory.unlink(`${location}/${LOG}`);
  } catch {
    // there is none, or another worker of the page has it open
  }
}

function accessFlags(directIO: boolean): number {
  return OPEN_READ | OPEN_WRITE | (directIO ? OPEN_DIRECT : 0);
}

/**
 * Opens a file of the store on this vCPU: every one opens them in the same order, so that they have the same
 * descriptors.
 */
function openFile(guest: Guest, name: string, flags: number): number {
  const bytes = guest.window.put(0, name);
  const descriptor = guest.call(OPEN, () => guest.exports.openFile(bytes, flags));
  if (descriptor < 0) throw storeError(descriptor, `open ${name}`, guest.location);
  return descriptor;
}
