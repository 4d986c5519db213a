// Import names are arbitrary strings: a module gets what was supplied, and never a property that every
// JavaScript object or function inherits.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program, type RingzeroError } from '../../host/index.ts';
import { Random } from '../random.ts';
import { assemble } from './guests.ts';

const test = suite('vm/imports');
const MEMORY = 2 ** 24;

/** Every name that objects and functions inherit, and some that language tools generate. */
const INHERITED = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Function.prototype),
  ...['then', 'prototype', 'env', 'hasOwn', 'defineProperty', 'assign', 'push', 'get', 'set'],
];

/** Everything that import names could have reached. */
const shared = (): string =>
  [
    Object,
    Function,
    Array,
    Reflect,
    globalThis,
    Object.prototype,
    Function.prototype,
    Array.prototype,
  ]
    .map((object) => Reflect.ownKeys(object).map(String).sort().join()) // Deno moves names
    .join();

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'none';
  } catch (error) {
    return (error as RingzeroError).code ?? String(error);
  }
}

const load = (guest: Uint8Array, imports: object = {}): Promise<Program> =>
  MicroVM.load(guest, imports as WebAssembly.Imports, { memory: MEMORY });

test('A1: a module cannot reach Function or Object.defineProperty by the names of its imports', async () => {
  const before = shared();
  const guest = assemble(
    `(module
      (import "toString" "constructor" (func $function (param externref) (result externref)))
      (import "constructor" "defineProperty" (func $define (param externref externref externref) (result externref)))
      (import "__proto__" "toString" (func $text (result externref)))
      (memory (export "memory") 1)
      (func (export "a") (drop (call $function (ref.null extern))))
      (func (export "b") (drop (call $define (ref.null extern) (ref.null extern) (ref.null extern))))
      (func (export "c") (drop (call $text))))`,
    { extended: true },
  );
  const program = await load(guest);
  for (const name of ['a', 'b', 'c'])
    assert.is(await codeOf(program.exports[name] as () => void), 'RZ_EXPORT', name);
  const snapshot = program.snapshot();
  for (const name of ['a', 'b', 'c'])
    assert.is(await codeOf(() => snapshot.run(name)), 'RZ_EXPORT', name);
  await snapshot.release();
  await program.close();
  assert.is(shared(), before);
});

test('A2: a module cannot add to Object.prototype by the name of an import', async () => {
  const before = shared();
  const guest = assemble(`(module
    (import "__proto__" "isAdmin" (func $admin))
    (import "__proto__" "then" (func $then (param i32)))
    (memory (export "memory") 1)
    (func (export "call") (call $admin)))`);
  const program = await load(guest);
  assert.is(({} as { isAdmin?: unknown }).isAdmin, undefined);
  assert.is(await Promise.resolve({ plain: true }).then(({ plain }) => plain), true);
  await program.close();
  assert.is(shared(), before);
});

test("A5: a call of the machine's that is imported with other types than its own is refused at load", async () => {
  const calls = {
    syscall: 'iiiiii:i',
    proxy: 'iiiiii:i',
    forget: 'ii:',
    counter: 'i:F',
    setTimer: 'ii:i',
    safepoint: ':',
    setHandler: 'ii:',
    spawn: 'ii:i',
    childStatus: 'i:i',
    killChild: 'i:',
  };
  const types = { i: 'i32', I: 'i64', F: 'f64', r: 'externref' } as const;
  const guest = (name: string, type: string): Uint8Array => {
    const [params, results] = type
      .split(':')
      .map((letters) =>
        [...letters].map((letter) => types[letter as keyof typeof types]).join(' '),
      );
    return assemble(
      `(module (import "libdbos" "${name}" (func (param ${params}) (result ${results})))
        (memory (export "memory") 1))`,
    );
  };
  for (const [name, right] of Object.entries(calls)) {
    for (const letter of ['I', 'F', 'r']) {
      const wrong = [`${letter}${right}`, `${right}${letter}`, right.replace(/^i/, letter)];
      for (const type of wrong.filter((one) => one !== right))
        assert.is(
          await codeOf(() => load(guest(name, type))),
          'RZ_MODULE_UNSUPPORTED',
          `${name} ${type}`,
        );
    }
    await (await load(guest(name, right))).close();
  }
});

