// Goal: one store in several threads of a process. Method: workers that write and read the same keys, and a
// close() while they work.

import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { runThread } from '../thread.ts';
import { codeOf, freshLocation } from './stores.ts';
import type { LevelThreadData, LevelThreadResult } from './store-thread.ts';

const tests = suite('level threads');

const url = new URL('./store-thread.js', import.meta.url);

function run(data: LevelThreadData): Promise<LevelThreadResult> {
  return runThread(url, data) as Promise<LevelThreadResult>;
}

for (const poolSize of [256 * 1024, 64 * 2 ** 20]) {
  tests(`threads see each other's writes, pool of ${poolSize}`, async () => {
    const location = freshLocation();
    const db = new RingzeroLevel(location, { poolSize, durable: poolSize > 2 ** 20 });
    await db.open();
    const { handle } = db;
    const results = await Promise.all(
      [0, 1, 2].map((thread) => run({ handle, thread, keys: 1500 })),
    );
    for (const { wrong } of results) assert.is(wrong, 0);
    assert.ok(results.every(({ batches }) => batches > 0));
    for (let thread = 0; thread < 3; thread++)
      for (let i = 0; i < 1500; i++)
        assert.is(db.getSync(`${thread} ${i}`), `${thread} ${i} `.repeat(9));
    assert.is(db.stats().entries, 4500 + 2);
    assert.ok(db.verifySync());
    await db.close();
    const again = new RingzeroLevel(location);
    assert.is((await again.keys().all()).length, 4502);
    await again.close();
  });
}

tests('LEVEL-1: the opener closes for all; calls of other threads fail from then on', async () => {
  const location = freshLocation();
  const db = new RingzeroLevel(location);
  await db.open();
  const { handle } = db;
  const attached = RingzeroLevel.attach(handle); // a second vCPU of the same thread
  await attached.put('a', '1');
  assert.is(db.getSync('a'), '1');
  const endless = run({ handle: db.handle, thread: 0, keys: -1 });
  while (db.getSync('endless') === undefined)
    // its first put is the sign
    await new Promise((resolve) => setTimeout(resolve, 1));
  await db.close();
  assert.throws(
    () => attached.getSync('a'),
    (e: { code: string }) => e.code === 'LEVEL_DATABASE_NOT_OPEN',
  );
  assert.is(await codeOf(attached.get('a')), 'LEVEL_DATABASE_NOT_OPEN');
  await attached.close();
  assert.is((await endless).ended, 'LEVEL_DATABASE_NOT_OPEN');
  assert.is(await codeOf(RingzeroLevel.attach(handle).open()), 'LEVEL_DATABASE_NOT_OPEN');
});

tests('threads attach and end, with or without close()', async () => {
  const db = new RingzeroLevel(freshLocation());
  await db.open();
  for (let turn = 0; turn < 6; turn++) await run({ handle: db.handle, thread: 0, keys: 5 });
  const text = `
    import { workerData, parentPort } from 'node:worker_threads';
    const { RingzeroLevel } = await import(workerData.module);
    const db = RingzeroLevel.attach(workerData.handle);
    await db.put('from a thread', 'that does not close');
    parentPort.postMessage('done');`;
  const module = new URL('../../host/level/index.js', import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`), {
    workerData: { module, handle: db.handle },
  });
  await new Promise((resolve) => worker.once('exit', resolve));
  assert.is(db.getSync('from a thread'), 'that does not close');
  await db.close();
});

tests.run();
