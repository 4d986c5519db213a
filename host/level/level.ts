// The store as an abstract-level database, and the synchronous calls that it has besides.
//
// Interface   RingzeroLevel(location, options) as every implementation of abstract-level; attach(handle) in other threads of the process.
//             get, put, del, batch, iterators and the rest are abstract-level's; what ends in Sync, and getInto(), returns at once.
// Concurrency Every call does its work before it returns, on the calling thread: promises are there for the interface's sake, and a
//             page that is not in memory is read meanwhile.

import {
  AbstractLevel,
  type AbstractBatchOperation,
  type AbstractBatchOptions,
  type AbstractChainedBatch,
  type AbstractDatabaseOptions,
  type AbstractDelOptions,
  type AbstractGetOptions,
  type AbstractIterator,
  type AbstractKeyIterator,
  type AbstractOpenOptions,
  type AbstractPutOptions,
  type AbstractValueIterator,
} from 'abstract-level';
import { hasBuffers } from '#platform/text';
import * as kv from '../../assembly/abi/kv.ts';
import { atTurnEnd } from '#platform';
import { RingzeroError } from '../errors.ts';
import { Cursor, PIECE_MAX } from './cursor.ts';
import {
  RingzeroIterator,
  RingzeroKeyIterator,
  RingzeroValueIterator,
  type RangeOptions,
} from './iterator.ts';
import { checkLocation, checkStoreOptions, isEmptySync, type RingzeroOptions } from './options.ts';
import type { Operation } from './batch.ts';
import type { Operations } from './operations.ts';
import {
  explainCalls,
  explainDeferred,
  explainIterator,
  failureOf,
  notOpenBecause,
  stopExplaining,
} from './open-failure.ts';
import { range, type SyncRangeOptions } from './range.ts';
import { RingzeroSublevel } from './sublevel.ts';
import { HEAVY, isDue, nextTurn } from './turns.ts';
import type { Udf } from '../udf/udf.ts';
import { exposition, metricsOf } from '../vm/stats.ts';
import { Store, type RingzeroHandle } from './store.ts';
import type { Data, Format } from './window.ts';

const MANIFEST = {
  encodings: { utf8: true, buffer: hasBuffers, view: true },
  has: true,
  getSync: true,
  seek: true,
  permanence: true,
  createIfMissing: true,
  errorIfExists: true,
  implicitSnapshots: false,
  explicitSnapshots: false,
  signals: { iterators: true },
  additionalMethods: {
    sync: true,
    getInto: true,
    getManySync: true,
    putSync: true,
    delSync: true,
    batchSync: true,
    rangeSync: true,
    filterSync: true,
    stats: true,
    metrics: true,
  },
};

/** Numbers of a store: of now, except that reads, writes and evictions count since it was opened. Pages are 4 KiB. */
export interface StoreStats {
  entries: number;
  pages: number;
  height: number;
  poolPages: number;
  pagesRead: number;
  pagesWritten: number;
  evictions: number;
  /** Of a durable store: bytes logged, and checkpoints made, since it was opened. */
  logBytes: number;
  checkpoints: number;
}

/** Encodings of one synchronous call, names or objects as abstract-level takes them; the store's own by default. */
export interface SyncOptions {
  keyEncoding?: unknown;
  valueEncoding?: unknown;
}

/** Of a change, promised or synchronous. */
export interface WriteOptions {
  /**
   * Returns when the device has the change, and every one before it. A store with `durable: false` writes all its pages for that, and is
   * refused all the same if it is not closed.
   */
  sync?: boolean | undefined;
}

/** One operation of batchSync(). */
export type SyncOperation<K, V> = SyncOptions &
  ({ type: 'put'; key: K; value: V } | { type: 'del'; key: K; value?: undefined });

interface FormatOptions {
  keyEncoding: Format;
  valueEncoding: Format;
}

/** What is used of an encoding of level-transcoder. */
export interface Codec {
  readonly format: Format;
  encode(data: unknown): Data;
  decode(data: Data): unknown;
}

