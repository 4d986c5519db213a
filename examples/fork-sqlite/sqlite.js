// Opens the stock SQLite of @sqlite.org/sqlite-wasm in a VM, with its glue and module exactly as shipped.

import { readFile } from 'node:fs/promises';
import { MicroVM } from 'ringzero';
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';

/**
 * @param {number} memory bytes of physical memory, for the database and for pages copied for forks
 * @returns {Promise<{ sqlite3: any, program: import('ringzero').Program }>}
 */
export async function openSqlite(memory = 2 ** 32) {
  const wasm = new Uint8Array(
    await readFile(new URL(import.meta.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm'))),
  );
  let program;
  const sqlite3 = await sqlite3InitModule({
    // The glue creates its views on this memory, and grows it.
    wasmMemory: MicroVM.memory(memory, wasm),
    // Emscripten's hook for instantiating the module: here it is translated first.
    instantiateWasm: async (imports, done) => {
      program = await MicroVM.load(wasm, imports);
      done(program);
    },
  });
  return { sqlite3, program };
}
