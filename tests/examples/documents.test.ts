// The code of docs/ as written. README.md, docs/migration.md and docs/errors.md are in readme.test.ts,
// docs/guest.md is in guest.test.ts.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../free-port.ts';
import { assemble } from '../vm/guests.ts';
import { ioGuest, ioProgram } from './io-document.ts';
import { blocks, install, project } from './project.ts';
import { block, lend, runCode } from './snippets.ts';

const tests = suite('documents as written');
const { directory, remove } = project();
install(directory);
lend(directory, '@sqlite.org');

const run = (code: string): string => runCode(directory, code);

tests('docs/level.md: a store, and another thread', () => {
  assert.is(run(block('docs/level.md', 'js', 'db.batch')), 'ada 1815\nalan 1912\n');
  const [opener, reader] = block('docs/level.md', 'js', 'attach').split('// reader.js\n');
  const imports = `import { Worker, workerData } from 'node:worker_threads';
    import { RingzeroLevel } from 'ringzero/level';\n`;
  writeFileSync(
    join(directory, 'reader.js'),
    `${imports}${reader}console.log(db.getSync('ada')); await db.close();`,
  );
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const text = `${imports}const db = new RingzeroLevel('./people'); await db.open();\n${opener}`;
  assert.is(run(text), '{"born":1815}\n');
});

tests('docs/udf.md: a function, called and in a range', () => {
  writeFileSync(join(directory, 'is-long.ts'), blocks('docs/udf.md', 'ts')[0]!);
  const asc = ['node_modules/assemblyscript/bin/asc.js', 'is-long.ts', '-o', 'is-long.wasm'];
  execFileSync(process.execPath, [...asc, '--runtime', 'stub', '--use', 'abort='], {
    cwd: directory,
  });
  const compile = block('docs/udf.md', 'js', 'Udf.compile');
  const range = `import { RingzeroLevel } from 'ringzero/level';
    const db = new RingzeroLevel('./rows');
    await db.batch([{ type: 'put', key: 'a1', value: 'short' }, { type: 'put', key: 'a2', value: 'x'.repeat(101) }]);\n`;
  const text = `${compile}${range}${block('docs/udf.md', 'js', 'filterSync')}await db.close();`;
  assert.is(run(text), `a2 ${'x'.repeat(101)}\n`);
});

tests('docs/sqlite.md: a fork', () => {
  const code = block('docs/sqlite.md', 'js', 'db.fork()');
  const file = block('docs/sqlite.md', 'js', "oo1.DB('/people.db");
  const [before, end] = code.split('await sqlite.close();');
  const said = run(
    `${before}${file}console.log(theirs.join(), ours.join()); await sqlite.close();${end}`,
  );
  assert.is(said, 'alan ada,alan\n');
  const database = readFileSync(join(directory, 'people.db'), 'latin1');
  assert.ok(database.startsWith('SQLite format 3'));
});

tests('docs/pglite.md: a fork', () => {
  lend(directory, '@electric-sql');
  const code = block('docs/pglite.md', 'js', 'db.fork()');
  assert.is(run(`${code}console.log(...rows.map(({ name }) => name));`), 'ada alan\n');
  const share = block('docs/pglite.md', 'js', 'TEST_DATABASE = shared');
  const open = block('docs/pglite.md', 'js', 'openFork(process').replaceAll(/\bdb\b/g, 'fork');
  run(`${share}${open}await shared.close(); await db.close();`);
});

tests('docs/states.md: a state and a delta, restored', () => {
  const cells = assemble(`(module (memory (export "memory") 1)
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))`);
  writeFileSync(join(directory, 'cells.wasm'), cells);
  run(block('docs/states.md', 'js', 'MicroVM.restore'));
  const vm = `import { readFileSync } from 'node:fs';
    import { MicroVM } from 'ringzero';
    const vm = await MicroVM.create({ guest: readFileSync('cells.wasm'), memory: 64 << 20 });
    const { exports } = vm.enter();\n`;
  run(`${vm}${block('docs/states.md', 'js', 'StateStore')}await vm.close();`);
});

tests('docs/programs.md: a command and a reactor', () => {
  for (const name of ['data', 'lib']) mkdirSync(join(directory, name));
  const wasi = '(import "wasi_snapshot_preview1"';
  const tool = assemble(`(module
    ${wasi} "proc_exit" (func $exit (param i32)))
    ${wasi} "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (drop (call $sizes (i32.const 0) (i32.const 4)))
      (call $exit (i32.load (i32.const 0)))))`);
  const library = assemble(`(module
    (memory (export "memory") 1)
    (func (export "_initialize") (i32.store (i32.const 0) (i32.const 41)))
    (func (export "push") (param i32) (result i32) (i32.add (local.get 0) (i32.load (i32.const 0)))))`);
  writeFileSync(join(directory, 'tool.wasm'), tool);
  writeFileSync(join(directory, 'library.wasm'), library);
  const text = `${block('docs/programs.md', 'js', 'tool.start')}console.log(exitCode, library.exports.push(1));`;
  assert.is(run(text), '2 42\n', 'its two arguments; constructed before it is called');
});

tests('docs/programs.md: a package without a hook', () => {
  const parser = assemble(`(module (memory (export "memory") 1)
    (func (export "parse") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))`);
  const folder = join(directory, 'node_modules/a-parser');
  mkdirSync(folder);
  writeFileSync(join(folder, 'parser.wasm'), parser);
  writeFileSync(
    join(folder, 'index.js'),
    `const bytes = require('fs').readFileSync(require('path').join(__dirname, 'parser.wasm'));
    module.exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;`,
  );
  const code = block('docs/programs.md', 'js', "from 'ringzero/intercept'");
  const forked = "console.log(parser.parse(1), await program.snapshot().run('parse', 2));";
  assert.is(run(`${code}${forked} await program.close();`), '2 3\n');
});

