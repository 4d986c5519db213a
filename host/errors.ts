/**
 * Stable names of errors; docs/errors.md explains each. Those that begin with LEVEL are abstract-level's.
 *
 * @category Errors
 */
export type RingzeroErrorCode =
  /** The bytes are not a valid WebAssembly module. */
  | 'RZ_MODULE_MALFORMED'
  /** A valid module with a feature that the translator does not support; the message names it. */
  | 'RZ_MODULE_UNSUPPORTED'
  /** An option is out of range or of the wrong kind. */
  | 'RZ_OPTION'
  /** The guest trapped; `stack` has its functions. */
  | 'RZ_GUEST_TRAP'
  /** The VM is out of frames. */
  | 'RZ_OUT_OF_MEMORY'
  /** Frames ran out while the snapshot was active. */
  | 'RZ_SNAPSHOT_LOST'
  /** The maximum number of snapshots is active. */
  | 'RZ_SNAPSHOT_LIMIT'
  /** The snapshot was released. */
  | 'RZ_SNAPSHOT_CLOSED'
  /** The snapshot was disposed of during the call. */
  | 'RZ_SNAPSHOT_STOPPED'
  /** A VM with a linked guest has no snapshots. */
  | 'RZ_LINKED'
  /** The VM was closed, or a trap left it unusable. */
  | 'RZ_VM_CLOSED'
  /** The guest exports no function of that name. */
  | 'RZ_EXPORT'
  /** A program exited; see `exitCode`. */
  | 'RZ_EXIT'
  /** An input or output operation of the host failed. */
  | 'RZ_IO'
  /** A store that was not closed properly; the message says what to do. */
  | 'RZ_NOT_CLEAN'
  /** Another format version, or not a store. */
  | 'RZ_FORMAT'
  /** The runtime lacks a feature; the message says which, and how to get it. */
  | 'RZ_HOST'
  /** The main thread of a page may not wait, so it cannot run guests. */
  | 'RZ_MAIN_THREAD'
  /** Other threads are still using the store. */
  | 'RZ_BUSY'
  /** A user-defined function that is not allowed; the message says why. */
  | 'RZ_UDF_REFUSED'
  /** A user-defined function trapped; `cause` is the engine's error. */
  | 'RZ_UDF_TRAP'
  /** A user-defined function exceeded its fuel or its time. */
  | 'RZ_UDF_LIMIT'
  /** A user-defined function returned bytes outside its memory. */
  | 'RZ_UDF_RESULT'
  /** Another process, or this one, has the store open. */
  | 'LEVEL_LOCKED'
  /** Storage returned something other than what was written. */
  | 'LEVEL_CORRUPTION'
  /** The host could not read or write a file of the store. */
  | 'LEVEL_IO_ERROR'
  /** The store is not open; `cause` has the reason. */
  | 'LEVEL_DATABASE_NOT_OPEN'
  /** The `signal` of an iterator was aborted. */
  | 'LEVEL_ABORTED'
  /** A key that is null, undefined or too long. */
  | 'LEVEL_INVALID_KEY'
  /** A value that is null, undefined or too long. */
  | 'LEVEL_INVALID_VALUE'
  /** `repair()` was called: stores repair themselves when they open. */
  | 'LEVEL_NOT_SUPPORTED';

/** Marks an error of another class as a RingzeroError. */
export const IS_RINGZERO_ERROR = Symbol('RingzeroError');

/**
 * Every error that this package throws on purpose. `code` is stable; the message says what to do.
 *
 * @category Errors
 */
export class RingzeroError extends Error {
  override readonly name = 'RingzeroError';
  readonly code: RingzeroErrorCode;
  constructor(code: RingzeroErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** A guest's trap is an instance too, though it extends WebAssembly.RuntimeError (vm/guest-trap.ts). */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return (
      this === RingzeroError &&
      typeof value === 'object' &&
      value !== null &&
      IS_RINGZERO_ERROR in value
    );
  }
}

/** Throws RZ_OPTION for an option or an argument: the same words everywhere. */
export function refuse(name: string, value: unknown, allowed: string): never {
  const shown = typeof value === 'string' ? `'${value}'` : textOf(value);
  throw new RingzeroError(
    'RZ_OPTION',
    `option \`${name}\` is ${shown.length > SHOWN ? `${shown.slice(0, SHOWN)}...` : shown}; allowed: ${allowed}`,
  );
}

/** Characters of a refused value that a message shows. */
const SHOWN = 200;

function textOf(value: unknown): string {
  const isLong = (item: unknown): boolean => typeof item === 'object' && item !== null;
  const hasText = !ArrayBuffer.isView(value) && !(Array.isArray(value) && value.some(isLong));
  try {
    if (hasText) return String(value);
  } catch {
    // an object without a text, such as one without a prototype
  }
  return Object.prototype.toString.call(value);
}

/** For callers without types: refuses anything but an object. */
export function checkObject(value: unknown, name = 'options', allowed = 'an object'): void {
  if (typeof value !== 'object' || value === null) refuse(name, value, allowed);
}

/**
 * Throws RZ_OPTION for an unknown option: a misspelt one would have no effect. The keys of `known` are the
 * names.
 */
export function checkNames(options: object, known: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const near = Object.keys(known).find((other) => isNear(name, other));
    const hint =
      near === undefined
        ? `the options are ${Object.keys(known).join(', ')}`
        : `did you mean \`${near}\`?`;
    throw new RingzeroError('RZ_OPTION', `unknown option \`${name}\`; ${hint}`);
  }
}

/**
 * Whether two names differ only in case, or by at most two insertions, deletions or substitutions
 * (Levenshtein distance).
 */
function isNear(name: string, other: string): boolean {
  const [a, b] = [name.toLowerCase(), other.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]! <= Math.min(2, Math.floor(b.length / 3));
}
