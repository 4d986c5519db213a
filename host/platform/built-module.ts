// Files of packages: Wasm modules of the build and what describes them, and files of others. Node and Deno.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { RingzeroError } from '../errors.ts';
import { choice } from './deno.ts';

/**
 * A file that the build made, by name. `RZ_WASM=wasm-checked` selects the checked build. Fails with RZ_HOST
 * when a bundler has moved this code away from the files.
 */
export function readBuiltModule(name: string): Uint8Array {
  const folder = choice('RZ_WASM') ?? 'wasm';
  const url = new URL(`../../${folder}/${name}`, import.meta.url);
  try {
    const bytes = readFileSync(url);
    const isModule = name.endsWith('.wasm'); // else compressed, or JSON
    if (!isModule || bytes.readUInt32LE() === WASM_MAGIC) return bytes;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw movedAway(name, url, cause);
  }
  throw movedAway(name, url, undefined);
}

const WASM_MAGIC = 0x6d736100;

function movedAway(name: string, url: URL, cause: unknown): RingzeroError {
  return new RingzeroError(
    'RZ_HOST',
    `${name} is not at ${url.pathname}: a bundler has moved ringzero's code away from its files. ` +
      'Keep the package external: `serverExternalPackages` in Next.js, `--external:ringzero` in esbuild, `external` in Rollup, ' +
      '`ssr.external` in Vite, `externals` in webpack (docs/bundlers.md)',
    { cause },
  );
}

/** A file of another package. */
export function readPackageFile(url: URL): Promise<Uint8Array> {
  return readFile(url);
}

const require = createRequire(import.meta.url);

/** A CommonJS module of another package, evaluated anew. */
export function requireAgain(specifier: string): unknown {
  const file = require.resolve(specifier);
  const known = require.cache[file];
  delete require.cache[file];
  try {
    return require(file);
  } finally {
    if (known === undefined) delete require.cache[file];
    else require.cache[file] = known;
  }
}
