// A writer keeps inserting into an in-memory SQLite database. Forks of it, each taken in microseconds, answer analytical
// queries in other threads and back the database up to a file.
//
//   node examples/fork-sqlite/main.js [backup.db] [seconds]

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openSqlite } from './sqlite.js';

const DRIVER = new URL('./driver.js', import.meta.url);
const path = process.argv[2] ?? join(tmpdir(), 'fork-sqlite.db');
const seconds = Number(process.argv[3] ?? 3);
const ANALYSIS = `SELECT count(*), sum(amount), max(id),
  (SELECT sum(total) FROM (SELECT account, sum(amount) AS total FROM payment GROUP BY account)) FROM payment`;

const { sqlite3, program } = await openSqlite();
const database = new sqlite3.oo1.DB(':memory:');
database.exec(
  'CREATE TABLE payment (id INTEGER PRIMARY KEY, account INTEGER, amount INTEGER, note TEXT)',
);
const insert = database.prepare('INSERT INTO payment (account, amount, note) VALUES (?, ?, ?)');
let written = 0;

/** One transaction: 100 payments of 1 each. A fork that saw half of one would have wrong sums. */
function transaction() {
  database.exec('BEGIN');
  for (let i = 0; i < 100; i++) {
    insert.bind([written % 1000, 1, `payment ${written}`]).stepReset();
    written++;
  }
  database.exec('COMMIT');
}

/** Takes a snapshot and runs `job` on it: the result, the rows written before, and the time that the snapshot took. */
async function inFork(job) {
  const before = performance.now();
  const snapshot = program.snapshot();
  const us = (performance.now() - before) * 1000;
  const seen = written;
  const result = await snapshot.drive(DRIVER, { db: database.pointer, ...job });
  await snapshot.release();
  return { result, seen, us };
}

const end = performance.now() + seconds * 1000;
let analyses = 0;
let backups = 0;
let busy = 0;
while (performance.now() < end) {
  transaction();
  if (busy < 2) {
    busy++;
    const job = analyses > backups * 4 ? { backup: path } : { sql: ANALYSIS };
    'sql' in job ? analyses++ : backups++;
    inFork(job).then(({ result, seen, us }) => {
      busy--;
      if ('sql' in job) {
        const [count, sum, last, grouped] = result[0];
        if (count !== seen || sum !== seen || last !== seen || grouped !== seen)
          throw new Error(`a fork taken at ${seen} rows saw ${result[0]}`);
        console.log(
          `fork in ${us.toFixed(0)} µs: ${count} rows, every sum right; writer at ${written}`,
        );
      } else {
        console.log(
          `fork in ${us.toFixed(0)} µs: ${result} bytes, ${seen} rows backed up to ${path}`,
        );
      }
    });
  }
  await setImmediate(); // lets results of forks arrive between transactions
}
while (busy > 0) await setImmediate();
const { copies } = program.vm.stats();
console.log(
  `${written} rows written, ${analyses} analyses, ${backups} backups, ${copies} pages copied for them`,
);
await program.close();
