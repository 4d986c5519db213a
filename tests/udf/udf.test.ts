// User-defined functions: what they answer, and what they cannot do.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroError, Udf, type RingzeroErrorCode, type UdfOptions } from '../../host/index.ts';
import { assemble } from '../vm/guests.ts';
import { HASH, LOOP, UPPER, udf, type Parts } from './modules.ts';

const test = suite('user-defined functions');
const text = new TextEncoder();
const row = (value: string): Uint8Array => text.encode(value);
const FUEL = 100_000;

function fails(body: () => unknown, code: RingzeroErrorCode, message?: RegExp): void {
  try {
    body();
  } catch (error) {
    assert.instance(error, RingzeroError);
    assert.is((error as RingzeroError).code, code, (error as Error).message);
    if (message) assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable(`no ${code}`);
}

/** A call ends with the error, twice, as the next call starts anew; and another function goes on. */
function ends(parts: Parts, code: RingzeroErrorCode, options: UdfOptions = { fuel: FUEL }): void {
  const hash = Udf.compile(HASH);
  const before = hash.call(row('row'));
  const broken = Udf.compile(udf(parts), options);
  fails(() => broken.call(row('row')), code);
  assert.is(hash.call(row('row')), before);
  fails(() => broken.call(row('another')), code);
}

function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash | 0;
}

// --- what they answer --------------------------------------------------------------------------------------

test('a function sees the row as it is, of any length', () => {
  const hash = Udf.compile(udf({ memory: '(memory (export "memory") 16)', call: hashCall() }));
  for (const length of [0, 1, 7, 100, 127, 128, 129, 256, 257, 5000, 3, 500_000, 0, 64]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
    assert.is(hash.call(bytes), hashOf(bytes), `${length} bytes`);
  }
});

function hashCall(): string {
  return `(local $end i32) (local $hash i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $hash (i32.mul (i32.const 0x01000193)
        (i32.xor (local.get $hash) (i32.load8_u (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (local.get $hash)`;
}

test('a part of shared memory is a row', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(row('..hello..'), 500);
  const hash = Udf.compile(HASH);
  assert.is(hash.callAt(bytes, 502, 507), hashOf(row('hello')));
  const window = bytes.subarray(3000, 5000).fill(9);
  for (let length = 0; length < 300; length++) {
    window[length] = (length * 13) & 255;
    const start = length % 7;
    const expected = hashOf(window.slice(start, length + 7));
    assert.is(hash.callAt(window, start, length + 7), expected);
    assert.is(hash.callAt(bytes, 3000 + start, 3000 + length + 7), expected);
  }
});

test('an answer is an integer, a float, or bytes that are a copy', () => {
  const half = udf({
    result: 'f64',
    call: '(f64.div (f64.convert_i32_u (local.get $bytes)) (f64.const 2))',
  });
  assert.is(Udf.compile(half).call(row('abc')), 1.5);
  assert.is(Udf.compile(udf({ call: '(i32.const -5)' })).call(row('')), -5);
  const upper = Udf.compile(UPPER);
  assert.is(upper.result, 'bytes');
  const given = row('hello');
  const answer = upper.call(given) as Uint8Array;
  upper.call(row('world'));
  assert.is(new TextDecoder().decode(answer), 'HELLO');
  assert.is(new TextDecoder().decode(given), 'hello', 'the row itself is not written');
});

test('a function keeps its memory from call to call, and loses it when it traps', () => {
  const counter = Udf.compile(
    udf({
      fields: '(global $calls (mut i32) (i32.const 0))',
      call: `(if (i32.eqz (local.get $bytes)) (then (unreachable)))
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 10)))
        (i32.add (global.get $calls) (i32.load (i32.const 8)))`,
    }),
  );
  assert.equal([counter.call(row('a')), counter.call(row('a'))], [11, 22]);
  fails(() => counter.call(row('')), 'RZ_UDF_TRAP');
  assert.is(counter.call(row('a')), 11);
});

