// Built-in functions of the runtime, given views of a program's shared memory.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { acceptSharedViews } from '../../host/index.ts';

const test = suite('shared views');
const shared = new Uint8Array(new SharedArrayBuffer(64) as unknown as ArrayBuffer);
shared.forEach((_, i) => (shared[i] = i * 7));
const view = shared.subarray(5, 37);
const plain = view.slice();
const original = { Response, Blob };

acceptSharedViews();
acceptSharedViews(); // a second call changes nothing

const bytes = (buffer: ArrayBuffer): number[] => [...new Uint8Array(buffer)];

test('C16: crypto.subtle accepts them, as data, as keys and in its parameters', async () => {
  const { subtle } = crypto;
  const data = view;
  assert.equal(
    bytes(await subtle.digest('SHA-256', data)),
    bytes(await subtle.digest('SHA-256', plain)),
  );
  const wide = new DataView(view.buffer, view.byteOffset, view.byteLength);
  assert.equal(
    bytes(await subtle.digest('SHA-256', wide)),
    bytes(await subtle.digest('SHA-256', plain)),
  );
  const key = await subtle.importKey('raw', data, 'AES-GCM', true, ['encrypt', 'decrypt']);
  const iv = shared.subarray(0, 12);
  const sealed = await subtle.encrypt({ name: 'AES-GCM', iv }, key, data);
  const again = await subtle.encrypt({ name: 'AES-GCM', iv: shared.slice(0, 12) }, key, plain);
  assert.equal(bytes(sealed), bytes(again));
  const opened = await subtle.decrypt({ name: 'AES-GCM', iv }, key, sealed);
  assert.equal(bytes(opened), [...plain]);
});

test('C16: bodies and blobs accept them, and hold the bytes of the moment of the call', async () => {
  const body = view;
  const response = new Response(body, { status: 201 });
  const request = new Request('http://localhost/', { method: 'POST', body });
  const blob = new Blob([view, 'text'], { type: 'a/b' });
  const words = new Blob([new Uint32Array(shared.buffer, 4, 2)]);
  const before = [...shared];
  view[0] = 99;
  assert.equal(bytes(await response.arrayBuffer()), [...plain]);
  assert.is(response.status, 201);
  assert.equal(bytes(await request.arrayBuffer()), [...plain]);
  assert.equal(bytes(await blob.arrayBuffer()), [...plain, ...new TextEncoder().encode('text')]);
  assert.is(blob.type, 'a/b');
  assert.equal(bytes(await words.arrayBuffer()), before.slice(4, 12));
  view[0] = plain[0]!;
});

test('C16: the classes are unchanged for all other code', async () => {
  assert.ok(new Response('x') instanceof original.Response);
  assert.ok(new original.Response('x') instanceof Response);
  assert.is(new Response('x').constructor, Response);
  assert.equal(await Response.json({ a: 1 }).json(), { a: 1 });
  assert.ok((await new Response('x').blob()) instanceof Blob);
  class Page extends Response {}
  assert.ok(new Page('x') instanceof Page && new Page('x') instanceof Response);
  assert.is(
    await new Response(plain.buffer).arrayBuffer().then(({ byteLength }) => byteLength),
    32,
  );
  assert.throws(() => new Response('x', { status: 1 }), RangeError);
});

test('C16: functions that share or transfer memory are unchanged, as docs/browser.md says', () => {
  const cloned = structuredClone(view);
  assert.is(String(cloned.buffer), '[object SharedArrayBuffer]');
  cloned[1] = 5;
  assert.is(view[1], 5);
  assert.throws(() => structuredClone(view, { transfer: [view.buffer] }));
  assert.is(String(view.slice().buffer), '[object ArrayBuffer]');
});

test.run();
