// WASI's paths against Linux: random calls with paths of every shape, over links of every kind, give the
// error that the system call itself gives on an equal tree, and leave an equal tree.
//
// Method: two equal directories; one is a program's preopened directory, in the other Node makes the plain
// system call. What would be missed: permissions, names of files that others change (sandbox.test.ts), and
// links that lead out, where WASI refuses on purpose (ENOTCAPABLE).

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import * as sys from '../../assembly/abi/syscall.ts';
import { EACCES } from '../../assembly/abi/errno.ts';
import { errnoOfHost, OFLAG } from '../../host/wasi/abi.ts';
import { Preopen } from '../../host/syscalls/preopen.ts';
import { files } from '../../host/platform/node.ts';
import { Random } from '../random.ts';
import { Reactor } from './reactor.ts';

const test = suite('wasi/paths');
const DIRECTORY = 3;
const CALLS = Number(process.env['RZ_PATH_CALLS'] ?? 4000);
const NOTCAPABLE = 76;

const LINKS: readonly (readonly [name: string, text: string])[] = [
  ['to_dir', 'dir'],
  ['to_dir_slash', 'dir/'],
  ['to_dir_dot', 'dir/.'],
  ['to_file', 'file'],
  ['to_file_slash', 'file/'],
  ['to_file_dot', 'file/.'],
  ['dangling', 'missing'],
  ['dangling_slash', 'missing/'],
  ['dangling_deep', 'missing/deeper'],
  ['loop', 'loop'],
  ['chain', 'to_dir'],
  ['chain_dangling', 'dangling'],
  ['dir/up', '..'],
  ['dir/back', '../file'],
];

const NAMES = [
  ...['dir', 'dir', 'empty', 'file', 'missing', 'new', 'inner', 'up', 'back', '.', '..'],
  ...LINKS.map(([name]) => name).filter((name) => !name.includes('/')),
];
const TAILS = ['', '', '', '/', '//', '/.', '/./', '/..', '/../'];

function plant(root: string): void {
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(join(root, 'dir', 'inner'), { recursive: true });
  fs.mkdirSync(join(root, 'empty'));
  fs.writeFileSync(join(root, 'file'), 'content');
  fs.writeFileSync(join(root, 'dir', 'inner', 'file'), 'inner');
  for (const [name, text] of LINKS) fs.symlinkSync(text, join(root, name));
}

/** Everything in a tree, links by their text. */
function shown(root: string, folder = ''): string[] {
  return fs.readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = join(folder, entry.name);
    if (entry.isSymbolicLink()) return [`${name} -> ${fs.readlinkSync(join(root, name))}`];
    if (entry.isDirectory()) return [`${name}/`, ...shown(root, name)];
    return [`${name} = ${fs.readFileSync(join(root, name), 'utf8')}`];
  });
}

function randomPath(random: Random): string {
  const names = Array.from({ length: 1 + random.below(3) }, () => random.pick(NAMES));
  return names.join(random.below(8) === 0 ? '//' : '/') + random.pick(TAILS);
}

/** WASI's number for what a system call of the host did. */
function outcome(call: () => unknown): number {
  try {
    call();
    return 0;
  } catch (error) {
    return errnoOfHost((error as { code?: unknown }).code);
  }
}

type Call = (
  reactor: Reactor,
  path: string,
  other: string,
  root: string,
) => [wasi: number, linux: number];

const { O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_RDWR, O_RDONLY } = fs.constants;
const OPENS: readonly (readonly [oflags: number, flags: number])[] = [
  [0, 0],
  [OFLAG.DIRECTORY, O_DIRECTORY],
  [OFLAG.CREAT, O_CREAT],
  [OFLAG.CREAT | OFLAG.EXCL, O_CREAT | O_EXCL],
  [OFLAG.TRUNC, O_TRUNC],
  [OFLAG.CREAT | OFLAG.TRUNC, O_CREAT | O_TRUNC],
];

function opening(oflags: number, flags: number, follow: boolean): Call {
  const writes = oflags !== 0 && oflags !== OFLAG.DIRECTORY;
  const all = flags | (follow ? 0 : O_NOFOLLOW) | (writes ? O_RDWR : O_RDONLY);
  const rights = writes ? 0x1fffffff : 0x1fffffff & ~(1 << 6);
  return (reactor, path, _other, root) => {
    const fd = reactor.open(DIRECTORY, path, { oflags, rights, follow });
    if (fd >= 0) reactor.call('fd_close', fd);
    const linux = outcome(() => fs.closeSync(fs.openSync(`${root}/${path}`, all, 0o666)));
    return [Math.max(0, -fd), linux];
  };
}

