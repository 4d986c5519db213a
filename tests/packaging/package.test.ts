// The package as its users get it: packed, installed into an empty project, and used from there by nothing but its name.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GUEST_BYTES_GOAL, javascriptSize } from '../../bench/size.ts';
import { readPackedModule } from '../../host/platform/packed.ts';
import { ServerProcess } from '../redis/server-process.ts';
import { assemble } from '../vm/guests.ts';
import { install, manifest } from './installed.ts';

const project = install();
const { directory, files } = project;
const installed = join(directory, 'node_modules/ringzero');
const tests = suite('the package');

tests('it has its own code and nothing of the tests and benches', () => {
  const guests = [...files.keys()].filter((file) => /^dist\/wasm/.test(file)).sort();
  assert.equal(guests, [
    'dist/wasm/kv.wasm',
    'dist/wasm/libdbos.wasm',
    'dist/wasm/redis-encoder.wasm',
    'dist/wasm/redis.json',
    'dist/wasm/redis.main.wasm.br',
    'dist/wasm/redis.snapshot.wasm',
  ]);
  const modules = [...files.keys()].filter((file) => /^dist\/(host|assembly)\/.*(?<!\.d\.ts)$/.test(file)); // prettier-ignore
  assert.equal(modules, [], 'they are in the bundles');
  const strange = [...files.keys()].filter((file) =>
    /(^|\/)(tests?|bench(-page)?|guest|shared|node_modules)\/|\.(test|chromium)\.|\.(wat|map|tgz|log|rdb)$/.test(file),
  ); // prettier-ignore
  assert.equal(strange, []);
  const tops = new Set([...files.keys()].map((file) => file.split('/')[0]));
  assert.equal([...tops].sort(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'assembly', 'dist', 'docs', 'examples', 'package.json']); // prettier-ignore
});

tests('its installation runs nothing', () => {
  const ours = manifest(installed);
  for (const key of ['scripts', 'devDependencies', 'imports'])
    assert.not(Object.hasOwn(ours, key), `${key} are of development`);
  assert.not(files.has('binding.gyp'), 'npm would run node-gyp');
  assert.equal(Object.keys(ours.dependencies ?? {}), ['abstract-level']);
});

