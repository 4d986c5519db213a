// The programs on the home page of the site, as written: they run, and the values in their comments are
// those that they have.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { homePage } from '../../scripts/site/home.ts';
import { assemble } from '../vm/guests.ts';
import { install, project } from './project.ts';
import { runCode } from './snippets.ts';

const tests = suite('the home page as written');
const { directory, remove } = project();
install(directory);

const shown: { code: string; language: string | undefined }[] = [];
homePage((code, language) => {
  shown.push({ code, language });
  return '';
});
const program = (word: string): string => shown.find(({ code }) => code.includes(word))!.code;

tests('the store', () => {
  assert.is(runCode(directory, program('RingzeroLevel')), '');
});

tests('the fork sees what was there', () => {
  const guest = assemble(`(module (memory 1)
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))`);
  writeFileSync(join(directory, 'guest.wasm'), guest);
  assert.is(runCode(directory, `${program('MicroVM')}\nawait vm.close();`), '');
});

tests('each way in has code, and the commands are those of this package', () => {
  assert.equal(
    shown.map(({ language }) => language),
    ['js', 'js', 'sh', 'sh'],
  );
  const commands = shown.flatMap(({ code }) =>
    [...code.matchAll(/npx ringzero (\w+)/g)].map(([, name]) => name),
  );
  assert.equal(commands, ['serve', 'new']);
});

tests.after(remove);
tests.run();
