// The extendible hash table against a JavaScript map, its invariants looked at, and to its bounds.
// Invariants: BUCKET-1, EXTENDIBLE-2, EXTENDIBLE-3.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ENOMEM, ENOSPC } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { startGuest, type Call } from './guest.ts';

const tests = suite('extendible hash');

async function start(
  depthMax: number,
  memory?: number,
): Promise<{ call: Call; table: number; before: number; end(): Promise<void> }> {
  const { vm, call } = await startGuest(memory);
  const table = call('claim', Math.ceil(call('hashTableBytes', depthMax) / 4096)) >>> 0;
  return { call, table, before: call('framesUsed'), end: () => vm.close() };
}

for (const depthMax of [9, 12, 18]) {
  tests(`it does what a map does, directories of up to 2^${depthMax} entries`, async () => {
    const random = Random.forTest(`extendible hash, 2^${depthMax}`);
    const { call, table, before, end } = await start(depthMax);
    const room = 2 ** Math.min(depthMax, 13) * 3; // a bucket of 15 for 16 keys: one in 10^7
    for (let life = 0; life < 3; life++) {
      const model = new Map<number, number>();
      const keys = random.pick([50, room]);
      assert.is(call('hashCreate', table, depthMax), 0);
      for (let step = 0; step < 200; step++) {
        const kind = random.below(10);
        const some = random.below(random.pick([2, 20, keys]));
        for (let i = 0; i < some && kind < 8; i++) {
          const key = random.below(keys);
          if (kind < 5) {
            if (model.size >= room) break;
            model.set(key, random.bits() >>> 1);
            assert.is(call('hashPut', table, BigInt(key), BigInt(model.get(key)!)), 0);
          } else if (kind < 6) {
            assert.is(call('hashRemove', table, BigInt(key)), Number(model.delete(key)));
          } else assert.is(call('hashGet', table, BigInt(key)), model.get(key) ?? -1);
        }
        if (kind === 8 && random.below(10) === 0) {
          const depth = call('hashDepth', table);
          assert.is(call('hashDouble', table), Number(depth < depthMax));
        }
        if (step % 20 === 0) assert.is(call('hashCheck', table), model.size, `step ${step}`);
      }
      for (let key = 0; key < keys; key++)
        assert.is(call('hashGet', table, BigInt(key)), model.get(key) ?? -1);
      call('hashFree', table);
      assert.is(call('framesUsed'), before, 'all frames are back');
    }
    await end();
  });
}

tests(
  'a directory that doubles far ahead of its buckets takes no frames for it, and splits take them one by one',
  async () => {
    const { call, table, before, end } = await start(20);
    call('hashCreate', table, 20);
    assert.is(call('hashFill', table, 0n, 1000n), 0);
    const filled = call('framesUsed');
    while (call('hashDouble', table));
    assert.is(call('hashDepth', table), 20);
    assert.is(call('framesUsed'), filled, 'a directory of 4 MiB in one page');
    assert.is(call('hashCheck', table), 1000);
    assert.is(call('hashFill', table, 1000n, 50_000n), 0);
    assert.is(call('hashCheck', table), 51_000);
    assert.ok(call('framesUsed') - filled < 51_000 / 15 / 16 / 0.5 + 64);
    call('hashFree', table);
    assert.is(call('framesUsed'), before);
    await end();
  },
);

tests('a full directory, and memory that ends, are errors that change no key', async () => {
  const { call, table, before, end } = await start(4);
  call('hashCreate', table, 4);
  let key = 0n;
  while (call('hashPut', table, key, key) === 0) key++;
  assert.is(call('hashPut', table, key, key), -ENOSPC);
  assert.ok(key > 100n && key <= 240n);
  assert.is(call('hashCheck', table), Number(key));
  assert.is(call('hashGet', table, key), -1);
  assert.is(call('hashPut', table, 3n, 333n), 0, 'a key that is there can change');
  call('hashFree', table);

  const large = call('claim', Math.ceil(call('hashTableBytes', 16) / 4096)) >>> 0;
  const used = call('framesUsed');
  call('hoard', 40);
  assert.is(call('hashCreate', large, 16), 0);
  key = 0n;
  let failure = 0;
  while ((failure = call('hashPut', large, key, key)) === 0) key++;
  assert.is(failure, -ENOMEM);
  assert.is(call('hashCheck', large), Number(key));
  call('hashFree', large);
  call('hoard', 0);
  assert.is(call('hashCreate', large, 16), -ENOMEM);
  call('freeHoard');
  assert.is(call('framesUsed'), used);
  assert.ok(used >= before);
  await end();
});

tests.run();
