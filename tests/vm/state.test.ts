// States: a snapshot as a stream of bytes, whole or as the difference from an earlier one, and VMs and
// programs that are restored from it.

import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type GuestFunction, type Snapshot } from '../../host/index.ts';
import { Random } from '../random.ts';
import { assemble } from './guests.ts';
import { bytesOf, codeOf } from './states.ts';

const test = suite('states');
const MEMORY = 2 ** 26;

/** Words, globals of each kind, a table that changes, segments that can be dropped, growth. */
const GUEST = assemble(`(module
  (import "env" "hook" (func $hook))
  (memory (export "memory") 4 512)
  (global $i (mut i32) (i32.const 1))
  (global $j (mut i64) (i64.const 2))
  (global $f (mut f64) (f64.const 0.5))
  (global (export "shown") (mut i32) (i32.const 3))
  (table $t (export "table") 4 8 funcref)
  (elem (i32.const 1) $one $two)
  (elem $more func $two $one)
  (data (i32.const 65536) "hello")
  (data $passive "passive")
  (start $begin)
  (func $begin (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 7))) (call $hook))
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "globals") (param i32)
    (global.set $i (local.get 0))
    (global.set $j (i64.extend_i32_s (local.get 0)))
    (global.set $f (f64.convert_i32_s (local.get 0)))
    (global.set 3 (local.get 0)))
  (func (export "sum") (result f64)
    (f64.add (f64.add (f64.convert_i32_s (global.get $i)) (f64.convert_i64_s (global.get $j)))
      (f64.add (global.get $f) (f64.convert_i32_s (global.get 3)))))
  (func (export "swap") (table.init $t $more (i32.const 1) (i32.const 0) (i32.const 2)))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
  (func (export "init") (param i32) (memory.init $passive (local.get 0) (i32.const 0) (i32.const 7)))
  (func (export "drop") (data.drop $passive)))`);

type Exports = Record<string, GuestFunction>;
let hooks = 0;
const options = (): Parameters<typeof MicroVM.create>[0] => ({
  guest: GUEST,
  memory: MEMORY,
  imports: { env: { hook: () => void hooks++ } },
});
const create = (): Promise<MicroVM<Exports>> => MicroVM.create<Exports>(options());

const exported = (
  snapshot: Snapshot<Exports>,
  since?: Snapshot<Exports>,
  compress = true,
): Promise<Uint8Array> => bytesOf(snapshot.export({ since: since as never, compress }));

/** Memory and registers, as the guest itself sees them. */
function contentOf(vm: MicroVM<Exports>): {
  memory: Uint8Array;
  sum: number;
  calls: number[];
  size: number;
} {
  const { exports } = vm.enter();
  const size = Number(exports['size']!());
  const memory = new Uint8Array(vm.memory.buffer, 0, size * 65536).slice();
  const calls = [1, 2].map((i) => Number(exports['call']!(i)));
  return { memory, sum: Number(exports['sum']!()), calls, size };
}

test('a VM is made again from a state, and its start does not run again', async () => {
  for (const compress of [true, false]) {
    const vm = await create();
    const { exports } = vm.enter();
    exports['put']!(200_000, 77);
    exports['globals']!(9);
    exports['swap']!();
    exports['grow']!(3);
    exports['fill']!(7 * 65536 - 10, 5, 10);
    const snapshot = vm.snapshot();
    const content = contentOf(vm);
    exports['fill']!(0, 255, 65536); // after the snapshot
    exports['globals']!(10);
    const state = await exported(snapshot, undefined, compress);
    const before = hooks;
    const again = await MicroVM.restore<Exports>(state, options());
    assert.equal(contentOf(again), content);
    assert.is(hooks, before);
    assert.is(again.enter().exports['get']!(16), 7);
    assert.equal(content.calls, [2, 1]);
    await Promise.all([snapshot.release(), again.close()]);
    await vm.close();
  }
});

/** A state of version 1, made by Node on x64. */
const VERSION_1 = [
  'UlpTVEFURRoBAAAAAAAAAKL305t/mgWLPXTL6yt/ObMAAAAAAAAAAAAAAAAAAAAADAIAAPOLNphQAAAAKAAAAAAAAAAAAAAA',
  '9Ff6Yz5HuDkBAAAAFgAAACgAAAAAAAAAga+8F7y1BiQiBgABAAQIAAIOACcYQBAAUAAAAAAAAgAAABkAAAAZAAAAAQAAAPYt',
  'oKV/cX7BW1tudWxsLFswLDJdLFswLDFdLG51bGxdXQMAAACBAAAAJEAAAAIAAAB3eI1zka909yIEAAEAUwEAAAADCAATEAgA',
  'E08IAAIiAAYGABYHCwAPCgD////////////////////hHyrmD////////////////////+EP5Q8HX2hlbGxvHwAHDxoA////',
  '/////////////////////////////////////4kfCQEAS1AJCQkJCQUAAAAAAAAAAAAAAAMAAABAEnif9+vmfA==',
].join('');

