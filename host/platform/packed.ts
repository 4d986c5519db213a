// Modules that the package has packed by Brotli (scripts/pack.ts). Of the host's own libraries only who reads one loads the one it takes.

import { brotliDecompressSync } from 'node:zlib';
import { readBuiltModule } from './node.ts';

/** As readBuiltModule; the file is `name`.br. */
export function readPackedModule(name: string): Uint8Array {
  return brotliDecompressSync(readBuiltModule(`${name}.br`));
}
