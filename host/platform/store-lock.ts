// The lock file: one process has a store open, and the lock ends with it.
//
//   lock               JSON: who made it (process, thread, boot, pid namespace, host), in which directory, and a word that no other lock has
//   lock.WORD.N.open   the socket of a thread that uses the store under that lock, where the host has such sockets
//   lock.WORD.new      the text of a lock that is being taken
//   lock.WORD          the lock on a dead lock, which is being replaced
//
// Interface   acquire() gives the lock or fails with LEVEL_LOCKED; join() is for other threads that use the
//             same store.
// Invariants  LOCK-1  The file appears with its content, by link(), which fails when the name is taken.
//             LOCK-2  A lock of a dead process is replaced only by the holder of the lock on that lock: path
//                     + '.' + its word. Its owner is dead, so no other process can, and what is replaced is
//                     what was read. That lock is taken by the same rules.
//             LOCK-4  A thread listens before it uses the store, the opener before its lock is there. A lock
//                     whose threads all refuse is dead.
//             LOCK-5  Who joins looks for the lock on the lock after it has begun to listen, who replaces
//                     asks after it has taken that: one of the two finds the other. By construction.
// Cost        some ten calls of the file system and a socket when the lock is free.

import { dirname, basename } from 'node:path';
import { RingzeroError } from '../errors.ts';
import { ask, isLocal, listenAt } from './lock-socket.ts';
import { hasThreadEnded, thisThread } from './node.ts';
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
  /** Its threads have sockets. */
  listens?: boolean;
  /** The inode of the directory: a lock that was copied along with a store locks nothing. */
  inode?: string;
}

export interface Lock {
  /** For join(). */
  readonly word: string;
  release(): void;
}

/** A lock on a lock on a lock ...: each level is a process that died while it took over the one before. */
const LEVELS_MAX = 16;
const ATTEMPTS = 100;
const IF_ENDED =
  'If nothing has the store open, open it with `takeLock: true` once, or remove the file';
/**
 * Stand for the word of a lock whose text a crash of the machine has kept from the device, and of what is not
 * a lock.
 */
const EMPTY = 'empty';
const UNREADABLE = 'unreadable';
const NOBODY = { pid: 0, started: '', boot: '', space: '', host: '' };

/**
 * Takes the lock at `path`, from a process that cannot be seen as well if `isForced`. Fails with
 * LEVEL_LOCKED.
 */
export async function acquire(path: string, isForced: boolean): Promise<Lock> {
  const taking = new Taking(path, isForced);
  try {
    return await taking.lock();
  } catch (error) {
    taking.stop();
    throw error;
  }
}

/**
 * For one more thread of the process: the lock is held as long as the thread is in. Undefined when
 * another holder has the lock by now.
 */
export async function join(path: string, word: string): Promise<(() => void) | undefined> {
  const holder = holderOf(path);
  if (holder?.word !== word) return undefined;
  if (holder.listens !== true) return () => {};
  const stop = await listenAt(socketOf(path, word));
  if (stop === undefined)
    throw new RingzeroError(
      'LEVEL_IO_ERROR',
      `attach to the lock ${path}: cannot listen at a socket next to it`,
    );
  if (holderOf(`${path}.${word}`) === undefined && holderOf(path)?.word === word) return stop;
  stop();
  return undefined;
}

let sockets = 0;

function socketOf(path: string, word: string): string {
  return `${path}.${word}.${thisThread().id}-${sockets++}.open`;
}

/** One attempt to take a lock. */
class Taking {
  readonly #path: string;
  readonly #folder: string;
  readonly #isForced: boolean;
  readonly #word = uniqueWord();
  readonly #draft: string;
  #text = '';
  #socket = '';
  #stop: (() => void) | undefined;

  constructor(path: string, isForced: boolean) {
    this.#path = path;
    this.#folder = dirname(path);
    this.#isForced = isForced;
    this.#draft = `${path}.${this.#word}.new`;
  }

