// The official test suite of WASI preview 1 (github.com/WebAssembly/wasi-testsuite, branch prod/testsuite-
// base), each program run as it is. No registry has it, so neither `npm test` nor CI runs it: get a
// checkout of that branch, then
//
//   RZ_WASI_TESTSUITE=CHECKOUT node dist/tests/run.js --kind suite

import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MicroVM, ProgramExit, type Program } from '../../host/index.ts';

const test = suite('wasi-testsuite');
const folder = process.env['RZ_WASI_TESTSUITE'];

/** What does not pass: what the program says then, and why. */
const MICROSECONDS = {
  says: /mtim should change/,
  why: 'the host sets the times of files in microseconds, the suite asks for nanoseconds',
};
const KNOWN: Record<string, { says: RegExp; why: string }> = {
  fd_filestat_set: MICROSECONDS,
  path_filestat: MICROSECONDS,
  symlink_filestat: MICROSECONDS,
};

type Image = 'main' | 'snapshot';

interface Expectation {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly root?: string;
  readonly stdout?: string;
  readonly exit_code?: number;
}

function expectationOf(program: string): Expectation {
  const file = program.replace(/\.wasm$/, '.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Expectation) : {};
}

/** Runs to the end in the main image, or on a snapshot in another thread; returns the exit code. */
function runIn(image: Image, program: Program): number | Promise<number> {
  if (image === 'main') return program.start();
  return program
    .snapshot()
    .run('_start')
    .then(
      () => 0,
      (error: unknown) => {
        if (error instanceof ProgramExit) return error.exitCode;
        throw error;
      },
    );
}

async function run(program: string, image: Image): Promise<void> {
  const known = KNOWN[basename(program, '.wasm')];
  const { args = [], env = {}, root, stdout, exit_code: exitCode = 0 } = expectationOf(program);
  const scratch = mkdtempSync(join(tmpdir(), 'ringzero-wasi-'));
  const output = join(scratch, 'stdout');
  const errors = join(scratch, 'stderr');
  const descriptors = [openSync(output, 'w+'), openSync(errors, 'w+')] as const;
  try {
    const directory = join(scratch, 'root');
    if (root !== undefined) cpSync(join(dirname(program), root), directory, { recursive: true });
    const loaded = await MicroVM.load(
      new Uint8Array(readFileSync(program)),
      {},
      {
        memory: 2 ** 26,
        wasi: {
          args: [basename(program), ...args],
          env,
          preopens: root === undefined ? {} : { '/': directory },
          stdout: descriptors[0],
          stderr: descriptors[1],
        },
      },
    );
    let failure: unknown;
    try {
      assert.is(await runIn(image, loaded), exitCode);
    } catch (error) {
      failure = error;
    }
    const said = readFileSync(errors, 'utf8');
    if (known !== undefined) assert.match(said, known.says);
    else if (failure !== undefined)
      throw new Error(`it fails, saying: ${said}`, { cause: failure });
    if (stdout !== undefined) assert.is(readFileSync(output, 'utf8'), stdout);
    await loaded.close();
  } finally {
    descriptors.forEach(closeSync);
    rmSync(scratch, { recursive: true });
  }
}

function programsIn(checkout: string): string[] {
  return ['assemblyscript', 'c', 'rust'].flatMap((language) => {
    const directory = join(checkout, 'tests', language, 'testsuite', 'wasm32-wasip1');
    return readdirSync(directory)
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => join(directory, name));
  });
}

if (folder === undefined) throw new Error('RZ_WASI_TESTSUITE names no checkout of wasi-testsuite');
for (const program of programsIn(folder)) {
  const name = basename(program, '.wasm');
  const known = KNOWN[name];
  const claim = known === undefined ? name : `${name} fails as it is known to: ${known.why}`;
  for (const image of ['main', 'snapshot'] as const)
    test(`${claim} (${image} image)`, () => run(program, image));
}

test.run();
