// Types of a guest's exports: `MicroVM.create<{ put(key: number, value: number): void }>(...)`.

import type * as Wasm from '../webassembly.ts';

/**
 * A guest function, called with its thread as the vCPU.
 *
 * @category VM
 */
export type GuestFunction = (...args: (number | bigint)[]) => number | bigint | undefined;

/**
 * Exports of a guest without a type: any name, and functions that take and return numbers.
 *
 * @category VM
 */
export type GuestExports = Record<string, GuestFunction>;

/** The exports that a program's snapshots have: the program's type, or none. */
export type ForkedExports<Exports extends object> = Wasm.Exports extends Exports
  ? GuestExports
  : Exports;

type AnyFunction = (...args: never[]) => unknown;

/** Names of the functions among the exports. */
export type FunctionName<Exports extends object> = string &
  { [Name in keyof Exports]: Exports[Name] extends AnyFunction ? Name : never }[keyof Exports];

/** Arguments of an exported function. */
export type ArgumentsOf<
  Exports extends object,
  Name extends keyof Exports,
> = Exports[Name] extends (...args: infer Arguments extends (number | bigint)[]) => unknown
  ? Arguments
  : never;

/** Result of an exported function. */
export type ResultOf<Exports extends object, Name extends keyof Exports> = Exports[Name] extends (
  ...args: never[]
) => infer Result
  ? Result
  : never;
