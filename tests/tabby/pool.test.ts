// One vCPU: pages are created, evicted, and read back unchanged; a storage error fails one operation.

import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as errno from '../../assembly/abi/errno.ts';
import { OPEN_READ } from '../../assembly/abi/syscall.ts';
import { createPool } from './pool.ts';

const EVICTIONS = 2;
const WRITES = 3;
const CELLS = 16;

const tests = suite('Tabby, one vCPU');

tests('the checksum is XXH64', async () => {
  const { call, vm, close } = await createPool(8);
  const text = Buffer.from('Nobody inspects the spammish repetition');
  for (const [i, byte] of text.entries()) call('put', 4096 + i, byte);
  const { exports } = vm.enter();
  const sum = (bytes: number, seed: bigint): string =>
    BigInt.asUintN(64, exports['checksum']!(4096, bytes, seed) as bigint).toString(16);
  assert.is(sum(0, 0n), 'ef46db3751d8e999');
  assert.is(sum(text.length, 0n), 'fbcea83c8a378bf1');
  await close();
});

tests('pages that do not fit the pool are read back from storage', async () => {
  const { call, close } = await createPool(8);
  for (let page = 0; page < 100; page++) assert.is(call('createPage', BigInt(page), page * 7), 0);
  assert.ok(call('stat', EVICTIONS) >= 92);
  for (let page = 0; page < 100; page++) assert.is(call('readPage', BigInt(page)), page * 7);
  assert.is(call('writePage', 50n, 1), 0);
  for (let page = 0; page < 100; page++)
    assert.is(call('readPage', BigInt(page)), page === 50 ? 1 : page * 7);
  await close();
});

tests('a page that was only read is not written', async () => {
  const { call, close } = await createPool(8);
  for (let page = 0; page < 20; page++) call('createPage', BigInt(page), page);
  assert.is(call('writeBack'), 0);
  const written = call('stat', WRITES);
  assert.is(written, 20);
  for (let page = 0; page < 20; page++) call('readPage', BigInt(page));
  assert.is(call('writeBack'), 0);
  assert.is(call('stat', WRITES), written);
  await close();
});

tests('page numbers may be far apart', async () => {
  const { call, close } = await createPool(8);
  const pages = [0n, 511n, 512n, 2n ** 18n, 2n ** 22n + 5n, 100_000_000n];
  for (const page of pages) assert.is(call('createPage', page, Number(page % 1000n)), 0);
  for (const page of pages) assert.is(call('readPage', page), Number(page % 1000n));
  assert.is(call('readPage', 2n ** 36n), -errno.EINVAL);
  assert.is(call('readPage', 2n ** 50n), -errno.EINVAL);
  await close();
});

tests(
  'a page that cannot be written stays resident, and only operations that need its frame fail',
  async () => {
    const { call, close } = await createPool(8, { flags: OPEN_READ });
    for (let page = 0; page < 8; page++) assert.is(call('createPage', BigInt(page), page), 0);
    assert.is(call('createPage', 8n, 8), -errno.EBADF);
    assert.is(call('writeBack'), -errno.EBADF);
    for (let page = 0; page < 8; page++) assert.is(call('readPage', BigInt(page)), page);
    assert.is(call('discardPage', 3n), 0);
    assert.is(call('createPage', 8n, 8), 0, 'a frame is free again');
    assert.is(call('readPage', 8n), 8);
    await close();
  },
);

tests('with every frame pinned a fault fails, and succeeds once a frame is unpinned', async () => {
  const { call, close } = await createPool(8);
  for (let page = 0; page < 20; page++) assert.is(call('createPage', BigInt(page), page), 0);
  for (let page = 0; page < 8; page++) assert.is(call('pin', BigInt(page)), 0);
  assert.is(call('readPage', 9n), -errno.ENOMEM);
  assert.is(call('readPage', 7n), 7);
  call('unpin', 4n);
  assert.is(call('readPage', 9n), 9);
  for (const page of [0, 1, 2, 3, 5, 6, 7]) call('unpin', BigInt(page));
  assert.is(call('audit', 20n), 8);
  await close();
});

