// Timers: a vCPU that only computes is interrupted, as often as time has passed and never sooner, and not by
// what it has taken back.
// Method: guests that count, and Timers on a clock of the test for what real time cannot be made to show.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EINVAL, ENOSYS } from '../../assembly/abi/errno.ts';
import { FRAME_BYTES } from '../../assembly/abi/limits.ts';
import { TIMER_US_MAX, TIMER_US_MIN } from '../../assembly/abi/timer.ts';
import { VCPU_PENDING, VCPU_TIMER_DUE, VCPU_TIMER_SET } from '../../assembly/abi/vcpu-block.ts';
import { vcpuBlocks, vmBlock } from '../../assembly/abi/memory-map.ts';
import { VECTOR_TIMER, VECTOR_USER } from '../../assembly/abi/vector.ts';
import { VM_TIMER_STATE } from '../../assembly/abi/vm-block.ts';
import { MicroVM, RingzeroError, type MicroVMOptions } from '../../host/index.ts';
import { Timers } from '../../host/vm/timers.ts';
import { readBuiltModule } from '#platform';
import { Random } from '../random.ts';
import { runThread } from '../thread.ts';
import { assemble } from '../vm/guests.ts';
import type { TimerJob } from './timer-thread.ts';

const TURNS_MAX = 20_000_000_000n; // more than any machine makes while one of these timers runs
const MS = 1000; // of microseconds
const TIMER_BIT = 1 << VECTOR_TIMER;

type Call = (name: string, ...args: (number | bigint)[]) => number;

function caller(vm: MicroVM): Call {
  const { exports } = vm.enter();
  return (name, ...args) => Number(exports[name]!(...args));
}

async function start(options: Partial<MicroVMOptions> = {}): Promise<{ vm: MicroVM; call: Call }> {
  const guest = await readBuiltModule('tasks-test.wasm');
  const vm = await MicroVM.create({
    guest,
    linked: true,
    memory: 2 ** 24,
    timer: true,
    ...options,
  });
  return { vm, call: caller(vm) };
}

/** A VM whose timers expire when the test says so: the thread is the test. */
async function startByHand(): Promise<{ vm: MicroVM; call: Call; timers: Timers }> {
  const { vm, call } = await start({ timer: false });
  const { memory, frames } = vm.handle.machine;
  Atomics.store(new Int32Array(memory.buffer), (vmBlock(frames) + VM_TIMER_STATE) / 4, 1);
  return { vm, call, timers: new Timers({ memory, frames }) };
}

function pending(vm: MicroVM): number {
  const at = (vm.enter().kernel.block + VCPU_PENDING) / 4;
  return Atomics.load(new Int32Array(vm.memory.buffer), at);
}

async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, RingzeroError);
    return (error as RingzeroError).code;
  }
  throw new Error('nothing was thrown');
}

// Timers measure time, so their tests let it pass.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'nothing happened in 20 s');
    await pause(2);
  }
}

const tests = suite('timers');

tests(
  'INT-1, TIMER-4: a guest that only computes is interrupted again and again, never too soon',
  async () => {
    const { vm, call } = await start();
    const wanted = 20;
    const before = performance.now();
    assert.is(call('timer', 2 * MS, 2 * MS), 0);
    assert.ok(call('computeUntil', wanted, TURNS_MAX) > wanted);
    const ms = performance.now() - before;
    const ticks = call('tickCount');
    assert.ok(ticks >= wanted);
    assert.ok(ms >= ticks * 2 - 0.1, `${ticks} ticks of 2 ms in ${ms} ms`);
    assert.is(call('otherCount'), 0);
    await vm.close();
  },
);

