// Runs the benches one after the other, or those that are named; fails when one fails or prints what is no number.
//
//   npm run bench [-- redis-throughput ...]      npm run bench:smoke

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Each bench with the options of a short run. */
const BENCHES: Record<string, readonly string[]> = {
  snapshot: ['--smoke'],
  'fork-sqlite': ['--smoke'],
  'translator-slowdown': ['--rounds', '1'],
  'translator-speed': ['--rounds', '1'],
  'redis-throughput': ['--smoke'],
  'redis-bgsave': ['--smoke'],
  'redis-memory': ['--smoke'],
  'redis-startup': ['--smoke'],
  'tabby-pin': ['--smoke'],
  level: ['--smoke'],
  'tabby-evict': ['--smoke'],
  ycsb: ['--smoke'],
  'out-of-memory': ['--smoke'],
  tpcc: ['--smoke'],
  io: ['--smoke'],
  'log-writer': ['--smoke'],
  udf: ['--smoke'],
  ipi: ['--smoke'],
  browser: ['--smoke'],
  preemption: ['--smoke'],
};
const NO_NUMBER = /\b(NaN|Infinity|undefined)/;

/** Undefined when the bench ran well, or what was wrong. */
function run(name: string, options: readonly string[]): Promise<string | undefined> {
  const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [program, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      const odd = NO_NUMBER.exec(output)?.[0];
      if (code !== 0) resolve(`ended with ${signal ?? code}`);
      else resolve(odd && `printed ${odd}`);
    });
  });
}

const words = process.argv.slice(2);
const isShort = words.includes('--smoke');
const named = words.filter((word) => !word.startsWith('--'));
const failures: string[] = [];
for (const name of named.length > 0 ? named : Object.keys(BENCHES)) {
  const short = BENCHES[name];
  if (short === undefined) {
    console.error(`There is no bench '${name}'; there are ${Object.keys(BENCHES).join(', ')}`);
    process.exit(1);
  }
  console.log(`\n${name}`);
  const failure = await run(name, isShort ? short : []);
  if (failure !== undefined) failures.push(`${name} ${failure}`);
}
if (failures.length > 0) {
  console.error(`\nFAILED: ${failures.join('; ')}`);
  process.exit(1);
}
