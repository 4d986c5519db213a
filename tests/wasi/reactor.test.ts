// Calls of a WASI program in its sandbox: its end, its handlers, its forks, its options.

import { renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SYS_WASI } from '../../assembly/abi/syscall.ts';
import { MicroVM, ProgramExit, RingzeroError } from '../../host/index.ts';
import { errno, WASI_FUNCTIONS, WASI_PARAMETERS, type WasiFunction } from '../../host/wasi/abi.ts';
import { Random } from '../random.ts';
import { assemble } from '../vm/guests.ts';
import { REACTOR } from './reactor.ts';
import { DIRECTORY, sandboxSuite } from './sandbox.ts';

const test = sandboxSuite('WASI reactor');

test('proc_exit ends the call with its code, and the program can be called again', ({
  reactor,
}) => {
  const exit = (): number => reactor.call('proc_exit', 7);
  for (let round = 0; round < 3; round++) {
    try {
      exit();
      assert.unreachable();
    } catch (error) {
      assert.instance(error, ProgramExit);
      assert.is((error as ProgramExit).exitCode, 7);
      assert.is((error as ProgramExit).code, 'RZ_EXIT');
    }
    assert.is(reactor.call('sched_yield'), 0);
    assert.is(reactor.program.vm.enter().kernel.calls.depth(), 0);
  }
});

test('a reactor is initialised once, by load alone', async ({ reactor }) => {
  assert.is(reactor.call('ready'), 1);
  const snapshot = reactor.program.snapshot();
  assert.is(await snapshot.run('ready'), 1);
  await snapshot.release();
});

test('the handler that the program binds sees each call with its arguments, and may refuse it', ({
  reactor,
}) => {
  const numberOf = (name: WasiFunction): number => 256 + WASI_FUNCTIONS.indexOf(name);
  reactor.call('handle', 1);
  assert.is(reactor.call('fd_seek', 99, -5n, 1, 4096), errno('BADF'));
  assert.is(reactor.u32(65004), numberOf('fd_seek'));
  assert.is(reactor.u32(65008), 4);
  assert.is(reactor.u32(65016), 99);
  const fd = reactor.open(DIRECTORY, 'file');
  assert.is(reactor.u32(65004), numberOf('path_open'));
  reactor.word(65000, numberOf('path_open'));
  assert.is(reactor.open(DIRECTORY, 'file'), -63);
  assert.is(reactor.readFile(fd), 'inside');
  reactor.call('handle', 0);
  assert.ok(reactor.open(DIRECTORY, 'file') > 0);
});

test('a fork sees memory as it was, not what a file has been read into since', async ({
  reactor,
  inside,
}) => {
  writeFileSync(join(inside, 'file'), Buffer.alloc(3 * 4096, 'n'));
  const fd = reactor.open(DIRECTORY, 'file');
  reactor.word(24_996, 1);
  const snapshot = reactor.program.snapshot();
  for (const [index, word] of [20_000, 5000, 40_000, 20_000].entries())
    reactor.word(512 + index * 4, word);
  assert.is(reactor.call('fd_pread', fd, 512, 2, 0n, 528), 0);
  assert.is(reactor.u32(528), 3 * 4096);
  for (const [address, was] of [
    [20_000, 0],
    [24_996, 1],
    [40_000, 0],
    [47_284, 0],
  ]) {
    assert.is(reactor.u32(address!), 0x6e6e6e6e);
    assert.is(await snapshot.run('peek32', address!), was);
  }
  assert.is(reactor.u32(47_288), 0, 'nothing behind the end of the file');
  await snapshot.release();
});

test('a fork writes files by itself, and its descriptors are its own', async ({
  reactor,
  inside,
}) => {
  const fd = reactor.open(DIRECTORY, 'file');
  const snapshot = reactor.program.snapshot();
  assert.is(await snapshot.run('fd_close', fd), errno('BADF'));
  const [at, bytes] = reactor.text('from-fork', 2048);
  void at;
  const other = reactor.program.snapshot();
  assert.is(await other.run('path_create_directory', DIRECTORY, 2048, bytes), 0);
  assert.is(await other.run('path_unlink_file', DIRECTORY, 2048, bytes), errno('ISDIR'));
  assert.is(reactor.readFile(fd), 'inside');
  rmSync(join(inside, 'from-fork'), { recursive: true });
  await snapshot.release();
  await other.release();
});

test('options that make no sense are refused by name', async () => {
  const refused = async (wasi: object, says: RegExp): Promise<void> => {
    try {
      await MicroVM.load(REACTOR, {}, { memory: 2 ** 24, wasi });
      assert.unreachable();
    } catch (error) {
      assert.instance(error, RingzeroError);
      assert.is((error as RingzeroError).code, 'RZ_OPTION');
      assert.match((error as Error).message, says);
    }
  };
  await refused({ preopens: { '/x': '/no/such/directory' } }, /existing directory/);
  await refused({ args: ['a\0b'] }, /zero bytes/);
  await refused({ env: { 'A=B': 'c' } }, /without '='/);
  await refused({ stdout: -1 }, /stream/);
});

