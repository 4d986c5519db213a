// States by name in a store, each page once however many states have it.
//
//   key (after the prefix and a zero byte)   value
//   p, 16 bytes of hash                      a page: 0 and its bytes, or 1 and its bytes compressed
//   c, 16 bytes of hash                      a chunk, in the same form: 1024 hashes of pages, zero = a zero page
//   s, name                                  a state: its header, registers, tables, and hashes of its chunks
//   i, 16 bytes of a state's id              its name, for deltas that build on it
//
// Invariants  STATES-1  What a state refers to is stored before the state, so a crash leaves at most pages
//                       that no state has, which collect() removes.
//             STATES-2  Two contents with one hash are an error, never one of them in place of the other.
// Concurrency One StateStore at a time changes what is under its prefix; its calls wait for each other.
// Cost        put: for each page of the stream two hashes, compression and a look-up, some 15 us. A state
//             takes 16 bytes per chunk of 4 MiB, and the pages and chunks that no other state has.

import { refuse, RingzeroError } from '../errors.ts';
import { loadCodec, type Codec } from '../vm/state/codec.ts';
import {
  encodeHeader,
  malformed,
  RECORD_PAGES,
  RECORD_REGISTERS,
  RECORD_TABLES,
  runsOf,
} from '../vm/state/format.ts';
import { readState, type State } from '../vm/state/read.ts';
import type { ByteStream, StateSource } from '../vm/state/source.ts';
import { encodeTables } from '../vm/state/tables.ts';
import { Writer } from '../vm/state/writer.ts';
import type { RingzeroLevel } from './level.ts';
import {
  Adder,
  CHUNK_BYTES,
  CHUNK_PAGES,
  decodeRoot,
  encodeRoot,
  HASH_BYTES,
  hashesIn,
  isZero,
  OPERATIONS_MAX,
  PAGE_BYTES,
  Pages,
  textOf,
  VIEW,
  ZERO_HASH,
  type Database,
  type Entry,
  type Root,
} from './state-content.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * States by name in a store. Pages that several states have are stored once, so a thousand states of a
 * program cost what changed between them.
 *
 * @category States
 * @example
 * const states = new StateStore(db);
 * const first = vm.snapshot();
 * await states.put('step 1', first.export());
 * exports.work();
 * await states.put('step 2', vm.snapshot().export({ since: first }));
 * const again = await MicroVM.restore(await states.get('step 1'), { guest });
 */
export class StateStore {
  readonly #db: Database;
  readonly #prefix: Uint8Array;
  /** The end of the last call that changes something. */
  #last: Promise<unknown> = Promise.resolve();

  /** Keys of the states begin with `prefix` and a zero byte (default `states`). `db` must be open. */
  constructor(db: RingzeroLevel<never, never> | RingzeroLevel, prefix = 'states') {
    if (typeof prefix !== 'string' || prefix === '' || prefix.includes('\0'))
      refuse('prefix', prefix, 'text without zero bytes');
    this.#db = db as Database;
    this.#prefix = encoder.encode(`${prefix}\0`);
  }

