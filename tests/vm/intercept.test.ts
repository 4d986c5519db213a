// ringzero/intercept: packages without a hook, which instantiate their module in any of the ways that there
// are, and everything else, which must not notice.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { intercept, type Interception, type InterceptOptions } from '../../host/intercept.ts';
import { MicroVM, type Program } from '../../host/index.ts';
import { assemble } from './guests.ts';
import { openIntercepted } from './intercepted-sqlite.ts';

const test = suite('intercept');
const { Module, Instance, Memory, compile, instantiate } = WebAssembly;
const require = createRequire(import.meta.url);

const cells = (memory: string): Uint8Array =>
  assemble(`(module ${memory}
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1))))`);
/** The module that is chosen, another, and one that imports its memory. */
const CHOSEN = cells('(memory (export "memory") 2)');
const OTHER = cells('(memory (export "other") 3)');
const IMPORTING = cells('(import "env" "memory" (memory 7 70))');

const namesOf = (module: object): string[] =>
  Module.exports(module as WebAssembly.Module).map(({ name }) => name);
// The runtime compiles modules, too.
const filter = (module: object): boolean =>
  namesOf(module).includes('get') && !namesOf(module).includes('other');
const options: InterceptOptions = { memory: 2 ** 24, filter };
interface Cells {
  get(at: number): number;
  put(at: number, value: number): void;
}
const cellsOf = ({ exports }: WebAssembly.Instance): Cells => exports as unknown as Cells;

async function isForked(program: Program): Promise<void> {
  const { get, put } = program.exports as unknown as Cells;
  put(64, 7);
  const snapshot = program.snapshot();
  put(64, 8);
  assert.is(await snapshot.run('get', 64), 7);
  assert.is(get(64), 8);
  await program.close();
}

const response = (bytes: Uint8Array): Response =>
  new Response(bytes as BufferSource, { headers: { 'content-type': 'application/wasm' } });

/** Every way to an instance. */
const WAYS: Record<
  string,
  (bytes: Uint8Array) => WebAssembly.Instance | Promise<WebAssembly.Instance>
> = {
  'new Module, new Instance': (bytes) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {}),
  'compile, new Instance': async (bytes) =>
    new WebAssembly.Instance(await WebAssembly.compile(bytes as BufferSource)),
  'new Module, instantiate': (bytes) =>
    WebAssembly.instantiate(new WebAssembly.Module(bytes as BufferSource), {}),
  instantiate: async (bytes) => (await WebAssembly.instantiate(bytes as BufferSource)).instance,
  compileStreaming: async (bytes) =>
    WebAssembly.instantiate(await WebAssembly.compileStreaming(response(bytes))),
  instantiateStreaming: async (bytes) =>
    (await WebAssembly.instantiateStreaming(Promise.resolve(response(bytes)), {})).instance,
};

for (const [name, make] of Object.entries(WAYS))
  test(`${name}: the chosen module is a program, another is not`, async () => {
    const programs = intercept(options);
    const [chosen, other] = [await make(CHOSEN), await make(OTHER)];
    programs.restore();
    assert.ok(chosen instanceof WebAssembly.Instance);
    assert.is([...programs].length, 1);
    assert.is([...programs][0], chosen);
    await isForked(chosen as unknown as Program);
    assert.is(Object.getPrototypeOf(other), Instance.prototype);
    assert.is((other.exports['other'] as WebAssembly.Memory).buffer.constructor, ArrayBuffer);
    const after = await make(CHOSEN);
    assert.is(Object.getPrototypeOf(after), Instance.prototype, 'restored');
  });

test('what is wrong fails as without it', async () => {
  const wrong = new Uint8Array([1, 2, 3]);
  const needs = assemble('(module (import "env" "f" (func)) (memory (export "other") 1))');
  const failures = async (): Promise<unknown[]> => {
    const acts: (() => unknown)[] = [
      () => new WebAssembly.Module(wrong),
      () => WebAssembly.compile(wrong),
      () => WebAssembly.instantiate(wrong),
      () => WebAssembly.instantiate(needs as BufferSource, {}),
      () => new WebAssembly.Instance(new WebAssembly.Module(needs as BufferSource), {}),
      () => new WebAssembly.Instance({} as WebAssembly.Module),
      () => WebAssembly.instantiate(7 as never),
      () => new WebAssembly.Memory({ initial: -1 }),
      () => WebAssembly.compileStreaming(new Response(CHOSEN as BufferSource)),
      () => WebAssembly.instantiateStreaming(7 as never),
    ];
    const found: unknown[] = [];
    for (const act of acts)
      try {
        found.push(await act());
      } catch (error) {
        found.push((error as Error).constructor);
      }
    return found;
  };
  const expected = await failures();
  const programs = intercept(options);
  assert.equal(await failures(), expected);
  programs.restore();
  assert.equal([...programs], []);
});

test('restore() puts the constructors back; interceptions may overlap, and others may wrap them', () => {
  const now = (): unknown[] => [
    WebAssembly.Module,
    WebAssembly.Instance,
    WebAssembly.Memory,
    WebAssembly.compile,
    WebAssembly.instantiate,
  ];
  const own = [Module, Instance, Memory, compile, instantiate];
  const [a, b] = [intercept(options), intercept(options)];
  a.restore();
  a.restore();
  assert.is.not(WebAssembly.Module, Module);
  b[Symbol.dispose]();
  assert.equal(now(), own);
  const c: Interception = intercept(options);
  const wrapper = (WebAssembly.Module = new Proxy(WebAssembly.Module, {}));
  c.restore();
  assert.is(WebAssembly.Module, wrapper);
  new WebAssembly.Instance(new WebAssembly.Module(CHOSEN as BufferSource));
  WebAssembly.Module = Module;
  assert.equal(now(), own);
  assert.equal([...c], []);
});