tests('E2: the bundles for browsers come with the licences of what is in them', () => {
  const notices = readFileSync(join(installed, 'dist/browser/THIRD-PARTY-NOTICES.txt'), 'utf8');
  for (const name of [
    'abstract-level',
    'level-supports',
    'level-transcoder',
    'module-error',
    'buffer',
    'ieee754',
    'assemblyscript',
  ])
    assert.match(notices, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'), name);
  assert.match(notices, 'Permission is hereby granted, free of charge');
});

for (const platform of ['node', 'browser'] as const)
  tests(`its JavaScript is small: ${platform}`, async () => {
    const machine = await javascriptSize('machine', platform);
    const { bytes, foreignBytes, startBytes } = await javascriptSize('both', platform);
    assert.ok(machine.bytes > 50_000 && machine.bytes < 150_000, `ringzero: ${machine.bytes}`);
    assert.ok(bytes - foreignBytes! < 190_000, `with the store: ${bytes} - ${foreignBytes}`);
    assert.ok(startBytes! < bytes, 'something comes later');
  });

tests('each of its guests is small', () => {
  for (const [file, bytes] of files)
    if (file.startsWith('dist/wasm/')) assert.ok(bytes < GUEST_BYTES_GOAL, `${file}: ${bytes}`);
  const unpacked = readPackedModule('redis.main.wasm').length;
  assert.ok(unpacked > 100_000 && unpacked < 350_000, `redis.main.wasm: ${unpacked} unpacked`);
});

tests('every file that its documents and its manifest name is in it', () => {
  for (const page of [...files.keys()].filter((file) => file.endsWith('.md'))) {
    const text = readFileSync(join(installed, page), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      const named = join(installed, page, '..', target!);
      assert.ok(existsSync(named), `${page}: ${target}`);
    }
    for (const [named] of text.matchAll(/\bexamples\/[a-z-]+/g))
      assert.ok(existsSync(join(installed, named)), `${page}: ${named}`);
  }
  const named = (value: unknown): string[] =>
    [...JSON.stringify(value).matchAll(/:"(\.\/[^"*]+)"/g)].map(([, file]) => file!);
  for (const file of named(manifest(installed))) assert.ok(existsSync(join(installed, file)), file);
});

tests('a guest of one’s own boots, and a snapshot keeps what it had', () => {
  const guest = assemble(`(module
    (memory (export "memory") 1)
    (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))`);
  writeFileSync(join(directory, 'cells.wasm'), guest);
  project.write(
    'cells.js',
    `import { readFile } from 'node:fs/promises';
    import { MicroVM } from 'ringzero';
    const vm = await MicroVM.create({ guest: await readFile('cells.wasm'), memory: 2 ** 24 });
    const { put, get } = vm.enter().exports;
    put(1024, 100);
    const snapshot = vm.snapshot();
    put(1024, 200);
    console.log([await snapshot.run('get', 1024), get(1024)].join());
    await snapshot.release();
    await vm.close();`,
  );
  assert.is(project.run('cells.js'), '100,200\n');
});

tests('a store is written, closed and found again', () => {
  project.write(
    'store.js',
    `import { RingzeroLevel } from 'ringzero/level';
    const [word] = process.argv.slice(2);
    const db = new RingzeroLevel('people', { valueEncoding: 'json' });
    if (word !== undefined) await db.put('ada', { word });
    await db.open();
    console.log(db.getSync('ada').word, (await db.keys().all()).join());
    await db.close();`,
  );
  assert.is(project.run('store.js', 'first'), 'first ada\n');
  assert.is(project.run('store.js'), 'first ada\n');
});

tests('npx ringzero: its help, its version, a module translated', () => {
  const ringzero = (...args: string[]): string =>
    execFileSync('npx', ['--no-install', 'ringzero', ...args], { cwd: directory, encoding: 'utf8' }); // prettier-ignore
  assert.match(ringzero('--help'), /Usage: ringzero COMMAND/);
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { version: string }; // prettier-ignore
  assert.match(ringzero('--version'), version);
  ringzero('translate', 'cells.wasm', '-o', 'main.wasm', '--snapshot', 'snapshot.wasm');
  for (const image of ['main.wasm', 'snapshot.wasm'])
    assert.ok(WebAssembly.validate(readFileSync(join(directory, image))), image);
});

tests('ringzero serve answers', async () => {
  const main = join(installed, 'dist/node/host/main.js');
  const server = await ServerProcess.start([], { main });
  const client = await server.client();
  assert.is(await client.call('PING'), 'PONG');
  await server.stop();
});

tests('a guest in AssemblyScript compiles from what is installed, as docs/guest.md says', () => {
  project.lend('assemblyscript');
  project.run('node_modules/ringzero/dist/node/host/main.js', 'new', 'my-guest');
  const made = join(directory, 'my-guest');
  for (const file of ['guest.ts', 'asconfig.json', 'main.js'])
    writeFileSync(join(directory, file), readFileSync(join(made, file)));
  const [command, ...args] = manifest(made).scripts!['build']!.split(' ');
  assert.is(command, 'asc');
  project.run('node_modules/assemblyscript/bin/asc.js', ...args);
  const said = /```text\n([^]*?)```/.exec(readFileSync(join(installed, 'docs/guest.md'), 'utf8'));
  assert.is(project.run('main.js'), said![1]);
});

for (const [moduleResolution, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
])
  // prettier-ignore
  tests(`its types resolve and hold in a strict project: ${moduleResolution}`, () => {
    for (const name of ['typescript', '@types/node']) project.lend(name); // abstract-level's types name Node's
    project.write(
      'typed.ts',
      `import { MicroVM, RingzeroError, type Snapshot } from 'ringzero';
      import { RingzeroLevel } from 'ringzero/level';
      export async function borrow(guest: Uint8Array): Promise<number | undefined> {
        const vm: MicroVM = await MicroVM.create({ guest, memory: 2 ** 24 });
        const snapshot: Snapshot = vm.snapshot();
        await snapshot.release();
        // @ts-expect-error a size is a number
        await MicroVM.create({ guest, memory: '16 MB' });
        const db = new RingzeroLevel<string, { born: number }>('people', { valueEncoding: 'json' });
        const person = db.getSync('ada');
        // @ts-expect-error it may not be there
        person.born;
        return person?.born;
      }
      export const codeOf = (error: unknown): string | undefined =>
        error instanceof RingzeroError ? error.code : undefined;`,
    );
    project.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, target: 'es2022', module, moduleResolution, lib: ['es2023', 'esnext.disposable', 'dom'], types: ['node'] },
        files: ['typed.ts'],
      }), // prettier-ignore
    );
    assert.is(project.run('node_modules/typescript/bin/tsc', '-p', '.'), '');
  });

tests.after(project.remove);
tests.run();
