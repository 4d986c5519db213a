// Random statements: the plain PGlite, this one, and forks taken on the way answer alike.
//
// Method: one history goes to ours and to several plain ones. At random times, also within a transaction, a
// fork is taken; from then on it has a history of its own together with one of the plain ones.

import { PGlite as Stock, type Results } from '@electric-sql/pglite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PGlite, type PGliteFork } from '../../host/pglite/index.ts';
import { Random } from '../random.ts';

const test = suite('random histories of PGlite and its forks');
const STATEMENTS = Number(process.env['RZ_ROUNDS'] ?? 150);
const FORKS = 3;

type Database = Stock | PGlite | PGliteFork;
interface Pair {
  readonly plain: Database;
  readonly ours: Database;
}

const SCHEMA = `
  CREATE TABLE t0 (id serial PRIMARY KEY, a int, b text, c jsonb, CHECK (a IS NULL OR a < 900));
  CREATE TABLE t1 (id serial PRIMARY KEY, a int UNIQUE, b text DEFAULT 'd', c jsonb);
  CREATE FUNCTION doubled(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
  CREATE VIEW sums AS SELECT b, sum(a) AS s FROM t0 GROUP BY b;`;

class Generator {
  readonly #random: Random;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  readonly #kinds: (() => string)[] = [
    ...Array.from({ length: 4 }, () => () => this.#insert()),
    () =>
      `UPDATE ${this.#table()} SET a = a + 1, b = b || '${this.#word()}' WHERE id % 7 = ${this.#below(7)}`,
    () =>
      `UPDATE ${this.#table()} SET a = ${this.#below(1000)} WHERE id = ${this.#below(200)} RETURNING *`,
    () =>
      `DELETE FROM ${this.#table()} WHERE id BETWEEN ${this.#below(300)} AND ${this.#below(300)} RETURNING id`,
    () => `SELECT * FROM ${this.#table()} WHERE a > ${this.#below(900)} ORDER BY id LIMIT 20`,
    () => 'SELECT * FROM sums ORDER BY b',
    () =>
      `SELECT doubled(a), c->>'k' FROM ${this.#table()} WHERE b LIKE '%${this.#word()}%' ORDER BY id`,
    () => `SELECT x.id, y.b FROM t0 x JOIN t1 y ON x.a = y.a ORDER BY 1, 2 LIMIT 30`,
    () =>
      `CREATE INDEX i${this.#names++} ON ${this.#table()} (${this.#random.pick(['a', 'b', 'a, b'])})`,
    () => `DROP INDEX IF EXISTS i${this.#below(this.#names + 1)}`,
    () =>
      `CREATE TABLE IF NOT EXISTS e${this.#below(5)} AS SELECT * FROM ${this.#table()} ORDER BY id LIMIT 50`,
    () => `DROP TABLE IF EXISTS e${this.#below(5)}`,
    () => `SELECT count(*) FROM e${this.#below(5)}`,
    () => `TRUNCATE ${this.#table()}`,
    () =>
      `INSERT INTO t0 (a, b) SELECT i, repeat('${this.#word()}', 300) FROM generate_series(1, ${this.#below(300)}) i`,
    () => `SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM ${this.#table()} t`,
    () => this.#random.pick(['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'ROLLBACK TO s']),
    () => `SELECT nextval('${this.#table()}_id_seq'), currval('t0_id_seq')`,
    () =>
      this.#random.pick([
        'VACUUM',
        'CHECKPOINT',
        'ANALYZE',
        'REINDEX TABLE t0',
        'CLUSTER t0 USING t0_pkey',
      ]),
    () => 'SELECT 1 / 0',
  ];

  #below(limit: number): number {
    return this.#random.below(limit);
  }
  #table(): string {
    return this.#random.pick(['t0', 't1']);
  }
  #word(): string {
    return this.#random.pick(['ab', 'cd', 'é', "''", '', 'x']);
  }
  #insert(): string {
    const rows = Array.from(
      { length: 1 + this.#below(5) },
      () => `(${this.#below(950)}, '${this.#word()}', '{"k": ${this.#below(9)}}')`,
    );
    return `INSERT INTO ${this.#table()} (a, b, c) VALUES ${rows.join()} ON CONFLICT DO NOTHING RETURNING *`;
  }

  next(): string {
    return this.#random.pick(this.#kinds)();
  }
}

async function answer(on: Database, text: string): Promise<string> {
  try {
    const results: Results[] = await on.exec(text);
    return JSON.stringify(
      results.map(({ rows, affectedRows, command }) => [rows, affectedRows, command]),
    );
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code ?? ''} ${message}`;
  }
}

async function step({ plain, ours }: Pair, text: string, who: string): Promise<void> {
  const [expected, got] = await Promise.all([answer(plain, text), answer(ours, text)]);
  assert.is(got, expected, `${who}: ${text}`);
}

test('they answer alike', async () => {
  const random = Random.forTest('PGlite');
  const generator = new Generator(random);
  const plains = await Promise.all(Array.from({ length: FORKS + 1 }, () => Stock.create()));
  const parent = await PGlite.create();
  const stepAll = async (text: string): Promise<void> => {
    const expected = await Promise.all(plains.map((plain) => answer(plain, text)));
    assert.is(await answer(parent, text), expected[0], `parent: ${text}`);
  };
  await stepAll(SCHEMA);
  const forks: Pair[] = [];
  for (let i = 0; i < STATEMENTS; i++) {
    await stepAll(generator.next());
    for (const fork of forks) await step(fork, generator.next(), 'fork');
    if (plains.length > 1 && random.chance((3 * FORKS) / STATEMENTS))
      forks.push({ plain: plains.pop()!, ours: await parent.fork() });
  }
  assert.ok(forks.length > 0, 'no fork was taken');
  const all = [{ plain: plains[0]!, ours: parent }, ...forks];
  for (const [i, pair] of all.entries()) {
    await step(pair, 'COMMIT', `${i}`);
    for (const table of ['t0', 't1', 'sums'])
      await step(pair, `SELECT * FROM ${table} ORDER BY 1`, `${i}`);
  }
  for (const plain of [...plains, ...forks.map(({ plain }) => plain)]) await plain.close();
  await parent.close();
});

test.run();