const KINDS = {
  func: (type: string) => `(func ${type})`,
  global: () => '(global i32)',
  memory: () => '(memory 1)',
  table: () => '(table 1 funcref)',
};

test('A1, A2: no inherited name is an import, as module or as field, of any kind, in any thread', async () => {
  const random = Random.forTest('vm/imports');
  const before = shared();
  const rounds = Number(process.env['RZ_FUZZ_MODULES'] ?? 60);
  for (let i = 0; i < rounds; i++) {
    const names = [random.pick(INHERITED), random.pick(INHERITED)];
    if (random.chance(0.3)) names[random.below(2)] = 'env';
    const kind = i % 3 === 0 ? random.pick(['global', 'memory', 'table'] as const) : 'func';
    const [module, field] = names;
    const guest = assemble(`(module
      (import "${module}" "${field}" ${KINDS[kind]('$f')})
      ${kind === 'memory' ? '(export "memory" (memory 0))' : '(memory (export "memory") 1)'}
      (func (export "call") ${kind === 'func' ? '(call $f)' : ''}))`);
    const given = random.pick([
      {},
      { env: {} },
      { env: class {} },
      { env: () => {} },
      new (class {})(),
    ]);
    const what = `${kind} ${module}.${field}`;
    const from = Object.hasOwn(given, module!) ? (given as Record<string, object>)[module!] : {};
    if (Object.hasOwn(Object(from) as object, field!)) continue; // supplied, although of another kind
    const code = await codeOf(async () => {
      const program = await load(guest, given);
      const called = await codeOf(program.exports['call'] as () => void);
      const snapshot = program.snapshot();
      const forked = await codeOf(() => snapshot.run('call'));
      await program.close();
      assert.is(called, kind === 'func' ? 'RZ_EXPORT' : 'none', what);
      assert.is(forked, called, what);
    });
    assert.is(code, kind === 'global' || kind === 'table' ? 'RZ_EXPORT' : 'none', what);
  }
  assert.is(shared(), before);
});

const ADDS = assemble(`(module
  (import "env" "one" (func $one (result i32)))
  (import "env" "two" (func $two (result i32)))
  (memory (export "memory") 1)
  (func (export "sum") (result i32) (i32.add (call $one) (call $two))))`);

test('C6: imports are asked for, whatever object has them: classes, prototypes, Proxies, getters', async () => {
  class Glue {
    one(): number {
      return 1;
    }
    get two(): () => number {
      return () => 2;
    }
  }
  const functions = { one: () => 1, two: () => 2 };
  const answers = new Proxy({}, { get: (_target, name) => functions[name as 'one' | 'two'] });
  const sources: object[] = [
    { env: functions },
    { env: new Glue() },
    { env: Object.create(functions) as object },
    { env: Object.assign(() => {}, functions) },
    { env: answers },
    new Proxy({}, { get: (_target, name) => (name === 'env' ? answers : undefined) }),
    Object.create({ env: Object.assign(Object.create(null) as object, functions) }) as object,
  ];
  for (const [index, imports] of sources.entries()) {
    const program = await load(ADDS, imports);
    assert.is((program.exports['sum'] as () => number)(), 3, `source ${index}`);
    await program.close();
  }
});

/** Instances of built-in classes, and the names that each inherits. */
const BUILT_IN: object[] = [
  [],
  new Map(),
  new Set(),
  new WeakMap(),
  new Date(0),
  /x/,
  new Uint8Array(8),
  new DataView(new ArrayBuffer(8)),
  new ArrayBuffer(8),
  new Error('x'),
  Promise.resolve(),
  new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
  new Map().entries(),
  (function* () {})(),
  async () => {},
];

