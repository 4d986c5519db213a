// The simulated hardware: page table, accessed and dirty bits, TLB, remote calls and the classical shootdown.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { readBuiltModule } from '#platform';
import { Random } from '../random.ts';
import { runThread } from '../thread.ts';
import type { MachineJob } from './machine-worker.ts';

const PRESENT = 1;
const WRITABLE = 4n;
const ACCESSED = 8;
const DIRTY = 16;
const TLB_BYTES = 4096 * 8;
const STOP = 512;
const GONE = 516;

interface Fixture {
  vm: MicroVM;
  call(name: string, ...args: (number | bigint)[]): number;
  word(address: number, value: number): void;
}

async function fixture(): Promise<Fixture> {
  const guest = readBuiltModule('tabby-test.wasm');
  const vm = await MicroVM.create({ guest, linked: true, memory: 32 * 2 ** 20 });
  const { exports } = vm.enter();
  const words = new Int32Array(vm.memory.buffer);
  return {
    vm,
    call: (name, ...args) => Number(exports[name]!(...args)),
    word: (address, value) => Atomics.store(words, address / 4, value),
  };
}

const tests = suite('machine');

tests('ranges are mapped, protected, moved and unmapped, across tables', async () => {
  const { vm, call } = await fixture();
  assert.ok(call('newTable') !== 0);
  const frame = 0x1000000;
  assert.is(call('translatePage', 1000n, 0), 0, 'a page fault');
  assert.is(call('mapPages', 1000n, 600n, frame, WRITABLE), 1);
  for (const i of [0, 23, 24, 599])
    assert.is(call('translatePage', BigInt(1000 + i), 1), frame + i * 4096);
  assert.is(call('translatePage', 999n, 0), 0);
  assert.is(call('translatePage', 1600n, 0), 0);
  call('protectPages', 1000n, 600n, 0);
  assert.is(call('translatePage', 1100n, 1), 0, 'a write fault');
  assert.is(call('translatePage', 1100n, 0), frame + 100 * 4096);
  call('protectPages', 1000n, 600n, 1);
  assert.is(call('translatePage', 1100n, 1), frame + 100 * 4096);
  assert.is(call('remapPages', 1000n, 2n ** 30n, 600n), 1);
  assert.is(call('translatePage', 1100n, 0), 0);
  assert.is(call('translatePage', 2n ** 30n + 100n, 0), frame + 100 * 4096, 'contents move too');
  assert.is(call('unmapPages', 2n ** 30n - 5000n, 5300n), 300, 'holes are skipped');
  assert.is(call('unmapPages', 2n ** 30n, 600n), 300);
  assert.is(call('unmapPages', 2n ** 30n, 600n), 0);
  await vm.close();
});

tests('an access marks its page accessed, a store marks it dirty', async () => {
  const { vm, call } = await fixture();
  call('newTable');
  call('mapPages', 7n, 1n, 0x1000000, WRITABLE);
  const marks = (): number => call('entryOf', 7n) & (PRESENT | ACCESSED | DIRTY);
  assert.is(marks(), PRESENT);
  call('translatePage', 7n, 0);
  assert.is(marks(), PRESENT | ACCESSED);
  call('translatePage', 7n, 1);
  assert.is(marks(), PRESENT | ACCESSED | DIRTY);
  await vm.close();
});

tests('the table agrees with a map, for random page numbers of 36 bits', async () => {
  const { vm, call } = await fixture();
  const random = Random.forTest('page table');
  call('newTable');
  const model = new Map<bigint, number>();
  for (let i = 0; i < 500; i++) {
    const near = random.chance(0.5) ? 0n : BigInt(random.below(64)) << BigInt(random.below(31));
    const page = near + BigInt(random.below(2000));
    const frame = 0x1000000 + random.below(1000) * 4096;
    if (random.chance(0.7)) {
      call('mapPages', page, 1n, frame, WRITABLE);
      model.set(page, frame);
    } else {
      assert.is(call('unmapPages', page, 1n), model.delete(page) ? 1 : 0);
    }
  }
  for (const [page, frame] of model) assert.is(call('translatePage', page, 1), frame);
  await vm.close();
});

tests('a TLB entry lives until invlpg, a flush or another page of its cell', async () => {
  const { vm, call } = await fixture();
  const tlb = vm.claimWindow(TLB_BYTES);
  call('joinCalls', tlb);
  assert.is(call('lookUpTlb', 0n), 0);
  call('fillTlb', 5n, 0x1000000);
  assert.is(call('lookUpTlb', 5n), 0x1000000);
  call('fillTlb', 5n + 4096n, 0x2000000);
  assert.is(call('lookUpTlb', 5n), 0);
  call('shootDown', 5n);
  assert.is(call('lookUpTlb', 5n + 4096n), 0x2000000, 'invlpg of another page');
  call('shootDown', 5n + 4096n);
  assert.is(call('lookUpTlb', 5n + 4096n), 0);
  call('fillTlb', 9n, 0x1000000);
  call('shootDownAll');
  assert.is(call('lookUpTlb', 9n), 0);
  await vm.close();
});

async function ready(flag: SharedArrayBuffer): Promise<void> {
  while (Atomics.load(new Int32Array(flag), 0) === 0)
    // polls
    await new Promise((resolve) => setTimeout(resolve, 2));
}

