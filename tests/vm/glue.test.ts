// A program and its JavaScript glue: the glue's direct writes stay out of forks whatever its names are,
// exported functions are real WebAssembly functions, and memory is as long as the program's.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, RingzeroError, type GuestFunction, type Program } from '../../host/index.ts';
import { Random } from '../random.ts';
import { assemble } from './guests.ts';
import { openStockSqlJs } from './stock-sqljs.ts';

/** First byte in which two copies of memory differ, or -1. */
function differing(before: Uint8Array, after: Uint8Array): number {
  if (Buffer.from(before.buffer).equals(Buffer.from(after.buffer))) return -1;
  return before.findIndex((byte, at) => byte !== after[at]);
}

const test = suite('programs and glue');
const MEMORY = 2 ** 24;

const fns = (program: Program): Record<string, GuestFunction> =>
  program.exports as unknown as Record<string, GuestFunction>;

const bytesOf = (program: Program): Uint8Array => new Uint8Array(program.memory.buffer);

const NAMES =
  'malloc za cabi_realloc alloc allocate my_alloc __wbindgen_export_1 valueOf __proto__'.split(' ');

for (const name of NAMES) {
  test(`C1: a glue write to memory from \`${name}\` does not show in a fork`, async () => {
    const program = await MicroVM.load(
      assemble(`(module (memory (export "memory") 4)
        (func (export "${name}") (param i32) (result i32) (i32.const 100000))
        (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))`),
      {},
      { memory: MEMORY },
    );
    const { peek, poke, [name]: allocate } = fns(program);
    for (const at of [100_000, 104_999, 149_999]) poke!(at, 5);
    const snapshot = program.snapshot();
    const at = Number(allocate!(50_000));
    bytesOf(program).fill(6, at, at + 50_000);
    assert.equal(
      await Promise.all([100_000, 104_999, 149_999].map((each) => snapshot.run('peek', each))),
      [5, 5, 5],
    );
    assert.is(peek!(149_999), 6);
    await snapshot.release();
    await program.close();
  });
}

test('C1: an allocator with a 64-bit size, and one with two factors', async () => {
  const program = await MicroVM.load(
    assemble(`(module (memory (export "memory") 32)
      (func (export "y") (param i64) (result i32) (i32.const 100000))
      (func (export "x") (param i32 i32) (result i32) (i32.const 600000))
      (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0))))`),
    {},
    { memory: MEMORY },
  );
  const { x, y } = fns(program);
  const snapshot = program.snapshot();
  bytesOf(program).fill(6, Number(y!(400_000n)), 500_000);
  bytesOf(program).fill(6, Number(x!(700, 800)), 600_000 + 560_000);
  for (const at of [100_000, 499_999, 600_000, 1_159_999])
    assert.is(await snapshot.run('peek', at), 0, `${at}`);
  await snapshot.release();
  await program.close();
});

test('C1: what an import writes where its arguments point, or vectors that they point to, does not show in a fork', async () => {
  const loaded: Program[] = [];
  const words = (): Int32Array => new Int32Array(loaded[0]!.memory.buffer);
  const a = {
    b: (buffer: number, bytes: number) => void bytesOf(loaded[0]!).fill(7, buffer, buffer + bytes),
    c: (vectors: number, count: number) => {
      for (let i = 0; i < count; i++) {
        const at = words()[vectors / 4 + 2 * i]!;
        bytesOf(loaded[0]!).fill(7, at, at + words()[vectors / 4 + 2 * i + 1]!);
      }
    },
  };
  const program = await MicroVM.load(
    assemble(`(module
      (import "a" "b" (func $b (param i32 i32))) (import "a" "c" (func $c (param i32 i32)))
      (memory (export "memory") 32)
      (data (i32.const 4096) "\\00\\00\\02\\00\\10\\00\\00\\00\\00\\00\\04\\00\\00\\20\\00\\00")
      (func (export "b") (param i32 i32) (call $b (local.get 0) (local.get 1)))
      (func (export "c") (call $c (i32.const 4096) (i32.const 2)))
      (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0))))`),
    { a },
    { memory: MEMORY },
  );
  loaded.push(program);
  const { b, c, peek } = fns(program);
  const snapshot = program.snapshot();
  b!(1_000_000, 600_000);
  c!();
  const written = [1_000_000, 1_599_999, 0x20000, 0x2000f, 0x40000, 0x41fff];
  assert.equal(
    written.map((at) => peek!(at)),
    [7, 7, 7, 7, 7, 7],
  );
  for (const at of written) assert.is(await snapshot.run('peek', at), 0);
  await snapshot.release();
  await program.close();
});

test('C1, EXP-1: a buffer that JavaScript has held since before the snapshot', async () => {
  const program = await MicroVM.load(
    assemble(`(module (memory (export "memory") 64)
      (func (export "q") (result i32) (i32.const 1000000))
      (func (export "z") (param i32) (result i32) (i32.add (local.get 0) (i32.const 4096)))
      (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0))))`),
    {},
    { memory: MEMORY },
  );
  const { q, z } = fns(program);
  const kept = bytesOf(program).subarray(Number(q!()), 1_000_000 + 16_384);
  for (let i = 0; i < 900; i++) z!(i * 4096); // other addresses cross the boundary afterwards
  const snapshot = program.snapshot();
  kept.fill(9);
  assert.is(await snapshot.run('peek', 1_000_000), 0);
  assert.is(await snapshot.run('peek', 1_016_383), 0);
  await snapshot.release();
  await program.close();
});

