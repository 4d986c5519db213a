// The oldest TypeScript that docs/bundlers.md promises, with the package's declarations checked as well.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkTypes, RESOLUTIONS, TYPED_EXPORTS } from '../packaging/typed.ts';
import { toolProject } from './project.ts';

const project = toolProject('typescript', { typescript: '5.2.2' });
const tests = suite('TypeScript 5.2');

for (const resolution of RESOLUTIONS)
  tests(`the types hold without lib dom: ${resolution.moduleResolution}`, () => {
    const options = { ...resolution, lib: ['es2022'], types: [] };
    assert.is(checkTypes(project, { 'exports.ts': TYPED_EXPORTS }, options), '');
  });

tests.after(project.remove);
tests.run();
