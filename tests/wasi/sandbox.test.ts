// A program can name nothing outside its directories, do nothing that it has no right to, and make the host
// write nowhere but into its own memory.

import { linkSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { errno, OFLAG, RIGHT, WASI_FUNCTIONS, type WasiFunction } from '../../host/wasi/abi.ts';
import { Reactor } from './reactor.ts';
import { type Context, DIRECTORY, SECRET, WRITE, sandboxSuite } from './sandbox.ts';

const test = sandboxSuite('WASI sandbox');

const ESCAPES = [
  '../secret',
  'a/../../secret',
  'a/b/../../../secret',
  './.././secret',
  '..',
  'a/../..',
  '/etc/passwd',
  '/',
  '//etc/passwd',
  'up/secret',
  'up',
  'absolute',
  'direct',
  'a/chain/secret',
  'file/../../secret',
  'loop',
];

function plantLinks({ inside, scratch }: Context): void {
  symlinkSync('..', join(inside, 'up'));
  symlinkSync(join(scratch, 'outside'), join(inside, 'absolute'));
  symlinkSync('../secret', join(inside, 'direct'));
  symlinkSync('../up', join(inside, 'a', 'chain'));
  symlinkSync('loop', join(inside, 'loop'));
}

test('WALK-2: no path leads out: `..`, absolute paths and links at any place are refused', (context) => {
  plantLinks(context);
  const { reactor } = context;
  for (const path of ESCAPES) {
    for (const follow of [true, false]) {
      const fd = reactor.open(DIRECTORY, path, { follow });
      assert.ok(fd < 0, `open ${path}`);
    }
    const [at, bytes] = reactor.text(path);
    const [to, toBytes] = reactor.text('new', 2048);
    const calls: [WasiFunction, ...(number | bigint)[]][] = [
      ['path_filestat_get', DIRECTORY, 1, at, bytes, 4096],
      ['path_filestat_set_times', DIRECTORY, 1, at, bytes, 0n, 0n, 5],
      ['path_create_directory', DIRECTORY, at, bytes],
      ['path_remove_directory', DIRECTORY, at, bytes],
    ];
    for (const [name, ...args] of calls)
      assert.is.not(reactor.call(name, ...args), 0, `${name} ${path}`);
    // Links themselves may be handled.
    if (path === 'up' || path === 'absolute' || path === 'direct' || path === 'loop') continue;
    assert.is.not(reactor.call('path_rename', DIRECTORY, at, bytes, DIRECTORY, to, toBytes), 0);
    assert.is.not(
      reactor.call('path_rename', DIRECTORY, ...reactor.text('file', 2048), DIRECTORY, at, bytes),
      0,
    );
    assert.is.not(reactor.call('path_link', DIRECTORY, 0, at, bytes, DIRECTORY, to, toBytes), 0);
    assert.is.not(reactor.call('path_unlink_file', DIRECTORY, at, bytes), 0);
    assert.is.not(reactor.call('path_readlink', DIRECTORY, at, bytes, 4096, 100, 512), 0);
    assert.is.not(reactor.call('path_symlink', to, toBytes, DIRECTORY, at, bytes), 0);
  }
  assert.is(readFileSync(join(context.scratch, 'secret'), 'utf8'), SECRET);
});

test('links and `..` that stay inside work', ({ inside, reactor }) => {
  symlinkSync('a/b', join(inside, 'short'));
  symlinkSync('../b/../../file', join(inside, 'a', 'b', 'back'));
  assert.is(reactor.readFile(reactor.open(DIRECTORY, 'short/deep')), 'deep');
  assert.is(reactor.readFile(reactor.open(DIRECTORY, 'short/../../file')), 'inside');
  assert.is(reactor.readFile(reactor.open(DIRECTORY, 'a/b/back')), 'inside');
});

test('a directory opened inside is a root of its own', ({ reactor }) => {
  const a = reactor.open(DIRECTORY, 'a', { oflags: OFLAG.DIRECTORY });
  assert.ok(a > DIRECTORY);
  assert.is(reactor.open(a, '../file'), -errno('NOTCAPABLE'));
  assert.is(reactor.readFile(reactor.open(a, 'b/deep')), 'deep');
});

test('a program cannot make a link that leads out by itself', ({ reactor }) => {
  const link = (target: string, name: string): number =>
    reactor.call('path_symlink', ...reactor.text(target), DIRECTORY, ...reactor.text(name, 2048));
  assert.is(link('/etc/passwd', 'one'), errno('NOTCAPABLE'));
  assert.is(link('../secret', 'two'), 0); // it is text; following it is what is refused
  assert.is(reactor.open(DIRECTORY, 'two'), -errno('NOTCAPABLE'));
});

test('WALK-1: a directory that turns into a link, or moves, while paths are walked leads nowhere else', async (context) => {
  const { inside, scratch, reactor } = context;
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const racer = new Worker(new URL('./racer.js', import.meta.url), {
    workerData: { inside, scratch, stop },
  });
  const stopped = new Promise((resolve) => racer.once('exit', resolve));
  await new Promise((resolve) => racer.once('message', resolve));
  let opened = 0;
  try {
    const end = performance.now() + 1500;
    while (performance.now() < end + (opened === 0 ? 30_000 : 0)) {
      for (const path of ['swap/secret', 'swap/../secret', 'a/moving/../../secret', 'final']) {
        const fd = reactor.open(DIRECTORY, path);
        if (fd < 0) continue;
        opened++;
        assert.is.not(reactor.readFile(fd), SECRET, path);
        reactor.call('fd_close', fd);
      }
    }
  } finally {
    Atomics.store(stop, 0, 1);
    await stopped;
  }
  assert.ok(opened > 0, 'the race was never won by an open');
});

test('hard links to files outside cannot be made, ones that exist are files like others', ({
  inside,
  scratch,
  reactor,
}) => {
  linkSync(join(scratch, 'secret'), join(inside, 'hard'));
  assert.is(reactor.readFile(reactor.open(DIRECTORY, 'hard')), SECRET);
});

test('a read-only directory changes in no way', async ({ inside }) => {
  const reactor = await Reactor.load({ preopens: { '/ro': { path: inside, readOnly: true } } });
  const refused = errno('NOTCAPABLE');
  assert.is(reactor.open(DIRECTORY, 'file', { rights: WRITE }), -refused);
  assert.is(reactor.open(DIRECTORY, 'new', { oflags: OFLAG.CREAT }), -refused);
  assert.is(reactor.open(DIRECTORY, 'file', { oflags: OFLAG.TRUNC }), -refused);
  const [file, fileBytes] = reactor.text('file', 2048);
  const [fresh, freshBytes] = reactor.text('new', 3072);
  const calls: [WasiFunction, ...(number | bigint)[]][] = [
    ['path_create_directory', DIRECTORY, fresh, freshBytes],
    ['path_unlink_file', DIRECTORY, file, fileBytes],
    ['path_rename', DIRECTORY, file, fileBytes, DIRECTORY, fresh, freshBytes],
    ['path_link', DIRECTORY, 0, file, fileBytes, DIRECTORY, fresh, freshBytes],
    ['path_symlink', file, fileBytes, DIRECTORY, fresh, freshBytes],
    ['path_filestat_set_times', DIRECTORY, 0, file, fileBytes, 0n, 0n, 5],
    ['path_remove_directory', DIRECTORY, ...reactor.text('a/b', 4096)],
    ['fd_filestat_set_times', DIRECTORY, 0n, 0n, 5],
  ];
  for (const [name, ...args] of calls) assert.is(reactor.call(name, ...args), refused, name);
  const fd = reactor.open(DIRECTORY, 'file');
  assert.is(reactor.readFile(fd), 'inside');
  assert.is(reactor.writeFile(fd, 'x'), -refused);
  assert.is(reactor.call('fd_filestat_set_size', fd, 0n), refused);
  assert.is(reactor.call('fd_allocate', fd, 0n, 100n), refused);
  const sub = reactor.open(DIRECTORY, 'a', { oflags: OFLAG.DIRECTORY });
  assert.is(reactor.open(sub, 'b/deep', { rights: WRITE }), -refused);
  await reactor.program.close();
});

test('rights can be given up and not taken back', ({ reactor }) => {
  const all = (1n << 29n) - 1n;
  assert.is(reactor.call('fd_fdstat_set_rights', DIRECTORY, all, all), errno('NOTCAPABLE'));
  const unknown = 1n << 32n; // no right is so high, nor may it wrap
  assert.is(reactor.call('fd_fdstat_set_rights', DIRECTORY, unknown, 0n), errno('NOTCAPABLE'));
  const kept = [BigInt(RIGHT.PATH_OPEN), BigInt(RIGHT.FD_READ)];
  assert.is(reactor.call('fd_fdstat_set_rights', DIRECTORY, ...kept), 0);
  assert.is(
    reactor.call('path_unlink_file', DIRECTORY, ...reactor.text('file')),
    errno('NOTCAPABLE'),
  );
  assert.is(reactor.open(DIRECTORY, 'file', { rights: RIGHT.FD_WRITE }), -errno('NOTCAPABLE'));
  assert.is(reactor.readFile(reactor.open(DIRECTORY, 'file', { rights: RIGHT.FD_READ })), 'inside');
});

test('descriptors of the host do not exist for the program', ({ reactor }) => {
  for (const fd of [4, 5, 17, 18, 19, 20, 21, 22, 1023, 1024, 2 ** 31 - 1, -1, -100]) {
    assert.is(reactor.call('fd_close', fd), errno('BADF'), `fd_close ${fd}`);
    assert.is(reactor.readFile(fd), -errno('BADF'));
    assert.is(reactor.writeFile(fd, 'x'), -errno('BADF'));
    assert.is(reactor.open(fd, 'file'), -errno('BADF'));
    assert.is(reactor.call('fd_renumber', DIRECTORY, fd), errno('BADF'));
    assert.is(reactor.call('sock_shutdown', fd, 0), errno('BADF'));
  }
  assert.is(reactor.call('sock_shutdown', 1, 0), errno('NOTSOCK'));
  const fd = reactor.open(DIRECTORY, 'file');
  assert.is(reactor.call('fd_close', fd), 0);
  assert.is(reactor.call('fd_close', fd), errno('BADF'));
});

test('a program that leaves descriptors open runs out of them, and of nothing else', ({
  reactor,
}) => {
  let last = 0;
  while (last >= 0) last = reactor.open(DIRECTORY, 'file');
  assert.is(last, -errno('MFILE'));
  assert.is(reactor.call('fd_close', 700), 0);
  assert.is(reactor.open(DIRECTORY, 'file'), 700);
});

test('every pointer is checked: outside memory is EFAULT, and nothing is written anywhere', ({
  reactor,
}) => {
  const END = 4 * 65536;
  const KERNEL = 2 ** 24 - 4096;
  const fd = reactor.open(DIRECTORY, 'file', { rights: WRITE });
  const fault = errno('FAULT');
  const before = reactor.read(END, 4096);
  for (const bad of [END, END - 3, END + 4096, KERNEL, 0xffffffff | 0, -4096]) {
    const [path, bytes] = reactor.text('file', 2048);
    const calls: [WasiFunction, ...(number | bigint)[]][] = [
      ['args_get', bad, 4096],
      ['args_get', 4096, bad],
      ['args_sizes_get', bad, 4096],
      ['args_sizes_get', 4096, bad],
      ['environ_sizes_get', 4096, bad],
      ['clock_time_get', 0, 0n, bad],
      ['clock_res_get', 0, bad],
      ['fd_fdstat_get', fd, bad],
      ['fd_filestat_get', fd, bad],
      ['fd_prestat_get', DIRECTORY, bad],
      ['fd_read', fd, bad, 1, 4096],
      ['fd_write', fd, bad, 1, 4096],
      ['fd_seek', fd, 0n, 0, bad],
      ['fd_tell', fd, bad],
      ['fd_readdir', DIRECTORY, bad, 100, 0n, 4096],
      ['fd_readdir', DIRECTORY, 4096, 100, 0n, bad],
      ['path_open', DIRECTORY, 0, bad, 10, 0, 0n, 0n, 0, 4096],
      ['path_open', DIRECTORY, 0, path, bytes, 0, 0n, 0n, 0, bad],
      ['path_filestat_get', DIRECTORY, 0, path, bytes, bad],
      ['path_readlink', DIRECTORY, path, bytes, bad, 100, 4096],
      ['path_unlink_file', DIRECTORY, bad, 5],
      ['path_rename', DIRECTORY, path, bytes, DIRECTORY, bad, 5],
      ['poll_oneoff', bad, 4096, 1, 512],
      ['random_get', bad, 16],
    ];
    for (const [name, ...args] of calls)
      assert.is(reactor.call(name, ...args), fault, `${name} ${bad}`);
    reactor.word(512, bad);
    reactor.word(516, 8);
    assert.is(reactor.call('fd_read', fd, 512, 1, 4096), fault);
    assert.is(reactor.call('fd_write', fd, 512, 1, 4096), fault);
    assert.is(reactor.call('fd_pread', fd, 512, 1, 0n, 4096), fault);
  }
  assert.is(reactor.call('random_get', 4096, -1), fault);
  assert.equal(reactor.read(END, 4096), before);
  assert.is(reactor.readFile(fd), 'inside', 'refused writes have not moved or changed the file');
});

test('nonsense arguments are errors, for every function', ({ reactor }) => {
  for (const name of WASI_FUNCTIONS) {
    if (name === 'proc_exit' || name === 'proc_raise' || name === 'poll_oneoff') continue;
    const { length } = reactor.program.exports[name] as unknown as { length: number };
    for (const value of [-1, 0x7fffffff, 0x80000000 | 0]) {
      const signature = Array.from({ length }, () => value);
      let result: number;
      try {
        result = reactor.call(name, ...signature);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        result = -1; // it takes 64-bit arguments
      }
      assert.ok(result !== 0 || length === 0, name);
    }
  }
  assert.is(reactor.open(DIRECTORY, ''), -errno('NOENT'));
  assert.is(reactor.open(DIRECTORY, 'fi\0le'), -errno('INVAL'));
  reactor.write(1024, Uint8Array.of(0xff, 0xfe));
  assert.is(reactor.call('path_unlink_file', DIRECTORY, 1024, 2), errno('NOENT'));
  assert.is(reactor.open(DIRECTORY, 'x/'.repeat(2000)), -errno('NAMETOOLONG'));
});

test.run();
