// Forks against the plain engine: a fork behaves like an instance that is a copy of its parent at the time of
// the fork, whatever the parent and other forks do: memory, its size, globals; across calls on one fork.
// Invariants: FRAME-2 and SNAP-8: what grows later reads as zero, in the parent and in forks.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Snapshot } from '../../host/index.ts';
import { Random } from '../random.ts';
import { assemble } from './guests.ts';

const MIB = 2 ** 20;
const PAGE = 65536;
const PAGES_MAX = 40;

const GUEST = assemble(`(module
  (memory (export "memory") 2 ${PAGES_MAX})
  (global $top (mut i32) (i32.const 1024))
  (global $wide (mut i64) (i64.const 1))
  (global $real (mut f64) (f64.const 0.5))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "put") (param i32 i32) (result i32) (i32.store (local.get 0) (local.get 1)) (i32.const 1))
  (func (export "fill") (param i32 i32 i32) (result i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)) (i32.const 1))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "bump") (param i32) (result i32)
    (global.set $wide (i64.mul (i64.add (global.get $wide) (i64.extend_i32_u (local.get 0))) (i64.const 31)))
    (global.set $real (f64.mul (global.get $real) (f64.const 1.5)))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get 0))))
  (func (export "globals") (result i32)
    (i32.xor (i32.wrap_i64 (global.get $wide)) (i32.wrap_i64 (i64.reinterpret_f64 (global.get $real)))))
  (func (export "setGlobals") (param i32 i64 f64)
    (global.set $top (local.get 0)) (global.set $wide (local.get 1)) (global.set $real (local.get 2)))
  (func (export "top") (result i32) (global.get $top))
  (func (export "wide") (result i64) (global.get $wide))
  (func (export "real") (result f64) (global.get $real)))`);

type Call = readonly [name: string, ...args: number[]];
type Functions = Record<string, (...args: (number | bigint)[]) => number | bigint>;

/** The plain engine. */
class Plain {
  readonly exports: Functions;
  readonly memory: WebAssembly.Memory;

  constructor(parent?: Plain) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(GUEST as BufferSource));
    this.exports = instance.exports as unknown as Functions;
    this.memory = instance.exports['memory'] as WebAssembly.Memory;
    if (parent === undefined) return;
    this.memory.grow(parent.memory.buffer.byteLength / PAGE - 2);
    new Uint8Array(this.memory.buffer).set(new Uint8Array(parent.memory.buffer));
    const { top, wide, real } = parent.exports;
    this.exports['setGlobals']!(top!(), wide!(), real!());
  }

  call([name, ...args]: Call): number | 'trap' {
    try {
      return Number(this.exports[name]!(...args));
    } catch {
      return 'trap';
    }
  }
}

function randomCall(random: Random, bytes: number): Call {
  const address = random.chance(0.15) ? random.below(PAGES_MAX * PAGE) : random.below(bytes - 4);
  switch (random.below(8)) {
    case 0:
    case 1:
      return ['put', address, random.bits() | 0];
    case 2:
    case 3:
      return ['get', address];
    case 4:
      return ['fill', address, random.below(256), random.below(3 * PAGE)];
    case 5:
      return ['grow', random.below(3)];
    case 6:
      return ['bump', random.below(100)];
    default:
      return [random.pick(['size', 'globals', 'top'])];
  }
}

/** A load outside memory returns zeros here and traps in the engine: the documented difference. */
function check(call: Call, ours: number | 'trap', plain: number | 'trap'): void {
  if (plain === 'trap' && call[0] === 'get' && ours === 0) return;
  assert.is(ours, plain, call.join(' '));
}

const forks = suite('forks, a model');