/** A store as an abstract-level database. The calls that end in `Sync`, and `getInto`, return at once; the others are abstract-level's. */
export class RingzeroLevel<K = string, V = string> extends AbstractLevel<Data, K, V> {
  /** The directory. */
  readonly location: string;
  readonly #handle: RingzeroHandle | undefined;
  readonly #keys: Codec;
  readonly #values: Codec;
  /** Keys, values that are strings are what the store takes and gives, without the codec. */
  readonly #hasTextKeys: boolean;
  readonly #hasTextValues: boolean;
  #store: Store | undefined;
  #operations: Operations | undefined;
  /** Promised syncs of this turn wait for the device together. */
  #syncing: Promise<void> | undefined;
  #syncNow: (() => void) | undefined;

  /**
   * A store in the directory `location`. It opens by itself at the next turn, or with open(). If that fails, open() and every later call
   * fail with LEVEL_DATABASE_NOT_OPEN and as the `cause` what was wrong: LEVEL_LOCKED, RZ_NOT_CLEAN, LEVEL_CORRUPTION, RZ_FORMAT, LEVEL_IO_ERROR,
   * RZ_OUT_OF_MEMORY. Throws RZ_OPTION.
   *
   * @example
   * const db = new RingzeroLevel('./people', { valueEncoding: 'json' });
   * await db.put('ada', { born: 1815 });
   * for await (const [name, person] of db.iterator({ gte: 'a', lt: 'b' })) console.log(name, person.born);
   * await db.close();
   */
  constructor(location: string, options?: RingzeroOptions<K, V>) {
    super(MANIFEST, options as AbstractDatabaseOptions<K, V>);
    this.location = checkLocation(location);
    checkStoreOptions(options);
    this.#keys = this.keyEncoding() as unknown as Codec;
    this.#values = this.valueEncoding() as unknown as Codec;
    // An encoding of the user's may call itself utf8 and is then found by that name.
    const isNamed = isName(options?.keyEncoding) && isName(options?.valueEncoding);
    this.#hasTextKeys = isNamed && this.#keys === (this.keyEncoding('utf8') as unknown as Codec);
    this.#hasTextValues =
      isNamed && this.#values === (this.valueEncoding('utf8') as unknown as Codec);
    this.#handle = handed;
    handed = undefined;
  }

  /**
   * The same store in another thread of the process: post it `db.handle`. Its calls fail with LEVEL_DATABASE_NOT_OPEN once the thread that
   * opened the store has closed it.
   *
   * @example
   * new Worker(url, { workerData: db.handle });                    // there:
   * const db = RingzeroLevel.attach(workerData);
   */
  static attach<K = string, V = string>(
    handle: RingzeroHandle,
    options?: AbstractDatabaseOptions<K, V>,
  ): RingzeroLevel<K, V> {
    handed = handle;
    try {
      return new RingzeroLevel<K, V>(handle.location, options);
    } finally {
      handed = undefined;
    }
  }

  /** Removes a store that nobody has open, with everything in it. Does nothing when there is none. */
  static async destroy(location: string): Promise<void> {
    await Store.destroy(checkLocation(location));
  }

  /** Rejects: a durable store repairs itself when it is opened, another cannot be repaired. */
  static async repair(location: string): Promise<void> {
    throw new RingzeroError(
      'LEVEL_NOT_SUPPORTED',
      `a store that was not closed repairs itself when it is opened, if it was \`durable\`; otherwise take ${checkLocation(location)} from a backup`,
    );
  }

