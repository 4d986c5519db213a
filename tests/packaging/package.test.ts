// The package as its users get it: packed, installed into an empty project, and used from there by nothing
// but its name.

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
import { checkTypes, RESOLUTIONS, TYPED_EXPORTS } from './typed.ts';

const project = install();
const { directory, files } = project;
const installed = join(directory, 'node_modules/ringzero');
const tests = suite('the package');

tests('it has its own code and nothing of the tests and benches', () => {
  const guests = [...files.keys()].filter((file) => /^dist\/wasm/.test(file)).sort();
  assert.equal(guests, [
    'dist/wasm/fs.wasm',
    'dist/wasm/kv.wasm',
    'dist/wasm/libdbos.wasm',
    'dist/wasm/redis-encoder.wasm',
    'dist/wasm/redis.json',
    'dist/wasm/redis.main.wasm.br',
    'dist/wasm/redis.snapshot.wasm',
    'dist/wasm/states.wasm',
  ]);
  const modules = [...files.keys()].filter((file) =>
    /^dist\/(host|assembly)\/.*(?<!\.d\.ts)$/.test(file),
  );
  assert.equal(modules, [], 'they are in the bundles');
  const strange = [...files.keys()].filter((file) =>
    /(^|\/)(tests?|bench(-page)?|guest|shared|node_modules)\/|\.(test|chromium)\.|\.(wat|map|tgz|log|rdb)$/.test(
      file,
    ),
  );
  assert.equal(strange, []);
  const tops = new Set([...files.keys()].map((file) => file.split('/')[0]));
  assert.equal([...tops].sort(), [
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'assembly',
    'dist',
    'docs',
    'examples',
    'package.json',
  ]);
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
    assert.ok(machine.bytes > 50_000 && machine.bytes < 300_000, `ringzero: ${machine.bytes}`);
    assert.ok(bytes - foreignBytes! < 345_000, `with the store: ${bytes} - ${foreignBytes}`);
    assert.ok(startBytes! < bytes, 'something comes later');
  });

tests('each of its guests is small', () => {
  for (const [file, bytes] of files)
    if (file.startsWith('dist/wasm/')) assert.ok(bytes < GUEST_BYTES_GOAL, `${file}: ${bytes}`);
  const unpacked = readPackedModule('redis.main.wasm').length;
  assert.ok(unpacked > 100_000 && unpacked < 380_000, `redis.main.wasm: ${unpacked} unpacked`);
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
    execFileSync('npx', ['--no-install', 'ringzero', ...args], {
      cwd: directory,
      encoding: 'utf8',
    });
  assert.match(ringzero('--help'), /Usage: ringzero COMMAND/);
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    version: string;
  };
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

const check = (files: Record<string, string>, options: object): string => {
  project.lend('typescript');
  return checkTypes(project, files, options);
};

for (const resolution of RESOLUTIONS)
  tests(`its types resolve and hold in a strict project: ${resolution.moduleResolution}`, () => {
    project.lend('@types/node'); // abstract-level's types name Node's
    const typed = `import { MicroVM, RingzeroError, type Snapshot } from 'ringzero';
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
        error instanceof RingzeroError ? error.code : undefined;`;
    for (const lib of [['es2022'], ['es2022', 'dom']])
      assert.is(check({ 'typed.ts': typed }, { ...resolution, lib, types: ['node'] }), '');
  });

for (const resolution of RESOLUTIONS) {
  const { moduleResolution } = resolution;
  tests(`E2: its types need neither lib dom nor @types/node: ${moduleResolution}`, () => {
    for (const lib of [['es2022'], ['es2022', 'dom'], ['esnext', 'webworker']])
      assert.is(check({ 'exports.ts': TYPED_EXPORTS }, { ...resolution, lib, types: [] }), '');
  });

  tests(
    `E2: a memory and a program are the ones of lib dom where a project has it: ${moduleResolution}`,
    () => {
      const text = `import { MicroVM, type Program } from 'ringzero';
      export const memory: WebAssembly.Memory = MicroVM.memory(2 ** 24);
      export const instance = (program: Program): WebAssembly.Instance => program;
      export function make(guest: Uint8Array, imports: WebAssembly.Imports): Promise<MicroVM> {
        return MicroVM.create({ guest, imports, memory });
      }
      // @ts-expect-error no memory
      void MicroVM.create({ guest: new Uint8Array(8), memory: {} });`;
      assert.is(
        check({ 'dom.ts': text }, { ...resolution, lib: ['es2022', 'dom'], types: [] }),
        '',
      );
    },
  );
}

tests.after(project.remove);
tests.run();
