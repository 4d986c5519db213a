// Synchronous ranges: for...of over a part of the store.

import { Cursor, PIECE_MAX, type Bounds, type Entry, type Shape } from './cursor.ts';
import type { Codec, SyncOptions } from './encodings.ts';
import type { Operations } from './operations.ts';

/**
 * Bounds and order of a synchronous range.
 *
 * @category Store
 */
export interface SyncRangeOptions<K> extends SyncOptions {
  gt?: K;
  gte?: K;
  lt?: K;
  lte?: K;
  reverse?: boolean;
  /** Entries at most. Default: all. */
  limit?: number;
  /** Whether keys, values are wanted: undefined takes their place otherwise. Default true. */
  keys?: boolean;
  values?: boolean;
}

const FIRST_PIECE = 128;
const GROWTH = 4;

/** Loops over the range once; `limit` counts what the filter lets through. */
export function range<K, V>(
  operations: Operations,
  options: SyncRangeOptions<K>,
  keys: Codec,
  values: Codec,
  filter?: Shape['filter'],
): IterableIterator<[K, V]> {
  const { limit = -1, reverse } = options;
  // As abstract-level has it: any other limit is none.
  const isLimited = Number.isInteger(limit) && limit >= 0;
  const bounds: Bounds = { reverse };
  for (const name of ['gt', 'gte', 'lt', 'lte'] as const)
    if (options[name] !== undefined) bounds[name] = keys.encode(options[name]);
  const shape = {
    keys: options.keys !== false,
    values: options.values !== false,
    keyFormat: keys.format,
    valueFormat: values.format,
    filter,
  };
  const cursor = new Cursor(operations, bounds, shape, isLimited ? limit : Infinity);
  return new Range(cursor, keys, values) as IterableIterator<[K, V]>;
}

class Range implements IterableIterator<[unknown, unknown]> {
  readonly #cursor: Cursor;
  readonly #keys: Codec;
  readonly #values: Codec;
  #isOver = false;
  #size = FIRST_PIECE;
  #piece: Entry[] = [];
  #used = 0;

  constructor(cursor: Cursor, keys: Codec, values: Codec) {
    this.#cursor = cursor;
    this.#keys = keys;
    this.#values = values;
  }

  next(): IteratorResult<[unknown, unknown], undefined> {
    if (this.#used === this.#piece.length && !this.#read()) return { done: true, value: undefined };
    const entry: [unknown, unknown] = this.#piece[this.#used++]!;
    if (entry[0] !== undefined) entry[0] = this.#keys.decode(entry[0] as string);
    if (entry[1] !== undefined) entry[1] = this.#values.decode(entry[1] as string);
    return { done: false, value: entry };
  }

  #read(): boolean {
    this.#used = 0;
    this.#piece = this.#isOver ? [] : this.#cursor.next(this.#size);
    this.#size = Math.min(this.#size * GROWTH, PIECE_MAX);
    return this.#piece.length > 0;
  }

  return(): IteratorResult<[unknown, unknown], undefined> {
    this.#isOver = true;
    this.#piece = [];
    this.#used = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
