// The queue of tasks between the thread that runs them and all others: shared words outside the VM's memory.
//
// Interface   claim() a slot, fill it, publish(); the runner takes next(above), which is the oldest task of
//             the highest level, and finish()es it; release() when the result was read.
// Invariants  TASK-1  A slot goes FREE, CLAIMED, READY, RUNNING, DONE or FAILED, FREE; each step by one
//                     thread.
// Concurrency Any number of submitters, one runner.

import { every } from '#platform';

const LONG_MS = 2 ** 30;
const SLOTS = 64;
const SLOT_BYTES = 512;
const HEAD_BYTES = 64;
export const ARGUMENTS_MAX = 6;

const FREE = 0;
const CLAIMED = 1;
const READY = 2;
export const RUNNING = 3;
export const DONE = 4;
export const FAILED = 5;

// Words of a slot.
const STATE = 0;
const LEVEL = 1;
const ORDER = 2;
const FUNCTION = 3;
const COUNT = 4;
const ERROR_BYTES = 5;
const RESULT = 4; // f64 number
const ARGUMENTS = 5; // f64 numbers from here
const ERROR = 96; // bytes
// Words of the head.
const BELL = 0;
const NEXT = 1;
const CLOSED = 2;

export interface Task {
  slot: number;
  level: number;
  fn: number;
  args: number[];
}

export class TaskQueue {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(shared = new SharedArrayBuffer(HEAD_BYTES + SLOTS * SLOT_BYTES)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
    this.#numbers = new Float64Array(shared);
    this.#bytes = new Uint8Array(shared);
  }

  #word(slot: number, word: number): number {
    return (HEAD_BYTES + slot * SLOT_BYTES) / 4 + word;
  }

  #number(slot: number, index: number): number {
    return (HEAD_BYTES + slot * SLOT_BYTES) / 8 + index;
  }

  /** Puts a task into a free slot and returns its number; -1 when there is none. */
  submit(level: number, fn: number, args: readonly number[]): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      const state = this.#word(slot, STATE);
      if (Atomics.compareExchange(this.#words, state, FREE, CLAIMED) !== FREE) continue;
      this.#words[this.#word(slot, LEVEL)] = level;
      this.#words[this.#word(slot, FUNCTION)] = fn;
      this.#words[this.#word(slot, COUNT)] = args.length;
      this.#numbers.set(args, this.#number(slot, ARGUMENTS));
      Atomics.store(this.#words, this.#word(slot, ORDER), Atomics.add(this.#words, NEXT, 1));
      Atomics.store(this.#words, state, READY);
      return slot;
    }
    return -1;
  }

  /** Takes the oldest task of the highest level above `above`; it counts as running from now on. */
  next(above: number): Task | undefined {
    let best = -1;
    let level = above;
    let order = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.load(this.#words, this.#word(slot, STATE)) !== READY) continue;
      const itsLevel = this.#words[this.#word(slot, LEVEL)]!;
      const itsOrder = this.#words[this.#word(slot, ORDER)]!;
      if (itsLevel < level || itsLevel === above) continue;
      if (itsLevel === level && best >= 0 && ((itsOrder - order) | 0) > 0) continue;
      [best, level, order] = [slot, itsLevel, itsOrder];
    }
    if (best < 0) return undefined;
    Atomics.store(this.#words, this.#word(best, STATE), RUNNING);
    const count = this.#words[this.#word(best, COUNT)]!;
    const at = this.#number(best, ARGUMENTS);
    const args = [...this.#numbers.subarray(at, at + count)];
    return { slot: best, level, fn: this.#words[this.#word(best, FUNCTION)]!, args };
  }

  finish({ slot }: Task, result: number): void {
    this.#numbers[this.#number(slot, RESULT)] = result;
    this.#end(slot, DONE);
  }

  fail({ slot }: Task, why: string): void {
    const text = new TextEncoder().encode(why).subarray(0, SLOT_BYTES - ERROR);
    this.#bytes.set(text, HEAD_BYTES + slot * SLOT_BYTES + ERROR);
    this.#words[this.#word(slot, ERROR_BYTES)] = text.length;
    this.#end(slot, FAILED);
  }

  #end(slot: number, state: number): void {
    Atomics.store(this.#words, this.#word(slot, STATE), state);
    Atomics.notify(this.#words, this.#word(slot, STATE));
  }

  state(slot: number): number {
    return Atomics.load(this.#words, this.#word(slot, STATE));
  }

  /** Distinguishes the tasks that used the same slot. */
  order(slot: number): number {
    return Atomics.load(this.#words, this.#word(slot, ORDER));
  }

  /** Resolves when the task has ended. */
  async ended(slot: number): Promise<void> {
    const word = this.#word(slot, STATE);
    while (true) {
      const state = Atomics.load(this.#words, word);
      if (state === DONE || state === FAILED) return;
      await this.#change(word, state);
    }
  }

  /** Result of a task that is DONE, or why it FAILED; frees the slot. */
  take(slot: number): number | string {
    const failed = this.state(slot) === FAILED;
    const at = HEAD_BYTES + slot * SLOT_BYTES + ERROR;
    const bytes = this.#words[this.#word(slot, ERROR_BYTES)]!;
    const text = new TextDecoder().decode(this.#bytes.slice(at, at + bytes));
    const result = failed ? text : this.#numbers[this.#number(slot, RESULT)]!;
    Atomics.store(this.#words, this.#word(slot, STATE), FREE);
    return result;
  }

  ring(): void {
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
  }

  get bell(): number {
    return Atomics.load(this.#words, BELL);
  }

  /** Resolves when the bell has rung after it had the value `seen`. */
  async rung(seen: number): Promise<void> {
    await this.#change(BELL, seen);
  }

  /**
   * Resolves when the word has changed from `old`. Unlike a timer, such a wait does not keep its thread
   * alive.
   */
  async #change(word: number, old: number): Promise<void> {
    const { value } = Atomics.waitAsync(this.#words, word, old);
    if (typeof value === 'string') return;
    const release = every(LONG_MS, () => {});
    await value;
    release();
  }

  get isClosed(): boolean {
    return Atomics.load(this.#words, CLOSED) !== 0;
  }

  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
    this.ring();
  }
}