tests('docs/programs.md: files in the VM, and a fork of them', () => {
  const cells = assemble('(module (memory (export "memory") 1))');
  writeFileSync(join(directory, 'cells.wasm'), cells);
  writeFileSync(join(directory, 'reader.js'), block('docs/programs.md', 'js', '// reader.js'));
  const before = `import { readFile } from 'node:fs/promises';
    import { MicroVM } from 'ringzero';
    const program = await MicroVM.load(await readFile('cells.wasm'));\n`;
  const text = block('docs/programs.md', 'js', 'program.fs.mkdirSync').replace(
    /await moment.drive.*/,
    (line) => `console.log(${line.split(';')[0]});`,
  );
  assert.is(
    run(`${before}${text}await moment.release(); await program.close();`),
    'as they were\n',
  );
});

tests('docs/programs.md: SQLite with its glue, forked, branched, and what drives them', () => {
  writeFileSync(join(directory, 'driver.js'), block('docs/programs.md', 'js', '// driver.js'));
  const imports = `import { readFile } from 'node:fs/promises';
    import { MicroVM } from 'ringzero';\n`;
  const code = ['let program;\nconst sqlite3', 'new sqlite3.oo1.DB'].map((text) =>
    block('docs/programs.md', 'js', text),
  );
  const branched = `const names = ${block('docs/programs.md', 'js', 'program.branch(')
    .match(/branch\.call\('select', .*?\)/)![0]
    .replace(/^/, 'await ')};`;
  writeFileSync(join(directory, 'branch.js'), block('docs/programs.md', 'js', '// branch.js'));
  const branch = block('docs/programs.md', 'js', 'program.branch(').replace(
    'await branch.close();',
    `${branched} console.log(names.join()); await branch.close();`,
  );
  const said = run(`${imports}${code.join('')}database.exec("INSERT INTO person VALUES ('ada')");
    ${branch} await program.close();`);
  assert.is(said, 'ada\n');
});

tests('docs/programs.md: a store of JavaScript that only beforeWrite() keeps out of forks', () => {
  const cells = assemble(`(module
    (memory (export "memory") 4)
    (data (i32.const 1024) "\\00\\00\\02\\00")
    (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0))))`);
  writeFileSync(join(directory, 'cells.wasm'), cells);
  const announced = block('docs/programs.md', 'js', 'program.beforeWrite');
  const text = (code: string): string => `import { readFile } from 'node:fs/promises';
    import { MicroVM } from 'ringzero';
    const program = await MicroVM.load(await readFile('cells.wasm'));
    const [pointer, bytes] = [1024, new Uint8Array(16).fill(7)];
    const snapshot = program.snapshot();
    ${code}
    console.log(await snapshot.run('get', 131072), program.exports.get(131072));
    await program.close();`;
  assert.is(run(text(announced)), '0 7\n');
  assert.is(run(text(announced.replace(/^program\.beforeWrite.*$/m, ''))), '7 7\n', 'the trap');
});

tests('docs/observing.md: the metrics of a store, and a trace', async () => {
  const open = `import { RingzeroLevel } from 'ringzero/level';
    const db = new RingzeroLevel('./observed'); await db.open(); await db.put('a', '1');\n`;
  const port = await freePort();
  const served = block('docs/observing.md', 'js', 'db.metrics').replace('9121', String(port));
  const ask = `const answer = await fetch('http://127.0.0.1:${port}/metrics');
    console.log(/^ringzero_store_entries \\d+$/m.exec(await answer.text())[0]); await db.close(); process.exit();`;
  assert.is(run(`${open}${served}${ask}`), 'ringzero_store_entries 1\n');

  const cells = assemble(`(module
    (memory (export "memory") 1)
    (func (export "put") (param i32 i32) (i32.store (i32.shl (local.get 0) (i32.const 2)) (local.get 1))))`);
  writeFileSync(join(directory, 'guest.wasm'), cells);
  const guest = `import { MicroVM } from 'ringzero'; import { readFileSync } from 'node:fs';
    const guest = readFileSync('guest.wasm');\n`;
  const traced = block('docs/observing.md', 'js', "trace: 'trace.json'");
  run(`${guest}${traced}vm.enter().exports.put(1, 2); await vm.close();`);
  const events = JSON.parse(readFileSync(join(directory, 'trace.json'), 'utf8')) as {
    name?: string;
  }[];
  assert.ok(events.some(({ name }) => name === 'write fault'));
});

tests(
  'docs/io.md: a guest that uses the queue, requests and the log, and faults on purpose',
  () => {
    const code = (text: string): string => block('docs/io.md', 'ts', text);
    const guest = ioGuest(code('queue.submit'), code('requests.attach'), code('logWriter.open'));
    writeFileSync(join(directory, 'io-guest.ts'), guest);
    const config = ['--config', 'node_modules/ringzero/assembly/guest.json'];
    const args = ['io-guest.ts', ...config, '-o', 'io-guest.wasm'];
    execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', ...args], {
      cwd: directory,
    });
    writeFileSync(join(directory, 'pages'), new Uint8Array(8192).fill(65));
    const text = ioProgram(code('rings: true });\n'), code('new Faults'));
    assert.is(run(text), '74096n 65\n4096 65\n0\n69995n\n', 'the last with EIO');
    assert.ok(readFileSync(join(directory, 'appended.log')).length > 100);
  },
);

tests.after(remove);
tests.run();
