// Goal: a browser's text functions do what Node's do, on any bytes and any text. Here they do without the
// engine's string builtins, in Chromium (suites.chromium.ts) with them.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CODES, engineStrings } from '../../host/platform/browser/strings.ts';
import * as browser from '../../host/platform/browser/text.ts';
import * as node from '../../host/platform/text.ts';
import { Random } from '../random.ts';

const test = suite('text as a browser does it');
const BYTES = 65536;
const PARTS = ['a', 'key ', 'é', '€', '😀', '\0', '\ufeff', '\ud83d', '\ude00', 'x'.repeat(150)];
const random = Random.forTest('text');

/** Every other one is ASCII; long ones are too long for the builtins. */
function text(): string {
  const parts = random.below(2) === 0 ? PARTS : PARTS.filter((part) => /^[\0-\x7f]*$/.test(part));
  const length = random.below(random.below(8) === 0 ? 400 : 40);
  return Array.from({ length }, () => random.pick(parts)).join('');
}

/** A view of shared memory, as bytes and as text. */
function views(): { memory: Uint8Array; shared: browser.SharedText } {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  return {
    memory: new Uint8Array(memory.buffer, 8, BYTES),
    shared: browser.sharedText(memory, 8, BYTES),
  };
}

test('writes and measures text alike, halves of characters included', () => {
  const { memory, shared } = views();
  for (let i = 0; i < 3000; i++) {
    const given = text();
    const bytes = [...node.toUtf8(given)];
    assert.is(shared.utf8Write(given, 5, given.length * 3), bytes.length);
    assert.equal([...memory.slice(5, 5 + bytes.length)], bytes);
    assert.is(browser.utf8Length(given), bytes.length);
    assert.equal([...browser.toUtf8(given)], bytes);
  }
});

test('reads bytes alike, those that are no text included', () => {
  const { memory, shared } = views();
  for (let i = 0; i < 3000; i++) {
    const given = new TextEncoder().encode(text());
    for (let harm = random.below(3); harm > 0 && given.length > 0; harm--)
      given[random.below(given.length)] = random.below(256);
    memory.set(given, 9);
    const bytes = random.below(given.length + 1);
    const expected = node.fromUtf8(Buffer.from(given.subarray(0, bytes)));
    assert.is(shared.utf8Slice(9, 9 + bytes), expected);
    assert.is(browser.fromUtf8(given.subarray(0, bytes)), expected);
  }
});

test('strings of the engine, where it has them: Chromium does', () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: true });
  const strings = engineStrings(memory);
  if (globalThis.navigator?.userAgent.includes('Chrome')) assert.ok(strings);
  if (strings === undefined) return;
  const longest = 'key'.padEnd(CODES, 'abcdefg');
  for (const given of ['', 'a', longest]) {
    assert.is(strings.put(given, 9), given.length);
    assert.is(strings.take(9, given.length), given);
  }
  assert.is(strings.put('caf\u00e9', 9), -1);
  new Uint8Array(memory.buffer)[11] = 128;
  assert.is(strings.take(9, 3), null);
  assert.is(strings.take(9, 2), 'ca');
});

test.run();