test('names of files that were removed or renamed outside are just gone', ({ inside, reactor }) => {
  renameSync(join(inside, 'a', 'b', 'deep'), join(inside, 'elsewhere'));
  assert.is(reactor.open(DIRECTORY, 'a/b/deep'), -errno('NOENT'));
  unlinkSync(join(inside, 'elsewhere'));
  assert.is(reactor.open(DIRECTORY, 'elsewhere'), -errno('NOENT'));
});

test('A6: a function of WASI imported with other types than its own is refused at load, unless glue has its own', async () => {
  const random = Random.forTest('wasi/types');
  const LETTERS = { i: 'i32', I: 'i64', f: 'f32', r: 'externref' } as const;
  for (const name of WASI_FUNCTIONS) {
    const right = [...WASI_PARAMETERS[name]] as (keyof typeof LETTERS)[];
    const wrong = [...right];
    if (right.length === 0 || random.chance(0.3)) wrong.push('i');
    else {
      const at = random.below(right.length);
      wrong[at] = random.pick(
        (['i', 'I', 'f', 'r'] as const).filter((letter) => letter !== right[at]),
      );
    }
    const types = (letters: string[]): string =>
      letters.map((letter) => `(param ${LETTERS[letter as keyof typeof LETTERS]})`).join(' ');
    const result = name === 'proc_exit' ? '' : '(result i32)';
    const guest = assemble(
      `(module
        (import "wasi_snapshot_preview1" "${name}" (func ${types(wrong)} ${result}))
        (memory (export "memory") 1))`,
      { extended: true },
    );
    try {
      await MicroVM.load(guest, {}, { memory: 2 ** 24 });
      assert.unreachable(name);
    } catch (error) {
      const { code, message } = error as RingzeroError;
      assert.is(code, 'RZ_MODULE_UNSUPPORTED', `${name}: ${message}`);
      assert.match(message, `preview1.${name} as (${wrong.join('')}:`);
    }
    const own = { wasi_snapshot_preview1: { [name]: () => 0 } };
    await (await MicroVM.load(guest, own, { memory: 2 ** 24 })).close();
  }
});

test('A6: a handler can pass on the call that it was asked about, and no other', async () => {
  const guest = assemble(`(module
    (import "libdbos" "setHandler" (func $setHandler (param i32 i32)))
    (import "libdbos" "syscall" (func $syscall (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "libdbos" "proxy" (func $proxy (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_tell" (func $tell (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (table (export "table") 2 funcref) (elem (i32.const 1) $handler)
    (global $other (mut i32) (i32.const 0))
    (func $handler (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $proxy (select (global.get $other) (local.get 0) (global.get $other))
        (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
    (func (export "direct") (param i32) (result i32)
      (call $syscall (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (func (export "handle") (param i32) (global.set $other (local.get 0)) (call $setHandler (i32.const 33) (i32.const 1)))
    (func (export "seek") (result i32) (call $seek (i32.const 3) (i64.const 5) (i32.const 70000) (i32.const 64)))
    (func (export "tell") (result i32) (call $tell (i32.const 3) (i32.const 64))))`);
  const program = await MicroVM.load(guest, {}, { memory: 2 ** 24, wasi: {} });
  const { direct, handle, seek, tell } = program.exports as Record<
    string,
    (number?: number) => number
  >;
  for (const [index, name] of WASI_FUNCTIONS.entries()) {
    const number = SYS_WASI + index;
    assert.is(direct!(number), errno('NOSYS'), name);
    handle!(number);
    assert.is(direct!(number), errno('NOSYS'), name);
    assert.is(seek!(), errno(name === 'fd_seek' ? 'BADF' : 'NOSYS'), name);
    assert.is(tell!(), errno(name === 'fd_tell' ? 'BADF' : 'NOSYS'), name);
    handle!(0);
    assert.is(seek!(), errno('BADF'));
    program.vm.enter(); // still usable
  }
  await program.close();
});

test('A18: options of WASI that are not what they should be are refused by name', async () => {
  const wrong: object[] = [
    { args: 5 },
    { args: 'tool' },
    { args: ['tool', 7] },
    { args: ['zero\0'] },
    { env: 5 },
    { env: null },
    { env: { A: 1 } },
    { env: { 'A=B': 'c' } },
    { preopens: 'here' },
    { preopens: { '/': 5 } },
    { preopens: { '/': null } },
    { preopens: { '/': { path: '/', readOnly: 'yes' } } },
    { stdin: 'x' },
    { brokenPipe: 'maybe' },
    { arguments: [] },
  ];
  const guest = assemble('(module (memory (export "memory") 1))');
  for (const wasi of [...wrong, 5, 'wasi', null]) {
    try {
      await MicroVM.load(guest, {}, { memory: 2 ** 24, wasi: wasi as never });
      assert.unreachable(JSON.stringify(wasi));
    } catch (error) {
      assert.is(
        (error as RingzeroError).code,
        'RZ_OPTION',
        `${JSON.stringify(wasi)}: ${String(error)}`,
      );
    }
  }
});

test.run();
