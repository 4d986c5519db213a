// Goal: a store whose file is longer than 4 GiB behaves like any other. Method: a sparse file: the bitmaps of
// a small store mark every page below 4 GiB as in use, so the next writes go beyond; later the bitmaps are
// corrected, and the whole structure is checked.

import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPool } from '../tabby/pool.ts';
import { openStore } from './store.ts';

const PAGE = 4096;
const GROUP_PAGES = 32000; // docs/store-format.md
const BITS = 64;
const FULL_GROUPS = 33;
const MEMORY = 256 * 2 ** 20; // page-table pages of 4 GiB that are seldom touched

type Seal = (page: number, bytes: Buffer) => void;

/** Changes pages of a store that is closed. */
function edit(
  path: string,
  seal: Seal,
  pages: readonly number[],
  change: (page: Buffer, number: number) => void,
): void {
  const file = openSync(path, 'r+');
  for (const number of pages) {
    const bytes = Buffer.alloc(PAGE);
    readSync(file, bytes, 0, PAGE, number * PAGE);
    change(bytes, number);
    seal(number, bytes);
    writeSync(file, bytes, 0, PAGE, number * PAGE);
  }
  closeSync(file);
}

const tests = suite('a file of more than 4 GiB');

tests('pages beyond 4 GiB are written, found again, and accounted for', async () => {
  const { vm, close } = await createPool(8);
  const memory = Buffer.from(vm.memory.buffer);
  const seal: Seal = (page, bytes) => {
    bytes.writeBigUInt64LE((BigInt(page) << 28n) | 126n, 0);
    memory.set(bytes.subarray(16), PAGE);
    const sum = vm.enter().exports['checksum']!(PAGE, PAGE - 16, BigInt(page)) as bigint;
    bytes.writeBigUInt64LE(BigInt.asUintN(64, sum), 8);
  };
  const [low, high] = [Buffer.from('low'), (i: number) => Buffer.from(`high ${i}`)];
  const { store, path, directory, remove, end } = await openStore(64);
  assert.is(store.put(low, low), 0);
  assert.is(store.call('close'), 0);
  await end();

  const bitmaps = Array.from({ length: FULL_GROUPS }, (_, group) => group * GROUP_PAGES + 2);
  let truth: Buffer | undefined;
  edit(path, seal, bitmaps, (bytes, number) => {
    if (number === 2) truth = Buffer.from(bytes);
    bytes.fill(0xff, BITS, BITS + GROUP_PAGES / 8);
  });
  edit(path, seal, [0, 1], (bytes) => {
    bytes.writeUInt32LE(FULL_GROUPS, 44); // allocation groups
    bytes.writeUInt32LE(FULL_GROUPS * GROUP_PAGES, 56); // pages that may be in use
  });

  const large = Buffer.alloc(300_000, 'x');
  const beyond = await openStore(64, { directory, memory: MEMORY });
  assert.is(beyond.result, 0);
  for (let i = 0; i < 2000; i++) assert.is(beyond.store.put(high(i), Buffer.alloc(200, i)), 0);
  assert.is(beyond.store.put(Buffer.from('large'), large), 0);
  assert.is(beyond.store.call('close'), 0);
  await beyond.end();
  assert.ok(statSync(path).size > 2 ** 32 + 500 * PAGE, `${statSync(path).size} bytes`);

  edit(path, seal, bitmaps, (bytes, number) => {
    bytes.fill(0, BITS, BITS + GROUP_PAGES / 8);
    if (number === 2) truth!.copy(bytes, BITS, BITS);
    else bytes[BITS] = 7;
  });
  const after = await openStore(64, { directory, memory: MEMORY });
  assert.is(after.result, 0);
  assert.equal(after.store.get(low), low);
  for (let i = 0; i < 2000; i++) assert.equal(after.store.get(high(i)), Buffer.alloc(200, i));
  assert.equal(after.store.get(Buffer.from('large')), large);
  assert.is(after.store.call('verify'), 0);
  assert.is(after.store.call('close'), 0);
  await after.end();
  remove();
  await close();
});

tests.run();
