// Relaxed SIMD, extended constants and tail calls do the same translated and not; an engine that lacks one is
// named as the reason.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RingzeroError } from '../../host/errors.ts';
import { translate } from '../../host/translator/index.ts';
import { EFFECT, effectGives, effectTakes } from '../../host/translator/instructions.ts';
import { PAGE_SIMD } from '../../host/translator/opcode.ts';
import { build } from './build.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: proposals');

/** By sub-opcode from 0x100 on: the name, and how many operands it takes. */
const RELAXED: [name: string, takes: number][] = [
  ['i8x16.relaxed_swizzle', 2],
  ['i32x4.relaxed_trunc_f32x4_s', 1],
  ['i32x4.relaxed_trunc_f32x4_u', 1],
  ['i32x4.relaxed_trunc_f64x2_s_zero', 1],
  ['i32x4.relaxed_trunc_f64x2_u_zero', 1],
  ['f32x4.relaxed_madd', 3],
  ['f32x4.relaxed_nmadd', 3],
  ['f64x2.relaxed_madd', 3],
  ['f64x2.relaxed_nmadd', 3],
  ['i8x16.relaxed_laneselect', 3],
  ['i16x8.relaxed_laneselect', 3],
  ['i32x4.relaxed_laneselect', 3],
  ['i64x2.relaxed_laneselect', 3],
  ['f32x4.relaxed_min', 2],
  ['f32x4.relaxed_max', 2],
  ['f64x2.relaxed_min', 2],
  ['f64x2.relaxed_max', 2],
  ['i16x8.relaxed_q15mulr_s', 2],
  ['i16x8.relaxed_dot_i8x16_i7x16_s', 2],
  ['i32x4.relaxed_dot_i8x16_i7x16_add_s', 3],
];

/** Each function stores what its instruction makes of vectors in memory. */
const VECTORS = `(module (memory (export "memory") 1)
  (data (i32.const 0) "\\01\\02\\03\\04\\05\\06\\07\\08\\09\\0a\\0b\\0c\\0d\\0e\\0f\\10")
  (data (i32.const 16) "\\00\\00\\80\\3f\\00\\00\\00\\40")
  ${RELAXED.map(([name, takes], i) => {
    const operands = Array.from({ length: takes }, (_, at) => `(v128.load (i32.const ${at * 8}))`);
    return `(func (export "f${i}") (v128.store (i32.const ${64 + i * 16}) (${name} ${operands.join(' ')})))`;
  }).join('\n')})`;

const CONSTANTS = `(module (import "env" "base" (global $base i32)) (memory (export "memory") 1)
  (global $g (export "g") (mut i32) (i32.add (i32.mul (global.get $base) (i32.const 3)) (i32.const 7)))
  (table (export "t") 8 funcref)
  (func $five (result i32) (i32.const 5))
  (elem (i32.sub (global.get $base) (i32.const 98)) $five)
  (data (i32.add (global.get $base) (i32.const 20)) "moved")
  (func (export "f0") (i32.store (i32.const 0) (call_indirect (result i32) (i32.const 2))))
  (func (export "f1") (i32.store (i32.const 4) (global.get $g))))`;

const TAIL_CALLS = `(module (memory (export "memory") 1)
  (type $count (func (param i32 i32) (result i32)))
  (table funcref (elem $odd))
  (func $even (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (i32.store offset=64 (i32.and (local.get 0) (i32.const 4092)) (local.get 0))
    (return_call_indirect (type $count) (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (i32.const 0)))
  (func $odd (param i32 i32) (result i32)
    (return_call $even (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1))))
  (func (export "f0") (i32.store (i32.const 0) (call $even (i32.const 1000000) (i32.const 0)))))`;

/**
 * Typed references to functions, from binaryen's reader of texts, since wabt reads none: a table with an
 * initial value, of each kind; call_ref, return_call_ref 300,000 times in a row, ref.as_non_null, br_on_null
 * to a block and to a loop, br_on_non_null; a local and a global that are never null.
 */
