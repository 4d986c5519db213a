// `npm run test:runtimes [words of names ...]`: test files as they are, in every runtime that is supported.
// Node 20, or whatever is at hand, runs all of them with `npm test`; here are those that touch what runtimes
// differ in.

import { runAll, testFiles, testProcess } from '../run.ts';
import { runtimes } from './binaries.ts';

const FILES = [
  'translator/(access|exceptions|image|proposals|refusal|segments|snapshot)',
  'snappy/protocol',
  'vm/[^/]*',
  'heap/slab',
  'kv/(durable|model|threads)',
  'mmu/[^/]*',
  'rewiring/[^/]*',
  'scheduler/[^/]*',
  'tabby/(pool|machine)',
  'io/(rings|dma-window|requests|log)',
  'level/(durable|locks|opening|ranges|store|threads)',
  'udf/(udf|level|redis)',
  'wasi/(programs|sandbox)',
  'redis/server-(commands|process)',
];
/** In Bun, what docs/runtimes.md says of it. */
const BUN_FILES = [
  ...['durable', 'locks', 'opening', 'ranges', 'store', 'threads'].map((file) => `level/${file}`),
  'redis/server-(clients|commands|process)',
];

const wanted = process.argv.slice(2);
const processes = runtimes().flatMap(({ name, command }) => {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) return [];
  const patterns = (name.startsWith('Bun') ? BUN_FILES : FILES).map((file) => `^${file}\\.test$`);
  const files = testFiles('test', patterns);
  const own = name.startsWith('Deno') ? testFiles('deno', []) : [];
  return [...files, ...own].map((file) => ({
    ...testProcess(file, command),
    name: `${file} ${name}`,
  }));
});
process.exitCode = (await runAll(processes)) ? 0 : 1;
