// E1: programs for Node that are bundled. With the package external they work; bundled into the program it
// fails, with an error that says what to do.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkPrograms, writePrograms } from './programs.ts';
import { toolProject } from './project.ts';

const test = suite('tools: bundled for Node');
const project = toolProject('bundlers', {
  esbuild: '0.28.2',
  rollup: '4',
  '@rollup/plugin-node-resolve': '16',
  vite: '7',
});

writePrograms(project);
const works = (folder: string): void => checkPrograms(project, folder);

/** It fails at the first use, and the message names the cure. */
function saysWhy(program: string): void {
  const { status, said } = project.node(program);
  assert.is.not(status, 0);
  assert.match(said, /RZ_HOST/);
  assert.match(said, /libdbos\.wasm is not at .*a bundler has moved/);
  assert.match(said, /external/);
}

test('esbuild --platform=node: external works, bundled says why not', () => {
  const build = (out: string, ...more: string[]): void => {
    const words = ['fork.mjs', 'store.mjs', '--bundle', '--platform=node', '--format=esm'];
    const ending = '--out-extension:.js=.mjs';
    const { status, said } = project.tool('esbuild', [
      ...words,
      ending,
      `--outdir=${out}`,
      ...more,
    ]);
    assert.is(status, 0, said);
  };
  build('esbuild-external', '--external:ringzero');
  works('esbuild-external');
  build('esbuild-bundled');
  saysWhy('esbuild-bundled/fork.mjs');
});

test('Rollup: external works, bundled says why not', () => {
  const config = (external: string, out: string): string => `
    import resolve from '@rollup/plugin-node-resolve';
    export default {
      input: ['fork.mjs', 'store.mjs'],
      external: ${external},
      plugins: [resolve({ exportConditions: ['node'] })],
      output: { dir: '${out}', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    };`;
  project.write('external.config.mjs', config('[/^ringzero/]', 'rollup-external'));
  const external = project.tool('rollup', ['-c', 'external.config.mjs']);
  assert.is(external.status, 0, external.said);
  works('rollup-external');
  const bundled = config('[/^node:/, /^abstract-level$/]', 'rollup-bundled');
  project.write('bundled.config.mjs', bundled);
  const { status, said } = project.tool('rollup', ['-c', 'bundled.config.mjs']);
  assert.is(status, 0, said);
  saysWhy('rollup-bundled/fork.mjs');
});

for (const [name, ssr] of [
  ['as it is, which is the default', '{}'],
  ['named, where nothing else is', "{ noExternal: true, external: ['ringzero'] }"],
] as const)
  test(`Vite SSR: external ${name}`, () => {
    const out = ssr === '{}' ? 'vite-ssr' : 'vite-ssr-external';
    const config = `export default {
      ssr: ${ssr},
      build: { ssr: true, target: 'es2022', outDir: '${out}', rollupOptions: { input: ['fork.mjs', 'store.mjs'], output: { entryFileNames: '[name].mjs' } } },
    };`;
    project.write('vite.config.mjs', config);
    const { status, said } = project.tool('vite', ['build', '--logLevel', 'warn']);
    assert.is(status, 0, said);
    works(out);
  });

test.after(project.remove);
test.run();