const TYPED_REFERENCES = Buffer.from(
  `AGFzbQEAAAABFgRgAX8Bf2AAAGACYwB/AX9gAWMAAX8DCwoAAAIDAQEBAQEBBBYDQABkAAAE0gALYwAABEAAcAAD0gELBQMBAAEG
    BwFkAADSAAsHKAcGbWVtb3J5AgACZjAABAJmMQAFAmYyAAYCZjMABwJmNAAIAmY1AAkJDAEGAUEBC2MAAdIBCwrqAQoPACAAIAA2
    AoABIABBAmwLIQAgAEUEQEHNAA8LIABB/AdxIAA2AoACIABBAWvSARUACxEAAkAgASAA1QAUAA8LQegHCxAAAmQAIADWAEEFDwsa
    QQYLFAEBZAAjACEAQQBBFSAAFAA2AgALDwBBBEEAJQFBAxACNgIACxEAQQhBASUBQeCnEhACNgIACw8AQQxBAyUAQQgQAjYCAAsZ
    AEEQQQAlARADNgIAQRRBASUB1BADNgIACzIBAX8DQCAAQQJ0IABBAhEAAjYCICAAQQFqIQACYwAgAEEUSQRjANBzBSMAC9UBCxoL
    Cw==`,
  'base64',
);

const imports = { env: { base: 100 } };

/** Runs the functions f0, f1, ... and returns memory after them. */
function run(exports: WebAssembly.Exports, memory: WebAssembly.Memory): Buffer {
  for (let i = 0; exports[`f${i}`] !== undefined; i++) (exports[`f${i}`] as () => void)();
  return Buffer.from(new Uint8Array(memory.buffer, 0, 8192).slice());
}

function instance(bytes: Uint8Array, ringzero: object): WebAssembly.Exports {
  const module = new WebAssembly.Module(bytes as BufferSource);
  const all = { ...imports, ringzero: ringzero as WebAssembly.ModuleImports };
  return new WebAssembly.Instance(module, all).exports;
}

function compare(module: string | Uint8Array, lacking: RegExp): void {
  const bytes = typeof module === 'string' ? build(module) : module;
  if (!WebAssembly.validate(bytes as BufferSource)) {
    try {
      translate(bytes);
      assert.unreachable();
    } catch (error) {
      assert.is((error as RingzeroError).code, 'RZ_MODULE_UNSUPPORTED');
      assert.match((error as Error).message, lacking);
    }
    return;
  }
  const plain = instance(bytes, {});
  const expected = run(plain, plain['memory'] as WebAssembly.Memory);
  const { main, snapshot } = translate(bytes, { frames: 4096 });
  const kernel = new StubKernel(1);
  const exports = instance(main, kernel.mainImports());
  (exports['ringzero.boot'] as () => void)();
  const world = kernel.snapshotWorld(3);
  const fork = instance(snapshot, world.imports);
  (fork['ringzero.table'] as WebAssembly.Global).value = world.table | 0;
  (fork['ringzero.attach'] as () => void)();
  run(fork, kernel.memory);
  assert.ok(world.read(0, 8192).equals(expected), 'snapshot');
  assert.ok(run(exports, kernel.memory).equals(expected), 'main');
}

test('relaxed SIMD', () => {
  RELAXED.forEach(([name, takes], i) => {
    const effect = EFFECT[PAGE_SIMD + 0x100 + i]!;
    assert.equal([effectTakes(effect), effectGives(effect)], [takes, 1], name);
  });
  compare(VECTORS, /relaxed SIMD, which this JavaScript engine cannot compile/);
});

test('extended constants, in globals and in segments of each kind', () => {
  compare(CONSTANTS, /extended constant expressions, which this JavaScript engine cannot compile/);
});

test('typed references to functions, and tables with a first value', () => {
  compare(TYPED_REFERENCES, /typed references to functions, which this JavaScript engine cannot/);
});

test('a million tail calls take no stack', () => {
  compare(TAIL_CALLS, /tail calls/);
});

test.run();
