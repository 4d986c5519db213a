// Goal: the system gets the memory of closed VMs and stores back, and container limits bound a process.
// Method: VMs and stores opened and closed many times, each touching memory; simulated hosts that report
// limits.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { RingzeroLevel } from '../../host/level/index.ts';
import { checkStoreOptions } from '../../host/level/options.ts';
import { totalMemory } from '../../host/platform/node.ts';
import { freshLocation } from '../level/stores.ts';
import { isDeno } from '../runtime.ts';
import { CELLS } from './guests.ts';

const MIB = 2 ** 20;
const tests = suite('memory of closed VMs');

tests('D6: repeatedly opening and closing a store does not leak its memories', async () => {
  if (isDeno) return; // its engine does not expose garbage collection
  const location = freshLocation();
  const value = 'x'.repeat(60_000);
  const open = async (): Promise<void> => {
    const db = new RingzeroLevel(location, { poolSize: 64 * MIB });
    await db.open();
    for (let i = 0; i < 400; i++) db.putSync(`key ${i}`, value);
    await db.close();
  };
  const rounds: number[] = [];
  for (let i = 0; i < 60; i++) {
    await open(); // touches 24 MiB
    rounds.push(process.memoryUsage.rss() / MIB);
  }
  // Memory grows between two collections. Each half has several; the minimum after each must not grow.
  const growth = Math.min(...rounds.slice(30)) - Math.min(...rounds.slice(0, 30));
  const range = Math.max(...rounds) - Math.min(...rounds);
  const all = `MiB after each round: ${rounds.map(Math.round).join(' ')}`;
  assert.ok(growth < 5 * 24, `a leaked memory is 24 MiB a round. ${all}`);
  assert.ok(range < 20 * 24, `a collection is due after 128 MiB. ${all}`);
});

tests('D6: closed VMs release their address space', async () => {
  if (isDeno) return;
  const addresses = async (): Promise<number> => {
    const { readFileSync } = await import('node:fs');
    const text = process.platform === 'linux' ? readFileSync('/proc/self/status', 'latin1') : '';
    return Number(/VmSize:\s+(\d+)/.exec(text)?.[1] ?? 0) / 2 ** 20; // GiB
  };
  for (let i = 0; i < 150; i++) {
    const vm = await MicroVM.create({
      guest: CELLS,
      memory: 16 * MIB,
      imports: { env: { hook: () => {} } },
    });
    await vm.close();
  }
  assert.ok((await addresses()) < 100 * 10, `${await addresses()} GiB of addresses`);
});

tests('D3: the default pool is a fraction of the container’s limit', () => {
  if (isDeno) return;
  const real = process.constrainedMemory.bind(process);
  const poolOf = (limit: number): number => {
    process.constrainedMemory = () => limit;
    try {
      return checkStoreOptions().poolFrames * 4096;
    } finally {
      process.constrainedMemory = real;
    }
  };
  assert.is(poolOf(512 * MIB), 128 * MIB);
  for (const none of [0, 2 ** 64, 2 ** 63])
    assert.is(poolOf(none), poolOf(0), `${none} is no limit`);
  process.constrainedMemory = () => 300 * MIB;
  assert.is(totalMemory(), 300 * MIB);
  process.constrainedMemory = real;
});

tests.run();
