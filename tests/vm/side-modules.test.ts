// Side modules: dynamically linked modules on a program's vCPU, its snapshots (SIDE-1) and its branches.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program } from '../../host/index.ts';
import { linkSide, PROGRAM, SIDE_MEMORY, type ProgramExports } from './side-modules.ts';

const test = suite('side modules');
const BRANCH = new URL('./branch-side.js', import.meta.url);

async function load(): Promise<{ program: Program<ProgramExports>; memory: WebAssembly.Memory }> {
  const memory = MicroVM.memory(2 ** 26, PROGRAM);
  const program = await MicroVM.load<ProgramExports>(PROGRAM, { env: { memory } });
  return { program, memory: memory as WebAssembly.Memory };
}

const wordAt = (bytes: Uint8Array): number => new DataView(bytes.buffer).getInt32(0, true);

test('program and side module call each other, by table and by name', async () => {
  const { program, memory } = await load();
  const { hidden, side } = linkSide(program.exports, memory);
  assert.is(program.exports.call(hidden, 20), 41); // 2 * 20 + 1 call
  assert.is(program.exports.call(hidden + 1, 20), 18);
  assert.is(side.shown(20), 17);
  assert.is(program.exports.load(SIDE_MEMORY), 13);
  assert.is(program.exports.load(SIDE_MEMORY + 4), 77);
  await program.close();
});

test('a snapshot keeps what a side module changes later', async () => {
  const { program, memory } = await load();
  const { hidden, side } = linkSide(program.exports, memory);
  for (let calls = 1; calls < 40; calls++) {
    const snapshot = program.snapshot();
    if (calls % 3 === 0) program.exports.call(hidden, 0);
    else if (calls % 3 === 1) program.exports.call(hidden + 1, 0);
    else side.shown(0);
    assert.is(wordAt(snapshot.read(SIDE_MEMORY, 4)), 9 + calls);
    assert.is(program.exports.load(SIDE_MEMORY), 10 + calls);
    await snapshot.release();
  }
  await program.close();
});

test('a trap in a side module is an error, and both stay usable', async () => {
  const { program, memory } = await load();
  const { hidden, side } = linkSide(program.exports, memory);
  assert.throws(() => program.exports.fail(), /unreachable/);
  assert.throws(() => side.trap(), WebAssembly.RuntimeError);
  assert.is(program.exports.call(hidden, 1), 3);
  await program.close();
});

test('a branch has the side module with its memory, its global and its functions in the table', async () => {
  const { program, memory } = await load();
  const { hidden } = linkSide(program.exports, memory);
  program.exports.call(hidden, 0);
  program.exports.call(hidden, 0);
  const branch = await program.branch(BRANCH);
  program.exports.call(hidden, 0);
  assert.is(await branch.call('load', SIDE_MEMORY), 12);
  assert.is(await branch.call('call', hidden, 5), 13); // 2 * 5 + the third call
  assert.is(await branch.call('call', hidden + 1, 5), 1);
  assert.is(await branch.call('shown', 5), 0);
  assert.is(await branch.call('load', SIDE_MEMORY + 4), 77);
  assert.is(program.exports.call(hidden, 5), 14);
  await program.close();
});

test('modules that are not side modules are instantiated as ever', async () => {
  const { program } = await load();
  const bytes = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  const module = new WebAssembly.Module(bytes);
  assert.ok(module instanceof WebAssembly.Module);
  assert.ok(new WebAssembly.Instance(module) instanceof WebAssembly.Instance);
  assert.ok((await WebAssembly.instantiate(bytes)).instance instanceof WebAssembly.Instance);
  assert.ok((await WebAssembly.compile(bytes)) instanceof WebAssembly.Module);
  assert.throws(() => new WebAssembly.Module(bytes.subarray(0, 4)), WebAssembly.CompileError);
  await program.close();
});

test.run();
