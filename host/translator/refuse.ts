// Features that the translator refuses, by name, and the limits of engines.

import { RingzeroError } from '../errors.ts';
import { EXNREF, NULLEXNREF, REF_EXN, REF_EXTERN, REF_FUNC } from './opcode.ts';
import { malformed } from './reader.ts';

export function unsupported(feature: string): RingzeroError {
  return new RingzeroError(
    'RZ_MODULE_UNSUPPORTED',
    `the module uses ${feature}, which ringzero cannot translate; build it without that feature`,
  );
}

/** Limits of engines for one function: locals, parameters included, and bytes of its body. */
export const LOCALS_MAX = 50_000;
const BODY_BYTES_MAX = 7_654_321;

/** Whether engines take a function of that size. */
export const fitsEngines = (
  locals: number,
  bytes: number,
  bytesMax: number = BODY_BYTES_MAX,
): boolean => locals <= LOCALS_MAX && bytes <= bytesMax;

/** BOUND-3: refuses a function whose translation is too large for engines, which would not name it. */
export function checkBodySize(
  name: string,
  locals: number,
  ownLocals: number,
  bytes: number,
): void {
  if (locals > LOCALS_MAX) {
    throw unsupported(
      `${ownLocals} locals in ${name} (translation adds ${locals - ownLocals}, engines allow ${LOCALS_MAX})`,
    );
  }
  if (bytes > BODY_BYTES_MAX) {
    throw unsupported(
      `a function of ${bytes} bytes after translation: ${name} (engines allow ${BODY_BYTES_MAX})`,
    );
  }
}

export const MEMORIES = 'more than one memory';
export const MEMORY64 = '64-bit memories or tables (memory64)';
export const GC = 'garbage-collected references';
export const WIDE_ARITHMETIC = 'wide arithmetic';

/** References to functions of one type, and those that are never null, apart from exceptions. */
export const isTyped = (type: number): boolean =>
  type < 0 || type === REF_FUNC || type === REF_EXTERN;

/** The error for a value type that is not translated. */
export function refuseType(type: number, at: number): RingzeroError {
  if (isTyped(type))
    return unsupported('mutable globals of typed references, or tables of (ref extern)');
  if (type === EXNREF || type === NULLEXNREF || type === REF_EXN)
    return unsupported('tables or globals of exceptions (exnref)');
  if (type >= 0x63 && type <= 0x74) return unsupported(GC);
  return malformed(`unknown type 0x${type.toString(16)}`, at);
}
