// Goal: store behaviour beyond abstract-level's tests: synchronous calls, large values, small pools,
// reopening.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { Random } from '../random.ts';
import { codeOf, freshLocation } from './stores.ts';

const MIB = 2 ** 20;

const tests = suite('level store');

async function opened(options = {}, location = freshLocation()): Promise<RingzeroLevel> {
  const db = new RingzeroLevel(location, options);
  await db.open();
  return db;
}

tests('synchronous calls match the asynchronous ones', async () => {
  const db = await opened();
  db.putSync('a', '1');
  db.putSync('', 'empty key');
  db.putSync('ü€😀', 'ä€😀');
  assert.is(db.getSync('a'), '1');
  assert.is(await db.get(''), 'empty key');
  assert.is(db.getSync('ü€😀'), 'ä€😀');
  assert.is(db.getSync('b'), undefined);
  db.delSync('a');
  db.delSync('a');
  assert.is(db.getSync('a'), undefined);
  db.batchSync([
    { type: 'put', key: 'x', value: '1' },
    { type: 'put', key: 'y', value: '2' },
    { type: 'del', key: 'x' },
  ]);
  assert.equal(db.getManySync(['x', 'y', '', 'y']), [undefined, '2', 'empty key', '2']);
  const bytes = db.getSync('y', { valueEncoding: 'view' }) as unknown;
  assert.equal(bytes, new Uint8Array([50]));
  const kept = db.getSync('ü€😀', { valueEncoding: 'buffer' }) as unknown as Buffer;
  db.putSync('ü€😀', 'something else');
  assert.is(kept.toString(), 'ä€😀', 'the caller owns its value');
  for (const bad of [null, undefined]) {
    assert.throws(() => db.putSync(bad as unknown as string, 'v'), /null or undefined/);
    assert.throws(() => db.putSync('k', bad as unknown as string), /null or undefined/);
  }
  await db.close();
  for (const call of [
    () => db.getSync('a'),
    () => db.putSync('a', 'b'),
    () => db.getInto('a', new Uint8Array(1)),
    () => [...db.rangeSync()],
    () => db.handle,
  ])
    assert.throws(call, (error: { code: string }) => error.code === 'LEVEL_DATABASE_NOT_OPEN');
});

tests('look-ups use an encoding, whatever its name', async () => {
  const upper = {
    name: 'utf8',
    format: 'utf8' as const,
    encode: (text: string) => text.toUpperCase(),
    decode: (text: string) => text.toLowerCase(),
  };
  const byKey = await opened({ keyEncoding: upper });
  byKey.putSync('Key', 'value');
  assert.is(byKey.getSync('kEY'), 'value');
  assert.is(byKey.getInto('kEY', new Uint8Array(8)), 5);
  await byKey.close();
  const byValue = await opened({ valueEncoding: upper });
  byValue.putSync('Key', 'Value');
  assert.is(byValue.getSync('Key'), 'value');
  assert.is(byValue.getSync('kEY'), undefined);
  await byValue.close();
  const db = await opened();
  await db.put('7', '8');
  assert.is(db.getSync(7 as unknown as string), '8', 'a number becomes a string');
  assert.is(db.getSync('7', undefined as never), '8');
  await db.close();
});

tests(
  'getInto() returns the length, fills the target up to its size, and returns -1 for a missing key',
  async () => {
    const db = await opened();
    const target = Buffer.alloc(8, '.');
    db.putSync('k', 'hello');
    assert.is(db.getInto('k', target), 5);
    assert.is(target.toString(), 'hello...');
    db.putSync('k', 'a longer value');
    assert.is(db.getInto('k', target), 14);
    assert.is(target.toString(), 'a longer');
    assert.is(db.getInto('none', target), -1);
    const words = new Float64Array(8) as unknown as Uint8Array;
    assert.throws(() => db.getInto('k', words), /must be a Uint8Array/);
    assert.is(db.getInto('k', new Uint8Array(0)), 14);
    await db.close();
  },
);

tests(
  'rangeSync() takes bounds, direction, limit and encodings, and can be left early',
  async () => {
    const db = await opened({ valueEncoding: 'json' });
    const all = Array.from({ length: 3000 }, (_, i) => `k${String(i).padStart(5, '0')}`);
    db.batchSync(all.map((key, i) => ({ type: 'put', key, value: i as unknown as string })));
    assert.equal(
      [...db.rangeSync()].map(([key]) => key),
      all,
    );
    assert.equal(
      [...db.rangeSync({ reverse: true })].map(([, v]) => v as unknown),
      all.map((_, i) => 2999 - i),
    );
    const some = [...db.rangeSync({ gt: 'k00010', lte: 'k00013' })].map(([key]) => key);
    assert.equal(some, ['k00011', 'k00012', 'k00013']);
    assert.equal(
      [...db.rangeSync({ gte: 'k02998', limit: 5, values: false })],
      [
        ['k02998', undefined],
        ['k02999', undefined],
      ],
    );
    let seen = 0;
    for (const [key] of db.rangeSync()) {
      seen++;
      if (key === 'k00999') break;
    }
    assert.is(seen, 1000);
    await db.close();
  },
);

