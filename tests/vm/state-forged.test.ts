// Forged states, with valid checksums, and sources of states that misbehave: each is refused with a typed
// error, and the VM keeps what it has.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type GuestFunction, type Program, type Snapshot } from '../../host/index.ts';
import { loadCodec } from '../../host/vm/state/codec.ts';
import { assemble } from './guests.ts';
import { forge, REGISTERS, runs, tables, type Forged } from './state-forge.ts';
import { bytesOf, codeOf } from './states.ts';

const test = suite('forged states');
const codec = await loadCodec();
const MEMORY = 2 ** 26;
const PAGES = 64;

const GUEST = assemble(`(module
  (memory 4 64)
  (global $i (mut i32) (i32.const 1))
  (global $kept (mut externref) (ref.null extern))
  (global $called (mut funcref) (ref.null func))
  (table $t (export "t") 4 8 funcref)
  (table $e (export "e") 2 4 externref)
  (elem (i32.const 1) $one)
  (func $one (export "one") (result i32) (i32.const 1))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "set") (param i32) (global.set $i (local.get 0)))
  (func (export "global") (result i32) (global.get $i))
  (func (export "size") (result i32) (memory.size))
  (func (export "tableSize") (result i32) (table.size $t))
  (func (export "tableGrow") (param i32) (result i32)
    (table.grow $t (table.get $t (i32.const 1)) (local.get 0)))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
  (func (export "callWith") (param i32 i32)
    (call_indirect (param i32) (local.get 1) (local.get 0))))`);

type Exports = Record<string, GuestFunction>;
const options = { guest: GUEST, memory: MEMORY };
const create = (): Promise<MicroVM<Exports>> => MicroVM.create<Exports>(options);

function forged(state: Partial<Forged>, vm: MicroVM<Exports>): Uint8Array {
  const registers = new Uint8Array(vm.handle.machine.registers.bytes);
  return forge({ module: GUEST, pages: PAGES, registers, ...state }, codec);
}

/** What the guest sees. */
function contentOf(vm: MicroVM<Exports>): unknown[] {
  const { exports } = vm.enter();
  const calls = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => {
    try {
      return exports['call']!(i);
    } catch {
      return 'trap';
    }
  });
  const [word, global] = [exports['get']!(0), exports['global']!()];
  return [word, global, exports['size']!(), ...calls];
}

const FORGED: Record<string, Partial<Forged>> = {
  'a string among functions': { records: [tables([[{ is: 'string', value: 'x' }], [], [], []])] },
  'a number as a function': { records: [tables([[], [], [], [{ is: 'number', value: '1' }]])] },
  'a table beyond its maximum': { records: [tables([Array(9).fill(null), [], [], []])] },
  'a global of two values': { records: [tables([[], [], [null, null], [null]])] },
  'more tables': { records: [tables([[], [], [], [], []])] },
  'fewer tables': { records: [tables([[]])] },
  'an unknown flag': { flags: 2 },
  'a reserved field': { reserved: 1 },
  'files that are not whole chunks': { filePages: 1 },
  'more registers': { records: [[REGISTERS, new Uint8Array(8)]] },
  'pages beyond its memory': { records: [runs([[PAGES, 1]], 1)] },
  'a run whose end overflows': { records: [runs([[PAGES - 1, 2 ** 32 - 1]])] },
  'runs that descend': {
    records: [
      runs([
        [3, 1],
        [2, 1],
      ]),
    ],
  },
  'no runs': { records: [runs([])] },
  'an unknown kind': { records: [[9, new Uint8Array(3)]] },
  'a part of 64 KiB': { pages: PAGES + 1 },
};

