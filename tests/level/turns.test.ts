// Goal: promised calls leave room for the event loop, and syncs of one turn share a wait.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { files } from '#platform';
import { RingzeroLevel } from '../../host/level/index.ts';
import { freshLocation } from './stores.ts';

const MIB = 2 ** 20;
const tests = suite('level turns');

tests('D8: a program that only awaits the store does not starve the event loop', async () => {
  const db = new RingzeroLevel(freshLocation(), { poolSize: 64 * MIB });
  await db.batch(
    Array.from(
      { length: 300_000 },
      (_, i) => ({ type: 'put', key: `key ${i}`, value: 'v' }) as const,
    ),
  );
  const works: [string, (over: () => boolean) => Promise<unknown>][] = [
    [
      'put',
      async (over) => {
        for (let i = 0; i < 1e6 && !over(); i++) await db.put('a', String(i));
      },
    ],
    [
      'get',
      async (over) => {
        for (let i = 0; i < 1e6 && !over(); i++) await db.get('a');
      },
    ],
    [
      'for await',
      async (over) => {
        for await (const [key] of db.iterator()) if (over() || key === '') break;
      },
    ],
    ['all', () => db.iterator().all()],
    ['clear', () => db.clear()],
  ];
  for (const [name, work] of works) {
    await nextTurn();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await work(() => ticks > 0);
    assert.ok(ticks > 0, name);
    clearInterval(timer);
  }
  const clearing = db
    .batch(
      Array.from(
        { length: 20_000 },
        (_, i) => ({ type: 'put', key: `key ${i}`, value: 'v' }) as const,
      ),
    )
    .then(() => db.clear());
  await nextTurn();
  await Promise.all([clearing, db.close()]);
});

tests('D8: asynchronous syncs of one turn wait for the device once', async () => {
  const db = new RingzeroLevel(freshLocation(), { poolSize: 8 * MIB });
  await db.open();
  const { sync } = files;
  let waits = 0;
  files.sync = (descriptor) => {
    waits++;
    sync(descriptor);
  };
  try {
    await Promise.all(
      Array.from({ length: 2000 }, (_, i) => db.put(`key ${i}`, 'v', { sync: true })),
    );
    assert.is(waits, 1);
    const last = db.put('last', 'v', { sync: true });
    await db.close();
    await last;
  } finally {
    files.sync = sync;
  }
});

tests.run();