  async lock(): Promise<Lock> {
    const path = this.#path;
    const who = thisProcess();
    if (who.boot !== '') await this.#listen();
    const inode = directory.stamp(this.#folder).inode;
    const listens = this.#stop !== undefined;
    const own: Holder = { ...who, thread: thisThread(), word: this.#word, listens, inode };
    this.#text = JSON.stringify(own);
    directory.writeText(this.#draft, this.#text);
    try {
      await this.#take(path, 0);
    } finally {
      remove(this.#draft);
    }
    const taken = directory.stamp(path);
    const release = (): void => {
      try {
        // Without reading it, which would need a descriptor. Another's lock may be there, if ours was removed
        // by hand.
        if (isSame(path, taken)) remove(path);
      } finally {
        this.stop();
        this.#forgetThreads();
      }
    };
    // Another that tidies may have taken it for a dead one's before it listened.
    if (this.#stop !== undefined && !directory.exists(this.#socket)) await this.#listen();
    await this.#tidy();
    return { word: this.#word, release };
  }

  async #listen(): Promise<void> {
    this.stop();
    this.#socket = socketOf(this.#path, this.#word);
    this.#stop = await listenAt(this.#socket);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /**
   * Threads that have attached may not know yet that it is over; their names are to be gone with the lock.
   */
  #forgetThreads(): void {
    try {
      for (const socket of this.#socketsOf(this.#word)) remove(socket);
    } catch {
      // no descriptor, or no directory: the next one tidies
    }
  }

  async #take(path: string, level: number): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.#link(path)) return;
      const holder = holderOf(path);
      if (holder === undefined) continue; // released in between
      if (!(await this.#isOver(path, holder))) continue;
      if (level === LEVELS_MAX) throw locked(path, `by too many processes that have ended`);
      const claim = `${path}.${holder.word}`;
      await this.#take(claim, level + 1);
      try {
        if (holderOf(path)?.word !== holder.word) continue; // another has taken it over before
        if (!(await this.#isOver(path, holder))) continue; // LOCK-5
        // Not the draft itself: it and the claim are one file, and renaming one to the other does nothing.
        const copy = `${this.#draft}${level}`;
        directory.writeText(copy, this.#text);
        directory.rename(copy, path);
        for (const socket of this.#socketsOf(holder.word)) remove(socket);
        return;
      } finally {
        remove(claim);
      }
    }
    throw locked(path, 'again and again by others');
  }

  #link(path: string): boolean {
    try {
      directory.link(this.#draft, path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT')
        directory.writeText(this.#draft, this.#text); // tidied away by the holder
      else if (codeOf(error) !== 'EEXIST') throw error;
      return false;
    }
  }

  /**
   * Whether who holds it has ended; fails with LEVEL_LOCKED if not. False when the file is another by now.
   */
  async #isOver(path: string, holder: Holder): Promise<boolean> {
    const liveness = await this.#livenessOf(holder);
    if (liveness === 'dead' || (liveness === 'unknown' && this.#isForced)) return true;
    if (holderOf(path)?.word !== holder.word) return false;
    if (holder.word === UNREADABLE) throw locked(path, `by a file that is not a lock. ${IF_ENDED}`);
    if (liveness === 'unknown')
      throw locked(
        path,
        `by process ${holder.pid} on ${holder.host}, which cannot be seen from here. ${IF_ENDED}`,
      );
    throw locked(path, livingHolder(holder));
  }

  async #livenessOf(holder: Holder): Promise<'alive' | 'dead' | 'unknown'> {
    if (holder.word === EMPTY) return 'dead';
    if (holder.word === UNREADABLE) return 'unknown';
    // Without sockets, other threads may have attached, and none of which is known.
    if (holder.listens !== true) return livenessOf({ ...holder, thread: undefined });
    const answers = new Set<string>();
    for (const socket of this.#socketsOf(holder.word)) answers.add(await ask(socket));
    if (answers.has('answers')) return 'alive';
    const isHere = holder.boot === thisProcess().boot || isLocal(this.#folder);
    if (isHere && answers.has('refuses') && !answers.has('unknown')) return 'dead';
    if (isHere && holder.inode !== directory.stamp(this.#folder).inode) return 'dead';
    return livenessOf(holder);
  }

  #socketsOf(word: string): string[] {
    const first = `${basename(this.#path)}.${word}.`;
    const names = directory.list(this.#folder);
    return names
      .filter((name) => name.startsWith(first) && name.endsWith('.open'))
      .map((name) => `${this.#folder}/${name}`);
  }

  /**
   * Removes what processes have left that ended while they took the lock. Only where all of them can be
   * asked.
   */
  async #tidy(): Promise<void> {
    const first = `${basename(this.#path)}.`;
    const others = directory
      .list(this.#folder)
      .filter((name) => name.startsWith(first) && !name.startsWith(first + this.#word));
    if (others.length === 0 || !isLocal(this.#folder)) return;
    for (const word of new Set(others.map((name) => name.slice(first.length).split('.')[0]!))) {
      const answers = await Promise.all(this.#socketsOf(word).map(ask));
      if (answers.some((answer) => answer === 'answers' || answer === 'unknown')) continue;
      for (const name of others)
        if (name.slice(first.length).split('.')[0] === word) remove(`${this.#folder}/${name}`);
    }
  }
}

function locked(path: string, by: string): RingzeroError {
  return new RingzeroError('LEVEL_LOCKED', `the store is locked ${by} (${path})`);
}

function livingHolder(holder: Holder): string {
  const { pid, space } = thisProcess();
  if (holder.pid !== pid || holder.space !== space) return `by process ${holder.pid}`;
  const { id, start } = holder.thread ?? { id: 0, start: 0 };
  return id !== 0 && hasThreadEnded(id, start)
    ? `by this process (${pid}): the thread that opened it has ended, and others are still attached. Close it in them first`
    : `by this process (${pid}): open it once, and give other threads \`db.handle\``;
}

function isSame(path: string, stamp: { inode: string; modified: string }): boolean {
  try {
    const found = directory.stamp(path);
    return found.inode === stamp.inode && found.modified === stamp.modified;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Undefined when there is not a lock. A file that is not a lock counts as one of a process that cannot be
 * seen, an empty one as one of a dead process.
 */
function holderOf(path: string): Holder | undefined {
  let text: string;
  try {
    text = directory.readText(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  // LOCK-1: only a crash of the machine leaves a file without its content, and no holder has survived that.
  if (/^\0*$/.test(text) && isLocal(dirname(path))) return { ...NOBODY, word: EMPTY };
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    if (typeof holder?.pid === 'number' && /^[\w-]+$/.test(holder.word ?? ''))
      return holder as Holder;
  } catch {
    // below
  }
  return { ...NOBODY, word: UNREADABLE };
}

function remove(path: string): void {
  try {
    directory.unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
