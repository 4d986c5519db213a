// The `ringzero` command itself: what it says to those who do not know it, and with which status.

import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAIN } from '../redis/server-process.ts';

function ringzero(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 20_000 });
}

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
  ]) {
    const { status, stdout } = ringzero(...args);
    assert.is(status, 0, args.join(' '));
    assert.match(stdout, new RegExp(`usage: ringzero ${args[0]}`, 'i'));
  }
});

main('what follows a program is the program’s', () => {
  const { status, stderr } = ringzero('run', 'none.wasm', '--help');
  assert.is(status, 1);
  assert.match(stderr, 'none.wasm');
});

main('an option of one letter is no file', () => {
  const { status, stderr } = ringzero('serve', '-p', '7777');
  assert.is(status, 1);
  assert.match(stderr, "'-p' is no option");
});

main.run();
