// What directories in the VM begin with.

import { importFrom } from '../files/exchange.ts';
import type { FileSystem } from '../files/file-system.ts';
import { directoryOfName } from './memory-descriptors.ts';
import type { PreopenedDirectory } from './options.ts';

/** Once per VM. Fails with the host's errors, and with ENOSPC. */
export function plantSeeds(
  files: FileSystem | undefined,
  preopens: readonly PreopenedDirectory[],
): void {
  for (const { name, from } of preopens)
    if (from !== undefined && files !== undefined)
      importFrom(files, from, directoryOfName({ files }, name));
}
