// The log: committed records survive in order, and what survives is a prefix of the appended records,
// whatever happens to the device or the process.

import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EINVAL, EIO } from '../../assembly/abi/errno.ts';
import { Faults } from '../../host/index.ts';
import { runThread } from '../thread.ts';
import { createLogGuest, LOG_FILE, scratch, type Found, type LogGuest } from './log-machine.ts';

const logs = suite('the log');
const seed = Number(process.env['RZ_SEED'] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);
let state = seed | 1;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** The contents of a log, read by another VM. */
async function readBack(directory: string): Promise<Found[]> {
  const guest = await createLogGuest(directory);
  const records = guest.records(guest.open(LOG_FILE));
  await guest.vm.close();
  return records;
}

function sequences(records: Found[], writer = 1): number[] {
  return records.filter((record) => record.writer === writer).map(({ sequence }) => sequence);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

async function openLog(directory: string, faults?: Faults): Promise<LogGuest> {
  const guest = await createLogGuest(directory, faults && { faults });
  assert.is(guest.call('openLog', guest.open(LOG_FILE)), 0);
  return guest;
}

logs('LOG-5: has what was committed, and continues at its end', async () => {
  const { directory, remove } = scratch();
  let next = 0;
  for (let round = 0; round < 4; round++) {
    const guest = await openLog(directory);
    for (let i = 0; i < 30; i++) {
      const lsn = guest.append(1, next, 8 + random(i % 10 === 9 ? 60_000 : 500));
      assert.ok(lsn > 0n);
      next += 1;
      if (i % 3 === 0) assert.is(guest.call('commit', lsn), 0);
    }
    assert.is(guest.call('commit', guest.append(1, next++, 8)), 0);
    await guest.vm.close();
    assert.equal(sequences(await readBack(directory)), upTo(next));
  }
  remove();
});

logs('one flush serves all waiting commits', async () => {
  const { directory, remove } = scratch();
  const guest = await openLog(directory);
  let last = 0n;
  for (let i = 0; i < 200; i++) guest.call('want', (last = guest.append(1, i, 100)));
  assert.is(guest.call('commit', last), 0);
  assert.ok(guest.call('groups') <= 2, `${guest.call('groups')} groups`);
  const before = guest.call('groups');
  assert.is(guest.call('commit', 16n), 0);
  assert.is(guest.call('groups'), before, 'a durable record needs none');
  await guest.vm.close();
  remove();
});

logs('LOG-1: refuses invalid records, and commits of records that were not appended', async () => {
  const { directory, remove } = scratch();
  const guest = await openLog(directory);
  for (const bytes of [0, 65521, 0x80000000, -1]) {
    assert.is(guest.append(1, 0, bytes), 0n);
    assert.is(guest.call('failure'), EINVAL);
  }
  const lsn = guest.append(1, 0, 65520);
  assert.is(guest.call('commit', lsn + 1n), -EINVAL);
  assert.is(guest.call('commit', -1n & 0xffffffffffffffffn), -EINVAL);
  assert.is(guest.call('commit', lsn), 0);
  await guest.vm.close();
  assert.equal(sequences(await readBack(directory)), [0]);
  remove();
});

/** Threads with numbers from 1 on append and commit concurrently; the report of each. */
function appendTogether(
  guest: LogGuest,
  threads: number,
  times: number,
  bytes: number,
): Promise<unknown[]> {
  const url = new URL('./log-thread.js', import.meta.url);
  const here = new Int32Array(new SharedArrayBuffer(4));
  const all = { handle: guest.vm.handle, here, threads, times, bytes };
  return Promise.all(upTo(threads).map((i) => runThread(url, { ...all, writer: i + 1 })));
}

logs('LOG-3: vCPUs append concurrently; the records of each are in its order', async () => {
  const { directory, remove } = scratch();
  const guest = await openLog(directory);
  const [threads, times] = [4, 150];
  assert.equal(await appendTogether(guest, threads, times, 3000), Array(threads).fill(times));
  assert.ok(guest.call('groups') < threads * times, 'groups have several commits');
  await guest.vm.close();
  const records = await readBack(directory);
  assert.is(records.length, threads * times);
  for (let writer = 1; writer <= threads; writer++)
    assert.equal(sequences(records, writer), upTo(times));
  remove();
});

logs('the slower the device, the larger the groups', async () => {
  const { directory, remove } = scratch();
  const faults = new Faults({ seed });
  const guest = await openLog(directory, faults);
  faults.set({ delay: 1, delayMs: 10 });
  const [threads, times] = [4, 50];
  assert.equal(await appendTogether(guest, threads, times, 100), Array(threads).fill(times));
  const groups = guest.call('groups');
  assert.ok(groups < threads * times * 0.6, `${groups} groups for ${threads * times} commits`);
  await guest.vm.close();
  assert.is((await readBack(directory)).length, threads * times);
  remove();
});

logs('short writes are completed, late ones awaited', async () => {
  const { directory, remove } = scratch();
  const faults = new Faults({ seed });
  const guest = await openLog(directory, faults);
  faults.set({ short: 0.5, delay: 0.3, delayMs: 2 });
  for (let i = 0; i < 100; i++)
    assert.is(guest.call('commit', guest.append(1, i, 8 + random(20_000))), 0);
  assert.ok(faults.injected > 20);
  await guest.vm.close();
  assert.equal(sequences(await readBack(directory)), upTo(100));
  remove();
});

for (const [what, rates] of [
  ['EIO', { error: 1 }],
  ['a full disk', { full: 1 }],
] as const)
  logs(
    `${what} breaks it: no commit succeeds any more, and committed records survive`,
    async () => {
      const { directory, remove } = scratch();
      const faults = new Faults({ seed });
      const guest = await openLog(directory, faults);
      for (let i = 0; i < 10; i++) assert.is(guest.call('commit', guest.append(1, i, 1000)), 0);
      faults.set(rates);
      const lsn = guest.append(1, 10, 1000);
      const broken = guest.call('commit', lsn);
      assert.ok(broken < 0);
      faults.set({});
      assert.is(guest.call('commit', lsn), broken, 'it stays broken');
      assert.is(guest.append(1, 11, 1000), 0n);
      assert.is(guest.call('failure'), -broken);
      assert.is(guest.call('commit', 16n), 0, 'durable records stay durable');
      await guest.vm.close();
      const found = sequences(await readBack(directory));
      assert.equal(found, upTo(found.length));
      assert.ok(found.length >= 10);
      const again = await openLog(directory);
      assert.is(
        again.call('commit', again.append(1, found.length, 50)),
        0,
        'it continues after reopening',
      );
      await again.vm.close();
      assert.equal(sequences(await readBack(directory)), upTo(found.length + 1));
      remove();
    },
  );

logs('LOG-4: with occasional errors, every successful commit has its record', async () => {
  for (let round = 0; round < 6; round++) {
    const { directory, remove } = scratch();
    const faults = new Faults({ seed: seed + round });
    const guest = await openLog(directory, faults);
    faults.set({ error: 0.02, full: 0.01, short: 0.1, delay: 0.1, delayMs: 1 });
    let committed = 0;
    for (let i = 0; i < 100; i++) {
      const lsn = guest.append(1, i, 8 + random(5000));
      if (lsn === 0n || guest.call('commit', lsn) !== 0) break;
      committed += 1;
    }
    await guest.vm.close();
    const found = sequences(await readBack(directory));
    assert.equal(found, upTo(found.length));
    assert.ok(found.length >= committed, `${found.length} of ${committed}, seed ${seed + round}`);
    remove();
  }
});

logs('a dead leader breaks it for all that wait', async () => {
  const { directory, remove } = scratch();
  const guest = await openLog(directory);
  assert.is(guest.call('commit', guest.append(1, 0, 100)), 0);
  const leader = guest.vm.enter().kernel.vcpu + 9; // an index without a vCPU
  guest.call('setLeader', leader + 1);
  assert.is(guest.call('commit', guest.append(1, 1, 100)), -EIO);
  await guest.vm.close();
  remove();
});

logs('LOG-2: a torn or altered file has the prefix before the damage', async () => {
  const { directory, log, remove } = scratch();
  const guest = await openLog(directory);
  for (let i = 0; i < 60; i++) guest.append(1, i, 8 + random(i === 30 ? 50_000 : 2000));
  assert.is(guest.call('commit', guest.append(1, 60, 8)), 0);
  await guest.vm.close();
  const records = await readBack(directory);
  assert.is(records.length, 61);
  copyFileSync(log, join(directory, 'whole'));
  const whole = readFileSync(join(directory, 'whole'));
  const end = Number(records.at(-1)!.position);
  assert.ok(statSync(log).size > end, 'the file has more than that: zeros');
  for (let round = 0; round < 12; round++) {
    const at = random(end);
    const before = records.filter(({ position }) => position <= at).length;
    if (round % 2 === 0) truncateSync(log, at);
    else {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << random(8);
      writeFileSync(log, changed);
    }
    const found = sequences(await readBack(directory));
    // The last byte of a record may be padding, which has no effect.
    assert.ok(
      found.length === before || (round % 2 === 1 && found.length === 61),
      `${found.length} of ${before} at ${at}, seed ${seed}`,
    );
    assert.equal(found, upTo(found.length));
    copyFileSync(join(directory, 'whole'), log);
  }
  // Appends before records that were intact: they must not reappear after the new ones.
  truncateSync(log, end);
  const cut = Buffer.from(whole);
  cut[Number(records[20]!.position) + 20]! ^= 1;
  writeFileSync(log, cut);
  const again = await openLog(directory);
  const size = Number(records[21]!.position - records[20]!.position);
  assert.is(again.call('commit', again.append(2, 0, size - 16)), 0); // the length of the damaged one
  await again.vm.close();
  const after = await readBack(directory);
  assert.is(after.length, 22);
  assert.is(after.at(-1)!.writer, 2);
  remove();
});

logs('killed in the middle of appending, it has every record that was committed', async () => {
  const { directory, remove } = scratch();
  let next = 0;
  for (let round = 0; round < 4; round++) {
    const child = new URL('./log-child.js', import.meta.url).pathname;
    const process_ = spawn(process.execPath, [child, directory, String(next)]);
    let said = '';
    const enough = 100 + random(400);
    process_.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.split('\n').length > enough) process_.kill('SIGKILL');
    });
    const ended = await new Promise((resolve) =>
      process_.once('close', (code, signal) => resolve(signal ?? code)),
    );
    assert.is(ended, 'SIGKILL');
    const committed = said.split('\n').slice(0, -1).map(Number);
    const found = sequences(await readBack(directory));
    assert.equal(found, upTo(found.length));
    assert.ok(found.length > committed.at(-1)!, `${found.length}, told of ${committed.at(-1)}`);
    next = found.length;
  }
  remove();
});

logs.run();
