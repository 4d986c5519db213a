// Emscripten's `invoke_` imports: JavaScript that calls a function of the table, with `try` around it
// (GLUE-1). What is called runs as the program does, also when it throws.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('invoke_ imports');

const MODULE = assemble(`(module
  (import "env" "invoke_ii" (func $invoke (param i32 i32) (result i32)))
  (import "env" "tick" (func $tick))
  (import "env" "throws" (func $throws))
  (memory (export "memory") 1)
  (table (export "table") 3 funcref)
  (elem (i32.const 0) $outer $inner $fails)
  (type $unary (func (param i32) (result i32)))
  (func $inner (export "inner") (param i32) (result i32)
    (call $tick)
    (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (local.get 0)))
    (i32.load (i32.const 64)))
  (func $outer (param i32) (result i32) (call_indirect (type $unary) (local.get 0) (i32.const 1)))
  (func $fails (param i32) (result i32)
    (drop (call_indirect (type $unary) (local.get 0) (i32.const 1)))
    (call $throws)
    (i32.const 0))
  (func (export "run") (param i32 i32) (result i32)
    (drop (call $invoke (local.get 0) (local.get 1)))
    (call_indirect (type $unary) (i32.const 100) (i32.const 1))))`);

interface Exports {
  table: WebAssembly.Table;
  inner(by: number): number;
  run(entry: number, by: number): number;
}

async function load(): Promise<{ program: Program<Exports>; crossings: number[] }> {
  const crossings: number[] = [];
  const { stackTraceLimit } = Error;
  const tick = (): void => {
    Error.stackTraceLimit = 50;
    crossings.push(new Error().stack!.split('(export)').length - 1);
    Error.stackTraceLimit = stackTraceLimit;
  };
  const invoke = (entry: number, by: number): number => {
    try {
      return (program.exports.table.get(entry) as (by: number) => number)(by);
    } catch {
      return -1;
    }
  };
  const throws = (): void => {
    throw new Error('thrown');
  };
  const imports = { env: { invoke_ii: invoke, tick, throws } };
  const program: Program<Exports> = await MicroVM.load(MODULE, imports, { memory: 2 ** 24 });
  return { program, crossings };
}

test('exported functions that an invoked function calls cross nothing', async () => {
  const { program, crossings } = await load();
  assert.is(program.exports.run(0, 5), 105);
  assert.equal(crossings, [1, 1], 'the call of run() alone crosses');
  await program.close();
});

test('after what is thrown, the program and its forks go on', async () => {
  const { program, crossings } = await load();
  const { run, inner } = program.exports;
  const snapshot = program.snapshot();
  assert.is(run(2, 5), 105);
  assert.equal(crossings, [1, 1]);
  assert.is(inner(1), 106);
  assert.is(
    await snapshot.run('run', 1, 0).catch(({ code }: { code: string }) => code),
    'RZ_EXPORT',
  );
  await snapshot.release();
  assert.is(run(0, 1), 207);
  await program.close();
});

test.run();
