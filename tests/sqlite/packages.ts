// The packages on the machine and off it, behind one interface.

import {
  SQLite,
  type SQLiteFork,
  type SQLiteOptions,
  type SQLitePackage,
} from '../../host/sqlite/index.ts';
import { packageModule, type Connection, type GlueOptions } from '../../host/sqlite/package.ts';
import { sqlJs, type SqlJs } from '../../host/sqlite/sql-js.ts';
import { sqliteWasm, type SqliteWasm } from '../../host/sqlite/sqlite-wasm.ts';
import { waSqlite, type WaSqlite } from '../../host/sqlite/wa-sqlite.ts';
import type * as Wasm from '../../host/webassembly.ts';

const PACKAGES = {
  '@sqlite.org/sqlite-wasm': sqliteWasm,
  'sql.js': sqlJs,
  'wa-sqlite': waSqlite,
};
export const NAMES = Object.keys(PACKAGES) as SQLitePackage[];

interface Opened {
  readonly pointer: number;
  fork?(): Promise<SQLiteFork>;
}
type DB = new (name: string) => Opened;

/** Opens a database in memory as the package's user would. */
async function open(api: object): Promise<Opened> {
  const { oo1, Database, open_v2 } = api as Partial<SqliteWasm & SqlJs & WaSqlite>;
  if (oo1 !== undefined) return new (oo1.DB as unknown as DB)(':memory:');
  if (open_v2 !== undefined) {
    const pointer = await open_v2(':memory:');
    return {
      pointer,
      fork: () => (api as { fork(db: number): Promise<SQLiteFork> }).fork(pointer),
    };
  }
  const database = new Database!();
  return {
    pointer: database.db!,
    fork: () => (database as unknown as { fork(): Promise<SQLiteFork> }).fork(),
  };
}

const connect = (
  name: SQLitePackage,
  api: object,
  pointer: number,
): Connection | Promise<Connection> => PACKAGES[name].connect(api as never, pointer);

/** A database of the plain package. */
export async function plainDatabase(name: SQLitePackage): Promise<Connection> {
  const of = PACKAGES[name];
  const wasm = await packageModule(of.wasm);
  const instantiateWasm = ((imports: WebAssembly.Imports, done: (instance: object) => void) => {
    void WebAssembly.instantiate(wasm as BufferSource, imports).then(({ instance }) =>
      done(instance),
    );
    return {};
  }) as unknown as GlueOptions['instantiateWasm'];
  const wasmMemory = new WebAssembly.Memory({ initial: 128, maximum: 32768 }) as Wasm.Memory;
  const glue = of.importsMemory ? { wasmMemory, instantiateWasm } : { instantiateWasm };
  const api = await of.start(glue, {});
  const { pointer } = await open(api);
  return connect(name, api, pointer);
}

interface OnMachine {
  readonly sqlite: SQLite<object>;
  readonly connection: Connection;
  fork(): Promise<SQLiteFork>;
}

export async function onMachine(
  name: SQLitePackage,
  options: SQLiteOptions = {},
): Promise<OnMachine> {
  const sqlite: SQLite<object> = await SQLite.load(name, { memory: 2 ** 28, ...options });
  const database = await open(sqlite.api);
  return {
    sqlite,
    connection: await connect(name, sqlite.api, database.pointer),
    fork: () => database.fork!(),
  };
}
