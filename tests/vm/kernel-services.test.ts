// Kernel services besides memory: children, interrupts, page-fault handlers, system calls.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as sys from '../../assembly/abi/syscall.ts';
import * as errno from '../../assembly/abi/errno.ts';
import { VECTOR_CHILD } from '../../assembly/abi/vector.ts';
import { MicroVM, translate, type MicroVMOptions, type RingzeroError } from '../../host/index.ts';
import { assemble, CELLS } from './guests.ts';

const ON_INTERRUPT = 2;
const ON_FAULT = 3;
const PAGE_FAULT_SLOT = 32;
const PATH = 20_000;
const BUFFER = 30_000;

interface Fixture {
  vm: MicroVM;
  call(name: string, ...args: number[]): number;
  directory: string;
}

async function fixture(options: Partial<MicroVMOptions> = {}): Promise<Fixture> {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-'));
  const vm = await MicroVM.create({
    guest: CELLS,
    memory: 2 ** 24,
    preopen: directory,
    ...options,
  });
  return { vm, directory, call: (name, ...args) => vm.enter().exports[name]!(...args) as number };
}

async function done({ vm, directory }: Fixture): Promise<void> {
  await vm.close();
  rmSync(directory, { recursive: true });
}

function putText(at: Fixture, address: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += 4) {
    at.call(
      'put',
      address + i,
      Buffer.concat([bytes.subarray(i, i + 4), Buffer.alloc(4)]).readInt32LE(0),
    );
  }
  return bytes.length;
}

function open(at: Fixture, path: string, flags: number): number {
  return at.call('syscall', sys.SYS_OPEN, PATH, putText(at, PATH, path), flags);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'nothing happened in 20 s');
    // polls
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const services = suite('kernel services');

services(
  'a spawned child sees the moment of the call, and its end interrupts the parent',
  async () => {
    const at = await fixture();
    at.call('handle', VECTOR_CHILD, ON_INTERRUPT);
    at.call('put', 5000, 41);
    const child = at.call('spawn', 5000);
    assert.ok(child >= 0);
    at.call('put', 5000, 42);
    assert.is(at.call('status', child), -errno.EAGAIN);
    await until(() => at.call('get', 8) === 1);
    assert.is(at.call('status', child), 41);
    assert.is(at.call('status', child), -errno.ECHILD);
    assert.is(at.call('get', 4096), 0, "the child's write is its own");
    assert.is(at.vm.stats().snapshotsActive, 0);
    await done(at);
  },
);

services('concurrent children each see the moment of their own spawn', async () => {
  const at = await fixture();
  const children: number[] = [];
  for (let i = 0; i < 20; i++) {
    at.call('put', 5000, i);
    children.push(at.call('spawn', 5000));
  }
  for (const [i, child] of children.entries()) {
    let status = -errno.EAGAIN;
    await until(() => (status = at.call('status', child)) !== -errno.EAGAIN);
    assert.is(status, i);
  }
  await done(at);
});

services("a guest's page-fault handler may make the page accessible", async () => {
  const at = await fixture();
  assert.throws(() => at.call('put', 4 * 65536, 1), /outside guest memory/);
  at.call('handle', PAGE_FAULT_SLOT, ON_FAULT);
  at.call('put', 4 * 65536, 77);
  assert.is(at.call('get', 4 * 65536), 77);
  assert.is(at.call('size'), 5);
  at.call('handle', PAGE_FAULT_SLOT, 0);
  assert.throws(() => at.call('put', 5 * 65536, 1), /outside guest memory/);
  await done(at);
});

services('files are written, read back, renamed and removed', async () => {
  const at = await fixture();
  const text = 'a page of the file '.repeat(300);
  const bytes = putText(at, BUFFER, text);
  const file = open(at, 'a.tmp', sys.OPEN_WRITE | sys.OPEN_CREATE | sys.OPEN_TRUNCATE);
  assert.is(at.call('syscall', sys.SYS_WRITE, file, BUFFER, bytes), bytes);
  assert.is(at.call('syscall', sys.SYS_SYNC, file, 0, 0), 0);
  assert.is(at.call('syscall', sys.SYS_CLOSE, file, 0, 0), 0);
  assert.is(at.call('syscall', sys.SYS_CLOSE, file, 0, 0), -errno.EBADF);
  putText(at, PATH, 'a.tmpb');
  assert.is(at.call('rename', PATH, 5, PATH + 5, 1), 0);
  assert.is(readFileSync(join(at.directory, 'b'), 'utf8'), text);
  const snapshot = at.vm.snapshot();
  const again = open(at, 'b', sys.OPEN_READ);
  assert.is(at.call('syscall', sys.SYS_READ, again, 100_000, bytes), bytes);
  assert.is(at.call('get', 100_000), Buffer.from(text).readInt32LE(0));
  assert.is(
    await snapshot.run('get', 100_000),
    0,
    'bytes that a call copies in are checked stores',
  );
  assert.is(at.call('syscall', sys.SYS_READ, again, 100_000, 10), 0);
  assert.is(at.call('syscall', sys.SYS_UNLINK, PATH, putText(at, PATH, 'b'), 0), 0);
  assert.not(existsSync(join(at.directory, 'b')));
  await done(at);
});

