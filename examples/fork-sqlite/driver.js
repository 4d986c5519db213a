// The driver: runs in a fork of SQLite, in another thread, and calls the fork's own C functions. snapshot.drive() calls `main` with
// the fork. The connection is the parent's, at the same address.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

const SQLITE_ROW = 100;
const SQLITE_DONE = 101;
const INTEGER = 1;
const FLOAT = 2;
const TEXT = 3;
const NULL = 5;
const WRITE_BYTES = 1 << 20;

/**
 * @param {import('ringzero').Fork} fork
 * @param {{ db: number, sql: string } | { db: number, backup: string }} job `db` is the connection's address
 */
export function main(fork, job) {
  return 'sql' in job ? query(fork, job.db, job.sql) : backup(fork, job.db, job.backup);
}

/** The rows of a query, as arrays. */
export function query(fork, db, sql) {
  const rows = [];
  step(fork, db, sql, (statement) => {
    const columns = fork.call('sqlite3_column_count', statement);
    rows.push(Array.from({ length: columns }, (_, column) => value(fork, statement, column)));
  });
  return rows;
}

/**
 * Writes the database as a file, page by page: an in-memory database has the pages of a file, and the virtual table
 * sqlite_dbpage, which this build contains, reads them. Nothing is serialised in memory. Returns the number of bytes written.
 */
export function backup(fork, db, path) {
  const file = openSync(path, 'w');
  const buffer = new Uint8Array(WRITE_BYTES);
  let used = 0;
  let total = 0;
  const flush = () => {
    for (let done = 0; done < used;) done += writeSync(file, buffer, done, used - done);
    total += used;
    used = 0;
  };
  try {
    step(fork, db, "SELECT data FROM sqlite_dbpage('main') ORDER BY pgno", (statement) => {
      const bytes = fork.call('sqlite3_column_bytes', statement, 0);
      const page = fork.read(fork.call('sqlite3_column_blob', statement, 0) >>> 0, bytes);
      if (used + bytes > buffer.length) flush();
      buffer.set(page, used);
      used += bytes;
    });
    flush();
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  return total;
}

/** Prepares a statement, calls `row` for each row, and finalises it. What it allocates is private to the fork. */
function step(fork, db, sql, row) {
  const text = fork.put(sql);
  const out = fork.put(new Uint8Array(4));
  check(fork, db, fork.call('sqlite3_prepare_v2', db, text, -1, out, 0));
  const statement = fork.u32(out);
  let code;
  while ((code = fork.call('sqlite3_step', statement)) === SQLITE_ROW) row(statement);
  fork.call('sqlite3_finalize', statement);
  fork.call('free', text);
  fork.call('free', out);
  if (code !== SQLITE_DONE) check(fork, db, code);
}

function value(fork, statement, column) {
  const type = fork.call('sqlite3_column_type', statement, column);
  if (type === NULL) return null;
  if (type === INTEGER || type === FLOAT)
    return fork.call('sqlite3_column_double', statement, column);
  const at =
    fork.call(`sqlite3_column_${type === TEXT ? 'text' : 'blob'}`, statement, column) >>> 0;
  const bytes = fork.read(at, fork.call('sqlite3_column_bytes', statement, column));
  return type === TEXT ? new TextDecoder().decode(bytes) : bytes;
}

function check(fork, db, code) {
  if (code === 0) return;
  const message = fork.text(fork.call('sqlite3_errmsg', db) >>> 0);
  throw new Error(`SQLite in a fork: ${message} (code ${code})`);
}
