// Forks of PGlite: the database as it was, whole, in a thread of its own.

import { PGlite as Stock } from '@electric-sql/pglite';
import { live } from '@electric-sql/pglite/live';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { vector } from '@electric-sql/pglite-pgvector';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PGlite, type PGliteFork } from '../../host/pglite/index.ts';

const test = suite('forks of PGlite');
const extensions = { vector, pg_trgm, live };
type Database = Awaited<ReturnType<typeof create>>;
type Queries = Pick<PGliteFork, 'query'>;

const create = () => PGlite.create({ extensions });
let db: Database;

const ROWS = 5000;
const SCHEMA = `
  CREATE EXTENSION vector;
  CREATE EXTENSION pg_trgm;
  CREATE TABLE person (id serial PRIMARY KEY, name text NOT NULL, place vector(3));
  INSERT INTO person (name, place) SELECT md5(i::text), ARRAY[i, i % 7, 1]::vector
    FROM generate_series(1, ${ROWS}) i;
  CREATE INDEX person_name ON person USING gin (name gin_trgm_ops);
  CREATE FUNCTION twice(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 2 * i; END $$;
  SELECT twice(1);`;

test.before(async () => {
  db = await create();
  await db.exec(SCHEMA);
});
test.after(() => db.close());

const one = async (on: Queries, text: string): Promise<unknown> => {
  const { rows } = await on.query<Record<string, unknown>>(text);
  return Object.values(rows[0]!)[0];
};
const count = (on: Queries, table = 'person'): Promise<unknown> =>
  one(on, `SELECT count(*)::int FROM ${table}`);

async function failure(promise: Promise<unknown>): Promise<{ code?: string; message: string }> {
  try {
    await promise;
    return { message: 'none' };
  } catch (error) {
    return error as Error;
  }
}

test('a fork has the data, and both go on separately', async () => {
  await using fork = await db.fork();
  await db.exec('DELETE FROM person WHERE id <= 10');
  assert.is(await count(fork), ROWS);
  await fork.exec('DELETE FROM person WHERE id > 10; CREATE TABLE other AS SELECT * FROM person');
  assert.is(await count(fork, 'other'), 10);
  assert.is(await count(db), ROWS - 10);
  assert.match((await failure(count(db, 'other'))).message, /relation "other" does not exist/);
  await db.exec(`INSERT INTO person SELECT i, md5(i::text) FROM generate_series(1, 10) i`);
});

test('functions, extensions and their indexes work', async () => {
  await using fork = await db.fork();
  assert.is(await one(fork, 'SELECT twice(21)'), 42);
  const nearest = 'SELECT id FROM person ORDER BY place <-> ARRAY[9, 2, 1]::vector, id LIMIT 1';
  assert.is(await one(fork, nearest), await one(db, nearest));
  const like = `SELECT count(*)::int FROM person WHERE name LIKE '%c4ca%'`;
  await fork.exec('SET enable_seqscan = off');
  assert.match(JSON.stringify((await fork.query(`EXPLAIN ${like}`)).rows), /person_name/);
  assert.is(await one(fork, like), await one(db, like));
  assert.is(await one(fork, `SELECT similarity('word', 'words')::text`), '0.5714286');
});

test('live queries of a fork follow the fork', async () => {
  await using fork = await db.fork();
  const seen: unknown[] = [];
  let told = (): void => {};
  const query = 'SELECT count(*)::int AS n FROM person';
  const subscribed = await fork.live.query<{ n: number }>(
    query,
    [],
    ({ rows }: { rows: { n: number }[] }) => {
      seen.push(rows[0]!.n);
      told();
    },
  );
  const change = new Promise<void>((resolve) => (told = resolve));
  await db.exec('SELECT 1');
  await fork.exec('DELETE FROM person WHERE id = 1');
  await change;
  assert.is(seen.at(-1), ROWS - 1);
  await subscribed.unsubscribe();
});

test('settings, temporary tables, prepared statements and sequences of the session are in the fork', async () => {
  await db.exec(`SET application_name = 'kept'; CREATE TEMP TABLE passing (a int);
    INSERT INTO passing VALUES (1), (2); PREPARE ready AS SELECT count(*)::int FROM passing`);
  await using fork = await db.fork();
  await db.exec('DISCARD ALL');
  assert.is(await one(fork, 'SHOW application_name'), 'kept');
  assert.is(await count(fork, 'passing'), 2);
  assert.is(await one(fork, 'EXECUTE ready'), 2);
  const next = `SELECT nextval('person_id_seq')::int`;
  assert.is(await one(fork, next), await one(db, next));
});

