// What a store does, in terms of keys and values: single ones, groups, batches. Everything runs on the
// calling thread.
//
// Interface   Keys and values are strings or bytes; results are in the form asked for. Errors are
//             RingzeroErrors.
// Concurrency Any number of threads, each with its own Operations. A window is used by one operation at a
//             time.

import { allocateBuffer } from '#platform/text';
import { atTurnEnd } from '#platform';
import { VALUE_BYTES_MAX, WINDOW_BYTES } from '../../assembly/abi/kv.ts';
import { EAGAIN, ECANCELED, ENOENT } from '../../assembly/abi/errno.ts';
import { RingzeroError } from '../errors.ts';
import { applyBatch, HalfApplied, putParts, VALUE_ROOM, type Operation } from './batch.ts';
import { storeError } from './errors.ts';
import { OPEN, type Guest } from './guest.ts';
import {
  byteLength,
  byteLengthMax,
  checkKey,
  fromBytes,
  isTooLong,
  type Data,
  type Format,
} from './window.ts';

/** Bytes of keys in one group of look-ups: leaves the greater part of the window to values. */
const KEYS_ROOM = WINDOW_BYTES / 8;
const KEYS_AT_ONCE = 1024;

export class Operations {
  readonly guest: Guest;
  /** Whether there is a log. */
  readonly #isDurable: boolean;
  /** Whether the next change has to see to it that the operating system gets it. */
  #isQuiet: boolean;
  #isOver = false;

  constructor(guest: Guest, isDurable: boolean) {
    this.guest = guest;
    this.#isDurable = isDurable;
    this.#isQuiet = isDurable;
  }

  /** After each change: the operating system has it when this turn is over. */
  changed(): void {
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    atTurnEnd(() => {
      this.#isQuiet = true;
      this.write();
    });
  }

  /**
   * Hands what the log's buffer has, of all threads, to the operating system. Should that fail, a later
   * change or sync says why.
   */
  write(): void {
    const { guest } = this;
    if (!this.#isDurable || this.#isOver || !guest.isOpen) return;
    try {
      guest.call(OPEN, () => guest.exports.write());
    } catch {
      // closed by another thread just now
    }
  }

  /** This thread is done with the store. */
  end(): void {
    this.write();
    this.#isOver = true;
  }

  /** Undefined when the key does not exist. */
  get(key: Data, format: Format): Data | undefined {
    const { guest } = this;
    const { window } = guest;
    const keyBytes = window.putKey(0, key);
    if (keyBytes < 0) return undefined;
    const length = guest.get(keyBytes);
    if (length >= 0)
      return length <= VALUE_ROOM
        ? window.takeValue(length, format)
        : this.#getLarge(key, keyBytes, length, format);
    if (length === -ENOENT) return undefined;
    throw this.#failed(length, 'get');
  }

  /** Length of the value, whose first bytes are in `target` then; -1 when the key does not exist. */
  getInto(key: Data, target: Uint8Array): number {
    const { guest } = this;
    const { window } = guest;
    const keyBytes = window.putKey(0, key);
    if (keyBytes < 0) return -1;
    const length = guest.get(keyBytes);
    if (length >= 0) {
      if (length <= VALUE_ROOM) {
        target.set(window.value(length <= target.length ? length : target.length));
        return length;
      }
      return this.#getLargeInto(keyBytes, length, target);
    }
    if (length === -ENOENT) return -1;
    throw this.#failed(length, 'get');
  }

  has(key: Data): boolean {
    const { guest } = this;
    const keyBytes = guest.window.putKey(0, key);
    if (keyBytes < 0) return false;
    const length = guest.get(keyBytes);
    if (length < 0 && length !== -ENOENT) throw this.#failed(length, 'has');
    return length >= 0;
  }

  #getLarge(key: Data, keyBytes: number, length: number, format: Format): Data | undefined {
    for (let bytes = length; ;) {
      const value = allocateBuffer(bytes);
      const whole = this.#getLargeInto(keyBytes, bytes, value);
      if (whole === bytes) return fromBytes(value, format);
      if (whole < 0) return undefined;
      if (whole <= VALUE_ROOM) return this.get(key, format); // it has become another
      bytes = whole;
    }
  }

