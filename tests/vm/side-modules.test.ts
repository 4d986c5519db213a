// Side modules: dynamically linked modules on a program's vCPU, its snapshots (SIDE-1) and its branches.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program, type RingzeroError } from '../../host/index.ts';
import { assemble } from './guests.ts';
import { dynamic, linkSide, PROGRAM, SIDE_MEMORY, type ProgramExports } from './side-modules.ts';

const test = suite('side modules');
const BRANCH = new URL('./branch-side.js', import.meta.url);

async function load(
  boundCompilation = false,
): Promise<{ program: Program<ProgramExports>; memory: WebAssembly.Memory }> {
  const memory = MicroVM.memory(2 ** 26, PROGRAM);
  const program = await MicroVM.load<ProgramExports>(
    PROGRAM,
    { env: { memory } },
    { boundCompilation },
  );
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

test('hostile side modules: odd shapes load, names of the machine and hostile functions do not', async () => {
  const { program, memory } = await load(true);
  const env = { memory, __memory_base: SIDE_MEMORY, __table_base: 0 };
  const link = (body: string, entries?: readonly number[]): WebAssembly.Instance => {
    const wasm = assemble(`(module (import "env" "memory" (memory 1)) ${body})`);
    const module = new WebAssembly.Module(dynamic(wasm, entries) as BufferSource);
    return new WebAssembly.Instance(module, { env } as unknown as WebAssembly.Imports);
  };
  const codeOf = (body: string): unknown => {
    try {
      link(body);
    } catch (error) {
      return (error as RingzeroError).code;
    }
    return undefined;
  };
  for (const body of ['', '(data (i32.const 131072) "x")', '(global (mut i64) (i64.const 1))'])
    assert.ok(link(body) instanceof WebAssembly.Instance, body);
  assert.is(program.exports.load(SIDE_MEMORY), 120);
  const most = [0xff, 0xff, 0xff, 0xff, 0x0f];
  const { go } = link('(func (export "go") (result i32) (i32.const 9))', most).exports;
  assert.is((go as () => number)(), 9);
  assert.is(codeOf('(data (i32.const 0x3f00000) "x")'), 'RZ_GUEST_TRAP');
  assert.is(codeOf('(import "ringzero" "leave" (func))'), 'RZ_MODULE_UNSUPPORTED');
  assert.is(codeOf('(global (export "ringzero.view") i32 (i32.const 1))'), 'RZ_MODULE_UNSUPPORTED');
  const locals = `(func ${'(local i32)'.repeat(40_000)} ${'(if (i32.const 0) (then))'.repeat(900)})`;
  assert.is(codeOf(locals), 'RZ_MODULE_UNSUPPORTED');
  await program.close();
});

test.run();
