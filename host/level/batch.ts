// A batch: applied whole, or taken back.
//
// Interface   applyBatch() inside the guest; 0, or the negative errno of the operation that storage refused,
//             and then the store is as before. With `isWritten` the operating system has the batch when it
//             returns 0. Throws HalfApplied when it could not be taken back.
// Invariants  LEVEL-2  The log has one record for each operation that was applied, in their order.
// Concurrency No other thread reads or changes the store in between (guest/kv/batch.ts).
// Cost        of the log four bytes for a new key, a copy of each value that is replaced.

import {
  BATCH_DELETE,
  UNDO_ABSENT,
  UNDO_AT,
  UNDO_BYTES,
  UNDO_CHAIN,
  UNDO_HAS_CHAINS,
  UNDO_NOTHING,
  VALUE_AT,
  WINDOW_BYTES,
} from '../../assembly/abi/kv.ts';
import { EIO, ENOBUFS, ENOENT } from '../../assembly/abi/errno.ts';
import type { KvExports } from './guest.ts';
import { byteLengthMax, toBytes, type Data, type Window } from './window.ts';

export interface Operation {
  type: 'put' | 'del';
  key: Data;
  /** Of a put. */
  value?: Data | undefined;
}

/** What a batch and a long value need of the guest. */
export type BatchExports = Pick<
  KvExports,
  | 'put'
  | 'putBegin'
  | 'putPart'
  | 'putEnd'
  | 'del'
  | 'batchBegin'
  | 'batchOps'
  | 'batchLog'
  | 'batchUndo'
  | 'batchPutBack'
  | 'batchFree'
  | 'batchSettle'
  | 'batchEnd'
>;

/** Room for a value in the window. */
export const VALUE_ROOM = WINDOW_BYTES - VALUE_AT;
/** A batch's entry larger than this goes in by itself, its value in parts. */
const ENTRY_MAX = WINDOW_BYTES / 4;
const ENTRY_HEAD = 8;
/** Attempts at taking one operation back. */
const UNDO_TRIES = 32;

/** A batch that was neither applied nor taken back. */
export class HalfApplied extends Error {
  readonly result: number;

  constructor(result: number) {
    super('a batch was neither applied nor taken back');
    this.result = result;
  }
}

export function applyBatch(
  exports: BatchExports,
  window: Window,
  operations: readonly Operation[],
  isWritten = false,
): number {
  const result = new Batch(exports, window, operations, isWritten).apply(false);
  // The pool may have been full of what others have changed: once more, with all the room there is.
  return result === -ENOBUFS
    ? new Batch(exports, window, operations, isWritten).apply(true)
    : result;
}

/** A value in as many windows as it takes: 0, or a negative errno. */
export function putParts(exports: BatchExports, window: Window, key: Data, value: Data): number {
  const bytes = typeof value === 'string' ? toBytes(value) : value;
  const keyBytes = window.putKey(0, key);
  if (bytes.length <= VALUE_ROOM) return exports.put(keyBytes, window.putValue(bytes));
  const begun = exports.putBegin(keyBytes);
  if (begun < 0) return begun;
  for (let at = 0; at < bytes.length; at += VALUE_ROOM) {
    const part = bytes.subarray(at, at + VALUE_ROOM);
    window.bytes.set(part, VALUE_AT);
    if (exports.putPart(part.length) < 0) break; // putEnd() says why
  }
  return exports.putEnd();
}

class Batch {
  readonly #exports: BatchExports;
  readonly #window: Window;
  readonly #operations: readonly Operation[];
  readonly #isWritten: boolean;
  readonly #log: Uint8Array[] = [];
  #hasChains = false;

  constructor(
    exports: BatchExports,
    window: Window,
    operations: readonly Operation[],
    isWritten: boolean,
  ) {
    this.#exports = exports;
    this.#window = window;
    this.#operations = operations;
    this.#isWritten = isWritten;
  }

