// The bench page as a folder that any server with the two headers of docs/browser.md can serve:
// dist/bench-page.
//
//   npm run bench:page [-- --port 8080]      builds it and serves it here

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import initWabt from 'wabt';
import { CHOICES, forkDemo } from './browser/fork-demo-markup.ts';
import { serveFolder } from '../scripts/serve-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const THREADS = ['snapshot-worker', 'timer-worker', 'service-worker'];
const KERNELS = ['libdbos.wasm', 'kv.wasm', 'states.wasm', 'fs.wasm'];
const GUESTS = ['ycsb.wasm', 'ycsb-eager.wasm', 'ycsb-hash.wasm', 'ycsb-swizzle.wasm'];
const SQLITE = 'node_modules/@sqlite.org/sqlite-wasm/dist';

/** What the page has around it in a site. */
interface Surroundings {
  readonly header: string;
  readonly footer: string;
  /** Where the site's stylesheet and script are; by itself the page has its own. */
  readonly root: string;
}

const ALONE: Surroundings = {
  header: '<header class="top"><span class="brand">ringzero</span></header>',
  footer: '',
  root: '',
};

/** index.html, with what it has from elsewhere. */
function pageOf({ header, footer, root }: Surroundings): string {
  const parts: Record<string, string> = {
    header,
    footer,
    demo: forkDemo(CHOICES),
    styles: `<link rel="stylesheet" href="${root}style.css" />`,
    scripts: root === '' ? '' : `<script type="module" src="${root}site.js"></script>`,
    icon: `<link rel="icon" href="${root}icon.svg" type="image/svg+xml" />`,
  };
  return readFileSync(`${ROOT}bench/browser/index.html`, 'utf8').replace(
    /<!-- part: (\w+) -->/g,
    (_, name: string) => parts[name]!,
  );
}

/** Builds the folder, and gives its path. */
export async function buildPage(
  out = `${ROOT}dist/bench-page`,
  surroundings = ALONE,
): Promise<string> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: [
      'dist/bench/browser/main.js',
      'dist/bench/browser/home.js',
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
  for (const name of ['demo.css', 'page.css', 'recording.json'])
    cpSync(`${ROOT}bench/browser/${name}`, `${out}/${name}`);
  if (surroundings === ALONE)
    for (const name of ['style.css', 'icon.svg'])
      cpSync(`${ROOT}scripts/site/${name}`, `${out}/${name}`);
  writeFileSync(`${out}/index.html`, pageOf(surroundings));
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const usage = `npm run bench:page [-- --port PORT]

Builds the bench page, dist/bench-page, and serves it (port 8080; 0 = any free port).
`;
  await serveFolder({ usage, port: 8080, build: buildPage });
}
