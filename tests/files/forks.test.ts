// Files in the main program and in forks against models, while all of them change at random.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program } from '../../host/index.ts';
import { Random } from '../random.ts';
import { CELLS } from '../vm/guests.ts';
import { audit } from './audit.ts';
import { compare, Model, step, type DirectoryNode } from './model.ts';

const test = suite('files: models and forks');
const DRIVER = new URL('./drivers.js', import.meta.url);

const load = (memory = 2 ** 26): Promise<Program> => MicroVM.load(CELLS, {}, { memory });

test('FS-1 to FS-7: after random operations the files are the model’s, structures are whole', async () => {
  const random = Random.forTest('files');
  const program = await load();
  const model = new Model();
  for (let i = 0; i < 3000; i++) {
    step(program.fs, model, random);
    if (i % 500 === 0) audit(program.fs);
  }
  compare(program.fs, model);
  audit(program.fs);
  await program.close();
});

test('FILES-2, FILES-3: forks and the program change at random, each sees its own', async () => {
  const random = Random.forTest('forks');
  const program = await load(2 ** 27);
  const model = new Model();
  const { fs } = program;
  for (let i = 0; i < 300; i++) step(fs, model, random);
  for (let round = 0; round < 6; round++) {
    const snapshot = program.snapshot();
    const drive = async (root: DirectoryNode): Promise<DirectoryNode> => {
      const about = { act: 'model', root, seed: random.bits(), steps: 250 };
      return (await snapshot.drive(DRIVER, about)) as DirectoryNode;
    };
    const fork = drive(structuredClone(model.root));
    for (let i = 0; i < 250; i++) step(fs, model, random); // while the fork's thread works
    const later = await fork;
    for (let i = 0; i < 250; i++) {
      step(fs, model, random);
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve)); // the worker's messages
    }
    await drive(later);
    compare(fs, model);
    audit(fs);
    await snapshot.release();
  }
  await program.close();
});

test('without room an operation fails with ENOSPC and changes nothing; room returns', async () => {
  const program = await load(2 ** 24);
  const { fs } = program;
  const code = (act: () => void): string | undefined => {
    try {
      act();
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  fs.writeFileSync('/kept', 'kept');
  const block = new Uint8Array(65536).fill(1);
  let files = 0;
  while (code(() => fs.writeFileSync(`/${files}`, block)) === undefined) files++;
  assert.ok(files > 20, `${files}`);
  while (code(() => fs.appendFileSync('/end', block.subarray(0, 4096))) === undefined);
  audit(fs);
  let made = 0;
  while (code(() => fs.mkdirSync(`/d${made}`)) === undefined) made++;
  assert.is(
    code(() => fs.mkdirSync(`/d${made}`)),
    'ENOSPC',
  );
  assert.is(
    code(() => fs.symlinkSync('x', '/link')),
    'ENOSPC',
  );
  assert.is(fs.existsSync('/link'), false);
  audit(fs);
  assert.is(fs.readFileSync('/kept', 'utf8'), 'kept');
  for (let i = 0; i < files - 1; i++)
    assert.ok(fs.readFileSync(`/${i}`).every((byte) => byte === 1));
  fs.rmSync('/0');
  fs.writeFileSync('/again', block);
  audit(fs);
  await program.close();
});

test('FILES-1: the program and its files share memory: what one has, the other cannot get', async () => {
  const program = await load(2 ** 24);
  const { fs } = program;
  fs.writeFileSync('/big', new Uint8Array(4 << 20).fill(5));
  const { calls } = program.vm.enter().kernel;
  while (calls.grow(1) >= 0);
  assert.throws(
    () => fs.writeFileSync('/more', new Uint8Array(4 << 20)),
    (error: { code: string }) => error.code === 'ENOSPC',
  );
  assert.ok(fs.readFileSync('/big').every((byte) => byte === 5));
  audit(fs);
  await program.close();
});

test.run();