  /**
   * The value that get() has just found to have `length` bytes, or the one that it has become: its length, -1
   * for none.
   */
  #getLargeInto(keyBytes: number, length: number, target: Uint8Array): number {
    const { guest } = this;
    for (;;) {
      const wanted = Math.min(length, target.length);
      let have = Math.min(wanted, VALUE_ROOM);
      target.set(guest.window.value(have));
      while (have < wanted) {
        const at = have;
        const result = guest.call(OPEN, () => guest.exports.getPart(keyBytes, at));
        if (result !== length) {
          if (result < 0 && result !== -EAGAIN && result !== -ENOENT)
            throw this.#failed(result, 'get');
          break;
        }
        const part = Math.min(wanted - have, VALUE_ROOM);
        target.set(guest.window.value(part), have);
        have += part;
      }
      if (have >= wanted) return length;
      const again = guest.get(keyBytes);
      if (again === -ENOENT) return -1;
      if (again < 0) throw this.#failed(again, 'get');
      length = again;
    }
  }

  put(key: Data, value: Data): void {
    const { guest } = this;
    const { window } = guest;
    const keyBytes = window.putKey(0, key);
    if (keyBytes < 0) checkKey(key);
    if (byteLengthMax(value) > VALUE_ROOM) {
      this.#putLarge(key, value);
      return;
    }
    const result = guest.put(keyBytes, window.putValue(value));
    if (result < 0) throw this.#failed(result, 'put');
    this.changed();
  }

  #putLarge(key: Data, value: Data): void {
    checkValue(value);
    const { guest } = this;
    const result = guest.call(OPEN, () => putParts(guest.exports, guest.window, key, value));
    if (result < 0) throw this.#failed(result, 'put');
    this.changed();
  }

  del(key: Data): void {
    const { guest } = this;
    const keyBytes = guest.window.putKey(0, key);
    if (keyBytes < 0) return;
    const result = guest.call(OPEN, () => guest.exports.del(keyBytes));
    if (result < 0 && result !== -ENOENT) throw this.#failed(result, 'del');
    this.changed();
  }

  /**
   * Returns when the device has what this thread has changed, and everything before it; with `all`, what any
   * thread has. A store without a log has every page on the device then, and is still one that was not
   * closed.
   */
  sync(all = false): void {
    const { guest } = this;
    const { exports } = guest;
    const result = guest.call(OPEN, () =>
      this.#isDurable ? exports.sync(all ? 1 : 0) : exports.flush(),
    );
    if (result === -ECANCELED) guest.break();
    if (result < 0) throw this.#failed(result, 'sync');
  }

  /**
   * All of them or none, for the others and when storage fails. With `isWritten` the operating system has
   * them when it returns.
   */
  batch(operations: readonly Operation[], isWritten = false): void {
    for (const { type, key, value } of operations) {
      if (type === 'put') {
        checkKey(key);
        checkValue(value!);
      } else if (isTooLong(key)) return this.batch(operations.filter(isPossible), isWritten);
    }
    if (operations.length === 0) return;
    const { guest } = this;
    const { exports, window } = guest;
    const result = guest.call(OPEN, () => {
      try {
        return applyBatch(exports, window, operations, isWritten);
      } catch (error) {
        guest.break();
        if (error instanceof HalfApplied) return error.result;
        throw error;
      }
    });
    if (result < 0) throw this.#failed(result, 'batch');
    this.changed();
  }

  /**
   * Values of keys in their order; look-ups of a group advance together, and read what is not in memory
   * together.
   */
  getMany(keys: readonly Data[], format: Format): (Data | undefined)[] {
    const values = new Array<Data | undefined>(keys.length).fill(undefined);
    for (let first = 0; first < keys.length;) first += this.#getGroup(keys, first, values, format);
    return values;
  }

  /** How many keys from `first` on it has found values for, one at least. */
  #getGroup(
    keys: readonly Data[],
    first: number,
    values: (Data | undefined)[],
    format: Format,
  ): number {
    const { window, exports } = this.guest;
    let at = 0;
    let count = 0;
    while (count < KEYS_AT_ONCE && first + count < keys.length && at < KEYS_ROOM) {
      const bytes = window.putKey(at + 4, keys[first + count]!);
      if (bytes < 0) {
        if (count > 0) break;
        return 1; // such a key is not there
      }
      window.words[at >>> 2] = bytes;
      at = (at + 4 + bytes + 3) & ~3;
      count++;
    }
    at = (at + 7) & ~7;
    const done = this.guest.call(OPEN, () => exports.getMany(count, at));
    if (done < 0) throw this.#failed(done, 'getMany');
    const large: number[] = [];
    for (let i = 0; i < done; i++) {
      const length = window.words[at >>> 2]! | 0;
      at += 4;
      if (length >= 0) {
        values[first + i] = window.take(at, length, format);
        at = (at + length + 3) & ~3;
      } else if ((length & 0x7fffffff) <= VALUE_BYTES_MAX) large.push(first + i);
      else if (length !== -ENOENT) throw this.#failed(length, 'getMany');
    }
    for (const i of large) values[i] = this.get(keys[i]!, format);
    return done;
  }

  #failed(result: number, attempt: string): RingzeroError {
    return storeError(result, attempt, this.guest.location);
  }
}

/** Not the removal of a key that no store has. */
function isPossible({ type, key }: Operation): boolean {
  return type === 'put' || !isTooLong(key);
}

/** LEVEL_INVALID_VALUE when it is too long. */
function checkValue(value: Data): void {
  if (byteLengthMax(value) <= VALUE_ROOM) return;
  const bytes = byteLength(value);
  if (bytes > VALUE_BYTES_MAX) {
    throw new RingzeroError(
      'LEVEL_INVALID_VALUE',
      `a value of ${bytes} bytes; at most ${VALUE_BYTES_MAX}`,
    );
  }
}
