// Threads of tests/level/terminated.test.ts: victims, which work until they are terminated, and a survivor,
// which works on request.

import { parentPort, workerData } from 'node:worker_threads';
import { RingzeroLevel, type RingzeroHandle } from '../../host/level/index.ts';

export type VictimKind = 'reader' | 'writer' | 'batch' | 'iterator' | 'checkpoint';

interface VictimData {
  handle: RingzeroHandle;
  kind: VictimKind;
  keys: number;
}

export const keyOf = (i: number): string => `key ${String(i % 1000).padStart(4, '0')} ${i}`;
export const valueOf = (i: number, round: number): string =>
  `${round} `.repeat(10 + ((i * 7) % 200));

type Db = RingzeroLevel<string, string>;

const WORK: Record<VictimKind, (db: Db, keys: number, turn: number) => void> = {
  reader: (db, keys, turn) => void db.getSync(keyOf((turn * 7919) % keys)),
  writer: (db, keys, turn) => db.putSync(keyOf((turn * 7919) % keys), valueOf(turn, turn)),
  batch: (db, keys, turn) =>
    db.batchSync(
      Array.from({ length: 40 }, (_, i) => ({
        type: 'put',
        key: keyOf((turn * 31 + i) % keys),
        value: valueOf(i, turn),
      })),
    ),
  iterator: (db) => void Array.from(db.rangeSync({ limit: 500 })).length,
  checkpoint: (db, keys, turn) => db.putSync(keyOf(turn % keys), 'x'.repeat(3000 + (turn % 9000))),
};

async function victim({ handle, kind, keys }: VictimData): Promise<void> {
  const db = RingzeroLevel.attach(handle);
  await db.open();
  parentPort!.postMessage('ready');
  for (let turn = 0; ; turn++) WORK[kind](db, keys, turn);
}

/** The result of each call, '' or a code, and the duration of the longest. */
export interface Survival {
  ends: string[];
  longestMs: number;
}

function tryAll(db: Db, keys: number): Survival {
  let longestMs = 0;
  const attempt = (body: () => unknown): string => {
    const start = performance.now();
    try {
      body();
      return '';
    } catch (error) {
      return String((error as { code?: string }).code ?? error);
    } finally {
      longestMs = Math.max(longestMs, performance.now() - start);
    }
  };
  const ends: string[] = [];
  for (let i = 0; i < keys; i += 11) {
    ends.push(attempt(() => db.getSync(keyOf(i))));
    ends.push(attempt(() => db.putSync(keyOf(i), valueOf(i, -1))));
  }
  ends.push(attempt(() => db.batchSync([{ type: 'put', key: 'last', value: 'of a batch' }])));
  ends.push(attempt(() => [...db.rangeSync({})].length));
  return { ends, longestMs };
}

function survivor(): void {
  let db: Db | undefined;
  parentPort!.on('message', async (message: { handle?: RingzeroHandle; keys: number }) => {
    if (message.handle !== undefined) {
      db = RingzeroLevel.attach(message.handle);
      await db.open();
      parentPort!.postMessage('ready');
      return;
    }
    const survival = tryAll(db!, message.keys);
    await db!.close();
    parentPort!.postMessage(survival);
  });
}

if (parentPort !== null) {
  if ((workerData as VictimData).handle === undefined) survivor();
  else await victim(workerData as VictimData);
}
