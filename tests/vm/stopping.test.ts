// Forks that never end, and calls that cannot begin: counts return to their old value, and no slot leaks.
// Invariants: POOL-2: calls that reach no safepoint are stopped with their threads.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, type Program, type Snapshot } from '../../host/index.ts';
import { isDeno } from '../runtime.ts';
import { assemble } from './guests.ts';

const MIB = 2 ** 20;
const SNAPSHOTS = 32;

/** Ways to run forever, without a safepoint. */
const ENDLESS: readonly (readonly [string, string])[] = [
  ['loop', '(loop $again (br $again))'],
  ['wait32', '(drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const -1)))'],
  ['wait64', '(drop (memory.atomic.wait64 (i32.const 64) (i64.const 0) (i64.const -1)))'],
  [
    'poll',
    `(i64.store (i32.const 128) (i64.const 1)) (i32.store8 (i32.const 136) (i32.const 0))
      (i32.store (i32.const 144) (i32.const 1)) (i64.store (i32.const 152) (i64.const 9000000000000000))
      (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 512)))`,
  ],
];

const GUEST = assemble(`(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ${ENDLESS.map(([name, body]) => `(func (export "${name}") ${body})`).join('\n')}
  (func (export "get") (result i32) (i32.load (i32.const 64))))`);

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.instance(error, RingzeroError, String(error));
  return (error as RingzeroError).code;
}

const load = (): Promise<Program> => MicroVM.load(GUEST, {}, { memory: 64 * MIB });

const stopping = suite('stopping');

stopping('A14: a call whose argument cannot be cloned is refused, and is not counted', async () => {
  const program = await load();
  const snapshot = program.snapshot();
  const notCloneable = (() => 0) as unknown as number;
  const getter = Object.defineProperty({}, 'a', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  for (let i = 0; i < 2 * SNAPSHOTS; i++) {
    assert.is(await codeOf(snapshot.run('get', notCloneable)), 'RZ_OPTION');
    assert.is(
      await codeOf(
        snapshot.drive('data:text/javascript,export let main = () => 5', { f: () => 0 }),
      ),
      'RZ_OPTION',
    );
    assert.is(await codeOf(snapshot.drive('data:text/javascript,', getter)), 'RZ_OPTION');
  }
  const together = Array.from({ length: 40 }, () => codeOf(snapshot.run('get', notCloneable)));
  assert.equal(new Set(await Promise.all(together)), new Set(['RZ_OPTION']));
  assert.is(await snapshot.run('get'), 0);
  await snapshot.release();
  await program.close();
});

stopping('A14: a call after the VM was closed is refused', async () => {
  const program = await load();
  const snapshot = program.snapshot();
  const running = snapshot.run('loop');
  const late = codeOf(running);
  await program.close();
  assert.is(await late, 'RZ_VM_CLOSED');
  assert.is(await codeOf(snapshot.run('get')), 'RZ_VM_CLOSED');
});

stopping('A14, POOL-1: threads that cannot start fail the calls that wait for them', async () => {
  const vm = await MicroVM.create({
    guest: GUEST,
    wasi: {},
    memory: 64 * MIB,
    importsModule: 'file:///nowhere.js',
  });
  const snapshot = vm.snapshot();
  const calls = Array.from({ length: 40 }, () => codeOf(snapshot.run('get')));
  assert.equal(new Set(await Promise.all(calls)), new Set(['RZ_VM_CLOSED']));
  await snapshot.release();
  await vm.close();
});

for (const [name] of ENDLESS) {
  stopping(`A13: a fork in \`${name}\` ends when it is disposed of`, async () => {
    const program = await load();
    const snapshot = program.snapshot();
    const call = codeOf(snapshot.run(name));
    await snapshot.run('get'); // another thread: by now the first has its call
    snapshot[Symbol.dispose]();
    assert.is(await call, 'RZ_SNAPSHOT_STOPPED');
    await program.close();
  });
}

stopping('A13: the maximum of forks, twice: no slot and no frame leaks', async () => {
  const program = await load();
  const free: number[] = [];
  // A thread that replaces a terminated one may get a new number, with frames of its own, so the first rounds
  // differ. A leak would differ in each.
  const isSteady = (): boolean => free.length > 3 && free.at(-2)! - free.at(-1)! <= 32;
  for (let round = 0; round < 12 && !isSteady(); round++) {
    const snapshots: Snapshot[] = Array.from({ length: SNAPSHOTS }, () => program.snapshot());
    const calls = snapshots.map((snapshot, i) =>
      codeOf(snapshot.run(ENDLESS[i % ENDLESS.length]![0])),
    );
    for (const snapshot of snapshots) snapshot[Symbol.dispose]();
    assert.equal(new Set(await Promise.all(calls)), new Set(['RZ_SNAPSHOT_STOPPED']));
    const { snapshotsActive, framesFree } = program.vm.stats();
    assert.is(snapshotsActive, 0);
    free.push(framesFree);
  }
  assert.ok(isSteady(), `frames are lost: ${free.join(' ')}`);
  assert.is(await program.snapshot().run('get'), 0);
  await program.close();
});

// A read in Deno ends only with its input (docs/programs.md).
for (const kind of isDeno ? [] : (['pipe', 'socket'] as const)) {
  stopping(
    `A13: forks that read an open ${kind} end, and so do the VM and the process`,
    async () => {
      const child = fileURLToPath(new URL('./stopping-child.js', import.meta.url));
      const { execPath } = process;
      const running =
        kind === 'socket'
          ? spawn(execPath, [child], { stdio: ['pipe', 'pipe', 'inherit'] }) // Node's pipes are sockets
          : spawn('sh', ['-c', 'cat | "$0" "$1"', execPath, child], {
              stdio: ['pipe', 'pipe', 'inherit'],
            });
      let said = '';
      running.stdout.on('data', (data: Buffer) => {
        said += data.toString();
        running.stdin.end(); // only after the forks have ended: `cat` ends with it
      });
      const exitCode = await new Promise((resolve) => running.on('exit', resolve));
      const stopped = Array<string>(6).fill('RZ_SNAPSHOT_STOPPED');
      assert.equal(JSON.parse(said), [...stopped, 7, 'RZ_VM_CLOSED']);
      assert.is(exitCode, 5);
    },
  );
}

stopping.run();
