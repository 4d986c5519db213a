// How much slower programs run as the main image than untranslated, with polls at loops (as guests that
// several threads enter are translated) and without (as MicroVM.load does with stock programs): stock sql.js
// and C programs of different kinds, built by clang when the bench starts. Both sides are compiled by the
// optimizing compiler at once (--no-liftoff) and run in turn; the best time of each counts, for the machine
// is not ours alone.
//
//   node dist/bench/translator-slowdown.js [--smoke] [--rounds 25] [--no-elision]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import '../host/platform/node.ts'; // as a VM: with branch hints
import { translateMain } from '../host/translator/index.ts';
import { skip } from '../tests/peers.ts';
import type { Plot } from './plot.ts';
import { atMost, isSmoke, report, type Row } from './report.ts';
import { openSqlJs, type Database } from '../tests/translator/sqljs.ts';
import { StubKernel } from '../tests/translator/stub-kernel.ts';

setFlagsFromString('--no-liftoff');

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean' },
    rounds: { type: 'string', default: isSmoke ? '5' : '25' },
    'no-elision': { type: 'boolean' },
  },
});
const ROUNDS = Number(values.rounds);
const elision = !values['no-elision'];

interface Choices {
  readonly safepoints: boolean;
  readonly elision: boolean;
}
const FRAMES = 8192;
const WARM_UP = 4;

// A size for each program that takes some milliseconds.
const SIZES: Record<string, number> = {
  bytes: 300_000,
  hashtable: 60_000,
  matrix: 200,
  nbody: 60_000,
  quicksort: 100_000,
  sha256: 2_000_000,
  tree: 30_000,
};

interface Result {
  readonly program: string;
  readonly plainMs: number;
  readonly ratio: number;
}

const best = (times: number[]): number => times.reduce((a, b) => Math.min(a, b));

/** Best time of each, run in turn. */
function race(name: string, plain: () => unknown, translated: () => unknown): Result {
  const times: [number[], number[]] = [[], []];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    [plain, translated].forEach((run, i) => {
      const start = performance.now();
      run();
      if (round >= 0) times[i as 0 | 1].push(performance.now() - start);
    });
  }
  const plainMs = best(times[0]);
  return { program: name, plainMs, ratio: best(times[1]) / plainMs };
}

function buildPrograms(): [name: string, bytes: Uint8Array][] {
  const sources = fileURLToPath(new URL('../../bench/programs/', import.meta.url));
  const out = mkdtempSync(join(tmpdir(), 'ringzero-bench-'));
  const built: [string, Uint8Array][] = [];
  try {
    for (const file of readdirSync(sources).filter((name) => name.endsWith('.c'))) {
      const name = file.slice(0, -2);
      const target = join(out, `${name}.wasm`);
      const flags = ['-O2', '-fno-builtin', '--target=wasm32', '-nostdlib', '-Wl,--no-entry'];
      execFileSync('clang', [
        ...flags,
        '-Wl,--initial-memory=16777216',
        '-o',
        target,
        join(sources, file),
      ]);
      built.push([name, new Uint8Array(readFileSync(target))]);
    }
  } catch (error) {
    skip(`the C programs: ${String(error)}`, 'clang or wasm-ld');
  } finally {
    rmSync(out, { recursive: true });
  }
  return built;
}

function raceProgram(name: string, bytes: Uint8Array, choices: Choices): Result {
  const size = SIZES[name] ?? 1000;
  const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const kernel = new StubKernel(256, FRAMES);
  const { main } = translateMain(bytes, { frames: FRAMES, ...choices });
  const image = new WebAssembly.Instance(new WebAssembly.Module(main as BufferSource), {
    ringzero: kernel.mainImports() as WebAssembly.ModuleImports,
  });
  (image.exports['ringzero.boot'] as () => void)();
  const runPlain = plain.exports.run as (n: number) => number;
  const runImage = image.exports.run as (n: number) => number;
  if (runPlain(size) !== runImage(size)) throw new Error(`${name}: another result translated`);
  return race(
    name,
    () => runPlain(size),
    () => runImage(size),
  );
}