test('a start function, data, elements and tables work as they do elsewhere', () => {
  const module = udf({
    fields: `(table $t 4 funcref) (elem (i32.const 1) $one $two) (elem $late func $two $one)
      (type $answer (func (result i32)))
      (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
      (global $started (mut i32) (i32.const 0))
      (func $start (global.set $started (i32.const 100)))
      (start $start)
      (data (i32.const 64) "\\07") (data $passive "\\05")`,
    call: `(memory.init $passive (i32.const 80) (i32.const 0) (i32.const 1))
      (table.init $t $late (i32.const 1) (i32.const 0) (i32.const 1))
      (memory.copy (i32.const 96) (i32.const 64) (i32.const 1))
      (i32.add (global.get $started) (i32.add
        (i32.mul (i32.const 10) (call_indirect (type $answer) (i32.const 1)))
        (i32.add (i32.load8_u (i32.const 96)) (i32.load8_u (i32.const 80)))))`,
  });
  assert.is(Udf.compile(module).call(row('x')), 100 + 20 + 7 + 5);
});

test('a memory that grows while a row lies in it goes on being used', () => {
  const grower = Udf.compile(
    udf({ call: '(drop (memory.grow (i32.const 1))) (i32.load8_u (local.get $at))' }),
    { memoryPages: 4 },
  );
  for (const letter of 'abcdefgh') assert.is(grower.call(row(letter)), letter.charCodeAt(0));
});

// --- what is not let in ------------------------------------------------------------------------------------

test('a module that asks for what it may not have is refused', () => {
  const refused = (parts: Parts, message: RegExp): void =>
    fails(() => Udf.compile(udf(parts), { memoryPages: 2 }), 'RZ_UDF_REFUSED', message);
  for (const [what, name] of [
    ['(import "env" "abort" (func))', /env\.abort/],
    ['(import "wasi_snapshot_preview1" "fd_write" (func))', /fd_write/],
    ['(import "libdbos" "alloc" (func (param i32)))', /libdbos\.alloc/],
    ['(import "ringzero" "exhausted" (func))', /ringzero\.exhausted/],
    ['(import "env" "table" (table 1 funcref))', /env\.table/],
    ['(import "env" "g" (global i32))', /env\.g/],
  ] as const)
    refused({ fields: what }, name);
  refused(
    { memory: '(memory (export "memory") (import "ringzero" "memory") 1)' },
    /ringzero\.memory/,
  );
  refused({ memory: '(memory (export "memory") 1 1 shared)' }, /shared/);
  refused({ memory: '(memory (export "memory") 3)' }, /3 pages/);
  refused({ memory: '(memory (export "mem") 1)' }, /memory/);
  refused({ fields: '(table 65537 funcref)' }, /table/);
  refused({ fields: '(table 1 funcref)'.repeat(5) }, /5 tables/);
  const nothing = assemble('(module (memory (export "memory") 1))');
  fails(() => Udf.compile(nothing), 'RZ_UDF_REFUSED', /input/);
  const odd = assemble(`(module (memory (export "memory") 1)
    (func (export "input") (param i32) (result i32) (i32.const 0))
    (func (export "call") (param i32 f32) (result i32) (i32.const 0)))`);
  fails(() => Udf.compile(odd), 'RZ_UDF_REFUSED', /call/);
  const named = assemble('(module (memory 1) (global (export "ringzero.fuel") i32 (i32.const 0)))');
  fails(() => Udf.compile(named), 'RZ_MODULE_UNSUPPORTED');
  fails(() => Udf.compile(row('no module')), 'RZ_MODULE_MALFORMED');
});

