// The exports of guest/kv with types, called with this thread as the vCPU.
//
// Interface   call() around everything that goes into the guest: it enters the vCPU, looks whether the store is still open, and turns a
//             trap into an error. get(), put() and scan() are the same written out, for the sake of their speed.
// Invariants  LEVEL-1  A thread enters before it looks at the state; who closes sets the state before it looks who is inside. So a
//                      close never overtakes an operation.

import { guestTrap } from '../vm/guest-trap.ts';
import type { MicroVM } from '../vm/micro-vm.ts';
import { monotonicUs } from '#platform';
import { Stall } from '../vm/departed.ts';
import { broken, lost, notOpen, stalled } from './errors.ts';
import { Window } from './window.ts';

/** See guest/kv/index.ts; results are 0 or more, or a negative errno. */
export interface KvExports {
  window(): number;
  openFile(pathBytes: number, flags: number): number;
  open(
    descriptor: number,
    frames: number,
    logFile: number,
    hasLog: number,
    recover: number,
  ): number;
  join(): number;
  close(): number;
  get(keyBytes: number): number;
  getPart(keyBytes: number, offset: number): number;
  put(keyBytes: number, valueBytes: number): number;
  putBegin(keyBytes: number): number;
  putPart(bytes: number): number;
  putEnd(): number;
  del(keyBytes: number): number;
  flush(): number;
  write(): number;
  sync(all: number): number;
  batchBegin(again: number): number;
  batchOps(start: number, end: number): number;
  batchLog(): number;
  batchUndo(): number;
  batchPutBack(keyBytes: number, valueBytes: number, first: number): number;
  batchFree(first: number): number;
  batchSettle(): number;
  batchEnd(isDone: number): number;
  getMany(count: number, bytes: number): number;
  scan(bytes: number, flags: number, limit: number): number;
  clear(bytes: number, flags: number): number;
  stat(which: number): number;
  verify(): number;
}

/** States of a store, in a word that its threads share. */
export const OPEN = 0;
export const CLOSED = 1;
/** A batch was neither applied nor taken back: nothing but closing is left. */
export const BROKEN = 2;
/** A thread has ended in the middle of a change, or holds a page: the same. */
export const LOST = 3;

export class Guest {
  readonly exports: KvExports;
  readonly window: Window;
  readonly location: string;
  readonly #vm: MicroVM;
  readonly #state: Int32Array;
  readonly #enter: () => void;
  readonly #leave: () => void;
  readonly #stall = new Stall();

  constructor(vm: MicroVM, state: Int32Array, location: string) {
    const { kernel, instance } = vm.enter();
    this.#vm = vm;
    this.#state = state;
    this.location = location;
    this.exports = instance.exports as unknown as KvExports;
    this.#enter = kernel.calls.enter;
    this.#leave = kernel.calls.leave;
    kernel.onLongWait = () => this.#endWaitForDead();
    this.window = new Window(vm.memory, this.call(0, () => this.exports.window()) >>> 0);
  }

  /** Runs `body` inside the guest; `state` is what the store must be in. */
  call<T>(state: number, body: () => T): T {
    this.#enter();
    try {
      if (Atomics.load(this.#state, 0) !== state) throw this.#notOpen();
      const result = body();
      this.#leave();
      return result;
    } catch (error) {
      throw this.#trap(error);
    }
  }

  /** guest.get(): length of the value of the key that is in the window. */
  get(keyBytes: number): number {
    this.#enter();
    try {
      if (Atomics.load(this.#state, 0) !== OPEN) throw this.#notOpen();
      const length = this.exports.get(keyBytes);
      this.#leave();
      return length;
    } catch (error) {
      throw this.#trap(error);
    }
  }

  put(keyBytes: number, valueBytes: number): number {
    this.#enter();
    try {
      if (Atomics.load(this.#state, 0) !== OPEN) throw this.#notOpen();
      const result = this.exports.put(keyBytes, valueBytes);
      this.#leave();
      return result;
    } catch (error) {
      throw this.#trap(error);
    }
  }

  scan(bytes: number, flags: number, limit: number): number {
    this.#enter();
    try {
      if (Atomics.load(this.#state, 0) !== OPEN) throw this.#notOpen();
      const result = this.exports.scan(bytes, flags, limit);
      this.#leave();
      return result;
    } catch (error) {
      throw this.#trap(error);
    }
  }

  get isOpen(): boolean {
    return Atomics.load(this.#state, 0) === OPEN;
  }

  /** From here on everything but close() fails, in all threads. */
  break(): void {
    Atomics.compareExchange(this.#state, 0, OPEN, BROKEN);
  }

  /** Frees what dead threads have, as far as that can be; false when what one has left is lost, and the store with it. */
  buryDeparted(): boolean {
    if (!this.#vm.enter().kernel.buryDeparted()) return true;
    this.#lose();
    return false;
  }

  #lose(): void {
    Atomics.compareExchange(this.#state, 0, OPEN, LOST);
  }

  /** In a wait that has become long: throws when it may have no end. */
  #endWaitForDead(): void {
    if (!this.buryDeparted()) throw lost(this.location);
    const { blocks, vcpu } = this.#vm.enter().kernel;
    if (!this.#stall.isOver(blocks, vcpu, monotonicUs() / 1000)) return;
    this.#lose();
    throw stalled(this.location);
  }

  #notOpen(): Error {
    const state = Atomics.load(this.#state, 0);
    if (state === LOST) return lost(this.location);
    return state === BROKEN ? broken(this.location) : notOpen(this.location);
  }

  #trap(error: unknown): Error {
    const { kernel } = this.#vm.enter();
    kernel.calls.unwind(0);
    return guestTrap(kernel, `the store ${this.location}`, error);
  }
}
