// The work of bench/fork-code.ts, which the parent does on its own program and a driven fork on its copy.

/** What the parent's program and a fork have in common. */
export interface Target {
  call(name: string, ...args: (number | bigint)[]): number;
  put(text: string): number;
  u32(address: number): number;
}

/** Calls in turn, the result that of the call at `result`; or a query, all of its rows. */
export type Work =
  | {
      readonly calls: readonly (readonly [name: string, ...args: number[]])[];
      readonly result: number;
    }
  | { readonly database: number; readonly sql: string };

export interface Timed {
  readonly ms: number;
  readonly result: number;
}

const SQLITE_ROW = 100;
const SQLITE_DONE = 101;

export function doWork(target: Target, work: Work): Timed {
  const start = performance.now();
  const result = 'sql' in work ? query(target, work.database, work.sql) : calls(target, work);
  return { ms: performance.now() - start, result };
}

function calls(target: Target, work: Extract<Work, { calls: unknown }>): number {
  const results = work.calls.map(([name, ...args]) => target.call(name, ...args));
  return results[work.result]!;
}

/** The sum of the first column. */
function query(target: Target, database: number, sql: string): number {
  const text = target.put(sql);
  const out = target.put('\0\0\0');
  if (target.call('sqlite3_prepare_v2', database, text, -1, out, 0) !== 0)
    throw new Error(`SQLite refuses ${sql}`);
  const statement = target.u32(out);
  let sum = 0;
  let code: number;
  while ((code = target.call('sqlite3_step', statement)) === SQLITE_ROW)
    sum += target.call('sqlite3_column_double', statement, 0);
  target.call('sqlite3_finalize', statement);
  target.call('free', text);
  target.call('free', out);
  if (code !== SQLITE_DONE) throw new Error(`SQLite fails with ${code}: ${sql}`);
  return sum;
}

/** What snapshot.drive() calls in the fork's thread. */
export function main(fork: Target, work: Work): Timed {
  return doWork(fork, work);
}
