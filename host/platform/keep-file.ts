// Files next to the database file: a second name for a file that will be replaced, and temporary files of
// saves.

import { constants, copyFileSync, linkSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Links the file to a new name next to it, which stays when a new file replaces it; returns that name. Fails
 * as the system does.
 */
export function keepFile(path: string): string {
  const { ino, mtimeMs } = statSync(path);
  const wanted = `${path}.kept-${Math.floor(mtimeMs)}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    try {
      link(path, name);
      return name;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
      if (statSync(name).ino === ino) return name; // from the last start
    }
  }
}

/** Removes the temporary files of this process in a directory; a file that cannot be removed stays. */
export function removeTemporaryFiles(directory: string): void {
  const name = new RegExp(`^temp-${process.pid}(-\\d+)?\\.rdb$`);
  try {
    for (const file of readdirSync(directory)) if (name.test(file)) rmSync(join(directory, file));
  } catch {
    // the process is ending: there is nothing else to do
  }
}

/** A link, or a copy where the file system has no links. */
function link(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch (error) {
    if (
      !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(
        String((error as { code?: unknown }).code),
      )
    )
      throw error;
    copyFileSync(path, name, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
