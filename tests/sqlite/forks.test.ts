// Forks of databases of the three packages: data, transactions, errors, ends.

import { createRequire } from 'node:module';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SQLite, SQLiteError, type SQLiteFork } from '../../host/sqlite/index.ts';
import { NAMES, onMachine } from './packages.ts';

const test = suite('SQLite: forks');

async function failure(promise: Promise<unknown>): Promise<{ code?: unknown; message: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code?: unknown; message: string };
  }
  return { message: 'it did not fail' };
}

const SEED = `CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, note);
  INSERT INTO person (name, note) VALUES ('ada', x'01ff'), ('alan', 2.5), ('grace', NULL)`;

for (const name of NAMES) {
  test(`${name}: a fork has the data as they were; both go on separately`, async () => {
    const { sqlite, connection, fork } = await onMachine(name);
    await connection.run(SEED, undefined);
    const first = await fork();
    await connection.run("DELETE FROM person WHERE name = 'ada'", undefined);
    const second = await fork();
    await first.exec("UPDATE person SET name = 'Ada' WHERE id = $id", { $id: 1 });
    assert.equal(await first.selectArrays('SELECT * FROM person ORDER BY id'), [
      [1, 'Ada', new Uint8Array([1, 255])],
      [2, 'alan', 2.5],
      [3, 'grace', null],
    ]);
    assert.equal(await second.selectValues('SELECT name FROM person ORDER BY id'), [
      'alan',
      'grace',
    ]);
    const { rows } = await connection.run('SELECT count(*) FROM person', undefined);
    assert.equal(rows, [[2]]);
    assert.equal(await first.selectObjects('SELECT id, name FROM person WHERE id > ?', [2]), [
      { id: 3, name: 'grace' },
    ]);
    assert.is(await first.selectValue('SELECT ? || ?', ['ä', '漢']), 'ä漢');
    assert.is(await first.selectValue('SELECT 1 WHERE 0'), undefined);
    assert.equal(await first.selectValue('SELECT ?', [new Uint8Array([7])]), new Uint8Array([7]));
    assert.is(await first.selectValue('CREATE TABLE x (a); INSERT INTO x VALUES (4); SELECT a FROM x'), 4); // prettier-ignore
    await first.close();
    await second.close();
    await sqlite.close();
  });

  test(`${name}: transactions are whole, nest, and have the fork to themselves`, async () => {
    const { sqlite, connection, fork } = await onMachine(name);
    await connection.run(SEED, undefined);
    const forked = await fork();
    const count = (on: Pick<SQLiteFork, 'selectValue'>): Promise<unknown> =>
      on.selectValue('SELECT count(*) FROM person');
    const failed = forked.transaction(async (tx) => {
      await tx.exec('DELETE FROM person WHERE id = 1');
      await failure(tx.transaction(async (inner) => {
        await inner.exec('DELETE FROM person');
        throw new Error('inner');
      })); // prettier-ignore
      assert.is(await count(tx), 2);
      throw new Error('outer');
    });
    const after = count(forked); // waits
    assert.is((await failure(failed)).message, 'outer');
    assert.is(await after, 3);
    const result = await forked.transaction(async (tx) => {
      await tx.exec('DELETE FROM person WHERE id = 2');
      return count(tx);
    });
    assert.is(result, 2);
    assert.is(await count(forked), 2);
    await sqlite.close();
  });

  test(`${name}: a transaction that is open in the parent is open in the fork`, async () => {
    const { sqlite, connection, fork } = await onMachine(name);
    await connection.run(`${SEED}; BEGIN; DELETE FROM person`, undefined);
    const forked = await fork();
    await forked.exec('ROLLBACK');
    await connection.run('COMMIT', undefined);
    assert.is(await forked.selectValue('SELECT count(*) FROM person'), 3);
    assert.equal((await connection.run('SELECT count(*) FROM person', undefined)).rows, [[0]]);
    await sqlite.close();
  });

  test(`${name}: memory grows in parent and fork, past their first sizes`, async () => {
    const { sqlite, connection, fork } = await onMachine(name);
    await sqlite.warmForks();
    const fill = 'CREATE TABLE IF NOT EXISTS big (b); INSERT INTO big VALUES (zeroblob(30000000))';
    const small = await fork();
    await small.exec(fill);
    await connection.run(fill, undefined);
    const large = await fork();
    await large.exec(fill);
    const sum = 'SELECT sum(length(b)) FROM big';
    assert.equal([await small.selectValue(sum), await large.selectValue(sum)], [30e6, 60e6]);
    await sqlite.close();
  });

  test(`${name}: errors are SQLite's, and ends have names`, async () => {
    const { sqlite, connection, fork } = await onMachine(name);
    await connection.run(SEED, undefined);
    const forked = await fork();
    const refused = await failure(forked.exec('SELECT missing FROM person'));
    assert.instance(refused, SQLiteError);
    assert.match(refused.message, /no such column: missing/);
    if (name !== 'sql.js') assert.is((refused as SQLiteError).resultCode, 1);
    const broken = await failure(forked.exec('INSERT INTO person VALUES (1, 2, 3)'));
    assert.match(broken.message, /UNIQUE constraint failed/);
    assert.is(await forked.selectValue('SELECT count(*) FROM person'), 3, 'it goes on');
    await forked.close();
    await forked.close();
    assert.is((await failure(forked.exec('SELECT 1'))).code, 'RZ_SNAPSHOT_CLOSED');
    const other = await fork();
    await sqlite.close();
    assert.is((await failure(other.exec('SELECT 1'))).code, 'RZ_SNAPSHOT_CLOSED');
    assert.is((await failure(fork())).code, 'RZ_VM_CLOSED');
  });
}