test('a memory that glue creates is the VM’s where its module is known, and else the error says what to do', async () => {
  const limits = { initial: 7, maximum: 70 };
  const first = intercept(options);
  const module = new WebAssembly.Module(IMPORTING as BufferSource);
  const other = new WebAssembly.Memory({ initial: 8, maximum: 70 });
  assert.is(other.buffer.constructor, ArrayBuffer, 'other limits');
  const memory = new WebAssembly.Memory(limits);
  assert.is(memory.buffer.byteLength, 7 * 65536);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  cellsOf(instance).put(64, 9);
  assert.is(new Int32Array(memory.buffer)[16], 9);
  assert.is(new WebAssembly.Memory(limits).buffer.constructor, ArrayBuffer, 'one for each module');
  first.restore();
  await isForked(instance as unknown as Program);

  const second = intercept({ ...options, memoryOf: IMPORTING });
  const env = { memory: new WebAssembly.Memory(limits) };
  const made = await WebAssembly.instantiate(IMPORTING as BufferSource, { env });
  second.restore();
  await isForked(made.instance as unknown as Program);

  const third = intercept(options);
  const late = { memory: new WebAssembly.Memory(limits) };
  try {
    await WebAssembly.instantiate(IMPORTING as BufferSource, { env: late });
    assert.unreachable();
  } catch (error) {
    assert.is((error as { code?: string }).code, 'RZ_OPTION');
    assert.match((error as Error).message, /env\.memory .* `memoryOf`/);
  }
  third.restore();
});

test('constructors of a reactor are left to the glue', async () => {
  const reactor = assemble(`(module (memory (export "memory") 1)
    (func (export "_initialize") (if (i32.load (i32.const 0)) (then unreachable))
      (i32.store (i32.const 0) (i32.const 1)))
    (func (export "get") (result i32) (i32.load (i32.const 0))))`);
  const programs = intercept(options);
  const { instance } = await WebAssembly.instantiate(reactor as BufferSource);
  programs.restore();
  (instance.exports['_initialize'] as () => void)();
  assert.is((instance.exports['get'] as () => number)(), 1);
  await [...programs][0]!.close();
  const loaded = await MicroVM.load(reactor, {}, { memory: 2 ** 24, initialize: false });
  loaded.initialize();
  await loaded.close();
});

test('glue is asked for what the module imports alone: Emscripten’s takes a question for a need', async () => {
  const asked: string[] = [];
  const table = new Proxy({} as WebAssembly.ModuleImports, {
    get: (_, name) => (asked.push(String(name)), () => {}),
    ownKeys: () => ['f', 'never'],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
  const module = assemble('(module (import "GOT.func" "f" (func)) (memory (export "memory") 1))');
  const program = await MicroVM.load(module, { 'GOT.func': table }, { memory: 2 ** 24 });
  assert.equal([...new Set(asked)], ['f']);
  await program.close();
});

test('options are checked', () => {
  const codeOf = (given: unknown): unknown => {
    try {
      intercept(given as InterceptOptions).restore();
      return 'none';
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  const refused = [
    undefined,
    {},
    { filter: 1 },
    { filter, memoryOf: 1 },
    { filter, memoryOf: CHOSEN },
  ];
  for (const given of refused) assert.is(codeOf(given), 'RZ_OPTION');
  assert.is(codeOf({ filter, branch: {}, memory: 2 ** 24 }), 'RZ_OPTION', 'without effect');
  const programs = intercept({ filter, memry: 1 } as InterceptOptions);
  assert.throws(
    () => new WebAssembly.Instance(new WebAssembly.Module(CHOSEN as BufferSource)),
    /memry/,
  );
  programs.restore();
});

test('the package @bokuweb/zstd-wasm, which has no hook', async () => {
  const programs = intercept({
    memory: 2 ** 28,
    filter: (module) => WebAssembly.Module.imports(module as WebAssembly.Module).length > 0,
  });
  const zstd = require('@bokuweb/zstd-wasm') as typeof import('@bokuweb/zstd-wasm');
  await zstd.init();
  programs.restore();
  const text = readFileSync(new URL(import.meta.url));
  const packed = zstd.compress(text);
  assert.ok(packed.length < text.length);
  assert.equal(Buffer.from(zstd.decompress(packed)), text);
  const [program] = [...programs];
  assert.ok(program!.vm.stats().guestBytes > 65536);
  await program!.close();
});

test('SQLite with stock glue, whose memory comes first; a branch of it by the same means', async () => {
  const { program, sqlite3 } = await openIntercepted({ memory: 2 ** 28 });
  const database = new sqlite3.oo1.DB(':memory:');
  database.exec("CREATE TABLE t (a); INSERT INTO t VALUES ('as it was')");
  const branch = await program!.branch(new URL('./intercepted-sqlite.js', import.meta.url));
  database.exec('DELETE FROM t');
  assert.equal(await branch.call('select', database.pointer, 'SELECT a FROM t'), ['as it was']);
  await branch.close();
  await program!.close();
});

test.run();
