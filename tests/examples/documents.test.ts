// The JavaScript of README.md, docs/level.md and docs/udf.md, as written. A statement whose comment begins with a value must have it:
// `exports.get(1); // 200`.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assemble } from '../vm/guests.ts';
import { blocks, install, project } from './project.ts';

const tests = suite('documents as written');
const { directory, remove } = project();
install(directory);

/** The block of a document that has this text. */
function block(document: string, language: string, text: string): string {
  const found = blocks(document, language).filter((code) => code.includes(text));
  assert.is(found.length, 1, `${document}: ${text}`);
  return found[0]!;
}

/** Runs the code in the project; what it printed. */
function run(code: string): string {
  let values = 0;
  const checked = code.replace(/^([^=\n]+); \/\/ (\d+|\{.*\})(?=,|$)/gm, (_, expression, value) => {
    values += 1;
    return `deepEqual(${expression}, ${value}); //`;
  });
  assert.is(values, code.match(/; \/\/ [\d{]/g)?.length ?? 0, 'every value is looked at');
  writeFileSync(join(directory, 'main.mjs'), `import { deepEqual } from 'node:assert/strict';\n${checked}`); // prettier-ignore
  return execFileSync(process.execPath, ['main.mjs'], { cwd: directory, encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } }); // prettier-ignore
}

tests('README.md: a guest and its snapshot', () => {
  const guest = assemble(`(module
    (memory (export "memory") 1)
    (func (export "put") (param i32 i32) (i32.store (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
    (func (export "get") (param i32) (result i32) (i32.load (i32.shl (local.get 0) (i32.const 2)))))`);
  writeFileSync(join(directory, 'guest.wasm'), guest);
  assert.is(run(block('README.md', 'js', 'MicroVM.create')), '');
});

tests('README.md: a store', () => {
  assert.is(run(block('README.md', 'js', 'RingzeroLevel')), 'ada 1815\n');
});

tests('docs/level.md: a store, and another thread', () => {
  assert.is(run(block('docs/level.md', 'js', 'db.batch')), 'ada 1815\nalan 1912\n');
  const [opener, reader] = block('docs/level.md', 'js', 'attach').split('// reader.js\n');
  const imports = `import { Worker, workerData } from 'node:worker_threads';
    import { RingzeroLevel } from 'ringzero/level';\n`;
  writeFileSync(join(directory, 'reader.js'), `${imports}${reader}console.log(db.getSync('ada')); await db.close();`); // prettier-ignore
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const text = `${imports}const db = new RingzeroLevel('./people'); await db.open();\n${opener}`;
  assert.is(run(text), '{"born":1815}\n');
});

tests('docs/udf.md: a function, called and in a range', () => {
  writeFileSync(join(directory, 'is-long.ts'), blocks('docs/udf.md', 'ts')[0]!);
  const asc = ['node_modules/assemblyscript/bin/asc.js', 'is-long.ts', '-o', 'is-long.wasm'];
  execFileSync(process.execPath, [...asc, '--runtime', 'stub', '--use', 'abort='], { cwd: directory }); // prettier-ignore
  const compile = block('docs/udf.md', 'js', 'Udf.compile');
  const range = `import { RingzeroLevel } from 'ringzero/level';
    const db = new RingzeroLevel('./rows');
    await db.batch([{ type: 'put', key: 'a1', value: 'short' }, { type: 'put', key: 'a2', value: 'x'.repeat(101) }]);\n`;
  const text = `${compile}${range}${block('docs/udf.md', 'js', 'filterSync')}await db.close();`;
  assert.is(run(text), `a2 ${'x'.repeat(101)}\n`);
});

tests.after(remove);
tests.run();
