// Goal: a lock ends with its holder, and not earlier. Method: processes and threads that are killed while
// they have a store open, in this and in other namespaces; lock files as another container, another machine,
// a copy or a crash would leave them.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { thisProcess } from '../../host/platform/store-directory.ts';
import { skip } from '../peers.ts';
import { isDeno, moduleCommand } from '../runtime.ts';
import { codeOf, freshLocation, inProcess, moduleUrl } from './stores.ts';

const tests = suite('level locks');

/** Sockets are used only where threads and boots can be distinguished. */
const isSeen = process.platform === 'linux' && !isDeno;
const KILL = "process.kill(process.pid, 'SIGKILL')";
const ELSEWHERE = { host: 'another-container', space: 'pid:[1]', pid: 1, started: '1' };

const lockOf = (location: string): string => join(location, 'lock');
function change(location: string, what: object): void {
  const holder = JSON.parse(readFileSync(lockOf(location), 'utf8')) as object;
  writeFileSync(lockOf(location), JSON.stringify({ ...holder, ...what }));
}

async function opens(location: string): Promise<string | undefined> {
  const db = new RingzeroLevel(location, { poolSize: 1 << 20, createIfMissing: false });
  await db.open();
  const value = await db.get('a');
  await db.close();
  assert.equal(readdirSync(location), ['data.rz'], 'no other file is left');
  return value;
}

