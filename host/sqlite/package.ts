// What the machine needs to know of a package with SQLite, and the user's installed packages.

import { RingzeroError } from '../errors.ts';
import { readPackageFile, requireAgain } from '#platform';
import type * as Wasm from '../webassembly.ts';
import type { FilesOwner } from './vm-files.ts';

/** Values as the packages take and return them. */
export type SQLiteValue = number | bigint | string | Uint8Array | null;
/** Values of parameters: in their order, or by names that begin with `:`, `@` or `$`. */
export type SQLiteParameters = readonly SQLiteValue[] | Readonly<Record<string, SQLiteValue>>;

/** What a statement returned. */
export interface Table {
  readonly columns: string[];
  readonly rows: SQLiteValue[][];
}

/** Runs statements on one connection. */
export interface Connection {
  /**
   * All statements of a text. Parameters are those of the first statement that has any; the table is that of
   * the first one with columns.
   */
  run(sql: string, parameters: SQLiteParameters | undefined): Table | Promise<Table>;
}

/** What glue is given: in the program's thread, and in that of a fork. */
export interface GlueOptions {
  /** The memory that the module imports, if it does. */
  readonly wasmMemory?: Wasm.Memory;
  instantiateWasm(
    imports: Wasm.Imports,
    done: (instance: Wasm.Instance, module: Wasm.Module) => unknown,
  ): Wasm.Exports;
}

export interface Package<Api> {
  readonly name: string;
  /** Its module, as an import names it. */
  readonly wasm: string;
  readonly importsMemory: boolean;
  /** Starts its glue. `options` are the user's. */
  start(glue: GlueOptions, options: object): Promise<Api>;
  /** Has its databases' files in the VM: the same way in a program and in its forks. */
  mount?(api: Api, owner: FilesOwner): void;
  /** Its connection at an address. */
  connect(api: Api, pointer: number): Connection | Promise<Connection>;
}

/** A module of one of the packages, from where it is installed. */
export async function importPackage<Module>(specifier: string): Promise<Module> {
  try {
    return (await import(specifier)) as Module;
  } catch (error) {
    throw notInstalled(specifier, error);
  }
}

/** The same for a CommonJS module, evaluated anew: it has one instance for each evaluation. */
export function requirePackage(specifier: string): unknown {
  try {
    return requireAgain(specifier);
  } catch (error) {
    throw notInstalled(specifier, error);
  }
}

export async function packageModule(specifier: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readPackageFile(new URL(import.meta.resolve(specifier))));
  } catch (error) {
    throw notInstalled(specifier, error);
  }
}

function notInstalled(specifier: string, cause: unknown): RingzeroError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RingzeroError('RZ_HOST', `${specifier} cannot be loaded: ${why}`, { cause });
}
