// Goal: ranges return the text of every key and value, whatever bytes surround it, through every interface.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroLevel } from '../../host/level/index.ts';
import { Random } from '../random.ts';
import { freshLocation } from './stores.ts';

const tests = suite('level ranges');

type Bytes = [key: Buffer, value: Buffer];

/** Pieces that break if decoded together with their neighbours: halves of characters, invalid bytes. */
const PARTS = ['a', 'key', '0'.repeat(20), 'é', '€', '😀', '\0'].map((part) => Buffer.from(part));
const BROKEN = [[0xc3], [0xa9], [0xe2, 0x82], [0xac], [0xf0, 0x9f], [0xff], [0x80]].map((part) =>
  Buffer.from(part),
);

function entry(random: Random, broken: number): Bytes {
  const bytes = (parts: number): Buffer =>
    Buffer.concat(
      Array.from({ length: random.below(parts) }, () =>
        random.pick(random.chance(broken) ? BROKEN : PARTS),
      ),
    );
  return [bytes(8), random.chance(0.01) ? Buffer.alloc(5000, 'large') : bytes(30)];
}

function ascii(random: Random, i: number): Bytes {
  const value = 'v'.repeat(random.below(random.chance(0.05) ? 1100 : 120));
  return [Buffer.from(`key ${String(i).padStart(6, '0')}`), Buffer.from(value)];
}

async function inEveryWay(db: RingzeroLevel, options: object): Promise<[string, string][][]> {
  const awaited: [string, string][] = [];
  for await (const entry of db.iterator(options)) awaited.push(entry);
  const stepped: [string, string][] = [];
  const steps = db.iterator(options);
  for (let entry; (entry = await steps.next()) !== undefined;) stepped.push(entry);
  await steps.close();
  const keys = await db.keys(options).all();
  const values = await db.values(options).all();
  return [
    [...db.rangeSync(options)],
    await db.iterator(options).all(),
    awaited,
    stepped,
    keys.map((key, i) => [key, values[i]!]),
  ];
}

for (const [name, broken, isAscii] of [
  ['ASCII', 0, true],
  ['UTF-8', 0, false],
  ['bytes that are not UTF-8', 0.3, false],
] as const) {
  tests(`every interface returns the same text: ${name}`, async () => {
    const random = Random.forTest(`level, ranges of ${name}`);
    const db = new RingzeroLevel(freshLocation());
    await db.open();
    const model = new Map<string, Bytes>();
    for (let i = 0; i < 3000; i++) {
      // Mostly ASCII, so that ASCII runs end inside other entries.
      const made = isAscii || random.chance(0.97) ? ascii(random, i) : entry(random, broken);
      model.set(made[0].toString('hex'), made);
    }
    const sorted = [...model.values()].sort(([a], [b]) => Buffer.compare(a, b));
    for (const [key, value] of model.values())
      await db.put<Buffer, Buffer>(key, value, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    const all = sorted.map(([key, value]) => [key.toString(), value.toString()]);
    const { length } = all;
    const first = all.findIndex(([key]) => key! >= 'key 001');
    const last = all.findIndex(([key]) => key! >= 'key 002');
    for (const [options, expected] of [
      [{}, all],
      [{ reverse: true }, [...all].reverse()],
      [{ limit: 100 }, all.slice(0, 100)],
      [{ limit: length }, all],
      [{ limit: 0 }, []],
      [{ reverse: true, limit: 1500 }, all.slice(length - 1500).reverse()],
      [{ gte: 'key 001', lt: 'key 002' }, all.slice(first, last)],
      [
        { gte: 'key 001', lt: 'key 002', reverse: true, limit: 7 },
        all.slice(first, last).reverse().slice(0, 7),
      ],
    ] as const)
      for (const found of await inEveryWay(db, options)) assert.equal(found, expected);
    await db.close();
  });
}

tests('parts of an entry, and encodings other than text', async () => {
  const db = new RingzeroLevel(freshLocation());
  await db.open();
  for (let i = 0; i < 300; i++) db.putSync(`key ${i}`, i % 100 === 0 ? 'é' : `value ${i}`);
  const all = [...db.rangeSync()];
  const bytes = [...db.rangeSync({ valueEncoding: 'buffer' })] as unknown as [string, Buffer][];
  assert.equal(
    bytes.map(([key, value]) => [key, value.toString()]),
    all,
  );
  assert.equal(
    [...db.rangeSync({ values: false })].map(([key]) => key),
    all.map(([key]) => key),
  );
  assert.equal(
    [...db.rangeSync({ keys: false })].map(([, value]) => value),
    all.map(([, value]) => value),
  );
  assert.is(
    [...db.rangeSync({ keys: false })].every(([key]) => key === undefined),
    true,
  );
  await db.close();
});

tests('a large value is found under a key that is not text', async () => {
  const db = new RingzeroLevel(freshLocation());
  await db.open();
  const value = 'large'.repeat(10_000);
  await db.put<Buffer, string>(Buffer.from([0xff, 1]), value, { keyEncoding: 'buffer' });
  await db.put<Buffer, string>(Buffer.from([0xff, 2]), 'small', { keyEncoding: 'buffer' });
  for (const found of await inEveryWay(db, {}))
    assert.equal(found, [
      ['\ufffd\x01', value],
      ['\ufffd\x02', 'small'],
    ]);
  await db.close();
});

tests('after seek() an iterator continues there, within the rest of its limit', async () => {
  const db = new RingzeroLevel(freshLocation());
  await db.open();
  const names = Array.from({ length: 500 }, (_, i) => `k${String(i).padStart(3, '0')}`);
  for (const name of names) db.putSync(name, name);
  const keys = db.keys({ limit: 300 });
  assert.equal([await keys.next(), await keys.next()], ['k000', 'k001']);
  keys.seek('k100');
  assert.equal(await keys.nextv(1000), names.slice(100, 398));
  assert.is(await keys.next(), undefined);
  await keys.close();
  await db.close();
});

tests('D14: rangeSync() takes a limit as iterator() does', async () => {
  const db = new RingzeroLevel(freshLocation());
  await db.open();
  db.batchSync(['a', 'b', 'c', 'd'].map((key) => ({ type: 'put', key, value: key })));
  for (const limit of [0, 2, -1, 2.5, NaN, Infinity, '3', null] as number[]) {
    const expected = await db.iterator({ limit }).all();
    assert.equal([...db.rangeSync({ limit })], expected, String(limit));
  }
  await db.close();
});

tests.run();
