// A range of keys, read in pieces: one call of the guest brings as many entries as are asked for and fit the window.
//
// Interface   next(limit) gives the next entries, none at the end; seek() moves. clear() removes the range.
// Invariants  LEVEL-2  A piece begins after the last key of the one before, whatever was written in between. Each key comes at most
//                      once, and one that is there all the time is not missed.
// Concurrency A piece is read under one state of the store with regard to batches; different pieces may be of different ones.
// Cost        a descent of the tree for each piece, and about 15 ns an entry before JavaScript makes its values.

import {
  KEY_BYTES_MAX,
  SCAN_AT,
  SCAN_HAS_HIGH,
  SCAN_HAS_LOW,
  SCAN_HIGH_OPEN,
  SCAN_LOW_OPEN,
  SCAN_NO_VALUES,
  SCAN_REVERSE,
  VALUE_ELSEWHERE,
} from '../../assembly/abi/kv.ts';
import { storeError } from './errors.ts';
import { OPEN } from './guest.ts';
import type { Operations } from './operations.ts';
import { toBytes, type Data, type Format } from './window.ts';

/** Bounds as abstract-level hands them over; `gte` counts before `gt`, `lte` before `lt`. */
export interface Bounds {
  gt?: Data | undefined;
  gte?: Data | undefined;
  lt?: Data | undefined;
  lte?: Data | undefined;
  reverse?: boolean | undefined;
}

export interface Shape {
  keys: boolean;
  values: boolean;
  keyFormat: Format;
  valueFormat: Format;
}

export type Entry = [key: Data | undefined, value: Data | undefined];

interface Bound {
  key: Uint8Array;
  isOpen: boolean;
}

/** No key is longer, so a bound may be cut off behind it: it then lies between the same keys. */
const BOUND_MAX = KEY_BYTES_MAX + 1;

/** Entries that one call brings at most. */
export const PIECE_MAX = 1000;

export class Cursor {
  readonly #operations: Operations;
  readonly #shape: Shape;
  readonly #reverse: boolean;
  readonly #low: Bound | undefined;
  readonly #high: Bound | undefined;
  /** What of the range is left. */
  #from: Bound | undefined;
  #isAtEnd = false;
  readonly #last = new Uint8Array(KEY_BYTES_MAX);
  readonly #lastBound: Bound = { key: this.#last, isOpen: true };

  constructor(operations: Operations, bounds: Bounds, shape: Shape) {
    this.#operations = operations;
    this.#shape = shape;
    this.#reverse = bounds.reverse === true;
    this.#low = boundOf(bounds.gte, bounds.gt);
    this.#high = boundOf(bounds.lte, bounds.lt);
    this.#from = this.#reverse ? this.#high : this.#low;
  }

  /** Goes on at `target`, or at the end when that is out of the range. */
  seek(target: Data): void {
    const key = toBytes(target);
    this.#from = { key, isOpen: false };
    this.#isAtEnd = isBelow(key, this.#low) || isAbove(key, this.#high);
  }

  /** The next entries, at most `limit`; none when there are no more. */
  next(limit: number): Entry[] {
    while (!this.#isAtEnd) {
      const entries = this.#read(Math.min(limit, PIECE_MAX));
      if (entries.length > 0) return entries;
    }
    return [];
  }

