// Exceptions do the same translated and not, in both images and both encodings: thrown by the module, by
// JavaScript, across frames, out of loops; traps stay traps.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RingzeroError } from '../../host/index.ts';
import { loadSync } from '../../host/sync.ts';
import { translate } from '../../host/translator/index.ts';
import { Exception, Tag } from '../../host/vm/tags.ts';
import { build } from './build.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: exceptions');
type Run = (a: number) => number;

const FRAME = `
  (import "env" "tag" (tag $outer (param i32)))
  (import "env" "tick" (func $tick))
  (import "env" "hurl" (func $hurl (param i32)))
  (import "env" "again" (func $again (param i32) (result i32)))
  (memory (export "memory") 1)
  (tag $e (export "e") (param i32))
  (tag $pair (param i32 i64))
  (tag $none)
  (table funcref (elem $fails $adds))
  (type $unary (func (param i32) (result i32)))
  (func $fails (param i32) (result i32) (throw $e (local.get 0)))
  (func $adds (export "adds") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $deep (param i32)
    (if (i32.eqz (local.get 0)) (then (call $tick) (throw $e (i32.const 7))))
    (i32.store (i32.mul (local.get 0) (i32.const 4)) (local.get 0))
    (call $deep (i32.sub (local.get 0) (i32.const 1))))
  (func $loops (param i32) (result i32)
    (loop $l (call $tick) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (throw $pair (i32.const 5) (i64.const 6)))
  (func (export "inner") (param i32) (result i32)
    (i32.store (i32.const 4096) (local.get 0))
    (if (i32.eq (local.get 0) (i32.const 66)) (then (unreachable)))
    (throw $e (local.get 0)))`;

