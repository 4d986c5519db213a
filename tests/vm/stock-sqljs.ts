// Stock sql.js on a VM, driven by its own glue.

import { createRequire } from 'node:module';
import { acceptSharedViews, MicroVM, type Program } from '../../host/index.ts';
import { sqlJsModule } from '../translator/sqljs.ts';

export interface StockDatabase {
  /** The connection's address. */
  db: number;
  exec(sql: string): { columns: string[]; values: unknown[][] }[];
  prepare(sql: string): { run(values: unknown[]): void; free(): void };
  create_function(name: string, fn: (...args: never[]) => unknown): void;
  export(): Uint8Array;
}

type Factory = (options: object) => Promise<{ Database: new () => StockDatabase }>;

export async function openStockSqlJs(): Promise<{ program: Program; database: StockDatabase }> {
  acceptSharedViews();
  const require = createRequire(import.meta.url);
  const file = require.resolve('sql.js/dist/sql-wasm.js');
  delete require.cache[file]; // it has one instance per load of its file
  const factory = require(file) as Factory;
  const wasm = sqlJsModule();
  let program: Program | undefined;
  const { Database } = await factory({
    wasmBinary: wasm,
    instantiateWasm: (imports: WebAssembly.Imports, done: (program: Program) => void) => {
      void MicroVM.load(wasm, imports, { memory: 2 ** 28 }).then((loaded) =>
        done((program = loaded)),
      );
      return {};
    },
  });
  return { database: new Database(), program: program! };
}