test('STATE-4: what does not fit is refused, and nothing has changed', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  exports['put']!(0, 77);
  exports['set']!(5);
  exports['tableGrow']!(1);
  const content = contentOf(vm);
  for (const [what, state] of Object.entries(FORGED)) {
    const all = { ...state, records: [runs([[0, 1]], 1), ...(state.records ?? [])] };
    const bytes = forged(all, vm);
    assert.is(await codeOf(() => vm.restore(bytes)), 'RZ_FORMAT', what);
    assert.equal(contentOf(vm), content, what);
    assert.is(await codeOf(() => MicroVM.restore(bytes, options)), 'RZ_FORMAT', what);
  }
  for (const pages of [65536 * 16, 2 ** 32 - 16])
    assert.is(await codeOf(() => vm.restore(forged({ pages }, vm))), 'RZ_OUT_OF_MEMORY');
  assert.equal(contentOf(vm), content);
  await vm.close();
});

test('STATE-4: a state with more files than there is room for takes no room', async () => {
  const vm = await create();
  const content = contentOf(vm);
  const { calls } = vm.enter().kernel;
  for (const filePages of [2 ** 14, 2 ** 32 - 256]) {
    const bytes = forged({ pages: 160, filePages }, vm);
    assert.is(await codeOf(() => vm.restore(bytes)), 'RZ_OUT_OF_MEMORY');
    assert.equal(contentOf(vm), content);
    assert.ok(calls.filePages(-1) <= 256, `${calls.filePages(-1)} pages`);
  }
  // Of a state that is not the last one, pages that the VM does not have are passed over at once.
  const chain = [
    forged({ filePages: 2 ** 32 - 256, records: [runs([[PAGES, 2 ** 32 - 256]])] }, vm),
    forged({ flags: 1 }, vm), // ids are zeros: it follows
  ];
  assert.is(await codeOf(() => vm.restore(chain)), 'none');
  assert.ok(calls.filePages(-1) <= 256);
  await vm.close();
});

test("a state does not put the image's own functions into a table", async () => {
  const vm = await create();
  for (const name of ['ringzero.save', 'ringzero.load', '__proto__', 'constructor']) {
    const bytes = forged({ records: [tables([[name], [], [], []])] }, vm);
    const restored = await MicroVM.restore<Exports>(bytes, options);
    const kernel = new Uint32Array(restored.memory.buffer, MEMORY - 65536, 2);
    restored.enter().exports['set']!(0x41414141);
    assert.throws(
      () => restored.enter().exports['callWith']!(0, MEMORY - 65536),
      /null function|signature mismatch/,
    );
    assert.is.not(kernel[0], 0x41414141, name);
    await restored.close();
  }
  await vm.close();
});

test('STATE-4: with every snapshot slot taken, a restore changes nothing', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  exports['put']!(0, 77);
  const content = contentOf(vm);
  const taken: Snapshot<Exports>[] = [];
  const all = await codeOf(() => {
    for (;;) taken.push(vm.snapshot());
  });
  assert.is(all, 'RZ_SNAPSHOT_LIMIT');
  const bytes = forged({ pages: 160, records: [runs([[0, 1]], 1)] }, vm);
  assert.is(await codeOf(() => vm.restore(bytes)), 'RZ_SNAPSHOT_LIMIT');
  assert.equal(contentOf(vm), content);
  await taken[0]!.release();
  await vm.restore(bytes);
  assert.equal(contentOf(vm).slice(0, 3), [0x01010101, 0, 10]);
  await vm.close();
});

test('entries behind the tables of a state are empty afterwards', async () => {
  const vm = await create();
  const snapshot = vm.snapshot();
  const state = await bytesOf(snapshot.export());
  const { exports } = vm.enter();
  exports['tableGrow']!(2);
  assert.is(exports['call']!(5), 1);
  await vm.restore(state);
  assert.throws(() => exports['call']!(5), /null function|signature mismatch/);
  assert.is(exports['call']!(1), 1);
  await vm.close();
});

