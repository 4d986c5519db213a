// The same random SQL in a database on the machine, in forks of it, and in databases of the plain package
// with the same history.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SQLitePackage } from '../../host/sqlite/index.ts';
import type { Connection } from '../../host/sqlite/package.ts';
import { Random } from '../random.ts';
import { NAMES, onMachine, plainDatabase } from './packages.ts';

const test = suite('SQLite: differential');
const ROUNDS = 6;
const STATEMENTS = 60;

const literal = (random: Random): string =>
  [
    () => 'NULL',
    () => String(random.below(100) - 50),
    () => String(random.below(1000) / 8),
    () => `'${String.fromCharCode(97 + random.below(26)).repeat(random.below(900))}'`,
    () => `x'${'0a'.repeat(random.below(2000))}'`,
    () => "'ä 漢 𝄞'",
  ][random.below(6)]!();

function statement(random: Random): string {
  const table = `t${random.below(2)}`;
  const key = random.below(60);
  const column = 'bc'[random.below(2)];
  const makers = [
    () => `INSERT OR REPLACE INTO ${table} VALUES (${key}, ${literal(random)}, ${literal(random)})`,
    () => `INSERT INTO ${table} (b, c) VALUES (${literal(random)}, ${key})`,
    () => `UPDATE ${table} SET ${column} = ${literal(random)} WHERE a % 7 = ${key % 7}`,
    () => `DELETE FROM ${table} WHERE a = ${key}`,
    () => `CREATE INDEX i${random.below(4)} ON ${table} (${column}, a)`,
    () => `DROP INDEX IF EXISTS i${random.below(4)}`,
    () => ['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'RELEASE s'][random.below(5)]!,
    () => `SELECT a, ${column} FROM ${table} WHERE ${column} > ${literal(random)} ORDER BY a`,
    () => 'SELECT t0.a, t1.b FROM t0 JOIN t1 ON t0.a = t1.c ORDER BY 1, 2',
    () =>
      `SELECT typeof(${column}), count(*), sum(a), max(length(c)) FROM ${table} GROUP BY 1 ORDER BY 1`,
    () => `SELECT a, sum(a) OVER (ORDER BY a ROWS 2 PRECEDING) FROM ${table} ORDER BY a LIMIT 9`,
    () =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${key})
        INSERT INTO ${table} (b) SELECT zeroblob(i * 30) FROM n`,
    () => `SELECT group_concat(a, '-') FROM (SELECT a FROM ${table} ORDER BY a); VACUUM`,
    () => `SELECT missing FROM ${table}`,
    () => `INSERT INTO ${table} VALUES (${key}, 1, 2)`,
  ];
  return makers[random.below(makers.length)]!();
}

type Outcome = { rows: unknown } | { error: string };

/** What a statement returned, or why it failed. */
async function outcome(run: () => unknown): Promise<Outcome> {
  try {
    return { rows: await run() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

interface Pair {
  actual(sql: string): Promise<Outcome>;
  expected(sql: string): Promise<Outcome>;
  close(): Promise<void>;
}

const rowsOf = (connection: Connection, sql: string): Promise<Outcome> =>
  outcome(async () => (await connection.run(sql, undefined)).rows);

async function replayed(name: SQLitePackage, history: readonly string[]): Promise<Connection> {
  const plain = await plainDatabase(name);
  for (const sql of history) await rowsOf(plain, sql);
  return plain;
}

for (const name of NAMES)
  test(`${name}: parent, forks and the plain package agree`, async () => {
    const random = Random.forTest(`sqlite ${name}`);
    const { sqlite, connection, fork } = await onMachine(name);
    const history: string[] = [];
    const plain = await plainDatabase(name);
    const parent: Pair = {
      actual: (sql) => rowsOf(connection, sql),
      expected: (sql) => rowsOf(plain, sql),
      close: async () => {},
    };
    const pairs = [parent];
    const both = async (pair: Pair, sql: string): Promise<void> => {
      if (pair === parent) history.push(sql);
      assert.equal(await pair.actual(sql), await pair.expected(sql), sql);
    };
    for (const table of ['t0', 't1'])
      await both(parent, `CREATE TABLE ${table} (a INTEGER PRIMARY KEY, b, c)`);
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < STATEMENTS; i++)
        await both(pairs[random.below(pairs.length)]!, statement(random));
      const forked = await fork();
      const twin = await replayed(name, history);
      pairs.push({
        actual: (sql) => outcome(() => forked.selectArrays(sql)),
        expected: (sql) => rowsOf(twin, sql),
        close: () => forked.close(),
      });
      if (pairs.length > 3) await pairs.splice(1 + random.below(2), 1)[0]!.close();
      for (const pair of pairs)
        for (const sql of ['PRAGMA integrity_check', 'SELECT * FROM t0', 'SELECT * FROM t1'])
          assert.equal(await pair.actual(sql), await pair.expected(sql), sql);
    }
    await sqlite.close();
  });

test.run();