  /** The first window is filled before the others have to wait for the batch. */
  apply(isAgain: boolean): number {
    const first = this.#fill(0);
    let result = -EIO;
    try {
      result = this.#exports.batchBegin(isAgain ? 1 : 0);
      if (result >= 0) result = this.#applyFrom(first);
      if (result >= 0 && this.#isWritten) result = this.#exports.batchSettle();
      if (result < 0) this.#takeBack(result);
      else if (this.#hasChains) this.#freeChains();
      return result;
    } finally {
      this.#exports.batchEnd(result < 0 ? 0 : 1);
    }
  }

  #applyFrom(filled: { bytes: number; next: number }): number {
    const exports = this.#exports;
    for (let { bytes, next } = filled; ;) {
      for (let at = 0; at < bytes;) {
        const stopped = exports.batchOps(at, bytes);
        this.#keepLog();
        if (stopped < 0) return stopped;
        at = stopped;
      }
      const operation = this.#operations[next];
      if (operation === undefined) return 0;
      if (isLarge(operation)) {
        const result = putParts(exports, this.#window, operation.key, operation.value!);
        this.#keepLog();
        if (result < 0) return result;
        next++;
      }
      ({ bytes, next } = this.#fill(next));
    }
  }

  /** Operations from `first` on into the window, up to one that does not fit or is large. */
  #fill(first: number): { bytes: number; next: number } {
    const window = this.#window;
    const operations = this.#operations;
    let at = 0;
    let next = first;
    for (; next < operations.length; next++) {
      const operation = operations[next]!;
      if (isLarge(operation)) break;
      const { type, key, value } = operation;
      const room = ENTRY_HEAD + byteLengthMax(key) + (type === 'put' ? byteLengthMax(value!) : 0);
      if (at + room > UNDO_AT - 4) break;
      const keyBytes = window.put(at + ENTRY_HEAD, key);
      const valueAt = at + ENTRY_HEAD + keyBytes;
      const valueBytes = type === 'put' ? window.put(valueAt, value!) : 0;
      window.words[at >>> 2] = type === 'put' ? keyBytes : (keyBytes | BATCH_DELETE) >>> 0;
      window.words[(at >>> 2) + 1] = valueBytes;
      at = (valueAt + valueBytes + 3) & ~3;
    }
    return { bytes: at, next };
  }

  #keepLog(): void {
    const logged = this.#exports.batchLog();
    const bytes = logged & (UNDO_BYTES * 2 - 1);
    if (bytes > 0) this.#log.push(this.#window.bytes.slice(UNDO_AT, UNDO_AT + bytes));
    if ((logged & UNDO_HAS_CHAINS) !== 0) this.#hasChains = true;
  }

  #freeChains(): void {
    for (const { chain } of this.#records()) if (chain !== 0) this.#exports.batchFree(chain);
  }

  /** Undoes what was applied, the last first. */
  #takeBack(result: number): void {
    this.#exports.batchUndo();
    const records = [...this.#records()];
    for (let i = records.length - 1; i >= 0; i--) {
      let undone = -1;
      for (let left = UNDO_TRIES; undone < 0 && left > 0; left--)
        undone = this.#undo(this.#operations[i]!.key, records[i]!);
      if (undone < 0) throw new HalfApplied(result);
    }
  }

  #undo(key: Data, { word, chain, chainBytes, value }: UndoRecord): number {
    if (word === UNDO_NOTHING) return 0;
    const keyBytes = this.#window.putKey(0, key);
    if (chain !== 0) return this.#exports.batchPutBack(keyBytes, chainBytes, chain);
    if (word !== UNDO_ABSENT) return this.#exports.put(keyBytes, this.#window.putValue(value));
    const removed = this.#exports.del(keyBytes);
    return removed === -ENOENT ? 0 : removed;
  }

  *#records(): Generator<UndoRecord> {
    for (const bytes of this.#log) {
      const words = new Uint32Array(bytes.buffer);
      for (let at = 0; at < bytes.length;) {
        const word = words[at >>> 2]!;
        at += 4;
        let [chain, chainBytes, length] = [0, 0, 0];
        if (word === UNDO_CHAIN) {
          chainBytes = words[at >>> 2]!;
          chain = words[(at >>> 2) + 1]!;
          at += 8;
        } else if (word < UNDO_CHAIN) length = word;
        yield { word, chain, chainBytes, value: bytes.subarray(at, at + length) };
        at = (at + length + 3) & ~3;
      }
    }
  }
}

interface UndoRecord {
  readonly word: number;
  /** First page and length of the value that was replaced, if it is in an overflow chain. */
  readonly chain: number;
  readonly chainBytes: number;
  /** The value that was replaced, if it is not. */
  readonly value: Uint8Array;
}

function isLarge({ type, value }: Operation): boolean {
  return type === 'put' && byteLengthMax(value!) > ENTRY_MAX;
}
