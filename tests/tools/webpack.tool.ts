// E1: the example page, built for production by webpack, whose minifier takes what it copies as `.js` for
// scripts.

import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerOf, EXAMPLE, EXPECTED } from '../browser/example.ts';
import { ROOT, toolProject } from './project.ts';
import { checkPrograms, writePrograms } from './programs.ts';

/** The setting as the document has it. */
const [, EXTERNALS] = /`externals: (\{[^`]*\})`/.exec(
  readFileSync(join(ROOT, 'docs/bundlers.md'), 'utf8'),
)!;

const test = suite('tools: webpack');
const project = toolProject('webpack', { webpack: '5', 'webpack-cli': '6' });

for (const mode of ['production', 'development'])
  test(`the example page, built for ${mode}`, async () => {
    const out = join(project.directory, `out-${mode}`);
    cpSync(EXAMPLE, project.directory, { recursive: true });
    project.write(
      'webpack.config.mjs',
      `export default { entry: './main.js', mode: '${mode}', performance: { hints: false }, output: { path: ${JSON.stringify(out)}, filename: 'main.js' } };`,
    );
    const { status, said } = project.tool('webpack', []);
    assert.is(status, 0, said);
    assert.not.match(said, /WARNING/);
    cpSync(join(EXAMPLE, 'index.html'), join(out, 'index.html'));
    assert.equal(await answerOf(out), EXPECTED);
  });

test('programs for Node, with the package external as docs/bundlers.md says', () => {
  writePrograms(project);
  const out = join(project.directory, 'out-node');
  project.write(
    'node.config.mjs',
    `export default {
      target: 'node', mode: 'production',
      entry: { store: './store.mjs', fork: './fork.mjs' },
      experiments: { outputModule: true },
      externals: ${EXTERNALS},
      output: { path: ${JSON.stringify(out)}, filename: '[name].mjs', module: true },
    };`,
  );
  const { status, said } = project.tool('webpack', ['-c', 'node.config.mjs']);
  assert.is(status, 0, said);
  checkPrograms(project, 'out-node');
});

test.after(project.remove);
test.run();
