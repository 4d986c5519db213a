// The codecs of RDB files: checksum and LZF.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { Random } from '../random.ts';
import { probe, type Probe } from './probe.ts';

const test = suite('redis/rdb-codec');

const SOURCE = `
  import * as crc64 from './rdb/crc64.ts';
  import * as lzf from './rdb/lzf.ts';
  let crc: u64 = 0;
  export function build(at: u32): void {
    crc64.build(at);
    lzf.attach(at + 65536);
  }
  export function restart(): void { crc = 0; }
  export function update(at: u32, bytes: u32): void { crc = crc64.update(crc, at, bytes); }
  export function low(): u32 { return <u32>crc; }
  export function high(): u32 { return <u32>(crc >> 32); }
  export { compress, decompress } from './rdb/lzf';
`;

let guest: Probe;
const AT = 1 << 20;
const OUT = 8 << 20;
const SCRATCH = 12 << 20;

test.before(async () => {
  guest = await probe(SOURCE);
  guest.call.build!(SCRATCH);
});

function crcOf(bytes: Uint8Array, cut = bytes.length): bigint {
  guest.bytes.set(bytes, AT);
  guest.call.restart!();
  guest.call.update!(AT, cut);
  guest.call.update!(AT + cut, bytes.length - cut);
  const low = BigInt(guest.call.low!() >>> 0);
  return (BigInt(guest.call.high!() >>> 0) << 32n) | low;
}

/** Bit by bit, as defined. */
function slowCrc(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x95ac9329ac4bc9b5n : 0n);
  }
  return crc;
}

function randomBytes(random: Random, count: number, symbols = 256): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.below(symbols));
}

test('the checksum of the digits 1 to 9 is the published one', () => {
  assert.is(crcOf(Buffer.from('123456789')), 0xe9c6d914c4b8d9can);
});

test('the checksum equals the definition for all lengths and cuts', () => {
  const random = Random.forTest('crc64');
  for (let i = 0; i < 60; i++) {
    const bytes = randomBytes(random, random.below(i < 40 ? 64 : 70000));
    assert.is(
      crcOf(bytes, random.below(bytes.length + 1)),
      slowCrc(bytes),
      `${bytes.length} bytes`,
    );
  }
});

function compress(bytes: Uint8Array, room: number): Uint8Array | undefined {
  guest.bytes.set(bytes, AT);
  guest.bytes.fill(0xee, OUT + room, OUT + room + 16);
  const written = guest.call.compress!(AT, bytes.length, OUT, room);
  assert.ok(written <= room);
  assert.ok(guest.bytes.slice(OUT + room, OUT + room + 16).every((byte) => byte === 0xee));
  return written === 0 ? undefined : guest.bytes.slice(OUT, OUT + written);
}

function decompress(bytes: Uint8Array, length: number): Uint8Array | undefined {
  guest.bytes.set(bytes, AT);
  guest.bytes.fill(0xee, OUT - 16, OUT + length + 16);
  const ok = guest.call.decompress!(AT, bytes.length, OUT, length);
  const around = [
    ...guest.bytes.slice(OUT - 16, OUT),
    ...guest.bytes.slice(OUT + length, OUT + length + 16),
  ];
  assert.ok(
    around.every((byte) => byte === 0xee),
    'nothing is written outside',
  );
  return ok ? guest.bytes.slice(OUT, OUT + length) : undefined;
}

test('LZF round trips', () => {
  const random = Random.forTest('lzf');
  let shorter = 0;
  for (let i = 0; i < 300; i++) {
    const bytes = randomBytes(
      random,
      random.below(i < 250 ? 2000 : 60000),
      random.pick([1, 2, 4, 16, 256]),
    );
    for (let copies = random.below(4); copies > 0 && bytes.length > 20; copies--) {
      const from = random.below(bytes.length >> 1);
      bytes.copyWithin(
        (bytes.length >> 1) + random.below(bytes.length >> 2),
        from,
        from + random.below(bytes.length >> 2),
      );
    }
    const packed = compress(bytes, bytes.length + 2000);
    if (packed === undefined) {
      assert.ok(bytes.length < 8);
      continue;
    }
    if (packed.length < bytes.length) shorter++;
    assert.equal(decompress(packed, bytes.length), bytes);
    assert.is(decompress(packed, bytes.length + 1), undefined);
    if (bytes.length > 0) assert.is(decompress(packed, bytes.length - 1), undefined);
    compress(bytes, random.below(packed.length));
  }
  assert.ok(shorter > 100);
});

test('LZF data that are noise never write outside, nor trap', () => {
  const random = Random.forTest('lzf noise');
  for (let i = 0; i < 3000; i++)
    decompress(randomBytes(random, random.below(80)), random.below(2000));
});

test.run();
