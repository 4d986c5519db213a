// The parts of an image that kernel and host rely on: what it imports and exports, booting, registers,
// thunks.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VCPU_VIEW } from '../../assembly/abi/vcpu-block.ts';
import { relocate, translate, translateMain } from '../../host/translator/index.ts';
import { build, type Calls } from './build.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: image');

const SOURCE = `(module $guest
  (import "env" "before" (global $before i32))
  (import "env" "tick" (func $tick (param i32) (result i32)))
  (import "env" "memory" (memory 2 16))
  (table (export "table") 4 funcref)
  (global $a (mut i32) (i32.const 5))
  (global $b (mut f64) (f64.const 1.5))
  (global $c (mut i64) (i64.const -7))
  (global $fixed i32 (i32.const 9))
  (global $exported (export "counter") (mut i32) (i32.const 3))
  (data (global.get $before) "hello")
  (data $passive "passive")
  (data (i32.const 0x1ffff) "e")
  (elem (i32.const 0) $tick $add $viaTable)
  (export "mem" (memory 0))
  (export "tick" (func $tick))
  (start $start)
  (func $start (i32.store (i32.const 200) (i32.const 42)))
  (func $add (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func $viaTable (export "viaTable") (param i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
  (func (export "writeAfterTick") (param i32)
    (i32.store (local.get 0) (i32.const 1))
    (drop (call $tick (i32.const 1)))
    (i32.store (local.get 0) (i32.const 2)))
  (func (export "init") (memory.init $passive (i32.const 300) (i32.const 0) (i32.const 7)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "set") (global.set $a (i32.const 77)) (global.set $c (i64.const 88)))
  (func (export "get") (result i32)
    (i32.add (global.get $a) (i32.add (global.get $fixed) (global.get $exported))))
  (func (export "trap") unreachable))`;

const bytes = build(SOURCE);

function start(tick: (value: number) => number = (value) => value + 1): {
  calls: Calls;
  kernel: StubKernel;
  exports: WebAssembly.Exports;
} {
  const kernel = new StubKernel(2);
  const { main } = translate(bytes, { frames: 4096 });
  const env = { before: new WebAssembly.Global({ value: 'i32' }, 100), tick };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    env,
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  return { calls: exports as unknown as Calls, kernel, exports };
}

test('nothing runs and no data moves before boot; boot does both once', () => {
  const { calls, kernel } = start();
  assert.is(kernel.bytes[100], 0);
  assert.is(kernel.words[50], 0);
  calls['ringzero.boot']!();
  assert.is(Buffer.from(kernel.bytes.slice(100, 105)).toString(), 'hello');
  assert.is(kernel.words[50], 42);
  assert.is(kernel.depth, 0);
});

test('attach moves no data and runs no start function', () => {
  const { calls, kernel } = start();
  calls['ringzero.attach']!();
  assert.is(kernel.bytes[100], 0);
  assert.is(kernel.words[50], 0);
  calls.init!();
  assert.is(Buffer.from(kernel.bytes.slice(300, 307)).toString(), 'passive');
});