test('a state of version 1 from another machine is restored', async () => {
  const bytes = Uint8Array.from(atob(VERSION_1), (letter) => letter.charCodeAt(0));
  const vm = await MicroVM.restore<Exports>(bytes, options());
  const { memory, ...rest } = contentOf(vm);
  assert.equal(rest, { sum: 24, calls: [2, 1], size: 5 });
  assert.is(vm.enter().exports['get']!(12288), 42);
  assert.is(new TextDecoder().decode(memory.subarray(65536, 65541)), 'hello');
  assert.ok(memory.subarray(-100).every((byte) => byte === 9));
  await vm.close();
});

test('STATE-3: a VM goes back to a state, and active snapshots keep what they have', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  exports['put']!(8192, 1);
  const first = vm.snapshot();
  const content = contentOf(vm);
  const state = await exported(first);
  exports['put']!(8192, 2);
  exports['put']!(50 * 4096, 3);
  exports['grow']!(20);
  exports['put']!(23 * 65536, 4);
  exports['globals']!(5);
  exports['swap']!();
  const second = vm.snapshot();
  const later = contentOf(vm);
  await vm.restore(state);
  assert.equal(contentOf(vm), content);
  assert.is(await second.run('get', 8192), 2);
  assert.is(await second.run('get', 23 * 65536), 4);
  assert.throws(() => exports['put']!(10 * 65536, 1), /outside|memory/);
  const delta = await exported(second, first);
  await vm.restore([state, delta]);
  assert.equal(contentOf(vm), later);
  await vm.restore([state]);
  exports['grow']!(20);
  assert.is(exports['get']!(23 * 65536), 0);
  await Promise.all([first.release(), second.release()]);
  await vm.close();
});

test('dropped segments stay dropped, and a VM that has dropped one does not go back', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  const before = vm.snapshot();
  const state = await exported(before);
  exports['drop']!();
  const after = vm.snapshot();
  const dropped = await exported(after);
  const again = await MicroVM.restore<Exports>(dropped, options());
  assert.throws(() => again.enter().exports['init']!(0), /trap|out of bounds/i);
  const whole = await MicroVM.restore<Exports>(state, options());
  whole.enter().exports['init']!(0);
  assert.is(whole.enter().exports['get']!(0), 0x73736170);
  assert.is(await codeOf(() => vm.restore(state)), 'RZ_OPTION');
  assert.is(await codeOf(() => vm.restore(dropped)), 'none');
  for (const each of [vm, again, whole]) await each.close();
});

test('random histories: each state and each chain of deltas gives the memory of its moment', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = new Random(seed);
    const vm = await create();
    const { exports } = vm.enter();
    const moments: { snapshot: Snapshot<Exports>; content: ReturnType<typeof contentOf> }[] = [];
    for (let step = 0; step < 5; step++) {
      for (let i = random.below(60); i > 0; i--) change(exports, random);
      const snapshot = vm.snapshot();
      moments.push({ snapshot, content: contentOf(vm) });
    }
    for (let i = random.below(60); i > 0; i--) change(exports, random);
    const whole = await Promise.all(
      moments.map(({ snapshot }) => exported(snapshot, undefined, random.below(2) === 0)),
    );
    for (let trial = 0; trial < 6; trial++) {
      const chosen = moments.map((_, i) => i).filter(() => random.below(2) === 0);
      if (chosen.length === 0) continue;
      const chain: Uint8Array[] = [whole[chosen[0]!]!];
      for (let i = 1; i < chosen.length; i++)
        chain.push(
          await exported(moments[chosen[i]!]!.snapshot, moments[chosen[i - 1]!]!.snapshot),
        );
      const { content } = moments[chosen.at(-1)!]!;
      const target = random.below(2) === 0 ? vm : await MicroVM.restore<Exports>(chain, options());
      if (target === vm) await vm.restore(chain);
      assert.equal(contentOf(target), content, `seed ${seed}, chain ${chosen.join()}`);
      if (target !== vm) await target.close();
    }
    await Promise.all(moments.map(({ snapshot }) => snapshot.release()));
    await vm.close();
  }
});

function change(exports: Exports, random: Random): void {
  const size = Number(exports['size']!()) * 65536;
  const at = random.below(size / 4) * 4;
  const kind = random.below(10);
  if (kind === 0 && size < 2 ** 22) exports['grow']!(1 + random.below(3));
  else if (kind === 1) exports['fill']!(at, 0, Math.min(size - at, random.below(20_000)));
  else if (kind === 2)
    exports['fill']!(at, random.below(256), Math.min(size - at, random.below(20_000)));
  else if (kind === 3) exports['globals']!(random.below(1000));
  else if (kind === 4) exports['swap']!();
  else exports['put']!(at, random.below(2 ** 31));
}

