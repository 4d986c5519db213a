// The bench page as a folder that any server with the two headers of docs/browser.md can serve: dist/bench-page.
//
//   npm run bench:page [-- --port 8080]      builds it and serves it here

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import initWabt from 'wabt';
import { serveFolder } from '../scripts/serve-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const THREADS = ['snapshot-worker', 'timer-worker', 'service-worker'];
const KERNELS = ['libdbos.wasm', 'kv.wasm'];
const GUESTS = ['ycsb.wasm', 'ycsb-eager.wasm', 'ycsb-hash.wasm', 'ycsb-swizzle.wasm'];
const SQLITE = 'node_modules/@sqlite.org/sqlite-wasm/dist';

/** Builds the folder, and gives its path. */
export async function buildPage(out = `${ROOT}dist/bench-page`): Promise<string> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: [
      'dist/bench/browser/main.js',
      'dist/bench/browser/machines.js',
      'bench/browser/contestants.js',
    ],
    outdir: out,
    entryNames: '[name]',
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['browser'],
    minify: true,
    logLevel: 'warning',
  });
  for (const name of THREADS) cpSync(`${ROOT}dist/browser/${name}.mjs`, `${out}/${name}.js`);
  for (const name of KERNELS) cpSync(`${ROOT}dist/browser/${name}`, `${out}/${name}`);
  for (const name of GUESTS) cpSync(`${ROOT}dist/wasm/${name}`, `${out}/${name}`);
  for (const name of ['sqlite3.wasm', 'sqlite3-opfs-async-proxy.js'])
    cpSync(`${ROOT}${SQLITE}/${name}`, `${out}/${name}`);
  const wabt = await initWabt();
  const writer = wabt.parseWat(
    'writer.wat',
    readFileSync(`${ROOT}bench/browser/writer.wat`, 'utf8'),
  );
  writeFileSync(`${out}/writer.wasm`, writer.toBinary({}).buffer);
  cpSync(`${ROOT}bench/browser/index.html`, `${out}/index.html`);
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const usage = `npm run bench:page [-- --port PORT]

Builds the bench page, dist/bench-page, and serves it (port 8080; 0 = any free port).
`;
  await serveFolder({ usage, port: 8080, build: buildPage });
}