test('a data segment outside guest memory traps at boot', () => {
  const kernel = new StubKernel(1);
  const { main } = translate(build('(module (memory 1) (data (i32.const 65535) "ab"))'), {
    frames: 4096,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  assert.throws(() => (exports as unknown as Calls)['ringzero.boot']!());
});

test('a snapshot image carries the data that the guest itself may ask for, and not what a boot applies', () => {
  const { main, snapshot } = translate(bytes);
  const has = (image: Uint8Array, text: string): boolean => Buffer.from(image).includes(text);
  assert.ok(has(main, 'hello') && has(main, 'passive'));
  assert.ok(!has(snapshot, 'hello') && has(snapshot, '\x07passive'));
});

test('memory, functions and globals keep their names; calls reach imports and the table', () => {
  const { calls, kernel, exports } = start();
  calls['ringzero.boot']!();
  assert.is(exports.mem, kernel.memory);
  assert.is(calls.add!(2, 3), 5);
  assert.is(calls.tick!(6), 7);
  assert.is(calls.viaTable!(8), 9);
  assert.is((exports.counter as WebAssembly.Global).value, 3);
  const table = exports.table as WebAssembly.Table;
  assert.is((table.get(1) as (a: number, b: number) => number)(4, 4), 8);
});

test('every exported call enters and leaves, and takes the view of the moment', () => {
  const depths: number[] = [];
  const { calls, kernel, exports } = start((value) => {
    depths.push(kernel.depth);
    return value;
  });
  calls['ringzero.boot']!();
  kernel.advance();
  calls.tick!(1);
  assert.equal(depths, [1]);
  assert.is(kernel.depth, 0);
  assert.is((exports['ringzero.view'] as WebAssembly.Global).value, kernel.view);
});

test('an import that moves the view makes the next store fault again', () => {
  const { calls, kernel } = start((value) => {
    kernel.advance();
    return value;
  });
  calls['ringzero.boot']!();
  const before = kernel.faults;
  calls.writeAfterTick!(4096);
  assert.is(kernel.faults - before, 2);
  assert.is(kernel.epochs[1], kernel.words[(kernel.vcpu + VCPU_VIEW) >>> 2]);
});

test('a poll in a loop makes sure again of what was known before the loop', () => {
  const loops = build(`(module (memory (export "memory") 2)
    (func (export "run") (param $p i32) (param $n i32) (local $i i32)
      (i32.store offset=8 (local.get $p) (i32.const 1))
      (i32.store (i32.const 9000) (i32.const 1))
      (loop $outer
        (local.set $i (i32.or (local.get $n) (i32.const 3)))
        (loop $inner
          (i32.store offset=8 (local.get $p) (i32.add (local.get $n) (local.get $i)))
          (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (i32.store (i32.const 9000) (local.get $n))
        (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`);
  const kernel = new StubKernel(2);
  const { main, statistics } = translateMain(loops, { frames: kernel.frames });
  assert.is(statistics.checks, 2, 'none in the loops');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  const unmarked: number[] = [];
  kernel.onSafepoint = () => {
    unmarked.push(...kernel.unmarkedWrites());
    kernel.advance();
    kernel.watch();
    kernel.pending = kernel.safepoints % 7 !== 0;
  };
  for (let run = 0; run < 10; run++) {
    kernel.pending = true;
    (exports as unknown as Calls).run!(5000 + run * 4096, 20);
    kernel.onSafepoint();
  }
  assert.ok(kernel.safepoints > 60);
  assert.equal(unmarked, []);
});

test("one check at a loop's head serves locals that differ by a constant, up and down", () => {
  const loop = build(`(module (memory (export "memory") 2)
    (func (export "run") (param $p i32) (param $n i32) (local $up i32) (local $down i32)
      (local.set $up (i32.add (local.get $p) (i32.const 8)))
      (local.set $down (i32.sub (local.get $p) (i32.const 40)))
      (loop $loop
        (i32.store (local.get $p) (local.get $n))
        (i32.store offset=8 (local.get $up) (local.get $n))
        (i32.store offset=8 (local.get $down) (local.get $n))
        (br_if $loop (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`);
  const kernel = new StubKernel(2);
  const { main } = translateMain(loop, { frames: kernel.frames });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  const unmarked: number[] = [];
  kernel.onSafepoint = () => {
    unmarked.push(...kernel.unmarkedWrites());
    kernel.advance();
    kernel.watch();
    kernel.pending = kernel.safepoints % 7 !== 0;
  };
  for (let p = 8192 - 60; p < 8192 + 60; p++) {
    kernel.pending = true;
    (exports as unknown as Calls).run!(p, 20);
    kernel.onSafepoint();
  }
  assert.ok(kernel.safepoints > 600);
  assert.equal(unmarked, []);
});

test('a loop that ends soon for certain does not poll, others do', () => {
  const body = (first: string, loop: string): string => `(module (memory 1)
    (func (export "run") (param $n i32) (local $i i32) (local $j i32)
      (i32.store (i32.const 8) (local.get $n)) ;; else it would not be analysed
      (local.set $i ${first}) (block $out (loop $loop ${loop}))))`;
  const step = (by: number): string => `(local.tee $i (i32.add (local.get $i) (i32.const ${by})))`;
  const [zero, up] = ['(i32.const 0)', `(drop ${step(1)})`];
  const ge = '(i32.ge_u (local.get $i) (i32.const 50))';
  const short: [first: string, loop: string][] = [
    [zero, `(br_if $loop (i32.ne ${step(4)} (i32.const 64)))`],
    [zero, `(br_if $loop (i32.lt_s ${step(7)} (i32.const 64)))`],
    ['(i32.const 100)', `(br_if $loop ${step(-1)})`],
    [zero, `(br_if $out (i32.eq (local.get $i) (i32.const 20))) ${up} (br $loop)`],
    [zero, `(block (br_if $out ${ge})) ${up} (br $loop)`],
  ];
  const long: [first: string, loop: string][] = [
    ['(local.get $n)', `(br_if $loop (i32.ne ${step(4)} (i32.const 64)))`], // begins anywhere
    [zero, `(br_if $loop (i32.ne ${step(4)} (i32.const 66)))`], // steps over its end
    [zero, `(br_if $loop (i32.ne ${step(4)} (local.get $n)))`],
    [zero, `(br_if $loop (i32.lt_s ${step(1)} (i32.const 1000000)))`],
    [zero, `(br_if $loop (i32.lt_s ${step(-1)} (i32.const 64)))`],
    [zero, `(br_if $loop (i32.eq ${step(0)} (i32.const 0)))`],
    [zero, `(br_if $loop (i32.ge_u ${step(4)} (i32.const 4)))`],
    [zero, `(br_if $loop (local.get $n)) (br_if $loop (i32.ne ${step(4)} (i32.const 64)))`],
    [zero, `(block (br_if 0 ${ge})) ${up} (br $loop)`], // does not leave the loop
    [zero, `(block (br_if 0 (local.get $n)) (br_if $out ${ge})) ${up} (br $loop)`], // seldom looks
    [zero, `(if (local.get $n) (then (br_if $out ${ge}))) ${up} (br $loop)`],
    [zero, `(br_if $out ${ge}) (if (local.get $n) (then ${up})) (br $loop)`], // does not always step
    [zero, `(br_if $out ${ge}) ${up} (local.set $i (local.get $j)) (br $loop)`],
    [zero, `(br_if $out (i32.lt_u (local.get $i) (i32.const 50))) ${up} (br $loop)`],
  ];
  const polls = ([first, loop]: [string, string]): number =>
    translateMain(build(body(first, loop))).statistics.polls;
  for (const shape of short) assert.is(polls(shape), 0, shape.join());
  for (const shape of long) assert.is(polls(shape), 1, shape.join());
});

test("memory.size and memory.grow are the kernel's break", () => {
  const { calls } = start();
  assert.is(calls.size!(), 2);
  assert.is(calls.grow!(3), 2);
  assert.is(calls.size!(), 5);
});

test('save and load carry the mutable globals from one vCPU to another', () => {
  const one = start();
  one.calls['ringzero.boot']!();
  one.calls.set!();
  const address = 1 << 20;
  one.calls['ringzero.save']!(address);
  const other = start();
  other.kernel.bytes.set(one.kernel.bytes.subarray(address, address + 64), address);
  assert.is(other.calls.get!(), 5 + 9 + 3);
  other.calls['ringzero.load']!(address);
  assert.is(other.calls.get!(), 77 + 9 + 3);
});

test("a stack trace has the guest's names", () => {
  const { main } = translateMain(
    build(SOURCE.replace('(func (export "trap")', '(func $broken (export "trap")')),
    { frames: 4096 },
  );
  const kernel = new StubKernel(2);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    env: { before: new WebAssembly.Global({ value: 'i32' }, 100), tick: (n: number) => n },
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  try {
    (exports.trap as () => void)();
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).stack!, /broken/);
  }
});

