// Goal: what the benches of look-ups measure is right: keys are drawn from the distribution that is said, and
// what several vCPUs read and change at once, in a pool that everything fits in and in one that nothing does,
// is what was written.
// Method: ranks against the exact probabilities; values of which every word follows from key and stamp;
// read-modify-writes counted on both sides.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OPEN_DIRECT } from '../../assembly/abi/syscall.ts';
import { startVcpus, type Vcpus } from '../../bench/vcpus.ts';
import { Random } from '../random.ts';

const SECONDS = Number(process.env['RZ_HAMMER_SECONDS'] ?? 3);
const MIB = 2 ** 20;
const EVICTIONS = 2;
const READ_ONE = 0;
const READ_MANY = 1;
const F = 5;
const WORKLOADS = {
  'look-ups': READ_ONE,
  'grouped look-ups': READ_MANY,
  A: 2,
  B: 3,
  E: 4,
  'A in groups': 6,
  F,
};

async function start(
  guest: string,
  frames: number,
  vcpus: number,
  openFlags = 0,
  memory = 128 * MIB,
): Promise<Vcpus> {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-ycsb-'));
  const all = await startVcpus({ guest, vcpus, memory, directory, openFlags });
  rmSync(directory, { recursive: true }); // the file stays open
  all.check('format', all.descriptor, frames);
  return all;
}

const tests = suite('YCSB');

/** Sum of (seen - expected)^2 / expected over classes of ranks, each of some expected weight. */
function chiSquare(counts: Float64Array, theta: number): { sum: number; classes: number } {
  const n = counts.length - 1;
  let total = 0;
  let zeta = 0;
  for (let k = 1; k <= n; k++) {
    zeta += k ** -theta;
    total += counts[k]!;
  }
  let [sum, classes, expected, seen] = [0, 0, 0, 0];
  for (let k = 1; k <= n; k++) {
    expected += (total * k ** -theta) / zeta;
    seen += counts[k]!;
    if (expected < 1000 && k < n) continue;
    sum += (seen - expected) ** 2 / expected;
    classes += 1;
    [expected, seen] = [0, 0];
  }
  return { sum, classes };
}

for (const [keys, root] of [
  [1, 10],
  [2, 10],
  [1000, 10],
  [1000, 2],
  [1000, 100],
  [1_000_000, 10],
] as const) {
  tests(`${keys} ranks are Zipf with theta ${1 - 1 / root}`, async () => {
    const vcpus = await start('ycsb.wasm', 64, 0);
    const { rank } = vcpus.vm.enter().instance.exports as { rank: () => number };
    vcpus.call('seed', 12345n);
    assert.is(vcpus.call('prepare', keys, root), 0);
    const counts = new Float64Array(keys + 1);
    for (let i = 0; i < 1_000_000; i++) counts[rank()]! += 1;
    assert.is(counts[0], 0, 'ranks start at 1');
    const { sum, classes } = chiSquare(counts, 1 - 1 / root);
    // The statistic has mean classes - 1 and variance 2 (classes - 1): five deviations are allowed.
    const degrees = classes - 1;
    assert.ok(sum <= degrees + 5 * Math.sqrt(2 * degrees), `chi-square ${sum} of ${degrees}`);
    await vcpus.close();
  });
}

for (const { name, guest, frames, count, openFlags = 0 } of [
  { name: 'in memory, two vCPUs', guest: 'ycsb.wasm', frames: 8000, count: 2 },
  { name: 'out of memory, four vCPUs', guest: 'ycsb.wasm', frames: 128, count: 4 },
  {
    name: 'out of memory, past the page cache',
    guest: 'ycsb.wasm',
    frames: 1000,
    count: 2,
    openFlags: OPEN_DIRECT,
  },
  { name: 'eager shootdown, out of memory', guest: 'ycsb-eager.wasm', frames: 128, count: 3 },
  { name: 'hash table, out of memory', guest: 'ycsb-hash.wasm', frames: 128, count: 3 },
  { name: 'swizzling, out of memory', guest: 'ycsb-swizzle.wasm', frames: 128, count: 3 },
  { name: 'swizzling, in memory', guest: 'ycsb-swizzle.wasm', frames: 8000, count: 2 },
]) {
  tests(`every value that is read is whole and its key's: ${name}`, async () => {
    const random = Random.forTest(`YCSB, ${name}`);
    const keys = 100_000;
    const vcpus = await start(guest, frames, count, openFlags);
    vcpus.check('insert', 0, keys);
    vcpus.call('setKeys', keys);
    await vcpus.join();
    await vcpus.each('setChecking', () => [1]);
    await vcpus.each('seed', () => [BigInt(random.bits())]);
    const rates: string[] = [];
    let changes = 0;
    // F first: its changes are counted in the values, which the others overwrite
    for (const [workload, kind] of Object.entries(WORKLOADS).reverse()) {
      for (const root of [0, 10]) {
        for (const result of await vcpus.each('prepare', () => [keys, root])) assert.is(result, 0);
        const { rate } = await vcpus.loop('run', [kind, 64], 64, (SECONDS * 1000) / 48);
        rates.push(`${workload} ${(rate / 1000).toFixed(0)} K/s`);
      }
      if (kind !== F) continue;
      for (const made of await vcpus.each('changes')) changes += made;
      assert.ok(changes > 0);
      assert.is(vcpus.call('sumStamps'), changes, 'no change is lost');
    }
    console.log(`${name}: ${rates.join(', ')}, ${vcpus.call('stat', EVICTIONS)} evictions`);
    assert.is(vcpus.call('verify'), 0, 'the tree');
    assert.is(vcpus.call('close'), 0);
    await vcpus.close();
  });
}

tests('2 vCPUs with 1 GiB of pool and of store need less than 4 MiB besides', async () => {
  const frames = 262_144;
  const vcpus = await start('ycsb.wasm', frames, 1, 0, 1136 * MIB);
  vcpus.check('insert', 0, 10_000);
  await vcpus.join();
  for (const result of await vcpus.each('insert', () => [10_000, 20_000])) assert.is(result, 0);
  const outside = (vcpus.vm.stats().framesUsed - frames) * 4096;
  const pageTable = 8 * frames; // of the pages that this store has not: some 700 of 262,144 are there
  console.log(`outside the pool: ${((outside + pageTable) / MIB).toFixed(2)} MiB`);
  assert.ok(outside > 0 && outside + pageTable < 4 * MIB);
  assert.is(vcpus.call('close'), 0);
  await vcpus.close();
});

tests.run();
