/**
 * SQLite on the machine: the user's own `@sqlite.org/sqlite-wasm`, `sql.js` or `wa-sqlite`, with `fork()`.
 *
 * @module ringzero/sqlite
 */

import { checkNames, checkObject, refuse } from '../errors.ts';
import { MicroVM } from '../vm/micro-vm.ts';
import { framesOf } from '../vm/options.ts';
import type { Program } from '../vm/program.ts';
import type * as Wasm from '../webassembly.ts';
import { SQLiteFork } from './fork.ts';
import { packageModule, type GlueOptions, type Package } from './package.ts';
import { keepInMemory, sqlJs, type SqlJs, type SqlJsDatabase } from './sql-js.ts';
import { sqliteWasm, type SqliteWasm, type SqliteWasmDatabase } from './sqlite-wasm.ts';
import { waSqlite, type WaSqlite } from './wa-sqlite.ts';

export { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
export { SQLiteError, SQLiteFork, SQLiteStatements } from './fork.ts';
export type { SQLiteParameters, SQLiteValue } from './package.ts';
export type { SqlJs, SqlJsDatabase } from './sql-js.ts';
export type { SqliteWasm, SqliteWasmDatabase } from './sqlite-wasm.ts';
export type { WaSqlite } from './wa-sqlite.ts';

const PACKAGES = {
  '@sqlite.org/sqlite-wasm': {
    of: sqliteWasm as Package<object>,
    worker: new URL('./sqlite-wasm-worker.js', import.meta.url),
  },
  'sql.js': {
    of: sqlJs as Package<object>,
    worker: new URL('./sql-js-worker.js', import.meta.url),
  },
  'wa-sqlite': {
    of: waSqlite as Package<object>,
    worker: new URL('./wa-sqlite-worker.js', import.meta.url),
  },
};

/**
 * Names of the packages that `SQLite.load` takes.
 *
 * @category SQLite
 */
export type SQLitePackage = keyof Apis;

/** What the packages have, by their names. */
interface Apis {
  '@sqlite.org/sqlite-wasm': SqliteWasm;
  'sql.js': SqlJs;
  'wa-sqlite': WaSqlite;
}

const MEMORY = 2 ** 32;
const WARM_MAX = 16;

/**
 * Options of `SQLite.load`.
 *
 * @category SQLite
 */
export interface SQLiteOptions {
  /** Threads that wait for forks. 1 by default. */
  warm?: number;
  /** Bytes of the VM: databases and copies for snapshots. 4 GiB by default; memory is taken when used. */
  memory?: number;
  /** Options of the package's own, such as `print` and `printErr`. */
  init?: object;
}

/** A database of one of the packages: `wa-sqlite` has numbers. */
type Database = SqliteWasmDatabase | SqlJsDatabase | number;

/**
 * A package with SQLite that runs on the machine.
 *
 * `api` is what the package gives. Its databases have `fork()` as well; `wa-sqlite`, whose databases are
 * numbers, has `api.fork(db)`. The type parameter is the package's own type.
 *
 * @category SQLite
 * @example
 * const sqlite = await SQLite.load('sql.js');
 * const db = new sqlite.api.Database();
 * db.exec("CREATE TABLE person (name); INSERT INTO person VALUES ('ada')");
 * const fork = await sqlite.fork(db); // the database as it is, in a thread of its own
 * await fork.selectValues('SELECT name FROM person'); // ['ada']
 */
export class SQLite<Api extends object> {
  readonly api: Api;
  readonly program: Program;
  readonly #worker: URL;
  readonly #warm: number;

  private constructor(api: Api, program: Program, worker: URL, warm: number) {
    this.api = api;
    this.program = program;
    this.#worker = worker;
    this.#warm = warm;
  }

  /**
   * Starts the user's own package on a VM.
   *
   * @throws {@link RingzeroError} RZ_OPTION, RZ_HOST when the package is not installed, and as MicroVM.load
   */
  static async load<Api extends object = never, Name extends SQLitePackage = SQLitePackage>(
    name: Name,
    options: SQLiteOptions = {},
  ): Promise<SQLite<[Api] extends [never] ? Apis[Name] : Api>> {
    const { warm, memory, init } = checked(name, options);
    const { of, worker } = PACKAGES[name];
    const wasm = await packageModule(of.wasm);
    let program: Program | undefined;
    const starting = new Promise<object>((resolve, reject) => {
      const load = async (imports: Wasm.Imports, done: (instance: Program) => unknown) => {
        try {
          done((program = await MicroVM.load(wasm, imports, { memory })));
        } catch (error) {
          reject(error as Error);
        }
      };
      const instantiateWasm: GlueOptions['instantiateWasm'] = (imports, done) => {
        void load(imports, done as unknown as (instance: Program) => unknown);
        return {} as Wasm.Exports;
      };
      const glue = of.importsMemory
        ? { wasmMemory: MicroVM.memory(memory, wasm), instantiateWasm }
        : { instantiateWasm };
      of.start(glue, init).then(resolve, reject);
    });
    const api = await starting;
    of.mount?.(api, program!);
    if (name === 'sql.js') keepInMemory(api as SqlJs, program!.memory);
    const sqlite = new SQLite(api, program!, worker, warm);
    sqlite.#addForks();
    return sqlite as never;
  }

  /** `fork` as a method of databases, or of the package where they are numbers. */
  #addForks(): void {
    const fork = (database: Database): Promise<SQLiteFork> => this.fork(database);
    const add = (target: object, value: object): void =>
      void Object.defineProperty(target, 'fork', { value, configurable: true, writable: true });
    const method = function (this: Database): Promise<SQLiteFork> {
      return fork(this);
    };
    const { oo1, Database } = this.api as Partial<SqliteWasm & SqlJs>;
    if (oo1 !== undefined) add(oo1.DB.prototype, method);
    else if (Database !== undefined) add(Database.prototype as object, method);
    else add(this.api, fork);
  }

  /**
   * A database as it is, in a thread of its own.
   *
   * @throws {@link RingzeroError} RZ_OPTION when it is closed, RZ_SNAPSHOT_LIMIT, RZ_SNAPSHOT_LOST,
   * RZ_OUT_OF_MEMORY, RZ_VM_CLOSED
   */
  async fork(database: Database): Promise<SQLiteFork> {
    const pointer = pointerOf(database);
    if (typeof pointer !== 'number' || !Number.isInteger(pointer) || pointer <= 0)
      refuse('database', pointer, 'an open database of this package');
    return new SQLiteFork(await this.program.branch(this.#worker, pointer, { warm: this.#warm }));
  }

  /** Resolves when as many threads as the option `warm` says wait for forks. fork() does not need it. */
  async warmForks(): Promise<void> {
    await this.program.warmBranches(this.#worker, { warm: this.#warm });
  }

  /** Closes the VM, with all databases and forks. */
  async close(): Promise<void> {
    await this.program.close();
  }
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function pointerOf(database: Database): unknown {
  if (typeof database !== 'object' || database === null) return database;
  return 'db' in database ? database.db : database.pointer;
}

function checked(name: string, options: SQLiteOptions): Required<SQLiteOptions> {
  if (!Object.hasOwn(PACKAGES, name))
    refuse('package', name, `one of ${Object.keys(PACKAGES).join(', ')}`);
  checkObject(options);
  checkNames(options, { warm: true, memory: true, init: true });
  const { warm = 1, memory = MEMORY, init = {} } = options;
  if (!Number.isInteger(warm) || warm < 0 || warm > WARM_MAX)
    refuse('warm', warm, `a whole number up to ${WARM_MAX}`);
  framesOf(memory); // refuses what is not a size
  checkObject(init, 'init');
  return { warm, memory, init };
}