tests('a translated guest, and a handler in TypeScript', async () => {
  const guest = assemble(`(module
    (memory (export "memory") 1)
    (func (export "compute") (param $wanted i32) (param $turns i64) (result i64)
      (local $i i64)
      (loop $next
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (if (i32.ge_u (i32.load (i32.const 8)) (local.get $wanted)) (then (return (local.get $i))))
        (br_if $next (i64.lt_u (local.get $i) (local.get $turns))))
      (i64.const 0)))`);
  const vectors: number[] = [];
  let vm: MicroVM | undefined = undefined;
  const onInterrupt = (vector: number): void => {
    vectors.push(vector);
    new Int32Array(vm!.memory.buffer)[2]! += 1;
  };
  vm = await MicroVM.create({ guest, memory: 2 ** 24, timer: true, handlers: { onInterrupt } });
  vm.enter().setTimer(500, 500);
  assert.ok(vm.enter().exports['compute']!(5, TURNS_MAX)! > 0n);
  vm.enter().setTimer(0);
  assert.ok(vectors.length >= 5);
  assert.ok(vectors.every((vector) => vector === VECTOR_TIMER));
  await vm.close();
});

tests('a handler in the table of a translated guest, with setTimer imported', async () => {
  const guest = assemble(`(module
    (import "libdbos" "setHandler" (func $setHandler (param i32 i32)))
    (import "libdbos" "setTimer" (func $setTimer (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (table (export "table") 2 funcref)
    (elem (i32.const 1) $tick)
    (func $tick (param $vector i32)
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get $vector))))
    (func (export "run") (result i32)
      (call $setHandler (i32.const ${VECTOR_TIMER}) (i32.const 1))
      (drop (call $setTimer (i32.const 300) (i32.const 0)))
      (loop $next (br_if $next (i32.eqz (i32.load (i32.const 8)))))
      (i32.load (i32.const 8))))`);
  const vm = await MicroVM.create({ guest, memory: 2 ** 24, timer: true });
  assert.is(vm.enter().exports['run']!(), VECTOR_TIMER);
  await vm.close();
});

tests('once is once', async () => {
  const { vm, call } = await start();
  call('timer', MS, 0);
  assert.ok(call('computeUntil', 1, TURNS_MAX) > 0);
  await pause(30);
  vm.enter().deliverInterrupts();
  assert.is(call('tickCount'), 1);
  await vm.close();
});

tests('TIMER-2: while it is masked nothing comes, and then one does', async () => {
  const { vm, call } = await start();
  call('timer', MS, 0);
  const result = BigInt(vm.enter().exports['computeMasked']!(TURNS_MAX)!);
  assert.is(Number(result >> 32n), 0, 'masked');
  assert.is(Number(result & 0xffffffffn), 1, 'unmasked');
  await vm.close();
});

tests('what was turned off fires no more', async () => {
  const { vm, call } = await start();
  call('timer', 200, 200);
  assert.ok(call('computeUntil', 3, TURNS_MAX) > 0);
  assert.is(call('timer', 0, 0), 0);
  const ticks = call('tickCount');
  await pause(30);
  vm.enter().deliverInterrupts();
  call('computeUntil', ticks + 1, 20_000_000n);
  assert.is(call('tickCount'), ticks);
  await vm.close();
});

tests('timers of several vCPUs, on threads of their own, are independent', async () => {
  const { vm, call } = await start();
  const url = new URL('./timer-thread.js', import.meta.url);
  const run = (periodUs: number, wanted: number): Promise<unknown> =>
    runThread(url, { handle: vm.handle, periodUs, wanted } satisfies TimerJob);
  const [fast, slow] = (await Promise.all([run(500, 40), run(7 * MS, 4)])) as {
    result: number;
    isDone: boolean;
    ticks: number;
  }[];
  assert.is(fast!.result, 0);
  assert.ok(fast!.isDone && slow!.isDone);
  assert.ok(fast!.ticks >= 40 && slow!.ticks >= 4);
  assert.is(pending(vm) & TIMER_BIT, 0, 'this vCPU has set none');
  assert.is(call('tickCount'), 0);
  await vm.close();
});

