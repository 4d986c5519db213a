// Runs the benches one after the other, or those that are named, and makes a page of what they
// found, bench/results/report.html. Fails when one fails or prints something else than numbers.
//
//   npm run bench [-- redis-throughput ...]      npm run bench -- --quick      npm run bench:report

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../tests/runtimes/binaries.ts';
import { BENCHES } from './benches.ts';
import { writeReport } from './html.ts';

const NO_NUMBER = /\b(NaN|Infinity|undefined)/;

/** A bench speaks at its end: until then its seconds do. */
function tick(name: string, started: number): void {
  process.stderr.write(`\r${name}: ${Math.round((Date.now() - started) / 1000)} s \r`);
}

/** Undefined when the bench ran well, or what was wrong. */
function run(name: string, isQuick: boolean): Promise<string | undefined> {
  const program = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [program, ...(isQuick ? ['--smoke'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const started = Date.now();
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (!isQuick) process.stdout.write(text);
  });
  const clock = process.stderr.isTTY ? setInterval(() => tick(name, started), 1000) : undefined;
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearInterval(clock);
      if (isQuick) process.stdout.write(`\n${name}\n${output}`);
      const odd = NO_NUMBER.exec(output)?.[0];
      if (code !== 0) resolve(`ended with ${signal ?? code}`);
      else resolve(odd && `printed ${odd}`);
    });
  });
}

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`npm run bench [-- [--quick] [name ...]]
  --quick   small sizes and few rounds, several at a time: whether they work, no comparisons
  names     ${BENCHES.join(' ')}
The bench runtimes downloads Node 22, 24 and 26 and Deno from npm the first time.`);
  process.exit(0);
}
const isQuick = words.includes('--quick');
const named = words.filter((word) => !word.startsWith('--'));
const failures: string[] = [];
const wanted = named.length > 0 ? named : BENCHES;
const QUICK =
  'A quick run: small sizes and few rounds. It shows that the benches work; its figures mean nothing.';
if (isQuick) console.log(QUICK);
if (wanted.includes('runtimes') && !isInstalled())
  console.log(
    'The bench `runtimes` downloads Node 22, 24 and 26 and Deno from npm first, once, ' +
      'into node_modules/.cache.',
  );
for (const name of wanted) {
  if (BENCHES.includes(name)) continue;
  console.error(`There is no bench '${name}'; there are ${BENCHES.join(', ')}`);
  process.exit(1);
}
const queue = [...wanted];
const runRest = async (): Promise<void> => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (!isQuick) console.log(`\n${name} (${wanted.length - queue.length} of ${wanted.length})`);
    const failure = await run(name, isQuick);
    if (failure !== undefined) failures.push(`${name} ${failure}`);
  }
};
// Figures that mean nothing need no machine for themselves.
await Promise.all(Array.from({ length: isQuick ? availableParallelism() : 1 }, runRest));
console.log(`\n${await writeReport()}`);
if (failures.length > 0) {
  console.error(`\nFAILED: ${failures.join('; ')}`);
  process.exit(1);
}
