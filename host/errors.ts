/** What went wrong, as a stable name: see each place that throws it. */
export type RingzeroErrorCode =
  | 'RZ_MODULE_MALFORMED' // the bytes are no valid WebAssembly module
  | 'RZ_MODULE_UNSUPPORTED' // a valid module that uses a feature the translator refuses; the message names it
  | 'RZ_OPTION' // an option is out of range or of the wrong kind
  | 'RZ_GUEST_TRAP' // the guest trapped; `stack` holds its functions
  | 'RZ_OUT_OF_MEMORY' // the VM has no frame left for what was asked
  | 'RZ_SNAPSHOT_LOST' // frames ran out while the snapshot was active
  | 'RZ_SNAPSHOT_LIMIT' // as many snapshots are active as the machine holds
  | 'RZ_SNAPSHOT_CLOSED' // the snapshot was released before
  | 'RZ_SNAPSHOT_STOPPED' // the call was under way when its snapshot was disposed of
  | 'RZ_LINKED' // a VM with a linked guest has no snapshots
  | 'RZ_VM_CLOSED' // the VM was closed, or a trap left it unusable
  | 'RZ_EXPORT' // the guest exports no function of that name
  | 'RZ_EXIT' // a program ended itself; `exitCode` says how
  | 'RZ_IO' // the host could not do an input or output operation
  | 'RZ_NOT_CLEAN' // a store was not closed; the message says what to do
  | 'RZ_FORMAT' // a store of another format version, or no store at all
  | 'RZ_HOST' // the runtime lacks something; the message says what, and how to have it
  | 'RZ_MAIN_THREAD' // a page's main thread may not wait, so it runs no guest
  | 'RZ_BUSY' // other threads do not come out of the store
  | 'RZ_UDF_REFUSED' // a user-defined function that may not be let in: the message says what it asks for
  | 'RZ_UDF_TRAP' // a user-defined function trapped; `cause` is the engine's error
  | 'RZ_UDF_LIMIT' // a user-defined function used up its fuel or its time
  | 'RZ_UDF_RESULT' // a user-defined function named bytes outside its memory
  // Those that abstract-level has names for:
  | 'LEVEL_LOCKED' // another process, or this one, has the store open
  | 'LEVEL_CORRUPTION' // storage gave something else than was written there
  | 'LEVEL_IO_ERROR' // the host could not read or write a file of the store
  | 'LEVEL_DATABASE_NOT_OPEN'
  | 'LEVEL_ABORTED'
  | 'LEVEL_INVALID_KEY'
  | 'LEVEL_INVALID_VALUE'
  | 'LEVEL_NOT_SUPPORTED';

/** Marks an error of another class as a RingzeroError. */
export const IS_RINGZERO_ERROR = Symbol('RingzeroError');

/** Every error that this package throws on purpose. `code` is stable; the message says what to do. */
export class RingzeroError extends Error {
  override readonly name = 'RingzeroError';
  readonly code: RingzeroErrorCode;
  constructor(code: RingzeroErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** A trap of a guest is an instance, too, though it extends WebAssembly.RuntimeError (vm/guest-trap.ts). */
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

/** RZ_OPTION: what is wrong with an option or an argument, in the same words everywhere. */
export function refuse(name: string, value: unknown, allowed: string): never {
  const shown = typeof value === 'string' ? `'${value}'` : String(value);
  throw new RingzeroError('RZ_OPTION', `option \`${name}\` is ${shown}; allowed: ${allowed}`);
}

/** For callers without types: refuses what is no object. */
export function checkObject(value: unknown, name = 'options', allowed = 'an object'): void {
  if (typeof value !== 'object' || value === null) refuse(name, value, allowed);
}

/**
 * RZ_OPTION for a name that is not an option's: a misspelt option would be without effect. `known` has the names as keys.
 */
export function checkNames(options: object, known: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const near = Object.keys(known).find((other) => isNear(name, other));
    const hint =
      near === undefined
        ? `the options are ${Object.keys(known).join(', ')}`
        : `did you mean \`${near}\`?`;
    throw new RingzeroError('RZ_OPTION', `there is no option \`${name}\`; ${hint}`);
  }
}

/** Whether two names differ by at most two letters that are missing, added or others (Levenshtein's distance), or in case alone. */
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
