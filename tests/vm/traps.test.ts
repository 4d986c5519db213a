// Failures of a guest as JavaScript sees them: glue expects the engine's behaviour, our code a `code`.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('vm/traps');
const GUEST = assemble(`(module
  (import "env" "hook" (func $hook))
  (import "libdbos" "setHandler" (func $setHandler (param i32 i32)))
  (memory (export "memory") 1)
  (table (export "table") 2 funcref)
  (func (export "stop") unreachable)
  (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "store") (param i32) (i32.store (local.get 0) (i32.const 1)))
  (func $deep (export "deep") (call $deep))
  (func (export "call_hook") (call $hook))
  (func (export "bind") (param i32 i32) (call $setHandler (local.get 0) (local.get 1)))
  (func (export "fine") (result i32) (i32.const 7)))`);

type Calls = Record<string, (...args: number[]) => number>;

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** The same guest in a VM, with and without glue. */
async function both(hook: () => void, body: (calls: Calls) => void): Promise<void> {
  const vm = await MicroVM.create({ guest: GUEST, memory: 2 ** 24, imports: { env: { hook } } });
  body(vm.enter().exports as unknown as Calls);
  await vm.close();
  const program = await MicroVM.load(GUEST, { env: { hook } }, { memory: 2 ** 24 });
  body(program.exports as unknown as Calls);
  await program.close();
}

test('C11: a trap is a WebAssembly.RuntimeError, a RingzeroError, and starts like the engine’s', async () => {
  await both(
    () => {},
    (calls) => {
      for (const [name, argument, message] of [
        ['stop', 0, /^unreachable/],
        ['divide', 0, /^divide by zero/],
        ['store', 2 ** 30, /^memory access out of bounds/],
        ['deep', 0, /^Maximum call stack size exceeded/],
      ] as const) {
        const error = thrownBy(() => calls[name]!(argument));
        assert.instance(error, WebAssembly.RuntimeError, name);
        assert.ok(error instanceof RingzeroError, name);
        assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP');
        assert.match(error.message, message);
        assert.match(error.message, name);
        assert.is(calls['fine']!(), 7, `after ${name}`);
      }
      assert.not(new TypeError('x') instanceof RingzeroError);
    },
  );
});

test('C11: a JavaScript exception passes through the guest unchanged', async () => {
  const errors = [
    new WebAssembly.RuntimeError('Aborted(). Build with -sASSERTIONS for more info.'),
    new RangeError('Maximum call stack size exceeded, says the hook'),
    new TypeError('hook'),
    { plain: true },
  ];
  for (const error of errors) {
    await both(
      () => {
        throw error;
      },
      (calls) => {
        assert.is(
          thrownBy(() => calls['call_hook']!()),
          error,
        );
        assert.is(calls['fine']!(), 7);
      },
    );
  }
});

test('C11: a trap of an inner call passes the outer one unchanged', async () => {
  let inner: (() => unknown) | undefined;
  await both(
    () => inner!(),
    (calls) => {
      inner = () => calls['stop']!();
      const { message } = thrownBy(() => calls['call_hook']!());
      assert.match(message, /^unreachable.*\(call of `stop`\)$/);
    },
  );
});

test('A18: a guest that binds a handler to a slot or function that does not exist gets a typed error', async () => {
  await both(
    () => {},
    (calls) => {
      for (const [slot, fn] of [
        [5, -1],
        [5, 99],
        [-1, 0],
        [1000, 0],
        [2 ** 31, 1],
      ] as const) {
        const error = thrownBy(() => calls['bind']!(slot, fn));
        assert.ok(error instanceof RingzeroError, `${slot}, ${fn}: ${String(error)}`);
        assert.is(calls['fine']!(), 7);
      }
    },
  );
});

test('A18: no exported function runs after the VM is closed', async () => {
  const kept: Calls[] = [];
  await both(
    () => {},
    (calls) => void kept.push({ ...calls }),
  );
  for (const calls of kept)
    assert.is((thrownBy(() => calls['fine']!()) as RingzeroError).code, 'RZ_VM_CLOSED');
});

test('C15: a start function that traps fails the load as a trap', async () => {
  const guest = assemble('(module (memory (export "memory") 1) (func $f unreachable) (start $f))');
  for (const make of [
    () => MicroVM.load(guest, {}, { memory: 2 ** 24 }),
    () => MicroVM.create({ guest, memory: 2 ** 24 }),
  ]) {
    const error = await (make() as Promise<unknown>).then(String, (thrown: unknown) => thrown);
    assert.is((error as RingzeroError).code, 'RZ_GUEST_TRAP', String(error));
    assert.instance(error, WebAssembly.RuntimeError);
  }
});

test('C9: a program passes `instanceof WebAssembly.Instance`', async () => {
  const program = await MicroVM.load(GUEST, { env: { hook: () => {} } }, { memory: 2 ** 24 });
  assert.instance(program, WebAssembly.Instance);
  assert.is((program.exports as unknown as Calls)['fine']!(), 7);
  await program.close();
});

test.run();