test('many forks at once, and a closed one’s thread serves the next', async () => {
  const { sqlite, connection, fork } = await onMachine('@sqlite.org/sqlite-wasm', { warm: 2 });
  await connection.run(SEED, undefined);
  for (let round = 0; round < 5; round++) {
    const forks = await Promise.all(Array.from({ length: 4 }, () => fork()));
    await Promise.all(forks.map((each, i) => each.exec(`DELETE FROM person WHERE id <= ${i}`)));
    const counts = await Promise.all(
      forks.map((each) => each.selectValue('SELECT count(*) FROM person')),
    );
    assert.equal(counts, [3, 2, 1, 0]);
    await Promise.all(forks.map((each) => each.close()));
  }
  await sqlite.close();
});

test('sql.js: data are loaded into memory and exported, and others’ sql.js is left alone', async () => {
  interface Api {
    Database: new (data?: Uint8Array) => {
      exec(sql: string): { values: unknown[][] }[];
      run(sql: string, values: unknown[]): unknown;
      create_function(name: string, fn: (value: number) => number): void;
      export(): Uint8Array;
      close(): void;
      fork(): Promise<SQLiteFork>;
    };
  }
  const init = createRequire(import.meta.url)('sql.js') as () => Promise<Api>;
  const stock = await init();
  const from = new stock.Database();
  from.exec(`PRAGMA page_size = 8192; ${SEED}`);
  const sqlite = await SQLite.load<Api>('sql.js', { memory: 2 ** 28 });
  assert.is.not(sqlite.api, stock);
  const database = new sqlite.api.Database(from.export());
  database.run('INSERT INTO person (name) VALUES (?)', ['barbara']);
  const fork = await database.fork();
  assert.equal(await fork.selectValues('SELECT name FROM person'), ['ada', 'alan', 'grace', 'barbara']); // prettier-ignore
  const back = new stock.Database(database.export());
  assert.equal(back.exec('SELECT count(*) FROM person')[0]!.values, [[4]]);
  assert.equal(back.exec('PRAGMA page_size')[0]!.values, [[8192]]);
  database.create_function('twice', (value) => 2 * value);
  assert.equal(database.exec('SELECT twice(4)')[0]!.values, [[8]]);
  const other = await database.fork();
  const trapped = await failure(other.selectValue('SELECT twice(4)'));
  assert.is(trapped.code, 'RZ_GUEST_TRAP');
  assert.match(trapped.message, /defines in JavaScript/);
  assert.is((await failure(other.exec('SELECT 1'))).code, 'RZ_GUEST_TRAP', 'it stays so');
  database.close();
  assert.is((await failure(database.fork())).code, 'RZ_OPTION');
  assert.throws(() => new sqlite.api.Database(new Uint8Array(5000).fill(7)), /not a database/);
  await sqlite.close();
});

test('options are checked', async () => {
  const codeOf = async (name: string, options?: object): Promise<unknown> =>
    (await failure(SQLite.load(name as 'sql.js', options))).code;
  assert.is(await codeOf('better-sqlite3'), 'RZ_OPTION');
  assert.is(await codeOf('constructor'), 'RZ_OPTION');
  for (const options of [{ warm: -1 }, { memory: 1 }, { init: 1 }, { wram: 1 }, null])
    assert.is(await codeOf('sql.js', options as object), 'RZ_OPTION');
  const { sqlite } = await onMachine('wa-sqlite');
  for (const database of [0, -4, 1.5, undefined, {}, 'text'])
    assert.is((await failure(sqlite.fork(database as number))).code, 'RZ_OPTION');
  await sqlite.close();
});

test.run();
