/**
 * PGlite on the machine: the class of the user's own `@electric-sql/pglite`, with `fork()`.
 *
 * @module ringzero/pglite
 */

import {
  PGlite as Stock,
  type Extensions,
  type PGliteInterfaceExtensions,
  type PGliteOptions,
} from '@electric-sql/pglite';
import { refuse } from '../errors.ts';
import { framesOf } from '../vm/options.ts';
import type { ProgramBranch } from '../vm/branch/program-branch.ts';
import { PGliteFork } from './fork.ts';
import { Machine } from './machine.ts';

export { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
export { PGliteFork } from './fork.ts';
export { openFork, shareForks, type Forkable, type SharedForks } from './share.ts';

const MEMORY = 2 ** 32;
const WARM_MAX = 64;

/**
 * Options of PGlite, and of the machine below it. The files are in the VM: `dataDir` and `fs` are refused.
 *
 * @category PGlite
 */
export type Options<E extends Extensions = Extensions> = PGliteOptions<E> & {
  /** Threads that wait for forks. 1 by default. */
  warm?: number;
  /** Bytes of the VM: program, files, copies for snapshots. 4 GiB by default; memory is taken when used. */
  memory?: number;
};

/**
 * A PGlite whose database can be forked.
 *
 * @category PGlite
 * @example
 * const db = await PGlite.create();
 * await db.exec('CREATE TABLE person (name text)');
 * const fork = await db.fork(); // the database as it is, in a thread of its own
 * await fork.exec(`INSERT INTO person VALUES ('ada')`);
 * await fork.close();
 */
export class PGlite<E extends Extensions = Extensions> extends Stock {
  readonly #machine: Machine;
  readonly #given: Options;
  readonly #warm: number;
  #isWarm: Promise<void> | undefined;

  constructor(dataDir?: string, options?: Options);
  constructor(options?: Options);
  constructor(first: string | Options = {}, second: Options = {}) {
    const given = typeof first === 'string' ? { dataDir: first, ...second } : first;
    const { warm = 1, memory = MEMORY, ...options } = given;
    if (!Number.isInteger(warm) || warm < 0 || warm > WARM_MAX)
      refuse('warm', warm, `a whole number up to ${WARM_MAX}`);
    framesOf(memory); // refuses what is not a size
    check(options);
    const machine = new Machine(memory);
    super({ ...options, fs: machine.files });
    this.#machine = machine;
    this.#given = given;
    this.#warm = warm;
  }

  /** As `new PGlite()`, once it is ready. */
  static override async create<E extends Extensions = Extensions>(
    first?: string | Options<E>,
    second?: Options<E>,
  ): Promise<PGlite<E> & PGliteInterfaceExtensions<E>> {
    const db = typeof first === 'string' ? new PGlite(first, second) : new PGlite(first ?? second);
    await db.waitReady;
    return db as unknown as PGlite<E> & PGliteInterfaceExtensions<E>;
  }

  /**
   * The database as it is, after the queries and transactions in progress, in a thread of its own. It lives
   * until it or this database is closed. Not to be called inside a transaction, which it would wait for.
   *
   * @throws {@link RingzeroError} RZ_MODULE_UNSUPPORTED, RZ_OUT_OF_MEMORY, RZ_SNAPSHOT_LOST,
   * RZ_SNAPSHOT_LIMIT
   */
  async fork(): Promise<PGliteFork & PGliteInterfaceExtensions<E>> {
    const fork = new PGliteFork(await this._branch(), this, this.#given.extensions ?? {});
    await fork.waitReady;
    return fork as PGliteFork & PGliteInterfaceExtensions<E>;
  }

  /** For fork() and shareForks(). */
  async _branch(): Promise<ProgramBranch> {
    await this._checkReady();
    const { taken } = await this._runExclusiveTransaction(() =>
      this._runExclusiveQuery(async () => {
        await this._checkReady();
        return { taken: this.#machine.fork(this.#warm) }; // parent and fork go on from here
      }),
    );
    return taken;
  }

  /** Resolves when as many threads as the option `warm` says wait for forks. fork() does not need it. */
  async warmForks(): Promise<void> {
    await this._checkReady();
    await (this.#isWarm ??= this.#machine.warm(this.#warm));
  }

  /** A copy of the data in a new database on the machine, by dump and load. */
  override async clone(): Promise<PGlite> {
    const loadDataDir = await this.dumpDataDir('none');
    return PGlite.create({ ...this.#given, loadDataDir });
  }

  /** Closes the database and its forks. */
  override async close(): Promise<void> {
    await super.close();
    await this.#machine.close();
  }
}

function check(options: PGliteOptions): void {
  const { dataDir, fs, pgliteWasmModule } = options;
  if (dataDir !== undefined && dataDir !== '' && !dataDir.startsWith('memory://'))
    refuse(
      'dataDir',
      dataDir,
      'memory://, because the files are in the VM: `loadDataDir` reads a dump',
    );
  if (fs !== undefined) refuse('fs', fs, 'nothing: the files are in the VM');
  if (pgliteWasmModule !== undefined)
    refuse(
      'pgliteWasmModule',
      pgliteWasmModule,
      'nothing: the module of the package is translated',
    );
}
