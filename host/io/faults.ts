// Fault injection: what a device may do to its users. For tests of anything that relies on system calls and
// rings.
//
// Interface   new Faults({ seed }); `faults.set({ error: 0.01 })` at any time, from any thread that has it;
//             MicroVM.create takes it as option `faults`. FaultyBackend injects into the ring service,
//             onTransfer() into system calls.
// Invariants  A fault is one that the contract allows: an error transfers nothing, a short transfer really
//             moves fewer bytes, a late or overtaken operation is done in full.
// Concurrency One table of shared words. The order in which threads draw decides which operation gets which
//             fault.

import { EIO, ENOSPC } from '../../assembly/abi/errno.ts';
import { after, sleepUs } from '#platform';
import type { Backend, Result } from './backend.ts';

/**
 * Rates, 0 to 1, of all operations. Default 0 each.
 *
 * @category Internals
 */
export interface FaultRates {
  /** Reads, writes and syncs that fail with EIO. */
  error?: number;
  /** Writes that fail with ENOSPC. */
  full?: number;
  /** Transfers that move fewer bytes than asked for, at least one. */
  short?: number;
  /** Operations that take up to `delayMs` longer; on rings, other operations overtake them. */
  delay?: number;
  /** Default 2. */
  delayMs?: number;
}

type FaultyOperation = 'read' | 'write' | 'sync';

const STATE = 0;
const ERROR = 1;
const FULL = 2;
const SHORT = 3;
const DELAY = 4;
const DELAY_MS = 5;
const INJECTED = 6;
const WORDS = 16;
const ONE = 2 ** 30;

/**
 * Fault injection, for tests of anything that relies on system calls and rings.
 *
 * @category Internals
 */
export class Faults {
  /** Can be posted to another thread: `new Faults({ shared })` there. */
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor({ seed = 1, shared }: { seed?: number; shared?: SharedArrayBuffer } = {}) {
    this.shared = shared ?? new SharedArrayBuffer(WORDS * 4);
    this.#words = new Int32Array(this.shared);
    if (shared === undefined) Atomics.store(this.#words, STATE, seed);
  }

  /** Sets the rates from now on; those left out are 0. */
  set(rates: FaultRates): void {
    const put = (at: number, share = 0): void => void Atomics.store(this.#words, at, share * ONE);
    put(ERROR, rates.error);
    put(FULL, rates.full);
    put(SHORT, rates.short);
    put(DELAY, rates.delay);
    Atomics.store(this.#words, DELAY_MS, rates.delayMs ?? 2);
  }

  /** Number of faults drawn so far, without delays. */
  get injected(): number {
    return Atomics.load(this.#words, INJECTED);
  }

  /** The next of a sequence of random numbers below 2^30: splitmix. */
  #next(): number {
    let x = Atomics.add(this.#words, STATE, 0x9e3779b9 | 0) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 2;
  }

  #happens(which: number): boolean {
    const share = Atomics.load(this.#words, which);
    return share !== 0 && this.#next() < share;
  }

  #count<T>(fault: T): T {
    Atomics.add(this.#words, INJECTED, 1);
    return fault;
  }

  /** Milliseconds by which an operation is delayed. */
  drawDelay(): number {
    if (!this.#happens(DELAY)) return 0;
    return (this.#next() / ONE) * Atomics.load(this.#words, DELAY_MS);
  }

  /** A negative errno, or the number of bytes to transfer. */
  draw(operation: FaultyOperation, bytes: number): number {
    if (this.#happens(ERROR)) return this.#count(-EIO);
    if (operation === 'write' && this.#happens(FULL)) return this.#count(-ENOSPC);
    if (operation !== 'sync' && bytes > 1 && this.#happens(SHORT))
      return this.#count(1 + (this.#next() % (bytes - 1)));
    return bytes;
  }

  /**
   * For a system call: delays it; returns a negative errno or the number of bytes to transfer, in whole
   * blocks where the device wants them.
   */
  onCall(operation: FaultyOperation, bytes: number): number {
    const ms = this.drawDelay();
    if (ms > 0) sleepUs(ms * 1000);
    return whole(this.draw(operation, bytes), bytes);
  }
}

const BLOCK = 512;

/** Files that bypass the page cache transfer whole blocks. */
function whole(part: number, bytes: number): number {
  return part > 0 && part < bytes ? Math.min(bytes, Math.max(BLOCK, part - (part % BLOCK))) : part;
}

export class FaultyBackend implements Backend {
  readonly #to: Backend;
  readonly #faults: Faults;

  constructor(to: Backend, faults: Faults) {
    this.#to = to;
    this.#faults = faults;
  }

  #inject(operation: FaultyOperation, bytes: number, done: Result, go: (bytes: number) => void) {
    const ms = this.#faults.drawDelay();
    const drawn = whole(this.#faults.draw(operation, bytes), bytes);
    const act = (): void => (drawn < 0 ? done(drawn) : go(drawn));
    if (ms > 0) after(ms, act);
    else act();
  }

  read(host: number, address: number, bytes: number, position: number, done: Result): void {
    this.#inject('read', bytes, done, (part) => this.#to.read(host, address, part, position, done));
  }

  write(host: number, address: number, bytes: number, position: number, done: Result): void {
    this.#inject('write', bytes, done, (part) =>
      this.#to.write(host, address, part, position, done),
    );
  }

  datasync(host: number, done: Result): void {
    this.#inject('sync', 0, done, () => this.#to.datasync(host, done));
  }

  allocate(host: number, size: number, done: Result): void {
    this.#inject('write', 0, done, () => this.#to.allocate(host, size, done));
  }

  truncate(host: number, size: number, done: Result): void {
    this.#inject('sync', 0, done, () => this.#to.truncate(host, size, done));
  }
}
