// The example page, built by the newest Vite; `npm run test:browser` builds it with the one before.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerOf, EXAMPLE, EXPECTED } from '../browser/example.ts';
import { toolProject } from './project.ts';

const test = suite('tools: Vite 8');
const project = toolProject('vite', { vite: '8' });

test('the example page, without its settings', async () => {
  for (const file of ['index.html', 'main.js', 'worker.js'])
    cpSync(join(EXAMPLE, file), join(project.directory, file));
  const { status, said } = project.tool('vite', ['build', '--logLevel', 'warn']);
  assert.is(status, 0, said);
  assert.equal(await answerOf(join(project.directory, 'dist')), EXPECTED);
});

test.after(project.remove);
test.run();
