// Bundles for browsers, from what the TypeScript compiler made: dist/browser is a folder that a page can be served with as it is.
// Threads are files of their own with everything in them, so that a bundler can copy each like a picture.

import { copyFile, mkdir, rm } from 'node:fs/promises';
import { build } from 'esbuild';

const OUT = 'dist/browser';
const MODULES = ['libdbos.wasm', 'kv.wasm'];

const common = {
  outdir: OUT,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['browser'],
  platform: 'browser',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'inline',
  logLevel: 'warning',
};

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
await build({
  ...common,
  entryPoints: { index: 'dist/host/index.js', level: 'dist/host/level/index.js' },
  splitting: true,
});
await build({
  ...common,
  entryPoints: [
    'dist/host/vm/snapshot-worker.js',
    'dist/host/vm/timer-worker.js',
    'dist/host/io/service-worker.js',
  ],
  entryNames: '[name]',
});
for (const name of MODULES) await copyFile(`dist/wasm/${name}`, `${OUT}/${name}`);