test('sources: endless, wrong, ended too soon; a refused stream is cancelled', async () => {
  const vm = await create();
  const state = forged({ records: [runs([[0, 1]], 1)] }, vm);
  let cancelled = 0;
  const stream = (...parts: unknown[]): ReadableStream<Uint8Array> =>
    new ReadableStream(
      {
        pull(controller) {
          if (parts.length === 0) controller.close();
          else controller.enqueue(parts.shift() as Uint8Array);
        },
        cancel: () => void cancelled++,
      },
      { highWaterMark: 0 },
    );
  const code = (source: unknown): Promise<string> => codeOf(() => vm.restore(source as Uint8Array));
  assert.is(await code(stream(state.subarray(0, 99))), 'RZ_FORMAT');
  assert.is(cancelled, 0);
  assert.is(await code(stream(state.subarray(0, 99), 'text', state)), 'RZ_OPTION');
  assert.is(cancelled, 1);
  assert.is(await code(stream(new Uint8Array(500), state, state)), 'RZ_FORMAT');
  assert.is(cancelled, 2);
  const endless = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: state }) }) };
  assert.is(await code(endless), 'RZ_FORMAT');
  assert.is(await code([[state]]), 'RZ_OPTION');
  assert.is(await code(Object.create(null)), 'RZ_OPTION');
  await vm.restore(stream(...Array.from(state, (byte) => Uint8Array.of(byte))));
  assert.is(vm.enter().exports['get']!(0), 0x01010101);
  await vm.close();
});

test('restores at once: one of the states, whole', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  const a = forged(
    {
      records: [
        runs(
          [
            [0, 1],
            [5, 1],
          ],
          1,
        ),
      ],
    },
    vm,
  );
  const b = forged({ pages: 160, records: [runs([[0, 1]], 2), runs([[100, 1]], 2)] }, vm);
  async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  }
  for (let i = 0; i < 6; i++) {
    await Promise.all([vm.restore(inParts(a)), vm.restore(inParts(b)), vm.restore(i < 3 ? a : b)]);
    const [word, , size] = contentOf(vm);
    if (size === 4) assert.equal([word, exports['get']!(5 * 4096)], [0x01010101, 0x01010101]);
    else assert.equal([size, word, exports['get']!(5 * 4096)], [10, 0x02020202, 0]);
  }
  await vm.close();
});

test('glue that grows memory by more than it was asked for', async () => {
  const wasm = assemble(`(module
    (import "env" "emscripten_resize_heap" (func $resize (param i32) (result i32)))
    (memory (export "memory") 2 64)
    (func (export "grow") (param i32) (result i32) (call $resize (local.get 0)))
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))`);
  type Grown = Record<'grow' | 'put' | 'get', (...args: number[]) => number>;
  const load = async (extra: number): Promise<Program<Grown>> => {
    const resize = (bytes: number): number => {
      const now = program.memory.buffer.byteLength;
      program.memory.grow((bytes - now) / 65536 + extra);
      return 1;
    };
    const imports = { env: { emscripten_resize_heap: resize } };
    const program = await MicroVM.load<Grown>(wasm, imports, { memory: MEMORY });
    return program;
  };
  const [exact, generous] = [await load(0), await load(3)];
  exact.exports.grow(5 * 65536);
  exact.exports.put(5 * 65536 - 4, 55);
  const state = await bytesOf(exact.snapshot().export());
  await generous.restore(state);
  assert.is(generous.exports.get(5 * 65536 - 4), 55);
  assert.is(generous.memory.buffer.byteLength, 8 * 65536);
  assert.is(generous.exports.get(8 * 65536 - 4), 0);
  await Promise.all([exact.close(), generous.close()]);
});

test('a stream fails once the VM is closed', async () => {
  const vm = await create();
  const snapshot = vm.snapshot();
  const reader = snapshot.export().getReader();
  await reader.read();
  await vm.close();
  assert.is(await codeOf(() => reader.read()), 'RZ_VM_CLOSED');
  assert.is(await codeOf(() => snapshot.export()), 'RZ_VM_CLOSED');
  assert.is(await codeOf(() => snapshot.read(0, 4)), 'RZ_VM_CLOSED');
  await snapshot.release();
});

test.run();
