// Copies a snapshot from a VM's memory to a memory of its own, while the VM goes on.
//
// Interface   copySnapshot() makes a memory, or the part of one that has files, equal to a range of a snapshot.
// Invariants  SNAP-4 (docs/snappy.md): main memory is read first, the page's entry afterwards; an entry
//             that exists leads to the right content.
// Cost        A compare of both memories, 0.1 ms per MB, and a copy of each page that differs; pages that are
//             zero in both are not touched. With a base, a copy of each page that has changed since.

import { FRAME_BYTES, FRAME_SHIFT } from '../../../assembly/abi/limits.ts';
import { ENTRY_FLAGS } from '../../../assembly/abi/snapshot-block.ts';
import { comparer } from '#platform';

/** Pages of a snapshot, as a thread without a kernel reads them. */
export interface Source {
  /** All of the VM's physical memory. */
  readonly memory: ArrayBufferLike;
  /** Address of the snapshot's page table. */
  readonly table: number;
  /** The page after the last one. */
  readonly end: number;
  readonly pages: number;
}

const CHUNK_BYTES = 256 * FRAME_BYTES;

class Copier {
  readonly #all: Uint8Array;
  /** The range in main memory, and the same bytes of the copy. */
  readonly #from: Uint8Array;
  readonly #into: Uint8Array;
  readonly #entries: Int32Array;
  readonly #first: number;
  readonly #fence = new Int32Array(new SharedArrayBuffer(4));
  readonly #isEqual: (start: number, end: number) => boolean;

  constructor({ memory, table, end, pages }: Source, into: Uint8Array) {
    this.#first = end - pages;
    this.#all = new Uint8Array(memory);
    this.#from = new Uint8Array(memory, this.#first * FRAME_BYTES, pages * FRAME_BYTES);
    this.#into = into;
    this.#entries = new Int32Array(memory, table, end).subarray(this.#first);
    this.#isEqual = comparer(this.#from, into);
  }

  /** Makes all of it equal. */
  all(): void {
    const bytes = this.#into.length;
    for (let start = 0; start < bytes; start += CHUNK_BYTES) {
      const end = Math.min(bytes, start + CHUNK_BYTES);
      if (!this.#isEqual(start, end))
        for (let at = start; at < end; at += FRAME_BYTES)
          if (!this.#isEqual(at, at + FRAME_BYTES)) this.#copy(at, at);
      this.#takePreserved(start >>> FRAME_SHIFT, end >>> FRAME_SHIFT);
    }
  }

  /** `changed`: what an earlier snapshot's table has for these pages. */
  changes(changed: Int32Array): void {
    for (let page = 0; page < changed.length; page++) {
      if (changed[page] === 0) continue;
      this.#copy(page * FRAME_BYTES, page * FRAME_BYTES);
      this.#takePreserved(page, page + 1);
    }
  }

  #copy(at: number, from: number): void {
    this.#into.set(this.#from.subarray(from, from + FRAME_BYTES), at);
  }

  /** Main memory of these pages has been read: the entries that exist now say what was wrong. */
  #takePreserved(page: number, end: number): void {
    Atomics.add(this.#fence, 0, 1); // reads before it are not made after it
    for (; page < end; page++) {
      const entry = this.#entries[page]!;
      if (entry === 0) continue;
      const at = ((this.#first + page) * FRAME_BYTES + (entry & ~ENTRY_FLAGS)) >>> 0;
      this.#into.set(this.#all.subarray(at, at + FRAME_BYTES), page * FRAME_BYTES);
    }
  }
}

/**
 * Makes `into`, which has as many pages, equal to them. With `base`, the address of the table of an earlier
 * snapshot that is still active, `into` has what they were then.
 */
export function copySnapshot(source: Source, into: Uint8Array, base: number | undefined): void {
  const { memory, end, pages } = source;
  const copier = new Copier(source, into);
  if (base === undefined) copier.all();
  else copier.changes(new Int32Array(memory, base, end).subarray(end - pages));
}