/** Bodies of `run(i32): i32`, whose parameter is 3; two local i32 follow. */
const LEGACY: Record<string, string> = {
  'a tag is caught with its value': `try (result i32) (throw $e (i32.const 41)) catch $e end`,
  'of several handlers the right one': `try (result i32) (call $loops (i32.const 3))
    catch $e (i32.const 1) (i32.add) catch $pair (drop) catch_all (i32.const 9) end`,
  'a frame is unwound, and stores after it are checked': `
    (i32.store (i32.const 8192) (i32.const 1))
    try (call $deep (i32.const 20)) catch $e (i32.store (i32.const 8196)) end
    (i32.store (i32.const 8200) (i32.const 3))
    (i32.add (i32.load (i32.const 8196)) (i32.load (i32.const 40)))`,
  'locals are what they were when it was thrown': `
    (local.set 1 (i32.const 100))
    try (local.set 1 (i32.const 200))
      (if (local.get 0) (then (local.set 1 (i32.const 12288)) (throw $none)))
      (local.set 1 (i32.const 300))
    catch_all (i32.store (i32.const 300) (i32.const 5)) (i32.store (local.get 1) (i32.const 5)) (call $tick) end
    (i32.store offset=4 (local.get 1) (i32.const 6))
    (i32.add (local.get 1) (i32.load offset=4 (local.get 1)))`,
  'the view moved before it was thrown, on one way': `
    (i32.store (i32.const 8192) (i32.const 1))
    try (if (local.get 0) (then (call $tick) (throw $none))) catch_all end
    (i32.store (i32.const 8192) (i32.const 2)) (i32.const 1)`,
  'the view moved in JavaScript that throws': `
    (i32.store (i32.const 8192) (i32.const 1))
    try (call $hurl (i32.const 1)) catch_all end
    (i32.store (i32.const 8192) (i32.const 2)) (i32.const 1)`,
  'JavaScript throws': `try (result i32) (call $hurl (i32.const 1)) (i32.const 0) catch_all (i32.const 11) end`,
  'JavaScript throws with a tag of the import': `try (result i32) (call $hurl (i32.const 2)) (i32.const 0)
    catch $outer catch_all (i32.const 11) end`,
  'what passes through JavaScript is caught by its tag': `
    try (result i32) (call $again (i32.const 5)) catch $e (i32.const 1) (i32.add) end`,
  'the program is inside after a catch': `
    try (drop (call $again (i32.const 5))) catch_all end
    (i32.store (i32.const 4096) (i32.const 1))
    (call_indirect (type $unary) (local.get 0) (i32.const 1))`,
  rethrown: `try (result i32)
      try (result i32) (throw $e (i32.const 4)) catch $e (drop) (rethrow 0) end
    catch $e (i32.const 1) (i32.add) end`,
  'rethrown out of a loop': `try (result i32)
      try (throw $e (i32.const 4))
      catch $e (drop)
        (loop $l
          (if (i32.gt_u (local.get 1) (i32.const 5)) (then (rethrow 2)))
          (i32.store (local.get 1) (i32.const 1)) (call $tick)
          (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br $l))
      end (i32.const 0)
    catch $e (local.get 1) (i32.add) end`,
  'delegated out of a loop': `try $out (result i32)
      (loop $l
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        try
          try (i32.store (local.get 1) (i32.const 1)) (call $tick)
            (if (i32.gt_u (local.get 1) (i32.const 5)) (then (throw $e (local.get 1))))
          delegate $out
        catch_all end
        (br $l))
      (i32.const 0)
    catch $e (i32.const 100) (i32.add) end`,
  'caught in each iteration': `
    (loop $l
      try (drop (call_indirect (type $unary) (local.get 1) (i32.and (local.get 1) (i32.const 1))))
      catch $e (local.set 2 (i32.add (local.get 2))) end
      (i32.store offset=1024 (local.get 1) (local.get 2))
      (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 40))))
    (local.get 2)`,
  'a handler goes on with the loop': `
    (loop $l (result i32)
      try (result i32)
        (i32.store (i32.add (local.get 1) (i32.const 2000)) (local.get 1))
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (if (i32.lt_u (local.get 1) (i32.const 30)) (then (throw $e (local.get 1))))
        (local.get 1)
      catch $e (drop) (br $l) end)`,
  'caught by nothing': `(throw $e (i32.const 55))`,
  'a trap is not caught': `try (result i32) (unreachable) catch_all (i32.const 1) end`,
  'a trap beyond JavaScript is not caught': `
    try (result i32) (call $again (i32.const 66)) catch_all (i32.const 1) end`,
};