  /** For RingzeroLevel.attach() in other threads of this process; the store must be open. */
  get handle(): RingzeroHandle {
    if (this.#store === undefined) throw this.#notOpen();
    return this.#store.share();
  }

  // --- what abstract-level asks for ------------------------------------------------------------------------------

  protected async _open(options: AbstractOpenOptions & RingzeroOptions<K, V>): Promise<void> {
    try {
      this.#store = await this.#opened(options);
    } catch (error) {
      explainCalls(this, error as Error);
      throw error;
    }
    this.#operations = this.#store.operations;
    stopExplaining(this);
  }

  #opened(options: AbstractOpenOptions & RingzeroOptions<K, V>): Promise<Store> {
    const { createIfMissing = true, errorIfExists = false } = options;
    if (this.#handle !== undefined) return Store.attach(this.#handle);
    return Store.create(this.location, {
      ...checkStoreOptions(options),
      createIfMissing,
      errorIfExists,
    });
  }

  protected async _close(): Promise<void> {
    this.#syncNow?.();
    await this.#store!.close();
    this.#store = undefined;
    this.#operations = undefined;
  }

  protected async _get(key: Data, options: FormatOptions): Promise<Data | undefined> {
    const value = this.#open.get(key, options.valueEncoding);
    if (isDue()) await nextTurn();
    return value;
  }
  protected _getSync(key: Data, options: FormatOptions): Data | undefined {
    return this.#open.get(key, options.valueEncoding);
  }
  protected async _getMany(keys: Data[], options: FormatOptions): Promise<(Data | undefined)[]> {
    const values = this.#open.getMany(keys, options.valueEncoding);
    if (isDue(HEAVY)) await nextTurn();
    return values;
  }
  protected async _has(key: Data): Promise<boolean> {
    const has = this.#open.has(key);
    if (isDue()) await nextTurn();
    return has;
  }
  protected async _hasMany(keys: Data[]): Promise<boolean[]> {
    const has = keys.map((key) => this.#open.has(key));
    if (isDue(HEAVY)) await nextTurn();
    return has;
  }
  protected async _put(key: Data, value: Data, options: WriteOptions): Promise<void> {
    if (options.sync === true) return this.#changeAndSync([{ type: 'put', key, value }]);
    this.#open.put(key, value);
    if (isDue()) await nextTurn();
  }
  protected async _del(key: Data, options: WriteOptions): Promise<void> {
    if (options.sync === true) return this.#changeAndSync([{ type: 'del', key }]);
    this.#open.del(key);
    if (isDue()) await nextTurn();
  }
  protected async _batch(operations: readonly Operation[], options: WriteOptions): Promise<void> {
    if (options.sync === true) return this.#changeAndSync(operations);
    this.#open.batch(operations);
    if (isDue(HEAVY)) await nextTurn();
  }

  #changeAndSync(operations: readonly Operation[]): Promise<void> {
    this.#open.batch(operations, true);
    return this.#synced();
  }

  /** The device has every change of this moment when it resolves. */
  #synced(): Promise<void> {
    const open = this.#open;
    this.#syncing ??= new Promise((resolve, reject) => {
      const sync = (): void => {
        if (this.#syncNow !== sync) return; // close() has come first
        this.#syncNow = undefined;
        this.#syncing = undefined;
        try {
          open.sync(true);
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      this.#syncNow = sync;
      atTurnEnd(sync);
    });
    return this.#syncing;
  }

  /** Not atomic: readers may see a part of the range gone. A close() waits for its end. */
  protected async _clear(options: RangeOptions & WriteOptions): Promise<void> {
    const clearing = this.#clearAll(this.#open, options);
    const close = (): Promise<void> => clearing.catch(() => {});
    const resource = { close, [Symbol.asyncDispose]: close };
    this.attachResource(resource);
    try {
      await clearing;
    } finally {
      this.detachResource(resource);
    }
    if (options.sync === true) await this.#synced();
  }

  async #clearAll(open: Operations, options: RangeOptions): Promise<void> {
    const shape = { keys: true, values: false, keyFormat: 'view', valueFormat: 'view' } as const;
    const { limit } = options;
    const cursor = new Cursor(open, options, shape, limit < 0 ? Infinity : limit);
    if (limit < 0) {
      while (cursor.clearSome()) if (isDue(HEAVY)) await nextTurn();
      return;
    }
    for (let entries = cursor.next(PIECE_MAX); entries.length > 0;) {
      for (const [key] of entries) open.del(key!);
      if (isDue(HEAVY)) await nextTurn();
      entries = cursor.next(PIECE_MAX);
    }
  }

  protected _sublevel(name: string | string[], options: object): RingzeroSublevel<K, V> {
    return new RingzeroSublevel<K, V>(this as never, name as string, options);
  }

