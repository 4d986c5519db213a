// WASI's functions called with arguments at random: whatever a program tries, it gets an error number, and
// nothing outside its directory and its memory changes. RZ_SEED replays a run.

import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingzeroError } from '../../host/index.ts';
import { WASI_PARAMETERS, WASI_FUNCTIONS } from '../../host/wasi/abi.ts';
import { Random } from '../random.ts';
import { Reactor } from './reactor.ts';

const test = suite('WASI under random calls');
const CALLS = 20_000;
const GUEST_BYTES = 4 * 65536;
const ERRORS = 77;
const PATHS = [
  'file',
  'a/b',
  '../secret',
  'up/secret',
  '/etc/passwd',
  'a/../..',
  'new',
  'a/../file',
  'out',
  '.',
  '..',
];
const BIG = [0n, 1n, 7n, 100n, 65536n, 2n ** 31n, 2n ** 40n, -1n, -(2n ** 63n), (1n << 30n) - 1n];
/** Where functions take paths, if not as the second argument. */
const PATHS_AT: Record<string, readonly number[]> = {
  path_filestat_get: [2],
  path_filestat_set_times: [2],
  path_open: [2],
  path_link: [2, 5],
  path_rename: [1, 4],
  path_symlink: [0, 3],
};
// These end the program, or wait.
const LEFT_OUT = new Set(['proc_exit', 'proc_raise', 'poll_oneoff']);

test('WASI-3: every call gives an error number, and nothing outside changes', async () => {
  const random = Random.forTest('wasi fuzz');
  const scratch = mkdtempSync(join(tmpdir(), 'ringzero-fuzz-'));
  const inside = join(scratch, 'inside');
  mkdirSync(join(inside, 'a', 'b'), { recursive: true });
  writeFileSync(join(inside, 'file'), 'content');
  writeFileSync(join(scratch, 'secret'), 'secret');
  symlinkSync('..', join(inside, 'up'));
  symlinkSync(scratch, join(inside, 'out'));
  const quiet = openSync('/dev/null', 'r+');
  const streams = { stdin: quiet, stdout: quiet, stderr: quiet };
  const reactor = await Reactor.load({ preopens: { '/': inside }, ...streams });
  const beyond = (): Uint8Array => reactor.read(GUEST_BYTES, 65536);
  const before = beyond();
  const names = WASI_FUNCTIONS.filter((name) => !LEFT_OUT.has(name));

  const { syscalls } = reactor.program.vm.enter();

  for (let i = 0; i < CALLS; i++) {
    if (i % 25 === 0) {
      syscalls.wasi!.close(); // descriptors anew: rights are given up and directories closed soon
      rmSync(join(inside, 'file'), { recursive: true, force: true });
      writeFileSync(join(inside, 'file'), 'content');
    }
    const [path, bytes] = reactor.text(random.pick(PATHS));
    reactor.word(512, random.pick([8192, 4096, GUEST_BYTES - 4, -1]));
    reactor.word(516, random.pick([0, 16, 5000, GUEST_BYTES, -1]));
    const small = [0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 31, 64, -1, 0x7fffffff];
    const where = [path, path, 512, 4096, 8192, GUEST_BYTES - 2, GUEST_BYTES, -8];
    const name = random.pick(names);
    const args = [...WASI_PARAMETERS[name]].map((kind) =>
      kind === 'I' ? random.pick(BIG) : random.pick([...small, bytes, ...where]),
    );
    if (random.below(2) === 0) {
      for (const at of PATHS_AT[name] ?? (name.startsWith('path_') ? [1] : []))
        args.splice(at, 2, path, bytes); // deeper calls are likely then
      if (args.length > 0 && name !== 'path_symlink') args[0] = random.pick([3, 3, 4, 5, 6]);
    }
    try {
      const result = reactor.call(name, ...args);
      assert.ok(result >= 0 && result < ERRORS, `${name}(${args.join()}) = ${result}`);
    } catch (error) {
      if (error instanceof RingzeroError || error instanceof assert.Assertion) throw error;
      throw new Error(`${name}(${args.join()}) threw`, { cause: error });
    }
  }
  assert.equal(beyond(), before, 'memory outside the program');
  assert.equal(readdirSync(scratch).sort(), ['inside', 'secret']);
  assert.is(readFileSync(join(scratch, 'secret'), 'utf8'), 'secret');
  await reactor.program.close();
  closeSync(quiet);
  rmSync(scratch, { recursive: true });
});

test.run();
