// The store as an abstract-level database with additional synchronous calls.
//
// Interface   RingzeroLevel(location, options), like every implementation of abstract-level; attach(handle)
//             in other threads of the process. get, put, del, batch, iterators and the rest are
//             abstract-level's; calls that end in Sync, and getInto(), are synchronous.
// Concurrency Every call does its work on the calling thread before it returns, including reads of pages that
//             are not in memory. Promises only wrap the result.

import type {
  AbstractBatchOperation,
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractGetOptions,
  AbstractIterator,
  AbstractKeyIterator,
  AbstractPutOptions,
  AbstractValueIterator,
} from 'abstract-level';
import { RingzeroError } from '../errors.ts';
import type { Udf } from '../udf/udf.ts';
import type { Operation } from './batch.ts';
import { LevelDatabase } from './database.ts';
import { Encodings, type Codec, type SyncOperation, type SyncOptions } from './encodings.ts';
import { explainDeferred, explainIterator } from './open-failure.ts';
import { checkLocation, isEmptySync, type RingzeroOptions, type WriteOptions } from './options.ts';
import { range, type SyncRangeOptions } from './range.ts';
import { expositionOf, statsOf, type StoreStats } from './stats.ts';
import { Store, type RingzeroHandle } from './store.ts';

/**
 * A store as an abstract-level database. Calls that end in `Sync`, and `getInto`, are synchronous; the others
 * are abstract-level's.
 *
 * @category Store
 */
export class RingzeroLevel<K = string, V = string> extends LevelDatabase<K, V> {
  readonly #encodings: Encodings<K, V>;
  readonly #hasTextKeys: boolean;
  readonly #hasTextValues: boolean;

  /**
   * A store in the directory `location`. It opens automatically in the next turn, or with open(). If that
   * fails, open() and every later call fail with LEVEL_DATABASE_NOT_OPEN, and `cause` has the reason:
   * LEVEL_LOCKED, RZ_NOT_CLEAN, LEVEL_CORRUPTION, RZ_FORMAT, LEVEL_IO_ERROR, RZ_OUT_OF_MEMORY. Throws
   * RZ_OPTION.
   *
   * @example
   * const db = new RingzeroLevel('./people', { valueEncoding: 'json' });
   * await db.put('ada', { born: 1815 });
   * for await (const [name, person] of db.iterator({ gte: 'a', lt: 'b' })) console.log(name, person.born);
   * await db.close();
   */
  constructor(location: string, options?: RingzeroOptions<K, V>) {
    super(location, options, handed);
    handed = undefined;
    this.#encodings = new Encodings<K, V>(this, options);
    this.#hasTextKeys = this.#encodings.hasTextKeys;
    this.#hasTextValues = this.#encodings.hasTextValues;
  }

  /**
   * Opens the same store in another thread of the process, which gets `db.handle` in a message. Calls fail
   * with LEVEL_DATABASE_NOT_OPEN after the thread that opened the store has closed it.
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

  /** Deletes a store that is not open, with everything in it. Does nothing when there is none. */
  static async destroy(location: string): Promise<void> {
    await Store.destroy(checkLocation(location));
  }

  /**
   * Always rejects: a durable store repairs itself when it is opened, and other stores cannot be repaired.
   */
  static async repair(location: string): Promise<void> {
    throw new RingzeroError(
      'LEVEL_NOT_SUPPORTED',
      `a store that was not closed repairs itself when it is opened, if it was \`durable\`; otherwise take ${checkLocation(location)} from a backup`,
    );
  }

  /** For RingzeroLevel.attach() in other threads of this process; the store must be open. */
  get handle(): RingzeroHandle {
    if (this._store === undefined) throw this._notOpen();
    return this._store.share();
  }

  // The public interface of abstract-level, with option `sync`.

  /** Sets the value of a key. */
  override put(key: K, value: V): Promise<void>;
  /** The same; with `sync`, resolves when the change and every earlier one are durable. */
  override put<OtherK = K, OtherV = V>(
    key: OtherK,
    value: OtherV,
    options: AbstractPutOptions<OtherK, OtherV> & WriteOptions,
  ): Promise<void>;
  override put(key: K, value: V, options?: AbstractPutOptions<K, V>): Promise<void> {
    return super.put(key, value, options!);
  }

  /** Removes a key, if it exists. */
  override del(key: K): Promise<void>;
  /** The same; with `sync`, resolves when the change and every earlier one are durable. */
  override del<OtherK = K>(
    key: OtherK,
    options: AbstractDelOptions<OtherK> & WriteOptions,
  ): Promise<void>;
  override del(key: K, options?: AbstractDelOptions<K>): Promise<void> {
    return super.del(key, options!);
  }

  /** Applies all operations or none: for readers, when storage fails, and after a crash. */
  override batch(operations: AbstractBatchOperation<this, K, V>[]): Promise<void>;
  /** The same; with `sync`, resolves when the change and every earlier one are durable. */
  override batch<OtherK = K, OtherV = V>(
    operations: AbstractBatchOperation<this, OtherK, OtherV>[],
    options: AbstractBatchOptions<OtherK, OtherV> & WriteOptions,
  ): Promise<void>;
  /** A batch that is built call by call. */
  override batch(): AbstractChainedBatch<this, K, V>;
  override batch(...call: unknown[]): Promise<void> | AbstractChainedBatch<this, K, V> {
    if (isEmptySync(call)) return this.sync();
    if (this.status === 'open') return super.batch(...(call as []));
    return explainDeferred(this, () => super.batch(...(call as [])));
  }