const STANDARD: Record<string, string> = {
  'a tag is caught with its value': `
    (block $h (result i32) (try_table (catch $e $h) (throw $e (i32.const 41))) (unreachable))`,
  'of several clauses the right one': `
    (block $a (block $p (result i32 i64) (block $h (result i32)
      (try_table (result i32) (catch $e $h) (catch $pair $p) (catch_all $a) (call $loops (i32.const 3)))
      (return)) (return (i32.const 1))) (drop) (return)) (i32.const 9)`,
  'a frame is unwound, and stores after it are checked': `
    (i32.store (i32.const 8192) (i32.const 1))
    (i32.store (i32.const 8196)
      (block $h (result i32) (try_table (catch $e $h) (call $deep (i32.const 20))) (i32.const 0)))
    (i32.store (i32.const 8200) (i32.const 3))
    (i32.add (i32.load (i32.const 8196)) (i32.load (i32.const 40)))`,
  'locals are what they were when it was thrown': `
    (local.set 1 (i32.const 100))
    (block $h
      (try_table (catch_all $h)
        (local.set 1 (i32.const 200))
        (if (local.get 0) (then (local.set 1 (i32.const 12288)) (throw $none)))
        (local.set 1 (i32.const 300))))
    (i32.store (i32.const 300) (i32.const 5))
    (i32.store offset=4 (local.get 1) (i32.const 6))
    (i32.add (local.get 1) (i32.load offset=4 (local.get 1)))`,
  'the view moved before it was thrown, on one way': `
    (i32.store (i32.const 8192) (i32.const 1))
    (block $h (try_table (catch_all $h) (if (local.get 0) (then (call $tick) (throw $none)))))
    (i32.store (i32.const 8192) (i32.const 2)) (i32.const 1)`,
  'the view moved in JavaScript that throws': `
    (i32.store (i32.const 8192) (i32.const 1))
    (block $h (try_table (catch_all $h) (call $hurl (i32.const 1))))
    (i32.store (i32.const 8192) (i32.const 2)) (i32.const 1)`,
  'JavaScript throws': `
    (block $h (try_table (catch_all $h) (call $hurl (i32.const 1))) (return (i32.const 0))) (i32.const 11)`,
  'JavaScript throws with a tag of the import': `
    (block $h (result i32) (try_table (catch $outer $h) (call $hurl (i32.const 2))) (i32.const 0))`,
  'what passes through JavaScript is caught by its tag': `
    (block $h (result i32) (try_table (result i32) (catch $e $h) (call $again (i32.const 5))))`,
  'the program is inside after a catch': `
    (block $h (try_table (catch_all $h) (drop (call $again (i32.const 5)))))
    (i32.store (i32.const 4096) (i32.const 1))
    (call_indirect (type $unary) (local.get 0) (i32.const 1))`,
  'thrown again by reference': `
    (block $o (result i32)
      (try_table (result i32) (catch $e $o)
        (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e (i32.const 4))) (unreachable))
        (throw_ref)))`,
  'a reference in a local': `(local $x exnref)
    (local.set $x (block $h (result i32 exnref) (try_table (catch_ref $e $h) (throw $e (i32.const 4))) (unreachable)))
    (drop)
    (block $o (result i32) (try_table (result i32) (catch $e $o) (throw_ref (local.get $x))))`,
  'a clause goes on with the loop': `
    (loop $l
      (i32.store (i32.add (local.get 1) (i32.const 2000)) (local.get 1))
      (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (try_table (catch_all $l)
        (call $tick)
        (if (i32.lt_u (local.get 1) (i32.const 30)) (then (throw $e (local.get 1))))))
    (local.get 1)`,
  'a clause leaves loops': `
    (block $h (result i32)
      (loop $l
        (loop $m
          (local.set 1 (i32.add (local.get 1) (i32.const 1)))
          (i32.store (local.get 1) (i32.const 1))
          (try_table (catch $e $h)
            (if (i32.gt_u (local.get 1) (i32.const 9)) (then (throw $e (local.get 1)))))
          (br_if $m (i32.and (local.get 1) (i32.const 1))))
        (br $l))
      (unreachable))`,
  'a trap is not caught': `(block $h (try_table (catch_all $h) (unreachable))) (i32.const 1)`,
  'a trap beyond JavaScript is not caught': `
    (block $h (try_table (catch_all $h) (drop (call $again (i32.const 66))))) (i32.const 1)`,
};

interface World {
  exports: WebAssembly.Exports;
}

/** What `run` does: its result, or what it threw. */
function outcomeOf(
  instantiate: (imports: WebAssembly.Imports) => WebAssembly.Exports,
  tick: () => void,
): string {
  const world: World = { exports: {} };
  const tag = new Tag({ parameters: ['i32'] });
  const env = {
    tag,
    tick,
    hurl: (what: number) => {
      tick();
      if (what === 2) throw new Exception(tag, [22]);
      throw new Error('hurled');
    },
    again: (value: number) => (world.exports['inner'] as Run)(value),
  };
  world.exports = instantiate({ env: env as unknown as WebAssembly.ModuleImports });
  try {
    return String((world.exports['run'] as Run)(3));
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return 'trap';
    const own = world.exports['e'] as object;
    if (error instanceof Exception && error.is(own))
      return `exception ${String(error.getArg(own, 0))}`;
    return String(error);
  }
}

function instance(bytes: Uint8Array, imports: WebAssembly.Imports): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports).exports;
}

function moduleOf(body: string): Uint8Array {
  return build(
    `(module ${FRAME} (func (export "run") (param i32) (result i32) (local i32 i32) ${body}))`,
  );
}

