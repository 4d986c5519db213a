// @sqlite.org/sqlite-wasm.

import { installVmFiles, type VfsApi } from './vm-files.ts';
import { importPackage, type Package, type SQLiteParameters, type SQLiteValue } from './package.ts';

/**
 * What ringzero uses of a database of `@sqlite.org/sqlite-wasm`.
 *
 * @category SQLite
 */
export interface SqliteWasmDatabase {
  readonly pointer?: number | undefined;
  /** Runs statements. */
  exec(options: object): unknown;
}

/**
 * What ringzero uses of `@sqlite.org/sqlite-wasm`.
 *
 * @category SQLite
 */
export interface SqliteWasm {
  readonly oo1: {
    DB: {
      prototype: object;
      /** The database of a connection. */
      wrapHandle(pointer: number): SqliteWasmDatabase;
    };
  };
  readonly capi: {
    /** Draws random bytes; with zeros, seeds anew. */
    sqlite3_randomness(bytes: number, at: number): void;
  };
}

export const sqliteWasm: Package<SqliteWasm> = {
  name: '@sqlite.org/sqlite-wasm',
  wasm: '@sqlite.org/sqlite-wasm/sqlite3.wasm',
  importsMemory: true,

  async start(glue, options) {
    const { default: init } = await importPackage<{
      default: (options: object) => Promise<SqliteWasm>;
    }>('@sqlite.org/sqlite-wasm');
    return init({ ...options, ...glue });
  },

  mount: (api, owner) => installVmFiles(api as unknown as VfsApi, owner),

  connect({ oo1, capi }, pointer) {
    const database = oo1.DB.wrapHandle(pointer);
    capi.sqlite3_randomness(0, 0); // seeded anew: the parent's numbers are the parent's
    return {
      run(sql: string, bind: SQLiteParameters | undefined) {
        const columns: string[] = [];
        const rows: SQLiteValue[][] = [];
        database.exec({ sql, bind, rowMode: 'array', columnNames: columns, resultRows: rows });
        return { columns, rows };
      },
    };
  },
};
