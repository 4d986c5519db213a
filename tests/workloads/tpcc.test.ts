// Goal: TPC-C stays consistent when several vCPUs run it on one warehouse, with all pages in memory and with
// nearly none.
// Method: the initial population, a while of the whole mix on every vCPU, then the consistency conditions of
// the specification, a walk over all trees, and the same again after closing and opening.
// Invariants: LOCK-3 (no deadlock), NEW-1 (rollbacks).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startVcpus, type Vcpus } from '../../bench/vcpus.ts';
import { Random } from '../random.ts';

const SECONDS = Number(process.env['RZ_HAMMER_SECONDS'] ?? 3);
const MIB = 2 ** 20;
const KINDS = ['new-order', 'payment', 'order-status', 'delivery', 'stock-level', 'rolled back'];
const EVICTIONS = 2;

interface Case {
  name: string;
  frames: number;
  warehouses: number;
  vcpus: number;
}

const CASES: readonly Case[] = [
  { name: 'one warehouse in memory, two vCPUs', frames: 60_000, warehouses: 1, vcpus: 2 },
  { name: 'one warehouse out of memory, four vCPUs', frames: 256, warehouses: 1, vcpus: 4 },
  { name: 'two warehouses out of memory, three vCPUs', frames: 4000, warehouses: 2, vcpus: 3 },
];

function assertConsistent(vcpus: Vcpus): void {
  const broken = vcpus.call('check');
  const [left, right, district, at] = [0, 1, 2, 3].map((which) => vcpus.call('witness', which));
  assert.is(broken, 0, `condition ${broken}: ${left} and ${right}, district ${district}, at ${at}`);
  assert.is(vcpus.call('verify'), 0, 'the trees');
}

const tests = suite('TPC-C');

for (const { name, frames, warehouses, vcpus: count } of CASES) {
  tests(`TPCC-1: ${name}`, async () => {
    const random = Random.forTest(`TPC-C, ${name}`);
    const directory = mkdtempSync(join(tmpdir(), 'ringzero-tpcc-'));
    const memory = 512 * MIB;
    const vcpus = await startVcpus({ guest: 'tpcc.wasm', vcpus: count, memory, directory });
    const before = Date.now();
    vcpus.call('setTime', before);
    vcpus.check('format', vcpus.descriptor, frames, warehouses, BigInt(random.bits()));
    vcpus.check('loadItems');
    for (let w = 1; w <= warehouses; w++) vcpus.check('loadWarehouse', w);
    assertConsistent(vcpus);
    await vcpus.join();
    await vcpus.each('seed', () => [BigInt(random.bits())]);
    await vcpus.loop('run', [50], 50, (SECONDS * 1000) / CASES.length);
    const counts: number[] = [];
    for (let kind = 0; kind < KINDS.length; kind++) {
      const each = await vcpus.each('counted', () => [kind]);
      counts.push(each.reduce((sum, made) => sum + made, 0));
    }
    console.log(
      `${name}: ${KINDS.map((kind, i) => `${counts[i]} ${kind}`).join(', ')}, ${vcpus.call('stat', EVICTIONS)} evictions`,
    );
    assert.ok(
      counts.slice(0, 5).every((made) => made > 0),
      'every kind was run',
    );
    assertConsistent(vcpus);
    assert.is(vcpus.call('close'), 0);
    await vcpus.close();
    rmSync(directory, { recursive: true });
  });
}

tests('what a check sees: a broken sum is found', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-tpcc-'));
  const vcpus = await startVcpus({ guest: 'tpcc.wasm', vcpus: 0, memory: 512 * MIB, directory });
  vcpus.check('format', vcpus.descriptor, 60_000, 1, 1n);
  vcpus.check('loadItems');
  vcpus.check('loadWarehouse', 1);
  for (const [what, condition] of [
    [0, 8], // a warehouse has received more than was paid
    [1, 9], // a district has
    [2, 10], // a customer owes more
    [3, 2], // an order number was left out
    [4, 3], // a new order is missing
    [5, 4], // an order says that it has a line more
    [6, 14], // a stock was sold that nobody ordered
  ] as const) {
    assert.is(vcpus.call('spoil', what, 1), 0);
    assert.is(vcpus.call('check'), condition, `spoiled ${what}`);
    assert.is(vcpus.call('spoil', what, -1), 0);
    assert.is(vcpus.call('check'), 0, `restored ${what}`);
  }
  await vcpus.close();
  rmSync(directory, { recursive: true });
});

tests.run();
