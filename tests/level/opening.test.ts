// Goal: a store is opened by one process, and only if the disk has what was closed. Method: second processes,
// dead ones, and a file with flipped bits, cut off, or replaced.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EIO } from '../../assembly/abi/errno.ts';
import { applyBatch, HalfApplied, type BatchExports } from '../../host/level/batch.ts';
import type { KvExports } from '../../host/level/guest.ts';
import { RingzeroLevel } from '../../host/level/index.ts';
import { checkStoreOptions } from '../../host/level/options.ts';
import { Store } from '../../host/level/store.ts';
import { livenessOf, thisProcess } from '../../host/platform/store-directory.ts';
import { Random } from '../random.ts';
import { codeOf, freshLocation, inProcess } from './stores.ts';

const PAGE = 4096;

/** Storage fails after the first entries of a batch, and whenever something is removed. */
function failing(exports: KvExports): BatchExports {
  const {
    put,
    putBegin,
    putPart,
    putEnd,
    batchBegin,
    batchLog,
    batchUndo,
    batchPutBack,
    batchFree,
    batchSettle,
    batchEnd,
  } = exports;
  return {
    ...{
      put,
      putBegin,
      putPart,
      putEnd,
      batchBegin,
      batchLog,
      batchUndo,
      batchPutBack,
      batchFree,
      batchSettle,
      batchEnd,
    },
    batchOps: (start, end) => Math.min(exports.batchOps(start, end), -EIO),
    del: () => -EIO,
  };
}

const tests = suite('level opening');

async function filled(entries: number): Promise<string> {
  const location = freshLocation();
  const db = new RingzeroLevel(location);
  await db.batch(
    Array.from(
      { length: entries },
      (_, i) => ({ type: 'put', key: `key ${i}`, value: `value ${i}`.repeat(i % 40) }) as const,
    ),
  );
  await db.put('large', 'x'.repeat(50_000));
  await db.close();
  return location;
}

tests('LOCK-1, STORE-2: a second opener learns which process holds the store', async () => {
  const location = freshLocation();
  const db = new RingzeroLevel(location);
  await db.open();
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  const other = inProcess(
    location,
    'await db.open().catch(({ cause }) => console.log(cause.code, cause.message))',
  );
  assert.match(other.output, /^LEVEL_LOCKED /);
  assert.match(other.output, `process ${process.pid} `);
  await db.put('a', 'b');
  await db.close();
  assert.match(inProcess(location, "console.log(await db.get('a'))").output, /^b$/m);
  assert.equal(readdirSync(location), ['data.rz']);
});

tests(
  'a program that ends without close() leaves a clean store; a killed one does not',
  async () => {
    const location = freshLocation();
    assert.is(inProcess(location, "await db.put('a', '1'); process.exit(3)").status, 3);
    const thrown = inProcess(location, "await db.put('b', '2'); throw new Error('on purpose')");
    assert.match(thrown.output, /on purpose/);
    let db = new RingzeroLevel(location);
    assert.equal(await db.getMany(['a', 'b']), ['1', '2']);
    await db.close();

    const killed = "await db.put('c', '3'); process.kill(process.pid, 'SIGKILL')";
    inProcess(location, killed, '', { durable: false });
    assert.ok(existsSync(join(location, 'lock')), 'the lock of the dead process remains');
    db = new RingzeroLevel(location);
    assert.is(await codeOf(db.open()), 'RZ_NOT_CLEAN');
    assert.equal(readdirSync(location), ['data.rz']);
    await RingzeroLevel.destroy(location);
    await db.open();
    await db.close();
  },
);

tests('a zombie process counts as dead', async () => {
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
  const [text] = (await once(parent.stdout, 'data')) as [Buffer];
  const child = { ...thisProcess(), pid: Number(text), started: '' };
  // The shell would collect its child; the program that replaces it does not wait.
  while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n') await setTimeout(1);
  assert.is(livenessOf(child), 'alive');
  process.kill(child.pid, 'SIGKILL');
  // it ends, and is not waited for
  while (!readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') Z ')) await setTimeout(1);
  assert.is(livenessOf(child), 'dead');
  parent.kill();
});

tests('LEVEL-2: a batch that was neither applied nor undone marks the store', async () => {
  const location = await filled(100);
  const store = await Store.create(location, {
    ...checkStoreOptions({ durable: false }),
    createIfMissing: false,
    errorIfExists: false,
  });
  const { operations } = store;
  assert.throws(
    () =>
      applyBatch(failing(operations.guest.exports), operations.guest.window, [
        { type: 'put', key: 'new', value: 'x' },
        { type: 'put', key: 'key 1', value: 'x' },
        { type: 'del', key: 'key 2' },
      ]),
    (error: unknown) => error instanceof HalfApplied && error.result === -EIO,
  );
  operations.guest.break();
  assert.throws(() => operations.get('key 1', 'utf8'), /half changed/);
  assert.throws(() => operations.batch([{ type: 'del', key: 'a' }]), /half changed/);
  await store.close();
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'RZ_NOT_CLEAN');
});

