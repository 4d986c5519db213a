// C programs, built with clang and wasi-libc when the test starts, run as their authors expect.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, type GuestFunction } from '../../host/index.ts';
import { skip } from '../peers.ts';

interface Context {
  scratch: string;
}

const test = suite<Context>('C programs');
const built = mkdtempSync(join(tmpdir(), 'ringzero-c-'));

/** Undefined where clang, its linker or wasi-libc are missing. */
function build(name: string, ...flags: string[]): Uint8Array | undefined {
  const out = join(built, `${name}.wasm`);
  const source = `tests/wasi/programs/${name}.c`;
  const result = spawnSync('clang', ['--target=wasm32-wasi', '-O2', ...flags, '-o', out, source], {
    encoding: 'utf8',
  });
  if (result.status === 0) return new Uint8Array(readFileSync(out));
  skip(`${name}.c: ${result.stderr ?? ''}`, 'one of clang, lld, wasi-libc, libclang-rt-dev-wasm32');
  return undefined;
}

const command = build('command');
const files = build('files');
const list = build('list', '-mexec-model=reactor');

test.before.each((context) => {
  context.scratch = mkdtempSync(join(tmpdir(), 'ringzero-wasi-'));
});
test.after.each(({ scratch }) => rmSync(scratch, { recursive: true }));
test.after(() => rmSync(built, { recursive: true }));

if (command !== undefined) {
  test('a command gets arguments, variables and input, and its exit code comes back', async ({
    scratch,
  }) => {
    writeFileSync(join(scratch, 'in'), 'hello\n');
    const stdin = openSync(join(scratch, 'in'), 'r');
    const stdout = openSync(join(scratch, 'out'), 'w');
    const wasi = { args: ['command', 'one', 'zwei drei'], env: { HOME: '/home' }, stdin, stdout };
    const program = await MicroVM.load(command, {}, { memory: 2 ** 24, wasi });
    assert.is(program.start(), 3);
    assert.is(
      readFileSync(join(scratch, 'out'), 'utf8'),
      'argument one\nargument zwei drei\nHOME /home\nHELLO\nslept enough\n',
    );
    await program.close();
    [stdin, stdout].forEach((descriptor) => closeSync(descriptor));
  });

  test('a command that traps is an error of its caller', async () => {
    const wasi = {
      args: ['command', 'c'],
      stdin: openSync('/dev/null', 'r'),
      stdout: openSync('/dev/null', 'w'),
    };
    const program = await MicroVM.load(command, {}, { memory: 2 ** 24, wasi });
    try {
      program.start();
      assert.unreachable();
    } catch (error) {
      assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP');
    }
    await program.close();
  });

  test('`ringzero run` is such a program as a command', ({ scratch }) => {
    const file = join(scratch, 'command.wasm');
    writeFileSync(file, command);
    // Without HOME, of which Deno does not rid a child.
    const run = (...args: string[]): ReturnType<typeof spawnSync> =>
      spawnSync('env', ['-u', 'HOME', process.execPath, 'dist/node/host/main.js', 'run', ...args], {
        input: 'abc',
        encoding: 'utf8',
      });
    const ended = run('--env', 'HOME=/x', file, 'first', '--second');
    assert.is(ended.status, 3);
    assert.is(ended.stdout, 'argument first\nargument --second\nHOME /x\nABCslept enough\n');
    assert.is(ended.stderr, 'ending with 3\n');
    assert.match(String(run('--env', 'HOME', file).stdout), 'HOME unset\n');
    assert.is(run(file, 'c').status, 134);
    assert.is(run(join(scratch, 'missing.wasm')).status, 1);
    assert.is(run('--dir').status, 2);
  });
}

if (files !== undefined) {
  for (const kind of ['of the host', 'in memory'])
    test(`file calls of C work inside its directories ${kind} and nowhere else`, ({ scratch }) => {
      mkdirSync(join(scratch, 'data'));
      mkdirSync(join(scratch, 'fixed'));
      writeFileSync(join(scratch, 'fixed', 'file'), 'fixed');
      const wasm = join(scratch, 'files.wasm');
      writeFileSync(wasm, files);
      const dirs =
        kind === 'in memory'
          ? ['memory::/data', `memory:${scratch}/fixed::/fixed::ro`]
          : [`${scratch}/data::/data`, `${scratch}/fixed::/fixed::ro`];
      const output = execFileSync(
        process.execPath,
        ['dist/node/host/main.js', 'run', ...dirs.flatMap((dir) => ['--dir', dir]), wasm],
        { encoding: 'utf8' },
      );
      const lines = output.trim().split('\n');
      const failed = lines.filter((line) => !line.endsWith(': ok'));
      assert.equal(failed, [
        'entries: 5',
        'open outside: Capabilities insufficient',
        'open above: Capabilities insufficient',
        'create where reading is allowed: Capabilities insufficient',
      ]);
      assert.is(lines.length, 23);
    });
}

if (list !== undefined) {
  test('a reactor is set up by load, once; its fork writes a file of what it was', async ({
    scratch,
  }) => {
    const wasi = { preopens: { '/data': scratch } };
    const program = await MicroVM.load(list, {}, { memory: 2 ** 26, wasi });
    const { push, add } = program.exports as Record<string, GuestFunction>;
    for (let i = 0; i < 1000; i++) push!(i);
    const snapshot = program.snapshot();
    add!(1000);
    assert.is(await snapshot.run('constructions'), 1);
    assert.is(await snapshot.run('save'), 1000);
    const values = (): number[] =>
      readFileSync(join(scratch, 'list'), 'utf8').trim().split('\n').map(Number);
    assert.equal(
      values(),
      Array.from({ length: 1000 }, (_, i) => 999 - i),
    );
    await snapshot.run('add', 5);
    assert.is(await snapshot.run('save'), 1000);
    assert.is(values()[0], 1004);
    assert.is(Number((program.exports['save'] as unknown as GuestFunction)()), 1000);
    assert.is(values()[0], 1999);
    await snapshot.release();
    await program.close();
  });
}

test.run();