/** The host's side of the border to glue, see host/vm/glue.ts. */
let calls = 0; // that arrived at the host's side of the border

function glueImports(main: Uint8Array, exports: () => WebAssembly.Exports): object {
  const module = new WebAssembly.Module(main as BufferSource);
  const call = (place: number, ...args: number[]): unknown => {
    calls++;
    const inside = exports()['ringzero.inside'] as WebAssembly.Global;
    assert.is(inside.value, 0, 'called from outside');
    try {
      return (exports()[`ringzero.entry.${place}`] as (...args: number[]) => unknown)(...args);
    } catch (error) {
      inside.value = 0;
      throw error;
    }
  };
  const names = WebAssembly.Module.imports(module).map(({ name }) => name);
  const crossings = names.filter((name) => name.startsWith('call.')).map((name) => [name, call]);
  const exposes = names
    .filter((name) => name.startsWith('expose.'))
    .map((name) => [name, () => {}]);
  return Object.fromEntries([...crossings, ...exposes]) as object;
}

/** In the main image; the view moves at each tick and each poll, and pages written are audited. */
function inMain(main: Uint8Array): string {
  const kernel = new StubKernel(1);
  const unmarked: number[] = [];
  const advance = (): void => {
    unmarked.push(...kernel.unmarkedWrites());
    kernel.advance();
    kernel.watch();
  };
  kernel.onSafepoint = () => {
    kernel.pending = false;
    advance();
  };
  const outcome = outcomeOf(
    (imports) => {
      const glue = glueImports(main, () => exports);
      const ringzero = { ...kernel.mainImports(), ...glue } as WebAssembly.ModuleImports;
      const exports: WebAssembly.Exports = instance(main, { ...imports, ringzero });
      (exports['ringzero.boot'] as () => void)();
      kernel.watch();
      kernel.pending = true;
      return exports;
    },
    () => {
      kernel.pending = true;
      advance();
    },
  );
  unmarked.push(...kernel.unmarkedWrites());
  return unmarked.length > 0 ? `${outcome}, pages ${unmarked.join()} unmarked` : outcome;
}

/** In the snapshot image; the parent overwrites pages at each tick. */
function inSnapshot(snapshot: Uint8Array): string {
  const kernel = new StubKernel(1);
  const world = kernel.snapshotWorld(3);
  let page = 0;
  return outcomeOf(
    (imports) => {
      const ringzero = world.imports as WebAssembly.ModuleImports;
      const exports = instance(snapshot, { ...imports, ringzero });
      (exports['ringzero.table'] as WebAssembly.Global).value = world.table | 0;
      (exports['ringzero.attach'] as () => void)();
      return exports;
    },
    () => world.overwrite(page++ % 16),
  );
}

function compare(form: string, cases: Record<string, string>): void {
  const [sample] = Object.values(cases).map(moduleOf);
  if (!WebAssembly.validate(sample as BufferSource)) {
    test(`${form}: an engine without it refuses the module by name`, () => {
      assert.throws(
        () => loadSync(sample!),
        (error: RingzeroError) => {
          return error.code === 'RZ_MODULE_UNSUPPORTED';
        },
      );
    });
    return;
  }
  for (const [what, body] of Object.entries(cases))
    test(`${form}: ${what}`, () => {
      const bytes = moduleOf(body);
      const expected = outcomeOf(
        (imports) => instance(bytes, imports),
        () => {},
      );
      for (const safepoints of [true, false])
        for (const glue of [true, false]) {
          const { main, snapshot } = translate(bytes, { frames: 4096, safepoints, glue });
          const before = calls;
          assert.is(inMain(main), expected, 'main');
          const crossings = /again/.test(body) ? 2 : 1;
          if (glue)
            assert.is(
              calls - before,
              crossings,
              'calls of the program through its table cross nothing',
            );
          assert.is(inSnapshot(snapshot), expected, 'snapshot');
        }
    });
}

compare('legacy', LEGACY);
compare('standard', STANDARD);

test.run();
