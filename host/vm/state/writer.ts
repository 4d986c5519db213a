// Makes the records of a state, in the codec's memory.

import { FRAME_BYTES } from '../../../assembly/abi/limits.ts';
import type { Codec } from './codec.ts';
import { encodeRecord, RECORD_END, RECORD_PAGES, RECORD_ZEROS, type Run } from './format.ts';

const PAGES_PER_RECORD = 256;
/** Where pages are gathered, behind the room for their runs. */
const PAGES_AT = 8192;
const RUNS_PER_RECORD = 65536;

/** Adds a page to ascending runs. */
export function extend(runs: [number, number][] | Run[], page: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last[0] + last[1] === page)
    runs[runs.length - 1] = [last[0], last[1] + 1];
  else runs.push([page, 1]);
}

export class Writer {
  readonly #codec: Codec;
  readonly #isPacked: boolean;
  #number = 0;
  #runs: Run[] = [];
  #pages = 0;

  constructor(codec: Codec, isPacked: boolean) {
    this.#codec = codec;
    this.#isPacked = isPacked;
  }

  #record(kind: number, bytes: number): Uint8Array {
    return encodeRecord(kind, this.#number++, bytes, this.#codec, this.#isPacked);
  }

  /** Content of any length, in as many records as it needs. */
  *content(kind: number, content: Uint8Array): Generator<Uint8Array, void> {
    const { raw } = this.#codec;
    for (let at = 0; at < content.length; at += raw.length) {
      const part = content.subarray(at, at + raw.length);
      raw.set(part);
      yield this.#record(kind, part.length);
    }
  }

  get hasPages(): boolean {
    return this.#pages > 0;
  }

  get isFull(): boolean {
    return this.#pages === PAGES_PER_RECORD;
  }

  /** The codec's memory is in use from the first page until flush(). */
  add(page: number, content: Uint8Array): void {
    this.#codec.raw.set(content, PAGES_AT + this.#pages++ * FRAME_BYTES);
    extend(this.#runs, page);
  }

  flush(): Uint8Array {
    const { raw } = this.#codec;
    const head = this.#putRuns(this.#runs);
    const end = PAGES_AT + this.#pages * FRAME_BYTES;
    raw.copyWithin(head, PAGES_AT, end);
    this.#runs = [];
    this.#pages = 0;
    return this.#record(RECORD_PAGES, head + end - PAGES_AT);
  }

  /** Pages that are zero now. */
  *zeros(runs: readonly Run[]): Generator<Uint8Array, void> {
    for (let i = 0; i < runs.length; i += RUNS_PER_RECORD) {
      const bytes = this.#putRuns(runs.slice(i, i + RUNS_PER_RECORD));
      yield this.#record(RECORD_ZEROS, bytes);
    }
  }

  /** Puts runs at the start of the codec's memory; returns their length in bytes. */
  #putRuns(runs: readonly Run[]): number {
    const { raw } = this.#codec;
    const view = new DataView(raw.buffer, raw.byteOffset);
    view.setUint32(0, runs.length, true);
    runs.forEach(([first, count], i) => {
      view.setUint32(4 + i * 8, first, true);
      view.setUint32(8 + i * 8, count, true);
    });
    return 4 + runs.length * 8;
  }

  end(): Uint8Array {
    return this.#record(RECORD_END, 0);
  }
}
