// Data segments that are applied together leave in memory what each by itself would have left, wherever they lie.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
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

/** Segments of which most follow the last one closely; some begin anywhere, at an address that only boot() knows, or are passive. */
function moduleOf(random: (below: number) => number): string {
  const segments: string[] = [];
  let end = random(2) === 0 ? random(40) : 1000;
  for (let i = 0; i < 30; i++) {
    const bytes = random(6);
    const content = Array.from({ length: bytes }, () => `\\${(1 + random(255)).toString(16).padStart(2, '0')}`).join(''); // prettier-ignore
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
  const inits = segments.map((_, i) => `(func (export "init${i}") (param i32)
    (memory.init ${i} (i32.const 70000) (i32.const 0) (local.get 0)))`); // prettier-ignore
  return `(module (import "env" "base" (global $base i32)) (memory (export "memory") 2)
    ${segments.join('\n')} ${inits.join('\n')})`;
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
    const bytes = assemble(moduleOf(randomOf(SEED + i)));
    const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), { env: { base } }).exports; // prettier-ignore
    const kernel = new StubKernel(2);
    const { main } = translateMain(bytes, { frames: kernel.frames });
    const image = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
      env: { base },
      ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
    }).exports as unknown as Calls;
    image['ringzero.boot']!();
    const expected = new Uint8Array((plain.memory as WebAssembly.Memory).buffer);
    const same = (): boolean => Buffer.compare(kernel.bytes.subarray(0, 2 * PAGE_BYTES), expected) === 0; // prettier-ignore
    assert.ok(same(), `seed ${SEED + i}`);
    for (let segment = 0; segment < 30; segment++) {
      const name = `init${segment}`;
      for (const length of [0, 1, 5])
        assert.is(outcome(() => image[name]!(length)), outcome(() => (plain as unknown as Calls)[name]!(length)), `seed ${SEED + i}, ${name}`); // prettier-ignore
    }
    assert.ok(same(), `seed ${SEED + i}, after memory.init`);
  }
});

test('where one traps, those before it are there', () => {
  const bytes = assemble(`(module (memory 1)
    (data (i32.const 65520) "first") (data (i32.const 65530) "second, which is too long"))`);
  const kernel = new StubKernel(1);
  const { main } = translateMain(bytes, { frames: kernel.frames });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  assert.throws(() => (exports as unknown as Calls)['ringzero.boot']!(), /unreachable/);
  assert.is(Buffer.from(kernel.bytes.slice(65520, 65536)).toString(), `first${'\0'.repeat(11)}`);
});

test('many segments that lie side by side cost what their bytes cost', () => {
  const pieces = Array.from({ length: 500 }, (_, i) => `(data (i32.const ${64 + i * 32}) "16 bytes and more")`); // prettier-ignore
  const bytes = assemble(`(module (memory 1) ${pieces.join('\n')})`);
  const { main } = translateMain(bytes, { frames: 4096 });
  assert.ok(main.length < 500 * 34 + 2000, `${main.length} bytes`);
});

test.run();