test('options out of range are refused', () => {
  const wrong: UdfOptions[] = [
    { memoryPages: 0 },
    { memoryPages: 1.5 },
    { memoryPages: 65536 },
    { fuel: 0 },
    { fuel: NaN },
    { fuel: 1.5 },
    { timeMs: -1 },
    { timeMs: Infinity },
    { timeMs: 1, fuel: 1 },
    { fuel: '5' as unknown as number },
  ];
  for (const options of wrong) fails(() => Udf.compile(HASH, options), 'RZ_OPTION');
  fails(() => Udf.compile('hash.wasm' as unknown as Uint8Array), 'RZ_OPTION');
  fails(() => Udf.compile(HASH).call('a row' as unknown as Uint8Array), 'RZ_OPTION');
});

// --- escapes -----------------------------------------------------------------------------------------------

test('a function that reads or writes outside its memory traps', () => {
  for (const call of [
    '(i32.load (i32.const 65533))',
    '(i32.load (i32.const -1))',
    '(i32.load offset=4294967295 (i32.const -1))',
    '(i32.store (i32.const 0x7fffffff) (i32.const 1)) (i32.const 1)',
    '(memory.copy (i32.const 0) (i32.const 1) (i32.const 65536)) (i32.const 1)',
    '(memory.fill (i32.const 65536) (i32.const 1) (i32.const 1)) (i32.const 1)',
    '(i32.div_u (i32.const 1) (i32.const 0))',
    '(unreachable)',
    '(memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))',
  ])
    ends({ call }, 'RZ_UDF_TRAP');
});

test('a function has a memory of its own: others never see what it wrote', () => {
  const call = `(i32.add (i32.load (i32.const 16))
    (i32.atomic.rmw.add (i32.const 16) (i32.const 1)))`;
  const [one, two] = [Udf.compile(udf({ call })), Udf.compile(udf({ call }))];
  for (let i = 0; i < 5; i++) one.call(row('x'));
  assert.is(two.call(row('x')), 0);
});

test('METER-2: memory does not grow beyond the limit, whatever the module declares', () => {
  for (const memory of ['(memory (export "memory") 1)', '(memory (export "memory") 1 60000)']) {
    const call = `(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
      (memory.size)`;
    assert.is(Udf.compile(udf({ memory, call }), { memoryPages: 5 }).call(row('x')), 5);
  }
  const own = udf({
    memory: '(memory (export "memory") 1 2)',
    call: '(drop (memory.grow (i32.const 1))) (drop (memory.grow (i32.const 1))) (memory.size)',
  });
  assert.is(Udf.compile(own, { memoryPages: 5 }).call(row('x')), 2);
});

test('a table does not grow beyond the limit', () => {
  const module = udf({
    fields: '(table $t 1 funcref)',
    call: `(drop (table.grow $t (ref.null func) (i32.const 65535)))
      (table.grow $t (ref.null func) (i32.const 1))`,
  });
  assert.is(Udf.compile(module).call(row('x')), -1);
});

test('tables lead to nothing but the functions of the module', () => {
  const fields = `(table $t 4 funcref) (elem (i32.const 0) $good)
    (type $good (func (result i32))) (type $bad (func (param i32) (result i32)))
    (func $good (result i32) (i32.const 1))`;
  for (const call of [
    '(call_indirect (type $good) (i32.const 1))',
    '(call_indirect (type $good) (i32.const 4))',
    '(call_indirect (type $good) (i32.const -1))',
    '(call_indirect (type $bad) (i32.const 5) (i32.const 0))',
    '(table.set $t (i32.const 9) (ref.null func)) (i32.const 1)',
    '(table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 3)) (i32.const 1)',
  ])
    ends({ fields, call }, 'RZ_UDF_TRAP');
});

test('METER-1: a loop without end, of any shape, uses up its fuel', () => {
  for (const call of [
    '(loop $again (br $again)) (unreachable)',
    '(loop $again (br_if $again (i32.const 1))) (i32.const 1)',
    '(loop $again (br_table $again $again (i32.const 0))) (unreachable)',
    '(loop $a (loop $b (br_if $a (local.get $bytes)) (br $b))) (unreachable)',
    '(loop $again (result i32) (br $again)) ',
    '(i32.const 0) (loop $again (param i32) (result i32) (br $again))',
    '(loop $again (if (local.get $bytes) (then (br $again)))) (i32.const 1)',
    '(loop $a (block $b (loop $c (br_table $a $b $c (i32.const 2))))) (i32.const 1)',
  ])
    ends({ call }, 'RZ_UDF_LIMIT');
});