const CALLED: Record<string, Call> = {
  stat: (reactor, path, _other, root) => [
    reactor.call('path_filestat_get', DIRECTORY, 1, ...reactor.text(path), 4096),
    outcome(() => fs.statSync(`${root}/${path}`)),
  ],
  lstat: (reactor, path, _other, root) => [
    reactor.call('path_filestat_get', DIRECTORY, 0, ...reactor.text(path), 4096),
    outcome(() => fs.lstatSync(`${root}/${path}`)),
  ],
  utimes: (reactor, path, _other, root) => [
    reactor.call('path_filestat_set_times', DIRECTORY, 1, ...reactor.text(path), 0n, 0n, 5),
    outcome(() => fs.utimesSync(`${root}/${path}`, 0, 0)),
  ],
  lutimes: (reactor, path, _other, root) => [
    reactor.call('path_filestat_set_times', DIRECTORY, 0, ...reactor.text(path), 0n, 0n, 5),
    outcome(() => fs.lutimesSync(`${root}/${path}`, 0, 0)),
  ],
  readlink: (reactor, path, _other, root) => [
    reactor.call('path_readlink', DIRECTORY, ...reactor.text(path), 4096, 100, 512),
    outcome(() => fs.readlinkSync(`${root}/${path}`)),
  ],
  mkdir: (reactor, path, _other, root) => [
    reactor.call('path_create_directory', DIRECTORY, ...reactor.text(path)),
    outcome(() => fs.mkdirSync(`${root}/${path}`)),
  ],
  rmdir: (reactor, path, _other, root) => [
    reactor.call('path_remove_directory', DIRECTORY, ...reactor.text(path)),
    outcome(() => fs.rmdirSync(`${root}/${path}`)),
  ],
  unlink: (reactor, path, _other, root) => [
    reactor.call('path_unlink_file', DIRECTORY, ...reactor.text(path)),
    outcome(() => fs.unlinkSync(`${root}/${path}`)),
  ],
  symlink: (reactor, path, other, root) => [
    reactor.call('path_symlink', ...reactor.text(other, 2048), DIRECTORY, ...reactor.text(path)),
    outcome(() => fs.symlinkSync(other, `${root}/${path}`)),
  ],
  rename: (reactor, path, other, root) => [
    reactor.call(
      'path_rename',
      ...([DIRECTORY, ...reactor.text(path)] as const),
      ...([DIRECTORY, ...reactor.text(other, 2048)] as const),
    ),
    outcome(() => fs.renameSync(`${root}/${path}`, `${root}/${other}`)),
  ],
  link: (reactor, path, other, root) => [
    reactor.call(
      'path_link',
      ...([DIRECTORY, 0, ...reactor.text(path)] as const),
      ...([DIRECTORY, ...reactor.text(other, 2048)] as const),
    ),
    outcome(() => fs.linkSync(`${root}/${path}`, `${root}/${other}`)),
  ],
};
for (const [oflags, flags] of OPENS) {
  for (const follow of [true, false])
    CALLED[`open ${oflags} ${follow ? 'follow' : 'nofollow'}`] = opening(oflags, flags, follow);
}

async function withTrees(
  body: (reactor: Reactor, wasi: string, linux: string) => void,
): Promise<void> {
  const scratch = fs.mkdtempSync(join(tmpdir(), 'ringzero-paths-'));
  const [wasi, linux] = [join(scratch, 'wasi', 'root'), join(scratch, 'linux', 'root')];
  plant(wasi);
  plant(linux);
  const reactor = await Reactor.load({ preopens: { '/': wasi } });
  try {
    body(reactor, wasi, linux);
  } finally {
    await reactor.program.close();
    fs.rmSync(scratch, { recursive: true });
  }
}

test('C14: every call gives what Linux gives, for paths and links of every shape', async () => {
  const random = Random.forTest('wasi/paths');
  const names = Object.keys(CALLED);
  let compared = 0;
  await withTrees((reactor, wasi, linux) => {
    const fresh = shown(linux);
    const fill = (root: string): void => {
      for (const entry of fs.readdirSync(root)) fs.rmSync(join(root, entry), { recursive: true });
      const twin = join(root, '..', 'twin');
      plant(twin);
      for (const entry of fs.readdirSync(twin)) fs.renameSync(join(twin, entry), join(root, entry));
    };
    for (let i = 0; i < CALLS; i++) {
      const name = random.pick(names);
      const path = randomPath(random);
      const other = randomPath(random);
      if (/(^|\/)\.\.(\/|$)/.test(name === 'symlink' ? other : '')) continue;
      const what = `${name} '${path}' '${other}'`;
      const [ours, theirs] = CALLED[name]!(reactor, path, other, linux);
      const after = shown(linux);
      if (ours === NOTCAPABLE) assert.equal(shown(wasi), fresh, what);
      else {
        compared += 1;
        assert.is(ours, theirs, what);
        assert.equal(shown(wasi), after, what);
      }
      if (after.join() === fresh.join() && fs.existsSync(wasi)) continue;
      fill(wasi);
      fill(linux);
    }
  });
  assert.ok(compared > CALLS / 4, `${compared} of ${CALLS} calls stayed inside`);
});