  /** Resolves when every earlier change, by any thread, is on the device. */
  async sync(): Promise<void> {
    if (this.status === 'opening') return this.deferAsync(() => this.sync());
    return this._syncs.join(this._opened);
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

  /** Like abstract-level's, but strings with the store's own encodings skip the codecs. */
  override getSync(key: K): V | undefined;
  override getSync<OtherK = K, OtherV = V>(
    key: OtherK,
    options: AbstractGetOptions<OtherK, OtherV>,
  ): OtherV | undefined;
  override getSync(key: K, options?: AbstractGetOptions<K, V>): V | undefined {
    const operations = this._operations;
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

  // --- synchronous calls: no hooks, no events, no deferred opening -----------------------------------------

  /**
   * Copies the value's bytes into `target` and returns the value's length, -1 when the key does not exist. A
   * value longer than `target` is truncated, and its whole length is returned.
   *
   * @throws {@link RingzeroError} RZ_OPTION when `target` is not an array of bytes
   */
  getInto(key: K, target: Uint8Array): number {
    if (target.BYTES_PER_ELEMENT !== 1)
      throw new RingzeroError('RZ_OPTION', '`target` of getInto() must be a Uint8Array');
    const data = typeof key === 'string' && this.#hasTextKeys ? key : this.#encodings.key(key);
    return this._opened.getInto(data, target);
  }

  /** Values in the order of the keys; undefined for keys that do not exist. */
  getManySync(keys: readonly K[], options?: SyncOptions): (V | undefined)[] {
    const codec = this.#encodings.valueCodec(options);
    const values = this._opened.getMany(this.#encodings.keys(keys, options), codec.format);
    return values.map((value) => (value === undefined ? undefined : (codec.decode(value) as V)));
  }

  /** Sets the value of a key. */
  putSync(key: K, value: V, options?: SyncOptions & WriteOptions): void {
    const operations = this._operations;
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
    const data = this.#encodings.value(value, options);
    const encoded = this.#encodings.key(key, options);
    if (options?.sync === true) this.#changeNow([{ type: 'put', key: encoded, value: data }]);
    else this._opened.put(encoded, data);
  }

  /** Removes a key, if it exists. */
  delSync(key: K, options: SyncOptions & WriteOptions = {}): void {
    const encoded = this.#encodings.key(key, options);
    if (options.sync === true) this.#changeNow([{ type: 'del', key: encoded }]);
    else this._opened.del(encoded);
  }

  /** Applies all operations or none. Without operations, `sync` makes every earlier change durable. */
  batchSync(
    operations: readonly SyncOperation<K, V>[],
    options: SyncOptions & WriteOptions = {},
  ): void {
    const encoded = operations.map((operation) => this.#encodings.operation(operation, options));
    if (options.sync === true) this.#changeNow(encoded);
    else this._opened.batch(encoded);
  }

  /** On return, the device has these changes and every earlier one. */
  #changeNow(operations: readonly Operation[]): void {
    const open = this._opened;
    open.batch(operations, true);
    open.sync(operations.length === 0);
  }

  /**
   * Iterates over the entries of a range in order, once; options as for iterator(). Entries are read in
   * pieces during the loop.
   *
   * @example
   * for (const [key, value] of db.rangeSync({ gte: 'a', lt: 'b', limit: 100 })) console.log(key, value);
   */
  rangeSync(options: SyncRangeOptions<K> = {}): IterableIterator<[K, V]> {
    const { keyCodec, valueCodec } = this.#codecs(options);
    return range(this._opened, options, keyCodec, valueCodec);
  }

  /**
   * Iterates over the entries of a range for whose values, as bytes, the function returns non-zero; `limit`
   * counts these. Options as for rangeSync(). Throws what Udf.call() throws; the entries of that piece are
   * then not returned, and the store stays usable.
   *
   * @example
   * const isLong = Udf.compile(readFileSync('is-long.wasm'));
   * for (const [key, value] of db.filterSync(isLong, { limit: 10 })) console.log(key, value);
   */
  filterSync(udf: Udf, options: SyncRangeOptions<K> = {}): IterableIterator<[K, V]> {
    if (udf.result !== 'number')
      throw new RingzeroError('RZ_OPTION', 'a filter must be a function that returns a number');
    const filter = (bytes: Uint8Array, start: number, end: number): boolean =>
      udf.callAt(bytes, start, end) !== 0;
    const { keyCodec, valueCodec } = this.#codecs(options);
    return range(this._opened, options, keyCodec, valueCodec, filter);
  }

  #codecs(options: SyncOptions): { keyCodec: Codec; valueCodec: Codec } {
    const encodings = this.#encodings;
    return { keyCodec: encodings.keyCodec(options), valueCodec: encodings.valueCodec(options) };
  }

  /** Statistics of the store and its pool. */
  stats(): StoreStats {
    return statsOf(this._opened.guest);
  }

  /**
   * These statistics and those of the VM in the text format of Prometheus, for an endpoint of yours.
   *
   * @example
   * createServer((_, response) => response.end(db.metrics())).listen(9121);
   */
  metrics(): string {
    return expositionOf(this.stats(), this._store!.stats());
  }

  /**
   * Checks the whole store: true when every page and every entry is valid. No other thread may use the store
   * during the check.
   */
  verifySync(): boolean {
    const { guest } = this._opened;
    return guest.call(0, () => guest.exports.verify()) === 0;
  }
}

/** Passes the handle from attach() to the constructor, whose super() must run first. */
let handed: RingzeroHandle | undefined;
