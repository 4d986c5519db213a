// `npm run build [-- [--checked] [names ...]]`: makes in dist what is missing or whose sources have changed.
//
//   product    what the package and `npm start` need: kernel, store, Redis guest, bundles and their types; `npm install` makes this
//   NAME       a guest of the table below, with its designs or images; `bundle`, `types` or `modules`; and what it needs
//   (nothing)  everything: the product, the guests of tests and benches, and the modules that tests and
//   benches are --checked  guests with assertions on, in dist/wasm-checked, instead of those in dist/wasm
//
// Plain JavaScript, because nothing is compiled before it. build/jobs.js knows what is up to date,
// build/asc-worker.js compiles guests.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { asc, copy, program, run } from './build/jobs.js';
import { forgetMissing, removeStale, sources } from './build/sources.js';

const RELEASE = { folder: 'dist/wasm', suffix: '' };
const CHECKED = { folder: 'dist/wasm-checked', suffix: ' (checked)', uses: ['RZ_CHECKED=1'] };
const DESIGNS = { eager: 'RZ_EAGER=1', hash: 'RZ_HASH=1', swizzle: 'RZ_SWIZZLE=1' };

/**
 * Every guest, the slowest to compile first. `flags` are asc's, beyond assembly/guest.json; `checkedUses`
 * constants of the checked build beyond RZ_CHECKED. `designs`: compiled for each comparison design, too, as
 * NAME-eager and so on. `isCheckable: false`: it has no assertions, and the checked folder gets a copy.
 */
const GUESTS = [
  {
    name: 'redis',
    entry: 'guest/redis/index.ts',
    flags: ['--initialMemory', '8', '--exportTable', '--zeroFilledMemory'],
    isProduct: true,
  },
  { name: 'kv', entry: 'guest/kv/index.ts', isProduct: true },
  { name: 'tpcc', entry: 'guest/tpcc/index.ts', flags: ['--initialMemory', '4'] },
  { name: 'ycsb', entry: 'guest/ycsb/index.ts', designs: 'ycsb' },
  { name: 'tabby-test', entry: 'tests/tabby/guest/index.ts', designs: 'tabby', checkedUses: ['RZ_TINY=1'] }, // prettier-ignore
  { name: 'libdbos', entry: 'assembly/libdbos.ts', flags: ['--importTable'], isProduct: true },
  { name: 'redis-encoder', entry: 'guest/redis/encoder/index.ts', isProduct: true, isCheckable: false }, // prettier-ignore
  { name: 'states', entry: 'assembly/states/index.ts', flags: ['--maximumMemory', '38'], isProduct: true, isCheckable: false }, // prettier-ignore
  { name: 'fs', entry: 'guest/fs/index.ts', isProduct: true },
  { name: 'io-test', entry: 'tests/io/guest/index.ts' },
  { name: 'log-test', entry: 'tests/io/guest/log.ts', flags: ['--initialMemory', '66'] },
  { name: 'mmu-test', entry: 'tests/mmu/guest/index.ts' },
  { name: 'rewiring-test', entry: 'tests/rewiring/guest/index.ts' },
  { name: 'tasks-test', entry: 'tests/scheduler/guest/index.ts' },
  { name: 'baselines', entry: 'guest/baselines/index.ts', isCheckable: false },
];

/** A guest's jobs: itself and its designs. */
function jobsOf(guest, variant) {
  const { name, entry, designs, flags = [], checkedUses = [], isProduct, isCheckable = true } = guest; // prettier-ignore
  const { folder, suffix, uses = [] } = variant;
  const common = { variant, words: isProduct ? [name, 'product'] : [name] };
  if (variant === CHECKED && !isCheckable) {
    const paths = { from: `${RELEASE.folder}/${name}.wasm`, to: `${folder}/${name}.wasm` };
    return [copy(name + suffix, { ...paths, needs: [name], ...common })];
  }
  const job = (output, constants) => {
    const all = variant === CHECKED ? [...uses, ...checkedUses, ...constants] : constants;
    const used = all.flatMap((constant) => ['--use', constant]);
    const outFile = `${folder}/${output}.wasm`;
    return asc(output + suffix, { entry, flags: [...flags, ...used], outFile, ...common });
  };
  const others = designs === undefined ? [] : Object.entries(DESIGNS);
  return [job(name, []), ...others.map(([word, use]) => job(`${designs}-${word}`, [use]))];
}

/**
 * The Redis guest translated ahead of time, for the server, with its main image packed, as it ships. With it
 * comes what the server loads next to it.
 */