  protected _iterator(options: RangeOptions): RingzeroIterator<K, V> {
    return new RingzeroIterator(this, this.#open, options);
  }
  protected _keys(options: RangeOptions): RingzeroKeyIterator<K, V> {
    return new RingzeroKeyIterator(this, this.#open, options);
  }
  protected _values(options: RangeOptions): RingzeroValueIterator<K, V> {
    return new RingzeroValueIterator(this, this.#open, options);
  }

  // As abstract-level's, with `sync` among the options.

  /** Sets the value of a key. */
  override put(key: K, value: V): Promise<void>;
  /** The same; with `sync`, resolves when it is durable, and every change before it. */
  override put<OtherK = K, OtherV = V>(
    key: OtherK,
    value: OtherV,
    options: AbstractPutOptions<OtherK, OtherV> & WriteOptions,
  ): Promise<void>;
  override put(key: K, value: V, options?: AbstractPutOptions<K, V>): Promise<void> {
    return super.put(key, value, options!);
  }

  /** Removes a key, if it is there. */
  override del(key: K): Promise<void>;
  /** The same; with `sync`, resolves when it is durable, and every change before it. */
  override del<OtherK = K>(
    key: OtherK,
    options: AbstractDelOptions<OtherK> & WriteOptions,
  ): Promise<void>;
  override del(key: K, options?: AbstractDelOptions<K>): Promise<void> {
    return super.del(key, options!);
  }

  /** All of the operations or none: for readers, when storage fails, and after a crash. */
  override batch(operations: AbstractBatchOperation<this, K, V>[]): Promise<void>;
  /** The same; with `sync`, resolves when it is durable, and every change before it. */
  override batch<OtherK = K, OtherV = V>(
    operations: AbstractBatchOperation<this, OtherK, OtherV>[],
    options: AbstractBatchOptions<OtherK, OtherV> & WriteOptions,
  ): Promise<void>;
  /** A batch that is put together call by call. */
  override batch(): AbstractChainedBatch<this, K, V>;
  override batch(...call: unknown[]): Promise<void> | AbstractChainedBatch<this, K, V> {
    if (isEmptySync(call)) return this.sync();
    if (this.status === 'open') return super.batch(...(call as []));
    return explainDeferred(this, () => super.batch(...(call as [])));
  }

  /** Resolves when the device has every change that was made before, by any thread. */
  async sync(): Promise<void> {
    if (this.status === 'opening') return this.deferAsync(() => this.sync());
    return this.#synced();
  }

  override iterator(...call: unknown[]): AbstractIterator<this, K, V> {
    return this.#explainable(super.iterator(...(call as [])));
  }
  override keys(...call: unknown[]): AbstractKeyIterator<this, K> {
    return this.#explainable(super.keys(...(call as [])));
  }
  override values(...call: unknown[]): AbstractValueIterator<this, K, V> {
    return this.#explainable(super.values(...(call as [])));
  }

  #explainable<T extends object>(iterator: T): T {
    return this.status === 'open' ? iterator : explainIterator(iterator, this);
  }

  /** As abstract-level's, without looking up what the store's own encodings do: nothing. */
  override getSync(key: K): V | undefined;
  override getSync<OtherK = K, OtherV = V>(
    key: OtherK,
    options: AbstractGetOptions<OtherK, OtherV>,
  ): OtherV | undefined;
  override getSync(key: K, options?: AbstractGetOptions<K, V>): V | undefined {
    const operations = this.#operations;
    if (
      options === undefined &&
      this.#hasTextValues &&
      this.#hasTextKeys &&
      typeof key === 'string' &&
      operations !== undefined &&
      this.status === 'open'
    )
      return operations.get(key, 'utf8') as V | undefined;
    return super.getSync(key, options!);
  }

  // --- at once ---------------------------------------------------------------------------------------------------
  // No hooks, no events, no deferring: the store must be open.

  /**
   * Copies the value's bytes into `target` and returns its length, -1 when there is no such key. A value longer than `target` is cut off,
   * and the length returned is its whole length. Fails with RZ_OPTION when the elements of `target` are no bytes.
   */
  getInto(key: K, target: Uint8Array): number {
    if (target.BYTES_PER_ELEMENT !== 1) throw new RingzeroError('RZ_OPTION', 'the target of getInto() is no array of bytes'); // prettier-ignore
    const data = typeof key === 'string' && this.#hasTextKeys ? key : encodeKey(this.#keys, key);
    return this.#open.getInto(data, target);
  }

  /** Values in the order of the keys, undefined where there is none. */
  getManySync(keys: readonly K[], options?: SyncOptions): (V | undefined)[] {
    const codec = this.#keyCodec(options);
    const valueCodec = this.#valueCodec(options);
    const encoded = keys.map((key) => encodeKey(codec, key));
    const values = this.#open.getMany(encoded, valueCodec.format);
    return values.map((value) =>
      value === undefined ? undefined : (valueCodec.decode(value) as V),
    );
  }

  /** Sets the value of a key, now. */
  putSync(key: K, value: V, options?: SyncOptions & WriteOptions): void {
    const operations = this.#operations;
    if (
      options === undefined &&
      this.#hasTextValues &&
      this.#hasTextKeys &&
      typeof key === 'string' &&
      typeof value === 'string' &&
      operations !== undefined &&
      this.status === 'open'
    )
      return operations.put(key, value);
    const data = encodeValue(this.#valueCodec(options), value);
    const encoded = encodeKey(this.#keyCodec(options), key);
    if (options?.sync === true) this.#changeNow([{ type: 'put', key: encoded, value: data }]);
    else this.#open.put(encoded, data);
  }

  /** Removes a key, if it is there, now. */
  delSync(key: K, options: SyncOptions & WriteOptions = {}): void {
    const encoded = encodeKey(this.#keyCodec(options), key);
    if (options.sync === true) this.#changeNow([{ type: 'del', key: encoded }]);
    else this.#open.del(encoded);
  }

  /** All of the operations, or none as far as readers can see. With none, and `sync`, waits for all that was changed before. */
  batchSync(
    operations: readonly SyncOperation<K, V>[],
    options: SyncOptions & WriteOptions = {},
  ): void {
    const encoded = operations.map((operation) => this.#encoded(operation, options));
    if (options.sync === true) this.#changeNow(encoded);
    else this.#open.batch(encoded);
  }

  /** The device has it, and everything before it, on return. */
  #changeNow(operations: readonly Operation[]): void {
    const open = this.#open;
    open.batch(operations, true);
    open.sync(operations.length === 0);
  }

  /** An operation as the store takes it: itself, when its key and value are strings that are kept as such. */
  #encoded(operation: SyncOperation<K, V>, options: SyncOptions): Operation {
    const { type, key, value, keyEncoding, valueEncoding } = operation;
    const isPut = type === 'put';
    if (!isPut && type !== 'del') throw new TypeError("an operation's type must be 'put' or 'del'");
    if (
      options.keyEncoding === undefined &&
      options.valueEncoding === undefined &&
      keyEncoding === undefined &&
      valueEncoding === undefined &&
      this.#hasTextKeys &&
      typeof key === 'string' &&
      (!isPut || (this.#hasTextValues && typeof value === 'string'))
    )
      return operation as Operation;
    const keyCodec = this.#keyCodec(keyEncoding === undefined ? options : operation);
    const data = encodeKey(keyCodec, key);
    if (!isPut) return { type, key: data };
    const valueCodec = this.#valueCodec(valueEncoding === undefined ? options : operation);
    return { type, key: data, value: encodeValue(valueCodec, value) };
  }

  /**
   * The entries of a range, in order, to be looped over once; options as of iterator(). Read in pieces as the loop goes on.
   *
   * @example
   * for (const [key, value] of db.rangeSync({ gte: 'a', lt: 'b', limit: 100 })) console.log(key, value);
   */
  rangeSync(options: SyncRangeOptions<K> = {}): IterableIterator<[K, V]> {
    return range(this.#open, options, this.#keyCodec(options), this.#valueCodec(options));
  }

  /**
   * The entries of a range for whose values, as bytes, the function answers with another number than 0; `limit` counts these. Options as of
   * rangeSync(). Throws what Udf.call() throws: the entries of that piece are not given then, and the store goes on.
   *
   * @example
   * const isLong = Udf.compile(readFileSync('is-long.wasm'));
   * for (const [key, value] of db.filterSync(isLong, { limit: 10 })) console.log(key, value);
   */
  filterSync(udf: Udf, options: SyncRangeOptions<K> = {}): IterableIterator<[K, V]> {
    if (udf.result !== 'number')
      throw new RingzeroError('RZ_OPTION', 'a filter is a function that answers with a number');
    const filter = (bytes: Uint8Array, start: number, end: number): boolean =>
      udf.callAt(bytes, start, end) !== 0;
    const [keys, values] = [this.#keyCodec(options), this.#valueCodec(options)];
    return range(this.#open, options, keys, values, filter);
  }

  /** What the store holds and what its pool does, now. */
  stats(): StoreStats {
    const { guest } = this.#open;
    const read = (which: number): number => guest.call(0, () => guest.exports.stat(which));
    return {
      entries: read(kv.KV_ENTRIES),
      pages: read(kv.KV_PAGES_USED),
      height: read(kv.KV_HEIGHT),
      poolPages: read(kv.KV_POOL_FRAMES),
      pagesRead: read(kv.KV_FAULTS),
      pagesWritten: read(kv.KV_WRITES),
      evictions: read(kv.KV_EVICTIONS),
      logBytes: read(kv.KV_LOG_BYTES),
      checkpoints: read(kv.KV_CHECKPOINTS),
    };
  }

  /**
   * The same numbers, and those of the VM, in the text format of Prometheus: for an endpoint of yours.
   *
   * @example
   * createServer((_, response) => response.end(db.metrics())).listen(9121);
   */
  metrics(): string {
    const { entries, pages, height } = this.stats();
    return exposition([
      ...metricsOf(this.#store!.stats()),
      { name: 'ringzero_store_entries', help: 'Entries of the store.', value: entries },
      { name: 'ringzero_store_pages', help: 'Pages of the file in use.', value: pages },
      { name: 'ringzero_store_height', help: 'Levels of the tree.', value: height },
    ]);
  }

  /** Walks the whole store: true when every page and every entry is in its place. No other thread may use it meanwhile. */
  verifySync(): boolean {
    const { guest } = this.#open;
    return guest.call(0, () => guest.exports.verify()) === 0;
  }

  get #open(): Operations {
    if (this.#operations === undefined || this.status !== 'open') throw this.#notOpen();
    return this.#operations;
  }

  #notOpen(): RingzeroError {
    const failure = failureOf(this);
    return failure === undefined ? notOpenYet() : notOpenBecause('the store is not open', failure);
  }

  #keyCodec(options: SyncOptions | undefined): Codec {
    const encoding = options?.keyEncoding;
    return encoding === undefined
      ? this.#keys
      : (this.keyEncoding(encoding as 'utf8') as unknown as Codec);
  }

  #valueCodec(options: SyncOptions | undefined): Codec {
    const encoding = options?.valueEncoding;
    return encoding === undefined
      ? this.#values
      : (this.valueEncoding(encoding as 'utf8') as unknown as Codec);
  }
}

/** The handle on its way from attach() to the constructor. */
let handed: RingzeroHandle | undefined;

function isName(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || typeof encoding === 'string';
}

function encodeKey(codec: Codec, key: unknown): Data {
  if (key === null || key === undefined)
    throw new RingzeroError('LEVEL_INVALID_KEY', 'Key cannot be null or undefined');
  return codec.encode(key);
}

function encodeValue(codec: Codec, value: unknown): Data {
  if (value === null || value === undefined)
    throw new RingzeroError('LEVEL_INVALID_VALUE', 'Value cannot be null or undefined');
  return codec.encode(value);
}

function notOpenYet(): RingzeroError {
  return new RingzeroError(
    'LEVEL_DATABASE_NOT_OPEN',
    'the store is not open: `await db.open()` comes before synchronous calls',
  );
}
