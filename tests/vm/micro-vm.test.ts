import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  MicroVM,
  relocate,
  RingzeroError,
  translate,
  type MicroVMOptions,
} from '../../host/index.ts';
import { assemble, CELLS } from './guests.ts';

const MIB = 2 ** 20;

function create(options: Partial<MicroVMOptions> = {}): Promise<MicroVM> {
  return MicroVM.create({ guest: CELLS, memory: 16 * MIB, ...options });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.instance(error, RingzeroError);
    return (error as RingzeroError).code;
  }
  throw new Error('nothing was thrown');
}

async function codeOfAsync(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.instance(error, RingzeroError);
  return (error as RingzeroError).code;
}

const vms = suite('MicroVM');

vms('runs a guest in the calling thread, with its data in place', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  assert.is(exports['get']!(65536), 0x6c6c6568); // "hell"
  exports['put']!(4000, 7);
  assert.is(exports['get']!(4000), 7);
  await vm.close();
});

vms('images translated in advance run as well', async () => {
  const { main, snapshot, info } = translate(CELLS);
  const guest = { main, snapshot, info: JSON.parse(JSON.stringify(info)) as typeof info };
  const vm = await create({ guest, memory: 32 * MIB });
  vm.enter().exports['put']!(0, 5);
  const taken = vm.snapshot();
  vm.enter().exports['put']!(0, 6);
  assert.is(await taken.run('get', 0), 5);
  await vm.close();
});

vms('a snapshot keeps memory and globals, and its own writes stay in it', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  exports['put']!(4096, 1);
  const snapshot = vm.snapshot();
  exports['put']!(4096, 2);
  assert.is(await snapshot.run('get', 4096), 1);
  assert.is(await snapshot.run('calls'), 1);
  await snapshot.run('put', 4096, 3);
  assert.is(await snapshot.run('get', 4096), 3);
  assert.is(exports['get']!(4096), 2);
  assert.equal([...snapshot.read(4096, 4)], [3, 0, 0, 0]);
  await snapshot.release();
  assert.is(vm.stats().snapshotsActive, 0);
  await vm.close();
});

vms('releasing a snapshot frees its frames', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  const before = vm.stats();
  for (let round = 0; round < 20; round++) {
    const snapshot = vm.snapshot();
    for (let page = 0; page < 64; page++) exports['put']!(page * 4096, round);
    assert.is(snapshot.framesOwned, 64);
    await snapshot.release();
  }
  assert.is(vm.stats().framesUsed, before.framesUsed);
  assert.is(vm.stats().copies - before.copies, 20 * 64);
  await vm.close();
});

vms('memory grows to the limit and no further; a snapshot grows on its own', async () => {
  const vm = await create({ guestLimit: 8 * 65536 });
  const { exports } = vm.enter();
  const snapshot = vm.snapshot();
  assert.is(exports['grow']!(2), 4);
  assert.is(await snapshot.run('size'), 4);
  assert.is(await snapshot.run('grow', 1), 4);
  assert.is(await snapshot.run('get', 4 * 65536), 0);
  exports['put']!(4 * 65536, 11);
  assert.is(await snapshot.run('get', 4 * 65536), 0);
  await snapshot.run('put', 4 * 65536, 12);
  assert.is(exports['get']!(4 * 65536), 11);
  assert.is(exports['grow']!(3), -1);
  assert.is(exports['grow']!(2), 6);
  await vm.close();
});

vms('a trap is an error that names the functions, and the VM stays usable', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  try {
    exports['store_far']!(8 * MIB);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, RingzeroError);
    assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP');
    assert.match((error as Error).message, /store to 0x800000, outside guest memory.*inner/);
  }
  assert.is(
    codeOf(() => exports['fail']!()),
    'RZ_GUEST_TRAP',
  );
  exports['put']!(0, 3);
  const snapshot = vm.snapshot();
  exports['put']!(0, 4);
  assert.is(await snapshot.run('get', 0), 3);
  assert.is(await codeOfAsync(snapshot.run('fail')), 'RZ_GUEST_TRAP');
  assert.is(await snapshot.run('get', 0), 3);
  await vm.close();
});

vms(
  'an import that throws passes its error through, and one that nobody supplied says so',
  async () => {
    const hook = (value: number): void => {
      throw new TypeError(`hook ${value}`);
    };
    const vm = await create({ imports: { env: { hook } } });
    assert.throws(() => vm.enter().exports['call_hook']!(5), /hook 5/);
    await vm.close();
    const other = await create();
    assert.is(
      codeOf(() => other.enter().exports['call_hook']!(5)),
      'RZ_EXPORT',
    );
    await other.close();
  },
);

vms('a snapshot taken inside an import belongs to the moment of the call', async () => {
  const taken: { snapshot?: ReturnType<MicroVM['snapshot']> } = {};
  let vm: MicroVM | undefined = undefined;
  vm = await create({ imports: { env: { hook: () => void (taken.snapshot = vm!.snapshot()) } } });
  const { exports } = vm.enter();
  exports['put']!(0, 1);
  exports['call_hook']!(0);
  exports['put']!(0, 2);
  assert.is(await taken.snapshot!.run('get', 0), 1);
  await vm.close();
});

