// Requests are submitted in the order of the policy: classes, deadlines, a bounded depth, no starvation.

import { statSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ECANCELED, EFAULT, EIO } from '../../assembly/abi/errno.ts';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import * as abi from '../../assembly/abi/ring.ts';
import { VM_IO_STATE } from '../../assembly/abi/vm-block.ts';
import { Faults } from '../../host/index.ts';
import { createLogGuest, HIGH, LOW, scratch, type LogGuest } from './log-machine.ts';

const DONE = 3;
const QUEUED = 1;
const BLOCK = 4096;

interface Context {
  guest: LogGuest;
  file: number;
  faults: Faults;
  log: string;
  remove(): void;
}

const requests = suite<Context>('requests');

requests.before.each(async (context) => {
  const { directory, log, remove } = scratch();
  writeFileSync(log, Buffer.alloc(64 * BLOCK, 1));
  const faults = new Faults({ seed: 5 });
  const guest = await createLogGuest(directory, { faults });
  Object.assign(context, { guest, faults, log, remove, file: guest.open('log') });
});
requests.after.each(async ({ guest, remove }) => {
  await guest.vm.close();
  remove();
});

/** Queues a read or a write of a block; `inUs` from now is its deadline. */
function add({ guest, file }: Context, slot: number, klass: number, inUs = 0): void {
  const operation = klass === HIGH ? abi.OP_READ : abi.OP_WRITE;
  guest.call('fill', slot, operation, file, slot % 64, BLOCK, BigInt((slot % 64) * BLOCK));
  assert.is(guest.call('add', slot, klass, inUs), 1);
}

/** Slots in order of submission, from the n-th entry on; no more than the queue remembers. */
function leftSince(guest: LogGuest, n: number): number[] {
  const slots: number[] = [];
  for (let i = n; i < guest.call('submittedCount'); i++) slots.push(guest.call('submitted', i));
  return slots;
}

function finish(guest: LogGuest, slots: number): void {
  for (let slot = 0; slot < slots; slot++) assert.is(guest.call('wait', slot), BLOCK);
}

requests('REQ-2: an urgent read does not wait behind a batch of background writes', (context) => {
  const { guest, faults } = context;
  faults.set({ delay: 1, delayMs: 20 });
  guest.call('setDepth', 16, 2);
  for (let slot = 1; slot < 100; slot++) add(context, slot, LOW);
  guest.call('pump');
  assert.is(guest.call('submittedCount'), 2, 'the device has two of them');
  add(context, 0, HIGH);
  guest.call('pump');
  assert.equal(leftSince(guest, 2), [0], 'and the read immediately');
  assert.is(guest.call('wait', 0), BLOCK);
  let waiting = 0;
  for (let slot = 1; slot < 100; slot++) waiting += Number(guest.call('stateOf', slot) === QUEUED);
  assert.ok(waiting >= 40, `when it was done, ${waiting} of 99 writes had not begun`);
  faults.set({});
  finish(guest, 100);
});

requests(
  'in flight: at most the depth in total, at most its own depth of the background class',
  (context) => {
    const { guest, faults } = context;
    faults.set({ delay: 0.5, delayMs: 1 });
    for (const [all, low] of [
      [2, 1],
      [5, 2],
      [16, 15],
      [0, 0],
      [4, 900],
    ] as const) {
      guest.call('setDepth', all, low);
      const most = Math.max(all, 2);
      for (let slot = 0; slot < 80; slot++) add(context, slot, slot % 2 === 0 ? LOW : HIGH);
      let left = 80;
      while (left > 0) {
        guest.call('poll');
        const states = Array.from({ length: 80 }, (_, slot) => guest.call('stateOf', slot));
        const underWay = states.filter((state) => state === 2).length;
        const lowUnderWay = states.filter((state, slot) => state === 2 && slot % 2 === 0).length;
        assert.ok(underWay <= most, `${underWay} of ${most}`);
        assert.ok(lowUnderWay <= Math.max(1, Math.min(low, most - 1)), `${lowUnderWay} of ${low}`);
        left = states.filter((state) => state !== DONE).length;
      }
    }
  },
);

requests('REQ-1: the earliest deadline first, then the first queued', (context) => {
  const { guest } = context;
  const order = Array.from({ length: 60 }, (_, i) => (i * 37) % 60);
  for (const klass of [HIGH, LOW]) {
    guest.call('setDepth', 2, 1);
    const before = guest.call('submittedCount');
    for (let slot = 0; slot < 60; slot++) add(context, slot, klass, (order[slot]! + 1) * 1_000_000);
    finish(guest, 60);
    const left = leftSince(guest, before);
    assert.equal(
      left.map((slot) => order[slot]),
      Array.from({ length: 60 }, (_, i) => i),
    );
  }
});

