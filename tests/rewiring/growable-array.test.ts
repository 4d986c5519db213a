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

/** The array and a JavaScript one, changed alike. */
class Twins {
  readonly #call: Call;
  readonly #random: Random;
  readonly #shift: number;
  readonly #inPage: number;
  readonly #limit: number;
  readonly #other: number;
  #array: number;
  #spare: number;
  #model: number[] = [];

  constructor(call: Call, random: Random, shift: number) {
    this.#call = call;
    this.#random = random;
    this.#shift = shift;
    this.#inPage = 4096 >> shift;
    this.#limit = PAGES_MAX * this.#inPage;
    this.#array = claimTable(call);
    this.#spare = claimTable(call);
    this.#other = claimTable(call);
    call('create', this.#array, PAGES_MAX, shift);
  }

  get array(): number {
    return this.#array;
  }

  get pages(): number {
    return Math.ceil(this.#model.length / this.#inPage);
  }

  get length(): number {
    return this.#model.length;
  }

  check(): void {
    assertSame(this.#call, this.#array, this.#shift, this.#model);
  }

  step(): void {
    const kind = this.#random.below(10);
    const some = this.#random.below(this.#random.pick([3, this.#inPage + 2, 5 * this.#inPage]));
    if (kind < 3) this.#push(some);
    else if (kind < 5) this.#pop(some);
    else if (kind < 7) this.#set(some);
    else if (kind === 7) this.#resize(some);
    else if (kind === 8) this.#move();
    else this.#append(some);
  }

  #push(some: number): void {
    for (let i = 0; i < some && this.#model.length < this.#limit; i++) {
      this.#model.push(this.#random.bits());
      assert.is(this.#call('push', this.#array, this.#shift, BigInt(this.#model.at(-1)!)), 0);
    }
  }

  #pop(some: number): void {
    for (let i = 0; i < some; i++)
      assert.is(
        this.#call('pop', this.#array, this.#shift),
        Number(this.#model.pop() !== undefined),
      );
  }

  #set(some: number): void {
    const model = this.#model;
    for (let i = 0; i < some && model.length > 0; i++) {
      const index = this.#random.below(model.length);
      model[index] = this.#random.bits();
      this.#call('set', this.#array, index, this.#shift, BigInt(model[index]!));
      assert.is(this.#call('get', this.#array, index, this.#shift), model[index]);
    }
  }

  #resize(some: number): void {
    const model = this.#model;
    const wanted = Math.max(0, model.length + some * this.#random.pick([-1, 1]));
    const length = Math.min(this.#limit, wanted);
    assert.is(this.#call('resize', this.#array, length, this.#shift), 0);
    for (let index = model.length; index < length; index++) {
      model.push(index);
      this.#call('set', this.#array, index, this.#shift, BigInt(index));
    }
    model.length = length;
  }

  #move(): void {
    const { pages } = this;
    const pagesMax = this.#random.pick([pages, PAGES_MAX]);
    assert.is(this.#call('move', this.#array, this.#spare, pagesMax), 0);
    [this.#array, this.#spare] = [this.#spare, this.#array];
    if (pagesMax === PAGES_MAX) return;
    if (pages > 0) assert.is(this.#call('move', this.#array, this.#spare, pages - 1), -ENOSPC);
    assert.is(this.#call('move', this.#array, this.#spare, PAGES_MAX), 0);
    [this.#array, this.#spare] = [this.#spare, this.#array];
  }

  #append(some: number): void {
    const call = this.#call;
    call('create', this.#other, PAGES_MAX, this.#shift);
    const room = Math.min(some, this.#limit - this.#model.length);
    const added = Array.from({ length: room }, () => this.#random.bits());
    for (const value of added) assert.is(call('push', this.#other, this.#shift, BigInt(value)), 0);
    const fits = this.#model.length % this.#inPage === 0;
    assert.is(call('append', this.#array, this.#other), fits ? 0 : -EINVAL);
    if (fits) {
      this.#model = this.#model.concat(added);
      assert.is(call('length', this.#other), 0);
    } else {
      assertSame(call, this.#other, this.#shift, added);
      call('free', this.#other);
    }
  }
}

for (const shift of [3, 5, 12]) {
  tests(`elements of ${1 << shift} bytes: it does what a JavaScript array does`, async () => {
    const random = Random.forTest(`growable array of ${1 << shift} bytes`);
    const { vm, call } = await startGuest();
    const twins = new Twins(call, random, shift);
    const before = call('framesUsed');
    for (let step = 0; step < 400; step++) {
      twins.step();
      assert.is(call('length', twins.array), twins.length);
      const frames = call('framesUsed') - before;
      assert.is(frames, twins.pages, 'a frame for each page in use and no other');
      if (step % 20 === 0) twins.check();
    }
    twins.check();
    const { array } = twins;
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
