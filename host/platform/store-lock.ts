// The lock file: one process has a store open.
//
//   the file holds, as JSON, who made it (pid, start, boot, pid namespace, host) and a word that no other lock has
//
// Interface   acquire(path) returns the function that releases, or throws LEVEL_LOCKED.
// Invariants  LOCK-1  The file appears with its content, by link(), which fails when the name is taken.
//             LOCK-2  A lock of a dead process is replaced only by who holds the lock on that lock: path + '.' + its word. Nobody
//                     else can, as its owner is dead, so what is replaced is what was read. That lock is taken by the same rules.
// Cost        three calls of the file system when nobody holds it.

import { RingzeroError } from '../errors.ts';
import {
  codeOf,
  directory,
  livenessOf,
  thisProcess,
  uniqueWord,
  type ProcessIdentity,
} from './store-directory.ts';

interface Holder extends ProcessIdentity {
  word: string;
}

/** A lock on a lock on a lock ...: each level is a process that died while it took over the one before. */
const LEVELS_MAX = 16;
const ATTEMPTS = 100;

/** Takes the lock at `path`; the function returned gives it back. Fails with LEVEL_LOCKED. */
export function acquire(path: string): () => void {
  const own: Holder = { ...thisProcess(), word: uniqueWord() };
  const draft = `${path}.${own.word}.new`;
  directory.writeText(draft, JSON.stringify(own));
  try {
    take(path, draft, 0);
  } finally {
    remove(draft);
  }
  return () => {
    if (holderOf(path)?.word === own.word) remove(path);
  };
}

function take(path: string, draft: string, level: number): void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      directory.link(draft, path);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = holderOf(path);
    if (holder === undefined) continue; // released in between
    refuseLiving(path, holder);
    if (level === LEVELS_MAX) throw locked(path, `by too many processes that have ended`);
    const claim = `${path}.${holder.word}`;
    take(claim, draft, level + 1);
    try {
      if (holderOf(path)?.word !== holder.word) continue; // somebody has taken it over before
      // Not the draft itself: it and the claim are one file, and renaming one to the other does nothing.
      const copy = `${draft}${level}`;
      directory.writeText(copy, directory.readText(draft));
      directory.rename(copy, path);
      return;
    } finally {
      remove(claim);
    }
  }
  throw locked(path, 'again and again by others');
}

function refuseLiving(path: string, holder: Holder): void {
  const liveness = livenessOf(holder);
  if (liveness === 'dead') return;
  if (liveness === 'unknown')
    throw locked(
      path,
      `by process ${holder.pid} on ${holder.host}, which cannot be seen from here. If it has ended, remove the file`,
    );
  throw locked(
    path,
    holder.pid === thisProcess().pid
      ? `by this process (${holder.pid}): open it once, and give other threads \`db.handle\``
      : `by process ${holder.pid}`,
  );
}

function locked(path: string, by: string): RingzeroError {
  return new RingzeroError('LEVEL_LOCKED', `the store is locked ${by} (${path})`);
}

/** Undefined when there is no lock. A file that is no lock counts as one of a process that cannot be seen. */
function holderOf(path: string): Holder | undefined {
  let text: string;
  try {
    text = directory.readText(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    if (typeof holder?.pid === 'number' && /^[\w-]+$/.test(holder.word ?? ''))
      return holder as Holder;
  } catch {
    // below
  }
  throw new RingzeroError(
    'LEVEL_LOCKED',
    `${path} is no lock of a store: remove it if nothing has the store open`,
  );
}

function remove(path: string): void {
  try {
    directory.unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
