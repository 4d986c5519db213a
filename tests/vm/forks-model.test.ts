// Forks against the plain engine: a fork behaves like an instance that is a copy of its parent at the time of
// the fork, whatever the parent and other forks do: memory, its size, globals; across calls on one fork.
// Forks are of the parent or of forks.
// Invariants: FRAME-2 and SNAP-8: what grows later reads as zero, in the parent and in forks.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type RingzeroError, type Snapshot } from '../../host/index.ts';
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

/** A snapshot, and the copy of a plain instance that it equals. */
interface Branch {
  readonly snapshot: Snapshot;
  readonly plain: Plain;
}

/** A VM with a tree of forks, and plain instances that do the same. */
class Tree {
  readonly vm: MicroVM;
  readonly main = new Plain();
  readonly open: Branch[] = [];
  /** Forks that have lost their snapshots, for want of frames. */
  lost = 0;
  readonly #random: Random;

  constructor(vm: MicroVM, random: Random) {
    this.vm = vm;
    this.#random = random;
  }

  /** A snapshot of the parent, or of a fork. */
  async take(): Promise<void> {
    const parent = this.#random.chance(0.3) ? undefined : this.pick();
    const plain = new Plain(parent?.plain ?? this.main);
    await this.#unlessLost(parent, () => {
      this.open.push({ snapshot: (parent?.snapshot ?? this.vm).snapshot(), plain });
    });
  }

  async release(): Promise<void> {
    const branch = this.pick();
    if (branch !== undefined) await this.#drop(branch);
  }

  async call(branch: Branch | undefined, call: Call): Promise<void> {
    const plain = (branch?.plain ?? this.main).call(call);
    const [name, ...args] = call;
    await this.#unlessLost(branch, async () => {
      let ours: number | 'trap';
      try {
        const { exports } = this.vm.enter();
        ours = Number(await (branch?.snapshot.run(name, ...args) ?? exports[name]!(...args)));
      } catch (error) {
        if ((error as RingzeroError).code !== 'RZ_GUEST_TRAP') throw error;
        ours = 'trap';
      }
      check(call, ours, plain);
    });
  }

  async compareAll(): Promise<void> {
    for (const branch of [...this.open]) {
      await this.#unlessLost(branch, () => {
        const bytes = branch.snapshot.read(0, branch.snapshot.byteLength);
        const { buffer } = branch.plain.memory;
        assert.ok(Buffer.from(bytes).equals(Buffer.from(buffer)), 'memory differs');
      });
    }
    const { buffer } = this.main.memory;
    const bytes = new Uint8Array(this.vm.memory.buffer, 0, buffer.byteLength);
    assert.ok(Buffer.from(bytes).equals(Buffer.from(buffer)), 'memory of the parent differs');
  }

  async close(): Promise<void> {
    while (this.open.length > 0) await this.#drop(this.#random.pick(this.open));
  }

  pick(): Branch | undefined {
    return this.open.length > 0 ? this.#random.pick(this.open) : undefined;
  }

  async #drop(branch: Branch): Promise<void> {
    this.open.splice(this.open.indexOf(branch), 1);
    await branch.snapshot.release();
  }

  async #unlessLost(branch: Branch | undefined, act: () => unknown): Promise<void> {
    try {
      await act();
    } catch (error) {
      if ((error as RingzeroError).code !== 'RZ_SNAPSHOT_LOST') throw error;
      this.lost += 1;
      await this.#drop(branch!);
    }
  }
}

async function live(tree: Tree, random: Random, steps: number, grows: boolean): Promise<void> {
  for (let step = 0; step < steps; step++) {
    if (tree.open.length < 10 && random.chance(0.03)) await tree.take();
    else if (random.chance(0.015)) await tree.release();
    const branch = random.chance(0.7) ? tree.pick() : undefined;
    const call = randomCall(random, (branch?.plain ?? tree.main).memory.buffer.byteLength);
    if (grows || call[0] !== 'grow') await tree.call(branch, call);
    if (step % 500 === 0) await tree.compareAll();
  }
  await tree.compareAll();
}

forks(
  'C12, FORK-1: random sequences in a parent and a tree of forks match copies of a plain instance',
  async () => {
    const random = Random.forTest('C12');
    const vm = await MicroVM.create({ guest: GUEST, memory: 64 * MIB });
    const tree = new Tree(vm, random);
    await live(tree, random, 3000, true);
    assert.is(tree.lost, 0);
    await tree.close();
    assert.is(vm.stats().limboFrames, 0);
    await vm.close();
  },
);

forks(
  'SNAP-5: if a tree of forks runs out of frames, some forks are lost and all others are right',
  async () => {
    const random = Random.forTest('exhaustion');
    const vm = await MicroVM.create({ guest: GUEST, memory: 16 * MIB });
    const tree = new Tree(vm, random);
    await tree.call(undefined, ['grow', PAGES_MAX - 2]);
    await tree.call(undefined, ['fill', 0, 1, PAGES_MAX * PAGE]);
    for (let round = 0; round < 3; round++) {
      while (tree.open.length < 10) await tree.take();
      for (let i = 0; i < 30; i++)
        await tree.call(random.chance(0.8) ? tree.pick() : undefined, [
          ...(['fill', random.below(PAGES_MAX - 20) * PAGE, random.below(256), 20 * PAGE] as const),
        ]);
      await live(tree, random, 200, false);
    }
    assert.ok(tree.lost > 0, 'frames have run out');
    await tree.close();
    // All frames are free again.
    for (let i = 0; i < 3; i++) await tree.take();
    const { lost } = tree;
    for (const branch of [...tree.open]) await tree.call(branch, ['fill', 0, 2, PAGES_MAX * PAGE]);
    await tree.compareAll();
    assert.is(tree.lost, lost);
    await tree.close();
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
