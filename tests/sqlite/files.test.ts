// Databases of @sqlite.org/sqlite-wasm in files of the VM: in the program, in forks, and as bytes.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SQLite, type SQLiteFork } from '../../host/sqlite/index.ts';
import { hasPeer } from '../peers.ts';
import { Random } from '../random.ts';

const test = suite('SQLite: files in the VM');

interface Database {
  exec(sql: string | object): unknown;
  selectValue(sql: string): unknown;
  selectArrays(sql: string): unknown[][];
  close(): void;
  fork(): Promise<SQLiteFork>;
}
interface Api {
  oo1: { DB: new (name: string, flags?: string) => Database };
}

const load = (): Promise<SQLite<Api>> =>
  SQLite.load<Api>('@sqlite.org/sqlite-wasm', { memory: 2 ** 28 });
const ROWS = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
  INSERT INTO t SELECT i, 'value ' || i FROM n`;

test('a database in a file outlives its connection, and can be exported', async () => {
  const sqlite = await load();
  const database = new sqlite.api.oo1.DB('/people.db', 'c');
  database.exec(`CREATE TABLE t (a INTEGER PRIMARY KEY, b); ${ROWS}`);
  database.close();
  assert.equal(sqlite.program.fs.readdirSync('/'), ['people.db'], 'no journal is left');
  const again = new sqlite.api.oo1.DB('/people.db');
  assert.is(again.selectValue('SELECT sum(a) FROM t'), 12_502_500);
  assert.throws(() => new sqlite.api.oo1.DB('/missing.db', 'w'), /unable to open/);
  if (hasPeer('sqlite3', 'the check of the file')) {
    const scratch = mkdtempSync(join(tmpdir(), 'ringzero-files-'));
    sqlite.program.fs.exportSync(scratch, '/');
    const ask = ['PRAGMA integrity_check; SELECT count(*) FROM t'];
    const said = execFileSync('sqlite3', [join(scratch, 'people.db'), ...ask], {
      encoding: 'utf8',
    });
    assert.is(said, 'ok\n5000\n');
    rmSync(scratch, { recursive: true });
  }
  await sqlite.close();
});

test('a fork has the file as it was, and changes its own', async () => {
  const sqlite = await load();
  const database = new sqlite.api.oo1.DB('/t.db', 'c');
  database.exec(`CREATE TABLE t (a INTEGER PRIMARY KEY, b); ${ROWS}`);
  await sqlite.warmForks();
  const first = await database.fork();
  database.exec('DELETE FROM t WHERE a > 10');
  const second = await database.fork();
  await first.transaction((tx) =>
    tx.exec("UPDATE t SET b = 'changed'; DELETE FROM t WHERE a < 100"),
  );
  await second.exec('INSERT INTO t VALUES (11, zeroblob(100000))');
  assert.is(await first.selectValue("SELECT count(*) FROM t WHERE b = 'changed'"), 4901);
  assert.equal(await second.selectArrays('SELECT count(*), sum(length(b)) FROM t'), [
    [11, 100_071],
  ]);
  assert.equal(database.selectArrays('SELECT count(*), max(b) FROM t'), [[10, 'value 9']]);
  for (const fork of [first, second])
    assert.is(await fork.selectValue('PRAGMA integrity_check'), 'ok');
  await sqlite.close();
});

test('two connections lock each other out, and a fork rolls back what another had not committed', async () => {
  const sqlite = await load();
  const [one, two] = ['c', 'w'].map((flags) => new sqlite.api.oo1.DB('/t.db', flags));
  one!.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  one!.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (2)');
  assert.is(two!.selectValue('SELECT count(*) FROM t'), 1);
  assert.throws(() => two!.exec('INSERT INTO t VALUES (3)'), /locked/);
  one!.exec('PRAGMA cache_size = 1; PRAGMA cache_spill = 1');
  const fork = await two!.fork();
  one!.exec('COMMIT');
  assert.is(await fork.selectValue('SELECT count(*) FROM t'), 1);
  await fork.exec('INSERT INTO t VALUES (4)');
  assert.is(await fork.selectValue('SELECT sum(a) FROM t'), 5);
  two!.exec('INSERT INTO t VALUES (5)');
  assert.is(one!.selectValue('SELECT sum(a) FROM t'), 8);
  await sqlite.close();
});

test('random changes of a file and of memory give the same', async () => {
  const random = Random.forTest('sqlite files');
  const sqlite = await load();
  const file = new sqlite.api.oo1.DB('/f.db', 'c');
  const memory = new sqlite.api.oo1.DB(':memory:');
  const both = [file, memory];
  for (const each of both)
    each.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t (b)');
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 40; i++) {
      const key = random.below(300);
      const sql = [
        `INSERT OR REPLACE INTO t VALUES (${key}, '${'x'.repeat(random.below(6000))}')`,
        `DELETE FROM t WHERE a % 11 = ${key % 11}`,
        `BEGIN; UPDATE t SET b = a WHERE a < ${key}; ${random.chance(0.5) ? 'COMMIT' : 'ROLLBACK'}`,
        'VACUUM',
      ][random.below(20) === 0 ? 3 : random.below(3)]!;
      for (const each of both) each.exec(sql);
    }
    const all = 'SELECT * FROM t';
    assert.equal(file.selectArrays(all), memory.selectArrays(all));
    const before = memory.selectArrays(all);
    const forking = file.fork();
    for (const each of both)
      each.exec(`UPDATE t SET b = b || ${round}; DELETE FROM t WHERE a % 3 = 0`);
    const fork = await forking;
    assert.equal(await fork.selectArrays(all), before);
    assert.equal(file.selectArrays(all), memory.selectArrays(all));
    await fork.exec('DELETE FROM t; VACUUM');
    assert.is(await fork.selectValue('PRAGMA integrity_check'), 'ok');
    await fork.close();
  }
  assert.is(file.selectValue('PRAGMA integrity_check'), 'ok');
  await sqlite.close();
});

test.run();
