// Goal: a StateStore keeps each state as it was, stores what states share once, and frees what none has.
// Method: random histories of a VM against copies of its memory. Invariants: STATES-1, STATES-2.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type GuestFunction, type Snapshot, type StateSource } from '../../host/index.ts';
import { RingzeroLevel, StateStore } from '../../host/level/index.ts';
import { Random } from '../random.ts';
import { assemble } from '../vm/guests.ts';
import { bytesOf, codeOf } from '../vm/states.ts';
import { freshLocation } from './stores.ts';

const tests = suite('level state store');
const MIB = 2 ** 20;

type Exports = Record<string, GuestFunction>;
const options = {
  guest: assemble(`(module
    (memory (export "memory") 16 512)
    (global (export "g") (mut i32) (i32.const 0))
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size))
    (func (export "set") (param i32) (global.set 0 (local.get 0))))`),
  memory: 64 * MIB,
};

interface Content {
  readonly memory: Uint8Array;
  readonly global: number;
}

function contentOf(vm: MicroVM<Exports>): Content {
  const bytes = Number(vm.enter().exports['size']!()) * 65536;
  const { value } = vm.enter().instance.exports['g'] as WebAssembly.Global;
  return { memory: new Uint8Array(vm.memory.buffer, 0, bytes).slice(), global: value as number };
}

const exported = async (
  snapshot: Snapshot<Exports>,
  since?: Snapshot<Exports>,
): Promise<Uint8Array> =>
  bytesOf(snapshot.export({ since: since as never }) as ReadableStream<Uint8Array>);

async function opened(
  location = freshLocation(),
): Promise<{ db: RingzeroLevel; states: StateStore }> {
  const db = new RingzeroLevel(location, { poolSize: 8 * MIB });
  await db.open();
  return { db, states: new StateStore(db) };
}

async function check(states: StateStore, name: string, content: Content): Promise<void> {
  const vm = await MicroVM.restore<Exports>((await states.get(name))!, options);
  assert.equal(contentOf(vm), content, name);
  await vm.close();
}

function change({ exports }: { exports: Exports }, random: Random): void {
  const size = Number(exports['size']!()) * 65536;
  for (let i = random.below(40); i > 0; i--) {
    const at = random.below(size / 4) * 4;
    const kind = random.below(10);
    if (kind === 0 && size < 3 * MIB) exports['grow']!(1);
    else if (kind < 3)
      exports['fill']!(at, random.below(3), Math.min(size - at, random.below(40_000)));
    else exports['put']!(at, random.below(2 ** 31));
  }
  exports['set']!(random.below(1000));
}

tests(
  'random histories: every state is as it was, whatever was replaced, deleted and collected',
  async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Random(seed);
      const { db, states } = await opened();
      const vm = await MicroVM.create<Exports>(options);
      const model = new Map<string, Content>();
      const snapshots: { snapshot: Snapshot<Exports>; name: string; id: number }[] = [];
      for (let step = 0; step < 20; step++) {
        change(vm.enter(), random);
        const name = `state ${random.below(8)}`;
        const snapshot = vm.snapshot();
        // The last snapshot whose state is still in the store under its name.
        const base = snapshots
          .filter(
            (one) =>
              !snapshots.some((other) => other.id > one.id && other.name === one.name) &&
              model.has(one.name),
          )
          .at(-1);
        await states.put(name, await exported(snapshot, base?.snapshot));
        model.set(name, contentOf(vm));
        snapshots.push({ snapshot, name, id: step });
        if (random.below(4) === 0) {
          const gone = `state ${random.below(8)}`;
          assert.is(await states.delete(gone), model.delete(gone));
        }
        if (random.below(4) === 0) await states.collect();
        const [some] = [...model.keys()].slice(random.below(model.size));
        if (some !== undefined) await check(states, some, model.get(some)!);
      }
      assert.equal(states.names(), [...model.keys()].sort());
      for (const [name, content] of model) await check(states, name, content);
      for (const name of model.keys()) await states.delete(name);
      await states.collect();
      assert.equal([...db.rangeSync()], [], 'nothing is left');
      await vm.close();
      await db.close();
    }
  },
);

