// What a StateStore keeps: pages and chunks by their hashes, and roots (state-store.ts).

import { RingzeroError } from '../errors.ts';
import type { Codec } from '../vm/state/codec.ts';
import {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  malformed,
  type Header,
} from '../vm/state/format.ts';
import type { RingzeroLevel } from './level.ts';

export const PAGE_BYTES = 4096;
export const HASH_BYTES = 16;
export const CHUNK_PAGES = 1024;
export const CHUNK_BYTES = CHUNK_PAGES * HASH_BYTES;
export const OPERATIONS_MAX = 256; // of a batch
export const VIEW = { keyEncoding: 'view', valueEncoding: 'view' } as const;
export const ZERO_HASH = new Uint8Array(HASH_BYTES);

export interface Root {
  readonly header: Header;
  readonly registers: Uint8Array;
  readonly tables: Uint8Array | undefined;
  /** Hashes of its chunks, one after the other; zero = 1024 zero pages. */
  readonly chunks: Uint8Array;
}

export interface Entry {
  readonly type: 'put' | 'del';
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
}

export type Database = Pick<RingzeroLevel, 'getSync' | 'batchSync' | 'rangeSync'>;

export const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
export const isZero = (hash: Uint8Array): boolean => hash.every((byte) => byte === 0);

export function* hashesIn(hashes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; at < hashes.length; at += HASH_BYTES) {
    const hash = hashes.subarray(at, at + HASH_BYTES);
    if (!isZero(hash)) yield hash;
  }
}

/** Stores contents by their hashes, in batches. */
export class Adder {
  readonly #codec: Codec;
  readonly #write: (entries: readonly Entry[]) => void;
  readonly #db: Database;
  readonly #waiting = new Map<string, Entry>();

  constructor(codec: Codec, write: (entries: readonly Entry[]) => void, db: Database) {
    this.#codec = codec;
    this.#write = write;
    this.#db = db;
  }

  /** Stores a content if it is new; returns its hash. */
  add(keyOf: (hash: Uint8Array) => Uint8Array, content: Uint8Array): Uint8Array {
    const hash = hashOf(content, this.#codec);
    const key = keyOf(hash);
    const text = textOf(key);
    this.#codec.raw.set(content);
    const packed = this.#codec.pack(content.length);
    const value = new Uint8Array(1 + (packed ?? content).length);
    value[0] = packed === undefined ? 0 : 1;
    value.set(packed ?? content, 1);
    const old =
      this.#waiting.get(text)?.value ??
      (this.#db.getSync(key as never, VIEW as never) as Uint8Array | undefined);
    if (old === undefined) {
      this.#waiting.set(text, { type: 'put', key, value });
      if (this.#waiting.size === OPERATIONS_MAX) this.#flush();
    } else if (old.length !== value.length || old.some((byte, i) => byte !== value[i]))
      throw new RingzeroError('RZ_FORMAT', 'two pages have one hash: the state cannot be stored');
    return hash;
  }

  #flush(): void {
    this.#write([...this.#waiting.values()]);
    this.#waiting.clear();
  }

  /** Stores what waits, then the last entries. */
  finish(last: readonly Entry[]): void {
    this.#flush();
    this.#write(last);
  }
}

function hashOf(content: Uint8Array, codec: Codec): Uint8Array {
  const hash = new Uint8Array(HASH_BYTES);
  const view = new DataView(hash.buffer);
  view.setBigUint64(0, codec.hash(content, 0n), true);
  view.setBigUint64(8, codec.hash(content, 1n), true);
  if (isZero(hash)) hash[0] = 1; // zero stands for zero pages
  return hash;
}

/** The hashes of a state's pages, in chunks that are loaded when they change. */
export class Pages {
  readonly #hashes: Uint8Array;
  readonly #pages: number;
  readonly #load: (hash: Uint8Array) => Uint8Array;
  readonly #changed = new Map<number, Uint8Array>();

  constructor(base: Uint8Array | undefined, pages: number, load: (hash: Uint8Array) => Uint8Array) {
    this.#hashes = new Uint8Array(Math.ceil(pages / CHUNK_PAGES) * HASH_BYTES);
    if (base !== undefined) this.#hashes.set(base.subarray(0, this.#hashes.length));
    this.#pages = pages;
    this.#load = load;
    const rest = pages % CHUNK_PAGES;
    if (rest !== 0 && base !== undefined && base.length >= this.#hashes.length)
      this.#chunk(Math.floor(pages / CHUNK_PAGES)).fill(0, rest * HASH_BYTES); // memory may have shrunk
  }

  #chunk(number: number): Uint8Array {
    let chunk = this.#changed.get(number);
    if (chunk === undefined) {
      const hash = this.#hashes.subarray(number * HASH_BYTES, (number + 1) * HASH_BYTES);
      chunk = isZero(hash) ? new Uint8Array(CHUNK_BYTES) : this.#load(hash);
      this.#changed.set(number, chunk);
    }
    return chunk;
  }

  set(page: number, hash: Uint8Array): void {
    if (page >= this.#pages) return;
    this.#chunk(Math.floor(page / CHUNK_PAGES)).set(hash, (page % CHUNK_PAGES) * HASH_BYTES);
  }

  /** Stores the changed chunks with `add`; returns the hashes of all. */
  finish(add: (chunk: Uint8Array) => Uint8Array): Uint8Array {
    for (const [number, chunk] of this.#changed)
      this.#hashes.set(isZero(chunk) ? ZERO_HASH : add(chunk), number * HASH_BYTES);
    return this.#hashes;
  }
}

/** Header, then lengths and bytes of registers, tables (0xffffffff = none) and chunks. */
export function encodeRoot({ header, registers, tables, chunks }: Root, codec: Codec): Uint8Array {
  const parts = [registers, tables, chunks];
  const bytes = parts.reduce((sum, part) => sum + 4 + (part?.length ?? 0), HEADER_BYTES);
  const root = new Uint8Array(bytes);
  const view = new DataView(root.buffer);
  root.set(encodeHeader(header, codec));
  let at = HEADER_BYTES;
  for (const part of parts) {
    view.setUint32(at, part?.length ?? 0xffffffff, true);
    if (part !== undefined) root.set(part, at + 4);
    at += 4 + (part?.length ?? 0);
  }
  return root;
}

export function decodeRoot(root: Uint8Array, codec: Codec): Root {
  const header = decodeHeader(root.subarray(0, HEADER_BYTES), codec);
  const view = new DataView(root.buffer, root.byteOffset, root.length);
  let at = HEADER_BYTES;
  const part = (): Uint8Array | undefined => {
    if (at + 4 > root.length) throw malformed('its entry is cut off');
    const length = view.getUint32(at, true);
    at += 4;
    if (length === 0xffffffff) return undefined;
    if (at + length > root.length) throw malformed('its entry is cut off');
    return root.slice(at, (at += length));
  };
  const [registers, tables, chunks] = [part(), part(), part()];
  if (registers === undefined || chunks === undefined) throw malformed('its entry is cut off');
  return { header, registers, tables, chunks };
}
