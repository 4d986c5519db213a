// The user's installed @electric-sql/pglite: its files, and its base class, which it does not export by name.

import { PGlite } from '@electric-sql/pglite';
import { readPackageFile } from '#platform';

/** PostgreSQL's module. */
export function packageModule(): Promise<Uint8Array> {
  const entry = import.meta.resolve('@electric-sql/pglite');
  return readPackageFile(new URL('./pglite.wasm', entry));
}

/** What PGlite's base class makes of a way to execute messages of PostgreSQL's protocol. */
type Inherited = Pick<
  PGlite,
  | 'query'
  | 'sql'
  | 'exec'
  | 'describeQuery'
  | 'transaction'
  | 'runExclusive'
  | 'refreshArrayTypes'
  | 'parsers'
  | 'serializers'
>;

/** The class that PGlite and its clients extend. */
export const Base = Object.getPrototypeOf(PGlite) as abstract new () => Inherited;
