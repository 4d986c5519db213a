// The store's filterSync(): the entries that a user-defined function lets through, and none of its failures
// in the store.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroError, RingzeroLevel, Udf } from '../../host/level/index.ts';
import { freshLocation } from '../level/stores.ts';
import { Random } from '../random.ts';
import { BEGINS_WITH_W, LOOP, UPPER, udf } from './modules.ts';

const test = suite('user-defined functions: the store');

/** The value's length is odd. */
const ODD = udf({
  memory: '(memory (export "memory") 32)',
  call: '(i32.and (local.get $bytes) (i32.const 1))',
});
const NEVER = udf({ memory: '(memory (export "memory") 32)', call: '(i32.const 0)' });

function codeOf(body: () => unknown): string {
  try {
    body();
    return 'no error';
  } catch (error) {
    assert.instance(error, RingzeroError);
    return (error as RingzeroError).code;
  }
}

test('D14: the limit of filterSync() counts what the function lets through, and is read as that of iterator()', async () => {
  const db = new RingzeroLevel(freshLocation(), { poolSize: 2 ** 20 });
  await db.open();
  for (let i = 0; i < 5000; i++) db.putSync(String(i).padStart(4, '0'), 'x'.repeat(i % 4));
  const odd = Udf.compile(ODD);
  const all = [...db.filterSync(odd)];
  assert.is(all.length, 2500);
  for (const limit of [0, 1, 7, 1500, 2500, 9999, -1, Infinity, undefined])
    assert.equal(
      [...db.filterSync(odd, { limit })],
      limit === undefined || limit < 0 ? all : all.slice(0, limit),
    );
  for (const limit of [2.5, NaN, '3', null] as number[]) {
    const expected = await db
      .iterator({ limit })
      .all()
      .then((entries) => entries.length, String);
    const count = (): number | string => {
      try {
        return [...db.rangeSync({ limit })].length;
      } catch (error) {
        return String(error);
      }
    };
    assert.is(count(), expected, `rangeSync, ${limit}`);
    const filtered = [...db.filterSync(odd, { limit })].length;
    assert.is(
      filtered,
      typeof expected === 'number' ? Math.min(expected, 2500) : expected,
      `filterSync, ${limit}`,
    );
  }
  await db.close();
});

for (const [name, parts] of [
  ['ASCII', ['w', 'x', 'word', 'sentence of some words']],
  ['UTF-8', ['w', 'é', '€uro', '😀']],
] as const) {
  test(`filterSync() gives what filtering rangeSync() gives: ${name}`, async () => {
    const random = Random.forTest(`filterSync, ${name}`);
    const db = new RingzeroLevel(freshLocation());
    await db.open();
    for (let i = 0; i < 3000; i++) {
      const value = Array.from({ length: random.below(12) }, () => random.pick(parts)).join('');
      const large = random.chance(0.01) ? 'w'.repeat(5000 + random.below(200_000)) : '';
      db.putSync(`key ${String(i).padStart(5, '0')}`, value + large);
    }
    const odd = Udf.compile(ODD);
    const isOdd = (value: string): boolean => Buffer.byteLength(value) % 2 === 1;
    for (const bounds of [
      {},
      { reverse: true },
      { gte: 'key 00100', lt: 'key 02100' },
      { gt: 'key 02990' },
      { gt: 'z' },
    ]) {
      const expected = [...db.rangeSync(bounds)].filter(([, value]) => isOdd(value));
      assert.equal([...db.filterSync(odd, bounds)], expected);
      for (const limit of [0, 1, 7, 129, 1000, 100_000]) {
        const given = [...db.filterSync(odd, { ...bounds, limit })];
        assert.equal(given, expected.slice(0, limit), `limit ${limit}`);
      }
      const keys = [...db.filterSync(odd, { ...bounds, values: false })];
      assert.equal(
        keys,
        expected.map(([key]) => [key, undefined]),
        'keys alone',
      );
      const values = [...db.filterSync(odd, { ...bounds, keys: false })];
      assert.equal(
        values,
        expected.map(([, value]) => [undefined, value]),
        'values alone',
      );
      assert.equal([...db.filterSync(Udf.compile(NEVER), bounds)], []);
    }
    const bytes = [...db.filterSync(odd, { valueEncoding: 'view' })] as unknown[][];
    const expected = [...db.rangeSync({ valueEncoding: 'view' })] as unknown[][];
    assert.equal(
      bytes,
      expected.filter(([, value]) => (value as Uint8Array).length % 2 === 1),
    );
    await db.close();
  });
}

test('a function that fails ends its range, and the store goes on', async () => {
  const db = new RingzeroLevel(freshLocation());
  await db.open();
  for (let i = 0; i < 300; i++) db.putSync(`k${i}`, i % 3 === 0 ? 'word' : 'other');
  const loop = Udf.compile(LOOP, { fuel: 1000 });
  const trap = Udf.compile(udf({ call: '(unreachable)' }));
  const words = Udf.compile(BEGINS_WITH_W);
  for (let round = 0; round < 3; round++) {
    assert.is(
      codeOf(() => [...db.filterSync(loop)]),
      'RZ_UDF_LIMIT',
    );
    assert.is(
      codeOf(() => [...db.filterSync(trap)]),
      'RZ_UDF_TRAP',
    );
    assert.is([...db.filterSync(words)].length, 100);
    db.putSync('another', 'row');
    assert.is(db.getSync('another'), 'row');
  }
  assert.is(
    codeOf(() => db.filterSync(Udf.compile(UPPER))),
    'RZ_OPTION',
  );
  assert.ok(db.verifySync());
  await db.close();
});

test.run();
