// Options of a store: every one with its default, its bounds and its check.

import type { AbstractDatabaseOptions, AbstractOpenOptions } from 'abstract-level';
import { FRAMES_MAX, FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { checkObject, refuse } from '../errors.ts';
import { totalMemory } from '#platform';

/**
 * What a store is opened with.
 *
 * @category Store
 */
export interface StoreOptions {
  /**
   * Bytes of pages kept in memory, 1 MiB (with `durable: false` 64 KiB) to 3.5 GiB, rounded down to 4 KiB.
   * The file may be any multiple of it. Default: a quarter of the memory that the machine has or the
   * container may use, at most 1 GiB. Memory is committed as it is first used.
   */
  poolSize?: number | undefined;
  /**
   * Reads and writes past the operating system's page cache where the file system can: memory then holds each
   * page once, and a page that is not in the pool costs an access of the device. Default false.
   */
  directIO?: boolean | undefined;
  /**
   * Keeps a log, `log.rz`, of what is changed. A change outlives the process once the turn that made it has
   * ended, and a loss of power once a `sync` has returned. Default true. With false a store that was not
   * closed is refused when it is opened again: for caches, and for loads that can be done again.
   */
  durable?: boolean | undefined;
  /**
   * Where data.rz is missing or empty, and log.rz has changes of a store that was not closed: makes a store
   * of those changes, instead of failing with LEVEL_CORRUPTION. What is older than the log is not in it.
   * Default false.
   */
  recover?: boolean | undefined;
  /**
   * Takes the lock of a process that cannot be seen from here: one on another machine that shares the file
   * system, above all. Only for when that process has surely ended, as two that write destroy the store. A
   * lock whose holder lives is kept. Default false.
   */
  takeLock?: boolean | undefined;
  /** A file to write a trace of the VM to, as of MicroVM.create. Default: none. */
  trace?: string | undefined;
}

/**
 * What `new RingzeroLevel(location, options)` is given.
 *
 * @category Store
 */
export interface RingzeroOptions<K, V>
  extends AbstractDatabaseOptions<K, V>, AbstractOpenOptions, StoreOptions {}

export interface CheckedStoreOptions {
  poolFrames: number;
  /** Bytes of the VM that holds the pool. */
  memory: number;
  directIO: boolean;
  durable: boolean;
  recover: boolean;
  takeLock: boolean;
  trace: string | undefined;
}

const POOL_MIN = 64 * 1024;
/** With a log, changed pages of one operation stay in the pool together. */
const POOL_MIN_DURABLE = 1024 * 1024;
const POOL_MAX = 3.5 * 2 ** 30;
const POOL_DEFAULT_MAX = 2 ** 30;
/**
 * Besides the pool: exchange windows of all threads, 80 MiB, and the page table, 2 MiB for each GiB of the
 * file.
 */
const ROOM = 512 * 2 ** 20;
const ROOM_SHARE = 0.25;
const MEMORY_STEP = 16 * 2 ** 20;

/** Throws RZ_OPTION naming the option, its value and what is allowed. */
export function checkStoreOptions(options: StoreOptions = {}): CheckedStoreOptions {
  checkObject(options);
  const poolSize = options.poolSize ?? Math.min(POOL_DEFAULT_MAX, totalMemory() / 4);
  const durable = options.durable ?? true;
  if (typeof durable !== 'boolean') refuse('durable', durable, 'true or false');
  const least = durable ? POOL_MIN_DURABLE : POOL_MIN;
  if (typeof poolSize !== 'number' || !(poolSize >= least && poolSize <= POOL_MAX))
    refuse(
      'poolSize',
      poolSize,
      `${least} to ${POOL_MAX} bytes${durable ? `, or ${POOL_MIN} and more with \`durable: false\`` : ''}`,
    );
  const directIO = options.directIO ?? false;
  if (typeof directIO !== 'boolean') refuse('directIO', directIO, 'true or false');
  const recover = options.recover ?? false;
  if (typeof recover !== 'boolean') refuse('recover', recover, 'true or false');
  const takeLock = options.takeLock ?? false;
  if (typeof takeLock !== 'boolean') refuse('takeLock', takeLock, 'true or false');
  const wanted = poolSize * (1 + ROOM_SHARE) + ROOM;
  return {
    poolFrames: Math.floor(poolSize / FRAME_BYTES),
    memory: Math.min(FRAMES_MAX * FRAME_BYTES, Math.ceil(wanted / MEMORY_STEP) * MEMORY_STEP),
    directIO,
    durable,
    recover,
    takeLock,
    trace: options.trace,
  };
}

export function checkLocation(location: unknown): string {
  if (typeof location !== 'string' || location === '' || location.includes('\0'))
    refuse('location', location, 'the path of a directory');
  return location;
}

/** batch([], { sync: true }): abstract-level takes a batch without operations for done. */
export function isEmptySync([operations, options]: readonly unknown[]): boolean {
  const isEmpty = Array.isArray(operations) && operations.length === 0;
  return isEmpty && (options as { sync?: unknown } | null | undefined)?.sync === true;
}

/**
 * Options of a change, promised or synchronous.
 *
 * @category Store
 */
export interface WriteOptions {
  /**
   * Returns when the change and every earlier one are on the device. A store with `durable: false` then
   * writes all its pages, and is still refused after a crash.
   */
  sync?: boolean | undefined;
}
