// Bundles, from the sources. dist/node/host is the package in Node and Deno: a few files start sooner than a
// hundred modules. dist/browser is a folder that a page can be served with as it is; its threads are files of their own with
// everything in them, so that a bundler can copy each like a picture. They are named `.mjs`: a minifier such as webpack's takes the
// `.js` that a bundler copies for a script, in which `await` is not a keyword.

import { readFileSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build } from 'esbuild';

const NODE = 'dist/node';
const BROWSER = 'dist/browser';
const MODULES = ['libdbos.wasm', 'kv.wasm', 'states.wasm', 'fs.wasm'];

const LIBRARY = {
  index: 'host/index.ts',
  level: 'host/level/index.ts',
  sync: 'host/sync.ts',
  intercept: 'host/intercept.ts',
};
const THREADS = {
  'snapshot-worker': 'host/vm/snapshot-worker.ts',
  'branch-worker': 'host/vm/branch-worker.ts',
  'timer-worker': 'host/vm/timer-worker.ts',
  'service-worker': 'host/io/service-worker.ts',
};
/** In Node and Deno alone. */
const PGLITE = {
  pglite: 'host/pglite/index.ts',
  'pglite-worker': 'host/pglite/pglite-worker.ts',
  vitest: 'host/vitest/index.ts',
};
const SQLITE = {
  sqlite: 'host/sqlite/index.ts',
  'sqlite-wasm-worker': 'host/sqlite/sqlite-wasm-worker.ts',
  'sql-js-worker': 'host/sqlite/sql-js-worker.ts',
  'wa-sqlite-worker': 'host/sqlite/wa-sqlite-worker.ts',
};
const COMMAND = {
  main: 'host/cli/main.ts',
  'run-worker': 'host/cli/run-worker.ts',
  imports: 'host/redis/imports.ts',
};

/** The modules behind `#platform`: package.json names what is compiled, for Node and for browsers. */
const platformSources = {
  name: 'platform-sources',
  setup({ onResolve, initialOptions: { platform } }) {
    const { imports } = JSON.parse(readFileSync('package.json', 'utf8'));
    onResolve({ filter: /^#platform/ }, ({ path }) => {
      const compiled = imports[path][platform === 'browser' ? 'browser' : 'default'];
      return { path: resolve(compiled.replace('/dist/', '/').replace(/\.js$/, '.ts')) };
    });
  },
};

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  keepNames: true,
  legalComments: 'inline',
  logLevel: 'warning',
  plugins: [platformSources],
};
const browser = {
  ...common,
  outdir: BROWSER,
  platform: 'browser',
  conditions: ['browser'],
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
};

/** Where the library names its threads, their names end in `.mjs`. */
const threadNames = {
  name: 'thread-names',
  setup({ onLoad }) {
    onLoad({ filter: /host\/(vm|io)\/[^/]+\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replace(/new URL\('(\.\/[a-z]+-worker)\.js'/g, "new URL('$1.mjs'");
      return { contents, loader: 'ts' };
    });
  },
};

/** The licences of what is in the bundles, and of AssemblyScript's library, which is in the WebAssembly modules. */
async function writeNotices(results) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = inputs.map((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  const packages = new Set([...folders.filter((folder) => folder), 'node_modules/assemblyscript']);
  const notices = [...packages].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${folder} has no licence file`);
    const text = (await readFile(`${folder}/${file}`, 'utf8')).trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const title = 'What the files of this folder contain besides ringzero (Apache-2.0):\n';
  const all = [title, ...(await Promise.all(notices))].join(`\n${'-'.repeat(80)}\n\n`);
  await writeFile(`${BROWSER}/THIRD-PARTY-NOTICES.txt`, all);
}

/** jsdom and its like give neither text decoders nor threads: say what to do before anything fails without a name. */
const noBrowser = `if (typeof TextDecoder === 'undefined') throw new Error("ringzero: this is the build for browsers, and this environment (jsdom?) is not one. Tests: run them in the 'node' environment, or set Jest's testEnvironmentOptions.customExportConditions to ['node']. See docs/bundlers.md");`;

/** Modules that a thread is told to import are not the bundler's: its warning would be the user's. The minifier drops such comments. */
async function ignoreImports(file) {
  const text = await readFile(file, 'utf8');
  const marked = text.replace(
    /\bimport\((?=[^'"])/g,
    'import(/* @vite-ignore */ /* webpackIgnore: true */ ',
  );
  if (marked === text) throw new Error(`${file} imports nothing by a name that it is told`);
  await writeFile(file, marked);
}

for (const folder of [NODE, BROWSER]) await rm(folder, { recursive: true, force: true });
await build({
  ...common,
  outdir: `${NODE}/host`, // as far below the package's folder as the modules are: they find files by their own place
  platform: 'node',
  packages: 'external',
  entryPoints: { ...LIBRARY, ...THREADS, ...PGLITE, ...SQLITE, ...COMMAND },
  splitting: true,
});
const library = await build({
  ...browser,
  entryPoints: LIBRARY,
  splitting: true,
  plugins: [platformSources, threadNames],
  banner: { js: noBrowser },
});
const threads = await build({ ...browser, entryPoints: THREADS, outExtension: { '.js': '.mjs' } });
await writeNotices([library, threads]);
await ignoreImports(`${BROWSER}/snapshot-worker.mjs`);
await ignoreImports(`${BROWSER}/branch-worker.mjs`);
for (const name of MODULES) await copyFile(`dist/wasm/${name}`, `${BROWSER}/${name}`);
