// The growable array against a JavaScript one, to its bounds, and read by another vCPU while it grows.
// Invariants: ARRAY-1, ARRAY-2.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EINVAL, ENOMEM, ENOSPC } from '../../assembly/abi/errno.ts';
import { Random } from '../random.ts';
import { runThread } from '../thread.ts';
import type { FollowerJob } from './follower.ts';
import { startGuest, type Call } from './guest.ts';

const PAGES_MAX = 512;
const TABLE_FRAMES = 4;

const claimTable = (call: Call): number => call('claim', TABLE_FRAMES) >>> 0;

function assertSame(call: Call, array: number, shift: number, model: readonly number[]): void {
  assert.is(call('length', array), model.length);
  for (const [index, value] of model.entries())
    if (call('get', array, index, shift) !== value)
      assert.is(call('get', array, index, shift), value, `element ${index}`);
}

const tests = suite('growable array');

for (const shift of [3, 5, 12]) {
  tests(`elements of ${1 << shift} bytes: it does what a JavaScript array does`, async () => {
    const random = Random.forTest(`growable array of ${1 << shift} bytes`);
    const { vm, call } = await startGuest();
    let array = claimTable(call);
    let spare = claimTable(call);
    const other = claimTable(call);
    const before = call('framesUsed');
    const inPage = 4096 >> shift;
    const limit = PAGES_MAX * inPage;
    let model: number[] = [];
    call('create', array, PAGES_MAX, shift);
    for (let step = 0; step < 400; step++) {
      const kind = random.below(10);
      const some = random.below(random.pick([3, inPage + 2, 5 * inPage]));
      if (kind < 3) {
        for (let i = 0; i < some && model.length < limit; i++) {
          model.push(random.bits());
          assert.is(call('push', array, shift, BigInt(model.at(-1)!)), 0);
        }
      } else if (kind < 5) {
        for (let i = 0; i < some; i++)
          assert.is(call('pop', array, shift), Number(model.pop() !== undefined));
      } else if (kind < 7) {
        for (let i = 0; i < some && model.length > 0; i++) {
          const index = random.below(model.length);
          model[index] = random.bits();
          call('set', array, index, shift, BigInt(model[index]!));
          assert.is(call('get', array, index, shift), model[index]);
        }
      } else if (kind === 7) {
        const length = Math.min(limit, Math.max(0, model.length + some * random.pick([-1, 1])));
        assert.is(call('resize', array, length, shift), 0);
        for (let index = model.length; index < length; index++) {
          model.push(index);
          call('set', array, index, shift, BigInt(index));
        }
        model.length = length;
      } else if (kind === 8) {
        const pages = Math.ceil(model.length / inPage);
        const pagesMax = random.pick([pages, PAGES_MAX]);
        assert.is(call('move', array, spare, pagesMax), 0);
        [array, spare] = [spare, array];
        if (pagesMax < PAGES_MAX) {
          if (pages > 0) assert.is(call('move', array, spare, pages - 1), -ENOSPC);
          assert.is(call('move', array, spare, PAGES_MAX), 0);
          [array, spare] = [spare, array];
        }
      } else {
        call('create', other, PAGES_MAX, shift);
        const added = Array.from({ length: Math.min(some, limit - model.length) }, () =>
          random.bits(),
        );
        for (const value of added) assert.is(call('push', other, shift, BigInt(value)), 0);
        const fits = model.length % inPage === 0;
        assert.is(call('append', array, other), fits ? 0 : -EINVAL);
        if (fits) {
          model = model.concat(added);
          assert.is(call('length', other), 0);
        } else {
          assertSame(call, other, shift, added);
          call('free', other);
        }
      }
      assert.is(call('length', array), model.length);
      const frames = Math.ceil(model.length / inPage);
      assert.is(call('framesUsed') - before, frames, 'a frame for each page in use and no other');
      if (step % 20 === 0) assertSame(call, array, shift, model);
    }
    assertSame(call, array, shift, model);
    call('free', array);
    assert.is(call('framesUsed'), before);
    assert.is(call('length', array), 0);
    assert.is(call('push', array, shift, 1n), 0, 'what is left can be used again');
    call('free', array);
    assert.is(call('framesUsed'), before);
    await vm.close();
  });
}

tests('out of frames: the call fails, the array stays as it is and goes on later', async () => {
  const { vm, call } = await startGuest(2 ** 24);
  const array = claimTable(call);
  call('create', array, PAGES_MAX, 3);
  const model = Array.from({ length: 1000 }, (_, index) => index * 3);
  for (const value of model) assert.is(call('push', array, 3, BigInt(value)), 0);
  assert.ok(call('hoard', 2) > 2);
  assert.is(call('resize', array, 512 * 5, 3), -ENOMEM);
  assertSame(call, array, 3, model);
  while (call('push', array, 3, BigInt(model.length * 3)) === 0) model.push(model.length * 3);
  assert.is(model.length, 512 * 4, 'the two frames that the failed call gave back');
  assert.is(call('push', array, 3, 0n), -ENOMEM, 'and again');
  assertSame(call, array, 3, model);
  call('freeHoard');
  assert.is(call('push', array, 3, 6144n), 0);
  assertSame(call, array, 3, [...model, 6144]);
  await vm.close();
});

tests('out of pages: an error, and a larger table', async () => {
  const { vm, call } = await startGuest();
  const small = claimTable(call);
  const large = claimTable(call);
  const used = call('framesUsed');
  call('create', small, 2, 12);
  for (const value of [1n, 2n]) assert.is(call('push', small, 12, value), 0);
  assert.is(call('push', small, 12, 3n), -ENOMEM);
  assert.is(call('resize', small, 3, 12), -ENOSPC);
  assertSame(call, small, 12, [1, 2]);
  call('create', large, PAGES_MAX, 12);
  assert.is(call('push', large, 12, 9n), 0);
  assert.is(call('append', small, large), -ENOSPC);
  assert.is(call('append', large, large), -EINVAL, 'to itself');
  assertSame(call, large, 12, [9]);
  call('free', large);
  call('create', large, PAGES_MAX, 3);
  assert.is(call('append', large, small), -EINVAL, 'elements of another size');
  assert.is(call('move', small, large, PAGES_MAX), 0);
  assert.is(call('push', large, 12, 3n), 0);
  assertSame(call, large, 12, [1, 2, 3]);
  call('free', large);
  assert.is(call('framesUsed'), used);
  await vm.close();
});

tests('a scan asks once a page', async () => {
  const { vm, call } = await startGuest();
  const array = claimTable(call);
  call('create', array, PAGES_MAX, 3);
  for (const count of [0, 1, 511, 512, 513, 100_000]) {
    call('free', array);
    for (let i = 0; i < count; i++) call('push', array, 3, BigInt(i));
    assert.is(call('sum', array), (count * (count - 1)) / 2);
  }
  await vm.close();
});

tests('another vCPU reads what was published while the array grows', async () => {
  const { vm, call } = await startGuest();
  const COUNT = 512 * PAGES_MAX;
  const array = claimTable(call);
  const published = claimTable(call);
  call('create', array, PAGES_MAX, 3);
  const job: FollowerJob = { handle: vm.handle, call: ['follow', array, COUNT, published] };
  const wrong = runThread(new URL('./follower.js', import.meta.url), job);
  for (let step = 1; step <= 64; step++) {
    // lets the follower overtake, now and then
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.is(call('produce', array, (COUNT / 64) * step, published), 0);
  }
  assert.is(await wrong, 0);
  await vm.close();
});

tests.run();
