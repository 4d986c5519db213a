// Goal: the table of docs/level.md: what survives in a store after each way a program can end. Method:
// programs that change a store, report it, and end in that way, one cell at a time; a disk that loses
// everything that was not synced.
// Invariants: SIGNAL-2: a signal that ends a program is how its process ends.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { Disk } from '../kv/disk.ts';
import { Random } from '../random.ts';
import { isDeno, moduleCommand } from '../runtime.ts';
import { codeOf, freshLocation, moduleUrl } from './stores.ts';

const MIB = 2 ** 20;

interface Ended {
  output: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs a module's text; when it prints `ready` it gets the signal, if there is one. */
async function program(text: string, signal?: NodeJS.Signals): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'ringzero-durability-'));
  writeFileSync(join(folder, 'program.mjs'), text);
  const [command, ...args] = moduleCommand(join(folder, 'program.mjs'));
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const take = (data: Buffer): void => {
    const before = output.includes('ready');
    output += String(data);
    if (signal !== undefined && !before && output.includes('ready')) child.kill(signal);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const [code, by] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on('close', (...end) => resolve(end)),
  );
  rmSync(folder, { recursive: true });
  return { output, code, signal: by };
}

/**
 * The start of such a module: `db`, an open store, and `ready()`, which reports at the end of a turn and then
 * waits forever.
 */
const opening = (location: string, options: object): string => `
  import { RingzeroLevel } from ${JSON.stringify(moduleUrl)};
  const db = new RingzeroLevel(${JSON.stringify(location)}, ${JSON.stringify({ poolSize: MIB, ...options })});
  await db.open();
  const ready = async () => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    console.log('ready');
    setInterval(() => {}, 1000);
    await new Promise(() => {});
  };`;

/** Number of entries that the next open finds, or the code of its failure. */
async function found(location: string): Promise<number | string> {
  const db = new RingzeroLevel(location, { poolSize: MIB });
  try {
    await db.open();
  } catch (error) {
    return (error as { cause: { code: string } }).cause.code;
  }
  const { entries } = db.stats();
  assert.ok(db.verifySync());
  await db.close();
  return entries;
}

const tests = suite('level durability');

const PUTS = 1000;
const PUT = `for (let i = 0; i < ${PUTS}; i++) await db.put('key ' + i, 'value ' + i);`;
const PUT_AND_SYNC = `${PUT} await db.sync();`;
const KEPT = PUTS;
const REFUSED = 'RZ_NOT_CLEAN';

interface How {
  name: string;
  end: string;
  signal?: NodeJS.Signals;
  code?: number;
  /** What survives without a log. */
  plain: number | string;
}

const ENDS: How[] = [
  { name: 'close()', end: 'await db.close();', code: 0, plain: KEPT },
  { name: 'process.exit()', end: 'process.exit(3);', code: 3, plain: KEPT },
  {
    name: 'an error that is not caught',
    end: "throw new Error('on purpose');",
    code: 1,
    plain: KEPT,
  },
  { name: 'SIGKILL', end: 'await ready();', signal: 'SIGKILL', plain: REFUSED },
  ...(isDeno ? [] : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const)).map((signal) => ({
    name: signal,
    end: 'await ready();',
    signal,
    plain: KEPT,
  })),
];

for (const { name, end, signal, code, plain } of ENDS)
  tests(`D1, D2: ${name}`, async () => {
    const cells = [
      { options: { durable: false }, puts: PUT, kept: plain },
      { options: {}, puts: PUT, kept: KEPT },
      { options: { durable: true }, puts: PUT_AND_SYNC, kept: KEPT },
    ];
    for (const { options, puts, kept } of cells) {
      const location = freshLocation();
      const ended = await program(`${opening(location, options)} ${puts} ${end}`, signal);
      const what = `${name}, ${JSON.stringify(options)}: ${ended.output}`;
      if (code !== undefined) assert.is(ended.code, code, what);
      if (signal !== undefined) assert.is(ended.signal, signal, what);
      if (name !== 'SIGKILL') assert.equal(readdirSync(location), ['data.rz'], what);
      assert.is(await found(location), kept, what);
    }
  });

const emptyDirectory = (): string => mkdtempSync(join(tmpdir(), 'ringzero-durability-'));

/** A store in `directory` on a disk, and its state after a power loss at the worst moment. */
async function withPowerLoss(
  options: object,
  body: (db: RingzeroLevel) => Promise<void>,
): Promise<number | string> {
  const directory = emptyDirectory();
  const made = new RingzeroLevel(directory, { poolSize: MIB, ...options });
  await made.open();
  await made.close();
  const disk = new Disk(Random.forTest('level, power loss'), directory);
  const db = new RingzeroLevel(directory, { poolSize: MIB, ...options });
  const target = emptyDirectory();
  try {
    await db.open();
    await body(db);
    disk.crashWithout(target);
    await db.close();
  } finally {
    disk.end();
  }
  const left = await found(target);
  for (const path of [directory, target]) rmSync(path, { recursive: true });
  return left;
}

