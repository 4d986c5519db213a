// Tables in branches, above all in threads that have served a branch before.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program, type ProgramBranch } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('branches: tables');
const URL_OF_BRANCH = new URL('./branch-tables.js', import.meta.url);

interface Exports {
  table: WebAssembly.Table;
  one: () => number;
  two: () => number;
  call(index: number): number;
  put(index: number): void;
}

/** `put`: its code changes the table, too. */
const text = (put: string): string => `(module
  (memory (export "memory") 1)
  (type $number (func (result i32)))
  (table $table (export "table") 4 funcref)
  (elem (i32.const 0) $one)
  (elem declare func $three)
  (func $one (export "one") (type $number) (i32.const 1))
  (func (export "two") (type $number) (i32.const 2))
  (func $three (type $number) (i32.const 3))
  (func (export "call") (param i32) (result i32) (call_indirect (type $number) (local.get 0)))
  ${put})`;
const BY_GLUE = assemble(text(''));
const BY_CODE = assemble(
  text('(func (export "put") (param i32) (table.set $table (local.get 0) (ref.func $three)))'),
);

const branchOf = (program: Program<Exports>): Promise<ProgramBranch> =>
  program.branch(URL_OF_BRANCH, undefined, { warm: 1 });

async function called(branch: ProgramBranch, index: number): Promise<unknown> {
  try {
    return await branch.call('call', index);
  } catch (error) {
    assert.match((error as Error).message, /null|table index|undefined element|signature/);
    return 'trapped';
  }
}

test('each branch has the entries that its parent had, also in a thread that had others', async () => {
  const program = await MicroVM.load<Exports>(BY_GLUE, {}, { memory: 2 ** 24 });
  const { table, one, two } = program.exports;
  table.grow(3);
  await program.warmBranches(URL_OF_BRANCH);
  const entries = [two, null, one, two, two, null, one];
  for (const [round, entry] of entries.entries()) {
    table.set(5, entry);
    table.set(1, entry === null ? null : one);
    const branch = await branchOf(program);
    table.set(5, null);
    assert.is(await called(branch, 5), entry === null ? 'trapped' : entry());
    assert.is(await called(branch, 1), entry === null ? 'trapped' : 1);
    assert.is(await called(branch, 0), 1);
    if (round % 3 === 2) await branch.call('set', 0); // such a thread is not used again
    if (round % 4 !== 3) await branch.close();
  }
  await program.close();
});

test('what a branch’s code has put into a table is not in the next branch', async () => {
  const program = await MicroVM.load<Exports>(BY_CODE, {}, { memory: 2 ** 24 });
  program.exports.put(3);
  program.exports.table.set(2, program.exports.two);
  for (let round = 0; round < 4; round++) {
    const branch = await branchOf(program);
    assert.equal([await called(branch, 3), await called(branch, 2)], [3, 2]);
    await branch.call('put', 2);
    await branch.call('put', 0);
    assert.equal([await called(branch, 2), await called(branch, 0)], [3, 3]);
    await branch.close();
  }
  assert.is(program.exports.call(2), 2);
  await program.close();
});

test.run();
