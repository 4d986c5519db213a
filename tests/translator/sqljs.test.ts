// Stock sql.js, translated, answers as it does untranslated.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { translateMain, translateSnapshot } from '../../host/translator/index.ts';
import { openSqlJs, sqlJsModule, type Database } from './sqljs.ts';

const test = suite('translator: sql.js');

function work(database: Database): string {
  const answers: unknown[] = [];
  const ask = (sql: string): void => void answers.push(database.exec(sql));
  ask('create table t(a integer primary key, b text, c real)');
  ask(`with recursive n(i) as (select 0 union all select i + 1 from n where i < 3000)
       insert into t select i, 'row ' || (i * 7919 % 3001), i / 3.0 from n`);
  ask('select a % 7, max(b), avg(c), count(*) from t group by 1 order by 2 desc');
  ask('create index i on t(b)');
  ask('delete from t where a % 3 = 0; update t set b = upper(b) || c where a % 5 = 1');
  ask('select count(*), max(x.b) from t x join t y on x.a = y.a + 1');
  ask('select hex(sum(c)), group_concat(a) from (select * from t order by b limit 50)');
  ask('pragma integrity_check');
  return JSON.stringify(answers);
}

const expected = work((await openSqlJs()).database);

for (const elision of [true, false]) {
  test(`the main image answers the same, ${elision ? 'with' : 'without'} elision`, async () => {
    const translated = await openSqlJs(
      (bytes, frames) => translateMain(bytes, { frames, elision }).main,
    );
    const { kernel } = translated;
    kernel!.onSafepoint = () => {
      kernel!.pending = false;
      kernel!.advance();
    };
    kernel!.pending = true;
    assert.is(work(translated.database), expected);
    assert.ok(kernel!.faults > 50 && kernel!.safepoints > 0);
  });
}

test('the snapshot image answers the same on pages of its own', async () => {
  const translated = await openSqlJs(
    (bytes, frames) => translateSnapshot(bytes, { frames }).snapshot,
    'snapshot',
  );
  assert.is(work(translated.database), expected);
});

test('its image keeps its size in bounds', () => {
  const bytes = sqlJsModule();
  const { main } = translateMain(new Uint8Array(bytes));
  assert.ok(main.length < bytes.length * 2.5);
});

test.run();
