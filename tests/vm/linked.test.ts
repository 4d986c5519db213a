// Linked guests: untranslated, on the same vCPUs, with access to every frame and without snapshots.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EPERM, EINVAL, ENOSYS } from '../../assembly/abi/errno.ts';
import { VCPU_IDLE, VCPU_RUNNING } from '../../assembly/abi/vcpu-block.ts';
import { MicroVM, RingzeroError, type MicroVMOptions } from '../../host/index.ts';
import { runThread } from '../thread.ts';
import { assemble, CELLS } from './guests.ts';

const MIB = 2 ** 20;

const IMPORTS = `
  (import "libdbos" "claimFrames" (func $claimFrames (param i32) (result i32)))
  (import "libdbos" "allocFrame" (func $allocFrame (result i32)))
  (import "libdbos" "freeFrame" (func $freeFrame (param i32)))
  (import "libdbos" "setDmaWindow" (func $setDmaWindow (param i32 i32) (result i32)))
  (import "libdbos" "spawn" (func $spawn (param i32 i32) (result i32)))
  (import "ringzero" "vcpu" (global $vcpu i32))
  (import "env" "memory" (memory 2 65536 shared))`;

/** Counts its boots at 8 and its attaches at 12. */
const GUEST = assemble(`(module ${IMPORTS}
  (func (export "boot") (param i32)
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))))
  (func (export "attach") (param i32)
    (drop (i32.atomic.rmw.add (i32.const 12) (i32.const 1))))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "claim") (param i32) (result i32) (call $claimFrames (local.get 0)))
  (func (export "alloc") (result i32) (call $allocFrame))
  (func (export "free") (param i32) (call $freeFrame (local.get 0)))
  (func (export "window") (param i32 i32) (result i32) (call $setDmaWindow (local.get 0) (local.get 1)))
  (func (export "spawn") (result i32) (call $spawn (i32.const 0) (i32.const 0)))
  (func (export "state") (result i32) (i32.load offset=8 (global.get $vcpu)))
  (func (export "fail") (unreachable))
)`);

function create(options: Partial<MicroVMOptions> = {}): Promise<MicroVM> {
  return MicroVM.create({ guest: GUEST, linked: true, memory: 16 * MIB, ...options });
}

async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, RingzeroError);
    return (error as RingzeroError).code;
  }
  throw new Error('nothing was thrown');
}

const linked = suite('linked guests');

linked('boots once and attaches on every thread', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  await runThread(new URL('./linked-thread.js', import.meta.url), vm.handle);
  assert.is(exports['get']!(8), 1);
  assert.is(exports['get']!(12), 2);
  assert.is(exports['get']!(16), 77, 'the other thread’s store');
  await vm.close();
});

linked('its frames are private, outside guest memory, and reachable by plain stores', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  const run = Number(exports['claim']!(8)) >>> 0;
  assert.ok(run >= 2 * 65536 && run % 4096 === 0);
  exports['put']!(run + 8 * 4096 - 4, 5);
  assert.is(exports['get']!(run + 8 * 4096 - 4), 5);
  assert.is(exports['claim']!(1_000_000), 0, 'more frames than exist');
  const frame = Number(exports['alloc']!()) >>> 0;
  assert.ok(frame % 4096 === 0 && frame < run);
  exports['free']!(frame);
  assert.is(Number(exports['alloc']!()) >>> 0, frame);
  await vm.close();
});

linked('the DMA window is set once, and narrowed', async () => {
  const vm = await create();
  const { exports } = vm.enter();
  const run = Number(exports['claim']!(8)) >>> 0;
  assert.is(exports['window']!(run, run), -EINVAL);
  assert.is(exports['window']!(run + 8, run + 4096), -EINVAL);
  assert.is(exports['window']!(run, 16 * MIB), -EINVAL, 'the kernel is beyond every window');
  assert.is(exports['window']!(run, run + 8 * 4096), 0);
  assert.is(exports['window']!(run, run + 8 * 4096), 0);
  assert.is(exports['window']!(run + 4096, run + 8 * 4096), 0);
  assert.is(
    exports['window']!(run, run + 8 * 4096),
    -EPERM,
    'a range that was dropped cannot be restored',
  );
  assert.is(exports['window']!(run + 4096, run + 9 * 4096), -EPERM);
  assert.is(exports['window']!(run + 4096, run + 4096), -EINVAL);
  await vm.close();
});

linked('a call runs as a vCPU, and a trap in it leaves the vCPU idle', async () => {
  const vm = await create();
  const { exports, kernel } = vm.enter();
  const words = new Int32Array(vm.memory.buffer);
  assert.is(exports['state']!(), VCPU_RUNNING);
  assert.is(words[(kernel.block + 8) / 4], VCPU_IDLE);
  assert.is(await codeOf(() => exports['fail']!()), 'RZ_GUEST_TRAP');
  assert.is(words[(kernel.block + 8) / 4], VCPU_IDLE);
  assert.is(exports['state']!(), VCPU_RUNNING);
  await vm.close();
});

linked('snapshots and children are refused', async () => {
  const vm = await create();
  assert.is(await codeOf(() => vm.snapshot()), 'RZ_LINKED');
  assert.is(vm.enter().exports['spawn']!(), -ENOSYS);
  assert.is(vm.enter().exports['get']!(8), 1, 'the VM stays usable');
  await vm.close();
});

linked('a module with active data or a start function is refused', async () => {
  const memory = '(import "env" "memory" (memory 1 65536 shared))';
  const data = assemble(`(module ${memory} (data (i32.const 0) "x"))`);
  assert.is(await codeOf(() => create({ guest: data })), 'RZ_MODULE_UNSUPPORTED');
  const start = assemble(`(module ${memory} (func $f) (start $f))`);
  assert.is(await codeOf(() => create({ guest: start })), 'RZ_MODULE_UNSUPPORTED');
  assert.is(await codeOf(() => create({ guest: CELLS })), 'RZ_MODULE_UNSUPPORTED', 'own memory');
  const noise = Uint8Array.from([1, 2, 3]);
  assert.is(await codeOf(() => create({ guest: noise })), 'RZ_MODULE_MALFORMED');
  const nothing = assemble(`(module ${memory})`);
  assert.is(await codeOf(() => create({ guest: nothing })), 'RZ_EXPORT', 'no boot');
});

linked.run();
