// The official core tests of WebAssembly, each script in main images and in snapshot images against the
// untranslated modules. RZ_SPEC_TESTSUITE names either a checkout of github.com/WebAssembly/testsuite (commit
// 3a04b2c of 2022: what Debian's `wast2json` reads), of which nothing is left out, or a folder with what
// Debian's sources have of them (see .ci/run), of which the last test says what it left out, and why. The
// suite is not a package, so without either the tests are skipped, and say so.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip } from '../peers.ts';
import { convert } from './core/convert.ts';
import { runScript } from './core/runner.ts';

const test = suite('core tests of WebAssembly');
const checkout = process.env['RZ_SPEC_TESTSUITE'];
const isCheckout = existsSync(join(checkout ?? '', 'proposals'));

/** Of the proposals, what is in every engine by now. */
const THREADS = ['atomic', 'memory'].map((name) => join('proposals', 'threads', `${name}.wast`));

/** Of binaryen's, what is about its own reader of texts, and what is older than WebAssembly 1.0. */
const UNFIT = /\.fail\.wast$|^old_/;

/** What neither suite is without. */
const KINDS = [
  /^memory/,
  /^data/,
  /^elem/,
  /^(bulk-memory|memory_copy)/,
  /atomic/,
  /^simd/,
  /^traps/,
  /^(try|rethrow|throw)/,
  /^(return_call|return-call)/,
];

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

/** Where Debian's are others. */
const KNOWN_OF_DEBIAN: Record<string, Known> = {
  ...KNOWN,
  linking: loads(0),
  'bulk-memory': bulk(4),
  resizing: { differences: 8, why: 'loads, and a memory that grows beyond what the VM has' },
};

let compared = 0;
let different = 0;
let sharing = 0;
const ran: string[] = [];
/** By why. */
const leftOut = new Map<string, string[]>();

function check(script: string): void {
  const name = basename(script, extname(script));
  const directory = mkdtempSync(join(tmpdir(), 'ringzero-core-'));
  try {
    const converted = convert(join(checkout!, script), directory);
    if ('unread' in converted) return leaveOut(script, `wast2json: ${converted.unread}`);
    const outcome = runScript(converted.path);
    const known = script.startsWith('proposals')
      ? undefined
      : (isCheckout ? KNOWN : KNOWN_OF_DEBIAN)[name];
    assert.is(
      outcome.differences.length,
      known?.differences ?? 0,
      outcome.differences.slice(0, 5).join('\n'),
    );
    const refused = [...outcome.refused.keys()];
    const unnamed = refused.filter((why) => !why.includes('RZ_MODULE_UNSUPPORTED'));
    assert.equal(unnamed, []);
    if (refused.length > 0) return leaveOut(script, refused.join());
    assert.ok(outcome.compared > 0 || outcome.textual > 0);
    compared += outcome.compared;
    different += outcome.differences.length;
    sharing += outcome.sharing;
    ran.push(script);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function leaveOut(script: string, why: string): void {
  assert.not(isCheckout, why);
  leftOut.set(why, [...(leftOut.get(why) ?? []), script]);
}

if (checkout !== undefined && existsSync(checkout)) {
  const found = readdirSync(checkout).filter((name) => /\.(wast|txt)$/.test(name));
  const unfit = found.filter((name) => UNFIT.test(name));
  const scripts = found.filter((name) => !UNFIT.test(name));
  for (const script of [...scripts, ...(isCheckout ? THREADS : [])])
    test(script, () => check(script));
  test('how much that was', () => {
    console.log(
      `${compared} commands compared in both images, ${different} known differences, ${sharing} modules left out that share a memory`,
    );
    if (!isCheckout)
      console.log(
        `scripts left out: ${unfit.length} about binaryen's reader or older than WebAssembly 1.0`,
      );
    for (const [why, names] of leftOut) console.log(`  ${why}: ${names.join(', ')}`);
    const missing = KINDS.filter((kind) => !ran.some((script) => kind.test(script)));
    assert.equal(missing, []);
    assert.ok(compared > (isCheckout ? 50_000 : 20_000));
  });
} else {
  skip("WebAssembly's core tests", 'RZ_SPEC_TESTSUITE, the folder that has them,');
}

test.run();
