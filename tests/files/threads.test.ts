// Several vCPUs change files at once, while snapshots are taken: each snapshot has whole operations only.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM } from '../../host/index.ts';
import { runThread } from '../thread.ts';
import { CELLS } from '../vm/guests.ts';
import { audit } from './audit.ts';

const test = suite('files: threads');
const WORKER = new URL('./threads-worker.js', import.meta.url);
const DRIVER = new URL('./drivers.js', import.meta.url);
const SNAPSHOTS = 40;

test('FILES-2: forks have whole file systems, whatever other vCPUs were doing', async () => {
  const program = await MicroVM.load(CELLS, {}, { memory: 2 ** 28 });
  const { fs } = program;
  fs.writeFileSync('/main', '');
  const flag = new SharedArrayBuffer(4);
  const { handle } = program.vm;
  const threads = [1, 2].map((id) => runThread(WORKER, { handle, id, flag }));
  const all = Promise.all(threads);
  all.catch(() => {}); // reported below
  for (let i = 0; i < SNAPSHOTS; i++) {
    const snapshot = program.snapshot();
    fs.appendFileSync('/main', 'x');
    assert.is(await snapshot.drive(DRIVER, { act: 'audit', path: '/main' }), i);
    await snapshot.release();
  }
  Atomics.store(new Int32Array(flag), 0, 1);
  assert.equal(await all, ['', '']);
  audit(fs);
  await program.close();
});

test.run();
