// A snapshot image that is restricted to what some exports reach.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { translate } from '../../host/translator/index.ts';
import { build, readNames, type Calls } from './build.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: what a snapshot image reaches');

const source = (
  indirect: string,
): string => `(module (import "env" "tick" (func $tick (param i32) (result i32)))
  (memory 1) (type $answer (func (param i64) (result i32))) (type $other (func (param i32) (result i32)))
  (type $alike (func (param i64) (result i32))) ;; the same as $answer
  (table (export "table") 3 funcref) (elem (i32.const 0) $direct $viaTable $unused)
  (func $direct (result i32) (i32.add (call $deep) (i32.load8_u (i32.const 4))))
  (func $deep (result i32) ${indirect})
  (func $viaTable (type $alike) (local $named i32) (i32.const 40))
  (func $unused (param i32) (result i32) (i32.const 0x1234567) (i32.add (local.get 0)))
  (func $referred (param f32) (result i32) (drop (ref.func $unused)) (call $direct))
  (func (export "saveAll") (result i32) (call $direct))
  (func (export "refer") (result i32) (call $referred (f32.const 0)))
  (func (export "loadAll") (param i32) (result i32) (call $unused (local.get 0))))`;

function restricted(text: string, snapshotRuns: string[]): { calls: Calls; snapshot: Uint8Array } {
  const kernel = new StubKernel(1);
  const { imports } = kernel.snapshotWorld(1);
  const { snapshot } = translate(build(text), { frames: kernel.frames, snapshotRuns });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(snapshot as BufferSource), {
    env: { tick: () => 1 },
    ringzero: imports as WebAssembly.ModuleImports,
  });
  return { calls: exports as unknown as Calls, snapshot };
}

const entry = (calls: Calls, i: number): Calls[string] =>
  (calls['table'] as unknown as WebAssembly.Table).get(i) as Calls[string];

/** Of the first image for direct calls, and the second for calls through the table. */
function checkNames(images: readonly Uint8Array[]): void {
  for (const image of images) readNames(image);
  const has = (image: Uint8Array, text: string): boolean => Buffer.from(image).includes(text);
  assert.ok(
    !has(images[0]!, 'viaTable') && !has(images[0]!, 'named'),
    'names of what is not there',
  );
  assert.ok(has(images[1]!, 'viaTable') && has(images[1]!, 'named'));
  assert.ok(
    images.every((image) => has(image, 'tick (import)')),
    'imports are there',
  );
}

test('a snapshot image for some exports has what they reach, and the rest is a trap that names itself', () => {
  const images: Uint8Array[] = [];
  const run = (text: string, ...snapshotRuns: string[]): [Calls, number] => {
    const { calls, snapshot } = restricted(text, snapshotRuns);
    images.push(snapshot);
    return [calls, snapshot.length];
  };

  const [direct] = run(source('(i32.const 2)'), 'saveAll');
  assert.equal(
    [typeof direct['saveAll'], typeof direct['refer'], typeof direct['loadAll']],
    ['function', 'undefined', 'undefined'],
  );
  assert.is(direct['saveAll']!(), 2);
  assert.is(entry(direct, 0)(), 2);
  for (const [i, argument] of [
    [1, 1n],
    [2, 1],
  ] as [number, number][]) {
    try {
      entry(direct, i)(argument);
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).stack!, /ringzero\.absent/);
    }
  }
  const [indirect] = run(
    source('(call_indirect (type $answer) (i64.const 0) (i32.const 1))'),
    'saveAll',
  );
  assert.is(indirect['saveAll']!(), 40, 'what has the type of a call through a table is there');
  assert.throws(() => entry(indirect, 2)(1), /unreachable/);
  const [referred] = run(source('(i32.const 2)'), 'refer');
  assert.is(entry(referred, 2)(1), 0x1234568, 'so is what a reference was taken of');
  const [both, bytes] = run(source('(i32.const 2)'), 'saveAll', 'loadAll');
  assert.is(both['loadAll']!(1), 0x1234568);
  assert.ok(bytes > run(source('(i32.const 2)'), 'saveAll')[1]);
  checkNames(images);
});

test.run();
