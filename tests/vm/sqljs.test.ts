// Stock sql.js, with minified names of glue and imports and a memory that the module defines, on a real VM.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openStockSqlJs } from './stock-sqljs.ts';

const test = suite('sql.js in a VM');

test('its glue runs as shipped: queries, growth beyond its initial memory, export of the database', async () => {
  const { program, database } = await openStockSqlJs();
  const before = program.vm.stats().guestBytes;
  database.exec(`ATTACH ':memory:' AS m; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
    INSERT INTO m.t SELECT i, zeroblob(2000) FROM n`);
  assert.ok(program.vm.stats().guestBytes > before + 30e6, 'memory has grown');
  assert.equal(database.exec('SELECT count(*), sum(length(b)) FROM m.t'), [
    { columns: ['count(*)', 'sum(length(b))'], values: [[30000, 60_000_000]] },
  ]);
  database.exec('CREATE TABLE main.f (x); INSERT INTO main.f VALUES (42)');
  assert.is(new TextDecoder().decode(database.export().subarray(0, 15)), 'SQLite format 3');
  await program.close();
});

test.run();
