// The DMA window from the guest's side: it only ever narrows, whatever is in flight; transfers outside are
// refused and counted.

import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EFAULT, EINVAL, EPERM } from '../../assembly/abi/errno.ts';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import * as abi from '../../assembly/abi/ring.ts';
import { DmaWindow } from '../../host/io/dma-window.ts';
import { Faults } from '../../host/index.ts';
import { metricsOf } from '../../host/vm/stats.ts';
import { BLOCK, createRings } from './machine.ts';

const windows = suite('the DMA window');

windows('frames that the guest has given up are refused on every path, and counted', async () => {
  const at = await createRings();
  const descriptor = at.open('blocks');
  const file = at.call('ringFile', descriptor);
  assert.is(at.read(file, 1, 0), BLOCK);
  assert.is(at.call('setWindow', at.at(4), at.at(8)), 0);
  assert.is(at.read(file, 2, 0), -EFAULT);
  assert.is(at.blockIn(0), 1, 'nothing was written there');
  assert.is(at.run({ opcode: abi.OP_WRITE, file, address: at.at(8) }), -EFAULT);
  assert.is(at.run({ opcode: abi.OP_READ, file, address: at.at(7), length: BLOCK + 1 }), -EFAULT);
  assert.is(at.call('pread', descriptor, at.at(3), BLOCK), -EFAULT);
  assert.is(at.call('pread', descriptor, at.at(4), BLOCK), BLOCK);
  assert.is(at.read(file, 2, 7), BLOCK);
  assert.is(at.vm.stats().ringRefused, 3);
  const metric = metricsOf(at.vm.stats()).find(
    ({ name }) => name === 'ringzero_ring_entries_refused_total',
  );
  assert.is(metric?.value, 3);
  assert.is(at.call('setWindow', at.at(0), at.at(256)), -EPERM);
  assert.is(at.read(file, 2, 0), -EFAULT, 'and it stays so');
  await at.close();
});

windows('DMA-2: after it narrows, no earlier transfer writes outside', async () => {
  const faults = new Faults({ seed: 3 });
  const at = await createRings({ faults });
  const file = at.call('ringFile', at.open('blocks'));
  for (let round = 1; round <= 20; round++) {
    faults.set({ delay: 1, delayMs: 20 });
    const first = at.at(round); // the window loses one frame a round; reads into all of them are under way
    for (let i = 0; i < 8; i++)
      at.submit({ opcode: abi.OP_READ, file, address: at.at(round - 1 + i), position: 9 * BLOCK });
    at.call('ring');
    const tail = at.memory.readUInt32LE(at.call('rings') + abi.RING_SQ_TAIL);
    while (at.memory.readUInt32LE(at.call('rings') + abi.RING_SQ_HEAD) !== tail);
    assert.is(at.call('setWindow', first, at.at(256)), 0);
    at.memory.fill(0xee, at.at(round - 1), first);
    const results = [...at.finish().values()];
    assert.ok(
      results.every((result) => result === BLOCK || result === -EFAULT),
      String(results),
    );
    assert.ok(
      at.memory.subarray(at.at(round - 1), first).every((byte) => byte === 0xee),
      `round ${round}`,
    );
  }
  await at.close();
});

windows(
  'narrowing waits for system calls and for the service, on whichever side they count',
  async () => {
    const frames = 4096;
    for (const turns of [0, 1, 2, 3])
      for (const who of ['call', 'service']) {
        const window = new DmaWindow(frames);
        assert.is(window.set(4096, 40960), 0);
        for (let i = 0; i < turns; i++) assert.is(window.set(4096, 40960), 0);
        const side = who === 'service' ? window.begin() : window.beginCall(7);
        assert.ok(window.contains(4096, 4096));
        const workerData = { frames, shared: window.shared, start: 8192, end: 40960 };
        const worker = new Worker(new URL('./window-thread.js', import.meta.url), { workerData });
        const said: unknown[] = [];
        await new Promise<void>((resolve) => {
          worker.on('message', (message) => said.push(message) && resolve());
        });
        // it has stored the window
        while (window.contains(4096, 4096)) await new Promise((resolve) => setTimeout(resolve, 1));
        // time in which it would end if it did not wait
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.equal(said, ['begins'], `${who} ${turns}`);
        const exit = new Promise((resolve) => worker.once('exit', resolve));
        if (side === undefined) window.endCall(7);
        else window.end(side);
        await exit;
        assert.equal(said, ['begins', 0]);
      }
  },
);

windows('DMA-1: whatever a guest requests, it never grows and never reaches the kernel', () => {
  const seed = Number(process.env['RZ_SEED'] ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  let state = seed | 1;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const frames = 4096;
  const edges = [0, 4096, 1, -1 >>> 0, 2 ** 31, vmBlock(frames), vmBlock(frames) + 4096];
  for (let round = 0; round < 200; round++) {
    const window = new DmaWindow(frames);
    const other = new DmaWindow(frames, window.shared);
    assert.not.ok(window.contains(0, 0) || window.contains(4096, 4096), 'nothing before it is set');
    let [start, end, isSet] = [0, vmBlock(frames), false];
    const near = (): number => {
      const kind = random(4);
      if (kind === 0) return edges[random(edges.length)]!;
      if (kind === 1) return random(2 ** 32);
      return start + random((end - start) / 4096 + 2) * 4096;
    };
    for (let step = 0; step < 50; step++) {
      const [a, b] = [near(), near()];
      const isRange = a < b && a % 4096 === 0 && b % 4096 === 0 && b <= vmBlock(frames);
      const expected = !isRange ? -EINVAL : isSet && (a < start || b > end) ? -EPERM : 0;
      assert.is(window.set(a, b), expected, `${a}..${b} in ${start}..${end}`);
      if (expected === 0) [start, end, isSet] = [a, b, true];
      for (let probe = 0; isSet && probe < 4; probe++) {
        const [address, bytes] = [near(), random(2) === 0 ? 4096 : random(2 ** 32)];
        assert.is(other.contains(address, bytes), address >= start && address + bytes <= end);
      }
    }
  }
});

windows.run();
