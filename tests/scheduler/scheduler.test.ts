// Goal: tasks of higher levels run inside those of lower ones, and nothing is lost, out of order or too deep.
// Method: tasks write a log of their beginnings and ends; a stress submits at random from several threads'
// worth of promises and reads the log.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, Scheduler, Tasks, type TasksHandle } from '../../host/index.ts';
import { readBuiltModule } from '../../host/platform/node.ts';
import { Random } from '../random.ts';

const SECONDS = Number(process.env['RZ_HAMMER_SECONDS'] ?? 3);
const LONG = 200_000_000; // turns: some tenths of a second

interface Context {
  vm: MicroVM;
  tasks: Tasks;
  /** Ids in the order of the log; negative where a task ended. */
  log(): number[];
  end(): Promise<void>;
}

async function start(levels: number): Promise<Context> {
  const guest = readBuiltModule('tasks-test.wasm');
  const vm = await MicroVM.create({ guest, linked: true, memory: 2 ** 24 });
  const data = { handle: vm.handle, levels };
  const worker = new Worker(new URL('./scheduler-thread.js', import.meta.url), {
    workerData: data,
  });
  const [handle] = (await once(worker, 'message')) as [TasksHandle];
  const { exports } = vm.enter();
  return {
    vm,
    tasks: new Tasks(handle),
    log: () =>
      Array.from({ length: Number(exports['logged']!()) }, (_, i) => {
        const entry = Number(exports['logAt']!(i));
        return entry & 1 ? -(entry >> 1) : entry >> 1;
      }),
    end: async () => {
      worker.postMessage('end');
      await once(worker, 'message');
      await worker.terminate();
      await vm.close();
    },
  };
}

// For tasks that must run for some time.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'nothing happened in 20 s');
    await pause(2);
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, RingzeroError);
    return `${(error as RingzeroError).code} ${(error as RingzeroError).message}`;
  }
  throw new Error('nothing was thrown');
}

const tests = suite('scheduler');

tests('a task of a higher level runs inside one that is running', async () => {
  const { tasks, log, end } = await start(3);
  const low = tasks.submit('work', [1, LONG]);
  await until(() => log().length > 0);
  assert.is(await tasks.submit('work', [2, 10], { level: 1 }), 2);
  assert.is(await tasks.submit('work', [3, 10], { level: 2 }), 3);
  assert.equal(log(), [1, 2, -2, 3, -3], 'the long one is still running');
  assert.is(await low, 1);
  assert.equal(log(), [1, 2, -2, 3, -3, -1]);
  await end();
});

tests('one of the same level waits, and of those that wait the higher goes first', async () => {
  const { tasks, log, end } = await start(3);
  const first = tasks.submit('work', [1, LONG], { level: 1 });
  await until(() => log().length > 0);
  const rest = [
    tasks.submit('work', [2, 1], { level: 0 }),
    tasks.submit('work', [3, 1], { level: 1 }),
    tasks.submit('work', [4, 1], { level: 0 }),
    tasks.submit('work', [5, 1], { level: 1 }),
    tasks.submit('work', [6, 1], { level: 2 }),
  ];
  assert.equal(await Promise.all([first, ...rest]), [1, 2, 3, 4, 5, 6]);
  assert.equal(log(), [1, 6, -6, -1, 3, -3, 5, -5, 2, -2, 4, -4]);
  await end();
});

tests('a masked section is not interrupted, and what came meanwhile runs at its end', async () => {
  const { tasks, log, end } = await start(2);
  const alone = tasks.submit('workAlone', [1, LONG]);
  await until(() => log().length > 0);
  const high = tasks.submit('work', [2, 1], { level: 1 });
  assert.is(await alone, 1);
  assert.is(await high, 2);
  assert.equal(log(), [1, 2, -2, -1], 'before the task ends, after its section');
  await end();
});

