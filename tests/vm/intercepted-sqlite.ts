// Stock @sqlite.org/sqlite-wasm without its hooks, on a VM or in a branch.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { intercept, type BranchInterceptOptions } from '../../host/intercept.ts';
import type { Branch, Program } from '../../host/index.ts';

interface Database {
  pointer: number;
  exec(sql: string): unknown;
  selectValues(sql: string): unknown[];
}
interface SQLite {
  oo1: { DB: { new (name: string): Database; wrapHandle(pointer: number): Database } };
}

const require = createRequire(import.meta.url);
const SQLITE = new Uint8Array(
  readFileSync(require.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm')),
);
const ENTRY = pathToFileURL(require.resolve('@sqlite.org/sqlite-wasm'));
const filter = (_: object, bytes: Uint8Array): boolean => bytes.length === SQLITE.length;

export async function openIntercepted(
  source: { memory: number } | Pick<BranchInterceptOptions, 'branch'>,
): Promise<{ program: Program | undefined; sqlite3: SQLite }> {
  const programs = intercept({ ...source, filter, memoryOf: SQLITE });
  const { default: init } = (await import(ENTRY.href)) as { default: () => Promise<SQLite> };
  const sqlite3 = await init();
  programs.restore();
  const [program] = programs;
  return { program, sqlite3 };
}

export async function main(branch: Branch): Promise<() => object> {
  const { sqlite3 } = await openIntercepted({ branch });
  return () => ({
    select: (pointer: number, sql: string) => sqlite3.oo1.DB.wrapHandle(pointer).selectValues(sql),
  });
}
