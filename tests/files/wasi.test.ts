// WASI on directories in the VM against directories of the host: the same random calls give the same answers.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Files, WasiOptions } from '../../host/index.ts';
import { errno } from '../../host/wasi/abi.ts';
import { Random } from '../random.ts';
import { Reactor } from '../wasi/reactor.ts';
import { audit } from './audit.ts';
import { RandomCalls, type Caller } from './wasi-calls.ts';

const test = suite<{ scratch: string }>('files: WASI');
const DRIVER = new URL('./wasi-driver.js', import.meta.url);

test.before.each((context) => {
  context.scratch = mkdtempSync(join(tmpdir(), 'ringzero-files-'));
});
test.after.each(({ scratch }) => rmSync(scratch, { recursive: true }));

const callerOf = (reactor: Reactor): Caller => ({
  call: (name, ...args) => reactor.call(name, ...args),
  write: (address, bytes) => reactor.write(address, bytes),
  read: (address, bytes) => reactor.read(address, bytes),
});

const filesOf = (reactor: Reactor): Files => reactor.program.fs;

function traceOf(reactor: Reactor, seed: number, steps: number, fresh = false): string[] {
  const calls = new RandomCalls(callerOf(reactor), new Random(seed));
  if (fresh) calls.closeAll();
  for (let i = 0; i < steps; i++) calls.step();
  return calls.trace;
}

/** The first call whose answer differs, with those before it. */
function firstDifference(actual: readonly string[], expected: readonly string[]): string {
  const at = expected.findIndex((line, i) => actual[i] !== line);
  if (at < 0) return '';
  return `${expected.slice(Math.max(0, at - 12), at + 1).join('\n')}\nbut: ${actual[at]}`;
}

const IN_MEMORY: WasiOptions = { preopens: { '/data': { memory: true } } };

test('random calls have the answers of a directory of the host', async ({ scratch }) => {
  const random = Random.forTest('wasi');
  for (let round = 0; round < 8; round++) {
    const folder = join(scratch, `${round}`);
    mkdirSync(folder);
    const host = await Reactor.load({ preopens: { '/data': folder } });
    const memory = await Reactor.load(IN_MEMORY);
    const seed = random.bits();
    const expected = traceOf(host, seed, 1500);
    assert.is(firstDifference(traceOf(memory, seed, 1500), expected), '', `seed ${seed}`);
    audit(filesOf(memory));
    await host.program.close();
    await memory.program.close();
  }
});

test('so have those of a fork, while its parent goes on', async ({ scratch }) => {
  const random = Random.forTest('wasi in forks');
  const folder = join(scratch, 'parent');
  mkdirSync(folder);
  const host = await Reactor.load({ preopens: { '/data': folder } });
  const memory = await Reactor.load(IN_MEMORY);
  const [before, during, inFork] = [random.bits(), random.bits(), random.bits()];
  assert.is(firstDifference(traceOf(memory, before, 800), traceOf(host, before, 800)), '');
  execFileSync('cp', ['-a', folder, join(scratch, 'fork')]);
  const snapshot = memory.program.snapshot();
  const forked = snapshot.drive(DRIVER, { seed: inFork, steps: 500 });
  const expected = traceOf(host, during, 800);
  assert.is(firstDifference(traceOf(memory, during, 800), expected), '', 'the parent');
  const twin = await Reactor.load({ preopens: { '/data': join(scratch, 'fork') } });
  const expectedInFork = traceOf(twin, inFork, 500, true);
  assert.is(firstDifference((await forked) as string[], expectedInFork), '', 'the fork');
  audit(filesOf(memory));
  await snapshot.release();
  for (const reactor of [host, twin, memory]) await reactor.program.close();
});

test('a fork has the descriptors of its parent, with their positions, from call to call', async () => {
  const reactor = await Reactor.load(IN_MEMORY);
  const fd = reactor.open(3, 'file', { oflags: 1, rights: 0x1fffffff });
  assert.is(fd, 4);
  const [text, bytes] = reactor.text('0123456789', 2048);
  const vector = (length: number): void => {
    reactor.word(512, text);
    reactor.word(516, length);
  };
  vector(bytes);
  assert.is(reactor.call('fd_write', fd, 512, 1, 600), 0);
  assert.is(reactor.call('fd_seek', fd, 4n, 0, 600), 0);
  assert.is(reactor.call('path_unlink_file', 3, ...reactor.text('file')), 0);
  vector(3);
  const snapshot = reactor.program.snapshot();
  assert.is(reactor.call('fd_close', fd), 0);
  assert.is(await snapshot.run('fd_read', fd, 512, 1, 600), 0);
  assert.equal(snapshot.read(text, 3), new TextEncoder().encode('456'));
  assert.is(await snapshot.run('fd_read', fd, 512, 1, 600), 0);
  assert.equal(snapshot.read(text, 3), new TextEncoder().encode('789'));
  assert.is(await snapshot.run('fd_close', fd), 0);
  assert.is(await snapshot.run('fd_close', fd), errno('BADF'));
  audit(filesOf(reactor));
  await snapshot.release();
  await reactor.program.close();
});

test('a directory begins with the content of one of the host; read-only is kept', async ({
  scratch,
}) => {
  mkdirSync(join(scratch, 'seed', 'inner'), { recursive: true });
  writeFileSync(join(scratch, 'seed', 'inner', 'file'), 'planted');
  const preopens = {
    '/a': { memory: true, from: join(scratch, 'seed') },
    '/b': { memory: true, readOnly: true },
    '/host': scratch,
  } as const;
  const reactor = await Reactor.load({ preopens });
  const files = filesOf(reactor);
  assert.is(files.readFileSync('/a/inner/file', 'utf8'), 'planted');
  assert.is(reactor.open(4, 'x', { oflags: 1 }), -errno('NOTCAPABLE'));
  const between = reactor.call(
    'path_rename',
    3,
    ...reactor.text('inner'),
    5,
    ...reactor.text('y', 2048),
  );
  assert.is(between, errno('XDEV'));
  files.exportSync(scratch, '/a');
  files.writeFileSync('/a/inner/file', 'changed');
  files.importSync(join(scratch, 'inner'), '/c');
  assert.is(files.readFileSync('/c/file', 'utf8'), 'planted');
  await reactor.program.close();
});

test.run();