const QUERIES: Record<string, string> = {
  insert: `create table u(a integer primary key, b, c);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
    insert into u select i, 'row' || i, i * 1.5 from n; drop table u`,
  group: 'select a % 7 g, max(b), avg(c), count(*) from t group by g order by 2 desc',
  index: 'create index ib on t(b); drop index ib',
  join: "select count(*), sum(x.c) from t x join t y on x.a = y.a + 1 where y.b > 'x'",
  sort: 'select sum(length(b)) from (select b from t order by c desc, b)',
  update: 'begin; update t set c = c + 1 where a % 3 = 0; rollback',
};
const FILL = `create table t(a integer primary key, b text, c real);
  with recursive n(i) as (select 0 union all select i + 1 from n where i < 5000)
  insert into t select i, 'row ' || (i * 7919 % 5001), i / 3.0 from n`;

/** One figure for sql.js: the geometric mean over its queries. */
async function raceSqlJs(choices: Choices): Promise<Result> {
  const plain = (await openSqlJs()).database;
  const image = (
    await openSqlJs((bytes, frames) => translateMain(bytes, { frames, ...choices }).main)
  ).database;
  const fill = (database: Database): void => void database.exec(FILL);
  fill(plain);
  fill(image);
  const results = Object.entries(QUERIES).map(([name, sql]) =>
    race(
      `sql.js ${name}`,
      () => plain.exec(sql),
      () => image.exec(sql),
    ),
  );
  for (const result of results) print(result, '  ');
  const plainMs = results.reduce((sum, result) => sum + result.plainMs, 0);
  return { program: 'sql.js', plainMs, ratio: geometricMean(results) };
}

function geometricMean(results: readonly Result[]): number {
  return Math.exp(results.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / results.length);
}

function print({ program, plainMs, ratio }: Result, indent = ''): void {
  const time = plainMs.toFixed(2).padStart(8);
  console.log(`${indent}${program.padEnd(16)}${time} ms  ${ratio.toFixed(3)}x`);
}

/** All programs under the same choices: each ratio, and their geometric mean. */
async function measure(
  programs: readonly [name: string, bytes: Uint8Array][],
  choices: Choices,
): Promise<{ choices: Choices; programMean: number; mean: number; results: Result[] }> {
  const results: Result[] = [];
  for (const [name, bytes] of programs) {
    const result = raceProgram(name, bytes, choices);
    print(result);
    results.push(result);
  }
  const programMean = geometricMean(results);
  const sqlJs = await raceSqlJs(choices);
  print(sqlJs);
  results.push(sqlJs);
  const mean = geometricMean(results);
  const worst = results.reduce((a, b) => (a.ratio > b.ratio ? a : b));
  console.log(
    `main image, ${choices.safepoints ? 'with' : 'without'} polls: geometric mean ${programMean.toFixed(3)}x (goal 1.15x), with sql.js ${mean.toFixed(3)}x, worst ${worst.ratio.toFixed(3)}x (${worst.program})\n`,
  );
  return { choices, programMean, mean, results };
}

const programs = buildPrograms();
const runs = [
  await measure(programs, { safepoints: true, elision }),
  await measure(programs, { safepoints: false, elision }),
];
const rows: Row[] = runs.flatMap(({ choices, programMean, mean, results }) => {
  const polls = choices.safepoints ? 'with polls' : 'without polls';
  const worst = Math.max(...results.map(({ ratio }) => ratio));
  const row = (figure: string, ratio: number, goal: number): Row => ({
    figure: `main image ${polls}: ${figure}`,
    value: `${ratio.toFixed(3)}x`,
    ...atMost(ratio, goal, 'x'),
  });
  return [
    row('C programs, geometric mean', programMean, 1.15),
    row('with sql.js, geometric mean', mean, 1.15),
    row('worst', worst, 1.3),
  ];
});
const points = runs.flatMap(({ choices, results }) =>
  results.map(({ program, ratio }) => ({
    group: program,
    series: choices.safepoints ? 'with polls' : 'without polls',
    samples: [ratio],
  })),
);
const plots: Plot[] = [
  {
    title: 'Time of the main image, of that of the module untranslated',
    values: 'x',
    points,
    paper: 'figure 12: LeanStore privileged and in user space within 1 %; here stores are checked',
  },
];
report('translator-slowdown', rows, runs, plots);
