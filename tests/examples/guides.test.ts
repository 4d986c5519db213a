// Code of the guides that needs more than one process or tool: tasks, timers, glue that cannot wait, C,
// TypeScript, Vite.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assemble } from '../vm/guests.ts';
import { blocks, install, project, ROOT } from './project.ts';
import { block, lend, runCode } from './snippets.ts';

const tests = suite('guides as written');
const { directory, remove } = project();
install(directory);
const put = (file: string, content: string | Uint8Array): void =>
  writeFileSync(join(directory, file), content);
put('package.json', '{ "type": "module" }');
const run = (code: string): string => runCode(directory, code);

tests('docs/guest.md: tasks with priorities', () => {
  put(
    'tasks.wasm',
    assemble(`(module
      (memory (export "memory") 1)
      (func (export "pay") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func (export "analyse") (param i32) (result i32) (local $turn i32)
        (loop $again
          (local.set $turn (i32.add (local.get $turn) (local.get 0)))
          (br_if $again (i32.lt_u (local.get $turn) (i32.const 10000000))))
        (local.get $turn)))`),
  );
  const [thread, main] = block('docs/guest.md', 'js', 'Scheduler.create').split('// main.js');
  put('tasks.js', thread!);
  const create = `import { readFileSync } from 'node:fs';
    import { MicroVM } from 'ringzero';
    const vm = await MicroVM.create({ guest: readFileSync('tasks.wasm') });\n`;
  const end = `console.log(await report, await tasks.submit('pay', [7], { level: 1 }));
    await worker.terminate();
    await vm.close();`;
  assert.is(run(`${create}//${main}${end}`), '10000000 8\n');
});

tests('docs/guest.md: a timer, from the guest and from JavaScript', () => {
  put('timer.ts', blocks('docs/guest.md', 'typescript')[0]!);
  const asc = [
    'node_modules/assemblyscript/bin/asc.js',
    'timer.ts',
    '-o',
    'timer.wasm',
    '--runtime',
    'stub',
    '-O',
  ];
  execFileSync(process.execPath, asc, { cwd: directory });
  const open = `import { readFileSync } from 'node:fs';
    import { MicroVM } from 'ringzero';
    const guest = readFileSync('timer.wasm');\n`;
  assert.is(run(`${open}${block('docs/guest.md', 'js', 'timer: true')}await vm.close();`), '');
});

tests('docs/programs.md: a package whose glue cannot wait', () => {
  mkdirSync(join(directory, 'node_modules/a-parser'));
  const cells =
    'AGFzbQEAAAABCwJgAn9/AGABfwF/AwMCAAEFAwEAAQcNAgNwdXQAAANnZXQAAQoTAgkAIAAgATYCAAsHACAAKAIACw==';
  const glue = `const compiled = new WebAssembly.Module(Buffer.from('${cells}', 'base64'));
    module.exports = new WebAssembly.Instance(compiled, {}).exports;`;
  put('node_modules/a-parser/index.js', glue);
  put('node_modules/a-parser/package.json', '{ "name": "a-parser", "type": "commonjs" }');
  const use = `parser.put(64, 7);
    const snapshot = program.snapshot();
    parser.put(64, 8);
    console.log(await snapshot.run('get', 64), parser.get(64));
    await program.close();`;
  const load = block('docs/programs.md', 'js', "'a-parser'").replace("'parse'", "'put'");
  assert.is(run(`${load}${use}`), '7 8\n');
});

tests('docs/udf.md: a function in C', () => {
  put('is-long.c', blocks('docs/udf.md', 'c')[0]!);
  const flags = [
    '--target=wasm32',
    '-nostdlib',
    '-Wl,--no-entry',
    '-o',
    'is-long.wasm',
    'is-long.c',
  ];
  const { status, error } = spawnSync('clang', flags, { cwd: directory, stdio: 'inherit' });
  if (error !== undefined) {
    assert.not.equal(process.env['RZ_REQUIRE_PEERS'], '1', 'clang is missing');
    console.log('*** SKIPPED: C, because clang is not installed');
    return;
  }
  assert.is(status, 0);
  const long = `console.log(isLong.call(new Uint8Array(101)));`;
  assert.is(run(`${block('docs/udf.md', 'js', 'Udf.compile')}${long}`), '1\n');
});

tests('docs/bundlers.md: types of exports', () => {
  lend(directory, 'typescript');
  const open = `import { MicroVM } from 'ringzero';\ndeclare const guest: Uint8Array;\n`;
  put(
    'cells.ts',
    `${open}${blocks('docs/bundlers.md', 'ts')[0]}export const sum: number = value + then;\n`,
  );
  const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext'];
  const tsc = ['node_modules/typescript/bin/tsc', ...flags, 'cells.ts'];
  const { stdout } = spawnSync(process.execPath, tsc, { cwd: directory, encoding: 'utf8' });
  assert.is(stdout, '');
});

tests('docs/browser.md: the settings of Vite are those of the example', async () => {
  put('vite.config.js', block('docs/browser.md', 'js', '// vite.config.js'));
  const load = (file: string): Promise<unknown> => import(pathToFileURL(file).href);
  const [ours, theirs] = await Promise.all([
    load(join(directory, 'vite.config.js')),
    load(join(ROOT, 'examples/browser/vite.config.js')),
  ]);
  assert.equal({ ...(ours as object) }, { ...(theirs as object) });
});

tests.after(remove);
tests.run();
