// Numbers of INCRBYFLOAT: the guest's integer arithmetic against a real redis-server, byte for byte.
//
// Method: pairs of random texts (short, long, huge, tiny, hexadecimal, malformed) are added by both. Not
// covered: a redis-server on a machine whose long double is not the x87's.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { probe, type Probe } from './probe.ts';
import { startRedis, type RealRedis } from './real-redis.ts';

const test = suite('redis/long-double');

const SOURCE = `
  import * as longDouble from './bytes/long-double.ts';
  const OUT: usize = memory.data(8192, 16);
  export function out(): u32 { return <u32>OUT; }
  export function sum(a: u32, aBytes: u32, b: u32, bBytes: u32): i32 {
    const first = longDouble.parse(a, aBytes, longDouble.FIRST);
    if (first == longDouble.INVALID) return -1;
    const second = longDouble.parse(b, bBytes, longDouble.SECOND);
    if (second == longDouble.INVALID) return -2;
    if (first == longDouble.INFINITE || second == longDouble.INFINITE) return -3;
    if (longDouble.add(longDouble.FIRST, longDouble.SECOND) != longDouble.FINITE) return -3;
    return longDouble.format(<u32>OUT, longDouble.FIRST);
  }
`;

const INVALID = 'ERR value is not a valid float';
const INFINITE = 'ERR increment would produce NaN or Infinity';

let guest: Probe;
let redis: RealRedis | undefined;

test.before(async () => {
  guest = await probe(SOURCE);
  redis = await startRedis();
});
test.after(() => redis?.stop());

function sum(a: string, b: string): string {
  const at = 4 << 16;
  const first = Buffer.from(a, 'latin1');
  const second = Buffer.from(b, 'latin1');
  guest.bytes.set(first, at);
  guest.bytes.set(second, at + 8192);
  const bytes = guest.call.sum!(at, first.length, at + 8192, second.length);
  if (bytes === -3) return INFINITE;
  if (bytes < 0) return INVALID;
  const out = guest.call.out!();
  return Buffer.from(guest.bytes.slice(out, out + bytes)).toString();
}

async function compare(pairs: [string, string][]): Promise<void> {
  if (redis === undefined) return;
  const replies = await redis.pipeline(
    pairs.flatMap(([a, b]) => [
      ['SET', 'k', a],
      ['INCRBYFLOAT', 'k', b],
    ]),
  );
  pairs.forEach(([a, b], i) => {
    const reply = replies[i * 2 + 1];
    const theirs = reply instanceof Error ? reply.message : String(reply);
    assert.is(sum(a, b), theirs, `${a.slice(0, 200)} + ${b.slice(0, 200)}`);
  });
}

test('the numbers of documents and bug reports are as in Redis', async () => {
  await compare([
    ['10.50', '0.1'],
    ['10.6', '-5'],
    ['5.0e3', '2.0e2'],
    ['3.0', '1.000000000000000005'],
    ['0.1', '0.2'],
    ['1e17', '1'],
    ['9007199254740993', '0.5'],
    ['18446744073709551615', '1'],
    ['-0', '0'],
    ['-1e-20', '0'],
    ['1', '-1'],
    ['0', '5e-18'],
    ['0', '15e-18'],
    ['99999999999999999.99999999', '0'],
    ['0.999999999999999999', '0'],
    ['1e4932', '1e4932'],
    ['1e4932', '-1e4932'],
    ['1.18973149535723176502e+4932', '0'],
    ['1.18973149535723176508575932662800702e4932', '1'],
    ['1.2e4932', '0'],
    ['1e-4950', '0'],
    ['1e-4951', '0'],
    ['1.8e-4951', '0'],
    ['1.9e-4951', '0'],
    ['1e-99999999999', '0'],
    ['1e99999999999', '0'],
    ['0e99999999999', '1'],
  ]);
});

const ODD = [
  ...['', ' 1', '1 ', '+', '-', '.', '1.', '.5', '+.5', '-.5e1', '1e', '1e+', '1e+1'],
  ...['1E1', '--1', '+-1', '1.2.3', '0x', '0x.', '0x1', '0X1.8p3', '0x.8p-1', '0x1p'],
  ...['0x1p+', '-0xfFp1', '0x1.fffffffffffffffffp0', '0xg', '1x', 'inf', '-inf'],
  ...['Infinity', '+INFINITY', 'infinit', 'infin', 'nan', 'nan(1)', '-nan', 'in', '1\0'],
  ...['1_0', '1,5', 'é', '0x1p16383', '0x1p16384', '0x1.ffffffffffffffffp16383'],
  ...['0x1p-16445', '0x1p-16446', '0x1.8p-16446', '0x1p-16447', '0x' + 'f'.repeat(40)],
  ...['0x8000000000000000800000', '0x8000000000000001800000', '0x8000000000000000800001'],
  ...['9'.repeat(5000), '0.' + '3'.repeat(5000), '0'.repeat(5000) + '7'],
  ...['1' + '0'.repeat(4931), '7'.repeat(5120), '0.' + '0'.repeat(5000) + '1'],
  ...['0.' + '0'.repeat(4940) + '123', '7'.repeat(4000) + '.' + '7'.repeat(1000)],
];

test('what strtold accepts or rejects is accepted or rejected', async () => {
  await compare(
    ODD.flatMap((text): [string, string][] => [
      [text, '0'],
      ['0', text],
      ['1.25', text],
    ]),
  );
});

test('BIG-1: random numbers of all sizes add up as in Redis', async () => {
  const random = Random.forTest('long-double');
  const pairs: [string, string][] = [];
  for (let i = 0; i < 6000; i++) pairs.push([numberOf(random), numberOf(random)]);
  // Near cancellation, and halves of the last place.
  for (let i = 0; i < 2000; i++) {
    const a = numberOf(random);
    const b =
      (a.startsWith('-') ? '' : '-') +
      a.replace(/^-/, '').replace(/\d(?=\D*$)/, String(random.below(10)));
    pairs.push([a, b]);
  }
  await compare(pairs);
});

function digits(random: Random, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += random.below(10);
  return text;
}

const hex = (value: number): string => value.toString(16);

function numberOf(random: Random): string {
  const sign = random.below(2) ? '-' : '';
  switch (random.below(8)) {
    case 0:
      return sign + digits(random, 1 + random.below(6));
    case 1:
      return sign + digits(random, 1 + random.below(22));
    case 2:
      return sign + digits(random, 1 + random.below(5)) + '.' + digits(random, 1 + random.below(5));
    case 3:
      return (
        sign + digits(random, 1 + random.below(20)) + '.' + digits(random, 1 + random.below(30))
      );
    case 4:
      return `${sign}${digits(random, 1)}.${digits(random, 20)}e${random.below(60) - 30}`;
    case 5:
      return `${sign}${digits(random, 1 + random.below(40))}e${random.below(9900) - 4960}`;
    case 6: {
      // An exact half of the 17th place.
      const n = BigInt(digits(random, 6)) * 2n + 1n;
      return `${sign}${digits(random, 2)}.${(n * 5n).toString().padStart(18, '0')}`;
    }
    default:
      return (
        `${sign}0x${hex(random.below(2 ** 31) * 8 + 1)}.${hex(random.below(2 ** 31))}` +
        `p${random.below(140) - 70}`
      );
  }
}

test.run();
