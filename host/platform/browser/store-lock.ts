// The lock file: one thread of one page has a store open. Same interface as ../store-lock.ts.
//
// Interface   acquire(path) returns the lock, or fails with LEVEL_LOCKED. join() has nothing to do.
// Invariants  LOCK-6  The lock is a synchronous access handle, of which a file has at most one; the browser
//                     closes it when its worker or its page ends, for whatever reason. So a lock is never
//                     stale.

import { RingzeroError } from '../../errors.ts';
import { directoryAt, openHandle, split, withCode } from './files.ts';

interface Lock {
  readonly word: string;
  release(): void;
}

export async function join(_path: string, _word: string): Promise<() => void> {
  return () => {};
}

export async function acquire(path: string, _isForced: boolean): Promise<Lock> {
  const [folder, name] = split(path);
  try {
    const file = await (await directoryAt(folder)).getFileHandle(name, { create: true });
    const handle = await openHandle(file, 'readwrite');
    return { word: '', release: () => handle.close() };
  } catch (error) {
    if ((error as Error).name === 'NoModificationAllowedError')
      throw new RingzeroError(
        'LEVEL_LOCKED',
        `the store is locked by another tab or worker, or by this one (${path}): open it once, and give other workers \`db.handle\``,
      );
    throw withCode(error, `lock ${path}`);
  }
}
