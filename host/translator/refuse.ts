// What the translator does not take, by the name of the feature.

import { RingzeroError } from '../errors.ts';
import { malformed } from './reader.ts';

export function unsupported(feature: string): RingzeroError {
  return new RingzeroError(
    'RZ_MODULE_UNSUPPORTED',
    `the module uses ${feature}, which ringzero cannot translate; build it without that feature`,
  );
}

/** What engines take of one function: locals, parameters included, and bytes of its body. */
export const LOCALS_MAX = 50_000;
const BODY_BYTES_MAX = 7_654_321;

/** Refuses a function that its translation has made too large for engines, which would refuse it without its name. */
export function checkBodySize(
  name: string,
  locals: number,
  ownLocals: number,
  bytes: number,
): void {
  if (locals > LOCALS_MAX) {
    throw unsupported(
      `${ownLocals} locals in ${name} (translation adds ${locals - ownLocals}; engines take ${LOCALS_MAX})`,
    );
  }
  if (bytes > BODY_BYTES_MAX) {
    throw unsupported(
      `a function of ${bytes} bytes, translated: ${name} (engines take ${BODY_BYTES_MAX})`,
    );
  }
}

export const MEMORIES = 'more than one memory';
export const MEMORY64 = '64-bit memories or tables (memory64)';
export const GC = 'garbage-collected or typed references';
export const EXCEPTIONS = 'exception handling';
export const TAIL_CALLS = 'tail calls';
export const RELAXED_SIMD = 'relaxed SIMD';

/** The error for an opcode that is not translated: its feature if it has one, else malformed. */
export function refuseOpcode(opcode: number, at: number): RingzeroError {
  switch (opcode) {
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x18:
    case 0x19:
    case 0x1f:
      return unsupported(EXCEPTIONS);
    case 0x12:
    case 0x13:
    case 0x15:
      return unsupported(TAIL_CALLS);
    case 0x14:
    case 0xd3:
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xfb:
      return unsupported(GC);
    default:
      return malformed(`unknown opcode 0x${opcode.toString(16)}`, at);
  }
}

/** The error for a value type that is not translated. */
export function refuseType(type: number, at: number): RingzeroError {
  if (type >= 0x63 && type <= 0x74) {
    return unsupported(type === 0x69 || type === 0x68 || type === 0x74 ? EXCEPTIONS : GC);
  }
  return malformed(`unknown type 0x${type.toString(16)}`, at);
}
