// Tables, segments and references of forks against the plain engine: a fork has those of its parent at the
// time of the fork, whatever the parent and other forks do with theirs.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type RingzeroError, type Snapshot } from '../../host/index.ts';
import { Random } from '../random.ts';
import { assemble } from './guests.ts';

const MIB = 2 ** 20;
const PAGE = 65536;

type Call = readonly [name: string, ...args: number[]];
type Functions = Record<string, (...args: (number | bigint)[]) => number | bigint>;

const forks = suite('forks, tables and segments');

/** Functions that return 0 to 4, in a table that code or JavaScript may change. */
const TABLES = assemble(`(module
  (memory (export "memory") 1)
  (type $f (func (result i32)))
  (table $t (export "table") 8 20 funcref)
  (table $u 4 12 funcref)
  (elem (table $t) (i32.const 0) func $f0 $f1 $f2 $f3 $f4)
  (elem (table $u) (i32.const 0) func $f4 $f3)
  (elem $late func $f2 $f1 $f0)
  ${[0, 1, 2, 3, 4].map((i) => `(func $f${i} (export "f${i}") (result i32) (i32.const ${i}))`).join('\n')}
  (func (export "t") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))
  (func (export "u") (param i32) (result i32) (call_indirect $u (type $f) (local.get 0)))
  (func (export "move") (param i32 i32) (result i32) (table.set $t (local.get 0) (table.get $t (local.get 1))) (i32.const 0))
  (func (export "clear") (param i32) (result i32) (table.set $u (local.get 0) (ref.null func)) (i32.const 0))
  (func (export "copy") (param i32 i32 i32) (result i32) (table.copy $t $u (local.get 0) (local.get 1) (local.get 2)) (i32.const 0))
  (func (export "fill") (param i32 i32 i32) (result i32) (table.fill $u (local.get 0) (table.get $t (local.get 1)) (local.get 2)) (i32.const 0))
  (func (export "init") (param i32 i32 i32) (result i32) (table.init $t $late (local.get 0) (local.get 1) (local.get 2)) (i32.const 0))
  (func (export "grow") (param i32) (result i32) (table.grow $u (ref.func $f2) (local.get 0)))
  (func (export "sizes") (result i32) (i32.add (table.size $t) (i32.shl (table.size $u) (i32.const 8)))))`);

function tableCall(random: Random): Call {
  const [a, b, c] = [random.below(9), random.below(9), random.below(4)];
  return random.pick<Call>([
    ['t', a],
    ['t', b],
    ['u', a],
    ['u', b],
    ['sizes'],
    ['move', a, b],
    ['clear', a],
    ['copy', a, b, c],
    ['fill', a, b, c],
    ['init', a, c, c],
    ['grow', c],
  ]);
}

/** A parent and its forks against instances that ran the same calls. */
async function compare(
  guest: Uint8Array,
  seed: string,
  callOf: (random: Random) => Call,
): Promise<void> {
  const random = Random.forTest(seed);
  const vm = await MicroVM.create({ guest, memory: 64 * MIB });
  const { exports } = vm.enter();
  const plain = (calls: readonly Call[]): ((call: Call) => number | 'trap') => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(guest as BufferSource));
    const run = ([name, ...args]: Call): number | 'trap' => {
      try {
        return Number((instance.exports as unknown as Functions)[name]!(...args) ?? 0);
      } catch {
        return 'trap';
      }
    };
    for (const call of calls) run(call);
    return run;
  };
  const done: Call[] = [];
  const main = plain([]);
  const open: { snapshot: Snapshot; run: (call: Call) => number | 'trap' }[] = [];
  for (let step = 0; step < 600; step++) {
    if (open.length < 4 && random.chance(0.03))
      open.push({ snapshot: vm.snapshot(), run: plain(done) });
    else if (open.length > 0 && random.chance(0.02)) await open.shift()!.snapshot.release();
    const call = callOf(random);
    const [name, ...args] = call;
    const fork = open.length > 0 && random.chance(0.6) ? random.pick(open) : undefined;
    if (fork === undefined) done.push(call);
    let ours: number | 'trap';
    try {
      ours = Number((await (fork?.snapshot.run(name, ...args) ?? exports[name]!(...args))) ?? 0);
    } catch {
      ours = 'trap';
    }
    assert.is(ours, (fork?.run ?? main)(call), `step ${step}: ${call.join(' ')}`);
  }
  for (const { snapshot } of open) await snapshot.release();
  await vm.close();
}

