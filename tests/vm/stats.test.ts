// Statistics of a VM: each number changes by exactly what was done.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as abi from '../../assembly/abi/ring.ts';
import { MicroVM, type VMStats } from '../../host/index.ts';
import { exposition, metricsOf } from '../../host/vm/stats.ts';
import { readBuiltModule } from '#platform';
import { createRings } from '../io/machine.ts';
import type { MachineJob } from '../tabby/machine-worker.ts';
import { createPool } from '../tabby/pool.ts';
import { runThread } from '../thread.ts';
import { CELLS } from './guests.ts';
import { parseExposition } from '../exposition.ts';

const TLB_BYTES = 32768;

/** The numbers that changed, and their differences. */
function changes(before: VMStats, after: VMStats): Record<string, number> {
  const { pool: poolBefore, ...from } = before;
  const { pool, ...to } = after;
  const changed: Record<string, number> = {};
  for (const [name, value] of Object.entries(to)) {
    const change = value - from[name as keyof typeof from];
    if (change !== 0) changed[name] = change;
  }
  for (const [name, value] of Object.entries(pool ?? {})) {
    const change = value - (poolBefore?.[name as keyof typeof pool] ?? 0);
    if (change !== 0) changed[`pool.${name}`] = change;
  }
  return changed;
}

const stats = suite('vm.stats');

stats('writes under a snapshot: faults, copies, frames, an epoch', async () => {
  const vm = await MicroVM.create({ guest: CELLS, memory: 16 << 20 });
  const { exports } = vm.enter();
  exports['put']!(4096, 1);
  const before = vm.stats();
  assert.ok(before.vcpus >= 1);
  assert.is(before.vcpusRunning, 0);
  assert.is(before.pool, undefined);
  const snapshot = vm.snapshot();
  for (let page = 1; page <= 5; page++) exports['put']!(page * 4096, 2);
  exports['put']!(4096, 3);
  const after = changes(before, vm.stats());
  assert.is(after['faults'], 5);
  assert.is(after['copies'], 5);
  assert.is(after['epoch'], 1);
  assert.is(after['snapshotsTaken'], 1);
  assert.is(after['snapshotsActive'], 1);
  assert.is(after['framesUsed'], 5);
  assert.is(after['framesFree'], -5);
  await snapshot.release();
  assert.is(vm.stats().framesUsed, before.framesUsed);
  await vm.close();
});

stats('system calls and interrupts', async () => {
  const vm = await MicroVM.create({ guest: CELLS, memory: 16 << 20, snapshotVcpus: 1 });
  const { exports, kernel } = vm.enter();
  const VECTOR = 9;
  exports['handle']!(VECTOR, 2);
  const before = vm.stats();
  for (let i = 0; i < 3; i++) exports['syscall']!(9, 512, 0, 0); // SYS_CLOCK
  kernel.calls.post(kernel.vcpu, VECTOR);
  kernel.calls.post(kernel.vcpu, VECTOR + 1); // it has no handler
  vm.enter().deliverInterrupts();
  const after = changes(before, vm.stats());
  assert.is(after['syscalls'], 3);
  assert.is(after['safepoints'], 1);
  assert.is(after['interrupts'], 2);
  await vm.close();
});

stats('a vCPU is counted while it is attached', async () => {
  const vm = await MicroVM.create({ guest: CELLS, memory: 16 << 20 });
  const before = vm.stats().vcpus;
  const other = await MicroVM.attach(vm.handle);
  assert.is(other.stats().vcpus, before + 1);
  await other.close();
  assert.is(vm.stats().vcpus, before);
  await vm.close();
});

stats('remote calls count when they are served', async () => {
  const guest = readBuiltModule('tabby-test.wasm');
  const vm = await MicroVM.create({ guest, linked: true, memory: 32 << 20 });
  const { exports } = vm.enter();
  exports['joinCalls']!(vm.claimWindow(TLB_BYTES));
  const job: MachineJob = {
    handle: vm.handle,
    tlb: vm.claimWindow(TLB_BYTES),
    ready: new SharedArrayBuffer(4),
    call: ['askOthers', 0n, 7],
  };
  await runThread(new URL('../tabby/machine-worker.js', import.meta.url), job);
  assert.is(vm.stats().remoteCalls, 0);
  exports['serveCalls']!();
  assert.is(vm.stats().remoteCalls, 7);
  await vm.close();
});

stats('rings: submitted entries, and entries refused for their frames', async () => {
  const at = await createRings();
  const before = at.vm.stats();
  const file = at.call('ringFile', at.open('blocks'));
  for (let i = 0; i < 4; i++)
    at.submit({ opcode: abi.OP_READ, file, address: at.at(i), position: 0 });
  at.submit({ opcode: abi.OP_READ, file, address: 0 });
  at.finish();
  const after = changes(before, at.vm.stats());
  assert.is(after['ringSubmitted'], 5);
  assert.is(after['ringRefused'], 1);
  await at.close();
});

stats('a pool: faults, evictions, writes', async () => {
  const { vm, call, close } = await createPool(8);
  assert.is(vm.stats().pool?.frames, 8);
  for (let page = 0; page < 40; page++) call('createPage', BigInt(page), page);
  assert.is(call('writeBack'), 0);
  const before = vm.stats();
  assert.is(before.pool!.writes, 40);
  for (let page = 0; page < 16; page++) assert.is(call('readPage', BigInt(page)), page);
  const once = changes(before, vm.stats());
  assert.is(once['pool.faults'], 16);
  assert.is(once['pool.evictions'], 16);
  assert.is(once['pool.writes'], undefined);
  assert.is(once['pool.stale'], undefined);
  await close();
});

stats('a translation that the page header refutes is counted', async () => {
  const { vm, call, close } = await createPool(8);
  for (let page = 0; page < 24; page++) call('createPage', BigInt(page), page);
  call('pin', 16n); // it got the frame of page 0, which the TLB still maps
  assert.is(vm.stats().pool!.stale, 0);
  call('pin', 0n);
  assert.is(vm.stats().pool!.stale, 1);
  await close();
});

stats('exposition: every number once, in the Prometheus text format', async () => {
  const { vm, call, close } = await createPool(8);
  for (let page = 0; page < 12; page++) call('createPage', BigInt(page), page);
  const now = vm.stats();
  const metrics = parseExposition(exposition(metricsOf(now)));
  assert.is(metrics.size, Object.keys(now).length - 1 + Object.keys(now.pool!).length);
  assert.equal(metrics.get('ringzero_frames_free'), { type: 'gauge', value: now.framesFree });
  assert.equal(metrics.get('ringzero_system_calls_total'), {
    type: 'counter',
    value: now.syscalls,
  });
  assert.equal(metrics.get('ringzero_pool_frames'), { type: 'gauge', value: 8 });
  await close();
});

stats.run();
