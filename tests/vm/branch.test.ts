// Branches: stock glue in a thread of its own, over the program as it was (BRANCH-1, BRANCH-2).

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Program, ProgramBranch } from '../../host/index.ts';
import { Random } from '../random.ts';
import { openStockSqlJs, type StockDatabase } from './stock-sqljs.ts';

const test = suite('branches');
const SQLJS = new URL('./branch-sqljs.js', import.meta.url);
const TABLE = "ATTACH ':memory:' AS m; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b)";
const ROUNDS = 12;

type Rows = { values: unknown[][] }[];
const branchOf = (program: Program, database: StockDatabase, warm = 0): Promise<ProgramBranch> =>
  program.branch(SQLJS, database.db, { warm });

async function started(): Promise<{ program: Program; database: StockDatabase }> {
  const opened = await openStockSqlJs();
  opened.database.exec(TABLE);
  return opened;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as { code?: string; message: string }).code ?? (error as Error).message;
  }
}

test('stock glue answers in a branch, while parent and branch go on separately', async () => {
  const { program, database } = await started();
  database.exec("INSERT INTO m.t (b) VALUES ('ada'), ('alan')");
  const branch = await branchOf(program, database);
  database.exec('DELETE FROM m.t');
  assert.equal(await branch.call('exec', 'SELECT b FROM m.t ORDER BY a'), [
    { columns: ['b'], values: [['ada'], ['alan']] },
  ]);
  await branch.call('exec', "UPDATE m.t SET b = 'grace' WHERE a = 1");
  assert.equal(database.exec('SELECT count(*) FROM m.t')[0]!.values, [[0]]);
  const [row] = (await branch.call('exec', 'SELECT b FROM m.t')) as Rows;
  assert.equal(row!.values, [['grace'], ['alan']]);
  const [date, random] = (await branch.call('now')) as [string, number];
  assert.match(date, /^\d{4}-\d\d-\d\d$/);
  assert.is(random, 10);
  await branch.close();
  await program.close();
});

test('parent and branches change at random, and each is like its model', async () => {
  const { program, database } = await started();
  const random = Random.forTest('branches');
  interface Side {
    rows: Map<number, string>;
    exec(sql: string): Promise<Rows>;
    close(): Promise<void>;
  }
  const sides: Side[] = [
    { rows: new Map(), exec: async (sql) => database.exec(sql), close: async () => {} },
  ];
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of sides)
      for (let i = 0; i < 20; i++) {
        const key = random.below(200);
        if (random.below(4) === 0) {
          side.rows.delete(key);
          await side.exec(`DELETE FROM m.t WHERE a = ${key}`);
        } else {
          const value = String.fromCharCode(97 + random.below(26)).repeat(random.below(3000));
          side.rows.set(key, value);
          await side.exec(`INSERT OR REPLACE INTO m.t VALUES (${key}, '${value}')`);
        }
      }
    const branch = await branchOf(program, database, round % 3);
    sides.push({
      rows: new Map(sides[0]!.rows),
      exec: (sql) => branch.call('exec', sql) as Promise<Rows>,
      close: () => branch.close(),
    });
    if (sides.length > 4) await sides.splice(1 + random.below(3), 1)[0]!.close();
    for (const side of sides) {
      const [table] = await side.exec('SELECT a, b FROM m.t ORDER BY a');
      const expected = [...side.rows].sort(([a], [b]) => a - b);
      assert.equal(table?.values ?? [], expected);
      assert.equal((await side.exec('PRAGMA m.integrity_check'))[0]!.values, [['ok']]);
    }
  }
  await program.close();
});

test('a branch grows by itself, and a waiting thread follows a parent that has grown', async () => {
  const { program, database } = await started();
  await program.warmBranches(SQLJS);
  const fill = 'INSERT INTO m.t (b) VALUES (zeroblob(40000000))';
  const small = await branchOf(program, database, 1);
  await small.call('exec', fill);
  database.exec(fill);
  const large = await branchOf(program, database, 1);
  for (const branch of [small, large])
    assert.equal(((await branch.call('exec', 'SELECT length(b) FROM m.t')) as Rows)[0]!.values, [
      [40_000_000],
    ]);
  await program.close();
});

test('errors have their names, and what a branch throws is what its caller gets', async () => {
  const { program, database } = await started();
  const branch = await branchOf(program, database);
  assert.is(await codeOf(branch.call('missing')), 'RZ_EXPORT');
  assert.is(await codeOf(branch.call('constructor')), 'RZ_EXPORT');
  assert.is(await codeOf(branch.call('fail')), 'as thrown');
  assert.is(await codeOf(branch.call('exec', () => {})), 'RZ_OPTION');
  assert.match(await codeOf(branch.call('exec', 'SELECT missing')), /no such column/);
  assert.is(await codeOf(program.branch('./relative.js')), 'RZ_OPTION');
  assert.is(await codeOf(program.branch(SQLJS, 0, { warm: -1 })), 'RZ_OPTION');
  assert.is(await codeOf(program.branch('data:text/javascript,export {}')), 'RZ_EXPORT');
  const hanging = codeOf(branch.call('hang'));
  await program.close();
  assert.is(await hanging, 'RZ_SNAPSHOT_CLOSED');
  assert.is(await codeOf(branch.call('exec', 'SELECT 1')), 'RZ_SNAPSHOT_CLOSED');
  assert.is(await codeOf(branchOf(program, database)), 'RZ_VM_CLOSED');
});

test.run();
