// Goal: a thread that ends while it is a vCPU never blocks the others, and its slot is reused. Method:
// threads that are terminated while they store, spin and idle, while this one takes snapshots, stores and
// attaches more; a printed seed chooses the moments.

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

/** Only /proc tells whether a thread has died. */
const isSeen = process.platform === 'linux' && !isDeno;
const ROUNDS = Number(process.env['RZ_ROUNDS'] ?? 12);
const random = Random.forTest('departed threads');
const tests = suite('departed threads');

const create = (): Promise<MicroVM> =>
  MicroVM.create({ guest: CELLS, memory: 32 << 20, imports: { env: { hook: () => {} } } });

/** Resolves when the thread has ended, or immediately if it already has. */
async function ended(worker: Worker, isTerminated: boolean): Promise<void> {
  if (isTerminated) await worker.terminate();
  else if (worker.threadId !== -1) await once(worker, 'exit');
}

async function start(data: DepartedData): Promise<Worker> {
  const worker = new Worker(new URL('./departed-thread.js', import.meta.url), { workerData: data });
  await once(worker, 'message');
  return worker;
}

tests(
  'D5, GONE-1, GONE-2: a vCPU that is terminated in the guest blocks no other thread',
  async () => {
    if (!isSeen) return;
    let vm = await create();
    for (let i = 0; i < ROUNDS; i++) {
      const worker = await start({
        handle: vm.handle,
        kind: i % 2 === 0 ? 'stores' : 'spins',
        thread: 1 + (i % 1000),
      });
      // at any moment of its calls
      await setTimeout(random.below(10));
      const before = vm.snapshot(); // while the thread runs, so that its stores are write faults that copy
      await worker.terminate();
      try {
        const after = vm.snapshot();
        vm.enter().exports['put']!(0, i + 1);
        assert.is(await after.run('get', 4 * (1 + (i % 1000))), 1);
        await after.release();
        await before.release();
        assert.is(vm.enter().exports['get']!(0), i + 1);
      } catch (error) {
        // It ended inside a write fault: the error says so, and this VM is unusable.
        assert.is((error as RingzeroError).code, 'RZ_VM_CLOSED', String(error));
        await vm.close();
        vm = await create();
      }
    }
    await vm.close();
  },
);

tests('D4: threads that are terminated, or end without close(), free their slots', async () => {
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
});

tests.run();