services('a snapshot writes files from its own memory', async () => {
  const at = await fixture();
  at.call('put', 8192, 0x64636261);
  putText(at, PATH, 'out');
  const snapshot = at.vm.snapshot();
  at.call('put', 8192, 0);
  const flags = sys.OPEN_WRITE | sys.OPEN_CREATE | sys.OPEN_TRUNCATE;
  // Descriptors end with each call, so the check below opens and writes the file in one call.
  assert.is(await snapshot.run('syscall', sys.SYS_OPEN, PATH, 3, flags), 0);
  assert.is(await snapshot.run('syscall', sys.SYS_CLOCK, 8192, 0, 0), 0);
  assert.is(at.call('get', 8192), 0);
  assert.ok(existsSync(join(at.directory, 'out')));
  await done(at);
});

services('no path escapes the directory', async () => {
  const at = await fixture();
  const outside = mkdtempSync(join(tmpdir(), 'ringzero-outside-'));
  writeFileSync(join(outside, 'secret'), 'x');
  symlinkSync(outside, join(at.directory, 'link'));
  symlinkSync(join(outside, 'secret'), join(at.directory, 'file-link'));
  mkdirSync(join(at.directory, 'sub'));
  writeFileSync(join(at.directory, 'sub', 'ok'), 'y');
  for (const path of [
    '../secret',
    '/etc/passwd',
    'sub/../../secret',
    'link/secret',
    'file-link',
    '..',
  ]) {
    assert.is(open(at, path, sys.OPEN_READ), -errno.EACCES, path);
  }
  assert.is(open(at, 'a\0b', sys.OPEN_READ), -errno.EINVAL);
  assert.is(at.call('syscall', sys.SYS_OPEN, PATH, 0, sys.OPEN_READ), -errno.EINVAL);
  assert.is(open(at, 'missing', sys.OPEN_READ), -errno.ENOENT);
  assert.ok(open(at, 'sub/ok', sys.OPEN_READ) >= 0);
  rmSync(outside, { recursive: true });
  await done(at);
});

services('without a directory every path is refused', async () => {
  const at = await fixture({ preopen: undefined });
  assert.is(open(at, 'a', sys.OPEN_READ), -errno.EACCES);
  await done(at);
});

services('bad pointers, numbers and descriptors fail the call', async () => {
  const at = await fixture();
  writeFileSync(join(at.directory, 'f'), 'z');
  const file = open(at, 'f', sys.OPEN_READ);
  assert.is(at.call('syscall', sys.SYS_READ, file, 2 ** 24 - 4, 8), -errno.EFAULT);
  assert.is(at.call('syscall', sys.SYS_READ, file, -4, 8), -errno.EFAULT);
  assert.is(at.call('syscall', sys.SYS_READ, file, 0, -1), -errno.EFAULT);
  assert.is(at.call('syscall', sys.SYS_READ, 99, 0, 1), -errno.EBADF);
  assert.is(at.call('syscall', sys.SYS_READ, -1, 0, 1), -errno.EBADF);
  assert.is(at.call('syscall', sys.SYS_OPEN, 2 ** 24, 5, 1), -errno.EFAULT);
  assert.is(at.call('syscall', 12345, 0, 0, 0), -errno.ENOSYS);
  assert.is(at.call('syscall', sys.SYS_READ, file, 0, 1), 1);
  for (let i = 0; i < 200; i++) open(at, 'f', sys.OPEN_READ);
  assert.is(open(at, 'f', sys.OPEN_READ), -errno.EMFILE);
  await done(at);
});

