// Snapshots of snapshots through the API: globals, tables, files, exported states, drivers; and misuse.
// Memory is the models' (forks-model.test.ts, snappy/protocol.test.ts), races are the hammer's.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type RingzeroError, type Snapshot } from '../../host/index.ts';
import { Random } from '../random.ts';
import { compare, Model, step, type DirectoryNode } from '../files/model.ts';
import { assemble, CELLS } from './guests.ts';
import { bytesOf } from './states.ts';

const test = suite('forks of forks');
const DRIVER = new URL('./drivers.js', import.meta.url);
const FILES = new URL('../files/drivers.js', import.meta.url);
const MEMORY = 2 ** 24;

const codeOf = async (act: () => unknown): Promise<string | undefined> => {
  try {
    await act();
    return undefined;
  } catch (error) {
    return (error as RingzeroError).code;
  }
};

test('globals and writes of a call are in a snapshot taken after it, and each goes on by itself', async () => {
  const vm = await MicroVM.create({ guest: CELLS, memory: MEMORY });
  const first = vm.snapshot();
  await first.run('put', 8, 1);
  await first.run('put', 8, 2);
  const second = first.snapshot();
  const third = second.snapshot();
  await first.run('put', 8, 3);
  await second.drive(DRIVER, { act: 'write', at: 8 });
  assert.equal(
    await Promise.all([first, second, third].map((each) => each.run('get', 8))),
    [3, 0x04030201, 2],
  );
  assert.equal(
    await Promise.all([first, second, third].map((each) => each.run('calls'))),
    [3, 2, 2],
  );
  assert.is(vm.enter().exports['get']!(8), 0);
  assert.is(vm.enter().exports['calls']!(), 0);
  await first.release(); // in any order
  assert.is(await third.run('get', 8), 2);
  await third.release();
  assert.is(await second.run('get', 8), 0x04030201);
  await second.release();
  assert.is(vm.stats().snapshotsActive, 0);
  await vm.close();
});

test('globals that do not fit the block of a snapshot are carried, too', async () => {
  const count = 400;
  const declared = Array.from(
    { length: count },
    (_, i) => `(global $g${i} (mut i32) (i32.const 0))`,
  );
  const sets = Array.from(
    { length: count },
    (_, i) => `(global.set $g${i} (i32.add (local.get 0) (i32.const ${i})))`,
  );
  const sum = Array.from({ length: count }, (_, i) => `(global.get $g${i})`).join(' ');
  const guest = assemble(`(module (memory (export "memory") 1) ${declared.join(' ')}
    (func (export "set") (param i32) ${sets.join(' ')})
    (func (export "sum") (result i32) ${sum} ${'(i32.add) '.repeat(count - 1)}))`);
  const vm = await MicroVM.create({ guest, memory: MEMORY });
  const first = vm.snapshot();
  await first.run('set', 5);
  const second = first.snapshot();
  await first.run('set', 0);
  const base = (count * (count - 1)) / 2;
  assert.is(await second.run('sum'), base + 5 * count);
  assert.is(await first.run('sum'), base);
  assert.is(vm.enter().exports['sum']!(), 0);
  await Promise.all([first.release(), second.release()]);
  await vm.close();
});

test('tables are as the parent left them', async () => {
  const guest = assemble(`(module (memory (export "memory") 1) (table 2 8 funcref)
    (elem declare func $one $two)
    (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (func (export "swap") (table.set (i32.const 1) (ref.func $two)))
    (func (export "one") (table.set (i32.const 1) (ref.func $one)))
    (func (export "call") (result i32) (call_indirect (result i32) (i32.const 1))))`);
  const vm = await MicroVM.create({ guest, memory: MEMORY });
  const first = vm.snapshot();
  await first.run('swap');
  const second = first.snapshot();
  await first.run('one');
  assert.equal([await first.run('call'), await second.run('call')], [1, 2]);
  await Promise.all([first.release(), second.release()]);
  await vm.close();
});

