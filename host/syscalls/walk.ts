// Resolves a path to a component of an open directory, without ever leaving the directory in which it starts.
// The VM's own system calls and WASI's use it; nothing else turns a name from a guest into a place on the
// host.
//
// Interface   walkTo() calls `use` with the directory that holds the last component. How the last component
//             is looked up depends on the operation: an *object* is found through links, an *entry* is the
//             name itself.
// Invariants  WALK-1  The walk opens one component at a time, never through a link, and `..` goes back to the
//                     directory that the walk came from: it cannot climb above its root, whatever others
//                     rename while it runs.
//             WALK-2  A link is read and its target walked by the same rules; an absolute target is refused.
//             WALK-3  What the walk has found is used through the directory it has open, and never through a
//                     link: the operation fails when the component has become one.
//             Answers are Linux's (path_resolution(7)), apart from the refusals above.
// Cost        One open directory per inner component; none for a plain name. One look at the last component.

import { beneath, enterDirectory, leaveDirectory } from '#platform/beneath';
import type { Directory } from '../platform/file-facts.ts';

const LINKS_MAX = 40;
const COMPONENTS_MAX = 1024;

/** What a walk needs of the files that it walks through. */
export interface Walked {
  enterDirectory(parent: Directory, name: string): Directory;
  leaveDirectory(directory: Directory): void;
  isLink(directory: Directory, name: string): boolean;
  readLink(directory: Directory, name: string): string;
}

const OF_HOST: Walked = { ...beneath, enterDirectory, leaveDirectory };

export interface Place {
  readonly directory: Directory;
  /** One component. `.` is the directory itself; `..` occurs only in an entry, which no operation accepts. */
  readonly name: string;
  /** A slash followed the name, so it must be a directory. */
  readonly hasSlash: boolean;
}

/**
 * How the last component is looked up:
 * - `follow`: an object, through a link at the end (stat, open)
 * - `object`: an object, through a link only if a slash follows (lstat, readlink)
 * - `create`: a file that may be made, through a link unless a slash follows (open with O_CREAT)
 * - `entry`: a name to be made, removed or moved, never through a link (mkdir, rmdir, unlink, rename)
 */
export type Lookup = 'follow' | 'object' | 'create' | 'entry';

export function pathError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** Fails with ENOTCAPABLE when the path leaves the root, and with the host's errors. */
export function walkTo<T>(
  root: Directory,
  path: string,
  lookup: Lookup,
  use: (place: Place) => T,
  files = OF_HOST,
): T {
  const walk = new Walk(root, files);
  try {
    return use(walk.to(path, lookup));
  } finally {
    walk.end();
  }
}

class Walk {
  /** Directories from the root to the current one. */
  readonly #stack: Directory[];
  #left: string[] = [];
  #hasSlash = false;
  #links = 0;
  readonly #files: Walked;

  constructor(root: Directory, files: Walked) {
    this.#stack = [root];
    this.#files = files;
  }

  to(path: string, lookup: Lookup): Place {
    this.#push(path);
    while (true) {
      const name = this.#left.shift()!;
      if (this.#left.length > 0) this.#pass(name);
      else if (name === '.') return this.#at('.');
      else if (name === '..') {
        if (this.#stack.length === 1) throw pathError('ENOTCAPABLE', path);
        if (lookup === 'entry' || lookup === 'create') return this.#at('..');
        this.#up();
        return this.#at('.');
      } else if (this.#follows(lookup) && this.#files.isLink(this.#here, name)) this.#link(name);
      else return this.#at(name);
    }
  }

  end(): void {
    while (this.#stack.length > 1) this.#files.leaveDirectory(this.#stack.pop()!);
  }

  get #here(): Directory {
    return this.#stack.at(-1)!;
  }

  #at(name: string): Place {
    return { directory: this.#here, name, hasSlash: this.#hasSlash };
  }

  #follows(lookup: Lookup): boolean {
    if (lookup === 'object') return this.#hasSlash;
    return lookup === 'follow' || (lookup === 'create' && !this.#hasSlash);
  }

  /** Inserts a path before the rest of the walk. */
  #push(path: string): void {
    if (path === '') throw pathError('ENOENT', path);
    if (path.startsWith('/')) throw pathError('ENOTCAPABLE', path);
    if (this.#left.length === 0 && path.endsWith('/')) this.#hasSlash = true;
    const names = path.split('/').filter((name) => name !== '');
    if (names.length + this.#left.length > COMPONENTS_MAX) throw pathError('ENAMETOOLONG', path);
    this.#left.unshift(...names);
  }

  /** A component that others follow must be a directory. */
  #pass(name: string): void {
    if (name === '..') this.#up();
    else if (name !== '.') this.#into(name);
  }

  #up(): void {
    if (this.#stack.length === 1) throw pathError('ENOTCAPABLE', '..');
    this.#files.leaveDirectory(this.#stack.pop()!);
  }

  #into(name: string): void {
    try {
      this.#stack.push(this.#files.enterDirectory(this.#here, name));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOTDIR' || !this.#files.isLink(this.#here, name))
        throw error;
      this.#link(name);
    }
  }

  #link(name: string): void {
    if (++this.#links > LINKS_MAX) throw pathError('ELOOP', name);
    this.#push(this.#files.readLink(this.#here, name));
  }
}
