// Rings from the guest's queue to the file and back: every operation, links, cancellation, interrupts, and
// misuse by a guest.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as errno from '../../assembly/abi/errno.ts';
import * as abi from '../../assembly/abi/ring.ts';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import { VM_IO_STATE } from '../../assembly/abi/vm-block.ts';
import { runThread } from '../thread.ts';
import { BLOCK, BLOCKS, createRings, type Machine } from './machine.ts';

const rings = suite<{ at: Machine; file: number; descriptor: number }>('rings');

rings.before.each(async (context) => {
  context.at = await createRings();
  context.descriptor = context.at.open('blocks');
  context.file = context.at.call('ringFile', context.descriptor);
});
rings.after.each(async ({ at }) => {
  await at.close();
});

rings('reads many blocks at once, each into its buffer', ({ at, file }) => {
  const numbers = new Map<number, number>();
  for (let i = 0; i < 100; i++) {
    const block = (i * 37) % BLOCKS;
    const entry = { opcode: abi.OP_READ, file, address: at.at(i), position: block * BLOCK };
    numbers.set(at.submit(entry), block);
  }
  const results = at.finish();
  assert.is(results.size, 100);
  for (const result of results.values()) assert.is(result, BLOCK);
  for (let i = 0; i < 100; i++) assert.is(at.blockIn(i), (i * 37) % BLOCKS);
});

rings('writes, syncs, allocates and truncates', ({ at, file }) => {
  at.memory.fill(0xab, at.at(3), at.at(4));
  assert.is(at.run({ opcode: abi.OP_WRITE, file, address: at.at(3), position: 5 * BLOCK }), BLOCK);
  assert.is(at.run({ opcode: abi.OP_FDATASYNC, file }), 0);
  assert.is(at.read(file, 5, 4), BLOCK);
  assert.ok(at.memory.subarray(at.at(4), at.at(5)).every((byte) => byte === 0xab));
  assert.is(at.run({ opcode: abi.OP_ALLOCATE, file, position: 700 * BLOCK - 7, length: 7 }), 0);
  assert.is(at.read(file, 699, 4), BLOCK);
  assert.ok(at.memory.subarray(at.at(4), at.at(5)).every((byte) => byte === 0));
  assert.is(at.read(file, 700), 0);
  assert.is(at.run({ opcode: abi.OP_ALLOCATE, file, position: 0, length: 1 }), 0, 'never shorter');
  assert.is(at.read(file, 699), BLOCK);
  assert.is(at.run({ opcode: abi.OP_TRUNCATE, file, position: 2 * BLOCK }), 0);
  assert.is(at.read(file, 1), BLOCK);
  assert.is(at.read(file, 2), 0, 'the end of the file');
  assert.is(at.run({ opcode: abi.OP_NOP }), 0);
});

rings('links run one after the other and end with the first failure', ({ at, file }) => {
  at.memory.fill(0x11, at.at(0), at.at(1));
  const link = abi.SQE_LINK;
  const good = [
    at.submit({ opcode: abi.OP_WRITE, file, flags: link, position: 7 * BLOCK }),
    at.submit({ opcode: abi.OP_FDATASYNC, file, flags: link }),
    at.submit({ opcode: abi.OP_READ, file, address: at.at(1), position: 7 * BLOCK }),
  ];
  const bad = [
    at.submit({ opcode: abi.OP_READ, file, flags: link, position: BLOCKS * BLOCK }), // comes short
    at.submit({ opcode: abi.OP_WRITE, file, flags: link, position: 0 }),
    at.submit({ opcode: abi.OP_NOP }),
    at.submit({ opcode: abi.OP_NOP }),
  ];
  const results = at.finish();
  assert.equal(
    good.map((number) => results.get(number)),
    [BLOCK, 0, BLOCK],
  );
  assert.is(at.memory[at.at(1)], 0x11);
  assert.equal(
    bad.map((number) => results.get(number)),
    [0, -errno.ECANCELED, -errno.ECANCELED, 0],
  );
  assert.is(at.read(file, 0), BLOCK);
  assert.is(at.blockIn(0), 0, 'a cancelled write must not happen');
});

rings('cancels entries that have not begun', ({ at, file }) => {
  const first = at.submit({
    opcode: abi.OP_ALLOCATE,
    file,
    flags: abi.SQE_LINK,
    position: 8 << 20,
    length: 0,
  });
  const second = at.submit({ opcode: abi.OP_READ, file, flags: abi.SQE_LINK });
  const third = at.submit({ opcode: abi.OP_NOP });
  const cancels = [second, first, 12345].map((position) =>
    at.submit({ opcode: abi.OP_CANCEL, position }),
  );
  const results = at.finish();
  assert.equal(
    cancels.map((number) => results.get(number)),
    [0, -errno.EALREADY, -errno.ENOENT],
  );
  assert.is(results.get(first), 0);
  assert.is(results.get(second), -errno.ECANCELED);
  assert.is(results.get(third), -errno.ECANCELED);
});

