// Bounds of the analysis: a function beyond them is translated with every store checked.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import initWabt from 'wabt';
import { translateMain } from '../../host/translator/index.ts';

const test = suite('translator: bounds');
const wabt = await initWabt();

const STORE = '(i32.store (local.get 0) (i32.const 1))';

/** How many of the writes of a function with this many locals are checked. */
function checksOf(locals: number, body: string): number {
  const module = wabt.parseWat(
    'bounds.wat',
    `(module (import "env" "tick" (func $tick)) (memory 1)
       (func (export "run") (param i32) (local ${'i32 '.repeat(locals)}) ${body}))`,
  );
  const bytes = module.toBinary({}).buffer;
  const { main, statistics } = translateMain(bytes, { frames: 4096 });
  assert.ok(WebAssembly.validate(main as BufferSource));
  return statistics.checks;
}

test('BOUND-1: loops that look at every local end the analysis when its work is used up', () => {
  const loops = `${STORE} ${'(loop) '.repeat(200)} ${STORE}`;
  assert.is(checksOf(10, loops), 1, 'within the bound the second store needs no check');
  assert.is(checksOf(5000, loops), 2);
});

test('BOUND-2: a function of more than 2^30 symbols is not analysed', () => {
  const loops = (count: number): string =>
    `${'(loop (call $tick)) '.repeat(count)} ${STORE} ${STORE}`;
  assert.is(checksOf(49_000, loops(20_000)), 1);
  assert.is(checksOf(49_000, loops(23_000)), 2);
});

test.run();