forks(
  'C12: a changed table is the same in a fork, persists across its calls, and changes in no other fork',
  () => compare(TABLES, 'C12 tables', tableCall),
);

/**
 * Passive segments, 40 of data and 3 of elements, and an active one of each, all of which are used and
 * dropped.
 */
const SEGMENTS = assemble(`(module
  (memory (export "memory") 1)
  (type $f (func (result i32)))
  (table $t 8 funcref)
  (data $active (i32.const 100) "active")
  ${Array.from({ length: 40 }, (_, i) => `(data $d${i} "${'abcdefgh'.slice(0, 1 + (i % 8))}")`).join('\n')}
  (elem $a (table $t) (i32.const 0) func $f0)
  ${[0, 1, 2].map((i) => `(elem $e${i} func ${'$f2 $f1 $f0 '.repeat(i + 1)})`).join('\n')}
  ${[0, 1, 2].map((i) => `(func $f${i} (result i32) (i32.const ${i + 10}))`).join('\n')}
  ${Array.from(
    { length: 40 },
    (_, i) => `
  (func (export "init${i}") (param i32 i32 i32) (memory.init $d${i} (local.get 0) (local.get 1) (local.get 2)))
  (func (export "drop${i}") (data.drop $d${i}))`,
  ).join('\n')}
  (func (export "initActive") (param i32 i32 i32) (memory.init $active (local.get 0) (local.get 1) (local.get 2)))
  (func (export "dropActive") (data.drop $active) (elem.drop $a))
  (func (export "short") (memory.init $d5 (i32.const 0) (i32.const 1) (i32.const 3)))
  ${[0, 1, 2]
    .map(
      (i) => `
  (func (export "table${i}") (param i32 i32 i32) (table.init $t $e${i} (local.get 0) (local.get 1) (local.get 2)))
  (func (export "forget${i}") (elem.drop $e${i}))`,
    )
    .join('\n')}
  (func (export "call") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))`);

function segmentCall(random: Random): Call {
  const [n, e] = [random.below(6) * 8 - (random.chance(0.5) ? 1 : 0), random.below(3)];
  const data = Math.min(39, Math.max(0, n));
  const address = random.chance(0.1) ? PAGE - random.below(4) : random.below(64);
  const [from, count] = [random.below(4), random.below(4)];
  return random.pick<Call>([
    [`init${data}`, address, from, count],
    [`init${data}`, address, 0, 0],
    ['short'],
    ['get', address & 63],
    ['get', address & 63],
    [`table${e}`, random.below(9), from, count],
    [`table${e}`, 0, 0, 3],
    ['call', random.below(8)],
    ['call', random.below(8)],
    ['initActive', address, from & 1, count & 1],
    ['dropActive'],
    ...(random.chance(0.15) ? [[`drop${data}`] as const, [`forget${e}`] as const] : []),
  ]);
}

forks('C12: dropped segments stay dropped in a fork, across its calls, and in no other fork', () =>
  compare(SEGMENTS, 'C12 segments', segmentCall),
);

/**
 * Mutable globals of functions, and functions that are only values: in no table at first, and not exported.
 */
