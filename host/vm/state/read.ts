// Reads streams of states, and checks them whole before anything is restored (STATE-1).

import { asBytes } from '../../bytes.ts';
import { refuse } from '../../errors.ts';
import type { TableState } from '../tables.ts';
import type { Codec } from './codec.ts';
import {
  contentOf,
  decodeHeader,
  decodeLengths,
  decodeRecord,
  runsOf,
  HEADER_BYTES,
  malformed,
  RECORD_BYTES,
  RECORD_END,
  RECORD_PAGES,
  RECORD_REGISTERS,
  RECORD_TABLES,
  RECORD_ZEROS,
  type Header,
  type StateRecord,
} from './format.ts';
import type { StateSource } from './source.ts';
import { decodeTables } from './tables.ts';

export interface State {
  readonly header: Header;
  readonly registers: Uint8Array;
  readonly tables: TableState | undefined;
  /** Records of pages and zeros, in the order of the stream. */
  readonly records: readonly StateRecord[];
}

/**
 * A whole state, and deltas that each build on the one before. With `isTrial`, pages are decompressed to see
 * that they can be, for a VM that must keep what it has otherwise. Fails with RZ_FORMAT, RZ_OPTION.
 */
export async function readStates(
  sources: StateSource | readonly StateSource[],
  isTrial: boolean,
  codec: Codec,
): Promise<State[]> {
  const list = Array.isArray(sources)
    ? (sources as readonly StateSource[])
    : [sources as StateSource];
  if (list.length === 0) refuse('state', 'an empty list', 'a state, and the deltas that follow it');
  const states: State[] = [];
  for (const source of list) {
    const state = await readState(source, isTrial, codec);
    const { base } = state.header;
    const before = states.at(-1)?.header.id;
    if (base === undefined ? before !== undefined : !isSame(base, before))
      throw malformed(
        before === undefined
          ? 'it is a delta: give the state that it builds on first'
          : `number ${states.length + 1} in the list does not build on the one before`,
      );
    if (before !== undefined && !isSameModule(state.header, states[0]!.header))
      throw malformed('it is of another module than the one before');
    states.push(state);
  }
  return states;
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.every((byte, i) => byte === b[i]);
}

function isSameModule({ module: a }: Header, { module: b }: Header): boolean {
  return a.bytes === b.bytes && a.xxh32 === b.xxh32;
}

/** One state, whole or a delta. Fails with RZ_FORMAT, RZ_OPTION. */
export async function readState(
  source: StateSource,
  isTrial: boolean,
  codec: Codec,
): Promise<State> {
  const input = new Input(partsOf(source));
  try {
    return await readFrom(input, isTrial, codec);
  } finally {
    input.close();
  }
}

async function readFrom(input: Input, isTrial: boolean, codec: Codec): Promise<State> {
  const header = decodeHeader(await input.take(HEADER_BYTES), codec);
  const registers: Uint8Array[] = [];
  const tables: Uint8Array[] = [];
  const records: StateRecord[] = [];
  let registerBytes = 0;
  for (let number = 0; ; number++) {
    const head = await input.take(RECORD_BYTES);
    const stored = await input.take(decodeLengths(head).stored);
    const record = decodeRecord(head, stored, number, codec);
    if (record.kind === RECORD_END) break;
    if (record.kind === RECORD_REGISTERS) {
      registerBytes += record.bytes;
      if (registerBytes > header.registerBytes) throw malformed('it has too many registers');
      registers.push(contentOf(record, codec).slice());
    } else if (record.kind === RECORD_TABLES) tables.push(contentOf(record, codec).slice());
    else if (record.kind === RECORD_PAGES || record.kind === RECORD_ZEROS) {
      if (isTrial) runsOf(record, header, codec);
      records.push(record);
    } else throw malformed(`record ${number} is of the unknown kind ${record.kind}`);
  }
  await input.end();
  const all = joined(registers);
  if (all.length !== header.registerBytes) throw malformed('its registers are incomplete');
  return {
    header,
    registers: all,
    tables: tables.length === 0 ? undefined : decodeTables(joined(tables)),
    records,
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

async function* partsOf(source: StateSource): AsyncGenerator<Uint8Array, void> {
  const bytes = asBytes(source);
  if (bytes !== undefined) return yield bytes;
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source)
      return yield* checkedParts(source as AsyncIterable<Uint8Array>);
    if ('getReader' in source)
      return yield* checkedParts(readAll(source as ReadableStream<Uint8Array>));
  }
  refuse('state', source, 'bytes, a ReadableStream of them, or a list of a state and its deltas');
}

/** Not every runtime can iterate over a ReadableStream. */
async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

async function* checkedParts(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const part of parts) {
    const bytes = asBytes(part);
    if (bytes === undefined) refuse('state', typeof part, 'a stream of bytes');
    yield bytes;
  }
}

/** Takes exact numbers of bytes from parts of any length. */
class Input {
  readonly #parts: AsyncGenerator<Uint8Array, void>;
  #part: Uint8Array = new Uint8Array();

  constructor(parts: AsyncGenerator<Uint8Array, void>) {
    this.#parts = parts;
  }

  /** A copy. Fails with RZ_FORMAT when the stream ends before. */
  async take(bytes: number): Promise<Uint8Array> {
    const taken = new Uint8Array(bytes);
    for (let done = 0; done < bytes;) {
      if (this.#part.length === 0) {
        const { value, done: isEnd } = await this.#parts.next();
        if (isEnd === true) throw malformed('it ends too soon');
        this.#part = value;
        continue;
      }
      const some = this.#part.subarray(0, bytes - done);
      taken.set(some, done);
      done += some.length;
      this.#part = this.#part.subarray(some.length);
    }
    return taken;
  }

  /** Fails with RZ_FORMAT unless nothing follows. */
  async end(): Promise<void> {
    while (this.#part.length === 0) {
      const { value, done: isEnd } = await this.#parts.next();
      if (isEnd === true) return;
      this.#part = value;
    }
    throw malformed('bytes follow its end');
  }

  /** Cancels a stream that has not been read to its end; how that goes does not matter any more. */
  close(): void {
    this.#parts.return().catch(() => {});
  }
}
