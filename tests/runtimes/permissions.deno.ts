// Goal: the permissions that docs/runtimes.md names are enough, and without one the error says which. Method:
// programs with `--no-prompt` and those flags.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from './binaries.ts';

interface Context {
  directory: string;
}

const test = suite<Context>('permissions of Deno');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringzero-deno-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const url = (file: string): string => JSON.stringify(new URL(`../../${file}`, import.meta.url));

function run(
  { directory }: Context,
  flags: string[],
  text: string,
): { output: string; status: number | null } {
  const program = join(directory, 'program.mjs');
  writeFileSync(program, text);
  const words = ['run', '--no-prompt', '--node-modules-dir=manual', ...flags, program];
  const options = { encoding: 'utf8', timeout: 60_000, env: { NO_COLOR: '1' } } as const;
  const { stdout, stderr, status } = spawnSync(process.execPath, words, options);
  return { output: `${stdout}${stderr}`.replace(/\x1b\[[\d;]*m/g, ''), status };
}

const VM = `
  import { MicroVM } from ${url('host/index.js')};
  import { CELLS } from ${url('tests/vm/guests.js')};
  const vm = await MicroVM.create({ guest: CELLS, memory: 2 ** 24 });
  vm.enter().exports.put(8, 1);
  const snapshot = vm.snapshot();
  vm.enter().exports.put(8, 2);
  console.log(await snapshot.run('get', 8), vm.enter().exports.get(8));
  await snapshot.release();
  await vm.close();`;

const store = (directory: string): string => `
  import { RingzeroLevel } from ${url('host/level/index.js')};
  const db = new RingzeroLevel(${JSON.stringify(join(directory, 'store'))}, { directIO: true, poolSize: 2 ** 20 });
  await db.open().catch(({ cause: { code, message } }) => {
    console.log(code, message);
    Deno.exit(1);
  });
  for (let i = 0; i < 5000; i++) db.putSync('key ' + i, 'x'.repeat(500));
  let entries = 0;
  for (const _ of db.rangeSync()) entries++;
  console.log(entries, db.stats().evictions > 0);
  await db.close();
  await db.open();
  console.log(db.getSync('key 77').length);
  await db.close();`;

test('a VM, its snapshots and their threads read the package, and nothing else', (context) => {
  const { output, status } = run(context, [`--allow-read=${ROOT}`], VM);
  assert.is(output, '1 2\n');
  assert.is(status, 0);
});

test('without that, the error names the permission', (context) => {
  // Without any, node:child_process would give all.
  const { output, status } = run(context, ['--allow-env'], VM);
  assert.match(output, '--allow-read');
  assert.is(status, 1);
});

test('a store reads and writes its directory, past its pool and past the page cache', (context) => {
  const { directory } = context;
  const flags = [`--allow-read=${ROOT},${directory}`, `--allow-write=${directory}`];
  const { output, status } = run(context, flags, store(directory));
  assert.is(output, '5000 true\n500\n');
  assert.is(status, 0);
});

test('E3: a store asks for nothing but its own directory', (context) => {
  const own = join(context.directory, 'store');
  const flags = [`--allow-read=${ROOT},${own}`, `--allow-write=${own}`];
  for (let i = 0; i < 2; i++) {
    const { output, status } = run(context, flags, store(context.directory));
    assert.is(output, '5000 true\n500\n');
    assert.is(status, 0);
  }
});

test('a store that may not write, or not read, says so with its own error', (context) => {
  const { directory } = context;
  const reads = `--allow-read=${ROOT},${directory}`;
  const unwritable = run(context, [reads], store(directory));
  assert.match(unwritable.output, /^LEVEL_IO_ERROR .*--allow-write/);
  assert.is(unwritable.status, 1);
  const unreadable = run(
    context,
    [`--allow-read=${ROOT}`, `--allow-write=${directory}`],
    store(directory),
  );
  assert.match(unreadable.output, /^LEVEL_IO_ERROR .*--allow-read/);
  assert.is(unreadable.status, 1);
});

test('the lock of a process that cannot be seen is kept', (context) => {
  const { directory } = context;
  const flags = [`--allow-read=${ROOT},${directory}`, `--allow-write=${directory}`];
  const killed = store(directory).replace('await db.close();', "Deno.kill(Deno.pid, 'SIGKILL');");
  assert.is.not(run(context, [...flags, '--allow-run'], killed).status, 0);
  const { output, status } = run(context, flags, store(directory));
  assert.match(output, /^LEVEL_LOCKED .*remove the file/);
  assert.is(status, 1);
});

test.run();