tests('a task that traps or never ends fails alone, and what it interrupted goes on', async () => {
  const { tasks, log, end } = await start(2);
  const low = tasks.submit('work', [1, LONG]);
  await until(() => log().length > 0);
  assert.match(
    await codeOf(tasks.submit('fail', [2], { level: 1 })),
    /RZ_GUEST_TRAP.*unreachable.*`fail`/,
  );
  assert.match(
    await codeOf(tasks.submit('hang', [3], { level: 1, limitMs: 20 })),
    /it was stopped/,
  );
  assert.is(await tasks.submit('work', [4, 10], { level: 1, limitMs: 10_000 }), 4);
  assert.is(await low, 1);
  assert.match(await codeOf(tasks.submit('hang', [5], { limitMs: 20 })), /it was stopped/);
  assert.is(await tasks.submit('work', [6, 10]), 6);
  await end();
});

tests('what cannot be a task is refused', async () => {
  const { vm, tasks, end } = await start(2);
  assert.match(await codeOf(tasks.submit('nothing')), /RZ_OPTION.*work, workAlone/);
  for (const level of [-1, 2, 0.5, NaN])
    assert.match(await codeOf(tasks.submit('work', [1, 1], { level })), /RZ_OPTION.*`level`/);
  assert.match(await codeOf(tasks.submit('work', [1, 2, 3, 4, 5, 6, 7])), /RZ_OPTION.*6 numbers/);
  assert.match(
    await codeOf(Scheduler.create(vm, { functions: ['work'], levels: 1 })),
    /RZ_OPTION.*`levels`/,
  );
  assert.match(await codeOf(Scheduler.create(vm, { functions: ['none'] })), /RZ_EXPORT/);
  const many = Array.from({ length: 80 }, (_, i) =>
    tasks.submit('work', [i + 1, 100_000]).then(
      () => true,
      (error: RingzeroError) => error.code,
    ),
  );
  const results = await Promise.all(many);
  assert.ok(results.includes('RZ_BUSY'));
  assert.ok(results.filter((result) => result === true).length >= 64);
  await end();
  assert.match(await codeOf(tasks.submit('work', [1, 1])), /RZ_VM_CLOSED/);
});

tests('stress: SCHED-1, SCHED-2, SCHED-3, TASK-1', async () => {
  const random = Random.forTest('scheduler');
  const LEVELS = 4;
  const { tasks, log, end } = await start(LEVELS);
  const levelOf: number[] = [];
  const wanted: Promise<void>[] = [];
  const deadline = Date.now() + SECONDS * 1000;
  let refused = 0;
  while (Date.now() < deadline && levelOf.length < 60_000) {
    for (let burst = random.below(12); burst > 0; burst--) {
      const id = levelOf.push(random.below(LEVELS));
      const level = levelOf[id - 1]!;
      const turns = random.below(level === 0 ? 1_000_000 : 2000);
      const name = random.below(8) === 0 ? 'workAlone' : 'work';
      wanted.push(
        tasks.submit(name, [id, turns], { level }).then(
          (result) => assert.is(result, name === 'work' ? id : 1),
          (error: RingzeroError) => {
            assert.is(error.code, 'RZ_BUSY');
            refused++;
          },
        ),
      );
    }
    await pause(random.below(3));
  }
  await Promise.all(wanted);
  assert.ok((await tasks.submit('deepest')) <= LEVELS, 'SCHED-1');
  const entries = log();
  assert.is(entries.length, 2 * (levelOf.length - refused), 'SCHED-3: each began and ended once');
  const open: number[] = [];
  let nested = 0;
  for (const entry of entries) {
    if (entry < 0) {
      assert.is(open.pop(), -entry, 'the innermost ends first');
      continue;
    }
    const inside = open.at(-1);
    if (inside !== undefined) {
      nested++;
      assert.ok(levelOf[entry - 1]! > levelOf[inside - 1]!, 'SCHED-1: only higher ones nest');
    }
    open.push(entry);
  }
  console.log(`${levelOf.length} tasks, ${nested} inside others, ${refused} refused`);
  assert.ok(nested > 20);
  await end();
});

tests.run();
