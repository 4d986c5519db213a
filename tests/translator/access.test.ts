// Every instruction that touches memory, by itself: the main image faults exactly the pages it writes, the
// snapshot image reads and writes the snapshot's world, at addresses within a page and across two.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import initWabt from 'wabt';
import { translate } from '../../host/translator/index.ts';
import { StubKernel } from './stub-kernel.ts';

const test = suite('translator: accesses');
const wabt = await initWabt();
const FEATURES = { simd: true, threads: true, bulk_memory: true, sign_extension: true };

interface Access {
  readonly op: string;
  readonly width: number;
  readonly operands: string; // after the address
  readonly result: string; // type, or empty
  readonly lane?: number;
  readonly atomic?: boolean;
  readonly writes?: boolean;
}

const LOADS: [string, number][] = [
  ['i32.load', 4],
  ['i64.load', 8],
  ['f32.load', 4],
  ['f64.load', 8],
  ['i32.load8_s', 1],
  ['i32.load8_u', 1],
  ['i32.load16_s', 2],
  ['i32.load16_u', 2],
  ['i64.load8_s', 1],
  ['i64.load8_u', 1],
  ['i64.load16_s', 2],
  ['i64.load16_u', 2],
  ['i64.load32_s', 4],
  ['i64.load32_u', 4],
  ['v128.load', 16],
  ['v128.load8x8_s', 8],
  ['v128.load8x8_u', 8],
  ['v128.load16x4_s', 8],
  ['v128.load16x4_u', 8],
  ['v128.load32x2_s', 8],
  ['v128.load32x2_u', 8],
  ['v128.load8_splat', 1],
  ['v128.load16_splat', 2],
  ['v128.load32_splat', 4],
  ['v128.load64_splat', 8],
  ['v128.load32_zero', 4],
  ['v128.load64_zero', 8],
];
const STORES: [string, number][] = [
  ['i32.store', 4],
  ['i64.store', 8],
  ['f32.store', 4],
  ['f64.store', 8],
  ['i32.store8', 1],
  ['i32.store16', 2],
  ['i64.store8', 1],
  ['i64.store16', 2],
  ['i64.store32', 4],
  ['v128.store', 16],
];
const WIDTHS: Record<string, number> = { '8': 1, '16': 2, '32': 4 };
const CONSTANTS: Record<string, string> = {
  i32: '(i32.const 0x8badf00d)',
  i64: '(i64.const 0x8badf00ddeadbeef)',
  f32: '(f32.const 1.25)',
  f64: '(f64.const -3.75)',
  v128: '(v128.const i32x4 0x81828384 0x91929394 0xa1a2a3a4 0xb1b2b3b4)',
};

function accesses(): Access[] {
  const all: Access[] = [];
  const typeOf = (op: string): string => op.slice(0, op.indexOf('.'));
  for (const [op, width] of LOADS) all.push({ op, width, operands: '', result: typeOf(op) });
  for (const [op, width] of STORES) {
    all.push({ op, width, operands: CONSTANTS[typeOf(op)]!, result: '', writes: true });
  }
  for (const bits of [8, 16, 32, 64]) {
    const lane = 128 / bits - 1;
    const common = { width: bits / 8, operands: CONSTANTS.v128!, lane };
    all.push({ op: `v128.load${bits}_lane`, result: 'v128', ...common });
    all.push({ op: `v128.store${bits}_lane`, result: '', writes: true, ...common });
  }
  for (const type of ['i32', 'i64']) {
    for (const size of type === 'i32' ? ['', '8', '16'] : ['', '8', '16', '32']) {
      const width = WIDTHS[size] ?? (type === 'i32' ? 4 : 8);
      const suffix = size ? '_u' : '';
      const common = { width, atomic: true, operands: CONSTANTS[type]! };
      all.push({
        op: `${type}.atomic.load${size}${suffix}`,
        ...common,
        operands: '',
        result: type,
      });
      all.push({ op: `${type}.atomic.store${size}`, ...common, result: '', writes: true });
      for (const rmw of ['add', 'sub', 'and', 'or', 'xor', 'xchg', 'cmpxchg']) {
        const operands = common.operands.repeat(rmw === 'cmpxchg' ? 2 : 1);
        const op = `${type}.atomic.rmw${size}.${rmw}${suffix}`;
        all.push({ op, ...common, operands, result: type, writes: true });
      }
    }
  }
  return all;
}

/** A module whose run(address) does the access and, if it gives a result, leaves that at 0x8000. */
function moduleOf({ op, operands, result, lane }: Access): Uint8Array {
  const access = `(${op} offset=4 ${lane ?? ''} (local.get 0) ${operands})`;
  const kept = result ? `(${result}.store (i32.const 0x8000) ${access})` : access;
  const text = `(module (memory (export "memory") 1 1 shared)
    (func (export "run") (param i32) ${kept}))`;
  const module = wabt.parseWat('access.wat', text, FEATURES);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

function checkWithWabt(bytes: Uint8Array): void {
  const module = wabt.readWasm(bytes, FEATURES);
  try {
    (module as { validate(features: object): void }).validate(FEATURES);
  } finally {
    module.destroy();
  }
}

const content = Uint8Array.from({ length: 65536 }, (_, i) => (i * 7 + (i >>> 8)) & 255);
type Run = (address: number) => void;

function plainRun(bytes: Uint8Array): { run: Run; memory: Uint8Array } {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const memory = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
  memory.set(content);
  return { run: instance.exports.run as Run, memory };
}

const attempt = (run: () => void): boolean => {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return false;
    throw error;
  }
};

