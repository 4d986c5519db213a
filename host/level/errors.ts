// From a negative errno of the store to an error that says what was attempted, on what, and what to do.

import * as errno from '../../assembly/abi/errno.ts';
import { RingzeroError, type RingzeroErrorCode } from '../errors.ts';
import { codeOf } from '#platform/store-directory';

const NAMES = new Map(Object.entries(errno).map(([name, number]) => [number, name]));

/** What `attempt` on the store at `location` failed with. */
export function storeError(result: number, attempt: string, location: string): RingzeroError {
  const number = -result;
  const [code, why] = reasonOf(number);
  return new RingzeroError(code, `${attempt} in the store ${location}: ${why}`);
}

function reasonOf(number: number): [RingzeroErrorCode, string] {
  switch (number) {
    case errno.EBADMSG:
      return [
        'LEVEL_CORRUPTION',
        'a page of data.rz, or the log log.rz, is not what was written there. Take both from a backup',
      ];
    case errno.EEXIST:
      return [
        'LEVEL_CORRUPTION',
        'data.rz is missing or empty, and log.rz has changes of a store that was not closed. Put data.rz back; or open once with `recover: true`, for a store of what log.rz has, which is what was changed last; or remove both with `RingzeroLevel.destroy(location)`',
      ];
    case errno.EUCLEAN:
      return [
        'RZ_NOT_CLEAN',
        'it was not closed, and has no log that belongs to it (`durable: true`), so its last changes may be half written. Take data.rz from a backup, or remove the store with `RingzeroLevel.destroy(location)` and fill it again',
      ];
    case errno.EPROTO:
      return ['RZ_FORMAT', 'data.rz is not a ringzero store, or is one of another version'];
    case errno.ENOMEM:
      return [
        'RZ_OUT_OF_MEMORY',
        'no frame is free: raise `poolSize`, or use fewer threads at once',
      ];
    case errno.ENOBUFS:
      return [
        'RZ_OUT_OF_MEMORY',
        'it changes more pages than half the pool, and a durable store keeps those until it is done: make it smaller, or raise `poolSize`',
      ];
    case errno.ECANCELED:
      return [
        'LEVEL_IO_ERROR',
        'the device has refused to make the log durable, so nothing more can be promised. Close the store and open it again: it recovers what is certain',
      ];
    case errno.ENOSPC:
      return ['LEVEL_IO_ERROR', 'ENOSPC, the disk is full'];
    default:
      return ['LEVEL_IO_ERROR', NAMES.get(number) ?? `errno ${number}`];
  }
}

/** The same for an error of the host. */
export function hostError(error: unknown, attempt: string, location: string): RingzeroError {
  if (error instanceof RingzeroError) return error;
  const why = error instanceof Error ? error.message : codeOf(error);
  return new RingzeroError('LEVEL_IO_ERROR', `${attempt} in the store ${location}: ${why}`, {
    cause: error,
  });
}

export function notOpen(location: string): RingzeroError {
  return new RingzeroError(
    'LEVEL_DATABASE_NOT_OPEN',
    `the store ${location} was closed by the thread that opened it`,
  );
}

export function broken(location: string): RingzeroError {
  return new RingzeroError(
    'LEVEL_DATABASE_NOT_OPEN',
    `the store ${location} is half changed: storage failed in a batch, and again when the batch was taken back. Close it and take data.rz from a backup`,
  );
}

export function lost(location: string): RingzeroError {
  return new RingzeroError(
    'LEVEL_DATABASE_NOT_OPEN',
    `the store ${location} cannot be used any more: a thread was ended in the middle of a call (worker.terminate()) and holds what others need. Close the store in the thread that opened it, and open it again: with \`durable\` it recovers`,
  );
}

export function stalled(location: string): RingzeroError {
  return new RingzeroError(
    'RZ_BUSY',
    `the store ${location}: a thread inside it has done nothing for 30 seconds, and this call waits for it. Was it ended in the middle of a call (worker.terminate())? Close the store and open it again: with \`durable\` it recovers`,
  );
}