tests('LOCK-2: any number of locks of dead processes are taken over', async () => {
  const location = await filled(10);
  const lock = join(location, 'lock');
  inProcess(location, "await db.open(); process.kill(process.pid, 'SIGKILL')");
  const dead = JSON.parse(readFileSync(lock, 'utf8')) as { word: string; inode: string };
  rmSync(location, { recursive: true });
  mkdirSync(location);
  // A lock of this directory, without its socket.
  dead.inode = String(statSync(location, { bigint: true }).ino);
  writeFileSync(lock, JSON.stringify(dead));
  // Another process died while taking it over.
  writeFileSync(`${lock}.${dead.word}`, JSON.stringify({ ...dead, word: 'second' }));
  const db = new RingzeroLevel(location);
  await db.open();
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  await db.close();
  assert.equal(readdirSync(location), ['data.rz']);
  writeFileSync(lock, JSON.stringify({ ...dead, boot: 'another', host: 'elsewhere' }));
  assert.is(await codeOf(db.open()), 'LEVEL_LOCKED', 'a process on another machine cannot be seen');
  writeFileSync(lock, 'nonsense');
  assert.is(await codeOf(db.open()), 'LEVEL_LOCKED');
  writeFileSync(lock, JSON.stringify({ ...dead, pid: process.pid }));
  await db.open(); // the number is this process's, but the start time differs
  await db.close();
});

/** Reads everything: true, or the code of the first failure. Throws on wrong data. */
async function readAll(location: string, entries: number): Promise<string | true> {
  const db = new RingzeroLevel(location);
  try {
    await db.open();
    let code: string | true = true;
    const valueOf = (key: string): string =>
      key === 'large'
        ? 'x'.repeat(50_000)
        : `value ${key.slice(4)}`.repeat(Number(key.slice(4)) % 40);
    for (let i = 0; i <= entries; i++) {
      const key = i === entries ? 'large' : `key ${i}`;
      try {
        assert.is(db.getSync(key), valueOf(key), `${key} after damage`);
      } catch (error) {
        if ((error as { code?: string }).code === undefined || error instanceof assert.Assertion)
          throw error;
        code = (error as { code: string }).code;
      }
    }
    try {
      let count = 0;
      for (const [key, value] of db.rangeSync()) {
        assert.is(value, valueOf(key), `${key} in a range after damage`);
        count++;
      }
      assert.is(count, entries + 1, 'entries in a range after damage');
    } catch (error) {
      if (error instanceof assert.Assertion) throw error;
      code = (error as { code: string }).code;
    }
    return code;
  } catch (error) {
    if (error instanceof assert.Assertion) throw error;
    return (error as { cause?: { code: string } }).cause?.code ?? (error as { code: string }).code;
  } finally {
    await db.close().catch(() => {});
  }
}

tests('flipped bits anywhere cause a typed error or return right data', async () => {
  const random = Random.forTest('level, flipped bits');
  const entries = 700;
  const location = await filled(entries);
  const path = join(location, 'data.rz');
  const whole = readFileSync(path);
  const pages = whole.length / PAGE;
  const seen = new Map<string, number>();
  // Every page once, then anywhere; superblocks more often.
  for (let turn = 0; turn < pages + 40; turn++) {
    const page = turn < pages ? turn : random.chance(0.3) ? random.below(2) : random.below(pages);
    const damaged = Buffer.from(whole);
    for (let flips = 1 + random.below(3); flips > 0; flips--)
      damaged[page * PAGE + random.below(PAGE)]! ^= 1 << random.below(8);
    writeFileSync(path, damaged);
    const result = String(await readAll(location, entries));
    seen.set(result, (seen.get(result) ?? 0) + 1);
    rmSync(join(location, 'lock'), { force: true });
  }
  console.log(`flipped bits: ${[...seen].map(([code, count]) => `${count} ${code}`).join(', ')}`);
  const allowed = ['true', 'LEVEL_CORRUPTION', 'RZ_NOT_CLEAN', 'RZ_FORMAT'];
  assert.equal(
    [...seen.keys()].filter((code) => !allowed.includes(code)),
    [],
  );
  assert.ok((seen.get('LEVEL_CORRUPTION') ?? 0) > 10);
  writeFileSync(path, whole);
  assert.is(await readAll(location, entries), true);
});

