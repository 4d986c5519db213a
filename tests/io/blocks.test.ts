// The effects of rings on a file, as its file system sees them.

import { readFileSync, statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as abi from '../../assembly/abi/ring.ts';
import { OPEN_CREATE, OPEN_DIRECT, OPEN_READ, OPEN_WRITE } from '../../assembly/abi/syscall.ts';
import { BLOCK, BLOCKS, createRings } from './machine.ts';

const tests = suite('rings, the file');

tests('written and allocated blocks have space on disk', async () => {
  const at = await createRings();
  const file = at.call('ringFile', at.open('blocks'));
  at.memory.fill(0xab, at.at(3), at.at(4));
  assert.is(at.run({ opcode: abi.OP_WRITE, file, address: at.at(3), position: 5 * BLOCK }), BLOCK);
  assert.is(at.run({ opcode: abi.OP_FDATASYNC, file }), 0);
  assert.ok(
    readFileSync(at.path)
      .subarray(5 * BLOCK, 6 * BLOCK)
      .every((byte) => byte === 0xab),
  );
  assert.is(at.run({ opcode: abi.OP_ALLOCATE, file, position: 3_000_000, length: 7 }), 0);
  assert.is(statSync(at.path).size, 3_000_007);
  assert.ok(statSync(at.path).blocks * 512 >= 3_000_007, 'the blocks are allocated');
  assert.ok(
    readFileSync(at.path)
      .subarray(BLOCKS * BLOCK)
      .every((byte) => byte === 0),
  );
  assert.is(at.run({ opcode: abi.OP_ALLOCATE, file, position: 0, length: 1 }), 0, 'never shorter');
  assert.is(statSync(at.path).size, 3_000_007);
  assert.is(at.run({ opcode: abi.OP_TRUNCATE, file, position: 2 * BLOCK }), 0);
  assert.is(statSync(at.path).size, 2 * BLOCK);
  assert.is(at.read(file, 2), 0, 'the end of the file');
  await at.close();
});

tests('allocates in a file with direct I/O, from an end in the middle of a block', async () => {
  const at = await createRings();
  const descriptor = at.open('direct', OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_DIRECT);
  const file = at.call('ringFile', descriptor);
  assert.is(at.run({ opcode: abi.OP_WRITE, file, length: 512 }), 512);
  assert.is(at.run({ opcode: abi.OP_ALLOCATE, file, position: 10_000, length: 0 }), 0);
  const bytes = readFileSync(`${at.directory}/direct`);
  assert.is(bytes.length, 10_000);
  assert.ok(bytes.subarray(512).every((byte) => byte === 0));
  await at.close();
});

tests.run();
