// What a user-defined function may take besides fuel: the engine's memory and time to compile it, and the
// time of one instruction.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, Udf } from '../../host/index.ts';
import { meter, translate } from '../../host/translator/index.ts';
import { Random } from '../random.ts';
import { assemble } from '../vm/guests.ts';
import { udf } from './modules.ts';
import { moduleOf } from './shapes.ts';

const test = suite('user-defined functions: limits');

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.instance(error, RingzeroError);
    return `${(error as RingzeroError).code}: ${(error as Error).message}`;
  }
  return 'none';
}

test('A3, BOUND-4: what would take memory out of proportion is refused, with the function and the reason', () => {
  const shape = (kind: string, values: number, times: number): string =>
    codeOf(() => Udf.compile(moduleOf({ kind, values, times })));
  assert.match(
    shape('ifs', 49_990, 500),
    /^RZ_UDF_REFUSED: the module has 49990 locals in function 2; 5000 at most/,
  );
  assert.match(
    shape('ifs', 4000, 3000),
    /^RZ_UDF_REFUSED: .* function 2 has 4000 locals, and branches that keep/,
  );
  assert.match(shape('operands', 4000, 1000), /^RZ_UDF_REFUSED: .* too much memory/);
  assert.match(shape('table', 5000, 60_000), /^RZ_UDF_REFUSED: .* too much memory/);
  assert.match(shape('nested', 500, 2000), /^RZ_UDF_REFUSED: .* too much memory/);
  assert.match(
    shape('calls', 1000, 10),
    /^RZ_UDF_REFUSED: .* 2000 parameters and results; 50 at most/,
  );
  assert.match(shape('calls', 25, 10_000), /^RZ_UDF_REFUSED: .* too much memory/);
  for (const kind of ['ifs', 'blocks', 'loops', 'operands'])
    assert.is(shape(kind, 200, 300), 'none');
  assert.is(shape('calls', 20, 100), 'none');
});

/**
 * A module with `types` function types, `globals` globals, and `repeated` `times` times in the function
 * `call`.
 */
function large(types: number, globals: number, repeated: string, times: number): Uint8Array {
  const many = (count: number, text: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => text(i)).join(' ');
  const params = (i: number): string =>
    [...i.toString(4)]
      .map((digit) => `(param ${['i32', 'i64', 'f32', 'f64'][Number(digit)]})`)
      .join(' ');
  return udf({
    fields: `(type $none (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f)
      ${many(types, (i) => `(type (func ${params(i)}))`)} ${many(globals, () => '(global (mut i64) (i64.const 0))')}`,
    call: `${many(times, () => repeated)} (i32.const 1)`,
  });
}

test('A3: types, globals and the length of a function are bounded', () => {
  const indirect = '(call_indirect (type $none) (i32.const 0))';
  const refusal = (...shape: Parameters<typeof large>): string =>
    codeOf(() => Udf.compile(large(...shape)));
  assert.match(refusal(2500, 0, '', 0), /^RZ_UDF_REFUSED: .*25\d\d function types; 2000 at most/);
  assert.match(refusal(0, 12_000, '', 0), /^RZ_UDF_REFUSED: .* 12000 globals; 10000 at most/);
  assert.match(
    refusal(0, 0, indirect, 27_000),
    /^RZ_UDF_REFUSED: .* bytes of code in function 2; 131072 at most/,
  );
  assert.is(refusal(1000, 5000, indirect, 5000), 'none');
  const nested = (times: number): string =>
    codeOf(() => Udf.compile(moduleOf({ kind: 'nested', values: 1, times })));
  assert.match(
    nested(1100),
    /^RZ_UDF_REFUSED: .* 1100 loops within each other in function 2; 1000 at most/,
  );
  assert.is(nested(900), 'none');
});

test('A3: programs from strangers are held to the same with `boundCompilation`', async () => {
  const module = moduleOf({ kind: 'ifs', values: 4000, times: 3000 });
  const refused = await MicroVM.load(module, {}, { memory: 2 ** 26, boundCompilation: true }).catch(
    (error: unknown) => error,
  );
  assert.is((refused as RingzeroError).code, 'RZ_MODULE_UNSUPPORTED');
  assert.match((refused as Error).message, /function 2 has 4000 locals, and branches that keep/);
  const guest = assemble('(module (memory 1) (func (export "f") (result i32) (i32.const 5)))');
  const program = await MicroVM.load(guest, {}, { memory: 2 ** 26, boundCompilation: true });
  assert.is((program.exports['f'] as () => number)(), 5);
  await program.close();
  const images = await MicroVM.create({ guest: translate(guest), boundCompilation: true }).catch(
    (error: unknown) => error,
  );
  assert.is((images as RingzeroError).code, 'RZ_OPTION');
});

test('A3: random shapes: memory stays within bounds', () => {
  const { seed } = Random.forTest('A3');
  const child = fileURLToPath(new URL('./limits-child.js', import.meta.url));
  const said = execFileSync(process.execPath, [child, String(seed), '150'], { encoding: 'utf8' });
  const { accepted, refused, grownMiB } = JSON.parse(said) as Record<string, number>;
  assert.ok(accepted! > 10 && refused! > 10, said);
  assert.ok(grownMiB! < 1536, said); // 350 when it was written; one module alone took 3.5 GB
});