const addressesOf = ({ width }: Access): number[] => [
  4096, // aligned, plus the offset of 4
  4096 + 32,
  8192 - 4 - width, // the last bytes of a page
  8192 - 4 - (width >> 1), // straddles if wider than a byte
  8192 - 4 - 1,
  0x7fff + 4096,
  0xffffffff,
  0xfffffff8,
];

test('the main image faults exactly the pages that it writes', () => {
  for (const access of accesses()) {
    const bytes = moduleOf(access);
    const { main, snapshot } = translate(bytes, { frames: 4096 });
    checkWithWabt(main);
    checkWithWabt(snapshot);
    for (const address of addressesOf(access)) {
      const plain = plainRun(bytes);
      const kernel = new StubKernel(1);
      const instance = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
        ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
      });
      kernel.bytes.set(content);
      const what = `${access.op} at ${address}`;
      const ok = attempt(() => plain.run(address));
      assert.is(
        attempt(() => (instance.exports.run as Run)(address)),
        ok,
        what,
      );
      assert.is(Buffer.compare(kernel.bytes.subarray(0, 65536), plain.memory), 0, what);
      if (!ok) continue;
      const pages = new Set<number>();
      if (access.result) pages.add(8).add((0x8000 + 15) >>> 12);
      if (access.writes) {
        pages.add((address + 4) >>> 12).add((address + 4 + access.width - 1) >>> 12);
      }
      const marked = [...kernel.epochs.subarray(0, 16).entries()].filter(([, view]) => view > 0);
      assert.equal(
        marked.map(([page]) => page),
        [...pages].sort((a, b) => a - b),
        what,
      );
    }
  }
});

test('a short copy is memory.copy, onto itself too, and marks the pages that it writes', () => {
  const text = `(module (memory (export "memory") 1 1 shared)
    (func (export "run") (param i32 i32 i32)
      (memory.copy (local.get 0) (local.get 1) (local.get 2))))`;
  const module = wabt.parseWat('copy.wat', text, FEATURES);
  const bytes = module.toBinary({}).buffer;
  module.destroy();
  const plain = plainRun(bytes);
  const kernel = new StubKernel(1);
  const { main } = translate(bytes, { frames: 4096 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  type Copy = (to: number, from: number, count: number) => void;
  const [expected, run] = [plain.run as Copy, instance.exports.run as Copy];
  kernel.bytes.set(content);
  for (let count = 0; count <= 40; count++) {
    for (const to of [4096, 8192 - 40, 8192 - 5, 8192 - 1, 65536 - count, 65536 - 3]) {
      for (const from of [to - 9, to - 1, to, to + 1, to + 9, 20000, -1, -20]) {
        kernel.advance();
        const what = `${count} bytes from ${from} to ${to}`;
        const ok = attempt(() => expected(to, from, count));
        // What leaves guest memory, but not physical memory, may still be read.
        if (!ok && count > 0 && from > 0 && from + count > 65536 && to + count <= 65536) continue;
        if (count > 0 || ok) {
          const done = attempt(() => run(to, from, count));
          assert.is(done, ok, what);
        }
        assert.is(Buffer.compare(kernel.bytes.subarray(0, 65536), plain.memory), 0, what);
        if (!ok) continue;
        const pages = new Set(count === 0 ? [] : [to >>> 12, (to + count - 1) >>> 12]);
        for (let page = 0; page < 16; page++)
          assert.is(kernel.epochs[page] === kernel.view, pages.has(page), `${what}, page ${page}`);
      }
    }
  }
});

test('the snapshot image sees copied pages, and writes to its own', () => {
  for (const access of accesses()) {
    const bytes = moduleOf(access);
    const { snapshot } = translate(bytes, { frames: 4096, weakMemory: access.width > 4 });
    for (const address of addressesOf(access)) {
      for (const copied of [0, 0b10, 0b100, 0b110]) {
        const plain = plainRun(bytes);
        const kernel = new StubKernel(1);
        const world = kernel.snapshotWorld();
        kernel.bytes.set(content);
        const instance = new WebAssembly.Instance(
          new WebAssembly.Module(snapshot as BufferSource),
          { ringzero: world.imports as WebAssembly.ModuleImports },
        );
        (instance.exports['ringzero.table'] as WebAssembly.Global).value = world.table | 0;
        for (let page = 0; page < 16; page++) {
          if ((copied >>> page) & 1) world.overwrite(page);
        }
        const what = `${access.op} at ${address}, pages ${copied.toString(2)} copied`;
        const ok = attempt(() => plain.run(address));
        assert.is(
          attempt(() => (instance.exports.run as Run)(address)),
          ok,
          what,
        );
        assert.is(Buffer.compare(world.read(0, 65536), plain.memory), 0, what);
        assert.ok(world.mainUntouched(), what);
      }
    }
  }
});

test.run();