test('A7: a dangling link that leads out makes nothing outside, by system call or by WASI', async () => {
  await withTrees((reactor, wasi) => {
    const outside = join(wasi, '..', 'out');
    fs.mkdirSync(outside);
    fs.symlinkSync('../out/new', join(wasi, 'out_file'));
    fs.symlinkSync('../out', join(wasi, 'out_dir'));
    fs.symlinkSync(join(outside, 'new'), join(wasi, 'out_absolute'));
    const preopen = new Preopen(wasi);
    for (const path of ['out_file', 'out_dir/new', 'out_absolute', 'dir/up/out_file']) {
      assert.throws(
        () => preopen.find(path, 'follow', (found) => fs.openSync(found, O_CREAT | O_RDWR)),
        (error: { number?: number; code?: string }) =>
          error.number === EACCES || error.code === 'ENOTCAPABLE',
        path,
      );
      assert.is(reactor.open(DIRECTORY, path, { oflags: OFLAG.CREAT }), -NOTCAPABLE, path);
    }
    assert.equal(fs.readdirSync(outside), []);
  });
});

test('A7, WALK-3: a component that becomes a link between look and use is not followed', async () => {
  await withTrees((_reactor, wasi) => {
    const secret = join(wasi, '..', 'secret');
    fs.writeFileSync(secret, 'secret');
    const swap = (path: string): number => {
      fs.rmSync(join(wasi, 'file'));
      fs.symlinkSync('../secret', join(wasi, 'file'));
      return files.open(path, sys.OPEN_READ | sys.OPEN_WRITE | sys.OPEN_TRUNCATE);
    };
    assert.throws(
      () => new Preopen(wasi).find('file', 'follow', swap),
      (error: { code?: string }) => error.code === 'ELOOP',
    );
    assert.is(fs.readFileSync(secret, 'utf8'), 'secret');
  });
});

/** Names with a mark of byte order, and what is left of them without it. */
const MARKED = ['\ufefffile', 'file', '\ufeff', '\ufeff\ufeff', 'fi\ufeffle']
  .flatMap((name) => [Buffer.from(name), Buffer.concat([Buffer.from([0x80]), Buffer.from(name)])])
  .map((name) => Uint8Array.from(name));

test('C15: names that are not UTF-8 are listed, opened, linked and removed as they are', async () => {
  await withTrees((reactor, wasi) => {
    const random = Random.forTest('wasi/names');
    const under = (name: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from(`${wasi}/empty/`), name]);
    const names = Array.from({ length: 50 }, () => {
      const bytes = Array.from({ length: 1 + random.below(12) }, () => 1 + random.below(255));
      return Uint8Array.from(bytes.map((byte) => (byte === 47 ? 0xff : byte)));
    })
      .concat(MARKED)
      .filter(
        (name, at, all) => all.findIndex((other) => Buffer.compare(other, name) === 0) === at,
      );
    const plain = names.filter((name) => !/^\.\.?$/.test(Buffer.from(name).toString('latin1')));
    for (const name of plain) fs.writeFileSync(under(name), name);
    const folder = reactor.open(DIRECTORY, 'empty', { oflags: OFLAG.DIRECTORY });
    assert.is(reactor.call('fd_readdir', folder, 8192, 32768, 0n, 512), 0);
    const listed: string[] = [];
    for (let at = 8192; at < 8192 + reactor.u32(512);) {
      const length = reactor.u32(at + 16);
      listed.push(Buffer.from(reactor.read(at + 24, length)).toString('hex'));
      at += 24 + length;
    }
    const expected = ['2e', '2e2e', ...plain.map((name) => Buffer.from(name).toString('hex'))];
    assert.equal(listed.sort(), expected.sort());
    for (const name of plain) {
      reactor.write(1024, name);
      assert.is(
        reactor.call('path_symlink', 1024, name.length, DIRECTORY, ...reactor.text('new', 4096)),
        0,
      );
      assert.is(
        reactor.call('path_readlink', DIRECTORY, ...reactor.text('new', 4096), 8192, 100, 512),
        0,
      );
      assert.equal(reactor.read(8192, reactor.u32(512)), name);
      assert.is(reactor.call('path_unlink_file', DIRECTORY, ...reactor.text('new', 4096)), 0);
      assert.is(reactor.call('path_unlink_file', folder, 1024, name.length), 0);
    }
    assert.equal(fs.readdirSync(join(wasi, 'empty')), []);
  });
});

test.run();