const putAll = async (db: RingzeroLevel): Promise<void> => {
  for (let i = 0; i < PUTS; i++) await db.put(`key ${i}`, `value ${i}`);
};

tests('D1: synced changes survive a power loss, with each way to sync', async () => {
  const last = { type: 'put', key: 'last', value: 'x' } as const;
  const ways: [string, (db: RingzeroLevel) => Promise<unknown>, number][] = [
    ['sync()', (db) => db.sync(), KEPT],
    ['batch([], { sync })', (db) => db.batch([], { sync: true }), KEPT],
    ['batchSync([], { sync })', async (db) => db.batchSync([], { sync: true }), KEPT],
    [
      "a sublevel's batch([], { sync })",
      (db) => db.sublevel('s').batch([], { sync: true } as object),
      KEPT,
    ],
    ['put({ sync })', (db) => db.put('last', 'x', { sync: true }), KEPT + 1],
    ['putSync({ sync })', async (db) => db.putSync('last', 'x', { sync: true }), KEPT + 1],
    ['del({ sync })', (db) => db.del('key 1', { sync: true }), KEPT - 1],
    ['delSync({ sync })', async (db) => db.delSync('key 1', { sync: true }), KEPT - 1],
    ['batch({ sync })', (db) => db.batch([last], { sync: true }), KEPT + 1],
    ['clear({ sync })', (db) => db.clear({ sync: true } as object), 0],
    ['clear({ limit, sync })', (db) => db.clear({ limit: 10, sync: true } as object), KEPT - 10],
  ];
  for (const [name, sync, kept] of ways) {
    const left = await withPowerLoss({}, async (db) => {
      await putAll(db);
      await sync(db);
    });
    assert.is(left, kept, name);
  }
  const unsynced = await withPowerLoss({}, putAll);
  assert.is(unsynced, 0, 'without a sync the disk need not have any of it');
  assert.is(await withPowerLoss({ durable: false }, putAll), REFUSED);
});

tests('D1: without a log, `sync` writes back and waits', async () => {
  const directory = emptyDirectory();
  const disk = new Disk(Random.forTest('level, sync without a log'), directory);
  try {
    const db = new RingzeroLevel(directory, { poolSize: MIB, durable: false });
    const target = emptyDirectory();
    const isThere = (text: string): boolean => {
      disk.crashWithout(target);
      return readFileSync(join(target, 'data.rz')).includes(text);
    };
    await db.put('a', 'a value');
    assert.not.ok(isThere('a value'));
    await db.put('b', 'the next', { sync: true });
    assert.ok(isThere('a value') && isThere('the next'));
    db.putSync('c', 'at once', { sync: true });
    assert.ok(isThere('at once'));
    await db.put('d', 'by sync()');
    await db.sync();
    assert.ok(isThere('by sync()'));
    await db.close();
  } finally {
    disk.end();
  }
});

tests('D1: a thread that never ends its turn, and one that is terminated', async () => {
  const worker = (rest: string): string => `
    import { parentPort, workerData } from 'node:worker_threads';
    import { RingzeroLevel } from ${JSON.stringify(moduleUrl)};
    const db = RingzeroLevel.attach(workerData.handle);
    await db.open();
    for (let i = 0; i < ${PUTS}; i++) db.putSync('key ' + i, 'value ' + i);
    ${rest}`;
  const main = (location: string, rest: string, then: string): string => `${opening(location, {})}
    import { Worker } from 'node:worker_threads';
    import { readFileSync } from 'node:fs';
    const done = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker(rest))})), { workerData: { handle: db.handle, done } });
    worker.on('error', (error) => console.log(error));
    while (Atomics.load(done, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    ${then}
    // polls
    while (!readFileSync(${JSON.stringify(join(location, 'log.rz'))}).includes('value ${PUTS - 1}')) await new Promise((resolve) => setTimeout(resolve, 1));
    await ready();`;
  const blocked = 'Atomics.store(workerData.done, 0, 1); Atomics.wait(workerData.done, 0, 1);';
  for (const then of ['', 'await worker.terminate();']) {
    const location = freshLocation();
    const ended = await program(main(location, blocked, then), 'SIGKILL');
    assert.is(ended.signal, 'SIGKILL', ended.output);
    assert.is(await found(location), KEPT, ended.output);
  }
});

if (!isDeno)
  tests('D2, SIGNAL-1: a program with its own handler decides what a signal does', async () => {
    for (const how of ['on', 'once', 'prependListener']) {
      const location = freshLocation();
      const handler = `process.${how}('SIGTERM', () => { console.log('mine', db.status); process.kill(process.pid, 'SIGKILL'); });`;
      const text = `${opening(location, { durable: false })} ${PUT} ${handler} await ready();`;
      const ended = await program(text, 'SIGTERM');
      assert.match(ended.output, /mine open/);
      assert.is(ended.signal, 'SIGKILL');
      assert.is(await found(location), REFUSED, how);
    }
  });

