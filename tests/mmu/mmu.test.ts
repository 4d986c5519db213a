// Virtual memory of linked guests: faults, access bits, handlers in the guest and in TypeScript, and handlers
// that misbehave.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EFAULT, EIO } from '../../assembly/abi/errno.ts';
import { VECTOR_IO, VECTOR_USER } from '../../assembly/abi/vector.ts';
import { MicroVM, RingzeroError, type Handlers } from '../../host/index.ts';
import { readBuiltModule } from '../../host/platform/node.ts';
import { CELLS } from '../vm/guests.ts';

const READ = 0;
const WRITE = 1;
const FAULTS_ITSELF = 1;
const DOES_NOTHING = 2;
const RETURNS_NONSENSE = 3;
const FAILS = 4;
const MAPS_READ_ONLY = 5;
const FAR = 2n ** 35n; // a page far up

type Call = (name: string, ...args: (number | bigint)[]) => number;

async function start(handlers?: Handlers): Promise<{ vm: MicroVM; call: Call }> {
  const guest = readBuiltModule('mmu-test.wasm');
  const vm = await MicroVM.create({
    guest,
    linked: true,
    memory: 2 ** 24,
    ...(handlers && { handlers }),
  });
  return { vm, call: (name, ...args) => Number(vm.enter().exports[name]!(...args)) };
}

function trapOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    assert.instance(error, RingzeroError);
    assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP');
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

const tests = suite('virtual memory');

tests('a page comes at its first use, and stays', async () => {
  const { vm, call } = await start();
  for (const page of [0n, 1n, 511n, 512n, FAR, 2n ** 36n - 1n])
    assert.is(call('get', page * 4096n + 8n), Number(page));
  assert.is(call('faultCount'), 6);
  assert.is(call('get', FAR * 4096n), Number(FAR));
  assert.is(call('set', FAR * 4096n + 4088n, 5n), 0);
  assert.is(call('get', FAR * 4096n + 4088n), 5);
  assert.is(call('faultCount'), 6, 'no fault for what is there');
  assert.is(call('get', 2n ** 48n), -EFAULT, 'addresses have 48 bits');
  assert.is(call('get', 2n ** 63n), -EFAULT);
  await vm.close();
});

tests('MMU-1: accessed and dirty bits say what was done', async () => {
  const { vm, call } = await start();
  call('get', 3n * 4096n);
  assert.is(call('isDirty', 3n), 0);
  call('set', 3n * 4096n, 1n);
  assert.is(call('isDirty', 3n), 1);
  assert.is(call('takeAccessed', 3n), 1);
  assert.is(call('takeAccessed', 3n), 0);
  call('get', 3n * 4096n);
  assert.is(call('takeAccessed', 3n), 1, 'also through the TLB that forgot it');
  assert.is(call('isDirty', 9n), 0);
  await vm.close();
});

tests('a store to a page that may only be read faults', async () => {
  const { vm, call } = await start();
  call('setMode', MAPS_READ_ONLY);
  assert.is(call('get', 4096n), 1);
  assert.is(call('accessOfLastFault'), READ);
  call('setMode', 0);
  assert.is(call('set', 4096n, 2n), 0);
  assert.is(call('accessOfLastFault'), WRITE);
  assert.is(call('faultCount'), 2);
  assert.is(call('get', 4096n), 2);
  await vm.close();
});

tests('frames go and come back; pages change places without a copy', async () => {
  const { vm, call } = await start();
  for (let round = 0n; round < 20_000n; round++) {
    assert.is(call('get', round << 12n), Number(round));
    assert.ok(call('drop', round) !== 0);
  }
  assert.is(call('drop', 7n), 0, 'it is gone');
  call('set', 100n << 12n, 77n);
  assert.is(call('remap', 100n, 5000n, 1n), 1);
  assert.is(call('get', 5000n << 12n), 77);
  assert.is(call('get', 100n << 12n), 100, 'a new page');
  await vm.close();
});

tests('an error of the handler is the error of that access', async () => {
  const { vm, call } = await start();
  call('setMode', FAILS);
  assert.is(call('get', 4096n), -EIO);
  assert.is(call('set', 4096n, 1n), -EIO);
  call('setMode', 0);
  assert.is(call('get', 4096n), 1);
  await vm.close();
});

tests('MMU-2: a handler that misbehaves ends the call and no more', async () => {
  const { vm, call } = await start();
  for (const [mode, says] of [
    [FAULTS_ITSELF, /page fault of page 10 in a page-fault handler/],
    [DOES_NOTHING, /did not map page 9/],
    [RETURNS_NONSENSE, /returned an invalid result, for page 9/],
  ] as const) {
    call('setMode', mode);
    assert.match(
      trapOf(() => call('get', 9n << 12n)),
      says,
    );
    call('setMode', 0);
    assert.is(call('get', 8n << 12n), 8, 'the next call is served');
  }
  assert.is(call('get', 9n << 12n), 9);
  await vm.close();
});

tests('a handler in TypeScript gives the page’s content, or an errno', async () => {
  const seen: [number, boolean][] = [];
  const { vm, call } = await start({
    onPageFault: (page, isWrite) => {
      seen.push([page, isWrite]);
      if (page === 13) return -EIO;
      return new Uint8Array(new BigUint64Array([BigInt(page) * 2n]).buffer);
    },
  });
  assert.is(call('get', 21n << 12n), 42);
  assert.is(call('get', (21n << 12n) + 8n), 0);
  assert.is(call('set', 5n << 12n, 1n), 0);
  assert.is(call('get', 13n << 12n), -EIO);
  assert.equal(seen, [
    [21, false],
    [5, true],
    [13, false],
  ]);
  assert.is(call('faultCount'), 0, 'the guest’s own handler is not asked');
  await vm.close();
});

tests('a handler that throws ends the call with its error', async () => {
  const { vm, call } = await start({
    onPageFault: () => {
      throw new TypeError('the server is gone');
    },
  });
  assert.throws(() => call('get', 0n), /the server is gone/);
  assert.throws(() => call('get', 0n), /the server is gone/);
  await vm.close();
});

tests('system calls and interrupts in TypeScript, in a translated guest', async () => {
  const vectors: number[] = [];
  const vm = await MicroVM.create({
    guest: CELLS,
    memory: 2 ** 24,
    handlers: {
      onSyscall: (number, a, b) => (number === 1000 ? a! + b! : undefined),
      onInterrupt: (vector) => void vectors.push(vector),
    },
  });
  const { exports, kernel, number } = vm.enter();
  assert.is(exports['syscall']!(1000, 40, 2, 0), 42);
  assert.is(exports['syscall']!(999, 0, 0, 0), -38, 'the others are the host’s');
  kernel.calls.post(number, VECTOR_USER);
  kernel.calls.post(number, VECTOR_IO);
  vm.enter().deliverInterrupts();
  assert.equal(vectors, [VECTOR_IO, VECTOR_USER]);
  await vm.close();
});

tests('handlers are functions, and virtual memory is for linked guests', async () => {
  for (const handlers of [{ onSyscall: 1 }, { onPageFault: () => 0 }]) {
    try {
      await MicroVM.create({ guest: CELLS, memory: 2 ** 24, handlers: handlers as never });
      assert.unreachable();
    } catch (error) {
      assert.is((error as RingzeroError).code, 'RZ_OPTION');
    }
  }
});

tests.run();
