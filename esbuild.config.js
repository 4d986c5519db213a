// Bundles, from what the TypeScript compiler made. dist/node/host is the package in Node and Deno: a few files start sooner than a
// hundred modules. dist/browser is a folder that a page can be served with as it is; its threads are files of their own with
// everything in them, so that a bundler can copy each like a picture.

import { copyFile, rm } from 'node:fs/promises';
import { build } from 'esbuild';

const NODE = 'dist/node';
const BROWSER = 'dist/browser';
const MODULES = ['libdbos.wasm', 'kv.wasm'];

const LIBRARY = { index: 'dist/host/index.js', level: 'dist/host/level/index.js' };
const THREADS = {
  'snapshot-worker': 'dist/host/vm/snapshot-worker.js',
  'timer-worker': 'dist/host/vm/timer-worker.js',
  'service-worker': 'dist/host/io/service-worker.js',
};
const COMMAND = { main: 'dist/host/cli/main.js', imports: 'dist/host/redis/imports.js' };

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  keepNames: true,
  legalComments: 'inline',
  logLevel: 'warning',
};
const browser = {
  ...common,
  outdir: BROWSER,
  platform: 'browser',
  conditions: ['browser'],
  minifySyntax: true,
  minifyWhitespace: true,
};

for (const folder of [NODE, BROWSER]) await rm(folder, { recursive: true, force: true });
await build({
  ...common,
  outdir: `${NODE}/host`, // as far below the package's folder as the modules are: they find files by their own place
  platform: 'node',
  packages: 'external',
  entryPoints: { ...LIBRARY, ...THREADS, ...COMMAND },
  splitting: true,
});
await build({ ...browser, entryPoints: LIBRARY, splitting: true });
await build({ ...browser, entryPoints: THREADS });
for (const name of MODULES) await copyFile(`dist/wasm/${name}`, `${BROWSER}/${name}`);
