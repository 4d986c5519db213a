// Iterators of abstract-level over a range: entries, keys, values.
//
// Interface   As abstract-level says. next() answers from a piece that was read before, so what it gives may
//             be some hundred entries older than the store; a key that was removed meanwhile may still come.
//             Nothing is read before the first call.
// Cost        a piece grows as it is used: a short range costs one call of the guest, a long one few.

import {
  AbstractIterator,
  AbstractKeyIterator,
  AbstractValueIterator,
  type AbstractIteratorOptions,
  type AbstractKeyIteratorOptions,
  type AbstractValueIteratorOptions,
} from 'abstract-level';
import { RingzeroError } from '../errors.ts';
import { HEAVY, isDue, nextTurn } from './turns.ts';
import { Cursor, PIECE_MAX, type Bounds, type Entry, type Shape } from './cursor.ts';
import type { LevelDatabase } from './database.ts';
import type { Operations } from './operations.ts';
import type { Data, Format } from './window.ts';

/** Who gives a limit wants to come so far; who gives none may look at a few only. */
const FIRST_PIECE = 32;
const FIRST_PIECE_LIMITED = 128;
const GROWTH = 4;

function firstPiece(limit: number): number {
  return limit >= 0 && limit <= FIRST_PIECE_LIMITED ? FIRST_PIECE_LIMITED : FIRST_PIECE;
}

/** What abstract-level hands to _iterator(), _keys() and _values(). */
export interface RangeOptions extends Bounds {
  limit: number;
  keys?: boolean;
  values?: boolean;
  keyEncoding: Format;
  valueEncoding: Format;
  signal?: AbortSignal | undefined;
}

/** A cursor and the piece of it that was not handed out yet. */
class Pieces {
  readonly #cursor: Cursor;
  #piece: Entry[] = [];
  #used = 0;
  #size: number;

  constructor(operations: Operations, options: RangeOptions, shape: Shape) {
    const { limit } = options;
    this.#cursor = new Cursor(operations, options, shape, limit < 0 ? Infinity : limit);
    this.#size = firstPiece(limit);
  }

  next(): Entry | undefined {
    if (this.#used === this.#piece.length) {
      this.#piece = this.#cursor.next(this.#size);
      this.#used = 0;
      this.#size = Math.min(this.#size * GROWTH, PIECE_MAX);
    }
    return this.#piece[this.#used++];
  }

  /** The next entries, `size` or fewer, none at the end. */
  some(size: number): Entry[] {
    if (this.#used === this.#piece.length) return this.#cursor.next(size);
    const entries = this.#piece.slice(this.#used, this.#used + size);
    this.#used += entries.length;
    return entries;
  }

  async all(): Promise<Entry[]> {
    const entries = this.some(PIECE_MAX);
    for (let more = entries; more.length > 0;) {
      if (isDue(HEAVY)) await nextTurn();
      more = this.#cursor.next(PIECE_MAX);
      for (const entry of more) entries.push(entry);
    }
    return entries;
  }

  seek(target: Data): void {
    this.#cursor.seek(target, this.#piece.length - this.#used);
    this.drop();
  }

  drop(): void {
    this.#piece = [];
    this.#used = 0;
  }
}

/** Entries between two looks at the clock. */
const UNTIMED = 64;

/**
 * What for await does with an iterator: hands out pieces of nextv() without a promise of abstract-level's for
 * each.
 */
class Steps<T> implements AsyncIterableIterator<T> {
  readonly #iterator: Steppable<T>;
  readonly #signal: AbortSignal | undefined;
  #items: T[] = [];
  #used = 0;
  /** Items up to here are answered at once, without a look at the clock; 0 while calls are under way. */
  #until = 0;
  #size: number;
  /** Calls under way: each waits for the one before it, as those of a generator do. */
  #waiting = 0;
  #last: Promise<unknown> | undefined;
  #isDone = false;

  constructor(iterator: Steppable<T>, signal: AbortSignal | undefined) {
    this.#iterator = iterator;
    this.#signal = signal;
    this.#size = firstPiece(iterator.limit);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#used < this.#until && !this.#iterator.isClosed && !this.#signal?.aborted)
      return Promise.resolve({ done: false, value: this.#items[this.#used++]! });
    const isThere = this.#waiting === 0 && this.#used < this.#items.length && !this.#isOver();
    if (isThere && !isDue(HEAVY)) {
      const value = this.#items[this.#used++]!;
      this.#goOn();
      return Promise.resolve({ done: false, value });
    }
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
    const before = this.#waiting > 0 ? this.#last : isThere ? nextTurn() : undefined;
    this.#until = 0;
    this.#waiting++;
    const result = this.#more(before);
    this.#last = result;
    return result;
  }

  /** The next calls are answered at once. */
  #goOn(): void {
    this.#until = Math.min(this.#used + UNTIMED, this.#items.length);
  }

  /** Closed, or to be closed: nextv() says so. */
  #isOver(): boolean {
    return this.#iterator.isClosed || this.#signal?.aborted === true;
  }

