// Goal: a browser's text functions do what Node's do, on any bytes and any text. They need no browser for that.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as browser from '../../host/platform/browser/text.ts';
import * as node from '../../host/platform/text.ts';
import { Random } from '../random.ts';

const test = suite('text as a browser does it');
const BYTES = 65536;
const PARTS = ['a', 'key ', 'é', '€', '😀', '\0', '\ufeff', '\ud83d', '\ude00', 'x'.repeat(150)];
const random = Random.forTest('text');

const text = (): string =>
  Array.from({ length: random.below(40) }, () => random.pick(PARTS)).join('');

/** Two views of one shared memory. */
function views(): { memory: Uint8Array; ours: browser.SharedText; theirs: node.SharedText } {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  return {
    memory: new Uint8Array(memory.buffer, 8, BYTES),
    ours: browser.sharedText(memory, 8, BYTES),
    theirs: node.sharedText(memory, 8, BYTES),
  };
}

test('writes and measures text alike, halves of characters included', () => {
  const { memory, ours, theirs } = views();
  for (let i = 0; i < 3000; i++) {
    const given = text();
    const room = given.length * 3;
    const written = ours.utf8Write(given, 5, room);
    const bytes = memory.slice(5, 5 + written);
    assert.is(theirs.utf8Write(given, 5, room), written);
    assert.equal(bytes, memory.slice(5, 5 + written));
    assert.is(browser.utf8Length(given), node.utf8Length(given));
    assert.is(written, browser.utf8Length(given));
    assert.equal([...browser.toUtf8(given)], [...node.toUtf8(given)]);
  }
});

test('reads bytes alike, those that are no text included', () => {
  const { memory, ours, theirs } = views();
  for (let i = 0; i < 3000; i++) {
    const given = new TextEncoder().encode(text());
    for (let harm = random.below(3); harm > 0 && given.length > 0; harm--)
      given[random.below(given.length)] = random.below(256);
    memory.set(given, 9);
    const end = 9 + random.below(given.length + 1);
    assert.is(ours.utf8Slice(9, end), theirs.utf8Slice(9, end));
    assert.is(browser.fromUtf8(given), node.fromUtf8(Buffer.from(given)));
  }
});

test.run();