tests(
  'a handler that takes longer than the period is not nested, and time passes for it',
  async () => {
    const { vm, call } = await start();
    call('setHandlerTurns', 3_000_000);
    call('timer', TIMER_US_MIN, TIMER_US_MIN);
    assert.ok(call('computeUntil', 5, TURNS_MAX) > 0);
    call('timer', 0, 0);
    assert.is(call('handlerDepth'), 1);
    await vm.close();
  },
);

tests('after a trap in its handler the timer goes on', async () => {
  const { vm, call } = await start();
  call('trapAtNextTick');
  call('timer', MS, MS);
  assert.is(await codeOf(() => call('computeUntil', 2, TURNS_MAX)), 'RZ_GUEST_TRAP');
  const ticks = call('tickCount');
  assert.ok(call('computeUntil', ticks + 3, TURNS_MAX) > 0);
  await vm.close();
});

tests('a vCPU that is idle takes it when it comes back, once', async () => {
  const { vm, call } = await start();
  call('timer', MS, MS);
  await until(() => (pending(vm) & TIMER_BIT) !== 0);
  await pause(20);
  assert.is(call('tickCount'), 0);
  vm.enter().deliverInterrupts();
  assert.is(call('tickCount'), 1);
  await vm.close();
});

tests('a VM is closed with timers armed, and its memory is left alone then', async () => {
  const { vm, call } = await start();
  call('timer', TIMER_US_MIN, TIMER_US_MIN);
  await until(() => (pending(vm) & TIMER_BIT) !== 0);
  const words = new Int32Array(vm.memory.buffer);
  const at = (vm.enter().kernel.block + VCPU_PENDING) / 4;
  await vm.close();
  Atomics.store(words, at, 0);
  await pause(20);
  assert.is(Atomics.load(words, at), 0);
});

tests('nobody waits for a thread that died with its timer armed', async () => {
  const { vm, call, timers } = await startByHand();
  const other = await MicroVM.attach(vm.handle);
  const block = other.enter().kernel.block;
  other.enter().setTimer(MS, MS);
  timers.turn(0);
  vm.bury(other.enter().number);
  timers.turn(10 * MS);
  const words = new Int32Array(vm.memory.buffer);
  assert.is(Atomics.load(words, (block + VCPU_PENDING) / 4) & TIMER_BIT, 0);
  const next = await MicroVM.attach(vm.handle); // has its block, and not its timer
  assert.is(next.enter().kernel.block, block);
  assert.is(timers.turn(20 * MS), Infinity);
  next.enter().deliverInterrupts();
  assert.is(caller(next)('tickCount'), 0);
  assert.is(call('tickCount'), 0);
  await next.close();
  await vm.close();
});

tests('what its thread posts for an earlier setting is dropped (TIMER-1)', async () => {
  const { vm, call } = await startByHand();
  const words = new Int32Array(vm.memory.buffer);
  const longs = new BigUint64Array(vm.memory.buffer);
  const { block } = vm.enter().kernel;
  const post = (setting: number, expirations: number): void => {
    longs[(block + VCPU_TIMER_DUE) / 8] = (BigInt(setting) << 32n) | BigInt(expirations);
    Atomics.or(words, (block + VCPU_PENDING) / 4, TIMER_BIT);
    vm.enter().deliverInterrupts();
  };
  call('timer', MS, MS);
  const first = words[(block + VCPU_TIMER_SET) / 4]!;
  post(first, 1);
  assert.is(call('tickCount'), 1);
  post(first, 1); // the vector was taken between its two steps
  assert.is(call('tickCount'), 1, 'an expiration is delivered once');
  call('timer', 2 * MS, 0);
  post(first, 2);
  assert.is(call('tickCount'), 1, 'set anew meanwhile');
  post(first + 1, 1);
  assert.is(call('tickCount'), 2);
  call('timer', 0, 0);
  post(first + 1, 2);
  assert.is(call('tickCount'), 2, 'turned off meanwhile');
  assert.is(pending(vm) & TIMER_BIT, 0);
  await vm.close();
});

