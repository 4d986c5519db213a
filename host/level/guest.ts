// The exports of guest/kv with types, called with this thread as the vCPU.
//
// Interface   call() around everything that goes into the guest: it enters the vCPU, looks whether the store
//             is still open, and turns a trap into an error. get(), put() and scan() do it in one call of the
//             guest, which enters and looks at a gate.
// Invariants  LEVEL-1  A thread enters before it looks at the state, or the gate; who closes sets both before
//                      it looks who is inside. So a close never overtakes an operation. While the store is
//                      open no more, the gate is shut.

import { guestTrap } from '../vm/guest-trap.ts';
import type { MicroVM } from '../vm/micro-vm.ts';
import { monotonicUs } from '#platform';
import { Stall } from '../vm/departed.ts';
import { KV_SHUT } from '../../assembly/abi/kv.ts';
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
  shut(is: number): void;
  enterGet(keyBytes: number): number;
  enterPut(keyBytes: number, valueBytes: number): number;
  enterScan(bytes: number, flags: number, limit: number): number;
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
    if (Atomics.load(this.#state, 0) !== OPEN) throw this.#notOpen();
    let length;
    try {
      length = this.exports.enterGet(keyBytes);
    } catch (error) {
      throw this.#trap(error);
    }
    return length === KV_SHUT ? this.call(OPEN, () => this.exports.get(keyBytes)) : length;
  }

  put(keyBytes: number, valueBytes: number): number {
    if (Atomics.load(this.#state, 0) !== OPEN) throw this.#notOpen();
    let result;
    try {
      result = this.exports.enterPut(keyBytes, valueBytes);
    } catch (error) {
      throw this.#trap(error);
    }
    return result === KV_SHUT
      ? this.call(OPEN, () => this.exports.put(keyBytes, valueBytes))
      : result;
  }

  scan(bytes: number, flags: number, limit: number): number {
    if (Atomics.load(this.#state, 0) !== OPEN) throw this.#notOpen();
    let result;
    try {
      result = this.exports.enterScan(bytes, flags, limit);
    } catch (error) {
      throw this.#trap(error);
    }
    return result === KV_SHUT
      ? this.call(OPEN, () => this.exports.scan(bytes, flags, limit))
      : result;
  }

  get isOpen(): boolean {
    return Atomics.load(this.#state, 0) === OPEN;
  }

  /** From here on everything but close() fails, in all threads. */
  break(): void {
    this.#endOpen(BROKEN);
  }

  /**
   * Frees what dead threads have, as far as that can be; false when what one has left is lost, and the store
   * with it.
   */
  buryDeparted(): boolean {
    if (!this.#vm.enter().kernel.buryDeparted()) return true;
    this.#lose();
    return false;
  }

  #lose(): void {
    this.#endOpen(LOST);
  }

  #endOpen(state: number): void {
    if (Atomics.compareExchange(this.#state, 0, OPEN, state) === OPEN) this.exports.shut(1);
  }

  /** Closes to the other threads, whatever the state was: that. */
  shut(): number {
    const was = Atomics.exchange(this.#state, 0, CLOSED);
    this.exports.shut(1);
    return was;
  }

  /** Undoes shut(), which has returned `was`. */
  reopen(was: number): void {
    Atomics.store(this.#state, 0, was);
    if (was === OPEN) this.exports.shut(0);
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