  async #more(before: Promise<unknown> | undefined): Promise<IteratorResult<T, undefined>> {
    try {
      if (before !== undefined) await before.catch(ignore);
      if (this.#isDone) return { done: true, value: undefined };
      if (this.#used === this.#items.length || this.#isOver()) {
        this.#used = 0;
        // Rejects when closed or aborted.
        this.#items = this.#isAtLimit() ? [] : await this.#iterator.nextv(this.#size);
        this.#size = Math.min(this.#size * GROWTH, PIECE_MAX);
      }
      if (this.#items.length === 0) return await this.return();
      return { done: false, value: this.#items[this.#used++]! };
    } catch (error) {
      await this.return();
      throw error;
    } finally {
      if (--this.#waiting === 0) this.#goOn(); // before the caller goes on
    }
  }

  #isAtLimit(): boolean {
    const { limit, count } = this.#iterator;
    return limit >= 0 && count >= limit && !this.#isOver();
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#isDone = true;
    this.#items = [];
    this.#used = 0;
    this.#until = 0;
    await this.#iterator.close();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

const ignore = (): void => {};

interface Steppable<T> {
  readonly limit: number;
  readonly count: number;
  readonly isClosed: boolean;
  nextv(size: number): Promise<T[]>;
  close(): Promise<void>;
}

function stepsOf<T>(
  iterator: Steppable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void> {
  return new Steps(iterator, signal) as unknown as AsyncGenerator<T, void>;
}

/** Leaves a moment for the abort of a call that was just made; rejects if it came. */
async function ifNotAborted(signal: AbortSignal): Promise<void> {
  await undefined;
  if (!signal.aborted) return;
  const error = new RingzeroError('LEVEL_ABORTED', 'Operation has been aborted');
  throw Object.defineProperty(error, 'name', { value: 'AbortError' });
}

function shapeOf(options: RangeOptions, keys: boolean, values: boolean): Shape {
  return { keys, values, keyFormat: options.keyEncoding, valueFormat: options.valueEncoding };
}

type Db<K, V> = LevelDatabase<K, V>;

export class RingzeroIterator<K, V> extends AbstractIterator<Db<K, V>, K, V> {
  readonly #pieces: Pieces;
  readonly #signal: AbortSignal | undefined;
  isClosed = false;

  constructor(db: Db<K, V>, operations: Operations, options: RangeOptions) {
    super(db, options as unknown as AbstractIteratorOptions<K, V>);
    const shape = shapeOf(options, options.keys !== false, options.values !== false);
    this.#pieces = new Pieces(operations, options, shape);
    this.#signal = options.signal;
  }

  async _next(): Promise<Entry | undefined> {
    if (this.#signal) await ifNotAborted(this.#signal);
    if (isDue()) await nextTurn();
    return this.#pieces.next();
  }
  async _nextv(size: number): Promise<Entry[]> {
    if (this.#signal) await ifNotAborted(this.#signal);
    if (isDue(HEAVY)) await nextTurn();
    return this.#pieces.some(size);
  }
  async _all(): Promise<Entry[]> {
    if (this.#signal) await ifNotAborted(this.#signal);
    return this.#pieces.all();
  }
  _seek(target: Data): void {
    this.#pieces.seek(target);
  }
  async _close(): Promise<void> {
    this.isClosed = true;
    this.#pieces.drop();
  }
  override [Symbol.asyncIterator](): AsyncGenerator<[K, V], void> {
    return stepsOf<[K, V]>(this, this.#signal);
  }
}

export class RingzeroKeyIterator<K, V> extends AbstractKeyIterator<Db<K, V>, K> {
  readonly #pieces: Pieces;
  readonly #signal: AbortSignal | undefined;
  isClosed = false;

  constructor(db: Db<K, V>, operations: Operations, options: RangeOptions) {
    super(db, options as unknown as AbstractKeyIteratorOptions<K>);
    this.#pieces = new Pieces(operations, options, shapeOf(options, true, false));
    this.#signal = options.signal;
  }

  async _next(): Promise<Data | undefined> {
    if (this.#signal) await ifNotAborted(this.#signal);
    if (isDue()) await nextTurn();
    return this.#pieces.next()?.[0];
  }
  async _nextv(size: number): Promise<Data[]> {
    if (this.#signal) await ifNotAborted(this.#signal);
    if (isDue(HEAVY)) await nextTurn();
    return this.#pieces.some(size).map(([key]) => key!);
  }
  async _all(): Promise<Data[]> {
    if (this.#signal) await ifNotAborted(this.#signal);
    return (await this.#pieces.all()).map(([key]) => key!);
  }
  _seek(target: Data): void {
    this.#pieces.seek(target);
  }
  async _close(): Promise<void> {
    this.isClosed = true;
    this.#pieces.drop();
  }
  override [Symbol.asyncIterator](): AsyncGenerator<K, void> {
    return stepsOf<K>(this, this.#signal);
  }
}

export class RingzeroValueIterator<K, V> extends AbstractValueIterator<Db<K, V>, K, V> {
  readonly #pieces: Pieces;
  readonly #signal: AbortSignal | undefined;
  isClosed = false;

  constructor(db: Db<K, V>, operations: Operations, options: RangeOptions) {
    super(db, options as unknown as AbstractValueIteratorOptions<K, V>);
    this.#pieces = new Pieces(operations, options, shapeOf(options, false, true));
    this.#signal = options.signal;
  }

  async _next(): Promise<Data | undefined> {
    if (this.#signal) await ifNotAborted(this.#signal);
    if (isDue()) await nextTurn();
    return this.#pieces.next()?.[1];
  }
  async _nextv(size: number): Promise<Data[]> {
    if (this.#signal) await ifNotAborted(this.#signal);
    if (isDue(HEAVY)) await nextTurn();
    return this.#pieces.some(size).map(([, value]) => value!);
  }
  async _all(): Promise<Data[]> {
    if (this.#signal) await ifNotAborted(this.#signal);
    return (await this.#pieces.all()).map(([, value]) => value!);
  }
  _seek(target: Data): void {
    this.#pieces.seek(target);
  }
  async _close(): Promise<void> {
    this.isClosed = true;
    this.#pieces.drop();
  }
  override [Symbol.asyncIterator](): AsyncGenerator<V, void> {
    return stepsOf<V>(this, this.#signal);
  }
}