test('random numbers of forks differ', async () => {
  const forks = await Promise.all([db.fork(), db.fork(), db.fork()]);
  const numbers = await Promise.all([db, ...forks].map((each) => one(each, 'SELECT random()')));
  const ids = await Promise.all(
    [db, ...forks].map((each) => one(each, 'SELECT gen_random_uuid()')),
  );
  assert.is(new Set(numbers).size, 4);
  assert.is(new Set(ids).size, 4);
  await Promise.all(forks.map((fork) => fork.close()));
});

test('transactions, errors and notifications of a fork are as of PGlite', async () => {
  await using fork = await db.fork();
  const error = (await failure(fork.query('SELECT * FROM person WHERE id = $1', ['x']))) as {
    code?: string;
    params?: unknown;
  };
  assert.is(error.code, '22P02');
  assert.equal(error.params, ['x']);
  const left = await failure(
    fork.transaction(async (tx) => {
      await tx.exec('DELETE FROM person');
      throw new Error('undone');
    }),
  );
  assert.is(left.message, 'undone');
  assert.is(await count(fork), ROWS);
  const heard: string[] = [];
  const stop = await fork.listen('news', (payload) => heard.push(payload));
  fork.onNotification((channel, payload) => heard.push(`${channel}: ${payload}`));
  await fork.exec(`NOTIFY news, 'a'; NOTIFY other, 'b'`);
  await stop();
  await fork.exec(`NOTIFY news, 'c'`);
  await Promise.resolve();
  assert.equal(heard.sort(), ['a', 'news: a']);
  const described = await fork.describeQuery('SELECT name FROM person WHERE id = $1');
  assert.equal(
    described.resultFields.map(({ name }) => name),
    ['name'],
  );
});

test('a fork waits for the transaction in progress', async () => {
  let made: Promise<PGliteFork> | undefined;
  await db.transaction(async (tx) => {
    await tx.exec('CREATE TABLE shared (a int)');
    made = db.fork();
    await tx.exec('INSERT INTO shared VALUES (1)');
  });
  await using fork = await made!;
  assert.is(await count(fork, 'shared'), 1);
  await db.exec('DROP TABLE shared');
  assert.is(await count(fork, 'shared'), 1);
});

test('COPY from and to a blob; a dump that the plain PGlite loads', async () => {
  await using fork = await db.fork();
  await fork.exec('CREATE TABLE copied (a int, b text)');
  const blob = new Blob(['1,one\n2,two\n']);
  await fork.query(`COPY copied FROM '/dev/blob' WITH (FORMAT csv)`, [], { blob });
  const { blob: out } = await fork.query(`COPY copied TO '/dev/blob' WITH (FORMAT csv)`);
  assert.is(await out!.text(), '1,one\n2,two\n');
  const dump = await fork.dumpDataDir('none');
  const plain = await Stock.create({ loadDataDir: dump, extensions });
  assert.is(await count(plain), ROWS);
  assert.is(await count(plain, 'copied'), 2);
  await plain.close();
});

test('a thread that a fork has left has nothing of it', async () => {
  await db.warmForks();
  for (let i = 0; i < 6; i++) {
    const fork = await db.fork();
    assert.match((await failure(count(fork, 'mine'))).message, /does not exist/);
    assert.is(await one(fork, 'SHOW work_mem'), '4MB');
    await fork.exec(`CREATE TABLE mine AS SELECT i FROM generate_series(1, 1000) i;
      SET work_mem = '1MB'; CREATE INDEX ON mine (i); TRUNCATE person; BEGIN`);
    await fork.close();
    await db.exec(`UPDATE person SET name = 'round ${i}' WHERE id = ${i + 100}`);
  }
  await using fork = await db.fork();
  assert.is(await one(fork, 'SELECT name FROM person WHERE id = 105'), 'round 5');
  assert.is(await count(fork), ROWS);
});

test('bad options and calls on a closed fork have typed errors', async () => {
  const codeOf = (fn: () => unknown): unknown => {
    try {
      fn();
      return 'none';
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  assert.is(
    codeOf(() => new PGlite('./directory')),
    'RZ_OPTION',
  );
  assert.is(
    codeOf(() => new PGlite({ warm: -1 })),
    'RZ_OPTION',
  );
  assert.is(
    codeOf(() => new PGlite({ memory: 3 })),
    'RZ_OPTION',
  );
  const fork = await db.fork();
  await fork.close();
  await fork.close();
  assert.is(fork.closed, true);
  assert.is((await failure(fork.query('SELECT 1'))).code, 'RZ_SNAPSHOT_CLOSED');
  assert.is(await one(db, 'SELECT 1'), 1);
});

test.run();
