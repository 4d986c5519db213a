// Programs with exceptions in a VM and its forks: what crosses JavaScript, what no program catches, tags that
// are imported.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program, ProgramExit, RingzeroError } from '../../host/index.ts';
import { Exception, Tag } from '../../host/vm/tags.ts';
import { assemble } from './guests.ts';

const test = suite('vm/exceptions');
const MEMORY = 2 ** 25;
type Calls = Record<string, (...args: number[]) => number>;

const PROGRAM = assemble(`(module
  (import "env" "tag" (tag $given (param i32)))
  (import "env" "call" (func $call (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (tag $own (export "own") (param i32 f64))
  (memory (export "memory") 2)
  (func $throws (param i32)
    (i32.store (i32.const 70000) (local.get 0))
    (throw $given (local.get 0)))
  (func (export "caught") (param i32) (result i32)
    try (result i32) (call $throws (local.get 0)) (unreachable)
    catch $given (i32.const 1000) (i32.add) (i32.load (i32.const 70000)) (i32.add) end)
  (func (export "uncaught") (throw $own (i32.const 5) (f64.const 0.5)))
  (func (export "given") (throw $given (i32.const 6)))
  (func (export "trap") (unreachable))
  (func (export "leaves") try (call $exit (i32.const 3)) catch_all end)
  (func (export "around") (param i32) (result i32)
    try (result i32) (call $call (local.get 0))
    catch $given catch_all (i32.const -1) end
    (i32.store (i32.const 80000) (i32.const 9)))
  (func (export "spin") (loop $l try (br $l) catch_all end (br $l))))`);

const tag = new Tag({ parameters: ['i32'] });

async function load(): Promise<{ program: Program; calls: Calls; next: { call: () => number } }> {
  const next = { call: (): number => 0 };
  const env = { tag, call: () => next.call() };
  const program = await MicroVM.load(PROGRAM, { env } as never, { memory: MEMORY, wasi: {} });
  return { program, calls: program.exports as unknown as Calls, next };
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const codeOf = (error: unknown): string => (error as RingzeroError).code;

test('a program catches what it throws, with an imported tag, and so does its fork', async () => {
  const { program, calls } = await load();
  assert.is(calls['caught']!(7), 1014);
  const snapshot = program.snapshot();
  assert.is(calls['caught']!(8), 1016);
  assert.is(await snapshot.run('caught', 9), 1018);
  for (const name of ['given', 'uncaught'])
    assert.is(codeOf(await snapshot.run(name).catch((error: unknown) => error)), 'RZ_GUEST_TRAP');
  assert.is(await snapshot.run('caught', 10), 1020);
  await snapshot.release();
  await program.close();
});

test('an exception that the program does not catch reaches JavaScript as it is', async () => {
  const { program, calls } = await load();
  const own = program.exports['own'] as object;
  const error = thrownBy(() => calls['uncaught']!()) as InstanceType<typeof Exception>;
  assert.instance(error, Exception);
  assert.ok(error.is(own));
  assert.is(error.getArg(own, 1), 0.5);
  assert.ok((thrownBy(() => calls['given']!()) as typeof error).is(tag));
  await program.close();
});

test('JavaScript throws into the program, by a tag or otherwise, and the program goes on in its view', async () => {
  const { program, calls, next } = await load();
  next.call = () => {
    throw new Exception(tag, [12]);
  };
  assert.is(calls['around']!(0), 12);
  const snapshots: ReturnType<Program['snapshot']>[] = [];
  next.call = () => {
    snapshots.push(program.snapshot()); // so the store behind the handler belongs to a later epoch
    calls['given']!();
    return 1;
  };
  new Uint32Array(program.memory.buffer)[20000] = 4;
  assert.is(calls['around']!(0), 6);
  const memory = new Uint32Array(program.memory.buffer);
  assert.is(memory[20000], 9);
  assert.is(new Uint32Array(snapshots[0]!.read(80000, 4).slice().buffer)[0], 4);
  await snapshots[0]!.release();
  next.call = () => {
    throw new Error('mine');
  };
  assert.is(calls['around']!(0), -1);
  await program.close();
});

test('TRAP-1: traps, and the end of the program, pass through its handlers', async () => {
  const { program, calls, next } = await load();
  next.call = () => calls['trap']!();
  const error = thrownBy(() => calls['around']!(0)) as RingzeroError;
  assert.instance(error, RingzeroError);
  assert.instance(error, WebAssembly.RuntimeError);
  assert.is(error.code, 'RZ_GUEST_TRAP');
  assert.match(error.message, /unreachable/);
  const exit = thrownBy(() => calls['leaves']!()) as ProgramExit;
  assert.instance(exit, ProgramExit);
  assert.is(exit.exitCode, 3);
  assert.match(String(exit.stack), /ProgramExit|RingzeroError/);
  assert.is(calls['caught']!(7), 1014);
  const snapshot = program.snapshot();
  const spin = snapshot.run('spin').catch((error: unknown) => error);
  snapshot[Symbol.dispose]();
  assert.is(codeOf(await spin), 'RZ_SNAPSHOT_STOPPED');
  await program.close();
});

test('the memory of a module that imports a tag before it is found', async () => {
  const wasm = assemble(`(module
    (import "env" "tag" (tag (param i32)))
    (import "env" "memory" (memory 3 1000))
    (func (export "size") (result i32) (memory.size)))`);
  const memory = MicroVM.memory(MEMORY, wasm);
  const env = { tag, memory };
  const program = await MicroVM.load(wasm, { env } as never, { memory: MEMORY });
  assert.is((program.exports as unknown as Calls)['size']!(), 3);
  await program.close();
});

test.run();
