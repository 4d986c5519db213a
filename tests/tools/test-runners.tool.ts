// E1: the package in test runners: Vitest and Jest, in their Node environment and in jsdom, which has a realm
// of its own.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toolProject } from './project.ts';

const test = suite('tools: test runners');
const project = toolProject('test-runners', {
  vitest: '4',
  jsdom: '26',
  jest: '30',
  'jest-environment-jsdom': '30',
});

const BODY = `
const GUEST = 'AGFzbQEAAAABCwJgAn9/AGABfwF/AwMCAAEFAwEAAQcNAgNwdXQAAANnZXQAAQoTAgkAIAAgATYCAAsHACAAKAIACw==';
test('a store keeps what is put', async () => {
  const db = new RingzeroLevel(join(mkdtempSync(join(tmpdir(), 'rz-')), 'people'), { valueEncoding: 'json' });
  await db.put('ada', { born: 1815 });
  expect(await db.get('ada')).toEqual({ born: 1815 });
  await db.close();
});
test('bytes of the runner’s realm and of Node’s are a guest, and fork', async () => {
  const own = Uint8Array.from(Buffer.from(GUEST, 'base64'));
  for (const guest of [Buffer.from(GUEST, 'base64'), own, own.buffer]) {
    const vm = await MicroVM.create({ guest, memory: 2 ** 24 });
    const { put, get } = vm.enter().exports;
    put(64, 7);
    const snapshot = vm.snapshot();
    put(64, 8);
    expect([await snapshot.run('get', 64), get(64)]).toEqual([7, 8]);
    await snapshot.release();
    await vm.close();
  }
});`;
const IMPORTS = `import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroVM } from 'ringzero';
import { RingzeroLevel } from 'ringzero/level';`;
project.write(
  'vitest/store.test.mjs',
  `import { expect, test } from 'vitest';\n${IMPORTS}\n${BODY}`,
);
project.write('jest/store.test.mjs', `${IMPORTS}\n${BODY}`);

for (const environment of ['node', 'jsdom']) {
  for (const pool of ['threads', 'forks'])
    test(`Vitest, ${environment}, ${pool}`, () => {
      const words = ['run', '--dir', 'vitest', '--environment', environment, '--pool', pool];
      const { status, said } = project.tool('vitest', words);
      assert.is(status, 0, said);
      assert.match(said, /2 passed/);
    });
}

/** Jest with these settings; it runs modules with a flag of Node's. */
function jest(settings: object): { status: number | null; said: string } {
  const config = {
    testMatch: ['**/jest/*.test.mjs'],
    transform: {},
    moduleFileExtensions: ['mjs', 'js'],
    ...settings,
  };
  const words = ['--config', JSON.stringify({ rootDir: project.directory, ...config })];
  return project.tool('jest', words, { NODE_OPTIONS: '--experimental-vm-modules' });
}

test('Jest, node', () => {
  const { status, said } = jest({ testEnvironment: 'node' });
  assert.is(status, 0, said);
  assert.match(said, /2 passed/);
});

test('Jest, jsdom with Node’s build and what jsdom lacks', () => {
  project.write(
    'jest-setup.mjs',
    `import { TextDecoder, TextEncoder } from 'node:util';
    Object.assign(globalThis, { TextDecoder, TextEncoder });`,
  );
  const { status, said } = jest({
    testEnvironment: 'jsdom',
    setupFiles: ['<rootDir>/jest-setup.mjs'],
    testEnvironmentOptions: { customExportConditions: ['node'] },
  });
  assert.is(status, 0, said);
  assert.match(said, /2 passed/);
});

test('Jest, jsdom as it is, takes the build for browsers, which says what to do', () => {
  const { status, said } = jest({ testEnvironment: 'jsdom' });
  assert.is.not(status, 0);
  assert.match(said, /this is the build for browsers/);
  assert.match(said, /customExportConditions/);
});

test.after(project.remove);
test.run();