tests('LEVEL-3: for await sees every entry once while the store is being changed', async () => {
  const db = await opened();
  const keys = Array.from({ length: 5000 }, (_, i) => String(i).padStart(5, '0'));
  await db.batch(keys.map((key) => ({ type: 'put', key, value: key })));
  const seen: string[] = [];
  for await (const [key] of db.iterator()) {
    seen.push(key);
    // Splits leaves just ahead of and behind the iterator.
    if (seen.length % 10 === 0) db.putSync(`${key}+`, 'new');
  }
  assert.equal(
    seen.filter((key) => !key.endsWith('+')),
    keys,
  );
  const abort = new AbortController();
  const values: string[] = [];
  const code = await codeOf(
    (async () => {
      for await (const value of db.values({ signal: abort.signal })) {
        values.push(value);
        if (values.length === 7) abort.abort();
      }
    })(),
  );
  assert.is(code, 'LEVEL_ABORTED');
  assert.is(values.length, 7);
  await db.close();
});

tests('values up to 64 MiB, and no longer', async () => {
  const location = freshLocation();
  let db = await opened({ valueEncoding: 'buffer', poolSize: 8 * MIB }, location);
  const sizes = [0, 1, 4000, 4096, 65_536, MIB - 4096, MIB - 4095, 3 * MIB + 1, 64 * MIB];
  const valueOf = (size: number): Buffer => {
    const value = Buffer.alloc(size, 'The value of a store. ');
    if (size >= 8) value.writeDoubleLE(size, size - 8);
    return value;
  };
  for (const size of sizes) await db.put(`size ${size}`, valueOf(size) as unknown as string);
  const check = async (): Promise<void> => {
    for (const size of sizes) {
      const value = (await db.get(`size ${size}`)) as unknown as Buffer;
      assert.ok(value.equals(valueOf(size)), `value of ${size} bytes`);
    }
    const target = Buffer.alloc(2 * MIB);
    assert.is(db.getInto(`size ${3 * MIB + 1}`, target), 3 * MIB + 1);
    assert.ok(target.equals(valueOf(3 * MIB + 1).subarray(0, 2 * MIB)));
    const entries = await db.iterator().all();
    assert.is(entries.length, sizes.length);
    for (const [key, value] of entries)
      assert.ok((value as unknown as Buffer).equals(valueOf(Number(key.slice(5)))));
    const many = await db.getMany(sizes.map((size) => `size ${size}`));
    many.forEach((value, i) => assert.ok((value as unknown as Buffer).equals(valueOf(sizes[i]!))));
  };
  await check();
  const { evictions } = db.stats();
  db.getSync(`size ${64 * MIB}`);
  assert.ok(
    db.stats().evictions - evictions < 2 * 2 ** 14,
    'each page is read about once, although a value is read in parts',
  );
  await db.close();
  db = await opened({ valueEncoding: 'buffer', poolSize: 8 * MIB }, location);
  await check();
  const tooLong = Buffer.alloc(64 * MIB + 1) as unknown as string;
  assert.is(await codeOf(db.put('x', tooLong)), 'LEVEL_INVALID_VALUE');
  assert.is(
    await codeOf(db.batch([{ type: 'put', key: 'x', value: tooLong }])),
    'LEVEL_INVALID_VALUE',
  );
  assert.is(await codeOf(db.put('x'.repeat(1025), tooLong)), 'LEVEL_INVALID_KEY');
  await db.put('ü'.repeat(512), Buffer.from('longest key') as unknown as string);
  assert.is(String(db.getSync('ü'.repeat(512))), 'longest key');
  const large = sizes
    .filter((size) => size > MIB)
    .map(
      (size) =>
        ({ type: 'put', key: `batch ${size}`, value: valueOf(size) as unknown as string }) as const,
    );
  await db.batch([{ type: 'del', key: 'size 1' }, ...large, { type: 'del', key: 'size 0' }]);
  for (const { key, value } of large)
    assert.ok((db.getSync(key) as unknown as Buffer).equals(value as unknown as Buffer));
  await db.clear();
  assert.is(db.stats().entries, 0);
  assert.ok(db.verifySync());
  await db.close();
});

