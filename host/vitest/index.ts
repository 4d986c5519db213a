/**
 * A database for each test of Vitest: migrated and seeded once, forked for every test, in any worker.
 *
 * @module ringzero/vitest
 */

import type { Extensions, PGliteInterfaceExtensions } from '@electric-sql/pglite';
import { inject, test, type TestAPI } from 'vitest';
import { openFork, shareForks, type Forkable, type PGliteFork } from '../pglite/index.ts';

/** Under which the setup provides the address for tests. */
const KEY = 'ringzero.pglite';

/** What a global setup of Vitest is given. */
interface Project {
  provide(key: never, value: never): void;
}

/**
 * A global setup: `make` creates the database before the tests, and its forks go to all workers.
 *
 * @category PGlite
 * @example
 * // the module that `globalSetup` of Vitest names
 * export default shareDatabase(async () => {
 *   const db = await PGlite.create();
 *   await db.exec(schema);
 *   return db;
 * });
 */
export function shareDatabase(
  make: () => Promise<Forkable>,
): (project: Project) => Promise<() => Promise<void>> {
  return async (project) => {
    const db = await make();
    const shared = await shareForks(db);
    project.provide(KEY as never, shared.address as never);
    return async () => {
      await shared.close();
      await db.close();
    };
  };
}

/**
 * Vitest's `test` with a fixture `db`: the database as the global setup made it, for this test alone.
 * `extensions`: those whose objects tests use, such as `live`.
 *
 * @category PGlite
 * @example
 * const test = databaseTest();
 * test('deletes', async ({ db }) => {
 *   await db.exec('DELETE FROM person');
 * });
 */
export function databaseTest<E extends Extensions = Record<string, never>>(
  options: { extensions?: E } = {},
): TestAPI<{ db: PGliteFork & PGliteInterfaceExtensions<E> }> {
  return test.extend<{ db: PGliteFork & PGliteInterfaceExtensions<E> }>({
    // Vitest reads the names of what it uses from the pattern
    db: async ({}, use) => {
      const db = await openFork(inject(KEY as never), options);
      await use(db);
      await db.close();
    },
  });
}