/** A process that has the store open, started by `shell`, until it is killed. */
async function holding(location: string, wrapper: string[] = []): Promise<() => Promise<void>> {
  const program = `${freshLocation()}.mjs`;
  writeFileSync(
    program,
    `import { RingzeroLevel } from ${JSON.stringify(moduleUrl)};
    const db = new RingzeroLevel(${JSON.stringify(location)}, { poolSize: 1 << 20 });
    await db.put('a', '1');
    setInterval(() => {}, 1000);
    setImmediate(() => console.log(process.pid));`,
  );
  const [command, ...words] = [...wrapper, ...moduleCommand(program)];
  const child = spawn(command!, words, {
    stdio: ['ignore', 'pipe', wrapper.length > 0 ? 'ignore' : 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return async () => {
    // The process that `unshare` started; its parent ends after it.
    const inner =
      wrapper.length > 0 && readFileSync(`/proc/${child.pid!}/task/${child.pid!}/children`, 'utf8');
    process.kill(inner === false ? child.pid! : Number(inner), 'SIGKILL');
    await ended;
  };
}

tests(
  'D7: a durable store of a container that was killed opens in the next container; one of a live container does not',
  async () => {
    if (!isSeen) return;
    const location = freshLocation();
    const kill = await holding(location);
    change(location, ELSEWHERE);
    assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
    assert.is(await codeOf(new RingzeroLevel(location, { takeLock: true }).open()), 'LEVEL_LOCKED');
    await kill();
    assert.is(await opens(location), '1');
  },
);

tests('D7: the same with containers of this machine, where each process is number 1', async () => {
  const words = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--uts'];
  if (!isSeen) return;
  if (spawnSync(words[0]!, [...words.slice(1), 'true']).status !== 0) {
    return skip('locks between containers', 'the right to create namespaces (unshare as root)');
  }
  const boxed = (name: string): string[] => [
    ...words,
    'sh',
    '-c',
    `hostname ${name}; exec "$0" "$@"`,
  ];
  const location = freshLocation();
  const kill = await holding(location, boxed('one'));
  const { pid, host } = JSON.parse(readFileSync(lockOf(location), 'utf8')) as Record<
    string,
    unknown
  >;
  assert.equal([pid, host], [1, 'one']);
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  await kill();
  const killAgain = await holding(location, boxed('two'));
  assert.match(readFileSync(lockOf(location), 'utf8'), '"host":"two"');
  await killAgain();
  assert.is(await opens(location), '1');
});

tests('D7: a path that is too long for a socket', async () => {
  if (!isSeen) return;
  const location = join(freshLocation(), 'long'.repeat(50));
  const kill = await holding(location);
  change(location, ELSEWHERE);
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  await kill();
  assert.is(await opens(location), '1');
});

tests('D7: a lock whose holder cannot be seen is kept, until `takeLock`', async () => {
  const location = freshLocation();
  inProcess(location, `await db.put('a', '1'); setImmediate(() => ${KILL})`);
  for (const name of readdirSync(location))
    if (name.endsWith('.open')) rmSync(join(location, name));
  change(location, { ...ELSEWHERE, boot: 'another' });
  const refused = new RingzeroLevel(location);
  assert.is(await codeOf(refused.open()), 'LEVEL_LOCKED');
  await refused
    .open()
    .catch(({ cause }: { cause: Error }) => assert.match(cause.message, 'takeLock'));
  assert.throws(() => new RingzeroLevel(location, { takeLock: 1 as never }), /takeLock/);
  const db = new RingzeroLevel(location, { takeLock: true });
  assert.is(await db.get('a'), '1');
  await db.close();
  writeFileSync(lockOf(location), 'nonsense');
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  await db.open();
  await db.close();
  assert.equal(readdirSync(location), ['data.rz']);
});

tests('D7: a machine crash leaves an empty lock file, which locks nothing', async () => {
  if (!isSeen) return;
  const location = freshLocation();
  mkdirSync(location);
  for (const text of ['', '\0'.repeat(300)]) {
    writeFileSync(lockOf(location), text);
    const db = new RingzeroLevel(location);
    await db.put('a', '1');
    await db.close();
    assert.is(await opens(location), '1');
  }
});

tests('D7: a copy of a store that is open is not locked', async () => {
  if (!isSeen) return;
  const location = freshLocation();
  const kill = await holding(location);
  const copy = join(dirname(location), 'copy');
  // Sockets cannot be copied.
  cpSync(location, copy, { recursive: true, filter: (path) => !path.endsWith('.open') });
  assert.is(await opens(copy), '1');
  // The same directory under another name is not a copy.
  renameSync(location, `${location}-moved`);
  assert.is(await codeOf(new RingzeroLevel(`${location}-moved`).open()), 'LEVEL_LOCKED');
  await kill();
  assert.is(await opens(`${location}-moved`), '1');
});

tests('D7, SOCKET-1: files of processes that ended while taking a lock are removed', async () => {
  if (!isSeen) return;
  const location = freshLocation();
  const kill = await holding(location);
  const left = readdirSync(location).find((name) => name.endsWith('.open'))!;
  await kill();
  renameSync(join(location, left), join(location, 'lock.1-dead.1-0.open'));
  writeFileSync(join(location, 'lock.1-dead.new'), '');
  writeFileSync(join(location, 'lock.2-dead.new'), 'half');
  assert.is(await opens(location), '1');
});

const OPENER = `
  import { workerData, parentPort } from 'node:worker_threads';
  const { RingzeroLevel } = await import(workerData.module);
  const db = new RingzeroLevel(workerData.location, { poolSize: 1 << 20 });
  await db.put('a', '1');
  parentPort.postMessage(db.handle);
  setInterval(() => {}, 1000);`;

tests('D7, LOCK-4: a terminated worker leaves its store unlocked', async () => {
  if (!isSeen) return;
  const location = freshLocation();
  const url = new URL(`data:text/javascript,${encodeURIComponent(OPENER)}`);
  const worker = new Worker(url, { workerData: { module: moduleUrl, location } });
  const [handle] = (await once(worker, 'message')) as [never];
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  const attached = RingzeroLevel.attach(handle);
  assert.is(await attached.get('a'), '1');
  await worker.terminate();
  // An attached thread may still write.
  assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
  attached.putSync('a', '2', { sync: true });
  await attached.close();
  assert.is(await opens(location), '2');
  assert.is(await codeOf(RingzeroLevel.attach(handle).open()), 'LEVEL_DATABASE_NOT_OPEN');
});

tests(
  'D7: a refused opener leaves no file, and a lock that was removed by hand is not removed twice',
  async () => {
    const location = freshLocation();
    const db = new RingzeroLevel(location, { poolSize: 1 << 20 });
    await db.put('a', '1');
    const before = readdirSync(location);
    assert.is(await codeOf(new RingzeroLevel(location).open()), 'LEVEL_LOCKED');
    assert.equal(readdirSync(location), before);
    rmSync(lockOf(location));
    writeFileSync(lockOf(location), JSON.stringify({ ...thisProcess(), word: 'other' }));
    await db.close();
    assert.ok(existsSync(lockOf(location)), "another's lock");
  },
);

tests('D13: a store is closed and unlocked even without a free descriptor', async () => {
  if (!isSeen) return;
  const location = freshLocation();
  const body = `
    import { openSync } from 'node:fs';
    await db.put('a', '1');
    try { for (;;) openSync('/dev/null'); } catch (error) { console.log(error.code); }
    await db.close();
    console.log('closed');`;
  const { output } = inProcess(location, body, 'ulimit -n 200');
  assert.is(output, 'EMFILE\nclosed\n');
  assert.equal(readdirSync(location), ['data.rz']);
  assert.is(await opens(location), '1');
});

tests.run();
