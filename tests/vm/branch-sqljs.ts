// Runs stock sql.js in a branch, with its own glue: a connection that the parent opened answers here.

import { createRequire } from 'node:module';
import type { Branch } from '../../host/index.ts';
import type { StockDatabase } from './stock-sqljs.ts';

type Factory = (options: object) => Promise<{ Database: new () => StockDatabase }>;

export async function main(branch: Branch): Promise<(connection: number) => object> {
  const factory = createRequire(import.meta.url)('sql.js/dist/sql-wasm.js') as Factory;
  const { Database } = await factory({ instantiateWasm: branch.instantiateWasm });
  const database = new Database();
  return (connection) => {
    database.db = connection; // the parent's, at the same address
    return {
      exec: (sql: string) => database.exec(sql),
      insert: (blob: Uint8Array) => {
        const statement = database.prepare('INSERT INTO m.t (b) VALUES (?)');
        statement.run([blob]);
        statement.free();
      },
      now: () => database.exec("SELECT date('now'), length(randomblob(10))")[0]!.values[0],
      fail: () => {
        throw new RangeError('as thrown');
      },
      hang: () => new Promise(() => {}),
      end: () => true,
    };
  };
}
