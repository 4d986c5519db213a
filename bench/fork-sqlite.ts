// Forking an unmodified SQLite with an in-memory database against serialising it: how long the writer stands
// still for each, and what forks that are queried in other threads do to its latencies.
//
//   node dist/bench/fork-sqlite.js [--smoke]

import { Worker } from 'node:worker_threads';
import type { Program, Snapshot } from '../host/index.ts';
import type { Plot, Point } from './plot.ts';
import { atLeast, isSmoke, median, report, summarise, type Row, type Summary } from './report.ts';

const MIB = 2 ** 20;
// The module's memory ends at 2 GiB and a serialised copy must fit as well as the pages: 960 MiB is about the
// most.
const SIZES_MIB = isSmoke ? [8] : [16, 128, 960];
const ROW_BYTES = 3900; // one row a page
const FORKS = isSmoke ? 20 : 300;
const SERIALISATIONS = 5;
const FORK_WARM_UP = isSmoke ? 10 : 2000;
const WRITER_MS = isSmoke ? 300 : 3000;
const WRITER_ROUNDS = isSmoke ? 1 : 3;
const FORK_EVERY_MS = 100;

interface Database {
  pointer: number;
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}
interface Statement {
  bind(values: readonly unknown[]): Statement;
  stepReset(): unknown;
  finalize(): void;
}
interface Sqlite {
  oo1: { DB: new (name: string) => Database };
  capi: { sqlite3_js_db_export(database: Database): Uint8Array };
}
interface Opened {
  sqlite3: Sqlite;
  program: Program;
}

const EXAMPLE = new URL('../../examples/fork-sqlite/', import.meta.url);
const DRIVER = new URL('driver.js', EXAMPLE);
const { openSqlite } = (await import(new URL('sqlite.js', EXAMPLE).href)) as {
  openSqlite(): Promise<Opened>;
};
const stock = (await import('@sqlite.org/sqlite-wasm')) as unknown as {
  default(): Promise<Sqlite>;
};

function fill(database: Database, mib: number): void {
  const rows = Math.floor((mib * MIB) / 4096);
  database.exec(`CREATE TABLE item (id INTEGER PRIMARY KEY, amount INTEGER, body BLOB);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO item SELECT i, 1, zeroblob(${ROW_BYTES}) FROM n`);
}

/** Microseconds that taking a fork holds the caller up. */
async function forkTimes(program: Program): Promise<Summary> {
  const samples = new Float64Array(FORKS);
  for (let i = -FORK_WARM_UP; i < FORKS; i++) {
    const before = performance.now();
    const fork = program.snapshot();
    const us = (performance.now() - before) * 1000;
    if (i >= 0) samples[i] = us;
    await fork.release();
  }
  return summarise(samples);
}

/** Median milliseconds of one serialisation, in the module as it is shipped. */
async function serialiseMs(mib: number): Promise<number> {
  const sqlite3 = await stock.default();
  const database = new sqlite3.oo1.DB(':memory:');
  fill(database, mib);
  const times: number[] = [];
  for (let i = 0; i < SERIALISATIONS; i++) {
    const before = performance.now();
    const bytes = sqlite3.capi.sqlite3_js_db_export(database);
    times.push(performance.now() - before);
    if (bytes.length < mib * MIB) throw new Error(`${bytes.length} bytes serialised of ${mib} MiB`);
  }
  database.close();
  return median(times);
}

interface Writes {
  latency: Summary;
  /** Microseconds that taking each fork held the writer up. */
  forkUs: number[];
  count: number;
  forks: number;
  copies: number;
}

/**
 * What runs at the same time as the writer: nothing, forks that are queried in other threads, or a thread
 * that computes.
 */
type Beside = 'nothing' | 'forks' | 'thread';

