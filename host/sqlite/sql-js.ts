// sql.js. Its databases are files of its glue; on the machine they are in the program's memory.

import { RingzeroError } from '../errors.ts';
import { acceptSharedViews } from '../shared-views.ts';
import type * as Wasm from '../webassembly.ts';
import {
  requirePackage,
  type Package,
  type SQLiteParameters,
  type SQLiteValue,
  type Table,
} from './package.ts';

interface Statement {
  bind(values: SQLiteParameters): boolean;
  step(): boolean;
  get(): SQLiteValue[];
  getColumnNames(): string[];
}

/**
 * What ringzero uses of a database of `sql.js`.
 *
 * @category SQLite
 */
export interface SqlJsDatabase {
  db: number | null;
  /** Runs statements; a table for each that returns rows. */
  exec(sql: string): { values: SQLiteValue[][] }[];
  /** Closes the connection. */
  close(): void;
  /** Throws what a result code means. */
  handleError(result: number): void;
  /** The statements of a text. */
  iterateStatements(sql: string): Iterable<Statement>;
}

type Cwrap = (name: string, result: 'number', args: string[]) => (...args: unknown[]) => number;

/**
 * What ringzero uses of `sql.js`.
 *
 * @category SQLite
 */
export interface SqlJs {
  Database: new (data?: ArrayLike<number> | null) => SqlJsDatabase;
  cwrap: Cwrap;
}

interface Functions extends SqlJs {
  _malloc(bytes: number): number;
  _free(address: number): void;
  _RegisterExtensionFunctions(connection: number): void;
}

const FILE = 'sql.js/dist/sql-wasm.js';

export const sqlJs: Package<SqlJs> = {
  name: 'sql.js',
  wasm: 'sql.js/dist/sql-wasm.wasm',
  importsMemory: false,

  async start(glue, options) {
    const init = requirePackage(FILE) as (options: object) => Promise<SqlJs>;
    return init({ ...options, ...glue });
  },

  connect({ Database }, pointer) {
    const database = new Database();
    database.db = pointer;
    return { run: (sql, parameters) => run(database, sql, parameters) };
  },
};

function run(database: SqlJsDatabase, sql: string, parameters?: SQLiteParameters): Table {
  let toBind = parameters;
  let table: Table | undefined;
  for (const statement of database.iterateStatements(sql)) {
    if (toBind !== undefined && statement.bind(toBind)) toBind = undefined;
    const columns = statement.getColumnNames();
    const rows: SQLiteValue[][] = [];
    while (statement.step()) rows.push(statement.get());
    if (columns.length > 0) table ??= { columns, rows };
  }
  return table ?? { columns: [], rows: [] };
}

/** Has the package's databases in memory, which forks have. `memory` is the program's. */
export function keepInMemory(api: SqlJs, memory: Wasm.Memory): void {
  acceptSharedViews();
  const { _malloc, _free, _RegisterExtensionFunctions } = api as Functions;
  const open = api.cwrap('sqlite3_open', 'number', ['string', 'number']);
  const close = api.cwrap('sqlite3_close_v2', 'number', ['number']);
  const openMemory = (): [result: number, connection: number] => {
    const at = _malloc(4);
    const result = open(':memory:', at);
    const [connection] = new Uint32Array(memory.buffer, at, 1);
    _free(at);
    return [result, connection!];
  };
  const Stock = api.Database;
  api.Database = class Database extends Stock {
    constructor(data?: ArrayLike<number> | null) {
      super();
      const file = this.db;
      const [result, connection] = openMemory();
      this.db = connection;
      this.handleError(result);
      _RegisterExtensionFunctions(connection);
      close(file);
      if (data !== undefined && data !== null) this.#load(new Stock(data));
    }

    #load(from: SqlJsDatabase): void {
      try {
        const [size] = from.exec('PRAGMA page_size');
        this.exec(`PRAGMA page_size = ${Number(size!.values[0]![0])}`);
        copy(api, from, this);
      } catch (error) {
        this.close();
        throw error;
      } finally {
        from.close();
      }
    }
  };
}

const DONE = 101;

function copy({ cwrap }: SqlJs, from: SqlJsDatabase, to: SqlJsDatabase): void {
  const types = ['number', 'string', 'number', 'string'];
  const backup = cwrap('sqlite3_backup_init', 'number', types)(to.db, 'main', from.db, 'main');
  if (backup === 0) throw new RingzeroError('RZ_FORMAT', 'the data cannot be copied into memory');
  const result = cwrap('sqlite3_backup_step', 'number', ['number', 'number'])(backup, -1);
  const end = cwrap('sqlite3_backup_finish', 'number', ['number'])(backup);
  to.handleError(end); // also what a step failed with
  if (result !== DONE) from.handleError(result);
}
