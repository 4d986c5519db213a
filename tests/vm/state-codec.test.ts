// The codec of states: every content comes back, and damaged input harms nothing.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { STATE_RAW_BYTES } from '../../assembly/abi/state.ts';
import { xxh32 } from '../../host/translator/identity.ts';
import { loadCodec } from '../../host/vm/state/codec.ts';
import { Random } from '../random.ts';

const test = suite('codec of states');
const codec = await loadCodec();
const text = (bytes: string): Uint8Array => new TextEncoder().encode(bytes);

/** Contents with runs, repeats at any distance, and noise. */
function content(random: Random, bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes;) {
    const length = Math.min(bytes - at, 1 + random.below(random.below(2) === 0 ? 40 : 5000));
    const kind = random.below(4);
    if (kind === 0) all.fill(random.below(256), at, at + length);
    else if (kind === 1 && at > 0) {
      const from = at - 1 - random.below(Math.min(at, 70_000));
      for (let i = 0; i < length; i++) all[at + i] = all[from + i]!;
    } else for (let i = 0; i < length; i++) all[at + i] = random.below(kind === 2 ? 256 : 3);
    at += length;
  }
  return all;
}

test('what is packed is unpacked, at lengths from 1 byte to the most', () => {
  const random = new Random(1);
  const lengths = [...Array(80).keys()].map((i) => i + 1);
  lengths.push(4096, 65535, 65536, 65537, STATE_RAW_BYTES);
  for (let i = 0; i < 60; i++) lengths.push(1 + random.below(200_000));
  for (const length of lengths) {
    const bytes = content(random, length);
    codec.raw.set(bytes);
    const packed = codec.pack(length);
    if (packed === undefined) continue; // noise
    assert.ok(packed.length < length);
    codec.raw.fill(0);
    assert.ok(codec.unpack(packed, length));
    assert.ok(Buffer.compare(codec.raw.subarray(0, length), bytes) === 0, `${length} bytes`);
    assert.not(codec.unpack(packed, length + 1));
    if (length > 1) assert.not(codec.unpack(packed, length - 1));
  }
});

test('pages of zeros take a hundredth', () => {
  codec.raw.fill(0);
  assert.ok(codec.pack(2 ** 20)!.length < 2 ** 20 / 100);
});

test('blocks of the published format are read: literals, a match, one that overlaps itself', () => {
  const literals = new Uint8Array([0x50, ...text('hello')]);
  assert.ok(codec.unpack(literals, 5));
  assert.equal([...codec.raw.subarray(0, 5)], [...text('hello')]);
  // 3 literals, a match of 4 + 5 bytes 3 back, then 5 literals
  const match = new Uint8Array([0x35, ...text('abc'), 3, 0, 0x50, ...text('12345')]);
  assert.ok(codec.unpack(match, 17));
  assert.equal([...codec.raw.subarray(0, 17)], [...text('abcabcabcabc12345')]);
  // 1 literal, a match of 4 + 15 + 255 + 6 bytes 1 back, then 5 literals
  const long = new Uint8Array([0x1f, 0x7a, 1, 0, 255, 6, 0x50, ...text('12345')]);
  assert.ok(codec.unpack(long, 286));
  assert.equal([...codec.raw.subarray(0, 286)], [...text(`${'z'.repeat(281)}12345`)]);
});

test('damaged blocks are refused or give other bytes, and nothing behind their room changes', () => {
  const random = new Random(2);
  for (let i = 0; i < 3000; i++) {
    const length = 1 + random.below(3000);
    codec.raw.set(content(random, length));
    const packed = codec.pack(length);
    if (packed === undefined) continue;
    for (let left = 1 + random.below(3); left > 0; left--)
      packed[random.below(packed.length)] = random.below(256);
    const room = random.below(3) === 0 ? 1 + random.below(4000) : length;
    const SLACK = 16;
    codec.raw.fill(0xee, room + SLACK, room + SLACK + 70_000);
    codec.unpack(packed.subarray(0, 1 + random.below(packed.length)), room);
    assert.ok(
      codec.raw.subarray(room + SLACK, room + SLACK + 70_000).every((byte) => byte === 0xee),
    );
  }
});

test('the checksums are those of the published algorithms', () => {
  assert.is(xxh32(text('')), 0x02cc5d05);
  assert.is(xxh32(text('a')), 0x550d7456);
  assert.is(xxh32(text('abc')), 0x32d153ff);
  assert.is(xxh32(text('Nobody inspects the spammish repetition')), 0xe2293b2f);
  assert.is(codec.hash(text(''), 0n), 0xef46db3751d8e999n);
  assert.is(codec.hash(text('abc'), 0n), 0x44bc2cf5ad770999n);
});

test.run();
