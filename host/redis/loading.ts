// Loads the database file in parts: clients are served between them.

import { ENOENT } from '../../assembly/abi/errno.ts';
import { RingzeroError } from '../errors.ts';
import { keepFile } from '../platform/keep-file.ts';
import type { RedisGuest } from './guest.ts';
import type { Log } from './log.ts';

/** Bytes of a part, like Redis' loading-process-events-interval-bytes. */
const LOAD_BYTES = 2 ** 21;

export interface Load {
  readonly guest: RedisGuest;
  readonly log: Log;
  /** The database file. */
  readonly path: string;
  /** Whether the server has been closed: loading stops. */
  isClosed(): boolean;
}

/** Continues from the result of startLoad(). False when the server was closed. Rejects with RZ_IO. */
export async function load(begun: number, { guest, log, path, isClosed }: Load): Promise<boolean> {
  let result = begun;
  while (result > 0 && !isClosed()) {
    result = guest.loadMore(LOAD_BYTES);
    if (result > 0) await nextTurn();
  }
  if (isClosed()) return false;
  if (result < 0 && result !== -ENOENT) {
    log.warning('Terminating server after rdb file reading failure.');
    throw new RingzeroError('RZ_IO', 'Fatal error loading the DB, see above. Exiting.');
  }
  if (guest.calls.leftOut() > 0) keepOriginal(path, log);
  return true;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Keys of unknown types were skipped. They exist only in the file, which the next save replaces: keeps it
 * under another name.
 */
function keepOriginal(path: string, log: Log): void {
  try {
    log.warning(`The file with what was left out is kept as ${keepFile(path)}`);
  } catch (error) {
    throw new RingzeroError(
      'RZ_IO',
      `Could not keep ${path} under another name: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