const REFERENCES = assemble(`(module
  (memory 1)
  (type $f (func (result i32)))
  (table $t 3 funcref)
  (global $g (mut funcref) (ref.func $f1))
  (global $h (mut funcref) (ref.null func))
  (elem declare func $f2 $f3)
  ${[1, 2, 3, 4].map((i) => `(func $f${i} (result i32) (i32.const ${i}))`).join('\n')}
  (elem $late func $f4)
  (func (export "two") (global.set $g (ref.func $f2)))
  (func (export "three") (global.set $h (ref.func $f3)))
  (func (export "null") (global.set $g (ref.null func)))
  (func (export "swap") (local funcref)
    (local.set 0 (global.get $g)) (global.set $g (global.get $h)) (global.set $h (local.get 0)))
  (func (export "late") (table.init $t $late (i32.const 1) (i32.const 0) (i32.const 1)))
  (func (export "take") (global.set $h (table.get $t (i32.const 1))))
  (func (export "g") (result i32) (table.set $t (i32.const 0) (global.get $g)) (call_indirect $t (type $f) (i32.const 0)))
  (func (export "h") (result i32) (table.set $t (i32.const 2) (global.get $h)) (call_indirect $t (type $f) (i32.const 2)))
  (func (export "t") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0))))`);

forks(
  'C12: function globals are the same in a fork, persist across its calls, and change in no other fork',
  () =>
    compare(REFERENCES, 'C12 references', (random) =>
      random.pick<Call>([
        ['two'],
        ['three'],
        ['null'],
        ['swap'],
        ['swap'],
        ['late'],
        ['take'],
        ['g'],
        ['g'],
        ['h'],
        ['h'],
        ['t', random.below(3)],
      ]),
    ),
);

forks(
  "C12: an object of JavaScript in a global or table is null in a fork, and one fork's is in no other",
  async () => {
    const guest = assemble(`(module
    (memory 1)
    (table (export "table") 2 10 externref)
    (global $g (export "global") (mut externref) (ref.null extern))
    (func (export "isNull") (result i32) (ref.is_null (global.get $g)))
    (func (export "isEmpty") (param i32) (result i32) (ref.is_null (table.get 0 (local.get 0))))
    (func (export "value") (param i32) (result externref) (table.get 0 (local.get 0)))
    (func (export "move") (param i32) (global.set $g (table.get 0 (local.get 0)))))`);
    const program = await MicroVM.load(guest, {}, { memory: 64 * MIB });
    const { table, global, value } = program.exports as unknown as {
      table: WebAssembly.Table;
      global: WebAssembly.Global;
      value: (index: number) => unknown;
    };
    const before = program.snapshot();
    const object = { an: 'object' };
    table.set(0, object);
    table.set(1, 'a text');
    global.value = object;
    const after = program.snapshot();
    assert.is(await after.run('isNull'), 1);
    assert.is(await after.run('isEmpty', 0), 1);
    assert.is(await after.run('isEmpty', 1), 0);
    assert.is(await after.run('value', 1), 'a text');
    await after.run('move', 1);
    assert.is(await after.run('isNull'), 0);
    assert.is(await before.run('isNull'), 1);
    assert.is(await before.run('isEmpty', 1), 1);
    assert.is(await after.run('isNull'), 0);
    assert.is(value(0), object);
    assert.is(global.value, object);
    await before.release();
    await after.release();
    await program.close();
  },
);

forks(
  'C12: functions that JavaScript puts into a table: the program’s own are in the fork, others trap there',
  async () => {
    const program = await MicroVM.load(TABLES, {}, { memory: 64 * MIB });
    const table = program.exports['table'] as WebAssembly.Table;
    const foreign = new WebAssembly.Instance(new WebAssembly.Module(TABLES as BufferSource))
      .exports['f4'];
    table.set(0, table.get(3));
    table.set(1, program.exports['f2']);
    table.set(2, foreign);
    table.grow(2);
    table.set(9, table.get(4));
    const snapshot = program.snapshot();
    table.set(0, null);
    assert.is(await snapshot.run('t', 0), 3);
    assert.is(await snapshot.run('t', 1), 2);
    const error: unknown = await snapshot.run('t', 2).catch((reason: unknown) => reason);
    assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP', String(error));
    assert.is(await snapshot.run('t', 9), 4);
    await snapshot.release();
    await program.close();
  },
);

forks.run();
