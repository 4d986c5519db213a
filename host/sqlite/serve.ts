// The thread of a fork: the user's package is started on the branch's memory, then its connection is the
// parent's.

import { RingzeroError } from '../errors.ts';
import type { Branch } from '../vm/branch/branch.ts';
import type { Connection, GlueOptions, Package, SQLiteParameters, Table } from './package.ts';

/** Why SQLite refused, with its result code where the package says it. */
export interface Failure {
  readonly message: string;
  readonly code: number | undefined;
}
export type Reply = { readonly table: Table } | { readonly failure: Failure };

/** `main` of a branch that runs the package. */
export function serve<Api>(of: Package<Api>) {
  return async (branch: Branch): Promise<(pointer: number) => Promise<object>> => {
    const { memory: wasmMemory, instantiateWasm } = branch;
    const glue: GlueOptions = of.importsMemory
      ? { wasmMemory, instantiateWasm }
      : { instantiateWasm };
    const api = await of.start(glue, {});
    of.mount?.(api, branch);
    return async (pointer) => functionsOf(await of.connect(api, pointer));
  };
}

function functionsOf(connection: Connection): object {
  let trapped: Error | undefined;
  return {
    run: async (sql: string, parameters: SQLiteParameters | undefined): Promise<Reply> => {
      if (trapped !== undefined) throw trapped;
      try {
        return { table: await connection.run(sql, parameters) };
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) return { failure: failureOf(error) };
        throw (trapped = new RingzeroError(
          'RZ_GUEST_TRAP',
          `SQLite trapped in a fork: ${error.message}. Functions and hooks that the parent defines in JavaScript are not in a fork`,
        ));
      }
    },
    end: () => trapped === undefined,
  };
}

function failureOf(error: unknown): Failure {
  const { message, resultCode, code } = error as Record<string, unknown>;
  const number = resultCode ?? code;
  return {
    message: String(message),
    code: typeof number === 'number' ? number : undefined,
  };
}
