// The official test suite of WASI preview 1 (github.com/WebAssembly/wasi-testsuite, branch prod/testsuite-
// base), each program run as it is. No registry has it, so neither `npm test` nor CI runs it: get a
// checkout of that branch, then
//
//   RZ_WASI_TESTSUITE=CHECKOUT node dist/tests/run.js --kind suite

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IMAGES, runProgram } from './conformance.ts';

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

async function run(program: string, image: (typeof IMAGES)[number]): Promise<void> {
  const name = basename(program, '.wasm');
  const known = KNOWN[name];
  const { args = [], env = {}, root, stdout, exit_code: exitCode = 0 } = expectationOf(program);
  const scratch = mkdtempSync(join(tmpdir(), 'ringzero-wasi-root-'));
  try {
    if (root !== undefined) cpSync(join(dirname(program), root), scratch, { recursive: true });
    const preopens: Record<string, string> = root === undefined ? {} : { '/': scratch };
    const ended = await runProgram({ file: program, args: [name, ...args], env, preopens }, image);
    if (known !== undefined) assert.match(ended.stderr, known.says);
    else if (ended.exit !== exitCode)
      throw new Error(`it fails, saying: ${ended.stderr}`, { cause: ended.exit });
    if (stdout !== undefined) assert.is(ended.stdout, stdout);
  } finally {
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
  for (const image of IMAGES) test(`${claim} (${image} image)`, () => run(program, image));
}

test.run();