vms(
  'a trap’s message gives a nameless function its number in the guest, not in the image',
  async () => {
    const guest = assemble(
      `(module (import "env" "hook" (func)) (memory (export "memory") 1)
      (func) (func (call 3)) (func unreachable) (func (export "fail") (call 2)))`,
      { names: false },
    );
    const vm = await MicroVM.create({
      guest,
      memory: 16 * MIB,
      imports: { env: { hook: () => {} } },
    });
    const { exports } = vm.enter();
    const snapshot = vm.snapshot();
    for (const call of [async () => exports['fail']!(), () => snapshot.run('fail')]) {
      try {
        await call();
        assert.unreachable();
      } catch (error) {
        assert.match((error as Error).message, / in function 3 < function 2 < function 4/);
      }
    }
    await vm.close();
  },
);

vms('disposing of a snapshot stops a call that never ends', async () => {
  const vm = await create();
  for (const ms of [0, 10, 100]) {
    const snapshot = vm.snapshot();
    const spinning = codeOfAsync(snapshot.run('spin'));
    // before it begins, about then, and while it spins
    await new Promise((resolve) => setTimeout(resolve, ms));
    snapshot[Symbol.dispose]();
    assert.is(await spinning, 'RZ_SNAPSHOT_STOPPED');
  }
  const next = vm.snapshot();
  assert.is(await next.run('get', 0), 0);
  await vm.close();
});

vms('32 snapshots at once, each with its own content; the 33rd is refused', async () => {
  const vm = await create({ snapshotVcpus: 2 });
  const { exports } = vm.enter();
  const snapshots = Array.from({ length: 32 }, (_, i) => {
    exports['put']!(0, i);
    return vm.snapshot();
  });
  assert.is(
    codeOf(() => vm.snapshot()),
    'RZ_SNAPSHOT_LIMIT',
  );
  for (const [i, snapshot] of snapshots.entries()) {
    assert.is(new Int32Array(snapshot.read(0, 4).buffer)[0], i);
  }
  const [first, last] = await Promise.all([
    snapshots[0]!.run('get', 0),
    snapshots[31]!.run('get', 0),
  ]);
  assert.equal([first, last], [0, 31]);
  await Promise.all(snapshots.map((snapshot) => snapshot.release()));
  assert.is(vm.stats().limboFrames, 0);
  await vm.close();
});

vms('vCPUs are reused: over its life a VM attaches more threads than it has blocks', async () => {
  const vm = await create();
  const before = vm.stats().framesUsed;
  for (let i = 0; i < 100; i++) {
    const other = await MicroVM.attach(vm.handle);
    other.enter().exports['put']!(i * 4, i);
    await other.close();
  }
  assert.is(vm.enter().exports['get']!(99 * 4), 99);
  assert.ok(vm.stats().framesUsed - before <= 16 + 64);
  await vm.close();
});

vms('a thread that dies in the guest blocks no other once it is buried', async () => {
  const vm = await create();
  const worker = new Worker(new URL('./spinner.js', import.meta.url), { workerData: vm.handle });
  const number = await new Promise<number>((resolve) => worker.once('message', resolve));
  await new Promise((resolve) => setTimeout(resolve, 50)); // by then it spins inside the guest
  await worker.terminate();
  vm.bury(number);
  const snapshot = vm.snapshot();
  vm.enter().exports['put']!(0, 1);
  assert.is(await snapshot.run('get', 0), 0);
  await vm.close();
});

vms('what is no object of options, imports or a handle is a typed error', async () => {
  const nothing = [undefined, null, 5, 'text'] as never[];
  const isOption = async (action: () => unknown): Promise<void> =>
    assert.is(
      await codeOfAsync((async () => action())() as Promise<unknown>),
      'RZ_OPTION',
      String(action),
    );
  for (const no of nothing) {
    await isOption(() => MicroVM.create(no));
    await isOption(() => MicroVM.load(no));
    await isOption(() => MicroVM.attach(no));
    await isOption(() => translate(no));
    await isOption(() => relocate(no, { frames: 4096 }));
    await isOption(() => relocate(CELLS, no));
    if (no === undefined) continue;
    await isOption(() => MicroVM.load(CELLS, no));
    await isOption(() => MicroVM.load(CELLS, {}, no));
    await isOption(() => translate(CELLS, no));
  }
  await isOption(() => MicroVM.attach({} as never));
  await isOption(() => MicroVM.create({ guest: CELLS, memory: 2 ** 24, imports: 5 as never }));
});

vms('misuse is a typed error', async () => {
  assert.is(await codeOfAsync(create({ memory: 5 })), 'RZ_OPTION');
  assert.is(await codeOfAsync(create({ snapshotVcpus: 0 })), 'RZ_OPTION');
  assert.is(await codeOfAsync(create({ guest: new Uint8Array([1, 2, 3]) })), 'RZ_MODULE_MALFORMED');
  assert.is(await codeOfAsync(create({ guestLimit: 65536 })), 'RZ_OUT_OF_MEMORY');
  const vm = await create();
  const snapshot = vm.snapshot();
  assert.is(await codeOfAsync(snapshot.run('nothing')), 'RZ_EXPORT');
  assert.is(
    codeOf(() => snapshot.read(0, 2 ** 31)),
    'RZ_OPTION',
  );
  await snapshot.release();
  assert.is(
    codeOf(() => snapshot.read(0, 4)),
    'RZ_SNAPSHOT_CLOSED',
  );
  await vm.close();
  assert.is(
    codeOf(() => vm.snapshot()),
    'RZ_VM_CLOSED',
  );
});

vms.run();