  /**
   * Stores a state, or replaces the one of that name. A delta needs the state that it builds on in the store,
   * under any name.
   *
   * @throws {@link RingzeroError} RZ_FORMAT, RZ_OPTION, and what the store throws
   */
  put(name: string, state: StateSource): Promise<void> {
    return this.#inTurn(async () => {
      const key = this.#nameKey(name);
      const codec = await loadCodec();
      this.#store(key, await readState(state, false, codec), codec);
    });
  }

  /**
   * The whole state of that name, as a stream for `restore`; undefined if there is none. The stream fails if
   * the state is deleted and collected before it has been read.
   */
  async get(name: string): Promise<ByteStream | undefined> {
    const key = this.#nameKey(name);
    const codec = await loadCodec();
    const root = this.#rootOf(key, codec);
    if (root === undefined) return undefined;
    const parts = this.#parts(root, codec);
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const { done, value } = parts.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
      },
      { highWaterMark: 0 },
    );
    return stream as ByteStream;
  }

  /** Whether there was a state of that name. Its pages stay until collect(). */
  delete(name: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const key = this.#nameKey(name);
      const root = this.#rootOf(key, await loadCodec());
      if (root === undefined) return false;
      this.#write([{ type: 'del', key }, ...this.#forgetId(root, key)]);
      return true;
    });
  }

  /** The names of all states, in order. */
  names(): string[] {
    const start = this.#prefix.length + 1;
    return [...this.#keys('s')].map((key) => decoder.decode(key.subarray(start)));
  }

  /** Removes pages and chunks that no state has; returns how many. */
  collect(): Promise<number> {
    return this.#inTurn(async () => {
      const codec = await loadCodec();
      const live = new Set<string>();
      for (const name of [...this.#keys('s')]) {
        const { chunks } = this.#rootOf(name, codec)!;
        for (const hash of hashesIn(chunks)) {
          const key = this.#hashKey('c', hash);
          if (live.has(textOf(key))) continue;
          live.add(textOf(key));
          for (const page of hashesIn(this.#content(key, CHUNK_BYTES, codec)))
            live.add(textOf(this.#hashKey('p', page)));
        }
      }
      let removed = 0;
      let batch: Entry[] = [];
      for (const kind of ['c', 'p'])
        for (const key of this.#keys(kind)) {
          if (live.has(textOf(key))) continue;
          removed++;
          batch.push({ type: 'del', key });
          if (batch.length === OPERATIONS_MAX) {
            this.#write(batch);
            batch = [];
          }
        }
      this.#write(batch);
      return removed;
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => {});
    return result;
  }

  #store(key: Uint8Array, state: State, codec: Codec): void {
    const { header, registers, tables, records } = state;
    if (header.filePages > 0)
      throw new RingzeroError(
        'RZ_OPTION',
        'the state has files in the VM, which a StateStore does not keep: store its stream as a value',
      );
    const base = header.base === undefined ? undefined : this.#baseOf(header.base, codec);
    const pages = new Pages(base?.chunks, header.pages, (hash) =>
      this.#content(this.#hashKey('c', hash), CHUNK_BYTES, codec),
    );
    const adder = new Adder(codec, (entries) => this.#write(entries), this.#db);
    for (const record of records) {
      const { runs, content } = runsOf(record, header, codec);
      const copy = record.kind === RECORD_PAGES ? content.slice() : undefined;
      let at = 0;
      for (const [first, count] of runs)
        for (let page = first; page < first + count; page++) {
          if (copy === undefined) pages.set(page, ZERO_HASH);
          else {
            const bytes = copy.subarray(at, (at += PAGE_BYTES));
            pages.set(
              page,
              adder.add((hash) => this.#hashKey('p', hash), bytes),
            );
          }
        }
    }
    const chunks = pages.finish((bytes) => adder.add((hash) => this.#hashKey('c', hash), bytes));
    const whole: Root = {
      header: { ...header, base: undefined },
      registers,
      tables: tables && encodeTables(tables),
      chunks,
    };
    const old = this.#rootOf(key, codec);
    adder.finish([
      ...(old === undefined ? [] : this.#forgetId(old, key)),
      { type: 'put', key, value: encodeRoot(whole, codec) },
      { type: 'put', key: this.#hashKey('i', header.id), value: key },
    ]);
  }

  #baseOf(id: Uint8Array, codec: Codec): Root {
    const key = this.#read(this.#hashKey('i', id));
    const root = key && this.#rootOf(key, codec);
    if (root !== undefined) return root;
    throw malformed('it is a delta, and the state that it builds on is not in the store');
  }

  /** Removes the entry of a state's id, unless another name has it by now. */
  #forgetId({ header }: Root, key: Uint8Array): Entry[] {
    const id = this.#hashKey('i', header.id);
    const owner = this.#read(id);
    return owner !== undefined && textOf(owner) === textOf(key) ? [{ type: 'del', key: id }] : [];
  }

  *#parts({ header, registers, tables, chunks }: Root, codec: Codec): Generator<Uint8Array, void> {
    const writer = new Writer(codec, true);
    yield encodeHeader(header, codec);
    yield* writer.content(RECORD_REGISTERS, registers);
    if (tables !== undefined) yield* writer.content(RECORD_TABLES, tables);
    for (let chunk = 0; chunk * HASH_BYTES < chunks.length; chunk++) {
      const hash = chunks.subarray(chunk * HASH_BYTES, (chunk + 1) * HASH_BYTES);
      if (isZero(hash)) continue;
      const pages = this.#content(this.#hashKey('c', hash), CHUNK_BYTES, codec);
      for (let i = 0; i < CHUNK_PAGES; i++) {
        const page = pages.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
        if (isZero(page)) continue;
        writer.add(
          chunk * CHUNK_PAGES + i,
          this.#content(this.#hashKey('p', page), PAGE_BYTES, codec),
        );
        if (writer.isFull) yield writer.flush();
      }
      if (writer.hasPages) yield writer.flush(); // other streams use the codec between two parts
    }
    yield writer.end();
  }

  #rootOf(key: Uint8Array, codec: Codec): Root | undefined {
    const value = this.#read(key);
    return value && decodeRoot(value, codec);
  }

  /** A copy of a page or a chunk. Fails with RZ_FORMAT when it is missing or damaged. */
  #content(key: Uint8Array, bytes: number, codec: Codec): Uint8Array {
    const value = this.#read(key);
    if (value?.[0] === 0 && value.length === bytes + 1) return value.slice(1);
    if (value?.[0] !== 1 || !codec.unpack(value.subarray(1), bytes))
      throw malformed('a page of it is not in the store');
    return codec.raw.slice(0, bytes);
  }

  #nameKey(name: string): Uint8Array {
    if (typeof name !== 'string' || name === '') refuse('name', name, 'a name');
    return this.#key('s', encoder.encode(name));
  }

  #hashKey(kind: string, hash: Uint8Array): Uint8Array {
    return this.#key(kind, hash);
  }

  #key(kind: string, rest: Uint8Array): Uint8Array {
    const key = new Uint8Array(this.#prefix.length + 1 + rest.length);
    key.set(this.#prefix);
    key[this.#prefix.length] = kind.charCodeAt(0);
    key.set(rest, this.#prefix.length + 1);
    return key;
  }

  *#keys(kind: string): Generator<Uint8Array, void> {
    const gte = this.#key(kind, new Uint8Array());
    const lt = gte.slice();
    lt[lt.length - 1]!++;
    const range = this.#db.rangeSync({ gte, lt, values: false, ...VIEW } as never);
    for (const [key] of range) yield (key as unknown as Uint8Array).slice();
  }

  #read(key: Uint8Array): Uint8Array | undefined {
    return this.#db.getSync(key as never, VIEW as never) as Uint8Array | undefined;
  }

  #write(entries: readonly Entry[]): void {
    if (entries.length > 0)
      this.#db.batchSync(entries.map((entry) => ({ ...entry, ...VIEW })) as never);
  }
}
