// Drives a fork of stock sql.js: the first column of a query, by exports with minified names.

import type { Fork } from '../../host/index.ts';
import { NAMES } from './sqljs-names.ts';

const ROW = 100;
const DONE = 101;

export function main(fork: Fork, { db, sql }: { db: number; sql: string }): string[] {
  const text = fork.put(sql);
  const out = fork.put(new Uint8Array(4));
  const code = fork.call(NAMES.prepare, db, text, -1, out, 0);
  if (code !== 0) throw new Error(`prepare: ${code}`);
  const statement = fork.u32(out);
  const rows: string[] = [];
  let result: number;
  while ((result = fork.call(NAMES.step, statement)) === ROW)
    rows.push(fork.text(fork.call(NAMES.columnText, statement, 0) >>> 0));
  if (result !== DONE) throw new Error(`step: ${result}`);
  return rows;
}
