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

  const db = new RingzeroLevel('people', { valueEncoding: 'json', poolSize: 2 ** 20 });
  await db.put('ada', { born: 1815 });
  await db.close();
  await db.open();
  const person = await db.get('ada');
  await db.close();
  return { before, now, bytes, person };
}