rings('refuses invalid entries, and frames outside the DMA window', ({ at, file }) => {
  const end = at.at(256);
  const { EINVAL, EFAULT, EBADF } = errno;
  const refused: [object, number][] = [
    [{ opcode: abi.OP_COUNT }, EINVAL],
    [{ opcode: 255 }, EINVAL],
    [{ opcode: abi.OP_READ, flags: 2 }, EINVAL],
    [{ opcode: abi.OP_READ, length: 0 }, EINVAL],
    [{ opcode: abi.OP_READ, position: -1n & 0xffffffffffffffffn }, EINVAL],
    [{ opcode: abi.OP_READ, position: 2n ** 53n - 1n }, EINVAL],
    [{ opcode: abi.OP_READ, address: at.buffers - 1 }, EFAULT],
    [{ opcode: abi.OP_READ, address: 0 }, EFAULT],
    [{ opcode: abi.OP_WRITE, address: end - BLOCK + 1 }, EFAULT],
    [{ opcode: abi.OP_WRITE, address: end - BLOCK, length: 0xffffffff }, EFAULT],
    [{ opcode: abi.OP_READ, file: 63 }, EBADF],
    [{ opcode: abi.OP_FDATASYNC, file: 65535 }, EBADF],
  ];
  const outside = at.memory.readUInt32LE(at.buffers - 4);
  for (const [entry, expected] of refused)
    assert.is(
      at.run({ opcode: 0, file, ...entry }),
      -expected,
      JSON.stringify(entry, (_, value: unknown) => String(value)),
    );
  assert.is(at.memory.readUInt32LE(at.buffers - 4), outside);
  assert.is(at.memory.readUInt32LE(at.call('rings') + abi.RING_REFUSED), 4, 'they are counted');
  assert.is(at.run({ opcode: abi.OP_READ, file, address: end - BLOCK }), BLOCK);
});

rings('RING-3: has a fixed capacity, and reports when it is full', ({ at }) => {
  for (let i = 0; i < abi.SQ_ENTRIES; i++) assert.ok(at.submit({ opcode: abi.OP_NOP }) > 0);
  assert.is(at.submit({ opcode: abi.OP_NOP }), -1);
  at.call('ring');
  assert.is(at.call('wait', abi.SQ_ENTRIES), 0);
  for (let i = 0; i < abi.CQ_ENTRIES - abi.SQ_ENTRIES; i++)
    assert.ok(at.submit({ opcode: abi.OP_NOP }) > 0);
  assert.is(at.submit({ opcode: abi.OP_NOP }), -1, 'completions have no room for more');
  assert.is(at.finish().size, abi.CQ_ENTRIES);
  assert.is(at.call('wait', 1), -errno.EINVAL, 'nothing is outstanding');
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 100; i++) at.submit({ opcode: abi.OP_NOP });
    assert.is(at.finish().size, 100);
  }
});

rings('completions interrupt a vCPU that requests it', ({ at }) => {
  at.run({ opcode: abi.OP_NOP });
  assert.is(at.call('takeInterrupt'), 0);
  at.call('setFlags', abi.RING_INTERRUPTS);
  at.run({ opcode: abi.OP_NOP });
  assert.is(at.call('takeInterrupt'), 1);
});

rings('FILE-1: a file is not closed during an operation', ({ at, file, descriptor }) => {
  const number = at.submit({ opcode: abi.OP_ALLOCATE, file, position: 64 << 20, length: 0 });
  at.call('ring');
  const closed = at.call('close', descriptor);
  const result = at.finish().get(number);
  assert.ok(
    closed === -errno.EBUSY ? result === 0 : result === -errno.EBADF,
    `${closed} ${result}`,
  );
  if (closed !== 0) assert.is(at.call('close', descriptor), 0);
  assert.is(at.read(file, 0), -errno.EBADF);
});

rings('a ring with corrupt indices breaks, and no other', async ({ at, file }) => {
  const address = at.call('rings');
  const head = at.memory.readUInt32LE(address + abi.RING_CQ_HEAD);
  at.call('put', address + abi.RING_CQ_HEAD, head + 0x1000);
  at.submit({ opcode: abi.OP_NOP });
  at.call('ring');
  while (at.memory.readUInt32LE(address + abi.RING_BROKEN) === 0)
    // polls
    await new Promise((resolve) => setTimeout(resolve, 5));
  at.call('put', address + abi.RING_CQ_HEAD, head);
  assert.is(at.call('wait', 1), -errno.EIO);
  assert.is(
    await runThread(new URL('./read-thread.js', import.meta.url), {
      handle: at.vm.handle,
      buffers: at.buffers,
      file,
    }),
    BLOCK,
  );
});

rings('an address where no ring can be is not a ring', async ({ at, file }) => {
  const address = at.call('rings');
  for (const wrong of [1, address + 1, 0xfffff000, -4096]) {
    at.call('setRings', wrong);
    assert.is(at.call('wait', 1), -errno.EINVAL);
  }
  at.call('setRings', address);
  assert.is(at.read(file, 9), BLOCK);
});

rings('when the service is gone, every waiter gets an error', async () => {
  const at = await createRings();
  const file = at.call('ringFile', at.open('blocks'));
  assert.is(at.read(file, 1), BLOCK);
  at.call('put', vmBlock(at.vm.handle.machine.frames) + VM_IO_STATE, abi.IO_DEAD);
  at.submit({ opcode: abi.OP_NOP });
  assert.is(at.call('isServed'), 0);
  assert.is(at.call('wait', 1), -errno.EIO);
  await at.close();
});

rings('a VM without rings has none', async () => {
  const at = await createRings({ rings: false });
  assert.is(at.call('isServed'), 0);
  assert.is(at.call('ringFile', at.open('blocks')), -errno.ENOSYS);
  at.submit({ opcode: abi.OP_NOP });
  assert.is(at.call('wait', 1), -errno.ENOSYS);
  await at.close();
});

rings.run();
