// Goal: a snapshot has all of file memory that was there when the last vCPU acknowledged its epoch, also
// what grew while the snapshot was being taken. Method: one vCPU makes file memory larger without a pause,
// another takes snapshots; each is compared with how far the first came in the epoch that the snapshot shows.
// Invariants: FILES-2.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { vmBlock } from '../../assembly/abi/memory-map.ts';
import { SNAPSHOT_EPOCH, SNAPSHOT_FILES } from '../../assembly/abi/snapshot-block.ts';
import { VM_EPOCH } from '../../assembly/abi/vm-block.ts';
import { readBuiltModule } from '#platform';
import { Kernel } from '../../host/vm/kernel.ts';
import { runThread } from '../thread.ts';
import type { GrowerData } from './file-memory-thread.ts';

const FRAMES = 131_072;
const ROUNDS = 30_000;
const EPOCHS = 1024;

const test = suite('snappy: file memory');

test('FILES-2: a snapshot has what file memory grew by while it was taken', async () => {
  const module = new WebAssembly.Module((await readBuiltModule('libdbos.wasm')) as BufferSource);
  const pages = FRAMES / 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const { calls } = new Kernel(
    module,
    memory,
    FRAMES,
    () => -38,
    (kernel) => kernel.boot(FRAMES, 64, 64, 0, 1),
  );
  calls.enter();
  assert.ok(calls.openFiles() > 0);
  const words = new Int32Array(memory.buffer);
  const grown = new Int32Array(new SharedArrayBuffer(4 * EPOCHS));
  const state = new Int32Array(new SharedArrayBuffer(4));
  const data: GrowerData = { module, memory, frames: FRAMES, grown, state };
  const thread = runThread(new URL('./file-memory-thread.js', import.meta.url), data);
  const isBegun = Atomics.waitAsync(state, 0, 0);
  await Promise.race([isBegun.value, thread]);
  let compared = 0;
  let missing = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const epoch = words[(vmBlock(FRAMES) + VM_EPOCH) / 4]!;
    Atomics.store(grown, (epoch + 1) & (EPOCHS - 1), 0);
    const slot = calls.takeSnapshot();
    calls.settleSnapshot(slot);
    const block = (calls.snapshotBlock(slot) >>> 0) / 4;
    assert.is(words[block + SNAPSHOT_EPOCH / 4], epoch);
    const first = grown[epoch & (EPOCHS - 1)]!;
    if (first !== 0) compared += 1;
    if (first !== 0 && words[block + SNAPSHOT_FILES / 4]! > first) missing += 1;
    calls.releaseSnapshot(slot);
  }
  Atomics.store(state, 0, 2);
  assert.is(await thread, 'ended');
  assert.ok(compared > 0);
  assert.is(missing, 0, `of ${compared}`);
});

test.run();
