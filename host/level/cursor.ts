// A range of keys, read in pieces: one call of the guest brings as many entries as are asked for and fit the
// window.
//
// Interface   next(size) gives the next entries, none at the end or when the limit is reached; seek() moves.
//             clearSome() removes a part of the range.
// Invariants  LEVEL-3  A piece begins after the last key of the one before, whatever was written in between.
//                      Each key comes at most once, and one that is there all the time is not missed.
// Concurrency A piece is read under one state of the store with regard to batches; different pieces may be of
//             different ones.
// Cost        a descent of the tree for each piece, about 25 ns an entry in the guest. Making a string takes
//             60 ns however short it is, so a stretch of the window becomes one string, of which each key and
//                value is a part: 10 ns each. Such parts keep the whole
//             stretch in memory, at most STRETCH bytes and an entry.

import {
  KEY_BYTES_MAX,
  SCAN_ASCII,
  SCAN_AT,
  SCAN_DATA,
  SCAN_ENDED,
  SCAN_HAS_HIGH,
  SCAN_HAS_LOW,
  SCAN_HIGH_OPEN,
  SCAN_LOW_OPEN,
  SCAN_MAX,
  SCAN_NO_VALUES,
  SCAN_REVERSE,
  VALUE_ELSEWHERE,
} from '../../assembly/abi/kv.ts';
import { storeError } from './errors.ts';
import { OPEN } from './guest.ts';
import type { Operations } from './operations.ts';
import { byteLengthMax, fromBytes, toBytes, type Data, type Format } from './window.ts';

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
  /** Leaves out entries by the bytes of their values, from `start` up to `end`. */
  filter?: ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined;
}

export type Entry = [key: Data | undefined, value: Data | undefined];

interface Bound {
  key: Data;
  isOpen: boolean;
}

/** An entry of a piece whose value has to be asked for. */
interface Large {
  i: number;
  key: Data;
}

/** No key is longer, so a bound may be cut off behind it: it then lies between the same keys. */
const BOUND_MAX = KEY_BYTES_MAX + 1;

/** Bytes that are made one string, to be cut. */
const STRETCH = 8192;

const LENGTHS = SCAN_AT / 4;

/** Entries that one call brings at most. */
export const PIECE_MAX = SCAN_MAX;

export class Cursor {
  readonly #operations: Operations;
  readonly #shape: Shape;
  readonly #reverse: boolean;
  readonly #low: Bound | undefined;
  readonly #high: Bound | undefined;
  /** What of the range is left. */
  #from: Bound | undefined;
  #limit: number;
  #isAtEnd = false;
  /** Whether everything is wanted as text; and the piece in the window is ASCII besides. */
  readonly #isText: boolean;
  #isAscii = false;

  /** `limit` may be Infinity. */
  constructor(operations: Operations, bounds: Bounds, shape: Shape, limit: number) {
    this.#operations = operations;
    this.#shape = shape;
    this.#reverse = bounds.reverse === true;
    this.#low = boundOf(bounds.gte, bounds.gt);
    this.#high = boundOf(bounds.lte, bounds.lt);
    this.#from = this.#reverse ? this.#high : this.#low;
    this.#limit = limit;
    this.#isText =
      (!shape.keys || shape.keyFormat === 'utf8') &&
      (!shape.values || shape.valueFormat === 'utf8');
  }

  /**
   * Goes on at `target`, or at the end when that is out of the range. The last `unused` entries do not count.
   */
  seek(target: Data, unused: number): void {
    this.#limit += unused;
    const key = toBytes(target);
    this.#from = { key, isOpen: false };
    this.#isAtEnd = isBelow(key, this.#low) || isAbove(key, this.#high);
  }

  /** The next entries, at most `size`; none at the end. */
  next(size: number): Entry[] {
    while (!this.#isAtEnd && this.#limit > 0) {
      const most = this.#shape.filter === undefined ? Math.min(size, this.#limit) : size;
      const entries = this.#read(Math.min(most, PIECE_MAX));
      if (entries.length > this.#limit) entries.length = this.#limit;
      this.#limit -= entries.length;
      if (entries.length > 0) return entries;
    }
    return [];
  }

  /**
   * Entries of one piece. May be none although there are more: their values went away meanwhile, or the
   * filter left them out.
   */
  #read(size: number): Entry[] {
    const found = this.#scan(size);
    const { window } = this.#operations.guest;
    const { words } = window;
    const { keys, values, keyFormat, valueFormat, filter } = this.#shape;
    const entries = new Array<Entry>(found);
    let kept = 0;
    let large: Large[] | undefined;
    let text = '';
    /** Where the stretch begins and ends that is in `text`. */
    let start = SCAN_DATA;
    let end = SCAN_DATA;
    let at = SCAN_DATA;
    for (let i = 0; i < found; i++) {
      const keyBytes = words[LENGTHS + 2 * i]!;
      const valueBytes = words[LENGTHS + 2 * i + 1]!;
      if (this.#isAscii && at === end) {
        start = at;
        end = this.#stretch(i, found, at);
        text = window.ascii(start, end);
      }
      const valueAt = at + keyBytes;
      if (filter !== undefined && valueBytes < VALUE_ELSEWHERE) {
        const valueEnd = valueAt + valueBytes;
        if (!filter(window.bytes, valueAt, valueEnd)) {
          at = valueEnd;
          continue;
        }
      }
      let key: Data | undefined;
      let value: Data | undefined;
      if (this.#isAscii) {
        if (keys) key = text.substring(at - start, valueAt - start);
        if (values && valueBytes < VALUE_ELSEWHERE)
          value = text.substring(valueAt - start, valueAt + valueBytes - start);
      } else {
        if (keys) key = window.take(at, keyBytes, keyFormat);
        if (values && valueBytes < VALUE_ELSEWHERE)
          value = window.take(valueAt, valueBytes, valueFormat);
      }
      at = valueAt;
      if (valueBytes < VALUE_ELSEWHERE) at += valueBytes;
      else {
        // The window will hold something else by then; and text is not always what its bytes were.
        const bytes = window.take(valueAt - keyBytes, keyBytes, 'view');
        (large ??= []).push({ i: kept, key: bytes });
      }
      entries[kept++] = [key, value];
    }
    if (kept < found) entries.length = kept;
    if (!this.#isAtEnd && (kept < this.#limit || large !== undefined))
      this.#remember(at, found - 1);
    return large === undefined ? entries : this.#fetch(entries, large);
  }

  /** Where a stretch ends that begins with entry i, at `at`. */
  #stretch(i: number, found: number, at: number): number {
    const { words } = this.#operations.guest.window;
    let end = at;
    for (; i < found && end - at < STRETCH; i++) {
      const valueBytes = words[LENGTHS + 2 * i + 1]!;
      end += words[LENGTHS + 2 * i]! + (valueBytes < VALUE_ELSEWHERE ? valueBytes : 0);
    }
    return end;
  }

