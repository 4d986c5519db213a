// `npm run test:runtimes [words of names ...]`: test files as they are, in every runtime that is supported. Node 20, or whatever
// is at hand, runs all of them with `npm test`; here are those that touch what runtimes differ in.

import { spawnSync } from 'node:child_process';
import { ROOT, runtimes } from './binaries.ts';

const FILES = [
  'translator/(access|image|refusal|segments|snapshot)',
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
const DENO_FILES = 'runtimes/permissions.deno';

/** No line of FILES takes longer, unless something hangs. */
const LIFE_MS = 300_000;

const wanted = process.argv.slice(2);
let failed = 0;
for (const { name, command } of runtimes()) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  console.log(`== ${name}`);
  const files = (name.startsWith('Bun') ? BUN_FILES : FILES).map((file) => `${file}\\.test`);
  if (name.startsWith('Deno')) files.push(DENO_FILES);
  // A process for each line, so that what hangs or dies takes no other's results with it.
  for (const file of files) {
    const uvu = ['node_modules/uvu/bin.js', 'dist/tests', `^${file}\\.js$`];
    const { status, signal } = spawnSync(command[0]!, [...command.slice(1), ...uvu], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: LIFE_MS,
      killSignal: 'SIGKILL',
    });
    if (status === 0) continue;
    console.log(`== ${name}, ${file}: ${signal ?? `status ${status}`}`);
    failed++;
  }
}
process.exit(failed === 0 ? 0 : 1);
