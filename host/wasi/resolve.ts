// From a path to a component of an open directory, without ever leaving the directory it starts in.
//
// Interface   resolve(root, path, follow, use) calls `use` with the directory that holds the last component.
// Invariants  WASI-1  The walk opens one component at a time, never through a link, and `..` goes back to the directory
//                     that the walk came from: it cannot climb above its root, whatever others rename meanwhile.
//             WASI-2  A link is read and its target walked by the same rules; an absolute target is refused.
// Cost        One open directory per inner component; none for a plain name. One look at the last component.

import { beneath, enterDirectory, leaveDirectory, type Directory } from '#platform/beneath';
import { WasiError } from './abi.ts';

const LINKS_MAX = 40;
const COMPONENTS_MAX = 1024;

export interface Place {
  readonly directory: Directory;
  /** One component, never `..`; `.` is the directory itself. */
  readonly name: string;
  /** The path ended with a slash: it names a directory or nothing. */
  readonly hasSlash: boolean;
}

/** Fails with ENOTCAPABLE when the path leaves the root, and with the host's errors. */
export function resolve<T>(
  root: Directory,
  path: string,
  follow: boolean,
  use: (place: Place) => T,
): T {
  const walk = new Walk(root);
  try {
    return use(walk.to(path, follow));
  } finally {
    walk.end();
  }
}

class Walk {
  /** Directories from the root to where the walk is. */
  readonly #stack: Directory[];
  #left: string[] = [];
  #links = 0;

  constructor(root: Directory) {
    this.#stack = [root];
  }

  to(path: string, follow: boolean): Place {
    this.#push(path);
    const hasSlash = path.endsWith('/');
    while (this.#left.length > 0) {
      const name = this.#left.shift()!;
      if (name === '..') this.#up();
      else if (this.#left.length > 0) this.#into(name);
      else if ((follow || hasSlash) && beneath.isLink(this.#here, name)) this.#link(name);
      else return { directory: this.#here, name, hasSlash };
    }
    return { directory: this.#here, name: '.', hasSlash: false };
  }

  end(): void {
    while (this.#stack.length > 1) leaveDirectory(this.#stack.pop()!);
  }

  get #here(): Directory {
    return this.#stack.at(-1)!;
  }

  #push(path: string): void {
    if (path === '') throw new WasiError('NOENT');
    if (path.startsWith('/')) throw new WasiError('NOTCAPABLE');
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    if (names.length + this.#left.length > COMPONENTS_MAX) throw new WasiError('NAMETOOLONG');
    this.#left.unshift(...names);
  }

  #up(): void {
    if (this.#stack.length === 1) throw new WasiError('NOTCAPABLE');
    leaveDirectory(this.#stack.pop()!);
  }

  #into(name: string): void {
    try {
      this.#stack.push(enterDirectory(this.#here, name));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOTDIR' || !beneath.isLink(this.#here, name))
        throw error;
      this.#link(name);
    }
  }

  #link(name: string): void {
    if (++this.#links > LINKS_MAX) throw new WasiError('LOOP');
    this.#push(beneath.readLink(this.#here, name));
  }
}
