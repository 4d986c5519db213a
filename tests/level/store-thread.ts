// One thread of tests/level/threads.test.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { RingzeroLevel, type RingzeroHandle } from '../../host/level/index.ts';

export interface LevelThreadData {
  handle: RingzeroHandle;
  thread: number;
  /** Keys to write and read; -1 = until the store is closed. */
  keys: number;
}

export interface LevelThreadResult {
  wrong: number;
  batches: number;
  /** Code of the error that ended the thread, or ''. */
  ended: string;
}

const { handle, thread, keys } = workerData as LevelThreadData;
const db = RingzeroLevel.attach(handle);
await db.open();
const valueOf = (i: number): string => `${thread} ${i} `.repeat(9);
let wrong = 0;
let batches = 0;
let ended = '';
try {
  for (let i = 0; keys < 0 || i < keys; i++) {
    if (keys < 0) db.putSync('endless', String(i));
    else {
      db.putSync(`${thread} ${i}`, valueOf(i));
      const before = Math.floor(i / 2);
      if (db.getSync(`${thread} ${before}`) !== valueOf(before)) wrong++;
    }
    if (i % 10 !== 0) continue;
    // Two keys that every thread writes, always the same value: no reader sees one without the other.
    const value = `${thread} ${i}`;
    db.batchSync([
      { type: 'put', key: 'twin a', value },
      { type: 'put', key: 'twin b', value },
    ]);
    batches++;
    const [a, b] = db.getManySync(['twin a', 'twin b']);
    const entries = [...db.rangeSync({ gte: 'twin a', lte: 'twin b' })];
    if (a !== b || entries.length !== 2 || entries[0]![1] !== entries[1]![1]) wrong++;
  }
} catch (error) {
  ended = (error as { code: string }).code;
}
await db.close();
const result: LevelThreadResult = { wrong, batches, ended };
parentPort!.postMessage(result);