services(
  'a child that traps, or that names a missing function, ends with an error number',
  async () => {
    const at = await fixture();
    at.call('handle', VECTOR_CHILD, ON_INTERRUPT);
    const child = at.call('spawn', 2 ** 31);
    let status = -errno.EAGAIN;
    await until(() => (status = at.call('status', child)) !== -errno.EAGAIN);
    assert.is(status, -errno.EIO);
    await done(at);
  },
);

services('a forgotten page is not copied any more', async () => {
  const at = await fixture();
  const snapshot = at.vm.snapshot();
  at.call('put', 0, 1);
  assert.is(snapshot.framesOwned, 1);
  await snapshot.run('forget', 0, 3 * 4096);
  assert.is(snapshot.framesOwned, 0);
  const { copies } = at.vm.stats();
  at.call('put', 4, 1);
  at.call('put', 4096, 1);
  assert.is(at.vm.stats().copies, copies);
  await done(at);
});

/** Imports that read five bytes of the guest through a window of the kernel and log them. */
const BESIDE = `
  export function imports({ libdbos, claimWindow }) {
    const window = claimWindow(4096);
    return {
      env: {
        hook: (at) => {
          libdbos.fetch(at, 5, window);
          libdbos.syscall(${sys.SYS_LOG}, 2, window, 5, 0, 0);
        },
      },
    };
  }`;

services('a linked module fetches what its vCPU sees, and the host reads it there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-'));
  writeFileSync(join(directory, 'beside.mjs'), BESIDE);
  const importsModule = pathToFileURL(join(directory, 'beside.mjs')).href;
  const { imports } = (await import(importsModule)) as Pick<MicroVMOptions, 'imports'>;
  const lines: string[] = [];
  const sink = { log: (_level: number, text: string) => void lines.push(text) };
  const at = await fixture({ imports: imports!, importsModule, sink });
  const far = 65536 - 2; // the range straddles two pages
  const snapshot = at.vm.snapshot();
  at.call('put', 65536, 0x21212121);
  at.call('call_hook', far);
  await snapshot.run('call_hook', far);
  await until(() => lines.length === 2);
  assert.equal(lines, ['\0\0!!!', '\0\0hel']);
  await snapshot.release();
  await done(at);
  rmSync(directory, { recursive: true });
});

services('a call during the start of the snapshot’s thread is not lost', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-'));
  // a thread whose imports take a while
  const slow = `await new Promise((resolve) => setTimeout(resolve, 200));${BESIDE}`;
  writeFileSync(join(directory, 'slow.mjs'), slow);
  const importsModule = pathToFileURL(join(directory, 'slow.mjs')).href;
  for (const ms of [0, 80, 160, 240]) {
    const at = await fixture({ imports: { env: { hook: () => {} } }, importsModule });
    at.call('put', 65536, ms);
    // before, during and after the thread's start
    await new Promise((resolve) => setTimeout(resolve, ms));
    const snapshot = at.vm.snapshot();
    assert.is(await snapshot.run('get', 65536), ms);
    await snapshot.release();
    await done(at);
  }
  rmSync(directory, { recursive: true });
});

services('a snapshot image of some functions still has the guest’s handlers', async () => {
  const guest = assemble(`(module
    (import "libdbos" "syscall" (func $syscall (param i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "onSyscall") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const -77))
    (func (export "other") (result i32) (i32.const 1))
    (func (export "job") (result i32)
      (call $syscall (i32.const ${sys.SYS_RENAME}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))`);
  const images = translate(guest, { frames: 4096, snapshotRuns: ['job'] });
  const vm = await MicroVM.create({ guest: images, memory: 2 ** 24 });
  assert.is(vm.enter().exports['other']!(), 1, 'the main image has every function');
  const snapshot = vm.snapshot();
  assert.is(await snapshot.run('job'), -77);
  const missing = await snapshot.run('other').catch((error: RingzeroError) => error.code);
  assert.is(missing, 'RZ_EXPORT');
  await snapshot.release();
  await vm.close();
});

services('a linked module cannot have bytes written to guest memory', async () => {
  const imports: MicroVMOptions['imports'] = ({ libdbos }) => ({
    env: { hook: (at: number) => libdbos.fetch(65536, 5, at) },
  });
  const at = await fixture({ imports });
  assert.throws(() => at.call('call_hook', 4096), /outside|store/);
  assert.is(at.call('get', 4096), 0);
  await done(at);
});

services.run();
