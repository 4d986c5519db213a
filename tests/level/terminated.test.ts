// Goal: a thread that is terminated in the middle of a call (worker.terminate()) blocks no other: they get a
// result or an error, the store can be closed and opened again, and a durable one has everything. Method:
// victims at random moments of each kind of work, a survivor with all kinds, by a printed seed. RZ_ROUNDS
// sets the number of each kind, and prints the outcomes and the longest call of a survivor; a call that never
// returns fails the test by its deadline.

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { Random } from '../random.ts';
import { isDeno } from '../runtime.ts';
import { codeOf, freshLocation } from './stores.ts';
import { keyOf, valueOf, type Survival, type VictimKind } from './terminated-thread.ts';

const THREAD = new URL('./terminated-thread.js', import.meta.url);
const KINDS: VictimKind[] = ['reader', 'writer', 'batch', 'iterator', 'checkpoint'];
const ROUNDS = Number(process.env['RZ_ROUNDS'] ?? 4);
const KEYS = 2000;
const DEADLINE_MS = 20_000;
const random = Random.forTest('level terminated threads');
const { seed } = random;

/** Only /proc tells whether a thread has died. */
const isSeen = process.platform === 'linux' && !isDeno;

const tests = suite('level terminated threads');

/** The next message, or a failure: a thread that hangs sends nothing. */
async function answer(worker: Worker, what: string): Promise<unknown> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    const [message] = (await once(worker, 'message', { signal })) as [unknown];
    return message;
  } catch (error) {
    throw new Error(`${what}: no answer (RZ_SEED=${seed})`, { cause: error });
  }
}

async function fill(location: string, durable: boolean): Promise<RingzeroLevel> {
  const db = new RingzeroLevel(location, { durable, poolSize: durable ? 2 << 20 : 256 << 10 });
  await db.open();
  for (let i = 0; i < KEYS; i += 100)
    db.batchSync(
      Array.from({ length: 100 }, (_, j) => ({
        type: 'put',
        key: keyOf(i + j),
        value: valueOf(i + j, 0),
      })),
    );
  if (durable) db.putSync('synced', 'yes', { sync: true });
  return db;
}

const outcomes = new Map<string, number>();
/** The longest call of a survivor, in ms. */
let longest = 0;

async function round(
  survivor: Worker,
  kind: VictimKind,
  durable: boolean,
  waitMs: number,
): Promise<void> {
  const what = `${kind}, ${durable ? 'durable' : 'not durable'}`;
  const location = freshLocation();
  const db = await fill(location, durable);
  survivor.postMessage({ handle: db.handle, keys: KEYS });
  assert.is(await answer(survivor, `${what}: attach`), 'ready');
  const victim = new Worker(THREAD, { workerData: { handle: db.handle, kind, keys: KEYS } });
  assert.is(await answer(victim, `${what}: victim`), 'ready');
  const end = performance.now() + waitMs;
  // calls of the survivor go on
  while (performance.now() < end) await setTimeout(0);
  await victim.terminate();
  survivor.postMessage({ keys: KEYS });
  const { ends, longestMs } = (await answer(survivor, what)) as Survival;
  longest = Math.max(longest, longestMs);
  const codes = new Set(ends.filter((code) => code !== ''));
  assert.ok(
    [...codes].every((code) => code === 'LEVEL_DATABASE_NOT_OPEN'),
    `${what}: ${[...codes].join()}`,
  );
  await db.close();
  const again = new RingzeroLevel(location, { durable, createIfMissing: false });
  const opened = await codeOf(again.open());
  const outcome = `${what}: ${codes.size === 0 ? 'goes on' : 'lost'}, then ${opened}`;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (durable) {
    assert.is(opened, 'no error', what);
    assert.is(again.getSync('synced'), 'yes');
  } else if (codes.size === 0 && kind !== 'writer' && kind !== 'batch' && kind !== 'checkpoint')
    assert.is(opened, 'no error', what);
  else assert.ok(['no error', 'RZ_NOT_CLEAN'].includes(opened), opened);
  if (opened !== 'no error') return;
  assert.is(again.verifySync(), true, what);
  await again.close();
}

for (const kind of KINDS) {
  tests(`D5: a ${kind} that is terminated in a call blocks no other thread`, async () => {
    if (!isSeen) return;
    const survivor = new Worker(THREAD, { workerData: {} });
    try {
      for (let i = 0; i < ROUNDS; i++)
        await round(survivor, kind, kind === 'checkpoint' || i % 2 === 0, random.below(30));
    } finally {
      await survivor.terminate();
    }
    if (process.env['RZ_ROUNDS'] !== undefined)
      console.log(outcomes, `longest call of a survivor: ${longest.toFixed(0)} ms`);
  });
}

tests('D4: threads that are terminated, or end without close(), free their slots', async () => {
  if (!isSeen) return;
  const db = new RingzeroLevel(freshLocation(), { poolSize: 1 << 20 });
  await db.open();
  for (let i = 0; i < 70; i++) {
    const text = `
      import { workerData, parentPort } from 'node:worker_threads';
      const { RingzeroLevel } = await import(workerData.module);
      const db = RingzeroLevel.attach(workerData.handle);
      await db.open();
      parentPort.postMessage(db.getSync('a') ?? 'none');
      if (${i % 2 === 0}) setInterval(() => {}, 1000);`;
    const module = new URL('../../host/level/index.js', import.meta.url).href;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`), {
      workerData: { module, handle: db.handle },
    });
    const ended = once(worker, 'exit');
    assert.is(await answer(worker, `thread ${i}`), 'none');
    if (i % 2 === 0) await worker.terminate();
    else await ended;
  }
  db.putSync('a', 'b');
  await db.close();
});

tests.run();
