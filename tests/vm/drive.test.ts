import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError } from '../../host/index.ts';
import { CELLS } from './guests.ts';

const test = suite('driving a fork');
const DRIVER = new URL('./drivers.js', import.meta.url);

async function withVm(body: (vm: MicroVM) => Promise<void>): Promise<void> {
  const vm = await MicroVM.create({ guest: CELLS, memory: 2 ** 24 });
  await body(vm);
  await vm.close();
}

test('a module calls exports and reads memory of the snapshot, in another thread', () =>
  withVm(async (vm) => {
    const { exports } = vm.enter();
    exports['put']!(4096, 7);
    const snapshot = vm.snapshot();
    exports['put']!(4096, 8);
    assert.equal(await snapshot.drive(DRIVER, { act: 'read', at: 4096 }), [7, 7, [7, 0, 0, 0]]);
    assert.is(await snapshot.drive(DRIVER, { act: 'text', at: 65536 }), 'hello');
    await snapshot.release();
  }));

test('its writes stay in the snapshot, also for later calls, and block no other thread', () =>
  withVm(async (vm) => {
    const { exports } = vm.enter();
    const snapshot = vm.snapshot();
    assert.is(await snapshot.drive(DRIVER, { act: 'write', at: 8 }), 0x04030201);
    assert.is(await snapshot.run('get', 8), 0x04030201);
    assert.is(exports['get']!(8), 0);
    assert.is(await snapshot.drive(DRIVER, { act: 'long', at: 1000 }), true);
    assert.is(exports['get']!(2000), 0);
    const next = vm.snapshot(); // the first write after it waits for running vCPUs, and none is running
    exports['put']!(8, 1);
    assert.is(await next.run('get', 8), 0);
    await snapshot.release();
    await next.release();
    assert.is(vm.stats().framesUsed - 16 < 100, true);
  }));

test('an exception of the module arrives unchanged; misuse is a typed error, and the fork stays usable', () =>
  withVm(async (vm) => {
    const snapshot = vm.snapshot();
    const failure = async (act: string): Promise<unknown> =>
      snapshot.drive(DRIVER, { act }).then(
        () => undefined,
        (error: unknown) => error,
      );
    const own = await failure('throw');
    assert.instance(own, TypeError);
    assert.is((own as Error).message, 'of my own');
    for (const [act, code] of [
      ['trap', 'RZ_GUEST_TRAP'],
      ['missing', 'RZ_EXPORT'],
      ['far', 'RZ_OPTION'],
    ] as const) {
      const error = await failure(act);
      assert.instance(error, RingzeroError);
      assert.is((error as RingzeroError).code, code);
    }
    assert.ok((await failure('uncloneable')) instanceof Error);
    const driven = (module: URL): Promise<unknown> =>
      snapshot.drive(module).catch((error) => error);
    const without = await driven(new URL('./guests.js', import.meta.url));
    assert.is((without as RingzeroError).code, 'RZ_EXPORT');
    const missing = await driven(new URL('./no-such-module.js', import.meta.url));
    assert.match((missing as Error).message, 'no-such-module.js');
    assert.not.instance(missing, RingzeroError);
    assert.throws(
      () => snapshot.drive('./driver.js'),
      ({ code }: RingzeroError) => code === 'RZ_OPTION',
    );
    assert.equal(await snapshot.drive(DRIVER, { act: 'read' }), [0, 0, [0, 0, 0, 0]]);
    await snapshot.release();
  }));

test.run();