test('a relocated image is the one translated for that size', () => {
  for (const frames of [4096, 65536, 1048576]) {
    for (const weakMemory of [true, false]) {
      const at = translate(bytes, { frames, weakMemory });
      const moved = translate(bytes, { frames: 8192 });
      assert.equal(relocate(moved.main, { frames, weakMemory }), at.main);
      assert.equal(relocate(moved.snapshot, { frames, weakMemory }), at.snapshot);
    }
  }
});

test('an image takes a memory of its own size alone', () => {
  const { main } = translateMain(bytes, { frames: 8192 });
  const env = { before: new WebAssembly.Global({ value: 'i32' }, 100), tick: () => 0 };
  const instantiate = (image: Uint8Array, frames: number): unknown =>
    new WebAssembly.Instance(new WebAssembly.Module(image as BufferSource), {
      env,
      ringzero: new StubKernel(2, frames).mainImports() as WebAssembly.ModuleImports,
    });
  assert.throws(() => instantiate(main, 4096), WebAssembly.LinkError);
  assert.throws(() => instantiate(main, 12288), WebAssembly.LinkError);
  instantiate(main, 8192);
  instantiate(relocate(main, { frames: 4096 }), 4096);
});

test('what the module declares is told', () => {
  const { info } = translate(bytes);
  assert.is(info.initialPages, 2);
  assert.is(info.maximumPages, 16);
  assert.ok(info.memoryImported && info.hasStart);
  assert.is(info.mutableGlobals, 4);
  assert.is(info.registerBytes, 32 + 8); // the globals, and which of its segments are dropped
  assert.equal(info.imports, [{ module: 'env', name: 'tick', type: 'i:i' }]);
});

test('a reference to a function that only an export declares, in both images', () => {
  const source = `(module (memory 1) (table 1 funcref)
    (func $two (export "two") (result i32) i32.const 2)
    (func (export "call") (result i32)
      (table.set (i32.const 0) (ref.func $two))
      (call_indirect (result i32) (i32.const 0))))`;
  const { main, snapshot } = translate(build(source), { frames: 4096 });
  const kernel = new StubKernel(1);
  const world = kernel.snapshotWorld();
  const images = [
    { image: main, ringzero: kernel.mainImports() },
    { image: snapshot, ringzero: world.imports },
  ];
  for (const { image, ringzero } of images) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(image as BufferSource), {
      ringzero: ringzero as WebAssembly.ModuleImports,
    });
    assert.is((exports as unknown as Calls).call!(), 2);
  }
});

test.run();