function inheritedNames(object: object): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(object) as object | null;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  )
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  return [...names].filter((name) => !Object.hasOwn(object, name));
}

test('C6: methods of arrays, maps and other classes of JavaScript are no imports (IMPORT-2)', async () => {
  for (const env of BUILT_IN) {
    const names = inheritedNames(env);
    const calls = names.map((_, i) => `(func (export "c${i}") (call $f${i}))`);
    const imports = names.map((name, i) => `(import "env" "${name}" (func $f${i}))`);
    const program = await load(
      assemble(`(module ${imports.join('')} (memory 1) ${calls.join('')})`),
      { env },
    );
    for (const [i, name] of names.entries())
      assert.is(
        await codeOf(program.exports[`c${i}`] as () => void),
        'RZ_EXPORT',
        `${Object.prototype.toString.call(env)}.${name}`,
      );
    await program.close();
  }
});

test('C6: a subclass of a built-in class supplies its own methods, and a wrapped instance its exports', async () => {
  class Named extends Map<string, unknown> {
    one(): number {
      return 1;
    }
    two = (): number => 2;
  }
  const functions = new WebAssembly.Instance(
    new WebAssembly.Module(
      assemble(`(module
        (func (export "one") (result i32) (i32.const 1)) (func (export "two") (result i32) (i32.const 2)))`) as BufferSource,
    ),
  ).exports;
  for (const env of [new Named(), Object.create(functions) as object]) {
    const program = await load(ADDS, { env });
    assert.is((program.exports['sum'] as () => number)(), 3);
    await program.close();
  }
});

test('A5, IMPORT-1: a module that imports the machine’s own functions is refused by name', async () => {
  for (const name of ['enter', 'leave', 'fault', 'vcpu', 'memory', 'anything']) {
    const guest = assemble(`(module
      (import "ringzero" "${name}" (func $f))
      (memory (export "memory") 1)
      (func (export "call") (call $f)))`);
    try {
      await load(guest);
      assert.unreachable(name);
    } catch (error) {
      assert.is((error as RingzeroError).code, 'RZ_MODULE_UNSUPPORTED', String(error));
      assert.match((error as Error).message, `ringzero.${name}`);
    }
  }
});

test('A5: a translated guest gets none of the functions of linked guests', async () => {
  const guest = assemble(`(module
    (import "libdbos" "freeFrame" (func $free (param i32)))
    (import "libdbos" "toString" (func $text))
    (import "hypervisor" "log" (func $log))
    (memory (export "memory") 1)
    (func (export "a") (call $free (i32.const 1)))
    (func (export "b") (call $text))
    (func (export "c") (call $log)))`);
  const program = await load(guest, {
    libdbos: { freeFrame: () => 1 },
    hypervisor: { log: () => 1 },
  });
  for (const name of ['a', 'b', 'c'])
    assert.is(await codeOf(program.exports[name] as () => void), 'RZ_EXPORT', name);
  await program.close();
});

test('C5: tens of thousands of mutable globals are private to each snapshot', async () => {
  const count = 21_158;
  const globals = Array.from(
    { length: count },
    (_, i) => `(global $g${i} (mut i32) (i32.const ${i}))`,
  );
  const at = [0, 255, 256, 511, 12_345, count - 1];
  const guest = assemble(`(module
    (memory (export "memory") 1)
    ${globals.join('\n')}
    ${at
      .map(
        (i) => `
      (func (export "get${i}") (result i32) (global.get $g${i}))
      (func (export "set${i}") (param i32) (global.set $g${i} (local.get 0)))`,
      )
      .join('\n')})`);
  const program = await load(guest);
  const snapshots = [];
  for (const round of [1, 2, 3]) {
    snapshots.push(program.snapshot());
    for (const i of at) (program.exports[`set${i}`] as (to: number) => void)(i + round * 100_000);
  }
  for (const [round, snapshot] of snapshots.entries()) {
    for (const i of at) assert.is(await snapshot.run(`get${i}`), i + round * 100_000);
    await snapshot.release();
  }
  await program.close();
});

test.run();