const MEMORY_PAGES = 64;
const BYTES = MEMORY_PAGES * 65536;

/** Instructions on ranges: a module whose function `call` does them all. */
function bulk(random: Random): { text: string; bytes: number; entries: number } {
  const parts: string[] = [];
  let [bytes, entries] = [0, 0];
  for (let i = 0; i < 12; i++) {
    const length = random.pick([
      0,
      1,
      100,
      65536,
      2 ** 20,
      2 ** 20 + 1,
      3 * 2 ** 20,
      random.below(BYTES / 2),
    ]);
    const [to, from] = [random.below(BYTES - length), random.below(BYTES - length)];
    const count = random.below(5000);
    const kind = random.below(5);
    if (kind === 0)
      parts.push(`(memory.fill (i32.const ${to}) (i32.const ${i + 1}) (i32.const ${length}))`);
    if (kind === 1)
      parts.push(`(memory.copy (i32.const ${to}) (i32.const ${from}) (i32.const ${length}))`);
    if (kind === 2)
      parts.push(
        `(memory.init $d (i32.const ${to}) (i32.const 0) (i32.const ${Math.min(length, 30)}))`,
      );
    if (kind === 3)
      parts.push(`(table.fill $t (i32.const 0) (ref.null func) (i32.const ${count}))`);
    if (kind === 4)
      parts.push(`(table.copy $t $t (i32.const 7) (i32.const 0) (i32.const ${count}))`);
    bytes += kind < 2 ? length : kind === 2 ? Math.min(length, 30) : 0;
    entries += kind > 2 ? count : 0;
  }
  return { text: parts.join('\n'), bytes, entries };
}

test('A17: instructions on ranges are paid for before they run, and do what they do elsewhere', () => {
  const random = Random.forTest('A17');
  for (let round = 0; round < 60; round++) {
    const { text, bytes, entries } = bulk(random);
    const module = udf({
      memory: `(memory (export "memory") ${MEMORY_PAGES})`,
      fields: '(table $t 6000 funcref) (data $d "012345678901234567890123456789")',
      call: `${text} (i32.const 1)`,
    });
    const slice = 1 + random.below(2000);
    const { module: metered } = meter(module, {
      memoryPages: MEMORY_PAGES,
      slice,
      startFuel: slice,
    });
    let [paid, most] = [0, 0];
    const exhausted = (): void => {
      paid += slice - fuel.value;
      most = Math.max(most, -fuel.value);
      fuel.value = slice;
    };
    const run = (code: Uint8Array): Record<string, WebAssembly.ExportValue> =>
      new WebAssembly.Instance(new WebAssembly.Module(code as BufferSource), {
        ringzero: { exhausted },
      }).exports;
    const ours = run(metered);
    const fuel = ours['ringzero.fuel'] as WebAssembly.Global<'i32'>;
    (ours['call'] as (at: number, bytes: number) => number)(0, 0);
    paid += slice - fuel.value;
    assert.ok(
      paid >= Math.floor(bytes / 16) - 12 + 16 * entries,
      `${paid} for ${bytes} bytes, ${entries} entries: ${text}`,
    );
    assert.ok(most <= Math.max(2 ** 20 / 16, 16 * 6000) + 2048, `${most} at once: ${text}`);
    const plain = run(module);
    (plain['call'] as (at: number, bytes: number) => number)(0, 0);
    const [a, b] = [ours, plain].map((exports) =>
      Buffer.from((exports['memory'] as WebAssembly.Memory).buffer),
    );
    assert.ok(a!.equals(b!), `memory differs after ${text}`);
  }
});

test('A17: a range that leaves memory traps before anything is written', () => {
  for (const op of [
    'memory.fill (i32.const 4096) (i32.const 7)',
    'memory.copy (i32.const 4096) (i32.const 0)',
    'memory.copy (i32.const 0) (i32.const 4096)',
  ]) {
    const bytes = udf({
      memory: `(memory (export "memory") ${MEMORY_PAGES})`,
      call: `(if (i32.eqz (local.get $bytes)) (then (${op} (i32.const ${BYTES})))) (i32.load (i32.const 4096))`,
    });
    const fn = Udf.compile(bytes, { memoryPages: MEMORY_PAGES });
    assert.match(
      codeOf(() => fn.call(new Uint8Array(0))),
      /^RZ_UDF_TRAP.*out of bounds/,
    );
    assert.is(fn.call(new Uint8Array(1)), 0);
  }
});

test('A17: a time limit ends a function between the chunks of one long instruction', () => {
  const fill = '(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x40000000))'.repeat(8);
  const bytes = udf({ memory: '(memory (export "memory") 16384)', call: `${fill} (i32.const 1)` });
  const fn = Udf.compile(bytes, { memoryPages: 16384, timeMs: 1 });
  assert.match(
    codeOf(() => fn.call(new Uint8Array(0))),
    /^RZ_UDF_LIMIT.*1 ms/,
  );
});

test.run();
