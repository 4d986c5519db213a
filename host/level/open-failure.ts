// Why a store is not open, said by every call that comes after a failed open().
//
// Interface   explainCalls(db, failure) once open() has failed, stopExplaining(db) once it has not;
//             explainIterator() for an iterator that was made before it was known; failureOf(db).
// Cost        none while the store is open: the methods that explain are properties of the database that
//             failed.

import { RingzeroError } from '../errors.ts';

type Method = (...args: unknown[]) => unknown;

const CALLS = [
  'get',
  'getMany',
  'getSync',
  'has',
  'hasMany',
  'put',
  'del',
  'batch',
  'clear',
  'snapshot',
  'iterator',
  'keys',
  'values',
];
const ITERATOR_CALLS = ['next', 'nextv', 'all', 'seek'];
/** What abstract-level throws when a database, or the database of an iterator, is not open. */
const CODES: unknown[] = ['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN'];

const failures = new WeakMap<object, Error>();

/** Why the database is not open, if that is because it failed to. */
export function failureOf(db: object): Error | undefined {
  return failures.get(db);
}

export function explainCalls(db: object, failure: Error): void {
  failures.set(db, failure);
  wrap(db, CALLS, () => failure);
}

export function stopExplaining(db: object): void {
  if (!failures.delete(db)) return;
  for (const name of CALLS) Reflect.deleteProperty(db, name);
}

/**
 * What a call returns that waits for its database to open, and is not made again through the database then.
 */
export function explainDeferred<T>(db: object, call: () => T): T {
  return explained(() => failureOf(db), call);
}

/** An iterator that waits for its database to open. */
export function explainIterator<T extends object>(iterator: T, db: object): T {
  wrap(iterator, ITERATOR_CALLS, () => failureOf(db));
  return iterator;
}

function wrap(target: object, names: readonly string[], failure: () => Error | undefined): void {
  const prototype = Object.getPrototypeOf(target) as object;
  for (const name of names) {
    const method = Reflect.get(prototype, name, target) as Method | undefined;
    if (method === undefined) continue;
    const value = (...args: unknown[]): unknown =>
      explained(failure, () => method.apply(target, args));
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
}

/** What `call` returns; if it fails because the store is not open, with the reason. */
function explained<T>(failure: () => Error | undefined, call: () => T): T {
  try {
    const result = call();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw withReason(error, failure());
    }) as T;
  } catch (error) {
    throw withReason(error, failure());
  }
}

function withReason(error: unknown, failure: Error | undefined): unknown {
  if (failure === undefined || error instanceof RingzeroError) return error;
  const { code, message } = error as { code?: unknown; message?: string };
  if (!CODES.includes(code)) return error;
  const what = code === 'LEVEL_DATABASE_NOT_OPEN' ? String(message) : 'Database is not open';
  return notOpenBecause(what, failure);
}

export function notOpenBecause(what: string, failure: Error): RingzeroError {
  return new RingzeroError('LEVEL_DATABASE_NOT_OPEN', `${what}: ${failure.message}`, {
    cause: failure,
  });
}