/** Transactions of 20 random updates for a while. */
async function write(
  { program }: Opened,
  database: Database,
  rows: number,
  beside: Beside,
): Promise<Writes> {
  const update = database.prepare('UPDATE item SET amount = amount + ? WHERE id = ?');
  const samples: number[] = [];
  const queries: Promise<void>[] = [];
  const forkUs: number[] = [];
  const other = beside === 'thread' ? new Worker('while (true);', { eval: true }) : undefined;
  const copiesBefore = program.vm.stats().copies;
  const start = performance.now();
  let due = start;
  while (performance.now() - start < WRITER_MS) {
    if (beside === 'forks' && performance.now() >= due) {
      due += FORK_EVERY_MS;
      if (program.vm.stats().snapshotsActive < 2) {
        const before = performance.now();
        const fork = program.snapshot();
        forkUs.push((performance.now() - before) * 1000);
        queries.push(query(fork, database));
      }
    }
    const before = performance.now();
    database.exec('BEGIN');
    for (let i = 0; i < 20; i++) {
      const id = 1 + Math.floor(Math.random() * rows);
      update.bind([i % 2 === 0 ? 1 : -1, id]).stepReset();
    }
    database.exec('COMMIT');
    samples.push((performance.now() - before) * 1000);
    if (samples.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  update.finalize();
  await Promise.all(queries);
  await other?.terminate();
  return {
    forkUs,
    latency: summarise(Float64Array.from(samples)),
    count: samples.length,
    forks: queries.length,
    copies: program.vm.stats().copies - copiesBefore,
  };
}

/** The sum never changes: a fork that saw half a transaction would give itself away. */
async function query(fork: Snapshot, database: Database): Promise<void> {
  const sql = 'SELECT count(*), sum(amount) FROM item';
  const [[count, sum]] = (await fork.drive(DRIVER, { db: database.pointer, sql })) as [number[]];
  await fork.release();
  if (count !== sum) throw new Error(`a fork saw ${count} rows with the sum ${sum}`);
}

const us = (value: number): string => `${value < 100 ? value.toFixed(1) : value.toFixed(0)} µs`;
const rows: Row[] = [];
const data: Record<string, unknown> = {};
const points: Point[] = [];
const beside: Point[] = [];

for (const mib of SIZES_MIB) {
  const opened = await openSqlite();
  const database = new opened.sqlite3.oo1.DB(':memory:');
  fill(database, mib);
  const forks = await forkTimes(opened.program);
  const count = Math.floor((mib * MIB) / 4096);
  const writes: Record<Beside, Writes[]> = { nothing: [], forks: [], thread: [] };
  await write(opened, database, count, 'forks'); // until the engine has compiled everything
  for (let round = 0; round < WRITER_ROUNDS; round++) {
    for (const beside of ['nothing', 'forks', 'thread'] as const)
      writes[beside].push(await write(opened, database, count, beside));
  }
  await opened.program.close();
  const serialised = await serialiseMs(mib);
  data[`${mib} MiB`] = { forks, serialisedMs: serialised, writes };
  points.push(
    { group: mib, series: 'fork', samples: [forks.median] },
    { group: mib, series: 'serialising it', samples: [serialised * 1000] },
  );
  for (const [series, list] of Object.entries(writes))
    beside.push({
      group: `${mib} MiB`,
      series: `beside ${series}`,
      samples: list.map(({ latency }) => latency.p999),
    });
  rows.push(
    {
      figure: `fork, ${mib} MiB: median`,
      value: us(forks.median),
      ratio: `serialising it: ${serialised.toFixed(1)} ms, ${((serialised * 1000) / forks.median).toFixed(0)}x`,
      ...(mib > 900 && atLeast((serialised * 1000) / forks.median, 1000, 'x')),
    },
    { figure: `fork, ${mib} MiB: p99`, value: us(forks.p99) },
    {
      figure: `fork, ${mib} MiB: median, one in ${FORK_EVERY_MS} ms between writes`,
      value: us(median(writes.forks.flatMap(({ forkUs }) => forkUs))),
    },
  );
  for (const quantile of ['median', 'p999', 'max'] as const) {
    const of = (list: Writes[]): number => median(list.map(({ latency }) => latency[quantile]));
    const ratio = (list: Writes[]): string => `${(of(writes.forks) / of(list)).toFixed(2)}x`;
    rows.push({
      figure: `  writer, 20 updates: ${quantile === 'p999' ? 'p99.9' : quantile}`,
      value: `${us(of(writes.forks))} with forks`,
      ratio: `alone ${us(of(writes.nothing))}, ${ratio(writes.nothing)}; beside a busy thread ${us(of(writes.thread))}, ${ratio(writes.thread)}`,
    });
  }
}
const plots: Plot[] = [
  {
    title: 'A copy of an SQLite database in memory',
    values: 'microseconds',
    groups: 'MiB',
    isLog: true,
    points,
  },
  { title: 'p99.9 of 20 updates meanwhile', values: 'microseconds', points: beside },
];
report('fork-sqlite', rows, data, plots);
process.exit(0);
