// Files in exported states: whole, as deltas, in VMs of other sizes, and back in the same one.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, type Program, type Snapshot } from '../../host/index.ts';
import { Random } from '../random.ts';
import { CELLS } from '../vm/guests.ts';
import { Reactor } from '../wasi/reactor.ts';
import { audit } from './audit.ts';
import { compare, Model, step } from './model.ts';

const test = suite('files: states');

const bytesOf = async (stream: unknown): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());

const load = (memory: number): Promise<Program> => MicroVM.load(CELLS, {}, { memory });

test('STATE-2: a state and deltas have the files of their moments, in VMs of any size', async () => {
  const random = Random.forTest('files in states');
  const program = await load(2 ** 26);
  const model = new Model();
  const states: Uint8Array[] = [];
  const models: Model[] = [];
  let before: Snapshot<never> | undefined;
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 150; j++) step(program.fs, model, random);
    const snapshot = program.snapshot() as Snapshot<never>;
    states.push(await bytesOf(snapshot.export({ since: before })));
    models.push(new Model(structuredClone(model.root)));
    await before?.release();
    before = snapshot;
  }
  for (const [memory, count] of [
    [2 ** 25, 4],
    [2 ** 27, 2],
    [2 ** 26, 1],
  ] as const) {
    const other = await load(memory);
    if (count === 2) other.fs.writeFileSync('/gone', new Uint8Array(2 ** 21).fill(9));
    await other.restore(states.slice(0, count));
    compare(other.fs, models[count - 1]!);
    audit(other.fs);
    for (let j = 0; j < 100; j++) step(other.fs, models[count - 1]!, random);
    audit(other.fs);
    await other.close();
  }
  await before?.release();
  await program.close();
});

test('STATE-3: the program goes back to a state; a fork of the later time keeps its files', async () => {
  const program = await load(2 ** 26);
  const empty = program.snapshot();
  const first = await bytesOf(empty.export());
  await empty.release();
  program.fs.writeFileSync('/file', 'later');
  const later = program.snapshot();
  await program.restore(first);
  assert.is(program.fs.existsSync('/file'), false);
  program.fs.writeFileSync('/file', 'anew');
  const driver = new URL('./drivers.js', import.meta.url);
  assert.is(await later.drive(driver, { act: 'text', path: '/file' }), 'later');
  await program.restore(await bytesOf(later.export()));
  assert.is(program.fs.readFileSync('/file', 'utf8'), 'later');
  audit(program.fs);
  await later.release();
  await program.close();
});

test('STATE-4: a state whose files do not fit is refused, and nothing changes', async () => {
  const big = await load(2 ** 26);
  big.fs.writeFileSync('/big', new Uint8Array(2 ** 24));
  const snapshot = big.snapshot();
  const state = await bytesOf(snapshot.export());
  const small = await load(2 ** 24);
  small.fs.writeFileSync('/file', 'stays');
  await small.restore(state).then(
    () => assert.unreachable(),
    ({ code }: { code: string }) => assert.is(code, 'RZ_OUT_OF_MEMORY'),
  );
  assert.is(small.fs.readFileSync('/file', 'utf8'), 'stays');
  await snapshot.release();
  await big.close();
  await small.close();
});

test('descriptors of WASI are those of the state', async () => {
  const wasi = { preopens: { '/data': { memory: true } } } as const;
  const reactor = await Reactor.load(wasi);
  const fd = reactor.open(3, 'file', { oflags: 1, rights: 0x1fffffff });
  assert.is(reactor.writeFile(fd, 'abcdef'), 6);
  assert.is(reactor.call('fd_seek', fd, 2n, 0, 600), 0);
  const snapshot = reactor.program.snapshot();
  const state = await bytesOf(snapshot.export());
  await snapshot.release();
  assert.is(reactor.call('fd_close', fd), 0);
  await reactor.program.restore(state);
  assert.is(reactor.readFile(fd), 'cdef');
  audit(reactor.program.fs);
  await reactor.program.close();
});

test.run();
