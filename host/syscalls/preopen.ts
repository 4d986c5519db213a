// The one directory in which a guest may name files.

import { EACCES, EINVAL } from '../../assembly/abi/errno.ts';
import { files } from '#platform';
import { Errno } from './errno.ts';

/** Resolves guest paths inside a directory; without one, no path can be named at all. */
export class Preopen {
  readonly root: string | undefined;

  constructor(root: string | undefined) {
    this.root = root;
  }

  /**
   * Absolute host path of a guest path.
   * Fails with EINVAL for an empty path or one with a zero byte, with EACCES for one that is absolute, climbs with
   * `..`, or leaves the directory through a symbolic link.
   */
  resolve(name: string): string {
    if (this.root === undefined) throw new Errno(EACCES);
    if (name.length === 0 || name.includes('\0')) throw new Errno(EINVAL);
    if (name.startsWith('/') || name.split(/[\\/]/).includes('..')) throw new Errno(EACCES);
    const path = files.resolveInside(this.root, name);
    if (path === undefined) throw new Errno(EACCES);
    return path;
  }
}
