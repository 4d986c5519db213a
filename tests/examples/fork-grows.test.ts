// A fork has no glue, and its heap grows all the same: privately.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Program } from '../../host/index.ts';

const test = suite('a fork of SQLite that needs memory');

test('it grows by itself, and fails as an allocation does where there is no room', async () => {
  const example = new URL('../../../examples/fork-sqlite/sqlite.js', import.meta.url).href;
  const { program } = await (
    (await import(example)) as { openSqlite(): Promise<{ program: Program }> }
  ).openSqlite();
  const driver = new URL('./growing-driver.js', import.meta.url);
  const size = (): number => program.vm.stats().guestBytes;
  const before = size();
  const fork = program.snapshot();
  assert.is(await fork.drive(driver, 100 * 2 ** 20), '1,2,3,4');
  assert.is(await fork.drive(driver, 2 ** 31 - 2 ** 16), 'no memory');
  await fork.release();
  assert.is(size(), before, "the parent's memory is what it was");
  await program.close();
});

test.run();
