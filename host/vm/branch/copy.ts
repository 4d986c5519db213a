// Copies a snapshot from a VM's memory to a memory of its own, while the VM goes on.
//
// Interface   copyAll() makes a memory equal to a snapshot; copyChanges() one that equals an earlier one.
// Invariants  SNAP-4 (docs/snappy.md): main memory is read first, the page's entry afterwards; an entry
//             that exists leads to the right content.
// Cost        A compare of both memories, 0.1 ms per MB, and a copy of each page that differs. Pages that are
//             zero in both are not touched.

import { FRAME_BYTES, FRAME_SHIFT } from '../../../assembly/abi/limits.ts';
import { ENTRY_FLAGS } from '../../../assembly/abi/snapshot-block.ts';
import { comparer } from '#platform';

/** A snapshot, as a thread without a kernel reads it. */
export interface Source {
  /** All of the VM's physical memory. */
  readonly memory: ArrayBufferLike;
  /** Bytes of guest memory that it covers. */
  readonly bytes: number;
  /** Address of its page table. */
  readonly table: number;
}

const CHUNK_PAGES = 256;

class Copier {
  readonly #source: Source;
  readonly #from: Uint8Array;
  readonly #into: Uint8Array;
  readonly #entries: Int32Array;
  readonly #fence = new Int32Array(new SharedArrayBuffer(4));
  readonly #isEqual: (start: number, end: number) => boolean;

  constructor(source: Source, into: ArrayBufferLike) {
    this.#source = source;
    this.#from = new Uint8Array(source.memory);
    this.#into = new Uint8Array(into);
    this.#entries = new Int32Array(source.memory, source.table, source.bytes >>> FRAME_SHIFT);
    this.#isEqual = comparer(this.#from, this.#into);
  }

  all(): void {
    const { bytes } = this.#source;
    for (let start = 0; start < bytes; start += CHUNK_PAGES * FRAME_BYTES) {
      const end = Math.min(bytes, start + CHUNK_PAGES * FRAME_BYTES);
      if (!this.#isEqual(start, end))
        for (let at = start; at < end; at += FRAME_BYTES)
          if (!this.#isEqual(at, at + FRAME_BYTES)) this.#set(at, at);
      this.#takePreserved(start >>> FRAME_SHIFT, end >>> FRAME_SHIFT);
    }
    const rest = this.#into.length - bytes;
    if (rest > 0) this.#into.fill(0, bytes);
  }

  changes(base: number): void {
    const pages = this.#source.bytes >>> FRAME_SHIFT;
    const changed = new Int32Array(this.#source.memory, base, pages);
    for (let page = 0; page < pages; page++) {
      if (changed[page] === 0) continue;
      this.#set(page << FRAME_SHIFT, page << FRAME_SHIFT);
      this.#takePreserved(page, page + 1);
    }
  }

  #set(at: number, from: number): void {
    this.#into.set(this.#from.subarray(from, from + FRAME_BYTES), at);
  }

  /** Main memory of these pages has been read: the entries that exist now say what was wrong. */
  #takePreserved(page: number, end: number): void {
    Atomics.add(this.#fence, 0, 1); // reads before it are not made after it
    for (; page < end; page++) {
      const entry = this.#entries[page]!;
      if (entry === 0) continue;
      const at = page * FRAME_BYTES;
      this.#set(at, (at + (entry & ~ENTRY_FLAGS)) >>> 0);
    }
  }
}

/** Makes `into` the snapshot; what is beyond its end becomes zero. */
export function copyAll(source: Source, into: ArrayBufferLike): void {
  new Copier(source, into).all();
}

/**
 * The same for a memory that is an earlier snapshot of the VM, which is still active: its page table, at
 * `base`, says what has changed since.
 */
export function copyChanges(source: Source, into: ArrayBufferLike, base: number): void {
  new Copier(source, into).changes(base);
}

/** What a snapshot has of files, and where they go. */
interface FileSource extends Source {
  readonly files: { readonly pages: number; readonly end: number };
}

/**
 * Makes the last pages of `into` the files of a snapshot. With `base`, the address of the table of an earlier
 * snapshot, they have its files, and only what has changed since is copied.
 */
export function copyFiles(source: FileSource, into: Uint8Array, base: number | undefined): void {
  const { memory, table, files } = source;
  const from = new Uint8Array(memory);
  const entries = new Int32Array(memory, table, files.end);
  const changed = base === undefined ? undefined : new Int32Array(memory, base, files.end);
  const fence = new Int32Array(new SharedArrayBuffer(4));
  for (let number = 1; number <= files.pages; number++) {
    const page = files.end - number;
    if (changed?.[page] === 0) continue;
    const target = into.length - number * FRAME_BYTES;
    const at = page * FRAME_BYTES;
    into.set(from.subarray(at, at + FRAME_BYTES), target);
    Atomics.add(fence, 0, 1); // the page is read before its entry
    const entry = entries[page]!;
    const copy = (at + (entry & ~ENTRY_FLAGS)) >>> 0;
    if (entry !== 0) into.set(from.subarray(copy, copy + FRAME_BYTES), target);
  }
}