tests('states that share pages cost what differs, and survive closing', async () => {
  const location = freshLocation();
  const { db, states } = await opened(location);
  const vm = await MicroVM.create<Exports>(options);
  const random = new Random(9);
  const { exports } = vm.enter();
  for (let at = 0; at < MIB; at += 4) exports['put']!(at, random.bits() | 0);
  const first = vm.snapshot();
  await states.put('first', first.export() as StateSource);
  const count = (): number => [...db.rangeSync()].length;
  const before = count();
  assert.ok(before >= 256, 'a page each');
  await states.put('same', first.export() as StateSource);
  assert.is(count(), before + 1, 'one more name');
  exports['put']!(4096 * 7, 1);
  await states.put('second', vm.snapshot().export({ since: first as never }) as StateSource);
  assert.is(count(), before + 1 + 4, 'a page, a chunk, a name, an id');
  const content = contentOf(vm);
  await db.close();
  const again = await opened(location);
  await check(again.states, 'second', content);
  await again.db.close();
  await vm.close();
});

tests('other keys of the store stay; prefixes are apart', async () => {
  const { db, states } = await opened();
  const other = new StateStore(db, 'other');
  const vm = await MicroVM.create<Exports>(options);
  await db.put('user', 'data');
  const state = await exported(vm.snapshot());
  await states.put('a', state);
  await other.put('b', state);
  assert.equal([states.names(), other.names()], [['a'], ['b']]);
  await states.delete('a');
  await states.collect();
  assert.is(await states.get('a'), undefined);
  await check(other, 'b', contentOf(vm));
  assert.is(await db.get('user'), 'data');
  await vm.close();
  await db.close();
});

tests(
  'a delta without its base, damaged states, odd names: typed errors, and nothing is stored',
  async () => {
    const { db, states } = await opened();
    const vm = await MicroVM.create<Exports>(options);
    const first = vm.snapshot();
    vm.enter().exports['put']!(0, 1);
    const [whole, delta] = [await exported(first), await exported(vm.snapshot(), first)];
    for (const [name, state, code] of [
      ['a', delta, 'RZ_FORMAT'],
      ['a', whole.slice(0, -5), 'RZ_FORMAT'],
      ['a', new Uint8Array(100), 'RZ_FORMAT'],
      ['', whole, 'RZ_OPTION'],
      [5, whole, 'RZ_OPTION'],
      ['a', 'text', 'RZ_OPTION'],
    ] as const)
      assert.is(await codeOf(() => states.put(name as never, state as never)), code);
    assert.equal([...db.rangeSync()], []);
    assert.throws(() => new StateStore(db, ''), /prefix/);
    await states.put('a', whole);
    await states.put('b', delta);
    const [page] = [
      ...db.rangeSync({
        gte: 'states\0p',
        lt: 'states\0q',
        keyEncoding: 'view',
        values: false,
      } as never),
    ] as unknown as [[Uint8Array]];
    db.batchSync([{ type: 'del', key: page[0] as never, keyEncoding: 'view' }]);
    assert.is(
      await codeOf(async () => bytesOf((await states.get('b')) as ReadableStream<Uint8Array>)),
      'RZ_FORMAT',
    );
    await vm.close();
    await db.close();
  },
);

tests('a state with files in the VM is refused, not stored without them', async () => {
  const db = new RingzeroLevel(freshLocation(), { poolSize: 8 * MIB });
  await db.open();
  const states = new StateStore(db);
  const program = await MicroVM.load(options.guest, {}, { memory: options.memory });
  await states.put('without', program.snapshot().export());
  program.fs.writeFileSync('/file', 'content');
  const state = program.snapshot().export();
  assert.is(await codeOf(() => states.put('with', state)), 'RZ_OPTION');
  assert.equal(states.names(), ['without']);
  await program.close();
  await db.close();
});

tests.run();
