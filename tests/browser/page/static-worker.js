// A worker of a page without a bundler: makes a VM, runs a guest and a snapshot of it, keeps something in a store.

import { MicroVM } from '/dist/browser/index.js';
import { RingzeroLevel } from '/dist/browser/level.js';

self.onmessage = async ({ data }) => {
  try {
    self.postMessage(await run(data));
  } catch (error) {
    self.postMessage({ failure: `${error.code}: ${error.message}: ${error.cause?.message}` });
  }
};

async function run(guest) {
  const vm = await MicroVM.create({ guest });
  const { exports } = vm.enter();
  exports.put(64, 2);
  const snapshot = vm.snapshot();
  exports.put(64, 3);
  const before = await snapshot.run('get', 64);
  const now = exports.get(64);
  await snapshot.release();
  const bytes = vm.memory.buffer.byteLength;
  await vm.close();
  const trace = await MicroVM.create({ guest, trace: 'trace.json' }).catch(({ code }) => code);
  const interrupts = await interruptsOfTimer(guest);

  const db = new RingzeroLevel('people', { valueEncoding: 'json', poolSize: 2 ** 20 });
  await db.put('ada', { born: 1815 });
  await db.close();
  await db.open();
  const person = await db.get('ada');
  await db.close();
  return { before, now, bytes, trace, interrupts, person };
}

/** Vectors that come when a timer has expired; the vCPU looks after each millisecond until one does. */
async function interruptsOfTimer(guest) {
  const vectors = [];
  const handlers = { onInterrupt: (vector) => vectors.push(vector) };
  const vm = await MicroVM.create({ guest, memory: 2 ** 26, timer: true, handlers });
  vm.enter().setTimer(1000);
  for (let turns = 0; vectors.length === 0 && turns < 10_000; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    vm.enter().deliverInterrupts();
  }
  await vm.close();
  return vectors;
}
