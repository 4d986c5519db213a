// A guest's own answers: page-fault handlers that say "handled" for any address. No store may reach memory of
// the kernel or frames that snapshots own; see SNAP-7 (assembly/snappy/write-fault.ts).

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import { VM_BREAK, VM_SNAPSHOT_LOCK } from '../../assembly/abi/vm-block.ts';
import { MicroVM, RingzeroError } from '../../host/index.ts';
import { Random } from '../random.ts';
import { assemble } from '../vm/guests.ts';

const MIB = 2 ** 20;
const FRAMES = (16 * MIB) / 4096;
const GUEST = 4 * 65536;
const VALUE = 0x66666666;

/** Ways to store at an address, each [name, body]; local 0 is the address. */
const STORES: readonly (readonly [string, string])[] = [
  ['i32', '(i32.store (local.get 0) (i32.const 0x66666666))'],
  ['i8', '(i32.store8 (local.get 0) (i32.const 0x66))'],
  ['i64', '(i64.store (local.get 0) (i64.const 0x6666666666666666))'],
  [
    'straddling',
    '(i64.store align=1 (i32.sub (local.get 0) (i32.const 4)) (i64.const 0x6666666666666666))',
  ],
  [
    'offset',
    '(i32.store offset=65536 (i32.sub (local.get 0) (i32.const 65536)) (i32.const 0x66666666))',
  ],
  [
    'several',
    '(i32.store (local.get 0) (i32.const 0x66666666)) (i32.store offset=4 (local.get 0) (i32.const 0x66666666)) (i32.store offset=64 (local.get 0) (i32.const 0x66666666))',
  ],
  ['atomic', '(drop (i32.atomic.rmw.add (i32.and (local.get 0) (i32.const -4)) (i32.const 1)))'],
  ['fill', '(memory.fill (local.get 0) (i32.const 0x66) (i32.const 100))'],
  ['copy', '(memory.copy (local.get 0) (i32.const 0) (i32.const 100))'],
  ['init', '(memory.init 0 (local.get 0) (i32.const 0) (i32.const 5))'],
  [
    'loop',
    `(local $i i32) (loop $next
      (i32.store (local.get 0) (i32.const 0x66666666))
      (local.set 0 (i32.add (local.get 0) (i32.const 4)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))`,
  ],
  ['syscall', '(drop (call $fdstat (i32.const 1) (local.get 0)))'],
];

/** What a handler does before it says that the store may be tried again. */
const HANDLERS: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['stores elsewhere', '(i32.store (i32.const 4096) (i32.const 7))'],
  ['takes a snapshot', '(drop (call $spawn (i32.const 5) (i32.const 0)))'],
  ['calls out and in', '(call $hook)'],
  [
    'stores outside itself',
    '(i32.store (i32.add (local.get 0) (i32.const 64)) (i32.const 0x66666666))',
  ],
  ['unbinds itself', '(call $setHandler (i32.const 32) (i32.const 0))'],
];

const guest = assemble(`(module
  (import "env" "hook" (func $hook))
  (import "libdbos" "setHandler" (func $setHandler (param i32 i32)))
  (import "libdbos" "spawn" (func $spawn (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fdstat (param i32 i32) (result i32)))
  (memory (export "memory") 4 5)
  (data "fffff")
  (data (i32.const 0) "${'f'.repeat(100)}")
  (global $spawned (mut i32) (i32.const 1))
  (table (export "table") 20 funcref)
  (elem (i32.const 5) $child)
  (elem (i32.const 6) ${HANDLERS.map((_, i) => `$h${i}`).join(' ')})
  (func $child (param i32) (result i32) (i32.const 0))
  (func (export "handle") (param i32) (call $setHandler (i32.const 32) (local.get 0)))
  (func (export "fail") (unreachable))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (elem (i32.const 15) $grows)
  (func $grows (param i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (global.set $spawned (call $spawn (i32.const 5) (i32.const 0)))
    (i32.const 1))
  (func (export "spawned") (result i32) (global.get $spawned))
  ${HANDLERS.map(([, body], i) => `(func $h${i} (param i32) (result i32) ${body} (i32.const 1))`).join('\n')}
  ${STORES.map(([name, body]) => `(func (export "${name}") (param i32) ${body})`).join('\n')}
)`);

const answers = suite("a guest's answers");

async function boot(): Promise<MicroVM> {
  let vm: MicroVM | undefined;
  const hook = (): void => {
    try {
      vm!.enter().exports['fail']!();
    } catch {
      // a trap within the handler, caught: the handler goes on
    }
  };
  return (vm = await MicroVM.create({
    guest,
    memory: 16 * MIB,
    wasi: {},
    imports: { env: { hook } },
  }));
}

/**
 * Memory from the end of guest memory on, except the frames never used and this vCPU's counters and trap
 * words.
 */
