// Opens the stock SQLite of @sqlite.org/sqlite-wasm in a micro-VM: its glue and its module exactly as they are shipped.

import { readFile } from 'node:fs/promises';
import { MicroVM } from 'ringzero';
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';

/**
 * @param {number} memory bytes of physical memory: the database, and the pages that forks have copied
 * @returns {Promise<{ sqlite3: any, program: import('ringzero').Program }>}
 */
export async function openSqlite(memory = 2 ** 32) {
  const wasm = new Uint8Array(
    await readFile(new URL(import.meta.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm'))),
  );
  let program;
  const sqlite3 = await sqlite3InitModule({
    // The glue makes its views on this memory, and asks it to grow.
    wasmMemory: MicroVM.memory(memory, wasm),
    // Emscripten's hook for whoever wants to instantiate the module: here it is translated on the way.
    instantiateWasm: async (imports, done) => {
      program = await MicroVM.load(wasm, imports);
      done(program);
    },
  });
  return { sqlite3, program };
}
