// E1: the example page, built for production by webpack, whose minifier takes what it copies as `.js` for scripts.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerOf, EXAMPLE, EXPECTED } from '../browser/example.ts';
import { toolProject } from './project.ts';

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

test.after(project.remove);
test.run();