function kernelWords(vm: MicroVM): Uint32Array {
  return new Uint32Array(vm.memory.buffer).slice(GUEST / 4);
}

answers(
  'A4: a handler that says yes to any address does not let a store into kernel memory',
  async () => {
    const random = Random.forTest('A4 main');
    const vm = await boot();
    const { exports } = vm.enter();
    const snapshot = vm.snapshot();
    exports['put']!(8192, 100); // copies the page: a frame that the snapshot owns
    const owned = [...kernelWords(vm).keys()].map((word) => GUEST + word * 4);
    const interesting = [
      GUEST,
      GUEST + 4,
      GUEST - 2,
      vmBlock(FRAMES) + VM_SNAPSHOT_LOCK,
      vmBlock(FRAMES) + VM_BREAK,
      FRAMES * 4095,
      FRAMES * 4096 - 8,
      FRAMES * 4096 - 4096,
      FRAMES * 3967 + 8192,
    ];
    for (let i = 0; i < 240; i++) {
      const [name] = random.pick(STORES);
      const address =
        i < interesting.length * 16 ? interesting[i % interesting.length]! : random.pick(owned);
      const handler = 6 + random.below(HANDLERS.length);
      exports['handle']!(handler);
      const before = kernelWords(vm);
      let trapped = false;
      try {
        exports[name]!(address);
      } catch (error) {
        assert.instance(error, RingzeroError);
        assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP');
        trapped = true;
      }
      const what = `${name} at ${address.toString(16)}, handler ${HANDLERS[handler - 6]![0]}`;
      const isInside = address < GUEST && name !== 'straddling';
      assert.ok(trapped || isInside || name === 'syscall', `${what}: no trap`);
      const after = kernelWords(vm);
      for (let word = 0; word < after.length; word++)
        if (after[word] !== before[word] && (after[word]! & 0xffff) === (VALUE & 0xffff))
          throw new Error(`${what}: ${(GUEST + word * 4).toString(16)} was written`);
    }
    exports['handle']!(0);
    assert.is(await snapshot.run('get', 8192), 0);
    await snapshot.release();
    const last = vm.snapshot(); // the lock of the takers is free
    await last.release();
    await vm.close();
  },
);
answers(
  'A4: the same in snapshots: a store is inside guest memory or a trap, and nobody else sees it',
  async () => {
    const random = Random.forTest('A4 snapshot');
    const vm = await boot();
    const { exports } = vm.enter();
    exports['put']!(8192, 100);
    const other = vm.snapshot();
    const snapshot = vm.snapshot();
    const before = new Uint32Array(vm.memory.buffer).slice(0, GUEST / 4);
    for (let i = 0; i < 300; i++) {
      const [name] = random.pick(STORES);
      const address = random.pick([
        GUEST,
        GUEST - 2,
        GUEST + 4096 * random.below(3000),
        random.bits(),
        4 * random.below(GUEST / 4),
      ]);
      const end = await snapshot.run(name, address | 0).then(
        () => 'done',
        (error: unknown) => (error as RingzeroError).code,
      );
      const mayPass = address < GUEST + 4 || name === 'syscall';
      assert.ok(mayPass || end === 'RZ_GUEST_TRAP', `${name} at ${address.toString(16)}: ${end}`);
    }
    assert.equal(new Uint32Array(vm.memory.buffer).slice(0, GUEST / 4), before);
    assert.is(
      new Uint32Array(other.read(0, GUEST).buffer).findIndex((word, i) => word !== before[i]),
      -1,
    );
    await Promise.all([snapshot.release(), other.release()]);
    await vm.close();
  },
);

answers(
  'A4: a handler that grows memory is right to say yes; no snapshot begins in it',
  async () => {
    const vm = await boot();
    const { exports } = vm.enter();
    exports['handle']!(15);
    exports['straddling']!(GUEST);
    assert.is(exports['spawned']!(), -16); // EBUSY
    assert.is(exports['get']!(GUEST - 4), VALUE);
    assert.is(exports['get']!(GUEST), VALUE);
    assert.throws(() => exports['i32']!(GUEST + 65536), /outside guest memory/); // it may not grow further
    await vm.snapshot().release(); // the vCPU does not stay frozen
    await vm.close();
  },
);

answers('A4: a guard page stays one in a snapshot', async () => {
  const vm = await MicroVM.create({
    guest: assemble(
      '(module (memory 1) (func (export "put") (param i32) (i32.store (local.get 0) (i32.const 1))))',
    ),
    memory: 16 * MIB,
    guardBytes: 4096,
  });
  const snapshot = vm.snapshot();
  await snapshot.run('put', 4096);
  const error: unknown = await snapshot.run('put', 4092).catch((reason: unknown) => reason);
  assert.match(String(error), /outside guest memory/);
  await snapshot.release();
  await vm.close();
});

answers.run();
