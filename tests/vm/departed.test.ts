// Goal: a thread that ends while it is a vCPU, however it does, keeps no other waiting, and its place is another's. Method: threads that are
// ended while they store, spin and rest, while this one takes snapshots, stores and attaches more; moments by a printed seed.

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError } from '../../host/index.ts';
import { Random } from '../random.ts';
import { isDeno } from '../runtime.ts';
import type { DepartedData } from './departed-thread.ts';
import { CELLS } from './guests.ts';

/** A thread is known to be dead where /proc says so. */
const isSeen = process.platform === 'linux' && !isDeno;
const ROUNDS = Number(process.env['RZ_ROUNDS'] ?? 12);
const random = Random.forTest('departed threads');
const tests = suite('departed threads');

const create = (): Promise<MicroVM> =>
  MicroVM.create({ guest: CELLS, memory: 32 << 20, imports: { env: { hook: () => {} } } });

/** Resolves when the thread is no more, which may be already. */
async function ended(worker: Worker, isTerminated: boolean): Promise<void> {
  if (isTerminated) await worker.terminate();
  else if (worker.threadId !== -1) await once(worker, 'exit');
}

async function start(data: DepartedData): Promise<Worker> {
  const worker = new Worker(new URL('./departed-thread.js', import.meta.url), { workerData: data });
  await once(worker, 'message');
  return worker;
}

tests('D5: a vCPU that is terminated in the guest keeps nobody waiting', async () => {
  if (!isSeen) return;
  let vm = await create();
  for (let i = 0; i < ROUNDS; i++) {
    const worker = await start({ handle: vm.handle, kind: i % 2 === 0 ? 'stores' : 'spins', thread: 1 + i % 1000 }); // prettier-ignore
    await setTimeout(random.below(10));
    const before = vm.snapshot(); // while it lives: its stores are write faults that copy
    await worker.terminate();
    try {
      const after = vm.snapshot();
      vm.enter().exports['put']!(0, i + 1);
      assert.is(await after.run('get', 4 * (1 + (i % 1000))), 1);
      await after.release();
      await before.release();
      assert.is(vm.enter().exports['get']!(0), i + 1);
    } catch (error) {
      // It was in the middle of a write fault: that is said, and this VM is no more.
      assert.is((error as RingzeroError).code, 'RZ_VM_CLOSED', String(error));
      await vm.close();
      vm = await create();
    }
  }
  await vm.close();
});

tests(
  'D4: threads that are terminated, or end without close(), give their places back',
  async () => {
    if (!isSeen) return;
    const vm = await create();
    for (let i = 0; i < 70; i++) {
      const worker = await start({
        handle: vm.handle,
        kind: i % 2 === 0 ? 'rests' : 'ends',
        thread: i,
      });
      await ended(worker, i % 2 === 0);
    }
    assert.is(vm.enter().exports['get']!(69 * 4), 1);
    await vm.close();
  },
);

tests.run();