tests(
  'D14: a key that is too long for the store is not found, and removing it does nothing',
  async () => {
    const db = await opened({});
    const long = ['x'.repeat(1025), 'ü'.repeat(513), '€'.repeat(2000)];
    db.putSync('a', '1');
    db.putSync('x'.repeat(1024), '2');
    for (const key of long) {
      assert.is(await db.get(key), undefined);
      assert.is(db.getSync(key), undefined);
      assert.is(db.getInto(key, new Uint8Array(8)), -1);
      assert.is(await db.has(key), false);
      assert.equal(await db.hasMany(['a', key]), [true, false]);
      await db.del(key);
      db.delSync(key, { sync: true });
      assert.is(await codeOf(db.put(key, 'v')), 'LEVEL_INVALID_KEY');
      assert.throws(() => db.putSync(key, 'v'), /at most 1024/);
      assert.throws(
        () =>
          db.batchSync([
            { type: 'put', key: 'no', value: 'v' },
            { type: 'put', key, value: 'v' },
          ]),
        /at most 1024/,
      );
      db.batchSync([
        { type: 'del', key },
        { type: 'put', key: 'b', value: '3' },
        { type: 'del', key },
      ]);
    }
    const keys = ['a', ...long, 'x'.repeat(1024), long[0]!, 'b', 'no'];
    const values = ['1', undefined, undefined, undefined, '2', undefined, '3', undefined];
    assert.equal(await db.getMany(keys), values);
    assert.equal(db.getManySync(keys), values);
    const names = db.sublevel('n'.repeat(1020));
    assert.is(await names.get('abcdef'), undefined);
    await names.del('abcdef');
    await db.close();
  },
);

tests('a file many times larger than the pool, against a map', async () => {
  const random = Random.forTest('level, small pool');
  const location = freshLocation();
  const options = { poolSize: 256 * 1024, durable: false };
  let db = await opened(options, location);
  const model = new Map<string, string>();
  for (let turn = 0; turn < 3; turn++) {
    for (let i = 0; i < 4000; i++) {
      const key = `key ${random.below(6000)}`;
      if (random.chance(0.2)) {
        db.delSync(key);
        model.delete(key);
      } else {
        const value = `${i} `.repeat(random.below(120));
        db.putSync(key, value);
        model.set(key, value);
      }
    }
    assert.ok(db.verifySync());
    await db.close();
    db = await opened(options, location);
    assert.is(db.stats().entries, model.size);
    for (const [key, value] of model) assert.is(db.getSync(key), value);
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.equal([...db.rangeSync()], sorted);
    const keys = [...model.keys()];
    assert.equal(await db.getMany(keys), [...model.values()]);
  }
  assert.ok(db.stats().evictions > 100, 'the pool was too small');
  assert.ok(db.stats().poolPages * 4 < db.stats().pages);
  await db.clear({ gte: 'key 3', limit: 10 });
  assert.is(db.stats().entries, model.size - 10);
  await db.clear({ gte: 'key 3' });
  assert.is(db.stats().entries, [...model.keys()].filter((key) => key < 'key 3').length);
  await db.close();
});

tests('directIO: bypasses the page cache, and the file is the same without it', async () => {
  const location = freshLocation();
  const valueOf = (i: number): string => `${i} `.repeat(25);
  const options = { poolSize: 2 ** 20, directIO: true };
  let db = new RingzeroLevel(location, options);
  await db.open();
  for (let i = 0; i < 20_000; i++) db.putSync(`key ${i}`, valueOf(i));
  assert.ok(db.stats().evictions > 0);
  for (let i = 0; i < 20_000; i += 17) assert.is(db.getSync(`key ${i}`), valueOf(i));
  await db.close();
  for (const directIO of [false, true]) {
    db = new RingzeroLevel(location, { ...options, directIO });
    await db.open();
    for (let i = 0; i < 20_000; i += 13) assert.is(db.getSync(`key ${i}`), valueOf(i));
    assert.is(db.verifySync(), true);
    await db.close();
  }
});

tests('options out of range are refused by name', async () => {
  const refused = (make: () => unknown, name: RegExp): void =>
    assert.throws(
      make,
      (error: { code: string; message: string }) =>
        error.code === 'RZ_OPTION' && name.test(error.message),
    );
  refused(() => new RingzeroLevel(''), /location/);
  refused(() => new RingzeroLevel(undefined as unknown as string), /location/);
  for (const poolSize of [0, 65_535, 2 ** 32, NaN, '1gb' as unknown as number])
    refused(() => new RingzeroLevel('x', { poolSize }), /poolSize/);
  refused(() => new RingzeroLevel('x', { directIO: 1 as unknown as boolean }), /directIO/);
});

tests('destroy() removes a store and nothing else', async () => {
  const location = freshLocation();
  await RingzeroLevel.destroy(location);
  const db = await opened({}, location);
  assert.is(await codeOf(RingzeroLevel.destroy(location)), 'LEVEL_LOCKED');
  await db.put('a', 'b');
  await db.close();
  await RingzeroLevel.destroy(location);
  assert.is(
    await codeOf(new RingzeroLevel(location, { createIfMissing: false }).open()),
    'LEVEL_DATABASE_NOT_OPEN',
  );
  assert.is(await codeOf(RingzeroLevel.repair(location)), 'LEVEL_NOT_SUPPORTED');
});

tests.run();
