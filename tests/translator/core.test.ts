// The official core tests of WebAssembly (github.com/WebAssembly/testsuite, commit 3a04b2c of 2022: what Debian's `wast2json` reads),
// each script in main images and in snapshot images against the untranslated modules. RZ_SPEC_TESTSUITE names a checkout; the suite is
// no package, so without it the tests are skipped, and say so.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runScript } from './core/runner.ts';

const test = suite('core tests of WebAssembly');
const checkout = process.env['RZ_SPEC_TESTSUITE'];

/** Of the proposals, what is in every engine by now. */
const THREADS = ['atomic', 'memory'].map((name) => join('proposals', 'threads', `${name}.wast`));

interface Known {
  /** In both images, unless it is the main image alone. */
  differences: number;
  why: string;
}

const loads = (differences: number): Known => ({
  differences,
  why: 'a load outside guest memory does not trap',
});
const bulk = (differences: number): Known => ({
  differences,
  why: 'in the main image a bulk instruction traps for what it writes: not for nothing, not for its source',
});
const KNOWN: Record<string, Known> = {
  address: loads(8),
  imports: loads(4),
  linking: loads(2),
  memory_grow: loads(6),
  memory_trap: loads(96),
  simd_address: loads(4),
  simd_load_extend: loads(8),
  simd_load_splat: loads(48),
  traps: loads(28),
  bulk: bulk(4),
  memory_copy: bulk(16),
  memory_fill: bulk(1),
  memory_init: bulk(1),
};

function convert(script: string, into: string): string {
  const output = join(into, `${basename(script, '.wast')}.json`);
  const { status, stderr, error } = spawnSync('wast2json', ['--enable-threads', '-o', output, script], { encoding: 'utf8' }); // prettier-ignore
  if (status !== 0) throw new Error(`wast2json ${script}: ${error?.message ?? stderr}`);
  return output;
}

let compared = 0;
let sharing = 0;

function check(script: string): void {
  const name = basename(script, '.wast');
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-core-'));
  try {
    const outcome = runScript(convert(join(checkout!, script), directory));
    const known = script.startsWith('proposals') ? undefined : KNOWN[name];
    assert.is(outcome.differences.length, known?.differences ?? 0, outcome.differences.slice(0, 5).join('\n')); // prettier-ignore
    assert.is(outcome.refused.size, 0, [...outcome.refused.keys()].join('\n'));
    assert.ok(outcome.compared > 0 || outcome.textual > 0);
    compared += outcome.compared;
    sharing += outcome.sharing;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (checkout !== undefined && existsSync(checkout)) {
  const scripts = readdirSync(checkout).filter((name) => name.endsWith('.wast'));
  for (const script of [...scripts, ...THREADS]) test(script, () => check(script));
  test('how much that was', () => {
    const different = Object.values(KNOWN).reduce((sum, { differences }) => sum + differences, 0);
    console.log(`${compared} commands compared in both images, ${different} known differences, ${sharing} modules left out that share a memory`); // prettier-ignore
    assert.ok(compared > 50_000);
  });
} else {
  console.log("*** SKIPPED: WebAssembly's core tests; RZ_SPEC_TESTSUITE names no checkout of github.com/WebAssembly/testsuite"); // prettier-ignore
}

test.run();