requests(
  'without a deadline: in order of arrival, before those with later deadlines',
  (context) => {
    const { guest } = context;
    guest.call('setDepth', 2, 1);
    add(context, 0, HIGH, 2_000_000_000); // half an hour
    for (let slot = 1; slot < 40; slot++) add(context, slot, HIGH);
    finish(guest, 40);
    assert.equal(leftSince(guest, 0), [...Array.from({ length: 39 }, (_, i) => i + 1), 0]);
  },
);

requests(
  'REQ-3: a steady stream of reads does not starve overdue background requests',
  (context) => {
    const { guest } = context;
    guest.call('setDepth', 2, 1);
    let next = 10;
    add(context, 0, LOW, 1_000_000_000); // not yet due
    add(context, 1, LOW, -1); // overdue
    for (; next < 60; next++) add(context, next, HIGH);
    guest.call('pump');
    while (guest.call('stateOf', 1) !== DONE) {
      if (guest.call('poll') === 0) continue;
      add(context, 10 + (next++ % 400), HIGH);
      assert.ok(next < 1000, 'it waits forever');
    }
    const left = leftSince(guest, 0);
    assert.is(left.indexOf(1), 8, 'eight reads went before it');
    assert.not.ok(left.includes(0), 'a request that is not due does not overtake');
    while (guest.call('stateOf', 0) !== DONE) guest.call('wait', 0);
  },
);

requests('one doorbell and one poll for a batch; a full queue makes the rest wait', (context) => {
  const { guest } = context;
  guest.call('setDepth', 1000, 999);
  for (let slot = 0; slot < 250; slot++) add(context, slot, slot < 125 ? HIGH : LOW);
  assert.is(guest.call('submittedCount'), 0, 'nothing is submitted before pump()');
  guest.call('pump');
  assert.is(guest.call('submittedCount'), abi.SQ_ENTRIES);
  finish(guest, 250);
  for (let slot = 0; slot < 256; slot++) add(context, slot, LOW, 1000);
  assert.is(guest.call('add', 300, LOW, 1000), 0, 'a class has room for 256');
  finish(guest, 256);
});

requests('chains are submitted together, and each part has its result', (context) => {
  const { guest, file, log } = context;
  guest.call('fill', 0, abi.OP_WRITE, file, 0, BLOCK, BigInt(64 * BLOCK));
  guest.call('fill', 1, abi.OP_FDATASYNC, file, 0, 0, 0n);
  guest.call('fill', 2, abi.OP_READ, file, 100_000, BLOCK, 0n); // outside the window
  guest.call('fill', 3, abi.OP_TRUNCATE, file, 0, 0, 0n);
  for (let slot = 0; slot < 3; slot++) guest.call('link', slot, slot + 1);
  assert.is(guest.call('add', 0, LOW, 0), 1);
  assert.is(guest.call('wait', 3), -ECANCELED);
  assert.equal(
    [0, 1, 2].map((slot) => guest.call('resultOf', slot)),
    [BLOCK, 0, -EFAULT],
  );
  assert.is(statSync(log).size, 65 * BLOCK);
  add(context, 5, LOW);
  assert.is(guest.call('wait', 5), BLOCK, 'and the class continues');
});

requests('errors are results; all other requests continue', (context) => {
  const { guest, faults } = context;
  faults.set({ error: 0.3 });
  let failed = 0;
  for (let round = 0; round < 10; round++) {
    for (let slot = 0; slot < 40; slot++) add(context, slot, slot % 2);
    for (let slot = 0; slot < 40; slot++) {
      const result = guest.call('wait', slot);
      assert.ok(result === BLOCK || result === -EIO, String(result));
      failed += Number(result < 0);
    }
  }
  assert.ok(failed > 20);
  faults.set({});
  for (let slot = 0; slot < 40; slot++) add(context, slot, LOW);
  finish(guest, 40);
});

requests('when the service is gone, every waiter gets an error', (context) => {
  const { guest } = context;
  const words = new Int32Array(guest.vm.memory.buffer);
  words[(vmBlock(guest.vm.handle.machine.frames) + VM_IO_STATE) / 4] = abi.IO_DEAD;
  add(context, 0, HIGH);
  assert.is(guest.call('wait', 0), -EIO);
});

requests.run();
