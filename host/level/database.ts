// The private interface of abstract-level: a database as its methods call it, with encoded keys and values.
//
// Concurrency Every call does its work before it returns. A promised call then gives the event loop a turn if
//             one is due (turns.ts).

import {
  AbstractLevel,
  type AbstractDatabaseOptions,
  type AbstractOpenOptions,
} from 'abstract-level';
import { hasBuffers } from '#platform/text';
import { RingzeroError } from '../errors.ts';
import type { Operation } from './batch.ts';
import { Cursor, PIECE_MAX } from './cursor.ts';
import {
  RingzeroIterator,
  RingzeroKeyIterator,
  RingzeroValueIterator,
  type RangeOptions,
} from './iterator.ts';
import { explainCalls, failureOf, notOpenBecause, stopExplaining } from './open-failure.ts';
import type { Operations } from './operations.ts';
import {
  checkLocation,
  checkStoreOptions,
  type RingzeroOptions,
  type WriteOptions,
} from './options.ts';
import { Store, type RingzeroHandle } from './store.ts';
import { RingzeroSublevel } from './sublevel.ts';
import { SyncGroup } from './sync-group.ts';
import { HEAVY, isDue, nextTurn } from './turns.ts';
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

interface FormatOptions {
  keyEncoding: Format;
  valueEncoding: Format;
}

export abstract class LevelDatabase<K, V> extends AbstractLevel<Data, K, V> {
  /** The directory. */
  readonly location: string;
  readonly #handle: RingzeroHandle | undefined;
  /** @internal */
  _store: Store | undefined;
  /** @internal Undefined until the store is open. */
  _operations: Operations | undefined;
  /** @internal */
  readonly _syncs = new SyncGroup();

  /** @internal With a handle, it attaches to a store that is open in another thread. */
  constructor(location: string, options?: RingzeroOptions<K, V>, handle?: RingzeroHandle) {
    super(MANIFEST, options as AbstractDatabaseOptions<K, V>);
    this.location = checkLocation(location);
    checkStoreOptions(options);
    this.#handle = handle;
  }

  protected async _open(options: AbstractOpenOptions & RingzeroOptions<K, V>): Promise<void> {
    try {
      this._store = await this.#create(options);
    } catch (error) {
      explainCalls(this, error as Error);
      throw error;
    }
    this._operations = this._store.operations;
    stopExplaining(this);
  }

  #create(options: AbstractOpenOptions & RingzeroOptions<K, V>): Promise<Store> {
    const { createIfMissing = true, errorIfExists = false } = options;
    if (this.#handle !== undefined) return Store.attach(this.#handle);
    return Store.create(this.location, {
      ...checkStoreOptions(options),
      createIfMissing,
      errorIfExists,
    });
  }

  protected async _close(): Promise<void> {
    this._syncs.flush();
    await this._store!.close();
    this._store = undefined;
    this._operations = undefined;
  }

  protected async _get(key: Data, options: FormatOptions): Promise<Data | undefined> {
    const value = this._opened.get(key, options.valueEncoding);
    if (isDue()) await nextTurn();
    return value;
  }
  protected _getSync(key: Data, options: FormatOptions): Data | undefined {
    return this._opened.get(key, options.valueEncoding);
  }
  protected async _getMany(keys: Data[], options: FormatOptions): Promise<(Data | undefined)[]> {
    const values = this._opened.getMany(keys, options.valueEncoding);
    if (isDue(HEAVY)) await nextTurn();
    return values;
  }
  protected async _has(key: Data): Promise<boolean> {
    const has = this._opened.has(key);
    if (isDue()) await nextTurn();
    return has;
  }
  protected async _hasMany(keys: Data[]): Promise<boolean[]> {
    const has = keys.map((key) => this._opened.has(key));
    if (isDue(HEAVY)) await nextTurn();
    return has;
  }
  protected async _put(key: Data, value: Data, options: WriteOptions): Promise<void> {
    if (options.sync === true) return this.#changeAndSync([{ type: 'put', key, value }]);
    this._opened.put(key, value);
    if (isDue()) await nextTurn();
  }
  protected async _del(key: Data, options: WriteOptions): Promise<void> {
    if (options.sync === true) return this.#changeAndSync([{ type: 'del', key }]);
    this._opened.del(key);
    if (isDue()) await nextTurn();
  }
  protected async _batch(operations: readonly Operation[], options: WriteOptions): Promise<void> {
    if (options.sync === true) return this.#changeAndSync(operations);
    this._opened.batch(operations);
    if (isDue(HEAVY)) await nextTurn();
  }

  #changeAndSync(operations: readonly Operation[]): Promise<void> {
    this._opened.batch(operations, true);
    return this._syncs.join(this._opened);
  }

  /** Not atomic: readers may see a part of the range removed. A close() waits for its end. */
  protected async _clear(options: RangeOptions & WriteOptions): Promise<void> {
    const clearing = this.#clearAll(this._opened, options);
    const close = (): Promise<void> => clearing.catch(() => {});
    const resource = { close, [Symbol.asyncDispose]: close };
    this.attachResource(resource);
    try {
      await clearing;
    } finally {
      this.detachResource(resource);
    }
    if (options.sync === true) await this._syncs.join(this._opened);
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
    return new RingzeroIterator(this, this._opened, options);
  }
  protected _keys(options: RangeOptions): RingzeroKeyIterator<K, V> {
    return new RingzeroKeyIterator(this, this._opened, options);
  }
  protected _values(options: RangeOptions): RingzeroValueIterator<K, V> {
    return new RingzeroValueIterator(this, this._opened, options);
  }

  /** @internal The operations of the open store; throws LEVEL_DATABASE_NOT_OPEN. */
  get _opened(): Operations {
    if (this._operations === undefined || this.status !== 'open') throw this._notOpen();
    return this._operations;
  }

  /** @internal */
  _notOpen(): RingzeroError {
    const failure = failureOf(this);
    return failure === undefined ? notOpenYet() : notOpenBecause('the store is not open', failure);
  }
}

function notOpenYet(): RingzeroError {
  return new RingzeroError(
    'LEVEL_DATABASE_NOT_OPEN',
    'the store is not open: call `await db.open()` before synchronous calls',
  );
}