tests('a discarded page is not written, and its frame is free', async () => {
  const { call, close, path } = await createPool(8);
  for (let page = 0; page < 8; page++) call('createPage', BigInt(page), 5);
  for (let page = 0; page < 8; page++) assert.is(call('discardPage', BigInt(page)), 0);
  for (let page = 0; page < 8; page++) assert.is(call('isResident', BigInt(page)), 0);
  assert.is(call('stat', WRITES), 0);
  assert.is(readFileSync(path).length, 0);
  for (let page = 8; page < 16; page++) assert.is(call('createPage', BigInt(page), 6), 0);
  assert.is(call('stat', EVICTIONS), 0);
  await close();
});

tests('a damaged page image is refused, wherever the damage is', async () => {
  const { call, close, path } = await createPool(8);
  const put = (at: number, bytes: Uint8Array): void => {
    const file = openSync(path, 'r+');
    writeSync(file, bytes, 0, bytes.length, at);
    closeSync(file);
  };
  for (let page = 0; page < 40; page++) call('createPage', BigInt(page), page);
  assert.is(call('writeBack'), 0);
  const good = readFileSync(path);
  for (let page = 0; page < 8; page++) call('readPage', BigInt(page + 30)); // 0 to 19 are only in storage
  for (const at of [0, 5, 7, 8, 15, 16, 2000, 4095]) {
    const flipped = Uint8Array.of(good[4096 + at]! ^ 0x40);
    put(4096 + at, flipped);
    assert.is(call('readPage', 1n), -errno.EBADMSG, `byte ${at}`);
    assert.is(call('isResident', 1n), 0);
    assert.is(call('readPage', 30n), 30, 'other pages stay usable');
    put(4096 + at, good.subarray(4096 + at, 4096 + at + 1));
  }
  assert.is(call('readPage', 1n), 1, 'right again with the right file');
  put(2 * 4096, good.subarray(3 * 4096, 4 * 4096));
  assert.is(call('readPage', 2n), -errno.EBADMSG, "another page's image");
  truncateSync(path, 10 * 4096 + 100);
  assert.is(call('readPage', 12n), -errno.EBADMSG, 'beyond the end');
  assert.is(call('readPage', 10n), -errno.EBADMSG, 'half of the page exists');
  writeFileSync(path, good);
  for (let page = 0; page < 40; page++) assert.is(call('readPage', BigInt(page)), page);
  await close();
});

tests(
  'SWIP-1, SWIP-2: pointers become frames while their pages are hot, and numbers in storage',
  async () => {
    const { call, close, path } = await createPool(64, { design: 'swizzle' });
    const pages = 40;
    for (let page = 0; page < pages; page++) assert.is(call('createPage', BigInt(page), 0), 0);
    assert.is(call('makeParents', pages), 0);
    assert.is(call('swizzledCells', pages), 0);
    assert.is(call('run', 0, 7n, 5000, pages, CELLS), 0);
    const hot = call('swizzledCells', pages);
    assert.ok(hot > 0 && hot <= pages, `${hot} are swizzled`);
    assert.ok(call('audit', BigInt(pages + 20)) > 0);
    assert.is(call('writeBack'), 0);
    const file = readFileSync(path);
    for (let parent = pages + 16; parent < pages + 20; parent++) {
      for (let i = 0; i < 24; i++) {
        const entry = parent * 4096 + 17 + i * 13;
        assert.is(file.readUInt32LE(entry), file.readUInt32LE(entry + 4), 'label and cell');
      }
    }
    assert.is(call('run', 0, 8n, 5000, pages, CELLS), 0);
    assert.ok(call('swizzledCells', pages) > 0, 'again after the write-back');
    for (let page = 100; page < 300; page++) assert.is(call('createPage', BigInt(page), 0), 0);
    assert.is(call('swizzledCells', pages), 0, 'the clock has unswizzled all');
    await close();
  },
);

tests('pins end in any order, and a new page is not mistaken for the previous one', async () => {
  const { call, close } = await createPool(8);
  for (let page = 0; page < 3; page++) assert.is(call('createPage', BigInt(page), page), 0);
  for (const order of [0, 1]) assert.is(call('addToBoth', 0n, 1n, order), 0);
  assert.is(call('readPage', 0n), 2);
  assert.is(call('readPage', 1n), 3);
  for (let page = 3; page < 60; page += 8) {
    assert.is(call('createPage', BigInt(page), page), 0, 'in the frame of the previous page');
    assert.is(call('readPage', BigInt(page)), page);
    assert.is(call('discardPage', BigInt(page)), 0);
  }
  assert.is(call('readPage', 0n), 2);
  assert.ok(call('audit', 60n) > 0);
  await close();
});

tests.run();
