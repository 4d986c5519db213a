// Data segments that are applied together leave in memory what each would leave by itself, wherever they are.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { translateMain } from '../../host/translator/index.ts';
import { assemble } from '../vm/guests.ts';
import { randomOf } from './generator.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: segments');
const MODULES = Number(process.env.RZ_FUZZ_MODULES ?? 200);
const SEED = Number(process.env.RZ_SEED ?? Date.now() & 0xffffff);
const BASE = 100; // an imported global
const PAGE_BYTES = 65536;
type Calls = Record<string, (...args: number[]) => number>;

/**
 * Segments of which most follow the last one closely; some begin anywhere, at an address that only boot()
 * knows, or are passive.
 */
function moduleOf(random: (below: number) => number, isImported: boolean): string {
  const segments: string[] = [];
  let end = random(2) === 0 ? random(40) : 1000;
  for (let i = 0; i < 30; i++) {
    const bytes = random(6);
    const content = Array.from(
      { length: bytes },
      () => `\\${(1 + random(255)).toString(16).padStart(2, '0')}`,
    ).join('');
    const kind = random(12);
    let at = end + random(36);
    if (kind === 0) at = random(2 * PAGE_BYTES - bytes);
    else if (kind === 1) at = Math.max(0, end - random(10));
    else if (kind === 2) at = 2 * PAGE_BYTES - bytes; // up to the last byte
    if (kind === 3) segments.push(`(data "${content}")`);
    else if (kind === 4) segments.push(`(data (global.get $base) "${content}")`);
    else {
      segments.push(`(data (i32.const ${at}) "${content}")`);
      end = Math.min(at + bytes, PAGE_BYTES);
    }
  }
  const inits = segments.map(
    (_, i) => `(func (export "init${i}") (param i32)
    (memory.init ${i} (i32.const 70000) (i32.const 0) (local.get 0)))`,
  );
  const memory = isImported
    ? '(import "env" "memory" (memory 2)) (export "memory" (memory 0))'
    : '(memory (export "memory") 2)';
  return `(module (import "env" "base" (global $base i32)) ${memory}
    ${segments.join('\n')} ${inits.join('\n')})`;
}

/** The main image after its boot. */
function boot(bytes: Uint8Array, kernel: StubKernel, env: WebAssembly.ModuleImports = {}): Calls {
  const { main } = translateMain(bytes, { frames: kernel.frames });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    env,
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  (exports as unknown as Calls)['ringzero.boot']!();
  return exports as unknown as Calls;
}

const outcome = (call: () => number): string => {
  try {
    return String(call());
  } catch (error) {
    assert.instance(error, WebAssembly.RuntimeError);
    return 'trap';
  }
};

test(`memory is as the engine itself fills it, and so are the segments then (RZ_SEED=${SEED})`, () => {
  const base = new WebAssembly.Global({ value: 'i32' }, BASE);
  for (let i = 0; i < MODULES; i++) {
    const isImported = i % 2 === 1;
    const bytes = assemble(moduleOf(randomOf(SEED + i), isImported));
    const memory = new WebAssembly.Memory({ initial: 2 });
    const kernel = new StubKernel(2);
    if (isImported)
      for (const there of [kernel.bytes, new Uint8Array(memory.buffer)])
        there.fill(0xaa, 0, 2 * PAGE_BYTES);
    const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {
      env: { base, memory },
    }).exports;
    const image = boot(bytes, kernel, { base });
    const expected = new Uint8Array((plain.memory as WebAssembly.Memory).buffer);
    const same = (): boolean =>
      Buffer.compare(kernel.bytes.subarray(0, 2 * PAGE_BYTES), expected) === 0;
    assert.ok(same(), `seed ${SEED + i}`);
    for (let segment = 0; segment < 30; segment++) {
      const name = `init${segment}`;
      for (const length of [0, 1, 5])
        assert.is(
          outcome(() => image[name]!(length)),
          outcome(() => (plain as unknown as Calls)[name]!(length)),
          `seed ${SEED + i}, ${name}`,
        );
    }
    assert.ok(same(), `seed ${SEED + i}, after memory.init`);
  }
});

test('zeros between segments are written only where nothing can be', async () => {
  const at = 1000;
  const module = (memory: string): Uint8Array =>
    assemble(`(module ${memory} (export "memory" (memory 0))
      (data (i32.const ${at}) "aa") (data (i32.const ${at + 4}) "bb")
      (func (export "get") (result i64) (i64.load (i32.const ${at - 1}))))`);
  const [own, imported] = [module('(memory 1)'), module('(import "env" "memory" (memory 1))')];
  const seen = async (bytes: Uint8Array, isGiven: boolean): Promise<string> => {
    const memory = MicroVM.memory(2 ** 24);
    new Uint8Array(memory.buffer).fill(0x2e, at - 1, at + 8);
    const program = await MicroVM.load(bytes, isGiven ? { env: { memory } } : {}, {
      memory: isGiven ? memory : 2 ** 24,
    });
    const bits = BigInt.asUintN(64, (program.exports['get'] as unknown as () => bigint)());
    await program.close();
    return Buffer.from(BigUint64Array.of(bits).buffer).toString().replaceAll('\0', '0');
  };
  for (const bytes of [own, imported]) {
    assert.is(await seen(bytes, true), '.aa..bb.');
    assert.is(await seen(bytes, false), '0aa00bb0');
  }
  const sizeOf = (bytes: Uint8Array, zeroFilledMemory?: boolean): number =>
    translateMain(bytes, { zeroFilledMemory }).main.length;
  assert.is(sizeOf(imported), sizeOf(imported, false));
  assert.ok(sizeOf(imported, true) < sizeOf(imported));
  assert.is(sizeOf(own), sizeOf(own, true));
  assert.ok(sizeOf(own) < sizeOf(own, false));
});

test('an address that has to be computed is no constant', () => {
  const wat = `(module (memory (export "memory") 1)
    (data (i32.const 100) "a") (data (i32.add (i32.const 100) (i32.const 40)) "b") (data (i32.const 101) "c"))`;
  const bytes = assemble(wat, { extended: true });
  if (!WebAssembly.validate(bytes as BufferSource)) return; // Node 20 has no such constants
  const kernel = new StubKernel(1);
  boot(bytes, kernel);
  const found = Buffer.from(kernel.bytes.slice(100, 141)).toString();
  assert.is(found, `ac${'\0'.repeat(38)}b`);
});

test('where one traps, those before it are there', () => {
  const bytes = assemble(`(module (memory 1)
    (data (i32.const 65520) "first") (data (i32.const 65530) "second, which is too long"))`);
  const kernel = new StubKernel(1);
  assert.throws(() => boot(bytes, kernel), /unreachable/);
  assert.is(Buffer.from(kernel.bytes.slice(65520, 65536)).toString(), `first${'\0'.repeat(11)}`);
});

test('many segments that lie side by side cost what their bytes cost', () => {
  const pieces = Array.from(
    { length: 500 },
    (_, i) => `(data (i32.const ${64 + i * 32}) "16 bytes and more")`,
  );
  const bytes = assemble(`(module (memory 1) ${pieces.join('\n')})`);
  const { main } = translateMain(bytes, { frames: 4096 });
  assert.ok(main.length < 500 * 34 + 2000, `${main.length} bytes`);
});

test.run();
