// How much slower a program's code runs in a fork than in its parent: SQLite, Lua, zstd, and C programs that
// sort, sum, fill and insert. Parent and fork do the same work in turn, the fork in a thread of its own and
// always in the same fork, so that what it writes is private after the first round; the medians of the
// processor's time are compared. `first` is the fork's first round, in which its code is compiled and its
// pages are copied. `grows`: what the process has grown by after that round, without those copies, and at the
// end: the compiler gives most of what it needs for large functions back.
//
//   node dist/bench/fork-code.js [--smoke] [--rounds 9] [--only NAME]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MicroVM, type Program } from '../host/index.ts';
import { skip } from '../tests/peers.ts';
import { doWork, type Target, type Timed, type Work } from './fork-code-work.ts';
import type { Plot } from './plot.ts';
import { atMost, isSmoke, median, numberOption, report, type Row } from './report.ts';

const ROUNDS = numberOption('rounds', isSmoke ? 1 : 9);
const WARM_UP = isSmoke ? 1 : 6;
const ONLY = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1]
  : undefined;
const DRIVER = new URL('./fork-code-work.js', import.meta.url);
const MIB = 2 ** 20;

interface Subject {
  readonly name: string;
  readonly program: Program;
  readonly work: Work;
}

interface Result {
  readonly name: string;
  readonly parentMs: number[];
  readonly forkMs: number[];
  readonly firstMs: number;
  readonly firstMib: number;
  readonly keptMib: number;
  readonly ratio: number;
  readonly framesOwned: number;
}

function targetOf({ exports, memory }: Program): Target {
  const bytes = new Uint8Array(memory.buffer);
  const words = new DataView(memory.buffer);
  const call = (name: string, ...args: (number | bigint)[]): number =>
    Number((exports[name] as (...args: (number | bigint)[]) => number | bigint)(...args));
  return {
    call,
    put(text) {
      const encoded = new TextEncoder().encode(`${text}\0`);
      const address = call('malloc', encoded.length) >>> 0;
      bytes.set(encoded, address);
      return address;
    },
    u32: (address) => words.getUint32(address, true),
  };
}

/**
 * With the processor's time in place of the wall clock's: the machine may have other work. Only one of the
 * two runs.
 */
async function onProcessor(run: () => Promise<Timed>): Promise<Timed> {
  const before = process.cpuUsage();
  const { result } = await run();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, result };
}

async function race({ name, program, work }: Subject): Promise<Result> {
  const parent = targetOf(program);
  const fork = program.snapshot();
  const inFork = (): Promise<Timed> =>
    onProcessor(async () => (await fork.drive(DRIVER, work)) as Timed);
  const inParent = (): Promise<Timed> => onProcessor(() => Promise.resolve(doWork(parent, work)));
  const parentMs: number[] = [];
  const forkMs: number[] = [];
  const before = process.memoryUsage.rss();
  const first = await inFork();
  const grownMib = (): number =>
    (process.memoryUsage.rss() - before) / MIB - fork.framesOwned / 256;
  const firstMib = grownMib();
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const [here, there] = [await inParent(), await inFork()];
    if (here.result !== there.result || there.result !== first.result)
      throw new Error(`${name}: ${there.result} in the fork, ${here.result} in the parent`);
    if (round < 0) continue;
    parentMs.push(here.ms);
    forkMs.push(there.ms);
  }
  const { framesOwned } = fork;
  const keptMib = grownMib();
  await fork.release();
  const ratio = median(forkMs) / median(parentMs);
  const result = {
    name,
    parentMs,
    forkMs,
    firstMs: first.ms,
    firstMib,
    keptMib,
    ratio,
    framesOwned,
  };
  if (!isSmoke) console.log(line(result));
  return result;
}

const line = ({
  name,
  parentMs,
  forkMs,
  firstMs,
  firstMib,
  keptMib,
  ratio,
  framesOwned,
}: Result): string =>
  `${name.padEnd(16)}${median(parentMs).toFixed(2).padStart(9)} ms${median(forkMs).toFixed(2).padStart(9)} ms  ${ratio.toFixed(2)}x  first ${firstMs.toFixed(0)} ms, grows ${firstMib.toFixed(0)} and ${keptMib.toFixed(0)} MiB, ${framesOwned} frames`;

const DIVISOR = isSmoke ? 20 : 1;

function buildKernel(name: string): Uint8Array {
  const source = fileURLToPath(new URL(`../../bench/programs/fork/${name}.c`, import.meta.url));
  const out = mkdtempSync(join(tmpdir(), 'ringzero-bench-'));
  const target = join(out, `${name}.wasm`);
  const flags = ['-O2', '-fno-builtin', '--target=wasm32', '-nostdlib', '-Wl,--no-entry'];
  try {
    execFileSync('clang', [...flags, '-Wl,--initial-memory=16777216', '-o', target, source]);
    return new Uint8Array(readFileSync(target));
  } finally {
    rmSync(out, { recursive: true });
  }
}

const SIZES = { sort: 200_000, sum: 500_000, fill: 500_000, insert: 100_000 };

async function kernel(name: keyof typeof SIZES): Promise<Subject> {
  const program = await MicroVM.load(buildKernel(name), {}, { memory: 64 * MIB });
  const size = SIZES[name] / DIVISOR;
  targetOf(program).call('setup', size);
  return { name, program, work: { calls: [['run', size]], result: 0 } };
}

const ROWS = 200_000 / DIVISOR;
const FILL = `CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL);
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
  INSERT INTO t SELECT i, 'row ' || (i * 7919 % 5001), i / 3.0 FROM n`;
const GROUP = 'SELECT a % 7 g, max(b), avg(c), count(*) FROM t GROUP BY g ORDER BY 2 DESC';
const UPDATE = 'UPDATE t SET c = c + 1 WHERE a % 3 = 0';

