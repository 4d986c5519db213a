// A program whose exports, with those that translation adds, would be more than engines take.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('vm/many-exports');
const FUNCTIONS = 34_000;

test('EXPORTS-1: a program with very many exported functions runs, and so does its fork', async () => {
  const functions = Array.from(
    { length: FUNCTIONS },
    (_, i) => `(func $f${i} (export "f${i}") (result i32) (i32.const ${i}))`,
  );
  const indices = functions.map((_, i) => `$f${i}`);
  const program = await MicroVM.load(
    assemble(`(module (memory 1) (table (export "table") funcref (elem ${indices.join(' ')}))
      ${functions.join('\n')}
      (func (export "swap") (table.set (i32.const 5) (table.get (i32.const 33999)))))`),
    {},
    { memory: 2 ** 25 },
  );
  const calls = program.exports as unknown as Record<string, () => number>;
  for (const i of [0, 5, 17_000, FUNCTIONS - 1]) assert.is(calls[`f${i}`]!(), i);
  const table = (program.exports as unknown as { table: WebAssembly.Table }).table;
  calls['swap']!();
  assert.is((table.get(5) as () => number)(), FUNCTIONS - 1);
  const snapshot = program.snapshot();
  assert.is(await snapshot.run('f33998'), 33_998);
  await snapshot.release();
  await program.close();
});

test.run();
