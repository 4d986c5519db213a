// Forks of programs that import globals and tables.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type RingzeroError } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('vm/carried');
const MEMORY = 2 ** 25;

type Calls = Record<string, (...args: (number | bigint)[]) => number | bigint>;

const IMPORTS = assemble(
  `(module
    (import "env" "base" (global $base i32))
    (import "env" "plain" (global $plain i64))
    (import "env" "top" (global $top (mut i32)))
    (import "env" "ratio" (global $ratio (mut f64)))
    (import "env" "thing" (global $thing externref))
    (import "env" "table" (table $table 4 funcref))
    (type $get (func (result i32)))
    (memory (export "memory") 1)
    (func $seven (result i32) (i32.const 7))
    (elem (table $table) (i32.const 1) func $seven)
    (func (export "base") (result i32) (global.get $base))
    (func (export "plain") (result i64) (global.get $plain))
    (func (export "top") (result i32) (global.get $top))
    (func (export "ratio") (result f64) (global.get $ratio))
    (func (export "push") (global.set $top (i32.add (global.get $top) (i32.const 16))))
    (func (export "has") (result i32) (ref.is_null (global.get $thing)))
    (func (export "at") (param i32) (result i32) (call_indirect $table (type $get) (local.get 0)))
    (func (export "size") (result i32) (table.size $table)))`,
  { extended: true },
);

test('C7: a program that imports globals and a table forks, with the values of its parent', async () => {
  const top = new WebAssembly.Global({ value: 'i32', mutable: true }, 1000);
  const env = {
    base: 4096,
    plain: 2n ** 40n,
    top,
    ratio: new WebAssembly.Global({ value: 'f64', mutable: true }, 0.5),
    thing: { of: 'JavaScript' },
    table: new WebAssembly.Table({ element: 'anyfunc', initial: 6, maximum: 100 }),
  };
  const program = await MicroVM.load(IMPORTS, { env } as never, { memory: MEMORY });
  const calls = program.exports as unknown as Calls;
  env.table.set(4, program.exports['base'] as () => number);
  calls['push']!();
  const snapshot = program.snapshot();
  calls['push']!();
  top.value += 1;
  assert.is(await snapshot.run('base'), 4096);
  assert.is(await snapshot.run('plain'), 2n ** 40n);
  assert.is(await snapshot.run('ratio'), 0.5);
  assert.is(await snapshot.run('top'), 1016);
  await snapshot.run('push');
  assert.is(await snapshot.run('top'), 1032);
  assert.is(calls['top']!(), 1033);
  assert.is(await snapshot.run('size'), 6);
  assert.is(await snapshot.run('at', 1), 7);
  assert.is(await snapshot.run('at', 4), 4096);
  assert.is(await snapshot.run('has'), 1, 'a JavaScript object stays in its thread');
  try {
    await snapshot.run('at', 2);
    assert.unreachable();
  } catch (error) {
    assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP');
  }
  await snapshot.release();
  await program.close();
});

test('C7: a global or table that is not supplied fails the load; the next load works', async () => {
  try {
    await MicroVM.load(IMPORTS, { env: { base: 1 } }, { memory: MEMORY });
    assert.unreachable();
  } catch (error) {
    assert.is((error as RingzeroError).code, 'RZ_EXPORT', String(error));
    assert.match((error as Error).message, 'env.plain, a global, which was not supplied');
  }
});

test.run();
