// The one directory in which a guest may open files.

import { EACCES, EINVAL, EISDIR } from '../../assembly/abi/errno.ts';
import { leaveDirectory, openRoot } from '#platform/beneath';
import { Errno } from './errno.ts';
import { walkTo, type Lookup } from './walk.ts';

/** Resolves guest paths inside a directory; without one, every path is refused. */
export class Preopen {
  readonly root: string | undefined;

  constructor(root: string | undefined) {
    this.root = root;
  }

  /**
   * Calls `use` with a host path of a file, which is valid only during the call: it goes through the
   * directory that the walk holds open. The last component is never followed from there.
   * Fails with EINVAL for an empty path or one with a zero byte, with EACCES for one that is absolute, climbs
   * with `..`, or leaves the directory through a symbolic link, with EISDIR for one that ends with a slash.
   */
  find<T>(name: string, lookup: Lookup, use: (path: string) => T): T {
    if (this.root === undefined) throw new Errno(EACCES);
    if (name.length === 0 || name.includes('\0')) throw new Errno(EINVAL);
    if (name.startsWith('/') || name.split(/[\\/]/).includes('..')) throw new Errno(EACCES);
    const root = openRoot(this.root);
    try {
      return walkTo(root, name, lookup, (place) => {
        if (place.hasSlash) throw new Errno(EISDIR);
        return use(`${place.directory.path}/${place.name}`);
      });
    } finally {
      leaveDirectory(root);
    }
  }
}