if (!isDeno)
  tests('D2: a library that counts listeners and ends the process finds only its own', async () => {
    const location = freshLocation();
    // Like signal-exit 4.
    const library = `
      const emitter = { count: 1 };
      globalThis[Symbol.for('signal-exit emitter')] = emitter;
      const listener = () => {
        if (process.listeners('SIGINT').length !== emitter.count) return;
        process.off('SIGINT', listener);
        process.kill(process.pid, 'SIGINT');
      };
      process.on('SIGINT', listener);`;
    const text = `${opening(location, { durable: false })} ${PUT} ${library} await ready();`;
    const ended = await program(text, 'SIGINT');
    assert.is(ended.signal, 'SIGINT', ended.output);
    assert.is(await found(location), KEPT);
  });

/** Calls that may come while a store opens, and those that need it open. */
const CALLS: [string, (db: RingzeroLevel) => unknown][] = [
  ['put', (db) => db.put('a', 'b')],
  ['get', (db) => db.get('a')],
  ['getMany', (db) => db.getMany(['a'])],
  ['has', (db) => db.has('a')],
  ['del', (db) => db.del('a')],
  ['batch', (db) => db.batch([{ type: 'del', key: 'a' }])],
  ['clear', (db) => db.clear()],
  ['sync', (db) => db.sync()],
  ['iterator.next', (db) => db.iterator().next()],
  ['iterator.all', (db) => db.iterator().all()],
  ['keys.all', (db) => db.keys().all()],
  ['values.nextv', (db) => db.values().nextv(3)],
  [
    'for await',
    async (db) => {
      for await (const entry of db.iterator()) assert.unreachable(String(entry));
    },
  ],
  ['sublevel.put', (db) => db.sublevel('s').put('a', 'b')],
  ['sublevel.get', (db) => db.sublevel('s').get('a')],
  ['sublevel.iterator', (db) => db.sublevel('s').iterator().all()],
  ['sublevel of a sublevel', (db) => db.sublevel('s').sublevel('t').get('a')],
];
const LATE: [string, (db: RingzeroLevel) => unknown][] = [
  ...CALLS,
  ['getSync', (db) => db.getSync('a')],
  ['putSync', (db) => db.putSync('a', 'b')],
  ['batch()', (db) => db.batch()],
  ['rangeSync', (db) => [...db.rangeSync()]],
  ['stats', (db) => db.stats()],
  ['handle', (db) => db.handle],
];

tests('D2, A1: every call reports why a store did not open', async () => {
  const location = freshLocation();
  const holder = new RingzeroLevel(location, { poolSize: MIB });
  await holder.open();
  const make = (): RingzeroLevel => new RingzeroLevel(location, { poolSize: MIB });
  const check = async (name: string, call: () => unknown): Promise<void> => {
    try {
      await call();
    } catch (error) {
      const { code, message, cause } = error as Error & { code: string };
      assert.is(code, 'LEVEL_DATABASE_NOT_OPEN', name);
      assert.match(message, `process (${process.pid})`, name);
      assert.is((cause as { code?: string }).code, 'LEVEL_LOCKED', name);
      return;
    }
    assert.unreachable(name);
  };
  for (const [name, call] of CALLS) await check(`${name}, while it opens`, () => call(make()));
  for (const [name, call] of LATE) {
    const db = make();
    await db.open().catch(() => {});
    await check(`${name}, later`, () => call(db));
  }
  const db = make();
  assert.is(await codeOf(db.open()), 'LEVEL_LOCKED');
  await holder.close();
  await db.open();
  await db.put('a', 'b');
  assert.is(await db.get('a'), 'b', 'and no failure remains once it opens');
  await db.close();
  assert.is(await codeOf(db.get('a')), 'LEVEL_DATABASE_NOT_OPEN');
});

tests(
  'D11: a log whose data.rz is gone is refused, and becomes a store with `recover`',
  async () => {
    const location = freshLocation();
    await program(`${opening(location, {})} ${PUT_AND_SYNC} process.kill(process.pid, 'SIGKILL');`);
    const log = readFileSync(join(location, 'log.rz'));
    for (const empty of [false, true]) {
      rmSync(join(location, 'data.rz'));
      if (empty) writeFileSync(join(location, 'data.rz'), '');
      for (const durable of [true, false]) {
        const refused = new RingzeroLevel(location, { poolSize: MIB, durable });
        assert.is(await codeOf(refused.open()), 'LEVEL_CORRUPTION');
        await refused
          .get('a')
          .catch(({ message }: Error) => assert.match(message, /recover: true/));
        assert.ok(readFileSync(join(location, 'log.rz')).equals(log), 'the log is as it was');
      }
      if (empty) continue;
      writeFileSync(join(location, 'data.rz'), '');
    }
    const db = new RingzeroLevel(location, { poolSize: MIB, recover: true });
    for (let i = 0; i < PUTS; i++) assert.is(await db.get(`key ${i}`), `value ${i}`);
    await db.close();
    assert.is(await found(location), KEPT);
    assert.throws(() => new RingzeroLevel('x', { recover: 1 as never }), /`recover` is 1/);
  },
);

tests.run();
