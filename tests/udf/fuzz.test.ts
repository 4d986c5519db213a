// Bytes that are not a valid module: each is refused with a typed error, or runs within its limits and
// answers what it would answer anywhere.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroError, Udf, type UdfResult } from '../../host/index.ts';
import { Random } from '../random.ts';
import { BEGINS_WITH_W, HASH, UPPER, udf } from './modules.ts';

const test = suite('user-defined functions: fuzz');
const random = Random.forTest('user-defined functions: fuzz');
const ROUNDS = Number(process.env['RZ_FUZZ_MODULES'] ?? 6000);
const ROW = new TextEncoder().encode('what a row: 0123456789');
const CODES = /^(RZ_MODULE_(MALFORMED|UNSUPPORTED)|RZ_UDF_(REFUSED|TRAP|LIMIT|RESULT))$/;

const RICH = udf({
  memory: '(memory (export "memory") 1 2)',
  result: 'i64',
  fields: `(type $t (func (param i32) (result i32)))
    (table $t 4 8 funcref) (elem (i32.const 1) $a $b) (elem $late func $b $a)
    (global $g (mut i32) (i32.const 7)) (global $h i64 (i64.const 9))
    (func $a (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
    (func $b (param i32) (result i32) (memory.grow (local.get 0)))
    (func $start (global.set $g (i32.const 100))) (start $start)
    (data (i32.const 64) "data") (data $passive "passive")`,
  call: `(local $i i32)
    (memory.init $passive (i32.const 80) (i32.const 0) (i32.const 7))
    (table.init $t $late (i32.const 2) (i32.const 0) (i32.const 1))
    (loop $next (block $out
      (br_table $out $out $out (local.get $i))
      (global.set $g (call_indirect (type $t) (global.get $g) (i32.const 1))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $bytes))))
    (memory.copy (i32.const 128) (local.get $at) (local.get $bytes))
    (i32.store (i32.const 128) (global.get $g))
    (i64.or (i64.const 0x8000000000) (i64.extend_i32_u (local.get $bytes)))`,
});
const SOURCES = [HASH, BEGINS_WITH_W, UPPER, RICH];

/** What the function answers, or the code of its error. */
function run(bytes: Uint8Array): UdfResult | string {
  try {
    return Udf.compile(bytes, { memoryPages: 4, fuel: 20_000 }).call(ROW);
  } catch (error) {
    if (!(error instanceof RingzeroError)) throw error;
    assert.match(error.code, CODES);
    return error.code;
  }
}

/** What the module answers untranslated: it is known to come to an end. */
function runPlain(bytes: Uint8Array): UdfResult {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const { memory, input, call } = exports as unknown as {
    memory: WebAssembly.Memory;
    input(bytes: number): number;
    call(address: number, bytes: number): number | bigint;
  };
  const address = input(256) >>> 0;
  new Uint8Array(memory.buffer).set(ROW, address);
  const result = call(address, ROW.length);
  if (typeof result === 'number') return result;
  const at = Number(BigInt.asUintN(32, result >> 32n));
  return new Uint8Array(memory.buffer, at, Number(BigInt.asUintN(32, result))).slice();
}

function mutated(source: Uint8Array): Uint8Array {
  const bytes = source.slice();
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(bytes.length);
    bytes[at] = random.chance(0.5) ? random.below(256) : bytes[at]! ^ (1 << random.below(8));
  }
  return random.chance(0.05) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

test('random bytes are no module', () => {
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = Uint8Array.from({ length: random.below(200) }, () => random.below(256));
    if (random.chance(0.5)) bytes.set(HASH.subarray(0, Math.min(8, bytes.length)));
    assert.type(run(bytes), 'string');
  }
});

test('a damaged module is refused, ends, or answers as it would untranslated', () => {
  const count = new Map<string, number>();
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = mutated(random.pick(SOURCES));
    const outcome = run(bytes);
    const kind = typeof outcome === 'string' ? outcome : 'answered';
    count.set(kind, (count.get(kind) ?? 0) + 1);
    if (typeof outcome === 'string') continue;
    // A memory that may grow further than here gives other numbers.
    assert.equal(outcome, runPlain(bytes), `module ${i}: ${Buffer.from(bytes).toString('base64')}`);
  }
  assert.ok((count.get('answered') ?? 0) > ROUNDS / 50, 'some modules are still good');
  assert.ok((count.get('RZ_MODULE_MALFORMED') ?? 0) > ROUNDS / 10, 'some are none');
});

test.run();
