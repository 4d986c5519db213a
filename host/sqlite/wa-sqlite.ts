// wa-sqlite, the synchronous build. Its interface knows the connections that it has opened: that of a fork is
// opened by its parent, and adopted.

import { acceptSharedViews } from '../shared-views.ts';
import {
  importPackage,
  type Package,
  type SQLiteParameters,
  type SQLiteValue,
  type Table,
} from './package.ts';

/**
 * What ringzero uses of `wa-sqlite`.
 *
 * @category SQLite
 */
export interface WaSqlite {
  /** Opens a connection. */
  open_v2(name: string, flags?: number, vfs?: string): Promise<number>;
  /** Prepares the statements of a text, one after the other. */
  statements(connection: number, sql: string): AsyncIterable<number>;
  /** Number of parameters. */
  bind_parameter_count(statement: number): number;
  /** Sets parameters. */
  bind_collection(statement: number, values: SQLiteParameters): number;
  /** Names of the columns. */
  column_names(statement: number): string[];
  /** Goes to the next row. */
  step(statement: number): Promise<number>;
  /** The current row. */
  row(statement: number): SQLiteValue[];
}

interface EmscriptenModule {
  cwrap(name: string, ...types: unknown[]): (...args: never[]) => unknown;
  ccall(name: string, ...args: unknown[]): unknown;
  setValue(address: number, value: number, type: '*'): void;
}

type Factory = (module: EmscriptenModule) => WaSqlite;

const ROW = 100;

interface Started extends WaSqlite {
  /** For connect(); not enumerable. */
  readonly [MODULE]: { readonly module: EmscriptenModule; readonly factory: Factory };
}
const MODULE = Symbol('module');

export const waSqlite: Package<WaSqlite> = {
  name: 'wa-sqlite',
  wasm: 'wa-sqlite/dist/wa-sqlite.wasm',
  importsMemory: false,

  async start(glue, options) {
    acceptSharedViews();
    const { default: init } = await importPackage<{
      default: (options: object) => Promise<EmscriptenModule>;
    }>('wa-sqlite/dist/wa-sqlite.mjs');
    const { Factory: factory } = await importPackage<{ Factory: Factory }>('wa-sqlite');
    const module = await init({ ...options, ...glue });
    const api = factory(module);
    return Object.defineProperty(api, MODULE, { value: { module, factory } });
  },

  async connect(api, pointer) {
    const adopted = await adopt((api as Started)[MODULE], pointer);
    return { run: (sql, parameters) => run(adopted, pointer, sql, parameters) };
  },
};

/** The package's interface, which takes the connection for one that it has opened. */
async function adopt(
  { module, factory }: Started[typeof MODULE],
  pointer: number,
): Promise<WaSqlite> {
  let isAdopting = true;
  const adopting = Object.create(module) as EmscriptenModule;
  adopting.cwrap = (name, ...types) => {
    if (name !== 'sqlite3_open_v2') return module.cwrap(name, ...types);
    return (_name: string, at: number) => {
      module.setValue(at, pointer, '*');
      return 0;
    };
  };
  // Functions of extensions are registered in the connection already.
  adopting.ccall = (...args) => (isAdopting ? undefined : module.ccall(...args));
  const api = factory(adopting);
  await api.open_v2('');
  isAdopting = false;
  return api;
}

async function run(
  api: WaSqlite,
  pointer: number,
  sql: string,
  parameters?: SQLiteParameters,
): Promise<Table> {
  let toBind = parameters;
  let table: Table | undefined;
  for await (const statement of api.statements(pointer, sql)) {
    if (toBind !== undefined && api.bind_parameter_count(statement) > 0) {
      api.bind_collection(statement, toBind);
      toBind = undefined;
    }
    const columns = api.column_names(statement);
    const rows: SQLiteValue[][] = [];
    while ((await api.step(statement)) === ROW) rows.push(api.row(statement));
    if (columns.length > 0) table ??= { columns, rows };
  }
  return table ?? { columns: [], rows: [] };
}