test('files change at random in a tree of forks, each has its own', async () => {
  const random = Random.forTest('files of forks');
  const program = await MicroVM.load(CELLS, {}, { memory: 2 ** 26 });
  const model = new Model();
  for (let i = 0; i < 100; i++) step(program.fs, model, random);
  const open = [{ snapshot: program.snapshot() as Snapshot, root: structuredClone(model.root) }];
  for (let round = 0; round < 40; round++) {
    const branch = random.pick(open);
    if (open.length < 8)
      open.push({ snapshot: branch.snapshot.snapshot(), root: structuredClone(branch.root) });
    const about = { act: 'model', root: branch.root, seed: random.bits(), steps: 40 };
    branch.root = (await branch.snapshot.drive(FILES, about)) as DirectoryNode;
    for (let i = 0; i < 20; i++) step(program.fs, model, random);
    if (open.length === 8) await open.splice(random.below(open.length), 1)[0]!.snapshot.release();
  }
  for (const { snapshot, root } of open) {
    await snapshot.drive(FILES, { act: 'model', root, seed: 1, steps: 0 });
    await snapshot.release();
  }
  compare(program.fs, model);
  await program.close();
});

test('the state of a fork of a fork is exported, whole and as the difference from its parent', async () => {
  const vm = await MicroVM.create({ guest: CELLS, memory: MEMORY });
  const { exports } = vm.enter();
  const first = vm.snapshot();
  await first.run('put', 70_000, 7);
  const second = first.snapshot();
  await second.run('put', 8, 9);
  exports['put']!(8, 1000);
  const whole = await bytesOf(second.export());
  const base = await bytesOf(first.export());
  const delta = await bytesOf(second.export({ since: first as never }));
  assert.ok(delta.length < base.length + 4096);
  for (const state of [whole, [base, delta]]) {
    const other = await MicroVM.restore(state, { guest: CELLS, memory: MEMORY });
    const restored = other.enter().exports;
    assert.equal([restored['get']!(8), restored['get']!(70_000), restored['calls']!()], [9, 7, 2]);
    await other.close();
  }
  await Promise.all([first.release(), second.release()]);
  await vm.close();
});

test('misuse is a typed error, and changes nothing', async () => {
  const vm = await MicroVM.create({ guest: CELLS, memory: MEMORY });
  const first = vm.snapshot();
  const call = first.run('put', 8, 5);
  assert.is(await codeOf(() => first.snapshot()), 'RZ_BUSY');
  await call;
  const others = Array.from({ length: 31 }, () => first.snapshot());
  assert.is(await codeOf(() => first.snapshot()), 'RZ_SNAPSHOT_LIMIT');
  assert.is(await others[30]!.run('get', 8), 5);
  await Promise.all(others.map((each) => each.release()));
  await first.release();
  assert.is(await codeOf(() => first.snapshot()), 'RZ_SNAPSHOT_CLOSED');
  const last = vm.snapshot();
  await vm.close();
  assert.is(await codeOf(() => last.snapshot()), 'RZ_VM_CLOSED');
});

test('a snapshot that was lost for want of frames has no snapshots; its forks are right', async () => {
  const guest = assemble(`(module (memory (export "memory") 160)
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "fill") (param i32 i32) (memory.fill (i32.const 0) (local.get 0) (local.get 1))))`);
  const vm = await MicroVM.create({ guest, memory: MEMORY });
  const first = vm.snapshot();
  await first.run('fill', 1, 65536);
  const second = first.snapshot();
  const bytes = 160 * 65536; // more than is free
  assert.is(await codeOf(() => first.run('fill', 2, bytes)), 'RZ_SNAPSHOT_LOST');
  assert.is(await codeOf(() => first.snapshot()), 'RZ_SNAPSHOT_LOST');
  await first.release();
  assert.is(await second.run('get', 0), 0x01010101);
  const third = second.snapshot();
  await second.release();
  assert.is(await third.run('get', 0), 0x01010101);
  assert.is(vm.enter().exports['get']!(0), 0);
  await third.release();
  await vm.close();
});

test.run();
