// The example page, bundled as docs/browser.md says, works from the folder that each bundler makes.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build } from 'esbuild';
import { answerOf, EXAMPLE, EXPECTED } from './example.ts';
import { ROOT } from './server.ts';

const test = suite('bundlers');
const PACKAGE_FILES = join(ROOT, 'dist/browser');

/** A folder in which the package is installed and the example copied. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-bundlers-'));
  cpSync(EXAMPLE, folder, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/ringzero'));
  return folder;
}

test('esbuild, and five files beside what it makes', async () => {
  const folder = project();
  try {
    const out = join(folder, 'out');
    await build({
      entryPoints: ['main.js', 'worker.js'].map((file) => join(folder, file)),
      bundle: true,
      format: 'esm',
      outdir: out,
      logLevel: 'warning',
    });
    for (const file of readdirSync(PACKAGE_FILES).filter((name) =>
      /\.wasm$|-worker\.mjs$/.test(name),
    ))
      cpSync(join(PACKAGE_FILES, file), join(out, file));
    cpSync(join(folder, 'index.html'), join(out, 'index.html'));
    assert.equal(await answerOf(out), EXPECTED);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('Vite, with its settings', async () => {
  const folder = project();
  try {
    const vite = await import('vite');
    await vite.build({ root: folder, logLevel: 'warn' });
    assert.equal(await answerOf(join(folder, 'dist')), EXPECTED);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
