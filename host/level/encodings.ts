// Encodings of keys and values for the synchronous calls, which do without abstract-level's wrappers.
//
// Cost        Strings with the store's own encodings need no codec: level.ts tests hasTextKeys and
//             hasTextValues itself.

import { RingzeroError } from '../errors.ts';
import type { Operation } from './batch.ts';
import type { RingzeroOptions } from './options.ts';
import type { Data, Format } from './window.ts';

/**
 * Encodings of one synchronous call, as names or objects like abstract-level's; the store's own by default.
 *
 * @category Store
 */
export interface SyncOptions {
  keyEncoding?: unknown;
  valueEncoding?: unknown;
}

/**
 * One operation of batchSync().
 *
 * @category Store
 */
export type SyncOperation<K, V> = SyncOptions &
  ({ type: 'put'; key: K; value: V } | { type: 'del'; key: K; value?: undefined });

/** The part of an encoding of level-transcoder that is used. */
export interface Codec {
  readonly format: Format;
  encode(data: unknown): Data;
  decode(data: Data): unknown;
}

/** A database of abstract-level, which knows the encodings by name. */
interface Database {
  keyEncoding(encoding?: 'utf8'): unknown;
  valueEncoding(encoding?: 'utf8'): unknown;
}

export class Encodings<K, V> {
  readonly #db: Database;
  readonly #keys: Codec;
  readonly #values: Codec;
  /** Whether keys that are strings are stored as they are, without the codec. */
  readonly hasTextKeys: boolean;
  /** The same for values. */
  readonly hasTextValues: boolean;

  constructor(db: Database, options: RingzeroOptions<K, V> | undefined) {
    this.#db = db;
    this.#keys = db.keyEncoding() as Codec;
    this.#values = db.valueEncoding() as Codec;
    // A user's encoding may be called utf8, and is then found under that name.
    const isNamed = isName(options?.keyEncoding) && isName(options?.valueEncoding);
    this.hasTextKeys = isNamed && this.#keys === (db.keyEncoding('utf8') as Codec);
    this.hasTextValues = isNamed && this.#values === (db.valueEncoding('utf8') as Codec);
  }

  keyCodec(options?: SyncOptions): Codec {
    const encoding = options?.keyEncoding;
    if (encoding === undefined) return this.#keys;
    return this.#db.keyEncoding(encoding as 'utf8') as Codec;
  }

  valueCodec(options?: SyncOptions): Codec {
    const encoding = options?.valueEncoding;
    if (encoding === undefined) return this.#values;
    return this.#db.valueEncoding(encoding as 'utf8') as Codec;
  }

  /** Fails with LEVEL_INVALID_KEY for null and undefined. */
  key(key: unknown, options?: SyncOptions): Data {
    return encodeKey(this.keyCodec(options), key);
  }

  keys(keys: readonly unknown[], options?: SyncOptions): Data[] {
    const codec = this.keyCodec(options);
    return keys.map((key) => encodeKey(codec, key));
  }

  /** Fails with LEVEL_INVALID_VALUE for null and undefined. */
  value(value: unknown, options?: SyncOptions): Data {
    if (value === null || value === undefined)
      throw new RingzeroError('LEVEL_INVALID_VALUE', 'Value cannot be null or undefined');
    return this.valueCodec(options).encode(value);
  }

  /** The operation encoded; the same object if its key and value are strings that are stored as they are. */
  operation(operation: SyncOperation<K, V>, options: SyncOptions): Operation {
    const { type, key, value, keyEncoding, valueEncoding } = operation;
    const isPut = type === 'put';
    if (!isPut && type !== 'del') throw new TypeError("an operation's type must be 'put' or 'del'");
    if (
      options.keyEncoding === undefined &&
      options.valueEncoding === undefined &&
      keyEncoding === undefined &&
      valueEncoding === undefined &&
      this.hasTextKeys &&
      typeof key === 'string' &&
      (!isPut || (this.hasTextValues && typeof value === 'string'))
    )
      return operation as Operation;
    const data = this.key(key, keyEncoding === undefined ? options : operation);
    if (!isPut) return { type, key: data };
    const encoded = this.value(value, valueEncoding === undefined ? options : operation);
    return { type, key: data, value: encoded };
  }
}

function isName(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || typeof encoding === 'string';
}

function encodeKey(codec: Codec, key: unknown): Data {
  if (key === null || key === undefined)
    throw new RingzeroError('LEVEL_INVALID_KEY', 'Key cannot be null or undefined');
  return codec.encode(key);
}
