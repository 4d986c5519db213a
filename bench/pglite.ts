// PGlite on the machine: forks, compared with PGlite's own ways to a second database; and the same statements
// on the machine and off it.
//
//   node dist/bench/pglite.js [--smoke]

import { PGlite as Stock } from '@electric-sql/pglite';
import { PGlite } from '../host/pglite/index.ts';
import { atLeast, atMost, isSmoke, median, report, type Row } from './report.ts';

const TABLES = isSmoke ? 6 : 60;
const ROWS = isSmoke ? 1000 : 100_000;
const ROUNDS = isSmoke ? 1 : 9;
const FORKS = isSmoke ? 4 : 30;
/** Tests with a database each: by forks and TRUNCATE, and by a PGlite each, of which fewer are enough. */
const [TESTS, FRESH] = isSmoke ? [8, 1] : [200, 8];
const MB = 2 ** 20;
const samples: Record<string, number[]> = {};
const note = (name: string, value: number): void => void (samples[name] ??= []).push(value);

async function timed<T>(name: string, action: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await action();
  note(name, performance.now() - start);
  return result;
}

const SCHEMA = Array.from(
  { length: TABLES },
  (_, i) => `CREATE TABLE t${i} (id serial PRIMARY KEY, a int, b text, c timestamptz DEFAULT now());
    CREATE INDEX ON t${i} (a);
    INSERT INTO t${i} (a, b) SELECT n, md5(n::text) FROM generate_series(1, ${Math.ceil(ROWS / TABLES)}) n;`,
).join('\n');
const COUNT = 'SELECT count(*)::int AS n FROM t1';

type Database = Stock | PGlite;

async function fork(db: PGlite, name: string): Promise<void> {
  const made = await timed(name, async () => {
    const fork = await db.fork();
    await fork.query(COUNT);
    return fork;
  });
  await made.close();
}

/** Forks with a thread that waits, and with none. */
async function forks(): Promise<void> {
  const cold = await PGlite.create({ warm: 0 });
  await cold.exec(SCHEMA);
  await fork(cold, 'first'); // compiles the program for branches
  for (let i = 0; i < (isSmoke ? 1 : 7); i++) await fork(cold, 'cold');
  await timed('clone', async () => {
    const stock = await Stock.create({ loadDataDir: await cold.dumpDataDir('none') });
    await stock.query(COUNT);
    await stock.close();
  });
  await cold.close();
  const warm = await PGlite.create();
  await warm.exec(SCHEMA);
  await warm.warmForks();
  for (let i = 0; i < FORKS; i++) {
    await fork(warm, 'warm');
    await warm.warmForks();
  }
  const before = process.memoryUsage().rss;
  const open = [];
  for (let i = 0; i < 4; i++) open.push(await warm.fork());
  for (const each of open) await each.query(COUNT);
  note('memory', (process.memoryUsage().rss - before) / open.length / MB);
  for (const each of open) await each.close();
  await warm.close();
}

const TEST = [
  `INSERT INTO t2 (a, b) VALUES (1, 'x'), (2, 'y')`,
  'SELECT count(*) FROM t2 WHERE a < 3',
  `UPDATE t3 SET b = 'z' WHERE id = 1`,
  'DELETE FROM t4 WHERE id < 10',
];