test('calls that never come back use up fuel or stack', () => {
  const deep = Udf.compile(udf({ call: '(call $call (local.get $at) (local.get $bytes))' }));
  fails(() => deep.call(row('x')), 'RZ_UDF_TRAP', /stack/i);
  ends({ call: '(call $call (local.get $at) (local.get $bytes))' }, 'RZ_UDF_LIMIT', { fuel: 1000 });
  // A tree of calls is not deep, and takes for ever.
  const tree = Array.from(
    { length: 40 },
    (_, i) => `(func $f${i} (call $f${i + 1}) (call $f${i + 1}))`,
  );
  const fields = `${tree.join('\n')} (func $f40)`;
  ends({ fields, call: '(call $f0) (i32.const 1)' }, 'RZ_UDF_LIMIT');
  const table = `(type $t (func (param i32 i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $call)`;
  const call = '(call_indirect (type $t) (local.get $at) (local.get $bytes) (i32.const 0))';
  ends({ fields: table, call }, 'RZ_UDF_LIMIT', { fuel: 1000 });
});

test('code without loops, ranges and locals are paid for by their size', () => {
  const spent = (parts: Parts, least: number): void => {
    assert.type(Udf.compile(udf(parts), { fuel: least * 2 + 100 }).call(row('x')), 'number');
    fails(() => Udf.compile(udf(parts), { fuel: least }).call(row('x')), 'RZ_UDF_LIMIT');
  };
  const straight = '(drop (i32.load (local.get $at)))'.repeat(20_000); // 6 bytes each
  spent({ call: `${straight} (i32.const 1)` }, 1840);
  spent({ call: `(loop ${straight}) (i32.const 1)` }, 1840 * 2 - 1);
  const memory = '(memory (export "memory") 16)';
  const megabyte = '(i32.const 0x100000)';
  spent(
    { memory, call: `(memory.fill (i32.const 0) (i32.const 0) ${megabyte}) (i32.const 1)` },
    65536,
  );
  spent(
    { memory, call: `(memory.copy (i32.const 0) (i32.const 0) ${megabyte}) (i32.const 1)` },
    65536,
  );
  const table = '(table $t 65536 funcref)';
  const fill = '(table.fill $t (i32.const 0) (ref.null func) (i32.const 65536)) (i32.const 1)';
  spent({ fields: table, call: fill }, 16 * 65536);
  const locals = `(func $wide (local ${'i64 '.repeat(4000)}))`;
  spent({ fields: locals, call: '(call $wide) (i32.const 1)' }, 500);
});

test('fuel is the same in every call, and is given anew to each', () => {
  const hash = Udf.compile(HASH, { fuel: 60 });
  for (let i = 0; i < 50; i++)
    assert.is(hash.call(row('x'.repeat(40))), hashOf(row('x'.repeat(40))));
  for (let i = 0; i < 3; i++) fails(() => hash.call(row('x'.repeat(90))), 'RZ_UDF_LIMIT', /60/);
  assert.is(hash.call(row('x')), hashOf(row('x')));
});

test('fuel beyond one slice is given in slices', () => {
  const rounds = 2 ** 24 + 1000;
  const call = `(local $i i32) (loop $next
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (i32.const ${rounds})))) (i32.const 1)`;
  assert.is(Udf.compile(udf({ call }), { fuel: rounds + 10 }).call(row('x')), 1);
  fails(() => Udf.compile(udf({ call }), { fuel: rounds - 10 }).call(row('x')), 'RZ_UDF_LIMIT');
});