function images(variant) {
  const { folder, suffix } = variant;
  const file = (end) => `${folder}/redis.${end}`;
  const outputs = ['main.wasm', 'snapshot.wasm', 'json'].map(file);
  const [main, snapshot, info] = outputs;
  const flags = '--snapshot-runs saveChild --zero-filled-memory';
  const command = `dist/node/host/main.js translate ${file('wasm')} -o ${main} --snapshot ${snapshot} --info ${info} ${flags}`;
  return program(`redis-images${suffix}`, {
    command: command.split(' '),
    needs: [`redis${suffix}`, `redis-encoder${suffix}`, `libdbos${suffix}`, 'bundle'],
    inputs: () => [file('wasm'), ...sources(['dist/node/host'], /\.js$/)],
    outputs: [...outputs, `${main}.br`],
    after: () => writeFileSync(`${main}.br`, brotliCompressSync(readFileSync(main))),
    variant,
    words: ['redis', 'product'],
  });
}

const TSC = ['node_modules/typescript/bin/tsc', '-p'];
const LOCK = ['package.json', 'package-lock.json'];
/** TypeScript proper, in folders that AssemblyScript shares. */
const LIBRARY = /^(host\/.*|.*\babi\b.*|.*\/option-table)\.ts$/;
const ALL = /^(?!(assembly|guest|tests\/\w+\/guest)\/).*\.ts$|\babi\b.*\.ts$/;
const FOLDERS = ['host', 'assembly/abi', 'guest'];

const bundle = program('bundle', {
  command: ['esbuild.config.js'],
  needs: ['kv', 'libdbos', 'states', 'fs'],
  inputs: () => [
    ...sources(FOLDERS, LIBRARY),
    ...LOCK,
    'esbuild.config.js',
    'dist/wasm/kv.wasm',
    'dist/wasm/libdbos.wasm',
    'dist/wasm/states.wasm',
    'dist/wasm/fs.wasm',
  ],
  outputs: ['dist/node/host/main.js', 'dist/browser/index.js', 'dist/browser/kv.wasm'],
  words: ['bundle', 'product'],
});

/** Declarations of the product, for those who install it. */
const types = program('types', {
  command: [...TSC, 'tsconfig.product.json'],
  inputs: () => [...sources(FOLDERS, LIBRARY), ...LOCK, 'tsconfig.json', 'tsconfig.product.json'],
  outputs: ['dist/host/index.d.ts', 'dist/host/level/index.d.ts', 'dist/host/sync.d.ts'],
  words: ['types', 'product'],
});

/** Every module by itself, its types checked: what tests and benches import, and they themselves. */
const modules = program('modules', {
  command: [...TSC, 'tsconfig.json'],
  inputs: () => [...sources([...FOLDERS, 'tests', 'bench', 'scripts'], ALL), ...LOCK, 'tsconfig.json'], // prettier-ignore
  outputs: ['dist/host/index.js', 'dist/tests/random.js'],
  before: forgetMissing,
  after: removeStale,
  words: ['modules'],
});

const JOBS = [
  modules,
  types,
  ...GUESTS.flatMap((guest) => jobsOf(guest, RELEASE)),
  bundle,
  images(RELEASE),
  ...GUESTS.flatMap((guest) => jobsOf(guest, CHECKED)),
  images(CHECKED),
];

function choose(words, variant) {
  const jobs = JOBS.filter((job) => job.variant === undefined || job.variant === variant);
  for (const word of words) {
    if (jobs.some((job) => job.name === word || job.words.includes(word))) continue;
    const known = [...new Set(jobs.flatMap((job) => job.words))].join(' ');
    throw new Error(`nothing to build is named ${word}; there are: ${known}`);
  }
  const isWanted = ({ name, words: own }) => words.length === 0 || words.some((word) => word === name || own.includes(word)); // prettier-ignore
  const wanted = jobs.filter(isWanted);
  return wanted.includes(modules) ? wanted.filter((job) => job !== types) : wanted; // it makes them, too
}

const start = performance.now();
const { values, positionals } = parseArgs({
  options: { checked: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const counts = await run(JOBS, choose(positionals, values.checked ? CHECKED : RELEASE));
const seconds = ((performance.now() - start) / 1000).toFixed(1);
const { built, current, failed, skipped } = counts;
const problems = failed > 0 ? `, ${failed} failed, ${skipped} not tried` : '';
console.log(`${built} built, ${current} up to date${problems}: ${seconds} s`);
process.exitCode = failed > 0 ? 1 : 0;
