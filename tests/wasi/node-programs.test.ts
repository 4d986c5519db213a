// The WASI programs of Node's own tests (test/wasi in its source), each run as it is in both images, with
// what Node expects of them. No registry has them, but Debian's source package of Node does: `.ci/run` gets
// it. RZ_NODE_WASI names a folder with `wasi` and `fixtures` of Node's `test`.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip } from '../peers.ts';
import { IMAGES, runProgram } from './conformance.ts';

const test = suite('WASI programs of Node');
const folder = process.env['RZ_NODE_WASI'];

interface Expected {
  readonly exit?: number;
  readonly stdout?: string;
  readonly stdin?: string;
}

/** Expectations of Node's test-wasi.js and test-wasi-symlinks.js. */
const PROGRAMS: Record<string, Expected> = {
  cant_dotdot: {},
  clock_getres: {},
  exitcode: { exit: 120 },
  fd_prestat_get_refresh: {},
  freopen: { stdout: 'hello from input2.txt\n' },
  ftruncate: {},
  getentropy: {},
  getrusage: {},
  gettimeofday: {},
  main_args: {},
  notdir: {},
  poll: {},
  preopen_populates: {},
  readdir: {},
  read_file: { stdout: 'hello from input.txt\n' },
  read_file_twice: { stdout: 'hello from input.txt\nhello from input.txt\n' },
  stat: {},
  sock: {},
  stdin: { stdin: 'hello world', stdout: 'hello world' },
  write_file: {},
};

const WITH_LINKS: Record<string, Expected> = {
  create_symlink: { stdout: 'hello from input.txt' },
  follow_symlink: { stdout: 'hello from input.txt' },
  link: {},
  symlink_escape: {},
  symlink_loop: {},
};

/** Programs that expect what uvwasi does and Linux does not; what each says then. */
const UVWASI: Record<string, { says: RegExp; why: string }> = {
  poll: { says: /POLLHUP/, why: 'standard input is a file here, and not a closed pipe' },
  readdir: { says: /cnt == 4/, why: '`.` and `..` are listed, as on Linux' },
  create_symlink: { says: /readlink\(/, why: 'readlink() does not count a zero byte' },
  follow_symlink: { says: /file != NULL/, why: 'a link is relative to its directory' },
  symlink_loop: { says: /ELOOP/, why: 'a link is relative to its directory' },
  symlink_escape: {
    says: /ENOTCAPABLE/,
    why: 'a link that leads out is EPERM, as in wasi-testsuite',
  },
};

/** The folder that test-wasi-symlinks.js makes. */
function addLinks(scratch: string): void {
  const sandbox = join(scratch, 'sandbox');
  mkdirSync(join(sandbox, 'subdir'), { recursive: true });
  writeFileSync(join(sandbox, 'input.txt'), 'hello from input.txt');
  writeFileSync(join(scratch, 'outside.txt'), 'this should be inaccessible');
  for (const [target, name] of [
    ['./input.txt', 'input_link.txt'],
    ['../outside.txt', 'outside.txt'],
    ['subdir/loop2', 'loop1'],
    ['subdir/loop1', 'loop2'],
  ] as const)
    symlinkSync(target, join(sandbox, 'subdir', name));
}

async function check(
  name: string,
  expected: Expected,
  image: (typeof IMAGES)[number],
  isInVm: boolean,
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'ringzero-node-wasi-'));
  try {
    const [sandbox, tmp] = [join(scratch, 'sandbox'), join(scratch, 'tmp')];
    mkdirSync(tmp);
    if (name in WITH_LINKS) addLinks(scratch);
    else cpSync(join(folder!, 'fixtures', 'wasi'), sandbox, { recursive: true });
    const ended = await runProgram(
      {
        file: join(folder!, 'wasi', 'wasm', `${name}.wasm`),
        args: ['foo', '-bar', '--baz=value'],
        env: { NODE_PLATFORM: process.platform },
        preopens: isInVm
          ? { '/sandbox': { memory: true, from: sandbox }, '/tmp': { memory: true } }
          : { '/sandbox': sandbox, '/tmp': tmp },
        ...(expected.stdin === undefined ? {} : { stdin: expected.stdin }),
      },
      image,
    );
    if (name in UVWASI) return assert.match(ended.stderr, UVWASI[name]!.says);
    assert.is(ended.exit, expected.exit ?? 0, ended.stderr);
    assert.is(ended.stdout, expected.stdout ?? '');
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (folder === undefined) skip("Node's WASI programs", 'the variable RZ_NODE_WASI');
else
  for (const [name, expected] of Object.entries({ ...PROGRAMS, ...WITH_LINKS })) {
    const claim = name in UVWASI ? `${name} differs: ${UVWASI[name]!.why}` : name;
    for (const image of IMAGES)
      for (const place of ['host', 'VM'])
        test(`${claim} (${image} image, directories of the ${place})`, () =>
          check(name, expected, image, place === 'VM'));
  }

test.run();
