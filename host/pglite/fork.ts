// A fork of a database, for its user: PGlite's interface over a thread that executes PostgreSQL's protocol.

import {
  Mutex,
  messages,
  protocol,
  type ExecProtocolOptions,
  type ExecProtocolOptionsStream,
  type ExecProtocolResult,
  type Extensions,
  type PGlite,
  type Transaction,
} from '@electric-sql/pglite';
import { RingzeroError } from '../errors.ts';
import type { ProgramBranch } from '../vm/branch/program-branch.ts';
import { Listeners } from './listeners.ts';
import { Base } from './package.ts';
import type { Executed } from './state.ts';

type Messages = ExecProtocolResult['messages'];
type Compression = Parameters<PGlite['dumpDataDir']>[0];

/** A branch, in this process or in another. */
export type BranchOfDatabase = Pick<ProgramBranch, 'call' | 'close'>;
type Inherited = Pick<PGlite, 'debug' | 'parsers' | 'serializers'>;

/**
 * A database as another was when `fork()` was called, in a thread of its own. It has PGlite's methods and the
 * extensions of its parent.
 *
 * @category PGlite
 */
export class PGliteFork extends Base {
  readonly debug: PGlite['debug'];
  readonly waitReady: Promise<void>;
  readonly dataDir = undefined;
  readonly #branch: BranchOfDatabase;
  readonly #queries = new Mutex();
  readonly #transactions = new Mutex();
  readonly #listening = new Mutex();
  readonly #listeners = new Listeners<Transaction>((text, tx) => (tx ?? this).exec(text));
  readonly #endings: (() => Promise<void>)[] = [];
  /** What COPY has written to /dev/blob during the query. */
  readonly #written: ArrayBuffer[] = [];
  #hasBlob = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(branch: BranchOfDatabase, parent: Inherited, extensions: Extensions) {
    super();
    this.#branch = branch;
    this.debug = parent.debug;
    this.parsers = { ...parent.parsers };
    this.serializers = { ...parent.serializers };
    this.waitReady = this.#extend(extensions);
  }

  /** What extensions have in JavaScript; the rest of them is in the program. */
  async #extend(extensions: Extensions): Promise<void> {
    for (const [name, extension] of Object.entries(extensions)) {
      if (extension instanceof URL) continue;
      const { namespaceObj, init, close } = await extension.setup(
        this as unknown as PGlite,
        {},
        true,
      );
      if (namespaceObj !== undefined)
        Object.defineProperty(this, name, { value: namespaceObj, enumerable: true });
      if (init !== undefined) await init();
      if (close !== undefined) this.#endings.push(close);
    }
  }

  get ready(): boolean {
    return !this.closed;
  }
  get closed(): boolean {
    return this.#isClosed;
  }

  /** Ends the fork, after what it has been asked. Its parent is not affected. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const end of this.#endings) await end();
    await this.#transactions.runExclusive(() =>
      this.#queries.runExclusive(() => (this.#isClosed = true)),
    );
    await this.#branch.close();
  }

  /** For PGlite's base class. */
  async _checkReady(): Promise<void> {
    if (this.#isClosed) throw new RingzeroError('RZ_SNAPSHOT_CLOSED', 'the fork was closed');
  }

  /** One or more messages to PostgreSQL; returns the bytes of its answer. */
  async execProtocolRaw(message: Uint8Array, _options?: ExecProtocolOptions): Promise<Uint8Array> {
    const { data, written } = (await this.#branch.call('execute', message)) as Executed;
    if (written !== undefined) this.#written.push(written);
    return data;
  }

  /** As `execProtocolRaw`; `onRawData` gets the answer. */
  async execProtocolRawStream(
    message: Uint8Array,
    { onRawData }: ExecProtocolOptionsStream,
  ): Promise<void> {
    onRawData(await this.execProtocolRaw(message));
  }

  /** The answer as messages, and its bytes. */
  async execProtocol(
    message: Uint8Array,
    options: ExecProtocolOptions = {},
  ): Promise<ExecProtocolResult> {
    const data = await this.execProtocolRaw(message);
    return { messages: this.#parse(data, options), data };
  }

  /** The answer as messages. */
  async execProtocolStream(
    message: Uint8Array,
    options: ExecProtocolOptions = {},
  ): Promise<Messages> {
    return this.#parse(await this.execProtocolRaw(message), options);
  }

  /** The messages up to an error, which is thrown unless the options say otherwise. */
  #parse(data: Uint8Array, { throwOnError = true, onNotice }: ExecProtocolOptions): Messages {
    const found: Messages = [];
    let failure: messages.DatabaseError | undefined;
    new protocol.Parser().parse(data, (message) => {
      if (failure !== undefined) return;
      found.push(message);
      if (message instanceof messages.DatabaseError) failure = throwOnError ? message : undefined;
      else if (message instanceof messages.NoticeMessage) onNotice?.(message);
      else if (message instanceof messages.NotificationResponseMessage)
        this.#listeners.notify(message.channel, message.payload);
    });
    if (failure !== undefined) throw failure;
    return found;
  }

  /** The files of a fork are in memory. */
  async syncToFs(): Promise<void> {}

  /** What COPY reads from /dev/blob. */
  async _handleBlob(blob?: Blob): Promise<void> {
    if (blob !== undefined) await this.#branch.call('give', await blob.arrayBuffer());
    this.#hasBlob = blob !== undefined;
  }
  /** Forgets it. */
  async _cleanupBlob(): Promise<void> {
    if (this.#hasBlob) await this.#branch.call('clean');
    this.#hasBlob = false;
  }
  /** What COPY has written to /dev/blob. */
  async _getWrittenBlob(): Promise<Blob | undefined> {
    const parts = this.#written.splice(0);
    return parts.length === 0 ? undefined : new Blob(parts);
  }

  /** For PGlite's base class. */
  _runExclusiveQuery<T>(fn: () => Promise<T>): Promise<T> {
    return this.#queries.runExclusive(fn);
  }
  /** For PGlite's base class. */
  _runExclusiveTransaction<T>(fn: () => Promise<T>): Promise<T> {
    return this.#transactions.runExclusive(fn);
  }
  /** For PGlite's base class. */
  _runExclusiveListen<T>(fn: () => Promise<T>): Promise<T> {
    return this.#listening.runExclusive(fn);
  }

  /** Calls back for each notification on the channel. Resolves to what ends that. */
  listen(
    channel: string,
    callback: (payload: string) => void,
    tx?: Transaction,
  ): Promise<(tx?: Transaction) => Promise<void>> {
    return this._runExclusiveListen(() => this.#listeners.add(channel, callback, tx));
  }
  /** Ends it for one callback, or for all of the channel. */
  unlisten(channel: string, callback?: (payload: string) => void, tx?: Transaction): Promise<void> {
    return this._runExclusiveListen(() => this.#listeners.remove(channel, callback, tx));
  }
  /** Calls back for each notification of any channel. Returns what ends that. */
  onNotification(callback: (channel: string, payload: string) => void): () => void {
    return this.#listeners.addForAll(callback);
  }
  /** Ends what onNotification() began. */
  offNotification(callback: (channel: string, payload: string) => void): void {
    this.#listeners.removeForAll(callback);
  }

  /** The data directory as a tarball, which `loadDataDir` of PGlite takes. */
  async dumpDataDir(compression?: Compression): Promise<File> {
    const { content, name, type } = (await this.#queries.runExclusive(() =>
      this.#branch.call('dump', compression),
    )) as { content: ArrayBuffer; name: string | undefined; type: string };
    return new File([content], name ?? 'pgdata', { type });
  }
}
