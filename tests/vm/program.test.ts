// Stock modules, loaded unchanged, with JavaScript that writes directly to their memory.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, type GuestFunction, type Program } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('stock programs');
const MEMORY = 2 ** 24;

/** An allocator that always returns the same address, a call of an import that writes, and growth. */
const STOCK = assemble(`(module
  (import "env" "memory" (memory 2 64))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "env" "add" (func $add (param i32 i32) (result i32)))
  (data (i32.const 4096) "\\10\\20\\00\\00\\04\\00\\00\\00")
  (func (export "malloc") (param i32) (result i32) (i32.const 8192))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "read") (result i32) (call $read (i32.const 0) (i32.const 4096) (i32.const 1) (i32.const 12288)))
  (func (export "sum") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))
  (func (export "pages") (result i32) (memory.size)))`);

const add = (a: number, b: number): number => a + b;

function functions(program: Program): Record<string, GuestFunction> {
  return program.exports as unknown as Record<string, GuestFunction>;
}

function load(words: () => Int32Array, memory = MicroVM.memory(MEMORY)): Promise<Program> {
  const fd_read = (_fd: number, vectors: number): number => {
    words()[words()[vectors / 4]! / 4] = 77; // as glue does: straight into memory
    return 0;
  };
  return MicroVM.load(STOCK, { env: { memory, add }, wasi_snapshot_preview1: { fd_read } });
}

test('a module runs on the memory that its glue was given, with its own imports', async () => {
  const memory = MicroVM.memory(MEMORY);
  const program = await load(() => new Int32Array(memory.buffer), memory);
  assert.is(program.memory, memory);
  assert.is(functions(program)['sum']!(3, 4), 7);
  assert.is(functions(program)['sum']!.length, 2);
  assert.is(functions(program)['get']!(4096), 0x2010);
  assert.ok(!Object.keys(program.exports).some((name) => name.startsWith('ringzero')));
  await program.close();
});

test("glue's way of growing memory moves the break, and fails at the limit", async () => {
  const memory = MicroVM.memory(MEMORY);
  const program = await load(() => new Int32Array(memory.buffer), memory);
  const grow = (bytes: number): void =>
    void memory.grow((bytes - memory.buffer.byteLength + 65535) >> 16); // as Emscripten does
  grow(6 * 65536 - 100);
  assert.is(functions(program)['pages']!(), 6);
  assert.is(memory.grow(1), 6);
  assert.is(functions(program)['pages']!(), 7);
  assert.throws(() => grow(65 * 65536), /cannot have/);
  assert.throws(() => memory.grow(58), RangeError);
  assert.is(functions(program)['pages']!(), 7);
  await program.close();
});

test('a memory that MicroVM.memory did not make is refused: the program would not run on it', async () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 64 });
  const failure: unknown = await MicroVM.load(STOCK, { env: { memory, add } }).catch(
    (error: unknown) => error,
  );
  assert.is((failure as RingzeroError).code, 'RZ_OPTION');
  assert.match((failure as Error).message, /MicroVM\.memory/);
  for (const [given, size] of [
    [memory, MEMORY],
    [MicroVM.memory(MEMORY), 2 * MEMORY],
  ] as const) {
    const imports = { env: { memory: given, add } };
    const other: unknown = await MicroVM.load(STOCK, imports, { memory: size }).catch(
      (error: unknown) => error,
    );
    assert.is((other as RingzeroError).code, 'RZ_OPTION', 'nor is one ignored for a size');
  }
  const own = MicroVM.memory(MEMORY);
  const program = await MicroVM.load(STOCK, { env: { memory: own, add } }, { memory: MEMORY });
  assert.is(program.memory, own);
  await program.close();
});

test('direct writes of glue do not show in a snapshot: to memory it allocates, as a WASI result, when announced', async () => {
  const memory = MicroVM.memory(MEMORY);
  const words = new Int32Array(memory.buffer);
  const program = await load(() => words, memory);
  const { malloc, put, read } = functions(program);
  for (const address of [8192, 0x2010, 20480, 28672]) put!(address, 5);
  const snapshot = program.snapshot();
  words[Number(malloc!(100)) / 4] = 6;
  assert.is(read!(), 0);
  program.beforeWrite(20480, 4);
  words[20480 / 4] = 6;
  words[28672 / 4] = 6; // its address went to the program before the snapshot
  assert.equal(
    await Promise.all([8192, 0x2010, 20480, 28672].map((at) => snapshot.run('get', at))),
    [5, 5, 5, 5],
  );
  assert.is(words[0x2010 / 4], 77);
  await snapshot.release();
  await program.close();
});

test('disposing of a fork stops a call that never ends, although the main image does not poll', async () => {
  const spinner = assemble(`(module (memory (export "memory") 1)
    (func (export "spin") (loop $again (br $again))))`);
  const program = await MicroVM.load(spinner, {}, { memory: MEMORY });
  for (const ms of [0, 10, 100]) {
    const snapshot = program.snapshot();
    const spinning = snapshot.run('spin').catch((error: unknown) => error);
    // before it begins, about then, and while it spins
    await new Promise((resolve) => setTimeout(resolve, ms));
    snapshot[Symbol.dispose]();
    assert.is(((await spinning) as RingzeroError).code, 'RZ_SNAPSHOT_STOPPED');
  }
  await program.close();
});

test.run();
