// A fork of a database, for its user.

import type { ProgramBranch } from '../vm/branch/program-branch.ts';
import type { SQLiteParameters, SQLiteValue, Table } from './package.ts';
import type { Failure, Reply } from './serve.ts';

/**
 * SQLite refused a statement in a fork.
 *
 * @category SQLite
 */
export class SQLiteError extends Error {
  override readonly name = 'SQLiteError';
  /** SQLite's result code, if the package says it: sql.js does not. */
  readonly resultCode: number | undefined;

  constructor({ message, code }: Failure) {
    super(message);
    this.resultCode = code;
  }
}

type Run = (sql: string, parameters: SQLiteParameters | undefined) => Promise<Table>;

/**
 * Statements on a fork. A text may have several: parameters are those of the first that has any, rows those
 * of the first with columns.
 *
 * @category SQLite
 */
export class SQLiteStatements {
  readonly #run: Run;

  /** @internal */
  constructor(run: Run) {
    this.#run = run;
  }

  /** Runs statements. */
  async exec(sql: string, parameters?: SQLiteParameters): Promise<void> {
    await this.#run(sql, parameters);
  }
  /** The rows, as arrays. */
  async selectArrays(sql: string, parameters?: SQLiteParameters): Promise<SQLiteValue[][]> {
    return (await this.#run(sql, parameters)).rows;
  }
  /** The rows, as objects. */
  async selectObjects(
    sql: string,
    parameters?: SQLiteParameters,
  ): Promise<Record<string, SQLiteValue>[]> {
    const { columns, rows } = await this.#run(sql, parameters);
    return rows.map(
      (row) =>
        Object.fromEntries(columns.map((name, i) => [name, row[i]])) as Record<string, SQLiteValue>,
    );
  }
  /** The first column of each row. */
  async selectValues(sql: string, parameters?: SQLiteParameters): Promise<SQLiteValue[]> {
    return (await this.#run(sql, parameters)).rows.map(([value]) => value!);
  }
  /** The first column of the first row; undefined without rows. */
  async selectValue(sql: string, parameters?: SQLiteParameters): Promise<SQLiteValue | undefined> {
    return (await this.#run(sql, parameters)).rows[0]?.[0];
  }

  /**
   * Runs `body` in a transaction, which is rolled back if it throws. Nests. Inside, use what `body` is given:
   * statements on the fork itself wait.
   */
  async transaction<Result>(body: (tx: SQLiteStatements) => Promise<Result>): Promise<Result> {
    await this.exec('SAVEPOINT ringzero');
    try {
      const result = await body(this);
      await this.exec('RELEASE ringzero');
      return result;
    } catch (error) {
      await this.exec('ROLLBACK TO ringzero; RELEASE ringzero').catch(() => {}); // SQLite has rolled back
      throw error;
    }
  }
}

/**
 * A database as another was when `fork()` was called, in a thread of its own.
 *
 * @category SQLite
 */
export class SQLiteFork extends SQLiteStatements {
  readonly #branch: ProgramBranch;
  readonly #direct: SQLiteStatements;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(branch: ProgramBranch) {
    const run: Run = async (sql, parameters) => {
      const reply = (await branch.call('run', sql, parameters)) as Reply;
      if ('failure' in reply) throw new SQLiteError(reply.failure);
      return reply.table;
    };
    super((sql, parameters) => this.#inTurn(() => run(sql, parameters)));
    this.#branch = branch;
    this.#direct = new SQLiteStatements(run);
  }

  override transaction<Result>(body: (tx: SQLiteStatements) => Promise<Result>): Promise<Result> {
    return this.#inTurn(() => this.#direct.transaction(body));
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Ends the fork, after what it has been asked. */
  async close(): Promise<void> {
    await this.#last;
    await this.#branch.close();
  }
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
