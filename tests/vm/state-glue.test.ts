// States of a stock program, put back under its own glue.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, codeOf } from './states.ts';
import { openStockSqlJs } from './stock-sqljs.ts';

const test = suite('states under glue');

test('a program goes back with its glue, and forward into growth; a new instance continues it', async () => {
  const { program, database } = await openStockSqlJs();
  database.exec("attach ':memory:' as m"); // a file would be in its glue, not in its memory
  const count = (db = database): unknown =>
    db.exec('select count(*), sum(length(b)) from m.t')[0]!.values;
  database.exec('create table m.t (a integer primary key, b text)');
  const insert = database.prepare('insert into m.t (b) values (?)');
  insert.run(['one']);
  const one = program.snapshot();
  const [expected, state] = [count(), await bytesOf(one.export())];
  for (let i = 0; i < 400; i++) insert.run(['x'.repeat(500)]);
  const many = program.snapshot();
  const [expectedMany, delta] = [count(), await bytesOf(many.export({ since: one }))];
  await program.restore(state);
  assert.equal(count(), expected);
  insert.run(['two']);
  await program.restore([state, delta]);
  assert.equal(count(), expectedMany);
  for (let i = 0; i < 20; i++) insert.run(['y'.repeat(1_000_000)]); // memory grows
  const grown = program.snapshot();
  const [expectedGrown, big] = [count(), await bytesOf(grown.export())];
  assert.is(await codeOf(() => program.restore(state)), 'RZ_OPTION');
  assert.equal(count(), expectedGrown);
  const next = await openStockSqlJs();
  await next.program.restore(big);
  Object.assign(next.database, { db: database.db });
  assert.equal(count(next.database), expectedGrown);
  next.database.exec("insert into m.t (b) values ('three')");
  next.database.exec('create index m.i on t (b)');
  assert.equal(next.database.exec('pragma m.integrity_check')[0]!.values, [['ok']]);
  await program.close();
  await next.program.close();
});

test.run();
