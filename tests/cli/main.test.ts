// The `ringzero` command: help, wrong arguments, exit statuses.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAIN } from '../redis/server-process.ts';
import { assemble } from '../vm/guests.ts';

function ringzero(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 20_000 });
}

/** Writes `y` lines and never looks at an error. */
const YES = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\02\\00\\00\\00")
  (data (i32.const 16) "y\\n")
  (func (export "_start")
    (loop $again
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $again))))`);

const main = suite('ringzero');

main('a command that is not there, also one that every object has', () => {
  for (const name of ['frob', 'toString', '__proto__']) {
    const { status, stderr } = ringzero(name);
    assert.is(status, 2, name);
    assert.is(stderr, `ringzero: no command '${name}'; see ringzero --help\n`);
  }
});

main('help, wherever it is asked for', () => {
  for (const args of [
    ['serve', '--help'],
    ['serve', '--port', '1', '--help'],
    ['translate', 'in.wasm', '--help'],
    ['top', '--once', '--help'],
    ['run', '-h'],
    ['new', '-h'],
    ['help', 'serve'],
  ]) {
    const { status, stdout } = ringzero(...args);
    assert.is(status, 0, args.join(' '));
    assert.match(
      stdout,
      new RegExp(`usage: ringzero ${args.find((word) => word !== 'help')}`, 'i'),
    );
    assert.match(stdout, /Example:\n {2}ringzero /);
  }
});

main('wrong arguments: the message names them and where help is', () => {
  for (const [args, message] of [
    [['translate', '--nope', 'x'], 'unknown option --nope'],
    [['translate', 'x'], 'nothing to write: give -o FILE or --snapshot FILE'],
    [['translate', 'x', '-o', 'y', '--info', 'z'], '--info needs --snapshot'],
    [['translate', '--no-elision=1', 'x'], 'option --no-elision takes no value'],
    [['run', '--memory'], 'option --memory needs a value'],
    [['run', '--memory', 'much', 'x.wasm'], '--memory much: not a size such as 512mb'],
    [
      ['run', '--dir', 'a::b::rw', 'x.wasm'],
      '--dir a::b::rw: after the second :: only ro is allowed',
    ],
    ...['0', '-1', '1e3', 'soon', '3000000'].map(
      (time) =>
        [
          ['run', `--timeout=${time}`, 'x.wasm'],
          `--timeout ${time}: not a number of seconds such as 1.5`,
        ] as const,
    ),
    [['top', 'x'], 'unexpected argument x'],
    [['new'], 'give one directory'],
  ] as const) {
    const { status, stderr } = ringzero(...args);
    assert.is(stderr, `ringzero ${args[0]}: ${message}; see ringzero ${args[0]} --help\n`);
    assert.is(status, 2, args.join(' '));
  }
});

main('what follows a program is the program’s', () => {
  const { status, stderr } = ringzero('run', 'none.wasm', '--help');
  assert.is(status, 1);
  assert.match(stderr, 'none.wasm');
});

main('C15: after -- comes the program, and what follows it is still the program’s', () => {
  const { status, stderr } = ringzero('run', '--', '-none.wasm', '-x');
  assert.is(status, 1);
  assert.match(stderr, "'-none.wasm'");
  const { status: usage, stderr: said } = ringzero('run', '--');
  assert.is(usage, 2);
  assert.match(said, 'missing PROGRAM.wasm');
});

main('C15: a program that writes for ever ends when its reader does, with 141', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-yes-'));
  const yes = join(folder, 'yes.wasm');
  writeFileSync(yes, YES);
  const shell = `"${process.execPath}" "${MAIN}" run "${yes}" | head -n 3; echo \${PIPESTATUS[0]}`;
  const { stdout } = spawnSync('bash', ['-c', shell], { encoding: 'utf8', timeout: 60_000 });
  rmSync(folder, { recursive: true });
  assert.is(stdout, 'y\ny\ny\n141\n');
});

/** Programs that never end: one computes, one sleeps, one waits for input that does not come. */
const ENDLESS = {
  computes: '(loop $again (br $again))',
  sleeps: `(i64.store (i32.const 64) (i64.const 7)) (i64.store (i32.const 88) (i64.const 3600000000000))
    (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 256)))`,
  reads: `(i64.store (i32.const 0) (i64.const 0x1000000200))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))`,
};

main('--timeout ends a program whatever it does, with 124, and leaves others alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-endless-'));
  for (const [what, body] of Object.entries({ ...ENDLESS, ends: '(call $exit (i32.const 7))' })) {
    const file = join(folder, `${what}.wasm`);
    writeFileSync(
      file,
      assemble(`(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") ${body}))`),
    );
    const seconds = what === 'ends' ? '1000' : '0.5';
    const child = spawn(process.execPath, [MAIN, 'run', '--timeout', seconds, file]); // its input stays open
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    const ended = (await once(child, 'close')) as [number | null, string | null];
    const expected = { ends: [7, null], reads: [null, 'SIGKILL'] }[what] ?? [124, null];
    assert.equal(ended, expected, `${what}: ${errors}`);
    if (what !== 'ends') assert.match(errors, /was stopped after 0\.5 s/);
  }
  rmSync(folder, { recursive: true });
});

main('an option of one letter is not a file', () => {
  const { status, stderr } = ringzero('serve', '-p', '7777');
  assert.is(status, 1);
  assert.match(stderr, "'-p' is not an option");
});

main.run();
