// Forks for other processes (SHARE-1).

import { live } from '@electric-sql/pglite/live';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openFork, PGlite, shareForks, type SharedForks } from '../../host/pglite/index.ts';
import { moduleCommand } from '../runtime.ts';

const test = suite('forks of PGlite for other processes');
const create = () => PGlite.create({ extensions: { live } });
let db: Awaited<ReturnType<typeof create>>;
let shared: SharedForks;

test.before(async () => {
  db = await create();
  await db.exec(`CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE person (id serial PRIMARY KEY, tags text[], moods mood[]);
    INSERT INTO person (tags, moods) VALUES (ARRAY['a', 'b,c'], ARRAY['good', 'bad']::mood[])`);
  shared = await shareForks(db);
});
test.after(async () => {
  await shared.close();
  await db.close();
});

/** What another process prints that works on a fork with `code`. */
async function elsewhere(code: string): Promise<{ output: string; code: number | null }> {
  const program = fileURLToPath(new URL('./share-client.js', import.meta.url));
  const [command, ...words] = moduleCommand(program);
  const child = spawn(command!, [...words, shared.address, code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { output, code: status };
}

test('another process has a fork, with values, errors and extensions as here', async () => {
  const { output, code } = await elsewhere(`
    const { rows } = await fork.query('SELECT tags, moods FROM person');
    const inserted = await fork.query('INSERT INTO person (tags) VALUES ($1) RETURNING tags', [['x']]);
    const failed = await fork.query('SELECT 1 / $1::int', [0]).catch(({ code }) => code);
    const { initialResults } = await fork.live.query('SELECT count(*)::int AS n FROM person');
    console.log(JSON.stringify([rows, inserted.rows, failed, initialResults.rows]));
    await fork.close();`);
  assert.is(code, 0);
  assert.equal(JSON.parse(output), [
    [{ tags: ['a', 'b,c'], moods: ['good', 'bad'] }],
    [{ tags: ['x'] }],
    '22012',
    [{ n: 2 }],
  ]);
  assert.equal((await db.query('SELECT count(*)::int AS n FROM person')).rows, [{ n: 1 }]);
});

test('a process that exits or is killed without closing leaves nothing, and an idle one may exit', async () => {
  for (const end of ['process.exit(3)', "process.kill(process.pid, 'SIGKILL')", '']) {
    const { code } = await elsewhere(`await fork.exec('TRUNCATE person'); ${end};`);
    assert.is(code, end === '' ? 0 : end.includes('exit') ? 3 : null);
  }
  for (let i = 0; i < 40; i++) {
    const fork = await openFork(shared.address); // more than there are slots for snapshots
    assert.equal((await fork.query('SELECT count(*)::int AS n FROM person')).rows, [{ n: 1 }]);
    await fork.close();
  }
});

test('forks of several processes at once; large results; calls after the end', async () => {
  const big = 'SELECT repeat(md5(i::text), 1000) AS r FROM generate_series(1, 200) i';
  const all = await Promise.all(
    Array.from({ length: 4 }, async (_, i) => {
      const fork = await openFork(shared.address);
      await fork.query('UPDATE person SET tags = $1', [[`${i}`]]);
      const { rows } = await fork.query<{ r: string }>(big);
      assert.is(
        rows.reduce((sum, { r }) => sum + r.length, 0),
        200 * 32_000,
      );
      const { rows: found } = await fork.query<{ tags: string[] }>('SELECT tags FROM person');
      await fork.close();
      const after = await fork.query('SELECT 1').catch((error: { code?: string }) => error.code);
      assert.is(after, 'RZ_SNAPSHOT_CLOSED');
      return found[0]!.tags[0];
    }),
  );
  assert.equal(all, ['0', '1', '2', '3']);
  const code = await openFork('/nowhere').catch((error: { code?: string }) => error.code);
  assert.is(code, 'RZ_HOST');
});

test.run();