async function sqlite(name: string, sql: string): Promise<Subject> {
  const { openSqlite } = (await import(
    new URL('../../examples/fork-sqlite/sqlite.js', import.meta.url).href
  )) as {
    openSqlite(): Promise<{
      sqlite3: { oo1: { DB: new (name: string) => { pointer: number; exec(sql: string): void } } };
      program: Program;
    }>;
  };
  const { sqlite3, program } = await openSqlite();
  const database = new sqlite3.oo1.DB(':memory:');
  database.exec(FILL);
  return { name, program, work: { database: database.pointer, sql } };
}

const LUA = `
local words = {}
for i = 1, 2000 do words[i] = 'word' .. i * 7919 % 5003 end
function work(n)
  local count, total = {}, 0
  for i = 1, n do
    local word = words[i % 2000 + 1]
    count[word] = (count[word] or 0) + i
    total = total + #(word .. i % 10)
  end
  table.sort(table.move(words, 1, #words, 1, {}))
  for _, value in pairs(count) do total = total + value % 1000 end
  return total
end`;

/** Lua as wasmoon ships it, without its glue: called from here through its C interface. */
async function lua(): Promise<Subject> {
  const wasm = bytesOf('wasmoon', 'glue.wasm');
  const env = {
    invoke_vii: (index: number, a: number, b: number) =>
      (program.exports.__indirect_function_table as WebAssembly.Table).get(index)(a, b) as void,
    emscripten_date_now: () => 0,
  };
  const program = await MicroVM.load(wasm, { env }, { memory: 256 * MIB });
  const target = targetOf(program);
  target.call('__wasm_call_ctors');
  const state = target.call('luaL_newstate');
  target.call('luaL_openlibs', state);
  if (target.call('luaL_loadstring', state, target.put(LUA)) !== 0) throw new Error('Lua refuses');
  target.call('lua_callk', state, 0, 0, 0, 0);
  const name = target.put('work');
  const calls: Work = {
    calls: [
      ['lua_getglobal', state, name],
      ['lua_pushnumber', state, 300_000 / DIVISOR],
      ['lua_callk', state, 1, 1, 0, 0],
      ['lua_tonumberx', state, -1, 0],
      ['lua_settop', state, -2],
    ],
    result: 3,
  };
  return { name: 'lua', program, work: calls };
}

/** zstd as @bokuweb/zstd-wasm ships it: compresses text, and takes it apart again. */
async function zstd(): Promise<Subject> {
  const program = await MicroVM.load(
    bytesOf('@bokuweb/zstd-wasm', 'zstd.wasm'),
    {},
    { memory: 256 * MIB },
  );
  const target = targetOf(program);
  target.call('g'); // constructors; the names are those that its glue knows
  const words = LUA.split(/\s+/);
  let text = '';
  for (let seed = 1; text.length < MIB / DIVISOR;) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    text += `${words[(seed >> 8) % words.length]}${(seed >> 16) % 97} `;
  }
  const bytes = new TextEncoder().encode(text);
  const source = target.call('s', bytes.length);
  new Uint8Array(program.memory.buffer).set(bytes, source);
  const bound = bytes.length + 65536;
  const packed = target.call('s', bound);
  return {
    name: 'zstd',
    program,
    work: {
      calls: Array.from(
        { length: 4 },
        () => ['m', packed, bound, source, bytes.length, 3] as const,
      ),
      result: 0,
    },
  };
}

/** A file in the folder of the package's main module. */
function bytesOf(name: string, file: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(file, import.meta.resolve(name))));
}

const subjects: Record<string, () => Promise<Subject>> = {
  'sqlite group by': () => sqlite('sqlite group by', GROUP),
  'sqlite update': () => sqlite('sqlite update', UPDATE),
  lua,
  zstd,
  sort: () => kernel('sort'),
  sum: () => kernel('sum'),
  fill: () => kernel('fill'),
  insert: () => kernel('insert'),
};

function skipC(error: unknown): undefined {
  const { code } = error as { code?: string };
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'ENOENT') throw error;
  skip(String(error), 'one of clang, lld and the development packages');
}

const results: Result[] = [];
for (const [name, open] of Object.entries(subjects)) {
  if (ONLY !== undefined && !name.includes(ONLY)) continue;
  const subject = await open().catch(skipC);
  if (subject === undefined) continue;
  results.push(await race(subject));
  await subject.program.close();
}
const mean = Math.exp(
  results.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / results.length,
);
const worst = results.reduce((a, b) => (a.ratio > b.ratio ? a : b));
const rows: Row[] = results.map(
  ({ name, forkMs, parentMs, ratio, firstMs, firstMib, keptMib }) => ({
    figure: name,
    value: `${ratio.toFixed(2)}x`,
    ratio: `${median(forkMs).toFixed(1)} ms in a fork, first ${firstMs.toFixed(0)}; parent ${median(parentMs).toFixed(1)}; grows ${firstMib.toFixed(0)}, then ${keptMib.toFixed(0)} MiB`,
  }),
);
rows.push(
  { figure: 'geometric mean', value: `${mean.toFixed(2)}x`, ...atMost(mean, 2.5, 'x') },
  {
    figure: 'worst',
    value: `${worst.ratio.toFixed(2)}x`,
    ratio: worst.name,
    ...atMost(worst.ratio, 4, 'x'),
  },
);
const plots: Plot[] = [
  {
    title: 'Time of code in a fork, of that in its parent',
    values: 'x',
    points: results.map(({ name, ratio }) => ({ group: name, series: 'fork', samples: [ratio] })),
  },
];
report('fork-code', rows, { results }, plots);
process.exit(0);
