// What a guest exports, as its users type it: `MicroVM.create<{ put(key: number, value: number): void }>(...)`.

import type * as Wasm from '../webassembly.ts';

/** A guest function, called with its thread as the vCPU. */
export type GuestFunction = (...args: (number | bigint)[]) => number | bigint | undefined;

/** The exports of a guest that was not given a type: any name, and functions that take and return any number. */
export type GuestExports = Record<string, GuestFunction>;

/** The exports that the snapshots of a program have: the program's, or those without a type. */
export type ForkedExports<Exports extends object> = Wasm.Exports extends Exports
  ? GuestExports
  : Exports;

type AnyFunction = (...args: never[]) => unknown;

/** The names of the functions among exports. */
export type FunctionName<Exports extends object> = string &
  { [Name in keyof Exports]: Exports[Name] extends AnyFunction ? Name : never }[keyof Exports];

/** What an exported function is called with. */
export type ArgumentsOf<
  Exports extends object,
  Name extends keyof Exports,
> = Exports[Name] extends (...args: infer Arguments extends (number | bigint)[]) => unknown
  ? Arguments
  : never;

/** What an exported function returns. */
export type ResultOf<Exports extends object, Name extends keyof Exports> = Exports[Name] extends (
  ...args: never[]
) => infer Result
  ? Result
  : never;
