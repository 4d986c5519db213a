// The memory that glue sees: as long as its program's.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type GuestFunction, type Program } from '../../host/index.ts';
import { assemble } from './guests.ts';

const test = suite('programs and the memory of their glue');

const fns = (program: Program): Record<string, GuestFunction> =>
  program.exports as unknown as Record<string, GuestFunction>;

const bytesOf = (program: Program): Uint8Array => new Uint8Array(program.memory.buffer);

const GROWING = assemble(`(module
  (import "a" "k" (func $resize (param i32) (result i32)))
  (memory (export "memory") 3 32768)
  (global $top (mut i32) (i32.const 65536))
  (func (export "za") (param i32) (result i32) (local i32)
    (local.set 1 (global.get $top))
    (global.set $top (i32.add (global.get $top) (local.get 0)))
    (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
      (then (if (i32.eqz (call $resize (global.get $top))) (then (return (i32.const 0))))))
    (i32.store8 (i32.sub (global.get $top) (i32.const 1)) (i32.const 3))
    (local.get 1)))`);

/** What Emscripten's glue does, with assertions. */
function emscriptenGlue(): { memory?: WebAssembly.Memory; views: number; a: object } {
  const glue = {
    memory: undefined as WebAssembly.Memory | undefined,
    views: 0,
    a: {
      k: (requested: number): number => {
        assert.ok(requested >>> 0 > glue.views, `${requested} > ${glue.views}`);
        if (requested >>> 0 > 2 ** 31) return 0;
        const wanted = Math.min(2 ** 31, Math.max(requested, glue.views * 1.2));
        try {
          glue.memory!.grow((wanted - glue.views + 65535) >>> 16);
        } catch {
          return 0;
        }
        glue.views = glue.memory!.buffer.byteLength;
        return 1;
      },
    },
  };
  return glue as never;
}

test('C3, MEM-1: memory is as long as the program, and glue with assertions grows it to the end', async () => {
  const glue = emscriptenGlue();
  const program = await MicroVM.load(
    GROWING,
    { a: glue.a as WebAssembly.ModuleImports },
    { memory: 2 ** 29 },
  );
  glue.memory = program.memory;
  glue.views = program.memory.buffer.byteLength;
  assert.is(glue.views, 3 * 65536);
  assert.is(bytesOf(program).slice().length, 3 * 65536);
  let given = 0;
  for (let at = 1; at !== 0;) {
    at = Number(fns(program)['za']!(999_983)) >>> 0;
    if (at !== 0) given++;
    assert.ok(program.memory.buffer.byteLength >= program.vm.stats().guestBytes);
    assert.ok(program.memory.buffer.byteLength < program.vm.stats().guestBytes + 2 ** 20);
  }
  assert.ok(given * 999_983 > 2 ** 29 * 0.75 - 2 ** 26, `${given}`);
  bytesOf(program).set(bytesOf(program).slice()); // overwrites nothing of the kernel
  assert.is(fns(program)['za']!(1), 0);
  await program.close();
});

test('C3: glue that has its memory before the program sees what the module imports', async () => {
  const module = assemble(`(module (import "env" "memory" (memory 5 100))
    (func (export "pages") (result i32) (memory.size)))`);
  const memory = MicroVM.memory(2 ** 26, module);
  assert.is(memory.buffer.byteLength, 5 * 65536);
  const program = await MicroVM.load(module, { env: { memory } });
  assert.is(memory.buffer.byteLength, 5 * 65536);
  assert.is(memory.grow(2), 5);
  assert.is(memory.buffer.byteLength, 7 * 65536);
  assert.is(fns(program)['pages']!(), 7);
  assert.throws(() => memory.grow(94), RangeError);
  await program.close();
});

test('C3, MEM-2: a program that grows its own memory shows all of it, as its glue is not notified', async () => {
  const module = assemble(`(module (memory (export "memory") 1 50)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);
  const program = await MicroVM.load(module, {}, { memory: 2 ** 26 });
  const bytes = bytesOf(program);
  assert.is(bytes.length, 50 * 65536);
  assert.is(fns(program)['grow']!(9), 1);
  assert.is(bytesOf(program).length, 50 * 65536);
  await program.close();
});

test.run();