/** Two lanes, as a test runner with two workers. */
async function inLanes(count: number, test: (lane: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  const lane = async (number: number): Promise<void> => {
    for (let i = number; i < count; i += 2) await test(number);
  };
  await Promise.all([lane(0), lane(1)]);
  return (performance.now() - start) / count;
}

async function tests(): Promise<void> {
  const small = SCHEMA.replaceAll(/generate_series\(1, \d+\)/g, 'generate_series(1, 20)');
  const db = await PGlite.create({ warm: 2 });
  await db.exec(small);
  await db.warmForks();
  const lanes = await Promise.all([Stock.create(), Stock.create()]);
  for (const each of lanes) await each.exec(small);
  const names = Array.from({ length: TABLES }, (_, i) => `t${i}`).join();
  const seed = small.replaceAll(/CREATE [^;]*;/g, '');
  for (let round = 0; round < (isSmoke ? 1 : 3); round++) {
    note(
      'test: fork',
      await inLanes(TESTS, async () => {
        const fork = await db.fork();
        for (const text of TEST) await fork.query(text);
        await fork.close();
      }),
    );
    note(
      'test: truncate',
      await inLanes(TESTS, async (lane) => {
        await lanes[lane]!.exec(`TRUNCATE ${names} RESTART IDENTITY; ${seed}`);
        for (const text of TEST) await lanes[lane]!.query(text);
      }),
    );
    note(
      'test: fresh',
      await inLanes(FRESH, async () => {
        const own = await Stock.create();
        await own.exec(small);
        for (const text of TEST) await own.query(text);
        await own.close();
      }),
    );
  }
  for (const each of [db, ...lanes]) await each.close();
}

async function mix(db: Database, name: string, round: number): Promise<void> {
  await timed(`${name}: pgbench-like`, async () => {
    for (let i = 0; i < 300; i++) {
      const id = 1 + ((i * 7919) % 1000);
      await db.transaction(async (tx) => {
        await tx.query('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [i, id]);
        await tx.query('SELECT balance FROM accounts WHERE id = $1', [id]);
        await tx.query('INSERT INTO history (account, delta) VALUES ($1, $2)', [id, i]);
      });
    }
  });
  const table = `bulk${round}`;
  await timed(`${name}: bulk insert`, () =>
    db.exec(`CREATE TABLE ${table} AS SELECT i AS id, md5(i::text) AS v
      FROM generate_series(1, ${isSmoke ? 1000 : 50_000}) i`),
  );
  await timed(`${name}: index build`, () => db.exec(`CREATE INDEX ON ${table} (v)`));
  await timed(`${name}: aggregate`, () =>
    db.exec(`SELECT count(*), avg(length(v)), max(v) FROM ${table} GROUP BY id % 100`),
  );
  await timed(`${name}: join and sort`, () =>
    db.exec(`SELECT a.v FROM ${table} a JOIN ${table} b ON a.id = b.id ORDER BY a.v DESC LIMIT 10`),
  );
  await db.exec(`DROP TABLE ${table}`);
}

async function statements(): Promise<void> {
  const databases: Record<string, Database> = {
    stock: await timed('stock: create', () => Stock.create()),
    ours: await timed('ours: create', () => PGlite.create({ warm: 0 })),
  };
  for (const db of Object.values(databases))
    await db.exec(`CREATE TABLE accounts (id int PRIMARY KEY, balance int, filler text);
      INSERT INTO accounts SELECT i, 0, repeat('x', 84) FROM generate_series(1, 1000) i;
      CREATE TABLE history (id serial, account int, delta int, at timestamptz DEFAULT now())`);
  for (let round = -1; round < ROUNDS; round++) {
    if (round === 0)
      for (const key of Object.keys(samples)) if (/: (?!create)/.test(key)) samples[key] = [];
    const order = Object.entries(databases);
    if (round % 2 === 0) order.reverse();
    for (const [name, db] of order) await mix(db, name, round + 1);
  }
  for (const db of Object.values(databases)) await db.close();
}

await statements();
await forks();
await tests();

const of = (name: string): number => median(samples[name]!);
const ms = (name: string): string => `${of(name).toFixed(1)} ms`;
const WORK = ['pgbench-like', 'bulk insert', 'index build', 'aggregate', 'join and sort'];
const ratio = (work: string): number => of(`ours: ${work}`) / of(`stock: ${work}`);
const mean = Math.exp(WORK.reduce((sum, work) => sum + Math.log(ratio(work)), 0) / WORK.length);
const rows: Row[] = [
  {
    figure: 'fork to the first answered query, a thread waits',
    value: ms('warm'),
    ratio: `${(of('clone') / of('warm')).toFixed(0)}x faster than dump and load`,
    ...atMost(of('warm'), 5, ' ms'),
  },
  {
    figure: 'the same from nothing',
    value: ms('cold'),
    ratio: `${(of('clone') / of('cold')).toFixed(1)}x faster than dump and load`,
    ...atMost(of('cold'), 50, ' ms'),
  },
  {
    figure: 'memory of a fork',
    value: `${of('memory').toFixed(0)} MB`,
    ratio: '',
    ...atMost(of('memory'), 2, ' MB'),
  },
  {
    figure: 'a test with a database: a fork, or a new PGlite',
    value: `${ms('test: fork')}, ${ms('test: fresh')}`,
    ratio: `${(of('test: fresh') / of('test: fork')).toFixed(0)}x`,
    ...atLeast(of('test: fresh') / of('test: fork'), 50, 'x'),
  },
  {
    figure: 'a test with a database: a fork, or TRUNCATE',
    value: `${ms('test: fork')}, ${ms('test: truncate')}`,
    ratio: `${(of('test: truncate') / of('test: fork')).toFixed(1)}x`,
    ...atLeast(of('test: truncate') / of('test: fork'), 2, 'x'),
  },
  {
    figure: 'statements on the machine, geometric mean',
    value: `${mean.toFixed(2)}x time`,
    ratio: `${mean.toFixed(2)}x of PGlite`,
    ...atMost(mean, 1.25, 'x'),
  },
  ...['create', ...WORK].map((work): Row => ({
    figure: work,
    value: ms(`ours: ${work}`),
    ratio: `${ratio(work).toFixed(2)}x of PGlite`,
  })),
];
report('pglite', rows, { tables: TABLES, rows: ROWS, samples });
process.exit();