test('C1: a buffer that JavaScript has held for too long causes one warning, and is preserved from then on', async () => {
  const program = await MicroVM.load(
    assemble(`(module (memory (export "memory") 128)
      (func (export "z") (param i32) (result i32) (local.get 0))
      (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0))))`),
    {},
    { memory: MEMORY },
  );
  const { z } = fns(program);
  const warned: string[] = [];
  const listen = (warning: Error): void => void warned.push(warning.message);
  process.on('warning', listen);
  for (let i = 1; i < 100; i++) z!(i * 4096);
  const kept = Number(z!(200 * 4096));
  z!((200 + 256) * 4096); // evicts it
  const seen: unknown[] = [];
  for (let turn = 1; turn < 40; turn++) {
    const snapshot = program.snapshot();
    bytesOf(program)[kept] = turn;
    seen.push((await snapshot.run('peek', kept)) === turn - 1);
    await snapshot.release();
  }
  process.off('warning', listen);
  assert.is(seen[0], false);
  assert.is(seen.at(-1), true);
  assert.is(seen.lastIndexOf(false) < 35, true, `${seen.lastIndexOf(false)}`);
  assert.equal(
    warned.map((text) => /near address 819200 without/.test(text)),
    [true],
  );
  await program.close();
});

test('C1: stock sql.js, with minified names: a fork keeps 300 blobs while its parent drops the table and binds others', async () => {
  const { program, database } = await openStockSqlJs();
  const insert = (byte: number): void => {
    const statement = database.prepare('INSERT INTO m.t (b) VALUES (?)');
    for (let i = 0; i < 300; i++) statement.run([new Uint8Array((i * 37) % 5000).fill(byte)]);
    statement.free();
  };
  database.exec("ATTACH ':memory:' AS m; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b)");
  insert(1);
  const snapshot = program.snapshot();
  const before = snapshot.read(0, snapshot.byteLength);
  database.exec('DROP TABLE m.t; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b)');
  insert(0x42);
  assert.is(differing(before, snapshot.read(0, snapshot.byteLength)), -1);
  const sum = await snapshot.drive(new URL('./stock-sqljs-driver.js', import.meta.url), {
    db: database.db,
    sql: "SELECT count(*) || ' ' || sum(length(b)) || ' ' || max(hex(substr(b, 1, 1))) FROM m.t",
  });
  const bytes = Array.from({ length: 300 }, (_, i) => (i * 37) % 5000).reduce((x, y) => x + y);
  assert.equal(sum, [`300 ${bytes} 01`]);
  await snapshot.release();
  await program.close();
});

