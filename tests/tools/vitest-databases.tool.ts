// ringzero/vitest: a database for each test, in every pool of Vitest.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toolProject } from './project.ts';

const test = suite('tools: databases in Vitest');
const project = toolProject('vitest-databases', {
  vitest: '4',
  '@electric-sql/pglite': '0.5.17',
});

const TESTS = 6;
project.write(
  'database.mjs',
  `import { PGlite } from 'ringzero/pglite';
  import { shareDatabase } from 'ringzero/vitest';
  import { appendFileSync } from 'node:fs';
  export default shareDatabase(async () => {
    appendFileSync('made', 'x');
    const db = await PGlite.create();
    await db.exec("CREATE TABLE person (id serial PRIMARY KEY, name text); INSERT INTO person (name) VALUES ('ada')");
    return db;
  });`,
);
for (const file of ['a', 'b'])
  project.write(
    `${file}.test.mjs`,
    `import { describe, expect } from 'vitest';
    import { live } from '@electric-sql/pglite/live';
    import { databaseTest } from 'ringzero/vitest';
    const test = databaseTest({ extensions: { live } });
    for (let i = 0; i < ${TESTS}; i++)
      test('test ' + i, async ({ db }) => {
        const { rows } = await db.query('SELECT * FROM person');
        expect(rows).toEqual([{ id: 1, name: 'ada' }]);
        await db.exec('INSERT INTO person (name) SELECT i::text FROM generate_series(1, 100) i; CREATE TABLE mine (a int)');
        const { initialResults } = await db.live.query('SELECT count(*)::int AS n FROM person');
        expect(initialResults.rows).toEqual([{ n: 101 }]);
      });
    describe('together', () => {
      for (let i = 0; i < 4; i++)
        test.concurrent('at once ' + i, async ({ db, expect }) => {
          await db.exec('DELETE FROM person');
          expect((await db.query('SELECT * FROM person')).rows).toEqual([]);
        });
    });`,
  );
project.write('vitest.config.mjs', `export default { test: { globalSetup: './database.mjs' } };`);

for (const pool of ['forks', 'threads', 'vmThreads'])
  test(`each test has the database as it was made: ${pool}`, () => {
    project.write('made', '');
    const { status, said } = project.tool('vitest', ['run', '--pool', pool]);
    assert.is(status, 0, said);
    assert.match(said, new RegExp(`${2 * (TESTS + 4)} passed`));
    assert.is(readFileSync(join(project.directory, 'made'), 'utf8'), 'x', 'made once');
  });

test.after(project.remove);
test.run();
