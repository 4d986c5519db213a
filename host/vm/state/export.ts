// Writes a snapshot as a stream: whole, or the pages that differ from an earlier snapshot.
//
// A page can differ only if one of the two snapshots has a table entry for it: the main image writes to a
// page after a snapshot only through the write fault, which installs an entry, and writes on a snapshot
// install one too. Entries say "may differ"; the content decides.
//
// Interface   stateRecords() yields the parts of the stream, each made without interruption; the snapshots
//             must exist until the last one.
// Invariants  STATE-2  The parts show one moment: that of the snapshot.
// Concurrency On a vCPU's own thread: pages are read through its staging buffer.
// Cost        Whole: two copies of each page that is not zero, and the search for zeros. Delta: the same for
//             changed pages; 1024 unchanged pages cost one look. Compression is most of the time.

import { FRAME_BYTES, TABLE_CHUNK_PAGES as CHUNK_PAGES } from '../../../assembly/abi/limits.ts';
import { ENTRY_FORGOTTEN, SNAPSHOT_CHUNKS } from '../../../assembly/abi/snapshot-block.ts';
import { RingzeroError } from '../../errors.ts';
import { physicalBuffer } from '../../physical-buffer.ts';
import type * as Wasm from '../../webassembly.ts';
import type { KernelExports } from '../kernel.ts';
import { checkState } from '../snapshot-state.ts';
import type { TableState } from '../tables.ts';
import type { Codec } from './codec.ts';
import { encodeHeader, RECORD_REGISTERS, RECORD_TABLES, type Header, type Run } from './format.ts';
import { encodeTables } from './tables.ts';
import { extend, Writer } from './writer.ts';

export interface Exported {
  readonly header: Header;
  readonly slot: number;
  /** Address of its registers. */
  readonly registers: number;
  readonly tables: TableState | undefined;
  /** The earlier snapshot, and the pages that it has. */
  readonly base:
    { readonly slot: number; readonly pages: number; readonly filePages: number } | undefined;
  /** The page after file memory. */
  readonly filesEnd: number;
  readonly compress: boolean;
}

const WORDS = FRAME_BYTES / 4;

export function* stateRecords(
  state: Exported,
  calls: KernelExports,
  memory: Wasm.Memory,
  codec: Codec,
): Generator<Uint8Array, void> {
  const writer = new Writer(codec, state.compress);
  yield encodeHeader(state.header, codec);
  const { slot, base } = state;
  calls.settleSnapshot(slot);
  if (base !== undefined) calls.settleSnapshot(base.slot);
  const all = new Uint8Array(physicalBuffer(memory));
  const registers = all.slice(state.registers, state.registers + state.header.registerBytes);
  yield* writer.content(RECORD_REGISTERS, registers);
  if (state.tables !== undefined) yield* writer.content(RECORD_TABLES, encodeTables(state.tables));
  const pages = new Pages(state, calls, memory);
  const zeros: Run[] = [];
  for (const page of pages.candidates()) {
    const kind = pages.look(page);
    if (kind === ZERO) extend(zeros, page);
    if (kind !== CHANGED) continue;
    writer.add(page, pages.content);
    if (writer.isFull) yield pages.checked(writer.flush());
  }
  if (writer.hasPages) yield pages.checked(writer.flush());
  yield* writer.zeros(zeros);
  yield writer.end();
}

const SAME = 0;
const ZERO = 1; // was not zero in the base
const CHANGED = 2;

/** The pages of a snapshot, compared with those of its base. */
class Pages {
  content: Uint8Array = new Uint8Array();
  readonly #state: Exported;
  readonly #calls: KernelExports;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #table: number;
  readonly #baseTable: number;
  readonly #flags: readonly number[];
  readonly #old = new Int32Array(WORDS);

  constructor(state: Exported, calls: KernelExports, memory: Wasm.Memory) {
    const buffer = physicalBuffer(memory);
    const slots = state.base === undefined ? [state.slot] : [state.slot, state.base.slot];
    this.#state = state;
    this.#calls = calls;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    [this.#table, this.#baseTable] = [slots[0]!, slots.at(-1)!].map(
      (slot) => (calls.snapshotTable(slot) >>> 0) / 4,
    ) as [number, number];
    this.#flags = slots.map((slot) => (calls.snapshotBlock(slot) >>> 0) + SNAPSHOT_CHUNKS);
  }

  /** Pages that may differ from the base; without one, all. */
  *candidates(): Generator<number, void> {
    const { pages } = this.#state.header;
    const common = Math.min(this.#state.base?.pages ?? 0, pages);
    for (let first = 0; first < common; first += CHUNK_PAGES) {
      const chunk = first / CHUNK_PAGES;
      if (this.#flags.every((flags) => this.#bytes[flags + chunk] === 0)) continue;
      const end = Math.min(common, first + CHUNK_PAGES);
      for (let page = first; page < end; page++) if (this.#entry(page) !== 0) yield page;
    }
    for (let page = common; page < pages; page++) yield page;
    const { filePages } = this.#state.header;
    for (let page = pages; page < pages + filePages; page++)
      if (!this.#isInBase(page) || this.#entry(page) !== 0) yield page;
  }

  /** The page in memory that has this number in the state. */
  #place(page: number): number {
    const { header, filesEnd } = this.#state;
    return page < header.pages ? page : filesEnd - 1 - (page - header.pages);
  }

  #isInBase(page: number): boolean {
    const { base, header } = this.#state;
    if (base === undefined) return false;
    return page < header.pages ? page < base.pages : page - header.pages < base.filePages;
  }

  /** The page's entries, together. Fails with RZ_SNAPSHOT_LOST when the guest has forgotten the page. */
  #entry(page: number): number {
    const words = this.#words;
    const at = this.#place(page);
    const entry = Atomics.load(words, this.#table + at) | Atomics.load(words, this.#baseTable + at);
    if ((entry & ENTRY_FORGOTTEN) === 0) return entry;
    throw new RingzeroError(
      'RZ_SNAPSHOT_LOST',
      'the guest has forgotten pages of this snapshot (libdbos.forget), so it cannot be exported',
    );
  }

  /** What a page is compared with the base; `content` is valid until the next call. */
  look(page: number): number {
    const { base, slot } = this.#state;
    const isCompared = this.#isInBase(page);
    if (base !== undefined && isCompared) {
      const at = this.#stage(base.slot, page) / 4;
      this.#old.set(this.#words.subarray(at, at + WORDS));
    } else this.#entry(page);
    const staged = this.#stage(slot, page);
    this.content = this.#bytes.subarray(staged, staged + FRAME_BYTES);
    const words = this.#words;
    const from = staged / 4;
    let any = 0;
    let i = 0;
    if (!isCompared) {
      while (i < WORDS && words[from + i] === 0) i++;
      return i < WORDS ? CHANGED : SAME;
    }
    while (i < WORDS && words[from + i] === this.#old[i]) i++;
    if (i === WORDS) return SAME;
    for (i = 0; i < WORDS && any === 0; i++) any = words[from + i]!;
    return any === 0 ? ZERO : CHANGED;
  }

  #stage(slot: number, page: number): number {
    return this.#calls.readSnapshot(slot, this.#place(page) * FRAME_BYTES, FRAME_BYTES) >>> 0;
  }

  /** The part, unless the snapshots were lost while it was made. */
  checked(part: Uint8Array): Uint8Array {
    checkState(this.#calls, this.#state.slot);
    if (this.#state.base !== undefined) checkState(this.#calls, this.#state.base.slot);
    return part;
  }
}
