// Errors that no program catches. WebAssembly's handlers (`catch_all`) catch what JavaScript throws, but no
// traps, and an engine knows the error object of a trap wherever it is thrown again. So what must end a
// program, such as the end of its fuel, is the object of a trap.
//
// Invariants  TRAP-1  An error of the machine that ends a call passes through all handlers of the program.

import { originals } from './constructors.ts';

/** A module that exports `t`, a function that traps. */
const TRAPPING = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic number, version
  ...[1, 4, 1, 0x60, 0, 0], // a type
  ...[3, 2, 1, 0], // a function of it
  ...[7, 5, 1, 1, 0x74, 0, 0], // its export
  ...[10, 5, 1, 3, 0, 0x00, 0x0b], // unreachable
);

let trap: (() => void) | undefined;

/** The error object of a trap. */
function trapObject(): WebAssembly.RuntimeError {
  trap ??= new originals.Instance(new originals.Module(TRAPPING)).exports['t'] as () => void;
  try {
    trap();
  } catch (error) {
    return error as WebAssembly.RuntimeError;
  }
  throw new Error('unreachable was reached');
}

/** The error as a trap: of the same class, with the same properties. Throw what this returns. */
export function uncatchable<Thrown extends Error>(error: Thrown): Thrown {
  const object = trapObject();
  Object.setPrototypeOf(object, Object.getPrototypeOf(error) as object);
  const { stack, ...others } = Object.getOwnPropertyDescriptors(error);
  Object.defineProperties(object, others);
  const value = stack && error.stack; // an accessor of each object by itself, in some engines
  Object.defineProperty(object, 'stack', { value, writable: true, configurable: true });
  return object as unknown as Thrown;
}