forks(
  'C12: random sequences in a parent and its forks match copies of a plain instance',
  async () => {
    const random = Random.forTest('C12');
    const vm = await MicroVM.create({ guest: GUEST, memory: 64 * MIB });
    const { exports } = vm.enter();
    const main = new Plain();
    const open: { snapshot: Snapshot; plain: Plain }[] = [];
    const attempt = async (act: () => unknown): Promise<number | 'trap'> => {
      try {
        return Number(await act());
      } catch {
        return 'trap';
      }
    };
    for (let step = 0; step < 3000; step++) {
      if (open.length < 4 && random.chance(0.02)) {
        const plain = new Plain(main);
        open.push({ snapshot: vm.snapshot(), plain });
      } else if (open.length > 0 && random.chance(0.01)) {
        await open.splice(random.below(open.length), 1)[0]!.snapshot.release();
      }
      const fork = open.length > 0 && random.chance(0.6) ? random.pick(open) : undefined;
      const plain = fork?.plain ?? main;
      const call = randomCall(random, plain.memory.buffer.byteLength);
      const [name, ...args] = call;
      const ours = await attempt(
        () => fork?.snapshot.run(name, ...args) ?? exports[name]!(...args),
      );
      check(call, ours, plain.call(call));
    }
    for (const { snapshot, plain } of open) {
      const bytes = snapshot.read(0, snapshot.byteLength);
      assert.ok(Buffer.from(bytes).equals(Buffer.from(plain.memory.buffer)), 'memory differs');
      await snapshot.release();
    }
    await vm.close();
  },
);

forks("C12: a load beyond a fork's memory never shows what its parent has there now", async () => {
  const vm = await MicroVM.create({ guest: GUEST, memory: 64 * MIB });
  const { exports } = vm.enter();
  const before = vm.snapshot();
  assert.is(exports['grow']!(4), 2);
  const between = vm.snapshot();
  exports['fill']!(2 * PAGE, 0x77, 4 * PAGE);
  const after = vm.snapshot();
  for (let page = 2 * PAGE; page < 6 * PAGE; page += 4096) {
    assert.is(await before.run('get', page), 0);
    assert.is(await between.run('get', page), 0);
    assert.is(await after.run('get', page), 0x77777777);
  }
  assert.is(await before.run('grow', 2), 2);
  assert.is(await before.run('get', 3 * PAGE), 0);
  await before.run('put', 3 * PAGE, 5);
  assert.is(await before.run('get', 3 * PAGE), 5);
  assert.is(exports['get']!(3 * PAGE), 0x77777777);
  await Promise.all([before, between, after].map((snapshot) => snapshot.release()));
  await vm.close();
});

forks(
  "C12: a load beyond a fork's memory returns zeros also if the program's allocator is known",
  async () => {
    const guest = assemble(`(module (memory (export "memory") 1)
    (data (i32.const 0) "page 0 of the parent")
    (func (export "malloc") (param i32) (result i32) (i32.const 8192))
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);
    const program = await MicroVM.load(guest, {}, { memory: 64 * MIB });
    const { malloc, get, put, grow } = program.exports as unknown as Functions;
    assert.is(malloc!(8), 8192);
    const snapshot = program.snapshot();
    assert.is(grow!(1), 1);
    put!(PAGE, 7);
    assert.is(await snapshot.run('get', PAGE), 0);
    assert.is(await snapshot.run('grow', 1), 1);
    await snapshot.run('put', PAGE, 9);
    assert.is(await snapshot.run('get', PAGE), 9);
    assert.is(get!(PAGE), 7);
    assert.is(get!(0), 0x65676170, "the parent's page 0 is untouched");
    await snapshot.release();
    await program.close();
  },
);

forks(
  'C12: forks that grow to their limit do not reduce what their parent may grow to',
  async () => {
    const guest = assemble(`(module (memory (export "memory") 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size)))`);
    const vm = await MicroVM.create({ guest, memory: 64 * MIB });
    const { exports } = vm.enter();
    const snapshots = Array.from({ length: 3 }, () => vm.snapshot());
    let grown = 0;
    for (const snapshot of snapshots) while (Number(await snapshot.run('grow', 8)) >= 0) grown++;
    assert.ok(grown > 8, `${grown} times 512 KiB`);
    assert.is(exports['grow']!(48 * 16 - 1), 1); // up to guestLimit
    await Promise.all(snapshots.map((snapshot) => snapshot.release()));
    const another = vm.snapshot();
    assert.ok(Number(await another.run('grow', 8)) >= -1);
    await another.release();
    await vm.close();
  },
);

forks.run();