test('C1: a fork of stock sql.js grows, allocates and puts, though the names of malloc and of the import that grows are minified', async () => {
  const { program, database } = await openStockSqlJs();
  database.exec("ATTACH ':memory:' AS m; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b)");
  const snapshot = program.snapshot();
  const size = snapshot.byteLength;
  const driver = new URL('./stock-sqljs-driver.js', import.meta.url);
  const run = (sql: string): Promise<unknown> => snapshot.drive(driver, { db: database.db, sql });
  await run(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO m.t SELECT i, zeroblob(2000) FROM n`);
  assert.equal(await run("SELECT count(*) || ' ' || sum(length(b)) FROM m.t"), ['20000 40000000']);
  assert.ok(snapshot.byteLength > size + 2e7, 'the fork has grown');
  assert.equal(database.exec('SELECT count(*) FROM m.t')[0]!.values, [[0]]);
  await snapshot.release();
  await program.close();
});

test('C1: random statements of stock sql.js, with forks that must keep every byte', async () => {
  const random = Random.forTest('stock sql.js under forks');
  const { program, database } = await openStockSqlJs();
  database.exec("ATTACH ':memory:' AS m; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b)");
  const blob = (): Uint8Array =>
    new Uint8Array(random.below(10) === 0 ? random.below(400_000) : random.below(6000)).fill(
      random.below(256),
    );
  const insert = (count: number): void => {
    const statement = database.prepare('INSERT INTO m.t (b) VALUES (?)');
    for (let i = 0; i < count; i++)
      statement.run([random.below(2) === 0 ? blob() : 'x'.repeat(random.below(3000))]);
    statement.free();
  };
  const steps: (() => void)[] = [
    () => insert(1 + random.below(60)),
    () => database.exec(`DELETE FROM m.t WHERE a % 3 = ${random.below(3)}`),
    () => database.exec('UPDATE m.t SET b = randomblob(length(b)) WHERE a % 5 = 0'),
    () => database.exec('SELECT a, length(b), hex(substr(b, 1, 20)) FROM m.t'),
    () => database.exec('DROP TABLE m.t; CREATE TABLE m.t (a INTEGER PRIMARY KEY, b)'),
    () => void database.export(),
    () => {
      database.create_function('f', (n: number) => 'q'.repeat(n));
      database.exec(`SELECT f(${random.below(5000)})`);
    },
    () => database.exec(`SELECT '${'y'.repeat(random.below(300_000))}'`),
  ];
  for (let round = 0; round < 8; round++) {
    const forks = [1, 2].map(() => {
      steps[random.below(steps.length)]!();
      const snapshot = program.snapshot();
      return { snapshot, before: snapshot.read(0, snapshot.byteLength) };
    });
    for (let i = 0; i < 8; i++) steps[random.below(steps.length)]!();
    for (const { snapshot, before } of forks) {
      assert.is(differing(before, snapshot.read(0, before.length)), -1, `round ${round}`);
      await snapshot.release();
    }
  }
  await program.close();
});

const TABLES = assemble(`(module
  (type $f (func (param i32) (result i32)))
  (import "a" "j" (func $js (param i32) (result i32)))
  (memory (export "memory") 1)
  (table (export "table") 4 funcref) (elem (i32.const 0) $twice $hidden)
  (func $twice (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $hidden (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "trap") (param i32) (result i32) unreachable)
  (func (export "far") (i32.store (i32.const -8) (i32.const 1)))
  (func (export "big") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
  (func (export "js") (param i32) (result i32) (call $js (local.get 0)))
  (func (export "get") (result funcref) (ref.func $twice))
  (func (export "call") (param i32 i32) (result i32) (call_indirect (type $f) (local.get 1) (local.get 0))))`);

test('C2: exported functions are WebAssembly functions, the same as in tables', async () => {
  const a = { j: (x: number): number => x };
  const program = await MicroVM.load(TABLES, { a }, { memory: MEMORY });
  const { twice, trap, call, get, big } = fns(program);
  const table = program.exports['table'] as WebAssembly.Table;
  assert.is(table.get(0), twice);
  assert.is(get!(), twice);
  table.set(2, trap);
  table.set(3, twice);
  assert.is(table.get(3), twice);
  assert.is(call!(3, 21), 42);
  assert.is(call!(1, 21), 22);
  assert.is(big!(41n), 42n);
  assert.is(twice!.length, 1);
  assert.match(String(twice), /native code/);
  await program.close();
});

test('C2, GLUE-1: a trap is a typed error wherever it happens, and the vCPU stays usable', async () => {
  const loaded: Program[] = [];
  const seen: unknown[] = [];
  const a = {
    j: (x: number): number => {
      try {
        return Number(fns(loaded[0]!)['trap']!(x));
      } catch (error) {
        seen.push((error as RingzeroError).code);
        if (x === 2) throw error;
        if (x === 3) throw new TypeError('of JavaScript');
        return 7;
      }
    },
  };
  const program = await MicroVM.load(TABLES, { a }, { memory: MEMORY });
  loaded.push(program);
  const { js, trap, far, twice, call } = fns(program);
  const table = program.exports['table'] as WebAssembly.Table;
  const codeOf = (body: () => unknown): unknown => {
    try {
      return body();
    } catch (error) {
      return error instanceof RingzeroError ? error.code : (error as Error).name;
    }
  };
  const depth = (): number => program.vm.enter().kernel.calls.depth();
  table.set(2, trap!);
  for (const body of [() => trap!(1), () => far!(), () => js!(2), () => call!(2, 0)]) {
    assert.is(codeOf(body), 'RZ_GUEST_TRAP');
    assert.is(depth(), 0);
  }
  assert.is(
    codeOf(() => js!(3)),
    'TypeError',
  );
  assert.is(depth(), 0);
  assert.is(js!(1), 7);
  assert.is(call!(0, 4), 8);
  assert.is(twice!(4), 8);
  assert.is(depth(), 0);
  assert.equal(seen, ['RZ_GUEST_TRAP', 'RZ_GUEST_TRAP', 'RZ_GUEST_TRAP']);
  const snapshot = program.snapshot();
  assert.is(await snapshot.run('twice', 4), 8); // does not wait
  await snapshot.release();
  await program.close();
});

/** Like Emscripten's allocator: asks its glue for more when memory is too small. */
test('C4: a fork that needs a function of the glue names it and the remedy', async () => {
  const a = { j: (x: number): number => x };
  const program = await MicroVM.load(TABLES, { a }, { memory: MEMORY });
  const snapshot = program.snapshot();
  const failure: unknown = await snapshot.run('js', 1).catch((error: unknown) => error);
  assert.is((failure as RingzeroError).code, 'RZ_EXPORT');
  assert.match((failure as Error).message, /a\.j, which its fork does not have.*importsModule/);
  const driven: unknown = await snapshot
    .drive(new URL('./put-driver.js', import.meta.url))
    .catch((error: unknown) => error);
  assert.is((driven as RingzeroError).code, 'RZ_EXPORT');
  assert.match((driven as Error).message, /allocator is not known/);
  await snapshot.release();
  await program.close();
});

test.run();