  /** Entries of one piece. May be none although there are more: their values went away while they were asked for. */
  #read(limit: number): Entry[] {
    const found = this.#scan(limit, this.#shape.values ? 0 : SCAN_NO_VALUES);
    const { window } = this.#operations.guest;
    const { words } = window;
    const { keys, values, keyFormat, valueFormat } = this.#shape;
    const entries = new Array<Entry>(found);
    let large: number[] | undefined;
    let at = SCAN_AT;
    let lastAt = SCAN_AT;
    for (let i = 0; i < found; i++) {
      const keyBytes = words[at >>> 2]!;
      const valueBytes = words[(at >>> 2) + 1]!;
      lastAt = at;
      at += 8;
      const key = keys ? window.take(at, keyBytes, keyFormat) : undefined;
      at += keyBytes;
      if (valueBytes >= VALUE_ELSEWHERE) {
        (large ??= []).push(i);
        // Its key is needed in whatever form, once the window holds something else.
        entries[i] = [key ?? window.take(at - keyBytes, keyBytes, 'view'), undefined];
        at = (at + 3) & ~3;
        continue;
      }
      entries[i] = [key, values ? window.take(at, valueBytes, valueFormat) : undefined];
      at = (at + valueBytes + 3) & ~3;
    }
    if (found > 0) this.#remember(lastAt + 8, words[lastAt >>> 2]!);
    return large === undefined ? entries : this.#fetch(entries, large);
  }

  /** Brings the values that did not fit the window; entries whose key is gone meanwhile are left out. */
  #fetch(entries: Entry[], large: readonly number[]): Entry[] {
    const { keys, valueFormat } = this.#shape;
    const gone = new Set<Entry>();
    for (const i of large) {
      const entry = entries[i]!;
      entry[1] = this.#operations.get(entry[0]!, valueFormat);
      if (entry[1] === undefined) gone.add(entry);
      if (!keys) entry[0] = undefined;
    }
    return gone.size === 0 ? entries : entries.filter((entry) => !gone.has(entry));
  }

  #remember(at: number, bytes: number): void {
    const { window } = this.#operations.guest;
    this.#last.set(window.bytes.subarray(at, at + bytes));
    this.#lastBound.key = this.#last.subarray(0, bytes);
    this.#from = this.#lastBound;
  }

  /** Puts what is left of the range into the window: its length there, and the flags for it. */
  #putBounds(): { bytes: number; flags: number } {
    const { window } = this.#operations.guest;
    const low = this.#reverse ? this.#low : this.#from;
    const high = this.#reverse ? this.#from : this.#high;
    let flags = this.#reverse ? SCAN_REVERSE : 0;
    let at = 0;
    for (const [bound, has, open] of [
      [low, SCAN_HAS_LOW, SCAN_LOW_OPEN],
      [high, SCAN_HAS_HIGH, SCAN_HIGH_OPEN],
    ] as const) {
      window.words[at >>> 2] = bound?.key.length ?? 0;
      at += 4;
      if (bound === undefined) continue;
      flags |= has | (bound.isOpen ? open : 0);
      window.bytes.set(bound.key, at);
      at = (at + bound.key.length + 3) & ~3;
    }
    return { bytes: at, flags };
  }

  #scan(limit: number, more: number): number {
    const { guest } = this.#operations;
    const { bytes, flags } = this.#putBounds();
    const found = guest.call(OPEN, () => guest.exports.scan(bytes, flags | more, limit));
    if (found < 0) throw storeError(found, 'range', guest.location);
    if (found === 0) this.#isAtEnd = true;
    return found;
  }

  /** Removes what is left of the range. */
  clear(): void {
    const { guest } = this.#operations;
    const { bytes, flags } = this.#putBounds();
    const result = guest.call(OPEN, () => guest.exports.clear(bytes, flags));
    if (result < 0) throw storeError(result, 'clear', guest.location);
    this.#isAtEnd = true;
  }
}

function boundOf(closed: Data | undefined, open: Data | undefined): Bound | undefined {
  const data = closed ?? open;
  if (data === undefined) return undefined;
  return { key: toBytes(data).subarray(0, BOUND_MAX), isOpen: closed === undefined };
}

/** Order of keys: byte by byte, the shorter first. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function isBelow(key: Uint8Array, low: Bound | undefined): boolean {
  if (low === undefined) return false;
  const order = compare(key, low.key);
  return order < 0 || (order === 0 && low.isOpen);
}

function isAbove(key: Uint8Array, high: Bound | undefined): boolean {
  if (high === undefined) return false;
  const order = compare(key, high.key);
  return order > 0 || (order === 0 && high.isOpen);
}