test('calls on a snapshot change what it exports, and deltas from before are refused', async () => {
  const vm = await create();
  const base = vm.snapshot();
  const state = await exported(base);
  await base.run('put', 12288, 5);
  const later = vm.snapshot();
  const changed = await exported(base);
  const again = await MicroVM.restore<Exports>(changed, options());
  assert.is(again.enter().exports['get']!(12288), 5);
  const delta = await exported(later, base);
  await again.restore([changed, delta]);
  assert.is(again.enter().exports['get']!(12288), 0);
  assert.is(await codeOf(() => again.restore([state, delta])), 'RZ_FORMAT');
  await again.close();
  await vm.close();
});

test('STATE-1, STATE-4: a damaged state is refused whole, and the VM keeps what it has', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  const random = new Random(11);
  for (let i = 0; i < 40; i++) exports['put']!(random.below(60_000) * 4, random.below(2 ** 31));
  const snapshot = vm.snapshot();
  const state = await exported(snapshot);
  exports['put']!(4096, 4321);
  const content = contentOf(vm);
  const damaged = (): Uint8Array => {
    const kind = random.below(5);
    const at = random.below(state.length);
    if (kind === 0) return state.slice(0, at);
    const copy = state.slice();
    if (kind === 1) copy[at]! ^= 1 << random.below(8);
    else if (kind === 2) copy.fill(random.below(256), at, at + 1 + random.below(40));
    else if (kind === 3) return new Uint8Array([...state, random.below(256)]);
    else copy.copyWithin(random.below(state.length), at, at + random.below(2000));
    return copy;
  };
  for (let i = 0; i < 400; i++) {
    const bytes = damaged();
    if (bytes.length === state.length && bytes.every((byte, j) => byte === state[j])) continue;
    assert.is(await codeOf(() => vm.restore(bytes)), 'RZ_FORMAT');
  }
  assert.equal(contentOf(vm), content);
  await vm.close();
});

test('another module, a delta alone, a wrong order and wrong types are refused', async () => {
  const vm = await create();
  const [a, b] = [vm.snapshot(), vm.snapshot()];
  const [whole, delta] = [await exported(a), await exported(b, a)];
  const other = assemble('(module (memory (export "memory") 4) (global (mut i32) (i32.const 0)))');
  for (const [state, code] of [
    [delta, 'RZ_FORMAT'],
    [[whole, whole], 'RZ_FORMAT'],
    [[whole, delta, delta], 'RZ_FORMAT'],
    [[], 'RZ_OPTION'],
    [5, 'RZ_OPTION'],
    [null, 'RZ_OPTION'],
    ['state', 'RZ_OPTION'],
  ] as const) {
    assert.is(await codeOf(() => vm.restore(state as never)), code);
    assert.is(await codeOf(() => MicroVM.restore(state as never, options())), code);
  }
  assert.is(
    await codeOf(() => MicroVM.restore(whole, { guest: other, memory: MEMORY })),
    'RZ_FORMAT',
  );
  assert.is(
    await codeOf(() => MicroVM.restore(whole, { ...options(), linked: true })),
    'RZ_OPTION',
  );
  const small = { ...options(), guestLimit: 2 * 65536 };
  assert.is(await codeOf(() => MicroVM.restore(whole, small)), 'RZ_OUT_OF_MEMORY');
  for (const bad of [{ since: 5 }, { since: {} }, { compress: 1 }, { compression: true }, null])
    assert.is(await codeOf(() => a.export(bad as never)), 'RZ_OPTION');
  const second = await create();
  assert.is(await codeOf(() => a.export({ since: second.snapshot() as never })), 'RZ_OPTION');
  await second.close();
  await vm.close();
});

test('STATE-2: a stream fails when its snapshot is released or called while it is read', async () => {
  const vm = await create();
  const snapshot = vm.snapshot();
  const stream = snapshot.export();
  const reader = stream.getReader();
  await reader.read();
  await snapshot.run('put', 0, 1);
  assert.is(await codeOf(() => reader.read()), 'RZ_BUSY');
  const second = snapshot.export().getReader();
  await second.read();
  await snapshot.release();
  assert.is(await codeOf(() => second.read()), 'RZ_SNAPSHOT_CLOSED');
  assert.is(await codeOf(() => snapshot.export()), 'RZ_SNAPSHOT_CLOSED');
  await vm.close();
});

test('restore() while another thread is in the guest is refused', async () => {
  const guest = assemble(`(module (memory 1)
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "spin") (loop $again (br_if $again (i32.eqz (i32.load (i32.const 0)))))))`);
  const vm = await MicroVM.create<Exports>({ guest, memory: MEMORY });
  const state = await exported(vm.snapshot());
  const worker = new Worker(new URL('./spinner.js', import.meta.url), { workerData: vm.handle });
  await new Promise((resolve) => worker.once('message', resolve));
  const until = async (running: number): Promise<void> => {
    while (vm.stats().vcpusRunning !== running)
      // polls
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await until(1);
  assert.is(await codeOf(() => vm.restore(state)), 'RZ_BUSY');
  vm.enter().exports['put']!(0, 1); // it leaves the guest
  await until(0);
  await vm.restore(state);
  await worker.terminate();
  await vm.close();
});

test.run();