test('a time limit ends a loop, and leaves a call alone that is quick', () => {
  fails(() => Udf.compile(LOOP, { timeMs: 20 }).call(row('x')), 'RZ_UDF_LIMIT', /20 ms/);
  const hash = Udf.compile(HASH, { timeMs: 1 });
  for (let i = 0; i < 1000; i++) assert.is(hash.call(row('abc')), hashOf(row('abc')));
});

test('a start function that does not end, or traps, is no function', () => {
  const start = (body: string): Uint8Array =>
    udf({ fields: `(func $start ${body}) (start $start)` });
  fails(() => Udf.compile(start('(loop $again (br $again))')), 'RZ_UDF_LIMIT', /start/);
  fails(() => Udf.compile(start('(loop $again (br $again))'), { timeMs: 1 }), 'RZ_UDF_LIMIT');
  fails(() => Udf.compile(start('(call $start)')), 'RZ_UDF_TRAP');
  fails(() => Udf.compile(start('(unreachable)')), 'RZ_UDF_TRAP');
  fails(() => Udf.compile(udf({ fields: '(data (i32.const 65535) "ab")' })), 'RZ_UDF_TRAP');
});

test('UDF-1: an answer outside the memory is none', () => {
  const answer = (address: string, bytes: string): string => `(i64.or
    (i64.shl (i64.extend_i32_u ${address}) (i64.const 32)) (i64.extend_i32_u ${bytes}))`;
  for (const [address, bytes] of [
    [0, 65537],
    [65536, 1],
    [65535, 2],
    [0, -1],
    [-1, -1],
    [-1, 1],
    [-1, 0],
  ]) {
    const call = answer(`(i32.const ${address})`, `(i32.const ${bytes})`);
    ends({ result: 'i64', call }, 'RZ_UDF_RESULT');
  }
  const whole = udf({ result: 'i64', call: answer('(i32.const 0)', '(i32.const 65536)') });
  assert.is((Udf.compile(whole).call(row('')) as Uint8Array).length, 65536);
});

test('a place for the row that is outside the memory is refused, and input() is limited as call() is', () => {
  ends({ input: '(i32.const 65535)' }, 'RZ_UDF_RESULT');
  ends({ input: '(i32.const -1)' }, 'RZ_UDF_RESULT');
  ends({ input: '(i32.const -200)' }, 'RZ_UDF_RESULT');
  ends({ input: '(unreachable)' }, 'RZ_UDF_TRAP');
  ends({ input: '(loop $again (br $again)) (unreachable)' }, 'RZ_UDF_LIMIT');
  ends({ memory: '(memory (export "memory") 0)' }, 'RZ_UDF_RESULT');
  fails(() => Udf.compile(HASH).call(new Uint8Array(65536)), 'RZ_UDF_RESULT');
});

test('thousands of traps leave no memory behind', () => {
  const trap = Udf.compile(udf({ call: '(unreachable)' }));
  for (let i = 0; i < 3000; i++) fails(() => trap.call(row('x')), 'RZ_UDF_TRAP');
});

test('TRAP-1: a function catches its own exceptions, and not the end of its fuel', () => {
  const catching = (body: string): Uint8Array =>
    udf({ fields: '(tag $e (param i32))', call: body });
  const own = catching('try (result i32) (throw $e (local.get $bytes)) catch $e end');
  assert.is(Udf.compile(own).call(row('abc')), 3);
  for (const limits of [{ fuel: 100_000 }, { timeMs: 20 }])
    for (const body of [
      '(loop $l try (loop $m (br $m)) catch_all end (br $l)) (i32.const 1)',
      '(loop $l try (throw $e (i32.const 1)) catch_all end (br $l)) (i32.const 1)',
      '(return_call $call (local.get $at) (local.get $bytes))',
    ])
      fails(() => Udf.compile(catching(body), limits).call(row('abc')), 'RZ_UDF_LIMIT');
});

test.run();