  /**
   * Brings the values that did not fit the window; entries whose key is gone meanwhile are left out, and
   * those the filter leaves out.
   */
  #fetch(entries: Entry[], large: readonly Large[]): Entry[] {
    const { filter, valueFormat, values } = this.#shape;
    const gone = new Set<Entry>();
    for (const { i, key } of large) {
      const entry = entries[i]!;
      let value = this.#operations.get(
        key,
        filter === undefined || valueFormat !== 'utf8' ? valueFormat : 'buffer',
      );
      if (filter !== undefined && value !== undefined) {
        const bytes = value as Uint8Array;
        value = filter(bytes, 0, bytes.length) ? fromBytes(bytes, valueFormat) : undefined;
      }
      if (value === undefined) gone.add(entry);
      if (values) entry[1] = value;
    }
    return gone.size === 0 ? entries : entries.filter((entry) => !gone.has(entry));
  }

  /** The range goes on after the last entry of a piece, number i, which ends at `end`. */
  #remember(end: number, i: number): void {
    const { bytes, words } = this.#operations.guest.window;
    const keyBytes = words[LENGTHS + 2 * i]!;
    const valueBytes = words[LENGTHS + 2 * i + 1]!;
    const at = end - keyBytes - (valueBytes < VALUE_ELSEWHERE ? valueBytes : 0);
    this.#from = { key: bytes.slice(at, at + keyBytes), isOpen: true };
  }

  /** How many entries are in the window; sets #isAtEnd and #isAscii. */
  #scan(size: number): number {
    const { guest } = this.#operations;
    const bytes = this.#putBounds();
    const result = guest.scan(
      bytes,
      this.#flags() | (this.#shape.values || this.#shape.filter ? 0 : SCAN_NO_VALUES),
      size,
    );
    if (result < 0) throw storeError(result, 'range', guest.location);
    const found = result & ~(SCAN_ENDED | SCAN_ASCII);
    this.#isAscii = this.#isText && (result & SCAN_ASCII) !== 0;
    this.#isAtEnd = found === 0 || (result & SCAN_ENDED) !== 0;
    return found;
  }

  /** Puts what is left of the range into the window: its length there. */
  #putBounds(): number {
    const high = this.#putBound(0, this.#reverse ? this.#low : this.#from);
    return this.#putBound(high, this.#reverse ? this.#from : this.#high);
  }

  #putBound(at: number, bound: Bound | undefined): number {
    const { window } = this.#operations.guest;
    const bytes = bound === undefined ? 0 : window.put(at + 4, bound.key);
    window.words[at >>> 2] = bytes;
    return (at + 4 + bytes + 3) & ~3;
  }

  #flags(): number {
    const low = this.#reverse ? this.#low : this.#from;
    const high = this.#reverse ? this.#from : this.#high;
    let flags = this.#reverse ? SCAN_REVERSE : 0;
    if (low !== undefined) flags |= SCAN_HAS_LOW | (low.isOpen ? SCAN_LOW_OPEN : 0);
    if (high !== undefined) flags |= SCAN_HAS_HIGH | (high.isOpen ? SCAN_HIGH_OPEN : 0);
    return flags;
  }

  /** Removes some of what is left of the range, whatever the limit; false when that was the rest. */
  clearSome(): boolean {
    const { guest } = this.#operations;
    const bytes = this.#putBounds();
    const flags = this.#flags();
    const result = guest.call(OPEN, () => guest.exports.clear(bytes, flags));
    if (result < 0) throw storeError(result, 'clear', guest.location);
    this.#operations.changed();
    return (result & SCAN_ENDED) === 0;
  }
}

function boundOf(closed: Data | undefined, open: Data | undefined): Bound | undefined {
  const data = closed ?? open;
  if (data === undefined) return undefined;
  const isShort = typeof data === 'string' && byteLengthMax(data) <= BOUND_MAX;
  return {
    key: isShort ? data : toBytes(data).subarray(0, BOUND_MAX),
    isOpen: closed === undefined,
  };
}

/** Order of keys: byte by byte, the shorter first. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function isBelow(key: Uint8Array, low: Bound | undefined): boolean {
  if (low === undefined) return false;
  const order = compare(key, toBytes(low.key));
  return order < 0 || (order === 0 && low.isOpen);
}

function isAbove(key: Uint8Array, high: Bound | undefined): boolean {
  if (high === undefined) return false;
  const order = compare(key, toBytes(high.key));
  return order > 0 || (order === 0 && high.isOpen);
}
