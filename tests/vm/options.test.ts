// Inputs of a VM: guest bytes in every form and of every realm, and known options only.

import { createContext, runInContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, relocate, translate, type RingzeroError } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('vm/options');
const GUEST = assemble(`(module
  (memory (export "memory") 1)
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (data (i32.const 8) "\\2a"))`);

/** The same bytes as an object of another realm. */
function elsewhere(make: string): unknown {
  const context = createContext({ bytes: [...GUEST] });
  return runInContext(make, context);
}

test('E1: a guest may be bytes in any form and of any realm', async () => {
  const forms: unknown[] = [
    GUEST,
    Buffer.from(GUEST),
    GUEST.buffer.slice(GUEST.byteOffset, GUEST.byteOffset + GUEST.length),
    new DataView(Uint8Array.from([0, ...GUEST]).buffer, 1),
    elsewhere('Uint8Array.from(bytes)'),
    elsewhere('Uint8Array.from(bytes).buffer'),
  ];
  const shared = new SharedArrayBuffer(GUEST.length);
  new Uint8Array(shared).set(GUEST);
  for (const guest of [...forms, shared, new Uint8Array(shared)]) {
    const vm = await MicroVM.create({ guest: guest as Uint8Array, memory: 2 ** 24 });
    assert.is(vm.enter().exports['get']!(8), 42);
    await vm.close();
  }
  const { main, snapshot, info } = translate(
    elsewhere('Uint8Array.from(bytes).buffer') as ArrayBuffer,
  );
  const vm = await MicroVM.create({ guest: { main, snapshot, info }, memory: 2 ** 24 });
  await vm.close();
  assert.ok(relocate(main.slice().buffer, { frames: 4096 }).length === main.length);
});

test('E1: an object that only resembles bytes is refused', async () => {
  const disguised = { [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 8 };
  for (const guest of [disguised, [0, 97, 115, 109], 'wasm', null, {}, 5, { main: GUEST }]) {
    await refused({ guest } as never, /option `guest`/);
  }
});

test('E1: a misspelt option is refused, with a suggestion', async () => {
  await refused({ memorry: 2 ** 24 }, /unknown option `memorry`; did you mean `memory`\?/);
  await refused({ snapshotVCPUs: 2 }, /did you mean `snapshotVcpus`\?/);
  await refused(
    { nonsense: 2 },
    /unknown option `nonsense`; the options are guest, linked, memory/,
  );
  await refused({ constructor: 2 }, /unknown option `constructor`/);
});

async function refused(options: object, message: RegExp): Promise<void> {
  try {
    await MicroVM.create({ guest: GUEST, memory: 2 ** 24, ...options });
  } catch (error) {
    assert.is((error as RingzeroError).code, 'RZ_OPTION', String(error));
    return assert.match((error as Error).message, message);
  }
  throw new Error(`${JSON.stringify(options)} was accepted`);
}

test.run();