tests('IPI-1: after a shootdown no vCPU uses the old translation', async () => {
  const { vm, call, word } = await fixture();
  call('joinCalls', vm.claimWindow(TLB_BYTES));
  for (let round = 0; round < 5; round++) {
    word(STOP, 0);
    word(GONE, 0);
    const flag = new SharedArrayBuffer(4);
    const job: MachineJob = {
      handle: vm.handle,
      tlb: vm.claimWindow(TLB_BYTES),
      ready: flag,
      call: ['useTranslation', 5n, 0x1000000, STOP, GONE],
    };
    const running = runThread(new URL('./machine-worker.js', import.meta.url), job);
    await ready(flag);
    // the other vCPU uses the translation for a while, and looks for its end as long
    await new Promise((resolve) => setTimeout(resolve, 5));
    call('retire', 5n, GONE);
    // as said
    await new Promise((resolve) => setTimeout(resolve, 5));
    word(STOP, 1);
    assert.is(await running, 0);
  }
  await vm.close();
});

tests(
  'IPI-2: two concurrent shootdowns both complete, and an idle vCPU blocks no other',
  async () => {
    const { vm, call } = await fixture();
    call('joinCalls', vm.claimWindow(TLB_BYTES));
    call('fillTlb', 3n, 0x1000000);
    const jobs = [0, 1].map((i): Promise<unknown> => {
      const job: MachineJob = {
        handle: vm.handle,
        tlb: vm.claimWindow(TLB_BYTES),
        ready: new SharedArrayBuffer(4),
        call: ['askOthers', BigInt(i), 2000],
      };
      return runThread(new URL('./machine-worker.js', import.meta.url), job);
    });
    await Promise.all(jobs); // this vCPU is idle, and its ring overflows
    assert.is(call('lookUpTlb', 3n), 0x1000000, 'not served yet');
    call('serveCalls');
    assert.is(call('lookUpTlb', 3n), 0, 'served when it resumes');
    await vm.close();
  },
);

function another({ vm }: Fixture, call: MachineJob['call']): [Promise<unknown>, SharedArrayBuffer] {
  const flag = new SharedArrayBuffer(4);
  const job: MachineJob = { handle: vm.handle, tlb: vm.claimWindow(TLB_BYTES), ready: flag, call };
  return [runThread(new URL('./machine-worker.js', import.meta.url), job), flag];
}

const [ADD, TWICE, BACK, TRAP] = [0, 1, 2, 3];
const LOST = -2001;
const REFUSED = -2003;

tests('CALL-1, CALL-3: functions run where they are called, and may call back', async () => {
  const own = await fixture();
  const { vm, call, word } = own;
  call('joinCalls', vm.claimWindow(TLB_BYTES));
  assert.is(call('callOne', 0, TWICE, 21n), 42, 'itself');
  assert.is(call('callOne', 1, TWICE, 21n), REFUSED, 'the vCPU does not exist');
  word(STOP, 0);
  const [running, flag] = another(own, ['serveUntil', STOP]);
  await ready(flag);
  assert.is(call('callOne', 1, TWICE, 21n), 42);
  assert.is(call('callOne', 1, BACK, 21n), 43, 'while this one waits');
  for (let i = 0; i < 40; i++) assert.is(call('callOne', 1, ADD, 0n), i);
  assert.is(call('served', 1), 40);
  word(STOP, 1);
  await running;
  assert.is(call('callOne', 1, TWICE, 21n), LOST, 'it has left');
  await vm.close();
});

tests(
  'CALL-1: a call is kept for a vCPU that is in the host, and its caller can detect it',
  async () => {
    const own = await fixture();
    const { vm, call } = own;
    call('joinCalls', vm.claimWindow(TLB_BYTES));
    const [running] = another(own, ['callOne', 0, ADD, 0n]);
    let isOver = false;
    void running.then(() => (isOver = true));
    while (call('served', 0) === 0) {
      assert.is(isOver, false);
      await new Promise((resolve) => setTimeout(resolve, 20)); // this vCPU is idle
      call('serveCalls');
    }
    assert.is(await running, 0);
    await vm.close();
  },
);

tests(
  'CALL-1: a vCPU that traps in a call, or leaves before it, loses only that call',
  async () => {
    const own = await fixture();
    const { vm, call, word } = own;
    call('joinCalls', vm.claimWindow(TLB_BYTES));
    word(STOP, 0);
    const [trapping, flag] = another(own, ['serveUntil', STOP]);
    await ready(flag);
    const failed = trapping.then(
      () => 'nothing',
      (error: Error) => error.message,
    );
    assert.is(call('callOne', 1, TRAP, 0n), LOST);
    assert.match(await failed, 'unreachable');
    const [leaving, again] = another(own, ['serveUntil', STOP]);
    await ready(again);
    assert.is(
      call('callOne', 1, TWICE, 5n),
      10,
      'its thread has ended in the host, so its number is free again',
    );
    word(STOP, 1);
    await leaving;
    await vm.close();
  },
);

tests(
  'CALL-1 to CALL-3: concurrent calls in all directions, with one vCPU occasionally in the host',
  async () => {
    const own = await fixture();
    const { vm, call } = own;
    const random = Random.forTest('remote calls');
    call('joinCalls', vm.claimWindow(TLB_BYTES));
    const workers = [1, 2].map(
      () => another(own, ['callOthers', BigInt(random.bits()), 1000, 3])[0],
    );
    let isOver = false;
    const all = Promise.all(workers).then((results) => {
      isOver = true;
      return results;
    });
    while (!isOver) {
      call('serveCalls');
      // at random moments of the others' calls
      await new Promise((resolve) => setTimeout(resolve, random.below(3)));
    }
    assert.equal(await all, [0, 0]);
    let sum = 0;
    for (const vcpu of [0, 1, 2]) {
      assert.is(call('served', vcpu), call('made', vcpu), `each call of vCPU ${vcpu} is run once`);
      sum += call('made', vcpu);
    }
    assert.ok(sum > 1000);
    await vm.close();
  },
);

tests.run();
