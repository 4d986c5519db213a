// Test files as a browser can load them: bundled with what they import into dist/browser-tests, with
// their threads.

import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const DIST = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLES = '/dist/browser-tests';
const OUT = `${DIST}browser-tests`;

/** What tests and the package load by the URL of a file. */
const THREADS = [
  'host/vm/snapshot-worker.js',
  'host/vm/timer-worker.js',
  'host/io/service-worker.js',
  'tests/vm/drivers.js',
  'tests/vm/guests.js',
  'tests/vm/spinner.js',
  'tests/vm/linked-thread.js',
  'tests/scheduler/timer-thread.js',
  'tests/snappy/hammer-writer.js',
  'tests/io/read-thread.js',
  'tests/io/stress-thread.js',
];

/** What tests are told from outside, and how much random ones do. */
const ENVIRONMENT = {
  RZ_FUZZ_MODULES: '60',
  RZ_FUZZ_ROUNDS: '150',
  RZ_HAMMER_SECONDS: '2',
  ...(process.env['RZ_SEED'] === undefined ? {} : { RZ_SEED: process.env['RZ_SEED'] }),
};

/** Stand-ins for what tests use of Node, and nothing for what packages look for there. */
const standIns: Plugin = {
  name: 'stand-ins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({
      path: `${DIST}tests/browser/node/${path.slice('node:'.length)}.js`,
    }));
    onResolve({ filter: /\/stores\.js$/ }, () => ({ path: `${DIST}tests/browser/node/stores.js` }));
    onResolve({ filter: /^(fs|path|crypto)$/ }, ({ path }) => ({ path, namespace: 'none' }));
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {}' }));
  },
};

/** Bundles dist/`file` for each; the result is the URL path of the file with the same place in the list. */
export async function bundle(files: readonly string[]): Promise<string[]> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const entries = [...files, ...THREADS];
  await build({
    entryPoints: Object.fromEntries(entries.map((file) => [nameOf(file), DIST + file])),
    outdir: OUT,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['browser'],
    plugins: [standIns],
    define: { 'process.env': JSON.stringify(ENVIRONMENT), global: 'globalThis' },
    inject: [`${DIST}tests/browser/node/buffer.js`],
    logLevel: 'warning',
  });
  for (const name of readdirSync(`${DIST}wasm`))
    if (name.endsWith('.wasm')) copyFileSync(`${DIST}wasm/${name}`, `${OUT}/${name}`);
  return files.map((file) => `${BUNDLES}/${nameOf(file)}.js`);
}

/** Threads keep their name; test files of the same name lie in different folders. */
function nameOf(file: string): string {
  const parts = file.replace(/\.js$/, '').split('/');
  return THREADS.includes(file) ? parts.at(-1)! : parts.slice(1).join('-');
}