tests(
  'at random times: a period does not drift, and as many ticks come as were looked for',
  async () => {
    const random = Random.forTest('timers');
    const { vm, call, timers } = await startByHand();
    let now = 0;
    for (let round = 0; round < 200; round++) {
      const first = TIMER_US_MIN + random.below(5000);
      const every = random.below(4) === 0 ? 0 : TIMER_US_MIN + random.below(3000);
      call('timer', first, every);
      assert.is(timers.turn(now), now + first);
      const start = now;
      let ticks = call('tickCount');
      let expired = 0;
      for (let step = 0; step < 20; step++) {
        now += random.below(2500);
        const next = timers.turn(now);
        const passed = now - start - first;
        const expected = passed < 0 ? 0 : every === 0 ? 1 : 1 + Math.floor(passed / every);
        const due =
          passed < 0 ? start + first : every === 0 ? Infinity : start + first + expected * every;
        assert.is(next, due);
        if (random.below(3) === 0) continue; // no safepoint: the next one stands for both
        vm.enter().deliverInterrupts();
        if (expected > expired) ticks += 1;
        expired = expected;
        assert.is(call('tickCount'), ticks, `round ${round}, step ${step}`);
      }
    }
    await vm.close();
  },
);

tests('what a snapshot sets ends with its job', async () => {
  const guest = assemble(`(module
    (import "libdbos" "setTimer" (func $setTimer (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "arm") (result i32) (call $setTimer (i32.const 1000) (i32.const 1000)))
    (func (export "nothing")))`);
  const vm = await MicroVM.create({ guest, memory: 2 ** 24, timer: true });
  const snapshot = vm.snapshot();
  assert.is(await snapshot.run('arm'), 0);
  const block = vcpuBlocks(vm.handle.machine.frames) + FRAME_BYTES; // vCPU 1
  const words = new Int32Array(vm.memory.buffer);
  await pause(20);
  assert.is(Atomics.load(words, (block + VCPU_PENDING) / 4) & TIMER_BIT, 0);
  await snapshot.run('nothing');
  await snapshot.release();
  await vm.close();
});

tests('other interrupts come as before', async () => {
  const { vm, call } = await start();
  call('timer', 500, 500);
  const { kernel } = vm.enter();
  for (let i = 1; i <= 20; i++) {
    kernel.calls.post(kernel.vcpu, VECTOR_USER + (i % 20));
    assert.ok(call('computeUntil', i, TURNS_MAX) > 0);
  }
  assert.is(call('otherCount'), 20);
  await vm.close();
});

tests('what cannot be set is refused', async () => {
  const { vm, call } = await start();
  const { length } = [1, TIMER_US_MIN - 1, TIMER_US_MAX + 1].filter(
    (us) => call('timer', us, 0) === -EINVAL,
  );
  assert.is(length, 3);
  assert.is(call('timer', 0, MS), -EINVAL, 'a period that never begins');
  assert.is(call('timer', MS, 5), -EINVAL);
  const vcpu = vm.enter();
  for (const us of [-1, 0.5, NaN, 2 ** 32, 2 ** 32 + 1000, Infinity])
    assert.is(await codeOf(() => vcpu.setTimer(us)), 'RZ_OPTION', String(us));
  assert.is(await codeOf(() => start({ timer: 5 as unknown as boolean })), 'RZ_OPTION');
  await vm.close();
  const without = await start({ timer: false });
  assert.is(without.call('timer', MS, 0), -ENOSYS);
  assert.is(await codeOf(() => without.vm.enter().setTimer(MS)), 'RZ_HOST');
  assert.is(without.call('timer', 5, 0), -EINVAL);
  await without.vm.close();
});

tests.run();