tests('a file cut off anywhere causes a typed error', async () => {
  const location = await filled(700);
  const path = join(location, 'data.rz');
  const whole = readFileSync(path);
  for (const length of [
    PAGE - 1,
    PAGE,
    2 * PAGE,
    2 * PAGE + 7,
    whole.length >> 1,
    whole.length - PAGE,
    whole.length - 1,
  ]) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const code = await readAll(location, 700);
    assert.ok(
      ['LEVEL_CORRUPTION', 'RZ_NOT_CLEAN'].includes(String(code)),
      `cut to ${length}: ${code}`,
    );
    rmSync(join(location, 'lock'), { force: true });
  }
  for (const other of ['abc', '5 bytes', 'x'.repeat(5000), 'something else'.repeat(10 * PAGE)]) {
    writeFileSync(path, other);
    assert.is(await readAll(location, 700), 'RZ_FORMAT', `not a store: ${other.slice(0, 9)}`);
  }
});

tests('a wrong file or directory at the location causes a typed error', async () => {
  const location = freshLocation();
  mkdirSync(join(location, 'data.rz'), { recursive: true });
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_IO_ERROR');
  writeFileSync(join(location, 'file'), '');
  assert.is(await codeOf(new RingzeroLevel(join(location, 'file')).open()), 'LEVEL_IO_ERROR');
  assert.is(await codeOf(new RingzeroLevel('/proc/ringzero').open()), 'LEVEL_IO_ERROR');
});

tests(
  'a directory that vanishes leaves an open store usable, and the next open finds none',
  async () => {
    const location = await filled(10);
    const db = new RingzeroLevel(location);
    await db.open();
    rmSync(location, { recursive: true });
    await db.put('new', 'value');
    assert.is(await db.get('key 3'), 'value 3'.repeat(3));
    await db.close();
    assert.is(
      await codeOf(new RingzeroLevel(location, { createIfMissing: false }).open()),
      'LEVEL_DATABASE_NOT_OPEN',
    );
  },
);

tests(
  'D13: a small pool on a full disk fails call by call instead of retrying forever',
  async () => {
    const body = `
    await db.open();
    let done = 0;
    const codes = new Set();
    const attempt = (call) => { try { call(); return true; } catch (error) { codes.add(error.code); return false; } };
    while (done < 4000 && attempt(() => db.putSync('key ' + ((done * 7919) % 4000), String(done).padEnd(900)))) done++;
    for (let i = 0; i < 20; i++) attempt(() => db.putSync('key ' + i * 199, 'v'.repeat(900)));
    for (let i = 0; i < 20; i++) attempt(() => db.getSync('key ' + i * 199));
    console.log(JSON.stringify({ codes: [...codes], some: done > 300 }));
    process.kill(process.pid, 'SIGKILL');`;
    for (const poolSize of [65_536, 131_072, 262_144]) {
      const options = { durable: false, poolSize };
      const { output } = inProcess(freshLocation(), body, "trap '' XFSZ; ulimit -f 3000", options);
      assert.match(output, '{"codes":["LEVEL_IO_ERROR"],"some":true}', `pool of ${poolSize}`);
    }
  },
);

tests('a full disk fails one call with a typed error, and stored data stays right', async () => {
  const location = freshLocation();
  // A limit on the size of files stands in for the disk: the host's error differs, the path is the same.
  const body = `
    await db.open();
    const codes = new Set();
    let done = 0;
    for (let i = 0; i < 4000; i++) {
      try { db.putSync('key ' + i, String(i).padEnd(1000)); done = i + 1; } catch (error) { codes.add(error.code); break; }
    }
    let wrong = 0;
    for (let i = 0; i < done; i++) {
      try { if (db.getSync('key ' + i) !== String(i).padEnd(1000)) wrong++; } catch (error) { codes.add(error.code); }
    }
    await db.close().catch((error) => codes.add('close ' + error.code + ' ' + error.cause.code));
    console.log(JSON.stringify({ codes: [...codes].sort(), wrong, some: done > 500 }));
    process.kill(process.pid, 'SIGKILL');`;
  const { output } = inProcess(location, body, "trap '' XFSZ; ulimit -f 3000", { durable: false });
  assert.match(output, '"wrong":0,"some":true');
  assert.match(output, '"LEVEL_IO_ERROR"');
  assert.match(output, 'close LEVEL_DATABASE_NOT_CLOSED LEVEL_IO_ERROR');
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'RZ_NOT_CLEAN');
});

tests('D14: a location may be a file URL', async () => {
  const location = freshLocation();
  const db = new RingzeroLevel(`file://${location}`);
  await db.put('a', 'b');
  await db.close();
  const plain = new RingzeroLevel(location, { createIfMissing: false });
  assert.is(await plain.get('a'), 'b');
  await plain.close();
});

tests.run();
