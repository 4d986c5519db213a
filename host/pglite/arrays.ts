// Parsers and serializers of values, in a process that does not have the database: those of PGlite, and those
// of arrays, which depend on the database's types.

import { types, type PGlite } from '@electric-sql/pglite';

/** A type of arrays, and of its elements. */
export interface ArrayType {
  readonly array: number;
  readonly element: number;
}

const QUERY = `SELECT typarray AS array, oid AS element FROM pg_catalog.pg_type WHERE typarray <> 0`;

export class Arrays {
  readonly parsers: PGlite['parsers'] = { ...types.parsers };
  readonly serializers: PGlite['serializers'] = { ...types.serializers };

  constructor(arrays: readonly ArrayType[]) {
    const { parsers, serializers } = this;
    for (const { array, element } of arrays) {
      parsers[array] = (text) => types.arrayParser(text, parsers[element]!, array);
      serializers[array] = (value) => types.arraySerializer(value, serializers[element], array);
    }
  }

  static async of(db: Pick<PGlite, 'query'>): Promise<readonly ArrayType[]> {
    return (await db.query<ArrayType>(QUERY)).rows;
  }
}
