// Modules that the package has compressed with Brotli (scripts/build.js). In a separate file, so that only
// the server loads zlib.

import { brotliDecompressSync } from 'node:zlib';
import { readBuiltModule } from './node.ts';

/** As readBuiltModule; the file is `name`.br. */
export function readPackedModule(name: string): Uint8Array {
  return brotliDecompressSync(readBuiltModule(`${name}.br`));
}
