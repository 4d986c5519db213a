// A hostile program that damages its own files: what the host does for it then stays harmless.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroVM, type Program } from '../../host/index.ts';
import * as abi from '../../guest/fs/abi.ts';
import { physicalBuffer } from '../../host/physical-buffer.ts';
import { assemble } from '../vm/guests.ts';

const test = suite('files: a hostile program');
const MEMORY = 2 ** 26;

/** Stores past its memory, and finds words there: loads are not checked. */
const HOSTILE = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
  (memory (export "memory") 1 64)
  (func (export "flags") (param i32) (result i32) (call $flags (local.get 0) (i32.const 0)))
  (func (export "stat") (param i32) (result i32) (call $stat (local.get 0) (i32.const 64)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "store4") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "find") (param $word i32) (param $at i32) (param $end i32) (result i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
      (if (i32.eq (i32.load (local.get $at)) (local.get $word)) (then (return (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $next))
    (unreachable)))`);

type Hostile = Record<
  'flags' | 'stat' | 'store' | 'store4' | 'find',
  (...args: number[]) => number
>;

const load = (): Promise<Program<Hostile>> =>
  MicroVM.load<Hostile>(HOSTILE, {}, { memory: MEMORY });

const wordOf = (text: string): number =>
  new DataView(new TextEncoder().encode(text).buffer).getInt32(0, true);

/** Where the word is, after the program's memory. */
function places({ exports }: Program<Hostile>, word: number): number[] {
  const all: number[] = [];
  for (let at = 65536; (at = exports.find(word, at, MEMORY)) !== 0; at += 4) all.push(at);
  return all;
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

test('FILES-4: forged names do not lead out of the directory of the host', async () => {
  const root = mkdtempSync(join(tmpdir(), 'ringzero-hostile-'));
  try {
    for (const name of ['../pwned', 'a/pwned.', '..', 'b\0pwned.']) {
      const program = await load();
      const { fs } = program;
      fs.writeFileSync('/AAAAZZZZ', 'evil');
      const inner = join(root, 'inner');
      rmSync(inner, { recursive: true, force: true });
      mkdirSync(join(inner, 'a'), { recursive: true });
      const [at] = places(program, wordOf('AAAA'));
      assert.ok(at, 'a page that was just written can be damaged');
      const bytes = new TextEncoder().encode(name);
      bytes.forEach((byte, i) => program.exports.store(at! + i, byte));
      program.exports.store(at! - abi.ENTRY_NAME + abi.ENTRY_NAME_BYTES, bytes.length);
      assert.is(
        codeOf(() => fs.readdirSync('/')),
        'EIO',
        name,
      );
      assert.is(
        codeOf(() => fs.exportSync(inner)),
        'EIO',
        name,
      );
      assert.equal(readdirSync(root), ['inner']);
      assert.equal(readdirSync(join(inner, 'a')), []);
      assert.not(existsSync(join(root, 'pwned')));
      await program.close();
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('FILES-4: the forged length of a link does not reach memory of the kernel', async () => {
  const program = await load();
  const { fs, vm } = program;
  const text = 'x'.repeat(1237); // a length that nothing else has
  fs.symlinkSync(text, '/link');
  const sizes = places(program, text.length).filter((at) => {
    if (codeOf(() => program.exports.store4(at, 7)) !== undefined) return false;
    const isSize = fs.lstatSync('/link').size === 7;
    program.exports.store4(at, text.length);
    return isSize;
  });
  assert.is(sizes.length, 1);
  const { staging } = vm.enter().kernel;
  const behind = new Uint8Array(physicalBuffer(vm.memory), staging + 65536, 65536);
  const before = behind.slice();
  for (const [size, code] of [
    [262144, 'EIO'],
    [2 ** 31, 'EIO'],
    [text.length, undefined],
  ] as const) {
    program.exports.store4(sizes[0]!, size);
    assert.is(
      codeOf(() => fs.readlinkSync('/link')),
      code,
    );
    assert.is(
      codeOf(() => fs.statSync('/link/x')),
      code ?? 'ENAMETOOLONG',
    );
    assert.is(Buffer.compare(behind, before), 0);
  }
  program.exports.store4(sizes[0]! + 4, 2 ** 20);
  assert.is(
    codeOf(() => fs.readFileSync('/link')),
    'EIO',
  );
  await program.close();
});

test('FILES-4: the forged number of a descriptor does not keep a fork busy', async () => {
  const preopens = { '/d': { memory: true } } as const;
  const program = await MicroVM.load<Hostile>(HOSTILE, {}, { memory: MEMORY, wasi: { preopens } });
  const { exports } = program;
  assert.is(exports.flags(3), 0); // writes its record: a page that was just written can be damaged
  const NUMBER = 3; // of the preopened directory
  const owners = places(program, NUMBER).filter((at) => exports.find(1, at - 4, at) !== 0);
  assert.ok(owners.length > 0);
  let forged = 0;
  for (const at of owners) if (codeOf(() => exports.store4(at, 0xfffffff0)) === undefined) forged++;
  assert.ok(forged > 0);
  const fork = program.snapshot();
  assert.is(await fork.run('stat', 3), 8); // EBADF
  await fork.release();
  await program.close();
});

test.run();
